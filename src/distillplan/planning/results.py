"""Answers: plain floats and strings, with provenance and warnings. Nothing is computed here.

A docstring under a field says what it holds and in which unit; None means not asked or not known.
"""

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from distillplan.accounting import Accounting, Flops, Logits
from distillplan.laws.provenance import PublishedLaw
from distillplan.notices import Notice
from distillplan.planning.scenario import Scenario
from distillplan.units import SECONDS_PER_HOUR

if TYPE_CHECKING:
    from distillplan.hardware.bill import BillLine, Phase
    from distillplan.hardware.memory_fit import Fits
    from distillplan.hardware.range import Range


class Verdict(StrEnum):
    """Whether to distill or to train from data alone."""

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
    """Only the student's tokens were free, and they follow from the budget."""
    AT_UPPER_BOUND = "at_upper_bound"
    AT_LOWER_BOUND = "at_lower_bound"
    INFEASIBLE = "infeasible"
    """Even the smallest sizes are over budget."""


class Near(NamedTuple):
    """Ranges of each size, low and high, that cost at most `options.FLAT_NATS` in loss.

    The other sizes are chosen anew along the range; None where a size was given.
    """

    student_params: tuple[float, float] | None = None
    student_tokens: tuple[float, float] | None = None
    teacher_params: tuple[float, float] | None = None
    teacher_tokens: tuple[float, float] | None = None
    teacher_loss: tuple[float, float] | None = None


class Sizes(NamedTuple):
    """What an option trains, and on how many tokens; the teacher's are None without one."""

    student_params: float
    student_tokens: float
    teacher_params: float | None = None
    teacher_tokens: float | None = None
    teacher_loss: float | None = None


class OptionBill(NamedTuple):
    """Hours, money and memory of one option: of all students, one phase after the other."""

    gpu_hours: "Range"
    """Allocated GPU-hours."""
    wall_seconds: "Range"
    """Seconds from start to end."""
    cost_usd: "Range | None"
    """US dollars; None where no price is known."""
    energy_kwh: "Range | None"
    """Energy of the data center, kWh; None where the GPU's power is not known."""
    co2_kg: "Range | None"
    """Kilograms of CO2; None where no grid is named."""
    memory_bytes_per_gpu: "Range"
    """Bytes on the fullest GPU in the phase that needs most."""
    fits: "Fits"
    """Whether that phase fits in the GPU's memory."""
    fullest: "Phase"
    """The phase that needs most memory."""
    phases: "tuple[BillLine, ...]"
    """The same by phase; they sum to the above."""
    notices: tuple[Notice, ...]
    """What to know about these numbers."""


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
    """Supervised loss minus this one, nats per token; positive where distillation is better."""
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


class BudgetFlip(NamedTuple):
    """The nearest budget at which the verdict changes, in the unit of the scenario's budget."""

    total_flops: float | None
    """FLOPs; None for a budget in GPU-hours."""
    gpu_hours: float | None
    """GPU-hours; None for a budget in FLOPs."""
    verdict: Verdict
    """The verdict beyond it."""

    @property
    def amount(self) -> float:
        """The budget as the optimizer counts it: FLOPs, or GPU-seconds."""
        if self.total_flops is not None:
            return self.total_flops
        return (self.gpu_hours or 0.0) * SECONDS_PER_HOUR


class StudentsFlip(NamedTuple):
    """The nearest number of students at which distillation starts, or stops, to win."""

    students: int
    verdict: Verdict
    """The verdict there."""


class TeacherFlip(NamedTuple):
    """The teacher losses with which distillation wins at this budget, nats per token."""

    accounting: Accounting
    """Costs of such a teacher that the budget covers."""
    low: float
    """Lowest loss of a teacher with which the gain is more than a tie."""
    high: float
    """Highest loss of such a teacher."""
    best: float
    """Loss of the best teacher."""
    best_loss: float
    """Loss of the student with it."""


