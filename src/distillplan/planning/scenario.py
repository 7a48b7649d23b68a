"""One question, whole and checked: `Scenario`."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from distillplan.accounting import Accounting, Logits, Share, share
from distillplan.errors import InputError, Word
from distillplan.laws.provenance import PublishedLaw
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
                raise InputError(Word(f"teacher.{name}"), f": {value} is not a positive number")
        if self.loss is None and self.params is None:
            raise InputError(Word("teacher"), ": give its parameters and tokens, or its loss")
        if self.loss is None and self.tokens is None:
            raise InputError(
                Word("teacher"),
                f": {format_count(self.params)} parameters alone do not say how good it is; "
                "add its tokens (7B:2T) or its measured loss",
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
        found = [*self._numbers()]
        if not found:
            checks = (self._budget(), self._distillation(), self._accounting(), self._loss())
            found = [error for check in checks for error in check]
        if found:
            first = found.pop(0)
            raise InputError(*first.parts, also=first.also, others=found)

    def _numbers(self) -> Iterator[InputError]:
        """Each number that cannot be."""
        for name in ("compute", "gpu_hours", "student_params", "max_unique_tokens"):
            value = getattr(self, name)
            if value is not None and not (math.isfinite(value) and value > 0):
                yield InputError(Word(name), f": {value} is not a positive number")
        if not 1 <= self.students <= MOST_STUDENTS:
            yield InputError(
                Word("students"), f": {self.students} is not a number from 1 to {MOST_STUDENTS:,}"
            )
        for name, unit in (("inference_tokens", "tokens"), ("tie_nats", "nats")):
            value = getattr(self, name)
            if not 0 <= value < math.inf:
                yield InputError(Word(name), f": {value} is not a number of {unit}, zero or more")

    def _budget(self) -> Iterator[InputError]:
        if (self.compute is None) == (self.gpu_hours is None):
            yield InputError(
                "budget: give ", Word("compute"), " or ", Word("gpu_hours"), ", and only one"
            )
        if self.gpu_hours is not None and self.machine is None:
            yield InputError(Word("gpu_hours"), " needs a GPU; add ", Word("gpu", "h100-sxm"))
        if self.gpu_hours is not None and self.inference_tokens:
            yield InputError(
                Word("inference_tokens"),
                ": hours of serving are not modeled; give the budget in FLOPs with ",
                Word("compute"),
            )
        if self.machine is None:
            for key, limit in (
                ("deadline", self.limits.hours),
                ("max_cost_usd", self.limits.usd),
                ("max_memory_bytes", self.limits.bytes_per_gpu),
            ):
                if limit is not None:
                    yield InputError(Word(key), " needs a GPU; add ", Word("gpu", "h100-sxm"))

    def _distillation(self) -> Iterator[InputError]:
        asked = self.teacher is not None or self.accounting is not None
        if self.law.distillation is None and (asked or self.logits is not Logits.ONLINE):
            yield InputError(
                Word("law"),
                f": {self.law.name} says nothing about distillation; leave the teacher out, "
                "or use a distillation law such as busbridge2025",
            )

    def _accounting(self) -> Iterator[InputError]:
        teacher, pays = self.teacher, self.pays
        if self.logits is Logits.CACHED:
            if teacher is None and self.accounting is not Accounting.FREE:
                yield InputError(
                    Word("logits"),
                    ": they cannot be cached when no teacher has written them; add ",
                    Word("teacher"),
                    ", or leave cached out",
                )
                return
            if pays in (Accounting.EXISTS, Accounting.TRAIN):
                yield InputError(
                    Word("accounting"),
                    f": {pays} pays for the teacher's forward passes, but the logits are cached; "
                    "use free, or ",
                    Word("logits", "online"),
                )
                return
        if teacher is None:
            return
        if pays in (Accounting.EXISTS, Accounting.TRAIN) and teacher.params is None:
            yield InputError(
                Word("teacher"),
                ": its forward passes cannot be priced without its parameters; give ",
                Word("teacher.params"),
                ", or say that its logits are on disk with ",
                Word("logits", "cached"),
            )
            return
        trained = pays in (Accounting.TRAIN_SHARED, Accounting.TRAIN)
        if trained and (teacher.params is None or teacher.tokens is None):
            yield InputError(
                Word("accounting"),
                f": {pays} pays for the teacher's training, which needs its parameters and tokens "
                "(",
                Word("teacher", "7B:2T"),
                ")",
            )

    def _loss(self) -> Iterator[InputError]:
        if self.teacher is not None and self.teacher.loss is not None:
            try:
                check_teacher_loss(self.law, self.teacher.loss)
            except InputError as error:
                if self.law.distillation is not None:  # else `_distillation` has said so
                    yield error

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
        if self.law.counts.startswith("non-embedding"):
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
            raise ValueError("no machine, no seconds")  # see `_budget`
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
            Word("law"),
            f": {law.name} says nothing about distillation; leave the teacher out, "
            "or use a distillation law such as busbridge2025",
        )
    floor = law.supervised.E
    if not (math.isfinite(loss) and loss > floor):
        raise InputError(
            Word("teacher.loss"),
            f": {loss:g} nats is at or below {floor:g}, the least any model can reach under "
            f"{law.name}; give nats per token on the law's scale",
            also=("law",),
        )
