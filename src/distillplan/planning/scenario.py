"""One question, whole and checked: `Scenario`."""

import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from distillplan.accounting import Accounting, Logits, Share, share
from distillplan.errors import InputError
from distillplan.laws.provenance import ParameterCount, PublishedLaw
from distillplan.models.architecture import Family, FixedAspect, WithEmbedding
from distillplan.models.costs import Costs, FlopCosts
from distillplan.optimize.problems import Bounds
from distillplan.units import format_count

if TYPE_CHECKING:
    from distillplan.hardware.machine import Machine

TIE_NATS = 0.01
"""Losses closer than this are a tie: what the three-digit rounding of the published coefficients
moves them by (see the notes of the default law)."""

MOST_STUDENTS = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Teacher:
    """A teacher that is given: by its measured loss, or by sizes from which the law gives it."""

    params: float | None = None
    """Non-embedding parameters; needed where its forward passes are paid for."""
    tokens: float | None = None
    """Tokens it was trained on."""
    loss: float | None = None
    """Measured cross-entropy on the student's corpus and tokenizer, nats per token."""

    def __post_init__(self) -> None:
        """Refuse what says too little, or no number."""
        for name in ("params", "tokens", "loss"):
            value = getattr(self, name)
            if value is not None and not (math.isfinite(value) and value > 0):
                raise InputError(f"teacher {name}: {value} is not a positive number")
        if self.loss is None and self.params is None:
            raise InputError(
                "teacher: nothing is known of it; give parameters and tokens or a loss"
            )
        if self.loss is None and self.tokens is None:
            raise InputError(
                f"teacher: {format_count(self.params)} parameters alone do not say how good it is; "
                "add its tokens (7B:2T) or its measured loss"
            )


