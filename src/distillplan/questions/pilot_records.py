"""Answers to which runs to make before a decision: plain floats and strings, computed elsewhere."""

from enum import StrEnum

from distillplan.laws.provenance import PublishedLaw
from distillplan.named_tuples import NamedTuple
from distillplan.notices import Notice
from distillplan.planning.results import Method
from distillplan.planning.scenario import Scenario
from distillplan.planning.verdict_records import Odds, Verdict
from distillplan.questions.pilot_value import Narrowed, StopRule


class Advice(StrEnum):
    """Whether to make a pilot."""

    RUN = "run"
    """It saves more loss on average than its compute would."""
    COSTS_MORE = "costs_more"
    """It narrows the odds, but its compute would save more loss in the training itself."""
    ALREADY_SURE = "already_sure"
    """The chance of the wrong side is no more than was asked for."""
    SHARE_TOO_SMALL = "share_too_small"
    """No pair of runs within the share says anything of the decision."""


class RunToMake(NamedTuple):
    """One run of a pilot."""

    number: int
    """In the order in which to make them, from 1."""
    method: Method
    params: float
    """Parameters as the law counts them."""
    tokens: float
    """Training tokens."""
    teacher_run: int | None
    """The number of the run that is its teacher; None for the scenario's teacher, and without."""
    teacher_params: float | None
    teacher_loss: float | None
    """Of the scenario's teacher, nats per token; None where a run of the pilot is the teacher."""
    expected_loss: float
    """Nats per token of the law's tokenizer."""
    total_flops: float
    gpu_hours: float | None
    """On the scenario's machine; None where none was named, as is the cost."""
    cost_usd: float | None


class PilotStep(NamedTuple):
    """Runs that are made together, and what is known once they have been made."""

    runs: tuple[RunToMake, ...]
    """A supervised and a distilled run of one size and length; or the run that is the teacher."""
    share: float
    """Of the budget, with the steps before."""
    expected_gain_nats: float | None
    """Supervised minus distilled loss of the pair; None for the teacher's run."""
    after: Narrowed
    """With the steps before."""
    price_nats: float
    """Loss that the compute of the steps so far would save if it went into the training itself."""
    stop_rule: StopRule
    """What to do after this step."""


class OtherDesign(NamedTuple):
    """Another pilot for the same money."""

    name: str
    runs: int
    """Number of runs."""
    share: float
    """Of the budget."""
    after: Narrowed


class FlatRun(NamedTuple):
    """A run as a row of the table to fill in, which `distillplan fit` reads."""

    run: int
    method: Method
    params: float
    tokens: float
    teacher_loss: float | str | None
    """Of the scenario's teacher; words where a run of the pilot is the teacher, to be replaced."""
    loss: float | None
    """To be filled in."""
    expected_loss: float
    total_flops: float


class Pilot(NamedTuple):
    """The runs to make before a decision."""

    advice: Advice
    """Whether to make them."""
    verdict: Verdict | None
    """The plan's, before any run."""
    margin_nats: float
    """The plan's gain, nats per token."""
    odds: Odds
    """The plan's."""
    allowed_share: float
    """The part of the budget that the pilot may take."""
    risk: float
    """The chance of the wrong side at which one may choose: the stop rule."""
    before: Narrowed
    """Before any run."""
    steps: tuple[PilotStep, ...]
    """In the order in which to make them; empty where there are none to make."""
    paying_steps: int
    """So many of them save more loss than they cost, by most; 0 for none."""
    useful_share: float | None
    """Where the share is too small: the least share looked at with runs that say something."""
    others: tuple[OtherDesign, ...]
    """The usual designs for the same money."""
    warnings: tuple[Notice, ...]
    law: PublishedLaw
    scenario: Scenario

    @property
    def runs(self) -> tuple[RunToMake, ...]:
        """All runs, in order."""
        return tuple(run for step in self.steps for run in step.runs)

    @property
    def table(self) -> tuple[FlatRun, ...]:
        """The table to fill in."""
        return tuple(
            FlatRun(
                run=one.number,
                method=one.method,
                params=one.params,
                tokens=one.tokens,
                teacher_loss=(
                    one.teacher_loss
                    if one.teacher_run is None
                    else f"loss of run {one.teacher_run}"
                ),
                loss=None,
                expected_loss=one.expected_loss,
                total_flops=one.total_flops,
            )
            for one in self.runs
        )
