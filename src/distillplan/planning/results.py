"""Answers: plain floats and strings, with provenance and warnings. Nothing computes here."""

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from distillplan.accounting import Accounting, Flops, Logits
from distillplan.laws.provenance import PublishedLaw
from distillplan.notices import Notice
from distillplan.planning.scenario import Scenario

if TYPE_CHECKING:
    from distillplan.hardware.bill import BillLine
    from distillplan.hardware.memory_fit import Fits
    from distillplan.hardware.range import Range


class Verdict(StrEnum):
    """The answer in a word."""

    DISTILL = "distill"
    SUPERVISED = "supervised"
    TIE = "tie"


class Method(StrEnum):
    """How an option trains its student."""

    SUPERVISED = "supervised"
    DISTILL = "distill"


class SearchStatus(StrEnum):
    """How the search for an option's sizes ended."""

    OPTIMAL = "optimal"
    GIVEN = "given"
    """Nothing was free but the student's tokens, which follow from the budget."""
    AT_UPPER_BOUND = "at_upper_bound"
    AT_LOWER_BOUND = "at_lower_bound"
    INFEASIBLE = "infeasible"
    """The budget cannot pay for the least sizes."""


class Near(NamedTuple):
    """Sizes whose loss, the rest chosen anew, is within `FLAT_NATS` of the best; None: not free."""

    student_params: tuple[float, float] | None = None
    student_tokens: tuple[float, float] | None = None
    teacher_params: tuple[float, float] | None = None
    teacher_tokens: tuple[float, float] | None = None
    teacher_loss: tuple[float, float] | None = None


class Sizes(NamedTuple):
    """What an option trains, and on how much."""

    student_params: float
    student_tokens: float
    teacher_params: float | None = None
    teacher_tokens: float | None = None
    teacher_loss: float | None = None


class OptionBill(NamedTuple):
    """Hours, money and memory of one option; of the whole family, one phase after the other."""

    gpu_hours: "Range"
    """Allocated."""
    wall_seconds: "Range"
    cost_usd: "Range | None"
    energy_kwh: "Range | None"
    co2_kg: "Range | None"
    memory_bytes_per_gpu: "Range"
    """Of the fullest phase."""
    fits: "Fits"
    """Whether that phase fits into a GPU."""
    fullest: str
    """Which phase that is."""
    phases: "tuple[BillLine, ...]"
    """The same by phase; they sum to the above."""
    notices: tuple[Notice, ...]


class Option(NamedTuple):
    """One way to spend the budget."""

    method: Method
    accounting: Accounting | None
    """What the budget pays beside the student; None for supervised training."""
    decides: bool
    """Whether the verdict is drawn from this option."""
    status: SearchStatus
    loss: float | None
    """Nats per token; None where infeasible, as all below."""
    gain_nats: float | None
    """Supervised loss minus this one; positive where distillation is better."""
    student_params: float | None
    student_tokens: float | None
    tokens_per_param: float | None
    teacher_params: float | None
    teacher_tokens: float | None
    teacher_loss: float | None
    supervised_equivalent_tokens: float | None
    """Tokens that bring the same student to the same loss supervised; None: no number does."""
    total_flops: float | None
    """Of the whole family."""
    flops_per_student: float | None
    flops: Flops | None
    """Of the whole family, by what they are spent on."""
    gain_from_10_percent: float | None
    """Nats that 10 % more compute would save."""
    bill: "OptionBill | None"
    """What it takes on the machine of the question; None where none was named."""
    near: Near | None
    """How far the sizes may move at a price of `FLAT_NATS`."""
    at_bounds: tuple[str, ...] = ()
    """Names of the sizes that stand at a bound of the search."""


class BudgetFlip(NamedTuple):
    """The nearest budget at which the verdict changes, in what the question counted."""

    total_flops: float | None
    gpu_hours: float | None
    verdict: Verdict
    """Beyond it."""

    @property
    def amount(self) -> float:
        """The budget as the optimiser counts it: FLOPs, or GPU-seconds."""
        return (self.gpu_hours or 0.0) * 3600 if self.total_flops is None else self.total_flops


class StudentsFlip(NamedTuple):
    """The nearest number of students at which distillation starts, or stops, to win."""

    students: int
    verdict: Verdict


class TeacherFlip(NamedTuple):
    """The teachers with which distillation wins at this budget."""

    accounting: Accounting
    """What is paid for such a teacher."""
    low: float
    high: float
    """Losses between which the gain is at least the tie band, nats per token."""
    best: float
    """The loss of the best teacher."""
    best_loss: float
    """The student's loss with it."""


