"""Answers: plain floats and strings, with provenance and warnings. Nothing is computed here.

A docstring under a field says what it holds and in which unit; None means not asked or not known.
"""

from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

from distillplan.accounting import Accounting, Flops
from distillplan.laws.provenance import PublishedLaw
from distillplan.models.known_model import NamedModels
from distillplan.named_tuples import NamedTuple
from distillplan.notices import Notice
from distillplan.planning.fitted_range import OutsideFit
from distillplan.planning.rival import Rival
from distillplan.planning.scenario import Scenario
from distillplan.planning.sizes import Near, SearchStatus
from distillplan.planning.start import StartKind
from distillplan.planning.stored_logits import OptionLogits
from distillplan.planning.verdict_records import Flips, Odds, Verdict

if TYPE_CHECKING:
    from distillplan.planning.confidence import Confidence
    from distillplan.planning.option_bill import OptionBill
    from distillplan.planning.start_records import StartPlan


class Reason(StrEnum):
    """Why the verdict is what it is, or why there is none."""

    LIKELIEST = "likeliest"
    """At least half of the odds are for it."""
    TOO_CLOSE = "too_close"
    """Neither side has half of the odds."""
    DISTILLATION_OVER_BUDGET = "distillation_over_budget"
    """The budget is too small for a teacher and a student, so no odds are weighed."""
    ONLY_ONE_POSSIBLE = "only_one_possible"
    """The other does not fit the machine, or passes a limit, so no odds are weighed."""
    NOTHING_POSSIBLE = "nothing_possible"
    """No verdict: neither fits the machine and keeps to the limits."""
    LAW_HAS_NO_DISTILLATION = "law_has_no_distillation"
    """No verdict: the law describes supervised training only."""
    FAR_OUTSIDE_FIT = "far_outside_fit"
    """No verdict: outside the fitted range the law's error grows by more than the gain, or there is
    less than a token per parameter."""
    WORSE_THAN_GUESSING = "worse_than_guessing"
    """No verdict: the law gives a loss that guessing would beat."""
    START_HAS_NO_LAW = "start_has_no_law"
    """No verdict: the student starts from an open model, and no published law gives its loss."""


Band: TypeAlias = tuple[float, float]
"""Low and high end of a 90% interval."""


class Method(StrEnum):
    """How an option trains its student."""

    SUPERVISED = "supervised"
    DISTILL = "distill"


class Option(NamedTuple):
    """One way to spend the budget."""

    method: Method
    accounting: Accounting | None
    """Teacher costs that the budget covers; None for supervised training."""
    decides: bool
    """Whether the verdict compares this option with supervised training."""
    status: SearchStatus
    """How the search ended."""
    loss: float | None
    """Nats per token; None where the option is over budget, as is everything below."""
    gain_nats: float | None
    """Supervised loss minus this one, nats per token; positive where distillation is better. That
    of an open model is over `pretrained_loss`."""
    student_params: float | None
    """Parameters as the law counts them."""
    student_tokens: float | None
    """Training tokens of each student."""
    tokens_per_param: float | None
    """Training tokens per parameter of the student."""
    teacher_params: float | None
    """Parameters as the law counts them."""
    teacher_tokens: float | None
    """Training tokens of the teacher."""
    teacher_loss: float | None
    """Nats per token."""
    supervised_equivalent_tokens: float | None
    """Tokens at which the same student reaches the same loss supervised; None if it never does."""
    compute_multiplier: float | None
    """Supervised training needs this many times the budget to reach the same loss; None if no
    budget is enough, and for supervised training itself."""
    total_flops: float | None
    """FLOPs of all students and of the teacher costs in the budget."""
    flops_per_student: float | None
    """The same divided by the number of students."""
    flops: Flops | None
    """The same by what they are spent on."""
    gain_from_10_percent: float | None
    """Drop in loss from 10% more compute, nats per token."""
    bill: "OptionBill | None"
    """Hours, money and memory on the scenario's machine; None where none was named."""
    near: Near | None
    """How far the sizes may move for a small price in loss."""
    at_bounds: tuple[str, ...] = ()
    """Names of the sizes at a bound of the search."""
    teacher_name: str | None = None
    """The open model that teaches, where the tool proposes one."""
    pretrained_loss: float | None = None
    """Of training from data alone with the vocabulary of that model, over which the gain is; nats
    per token. None: the gain is over the first option."""
    recommended: bool = False
    """Whether this is what to do; at a tie supervised training, which is simpler."""
    is_guess: bool = False
    """Whether it lies so far outside the fitted range that its loss is a guess."""
    regret_nats: float | None = None
    """What choosing it gives up on average: the gain of the other choice where that is better, and
    nothing where it is not; nats per token. Only for the two options that the verdict weighs."""
    loss_band: Band | None = None
    """90% band of the loss. Bands are None without odds, and where a size was given."""
    gain_band: Band | None = None
    """90% band of the gain, on other data than the law's unless its runs are one's own."""
    student_params_band: Band | None = None
    student_tokens_band: Band | None = None
    """For a budget in GPU-hours it includes how far the speed is known."""
    teacher_params_band: Band | None = None
    teacher_tokens_band: Band | None = None
    teacher_loss_band: Band | None = None
    odds: Odds | None = None
    """Of each verdict, were this the distillation that is weighed; None without odds, for
    supervised training, and where nobody can say."""
    stored: OptionLogits | None = None
    """Logits that it reads from disk; None where no format was asked for, or it reads none."""
    start: StartKind = StartKind.SCRATCH
    """What the student starts from."""

    @property
    def teacher_share(self) -> float:
        """The part of the training FLOPs that goes into the teacher; 0 where it is over budget."""
        return 0.0 if self.flops is None else self.flops.teacher_share

    @property
    def loss_error(self) -> float | None:
        """How far the loss is from the farther end of its 90% band, nats per token."""
        if self.loss is None or self.loss_band is None:
            return None
        return max(abs(end - self.loss) for end in self.loss_band)