class Limits(NamedTuple):
    """What a plan may not exceed beside its budget; None: no limit."""

    hours: float | None = None
    """From start to end, of all phases one after the other."""
    usd: float | None = None
    bytes_per_gpu: float | None = None


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """One question.

    Raises:
        InputError: when a number is unusable or two answers contradict each other.
    """

    law: PublishedLaw
    compute: float | None = None
    """FLOPs of the whole family of students, and of the teacher where that is paid for."""
    gpu_hours: float | None = None
    """The same in allocated GPU-hours of `machine`, instead of FLOPs."""
    machine: "Machine | None" = None
    """What it runs on; None: FLOPs are all that is known."""
    student_params: float | None = None
    """Parameters as the law counts them (non-embedding for the default); None to choose them."""
    students: int = 1
    """Students alike that share the budget and the teacher."""
    teacher: Teacher | None = None
    """None: there is none yet."""
    logits: Logits = Logits.ONLINE
    accounting: Accounting | None = None
    """What the budget pays for; None: what follows from the teacher and the logits."""
    tie_nats: float = TIE_NATS
    """Verdicts by less than this are ties."""
    bounds: Bounds = field(default_factory=Bounds)
    architecture: FixedAspect = field(default_factory=FixedAspect)
    """Turns parameters into FLOPs per token, for student and teacher."""
    inference_tokens: float = 0.0
    """Tokens that each student serves in its life, paid from the budget, a forward pass each."""
    max_unique_tokens: float | None = None
    """Tokens of the corpus; student and chosen teacher repeat them beyond that. None: no end."""
    limits: Limits = field(default_factory=Limits)
    """Of time, money and memory; they need a machine. A budget that is not given follows from
    the first two (`budgets.spend`); otherwise a plan that exceeds one says so."""

    def __post_init__(self) -> None:
        """Check each number, then whether they fit together."""
        for name in ("compute", "gpu_hours", "student_params", "max_unique_tokens"):
            value = getattr(self, name)
            if value is not None and not (math.isfinite(value) and value > 0):
                raise InputError(f"{name}: {value} is not a positive number")
        if not 1 <= self.students <= MOST_STUDENTS:
            raise InputError(f"students: {self.students} is not a number from 1 to a million")
        if not 0 <= self.inference_tokens < math.inf:
            raise InputError(
                f"inference_tokens: {self.inference_tokens} is not a number of tokens, zero or more"
            )
        if not 0 <= self.tie_nats < math.inf:
            raise InputError(f"tie_nats: {self.tie_nats} is not a number of nats, zero or more")
        self._check_budget()
        self._check_law()
        self._check_accounting()
        self._check_teacher_loss()

    def _check_budget(self) -> None:
        if (self.compute is None) == (self.gpu_hours is None):
            raise InputError("budget: give compute in FLOPs or GPU-hours, and only one of them")
        if self.gpu_hours is not None and self.machine is None:
            raise InputError("budget: GPU-hours need a GPU; give --gpu, such as h100-sxm")
        if self.gpu_hours is not None and self.inference_tokens:
            raise InputError(
                "inference_tokens: hours of serving are not modelled; give the budget in FLOPs"
            )
        if self.machine is None and any(one is not None for one in self.limits):
            raise InputError(
                "deadline, max_cost_usd, max_memory_bytes: they need a GPU; give gpu, "
                "such as h100-sxm"
            )

    def _check_law(self) -> None:
        asked = self.teacher is not None or self.accounting is not None
        if self.law.distillation is None and (asked or self.logits is not Logits.ONLINE):
            raise InputError(
                f"law: {self.law.name} says nothing about distillation; "
                "leave the teacher out, or use a distillation law such as busbridge2025"
            )

    def _check_accounting(self) -> None:
        teacher, pays = self.teacher, self.pays
        if self.logits is Logits.CACHED:
            if teacher is None and self.accounting is not Accounting.FREE:
                raise InputError(
                    "logits: they cannot be cached when no teacher has written them; "
                    "give the teacher, or leave cached out"
                )
            if pays in (Accounting.EXISTS, Accounting.TRAIN):
                raise InputError(
                    f"accounting: {pays} pays for the teacher's forward passes, but the logits are "
                    "cached; use free, or logits online"
                )
        if teacher is None:
            return
        if pays in (Accounting.EXISTS, Accounting.TRAIN) and teacher.params is None:
            raise InputError(
                "teacher: its forward passes cannot be priced without its parameters; "
                "give them, or say that its logits are cached"
            )
        trained = pays in (Accounting.TRAIN_SHARED, Accounting.TRAIN)
        if trained and (teacher.params is None or teacher.tokens is None):
            raise InputError(
                f"accounting: {pays} pays for the teacher's training, which needs its parameters "
                "and tokens (7B:2T)"
            )

    def _check_teacher_loss(self) -> None:
        if self.teacher is not None and self.teacher.loss is not None:
            check_teacher_loss(self.law, self.teacher.loss)

    @property
    def pays(self) -> Accounting:
        """The accounting that the verdict is drawn from."""
        if self.accounting is not None:
            return self.accounting
        if self.teacher is None:
            return Accounting.TRAIN
        return Accounting.FREE if self.logits is Logits.CACHED else Accounting.EXISTS

    @property
    def accountings(self) -> tuple[Accounting, ...]:
        """The accountings worth showing: all without a teacher, else what its status allows."""
        if self.law.distillation is None:
            return ()
        if self.teacher is None:
            return tuple(Accounting)
        shown = [Accounting.FREE]
        if self.teacher.params is not None:
            shown.append(Accounting.EXISTS)
        if self.pays in (Accounting.TRAIN_SHARED, Accounting.TRAIN):
            shown += [Accounting.TRAIN_SHARED, Accounting.TRAIN]
        return tuple(shown)

    def share(self, accounting: Accounting, students: int | None = None) -> Share:
        """One student's share of the teacher's costs."""
        logits = self.logits
        if logits is Logits.CACHED and accounting is not Accounting.FREE:
            logits = Logits.ONLINE  # the option shown beside the cached one
        return share(accounting, logits, self.students if students is None else students)

    @property
    def family(self) -> Family:
        """Turns parameters, as the law counts them, into FLOPs per token."""
        if self.law.counts is ParameterCount.NON_EMBEDDING:
            return self.architecture
        return WithEmbedding(self.architecture)

    @property
    def unique_tokens(self) -> float:
        """Tokens of the corpus; infinite where it has no end."""
        return math.inf if self.max_unique_tokens is None else self.max_unique_tokens

    @property
    def budget(self) -> float:
        """What the family may cost: FLOPs, or GPU-seconds where the budget is in GPU-hours."""
        if self.compute is not None:
            return self.compute
        return (self.gpu_hours or 0.0) * 3600

    @cached_property
    def supervised_costs(self) -> Costs:
        """What a token costs, in what the budget counts, without a teacher."""
        if self.gpu_hours is None or self.machine is None:
            return FlopCosts(self.family)
        return self._tabulated(distilling=False)

    @cached_property
    def distillation_costs(self) -> Costs:
        """The same in a distillation run, whose loss makes a student's step slower."""
        if self.gpu_hours is None or self.machine is None:
            return FlopCosts(self.family)
        return self._tabulated(distilling=True)

    def _tabulated(self, *, distilling: bool) -> Costs:
        from distillplan.hardware.token_costs import tabulated_costs  # not for budgets in FLOPs

        if self.machine is None:
            raise ValueError("no machine, no seconds")  # see `_check_budget`
        return tabulated_costs(
            self.machine, self.family, distilling=distilling, beside=self.logits is Logits.ONLINE
        )

    @property
    def teacher_loss(self) -> float | None:
        """The given teacher's loss: measured, or the law's for its sizes."""
        if self.teacher is None:
            return None
        if self.teacher.loss is not None:
            return self.teacher.loss
        if self.teacher.params is None or self.teacher.tokens is None:
            return None  # a Teacher without loss has both
        return self.law.supervised.loss(self.teacher.params, self.teacher.tokens)


def check_teacher_loss(law: PublishedLaw, loss: float) -> None:
    """Refuse the loss of a teacher that the law cannot place.

    Raises:
        InputError: when it is no positive number, at or below the law's floor, or has no law.
    """
    if law.distillation is None:
        raise InputError(
            f"law: {law.name} says nothing about distillation; leave the teacher out, "
            "or use a distillation law such as busbridge2025"
        )
    floor = law.supervised.E
    if not (math.isfinite(loss) and loss > floor):
        raise InputError(
            f"teacher loss: {loss:g} nats is at or below {floor:g}, the least any model can reach "
            f"under {law.name}; give nats per token on the law's scale"
        )