class LogitsFlip(NamedTuple):
    """Another source of the logits that changes the verdict."""

    logits: Logits
    verdict: Verdict


class AccountingFlip(NamedTuple):
    """The least different accounting that changes the verdict."""

    accounting: Accounting
    verdict: Verdict


class Flips(NamedTuple):
    """What would change the verdict; None where nothing of that kind does."""

    budget_down: BudgetFlip | None = None
    budget_up: BudgetFlip | None = None
    students: StudentsFlip | None = None
    teacher_loss: TeacherFlip | None = None
    logits: LogitsFlip | None = None
    accounting: AccountingFlip | None = None


class Shares(NamedTuple):
    """Parts of one that give each verdict."""

    distill: float
    tie: float
    supervised: float

    def of(self, verdict: Verdict) -> float:
        """The part that gives this verdict."""
        part: float = getattr(self, verdict.value)
        return part


class OptionBands(NamedTuple):
    """90 % bands of one option, its sizes chosen anew in every draw; None: given, or not known."""

    method: Method
    accounting: Accounting | None
    loss: tuple[float, float] | None
    """Of one run, nats per token: draws of the coefficients and the noise of a run."""
    expected_loss: tuple[float, float] | None
    """By the draws alone."""
    gain_nats: tuple[float, float] | None
    """Supervised minus this loss, of two runs."""
    expected_gain_nats: tuple[float, float] | None
    """By the draws alone."""
    student_params: tuple[float, float] | None = None
    student_tokens: tuple[float, float] | None = None
    teacher_params: tuple[float, float] | None = None
    teacher_tokens: tuple[float, float] | None = None
    teacher_loss: tuple[float, float] | None = None


class FlipShares(NamedTuple):
    """The part of draws and runs that gives a flip's new verdict; None where there is no flip.

    Of a budget it is that at half, or twice, the budget of the flip; of a teacher's loss, that with
    the best teacher.
    """

    budget_down: float | None = None
    budget_up: float | None = None
    students: float | None = None
    teacher_loss: float | None = None
    logits: float | None = None
    accounting: float | None = None


class Confidence(NamedTuple):
    """How sure a plan is."""

    draws: int
    """Joint draws of the coefficients."""
    sigma_run: float
    """Noise of a run, in its log loss, the law's own misfit included."""
    agree: float | None
    """The part of draws and runs that gives the plan's verdict; None where there is no verdict."""
    agree_without_noise: float | None
    """The same by the draws alone: of expected losses."""
    shares: Shares | None
    shares_without_noise: Shares | None
    offset_nats: float | None
    """Median gain of the draws minus the plan's: how far they are from the published set."""
    options: tuple[OptionBands, ...]
    flips: FlipShares


class Plan(NamedTuple):
    """One answer."""

    verdict: Verdict | None
    """None where the law says nothing about distillation."""
    headline: str
    """The verdict and its reason in one sentence."""
    margin_nats: float | None
    """Supervised loss minus the loss of the deciding option; None where either is missing."""
    options: tuple[Option, ...]
    flips: Flips
    warnings: tuple[Notice, ...]
    law: PublishedLaw
    scenario: Scenario
    confidence: Confidence | None = None
    """None where it was not asked for, or the law has no joint draws."""

    @property
    def deciding(self) -> Option | None:
        """The distillation that the verdict is drawn from; None where the law has none."""
        return next((one for one in self.options if one.decides), None)

    @property
    def recommended(self) -> Option:
        """What the verdict says to do; supervised training, which is simpler, at a tie."""
        deciding = self.deciding
        if self.verdict is Verdict.DISTILL and deciding is not None:
            return deciding
        return self.options[0]


class Prediction(NamedTuple):
    """The law at one point."""

    student_params: float
    student_tokens: float
    teacher_loss: float | None
    distilled_loss: float | None
    supervised_loss: float
    gain_nats: float | None
    """Supervised minus distilled."""
    supervised_equivalent_tokens: float | None
    """Tokens that bring the student to the distilled loss supervised; None: no number does."""
    best_teacher_loss: float | None
    """The teacher loss that is best for this student and these tokens."""
    loss_with_best_teacher: float | None
    by_10_percent: dict[str, float]
    """Change of the loss, nats, for 10 % more student parameters, student tokens, teacher loss."""
    warnings: tuple[Notice, ...]
    law: PublishedLaw