BANDS = tuple(name for name in Option._fields if name.endswith("_band"))
"""The bands of an option."""


class Plan(NamedTuple):
    """One answer: the verdict with its odds, and ways to spend the budget with their losses.

    `recommended` is what to do; `headline` says it in a sentence.
    """

    verdict: Verdict | None
    """None where nothing can be said; `verdict_reason` says why."""
    verdict_reason: Reason
    """Why the verdict is what it is, or why there is none."""
    headline: str
    """The verdict and its reason in one sentence."""
    odds: Odds | None
    """Of each verdict, on data and with a recipe of your own; None with `quick`, and where nothing
    is weighed."""
    margin_nats: float | None
    """Supervised minus distilled loss of the deciding option, nats per token; None without one."""
    options: tuple[Option, ...]
    """Ways to spend the budget, supervised training first."""
    flips: Flips
    """What would change the verdict."""
    warnings: tuple[Notice, ...]
    """What to know before trusting the plan, warnings first."""
    law: PublishedLaw
    scenario: Scenario
    confidence: "Confidence | None" = None
    """What the odds are made of; None without odds."""
    beyond: tuple[OutsideFit, ...] = ()
    """Sizes of the two options that the verdict weighs outside the fitted range of the law."""
    rival: Rival | None = None
    """An open model that could be cut to the student's size instead; it is not weighed. None where
    none has two to ten times that size, and where a start from an open model was asked for."""
    start: "StartPlan | None" = None
    """What is known of the start from an open model that was asked for; the options of the plan
    start from scratch. None: not asked."""

    def __repr__(self) -> str:
        """Its sentence: all of it takes pages."""
        return f"<Plan: {self.headline}>"

    @property
    def accounting(self) -> Accounting | None:
        """Teacher costs that the budget covers; None where the law knows no distillation."""
        return None if self.deciding is None else self.scenario.pays

    @property
    def models(self) -> NamedModels:
        """The models that were named."""
        return self.scenario.models

    @property
    def supervised(self) -> Option:
        """Training from data alone, which every plan has."""
        return self.options[0]

    @property
    def every_way(self) -> tuple[Option, ...]:
        """The options with those that start from an open model, where one was asked for, first."""
        return self.options if self.start is None else (*self.start.ways, *self.options)

    @property
    def warning_codes(self) -> tuple[str, ...]:
        """The codes of the warnings."""
        return tuple(one.code for one in self.warnings)

    @property
    def deciding(self) -> Option | None:
        """The distillation that the verdict weighs; None where the law has none."""
        return next((one for one in self.options if one.decides), None)

    @property
    def recommended(self) -> Option | None:
        """What to do; at a tie supervised training, which is simpler. None without a verdict."""
        return next((one for one in self.options if one.recommended), None)