class LogitsFlip(NamedTuple):
    """Another source of the logits that changes the verdict."""

    logits: Logits
    verdict: Verdict
    """The verdict with it."""


class AccountingFlip(NamedTuple):
    """The accounting nearest in cost that changes the verdict."""

    accounting: Accounting
    verdict: Verdict
    """The verdict with it."""


class Flips(NamedTuple):
    """What would change the verdict; None where nothing of the kind does."""

    budget_down: BudgetFlip | None = None
    budget_up: BudgetFlip | None = None
    students: StudentsFlip | None = None
    teacher_loss: TeacherFlip | None = None
    logits: LogitsFlip | None = None
    accounting: AccountingFlip | None = None


class Shares(NamedTuple):
    """Shares of draws and runs that give each verdict; they sum to 1."""

    distill: float
    tie: float
    supervised: float

    def of(self, verdict: Verdict) -> float:
        """The share that gives this verdict."""
        share: float = getattr(self, verdict.value)
        return share


class OptionBands(NamedTuple):
    """90% bands of one option, low and high, its sizes chosen anew in every draw.

    None where a size was given, or a draw cannot afford the option.
    """

    method: Method
    accounting: Accounting | None
    loss: tuple[float, float] | None
    """Loss of one run, nats per token: draws of the coefficients plus run-to-run noise."""
    expected_loss: tuple[float, float] | None
    """The same without noise."""
    gain_nats: tuple[float, float] | None
    """Supervised minus distilled loss of two runs, nats per token."""
    expected_gain_nats: tuple[float, float] | None
    """The same without noise."""
    student_params: tuple[float, float] | None = None
    student_tokens: tuple[float, float] | None = None
    teacher_params: tuple[float, float] | None = None
    teacher_tokens: tuple[float, float] | None = None
    teacher_loss: tuple[float, float] | None = None


class FlipShares(NamedTuple):
    """Shares of draws and runs that give the new verdict of each flip; None where there is none.

    For a budget it is taken at half, or twice, the budget of the flip; for a teacher's loss, with
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
    """Number of joint draws of the law's coefficients."""
    sigma_run: float
    """Standard deviation of one run's log loss around the law, the law's misfit included."""
    agree: float | None
    """Share of draws and runs that give the plan's verdict; None where there is no verdict."""
    agree_without_noise: float | None
    """The same without run-to-run noise."""
    shares: Shares | None
    """Shares of draws and runs by verdict."""
    shares_without_noise: Shares | None
    """Shares of draws by verdict."""
    offset_nats: float | None
    """Median gain of the draws minus the plan's gain, nats per token."""
    options: tuple[OptionBands, ...]
    """Bands of each option of the plan."""
    flips: FlipShares
    """How sure each flip is."""


class Plan(NamedTuple):
    """One answer."""

    verdict: Verdict | None
    """None where the law says nothing about distillation."""
    headline: str
    """The verdict and its reason in one sentence."""
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
    confidence: Confidence | None = None
    """None where it was not asked for, or the law has no joint draws."""

    @property
    def accounting(self) -> Accounting | None:
        """Teacher costs that the budget covers; None where there is no verdict."""
        return None if self.verdict is None else self.scenario.pays

    @property
    def supervised(self) -> Option:
        """Training from data alone, which every plan has."""
        return self.options[0]

    @property
    def warning_codes(self) -> tuple[str, ...]:
        """The codes of the warnings."""
        return tuple(one.code for one in self.warnings)

    @property
    def deciding(self) -> Option | None:
        """The distillation that the verdict weighs; None where the law has none."""
        return next((one for one in self.options if one.decides), None)

    @property
    def recommended(self) -> Option:
        """What the verdict says to do; at a tie supervised training, which is simpler."""
        deciding = self.deciding
        if self.verdict is Verdict.DISTILL and deciding is not None:
            return deciding
        return self.options[0]
