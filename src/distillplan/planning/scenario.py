"""One question, complete and checked: `Scenario`."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from distillplan.accounting import Accounting, Logits, Share, share
from distillplan.errors import InputError, Word
from distillplan.laws.provenance import ParameterCount, PublishedLaw
from distillplan.models.architecture import Family, FixedAspect, WithEmbedding
from distillplan.models.costs import Costs, FlopCosts
from distillplan.optimize.problems import Bounds
from distillplan.units import SECONDS_PER_HOUR, format_count

if TYPE_CHECKING:
    from distillplan.hardware.machine import Machine

TIE_NATS = 0.01
"""Losses closer than this are a tie: rounding the published coefficients to three digits moves them
by as much (see the notes of the default law)."""
MOST_STUDENTS = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Teacher:
    """An existing teacher: its measured loss, or the sizes from which the law predicts it.

    Raises:
        InputError: when a number is not positive, or there are too few of them.
    """

    params: float | None = None
    """Non-embedding parameters; needed where the budget pays for its forward passes."""
    tokens: float | None = None
    """Training tokens."""
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
    """What a plan must not exceed, apart from its budget; None for no limit."""

    hours: float | None = None
    """Wall-clock hours from start to end, one phase after the other."""
    usd: float | None = None
    """US dollars for all phases."""
    bytes_per_gpu: float | None = None
    """Bytes of memory on the fullest GPU."""


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """One question.

    Raises:
        InputError: when a number is unusable or two answers contradict each other.
    """

    law: PublishedLaw
    compute: float | None = None
    """Budget in FLOPs, for all students and for the teacher costs that `accounting` names."""
    gpu_hours: float | None = None
    """The same budget in allocated GPU-hours of `machine`, instead of FLOPs."""
    machine: "Machine | None" = None
    """The GPUs it runs on; None where only FLOPs are asked for."""
    student_params: float | None = None
    """Parameters as the law counts them (non-embedding for the default); None to choose them."""
    student_tokens: float | None = None
    """Training tokens that the budget was given as: it is what they take without a teacher."""
    students: int = 1
    """Number of identical students that share the budget and the teacher."""
    teacher: Teacher | None = None
    """An existing teacher; None to choose one."""
    logits: Logits = Logits.ONLINE
    """Where the teacher's logits come from."""
    accounting: Accounting | None = None
    """Teacher costs that the budget covers; None to infer them from the teacher and the logits."""
    tie_nats: float = TIE_NATS
    """Differences in loss below this are ties, nats per token."""
    bounds: Bounds = field(default_factory=Bounds)
    """Bounds of the search over sizes."""
    architecture: FixedAspect = field(default_factory=FixedAspect)
    """Turns parameters into FLOPs per token, for student and teacher."""
    inference_tokens: float = 0.0
    """Tokens that each student serves after training; the budget pays a forward pass for each."""
    max_unique_tokens: float | None = None
    """Unique tokens of the corpus; training on more repeats them. None for an unlimited corpus."""
    limits: Limits = field(default_factory=Limits)
    """Limits of time, money and memory, which need a machine. Without a budget, time and money set
    it (`scenarios.budgets.spend`); otherwise a plan over a limit carries a warning."""

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
        """The accounting of the verdict: the given one, or what teacher and logits imply."""
        if self.accounting is not None:
            return self.accounting
        if self.teacher is None:
            return Accounting.TRAIN
        return Accounting.FREE if self.logits is Logits.CACHED else Accounting.EXISTS

    @property
    def accountings(self) -> tuple[Accounting, ...]:
        """The accountings worth showing: all without a teacher, else those that apply to it."""
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
        """One student's share of the teacher's costs.

        Args:
            accounting: what the budget pays for.
            students: how many share the teacher; None for the scenario's own number.
        """
        logits = self.logits
        if logits is Logits.CACHED and accounting is not Accounting.FREE:
            logits = Logits.ONLINE  # an option shown for comparison with the cached one
        return share(accounting, logits, self.students if students is None else students)

    @property
    def family(self) -> Family:
        """Turns parameters, as the law counts them, into FLOPs per token."""
        if self.law.counts is ParameterCount.NON_EMBEDDING:
            return self.architecture
        return WithEmbedding(self.architecture)

    @property
    def unique_tokens(self) -> float:
        """Tokens of the corpus; infinity where it is unlimited."""
        return math.inf if self.max_unique_tokens is None else self.max_unique_tokens

    @property
    def budget(self) -> float:
        """What all students together may cost: FLOPs, or GPU-seconds for a budget in GPU-hours."""
        if self.compute is not None:
            return self.compute
        return (self.gpu_hours or 0.0) * SECONDS_PER_HOUR

    @cached_property
    def supervised_costs(self) -> Costs:
        """Cost per token of supervised training, in the budget's unit (FLOPs or GPU-seconds)."""
        if self.gpu_hours is None or self.machine is None:
            return FlopCosts(self.family)
        return self._tabulated(distilling=False)

    @cached_property
    def distillation_costs(self) -> Costs:
        """The same for a distillation run, whose loss makes a student's step slower."""
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

    @cached_property
    def teacher_loss(self) -> float | None:
        """The teacher's loss, nats per token: measured, or the law's for its sizes."""
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
