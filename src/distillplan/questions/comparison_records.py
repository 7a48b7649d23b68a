"""What a comparison is of, and what it finds."""

import math

from distillplan.named_tuples import NamedTuple
from distillplan.notices import Notice
from distillplan.planning.results import Plan
from distillplan.planning.scenario import Scenario
from distillplan.questions.assertions import Assertion, Outcome


class Asked(NamedTuple):
    """A scenario to compare."""

    name: str
    """Unique among those compared."""
    scenario: Scenario
    assertions: tuple[Assertion, ...] = ()
    """What its plan must meet."""


class NamedPlan(NamedTuple):
    """The plan of one scenario."""

    name: str
    plan: Plan
    outcomes: tuple[Outcome, ...] = ()
    """Whether it meets each assertion."""

    @property
    def why(self) -> None:
        """Nothing: what a scenario without a plan has here."""

    @property
    def loss(self) -> float:
        """Loss of what the verdict recommends, nats per token."""
        choice = self.plan.recommended
        return math.inf if choice is None or choice.loss is None else choice.loss

    @property
    def flops(self) -> float:
        """FLOPs of what the verdict recommends; alike where the budget is in GPU-hours."""
        choice = self.plan.recommended
        if choice is None or self.plan.scenario.gpu_hours is not None:
            return 0.0
        return choice.total_flops or 0.0

    @property
    def run(self) -> tuple[float | None, ...]:
        """What is trained: plans with the same numbers come to the same run."""
        choice = self.plan.recommended
        if choice is None:
            return ()
        return (choice.student_params, choice.student_tokens, choice.teacher_loss, choice.loss)


class NotPlanned(NamedTuple):
    """A scenario that nothing can be planned for."""

    name: str
    """The scenario's name."""
    why: str
    """What it lacks, in one sentence."""

    @property
    def plan(self) -> None:
        """Nothing: what the others have here."""


class NamedOutcome(NamedTuple):
    """Whether the plan of one scenario meets an assertion."""

    name: str
    """The scenario's name."""
    outcome: Outcome


class Difference(NamedTuple):
    """One plan minus the baseline, each as its verdict recommends."""

    name: str
    loss: float | None = None
    """Nats per token; None where their losses cannot be compared. All are None where one of the
    plans has no verdict."""
    margin_nats: float | None = None
    """Difference in the gain of distillation, nats per token; None where a law has none, and where
    the students have different tokenizers."""
    total_flops: float | None = None
    student_params: float | None = None
    student_tokens: float | None = None


class Comparison(NamedTuple):
    """Several plans and how they differ."""

    plans: tuple[NamedPlan, ...]
    winner: str | None
    """Name of the best; None where their losses cannot be compared."""
    reason: str
    """Why it is the best, or why none is."""
    baseline: str | None
    differences: tuple[Difference, ...]
    """Of the others to the baseline; empty without one."""
    comparable: bool = True
    """Whether a nat per token is the same in all plans: of one text, by one tokenizer."""
    not_planned: tuple[NotPlanned, ...] = ()
    """Scenarios that nothing can be planned for, beside those that have a plan."""

    @property
    def every(self) -> tuple[NamedPlan | NotPlanned, ...]:
        """Those that have a plan, and then those that have none."""
        return (*self.plans, *self.not_planned)

    @property
    def warnings(self) -> tuple[Notice, ...]:
        """Those of all plans, each once."""
        return tuple(dict.fromkeys(told for one in self.plans for told in one.plan.warnings))

    @property
    def assertions(self) -> tuple[NamedOutcome, ...]:
        """Every assertion, with the name of its scenario."""
        return tuple(
            NamedOutcome(name=one.name, outcome=outcome)
            for one in self.plans
            for outcome in one.outcomes
        )
