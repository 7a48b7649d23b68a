"""One question, complete and checked: `Scenario`."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from distillplan.accounting import Accounting, Logits, Share, share
from distillplan.errors import InputError, Word
from distillplan.fields import Real, Settled, default, member, not_positive, number, settle
from distillplan.laws.law_catalog import LawName
from distillplan.laws.law_catalog import law as shipped_law
from distillplan.laws.logit_formats import StoredFormat
from distillplan.laws.provenance import ParameterCount, PublishedLaw
from distillplan.models.architecture import Family, FixedAspect, WithEmbedding
from distillplan.models.costs import Costs, FlopCosts, OneStudent
from distillplan.models.known_model import NamedModels, model_params, sized, with_vocabulary
from distillplan.models.model_sizes import MOST_TOKENS, faults_of
from distillplan.named_tuples import NamedTuple
from distillplan.optimize.problems import Bounds, SizeBounds, bounds_named
from distillplan.planning.start import Start, begin, unstartable
from distillplan.planning.stored_logits import storage_seconds, unread
from distillplan.planning.teacher import (
    Teacher,
    check_teacher_loss,
    loss_by,
    no_distillation,
    teacher_named,
)
from distillplan.planning.undivided import undivided
from distillplan.planning.unpaid import unfunded, unpaid
from distillplan.units.quantities import SECONDS_PER_HOUR

if TYPE_CHECKING:
    from distillplan.hardware.machine import Machine
    from distillplan.models.known_model import KnownModel
    from distillplan.models.shapes import ModelShape

TIE_NATS = 0.01
"""Losses closer than this are a tie: rounding of the published coefficients moves them as much."""
MOST_TIE = 100.0  # nats, more than any two losses differ by
MOST_STUDENTS = 1_000_000


class Limits(NamedTuple):
    """What a plan must not exceed, apart from its budget; None for no limit."""

    hours: float | None = None
    """Wall-clock hours from start to end, one phase after the other."""
    usd: float | None = None
    """US dollars for all phases."""
    bytes_per_gpu: float | None = None
    """Bytes of memory on the fullest GPU."""
    asked_gpu_hours: float | None = None
    """GPU-hours of the budget before the limits of time and money cut it; None: they did not."""
    flops: tuple[tuple[Accounting | None, float], ...] = ()
    """FLOPs that time and money leave to the ways that they cut (`planning.kept_limits`); None is
    supervised training."""

    def by_key(self) -> tuple[tuple[str, float | None], ...]:
        """Each limit with its key."""
        return (
            ("deadline", self.hours),
            ("max_cost_usd", self.usd),
            ("max_memory_bytes", self.bytes_per_gpu),
        )


_POSITIVE = ("compute", "gpu_hours", "student_params", "student_tokens", "max_unique_tokens")


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """One question, such as ``Scenario(compute=1e21, student_params="1B", teacher="7B:2T")``.

    Raises:
        InputError: when a number is unusable or two answers contradict each other.
    """

    law: Settled[PublishedLaw, LawName] = default(field(default_factory=shipped_law))
    """The scaling law, or its name; the default is `busbridge2025`."""
    compute: Settled[float | None, Real | None] = default(None)
    """Budget in FLOPs, for all students and for the teacher costs that `accounting` names."""
    gpu_hours: Settled[float | None, Real | None] = default(None)
    """The same budget in allocated GPU-hours of `machine`, instead of FLOPs."""
    machine: "Machine | None" = None
    """The GPUs it runs on, as `read_scenarios` makes them; None where only FLOPs are asked for."""
    student_params: Settled[float | None, Real | str | None] = default(None)
    """Parameters as the law counts them, or a word such as ``qwen3-0.6b``; None to choose them."""
    student_model: "KnownModel | None" = None
    """The model with these parameters, where it was named; its exact shape sets its costs."""
    student_tokens: Settled[float | None, Real | None] = default(None)
    """Training tokens that the budget was given as: it is what they take without a teacher."""
    students: Settled[int, Real] = default(1)
    """Number of identical students that share the budget and the teacher."""
    teacher: Settled[Teacher | None, Teacher | str | None] = default(None)
    """An existing teacher, or a word such as ``7B:2T`` or ``qwen3-8b``; None to choose one."""
    logits: Settled[Logits, Logits | str] = default(Logits.ONLINE)
    """Where the teacher's logits come from."""
    stored: StoredFormat | None = None
    """Format of logits that are read from disk; None: not asked, and counted as full ones."""
    pays_storage: bool = False
    """Whether money limits the plan, of which a part pays for storing logits."""
    money_over_budget: float = 1.0
    """All that money over what the budget in GPU-hours costs; 1 where the budget is the money."""
    start: Settled[Start | None, Start | str | None] = default(None)
    """An open model that the student starts from, or ``pruned``; None: from scratch."""
    accounting: Settled[Accounting | None, Accounting | str | None] = default(None)
    """Teacher costs that the budget covers; None to infer them from the teacher and the logits."""
    tie_nats: Settled[float, Real] = default(TIE_NATS)
    """Differences in loss below this are ties, nats per token."""
    bounds: Settled[Bounds, Bounds | str] = default(field(default_factory=Bounds))
    """Bounds of the search over sizes, or their name, such as ``paper``."""
    architecture: FixedAspect = field(default_factory=FixedAspect)
    """Turns parameters into FLOPs per token, for student and teacher."""
    inference_tokens: Settled[float, Real] = default(0.0)
    """Tokens that each student serves after training; the budget pays a forward pass for each."""
    max_unique_tokens: Settled[float | None, Real | None] = default(None)
    """Unique tokens of the corpus; training on more repeats them. None for an unlimited corpus."""
    limits: Limits = field(default_factory=Limits)
    """Limits of time, money and memory, which need a machine."""

    def __post_init__(self) -> None:
        """Check each field, then whether they fit together."""
        object.__setattr__(self, "law", shipped_law(self.law))
        settle(self, only=("machine", "student_model", "architecture", "limits"))
        self._named()
        if isinstance(self.bounds, str):
            named = member(SizeBounds, self.bounds, Word("bounds"))
            object.__setattr__(self, "bounds", bounds_named(named))
        settle(self)
        found = [*self._numbers()]
        if not found:
            costs = (unpaid(self), unread(self), unstartable(self))
            checks = (unfunded(self), undivided(self), self._distillation(), *costs, self._loss())
            found = [error for check in checks for error in check]
        if found:
            raise InputError(*found[0].parts, also=found[0].also, others=found[1:])

    def _named(self) -> None:
        """Models that were named by a word, in place of their records."""
        taught: Any = self.teacher
        if isinstance(taught, str):
            object.__setattr__(self, "teacher", teacher_named(taught))
        word: Any = self.student_params
        if isinstance(word, str):
            student = sized(word, "student", tokens=False)
            object.__setattr__(self, "student_model", student.model)
            object.__setattr__(self, "student_params", student.params)
        if str in (type(taught), type(word)) and self.architecture == FixedAspect():
            teacher = None if self.teacher is None else self.teacher.model
            family = with_vocabulary(self.architecture, teacher, self.student_model)
            object.__setattr__(self, "architecture", family)
        begin(self)
        if self.machine is not None and self.machine.family != self.architecture:
            machine = replace(self.machine, family=self.architecture)  # one bill, one family
            object.__setattr__(self, "machine", machine)
        if self.student_model is None:
            return
        if self.student_model.is_mixture:
            raise InputError(
                Word("student_params"),
                f": {self.student_model.name} is a mixture of experts, and the laws describe dense "
                "students; give the size of a dense one",
            )
        params = model_params(self.student_model, self.law.counts)
        if self.student_params in (None, self.student_model.params):
            object.__setattr__(self, "student_params", params)
        elif self.student_params != params:
            object.__setattr__(self, "student_model", None)  # replaced by another size

    def _numbers(self) -> Iterator[InputError]:
        """Each number that cannot be."""
        for name in _POSITIVE:
            value = getattr(self, name)
            if value is None:
                continue
            if (error := not_positive(value, Word(name))) is not None:
                yield error
            else:
                yield from faults_of(value, name)
        if not 1 <= self.students <= MOST_STUDENTS:
            told = f": {self.students} is not a number from 1 to {MOST_STUDENTS:,}; for a size: "
            yield InputError(Word("students"), told, Word("student_params", "3B"))
        money = ("money_over_budget", self.money_over_budget)
        for key, limit in (*self.limits.by_key(), money):
            if limit is not None and not 0 < number(limit, Word(key)) < math.inf:
                yield InputError(Word(key), f": {limit} is not a positive number")
        amounts = (("inference_tokens", "tokens", MOST_TOKENS), ("tie_nats", "nats", MOST_TIE))
        for name, unit, most in amounts:
            value = getattr(self, name)
            if not 0 <= value < math.inf:
                yield InputError(Word(name), f": {value} is not a number of {unit}, zero or more")
            elif value > most:
                yield InputError(Word(name), f": {value:g} is more than {most:g} {unit}")

    def _distillation(self) -> Iterator[InputError]:
        if self.law.distillation is not None:
            return
        asked = {
            "teacher": self.teacher is not None,
            "accounting": self.accounting is not None,
            "logits": self.logits is not Logits.ONLINE,
        }
        yield from (no_distillation(self.law, without=Word(key)) for key, on in asked.items() if on)

    def reading(self, logits: Logits) -> "Scenario":
        """The same question with logits from elsewhere; a format is of stored ones only."""
        kept = None if logits is Logits.ONLINE else self.stored
        return replace(self, logits=logits, stored=kept)

    def _loss(self) -> Iterator[InputError]:
        if self.teacher is not None and self.teacher.loss is not None:
            try:
                check_teacher_loss(self.law, self.teacher.loss, self.architecture.vocab)
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
        run = () if self.teacher.params is None else (Accounting.EXISTS,)
        trained = (Accounting.TRAIN_SHARED, Accounting.TRAIN)
        return (Accounting.FREE, *run, *(trained if self.pays in trained else ()))

    def share(self, accounting: Accounting, students: int | None = None) -> Share:
        """One student's share of the teacher's costs.

        Args:
            accounting: what the budget pays for.
            students: how many share the teacher; None for the scenario's own number.
        """
        return share(accounting, self.passes, self.students if students is None else students)

    @property
    def passes(self) -> Logits:
        """How a way that runs the teacher does: beside cached logits, online for comparison."""
        return Logits.ONLINE if self.logits is Logits.CACHED else self.logits

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
    def most_passed(self) -> float:
        """Tokens that the teacher passes over at most; epochs read again what it wrote of them."""
        return self.unique_tokens if self.logits is Logits.STORED else math.inf

    @property
    def budget(self) -> float:
        """What all students together may cost: FLOPs, or GPU-seconds for a budget in GPU-hours."""
        return (self.compute or self.gpu_hours or 0.0) * self.per_unit

    @property
    def per_unit(self) -> float:
        """What `budget` has for each FLOP or GPU-hour that it is given in."""
        return 1.0 if self.gpu_hours is None else SECONDS_PER_HOUR

    def spending(self, budget: float) -> "Scenario":
        """The same question with another budget, in FLOPs or GPU-hours like its own."""
        if self.gpu_hours is None:
            return replace(self, compute=budget)
        return replace(self, gpu_hours=budget)

    @property
    def models(self) -> NamedModels:
        """The models that were named."""
        teacher = None if self.teacher is None else self.teacher.model
        parent = None if self.start is None else self.start.parent
        return NamedModels(student=self.student_model, teacher=teacher, parent=parent)

    @property
    def student_shape(self) -> "ModelShape | None":
        """The exact shape of the student; None where it is not known."""
        return None if self.student_model is None else self.student_model.shape

    def student_forward(self, params: float) -> float:
        """FLOPs per token of a student's forward pass, exact for the one that was named."""
        known = params == self.student_params
        return self._forward(params, self.student_model if known else None)

    def teacher_forward(self, params: float) -> float:
        """FLOPs per token of a teacher's forward pass, exact for the one that was named."""
        known = self.teacher is not None and params == self.teacher.params
        return self._forward(params, self.models.teacher if known else None)

    def _forward(self, params: float, model: "KnownModel | None") -> float:
        exact = None if model is None else model.forward_flops(round(self.architecture.context))
        return float(self.family.forward_flops(params)) if exact is None else exact

    @cached_property
    def storage_seconds(self) -> float:
        """GPU-seconds that cost what storing a token's logits does; 0 where no money is counted."""
        return storage_seconds(self)

    @cached_property
    def supervised_costs(self) -> Costs:
        """Cost per token of supervised training, in the budget's unit (FLOPs or GPU-seconds)."""
        return self._costs(distilling=False)

    @cached_property
    def distillation_costs(self) -> Costs:
        """The same for a distillation run, whose loss makes a student's step slower."""
        return self._costs(distilling=True)

    def _costs(self, *, distilling: bool) -> Costs:
        if self.gpu_hours is not None and self.machine is not None:
            from distillplan.planning.token_costs import costs_on  # not for budgets in FLOPs

            return costs_on(
                self.machine,
                self.family,
                distilling=distilling,
                beside=self.passes is Logits.ONLINE,
                student=self.student_shape,
                student_params=self.student_params,
            )
        costs = FlopCosts(self.family)
        if self.student_params is None or self.student_shape is None:
            return costs
        exact = self.student_forward(self.student_params)
        return OneStudent(costs, exact / float(self.family.forward_flops(self.student_params)))

    @cached_property
    def teacher_loss(self) -> float | None:
        """The teacher's loss, nats per token: measured, or the law's for its sizes."""
        return None if self.teacher is None else float(loss_by(self.teacher, self.law.supervised))
