"""The verdicts, their odds, and what would change one: plain records, as in `planning.results`."""

from enum import StrEnum

from distillplan.accounting import SUPERVISED_SHOWN, Accounting, Logits
from distillplan.laws.logit_formats import LogitKind
from distillplan.named_tuples import NamedTuple


class Verdict(StrEnum):
    """Whether to distill or to train from data alone."""

    DISTILL = "distill"
    SUPERVISED = "supervised"
    TIE = "tie"

    @property
    def shown(self) -> str:
        """The verdict in the word that people read; `supervised` is the paper's."""
        return SUPERVISED_SHOWN if self is Verdict.SUPERVISED else self.value


HALF = 0.5
"""A side wins with at least this share of the odds."""


class Odds(NamedTuple):
    """Probabilities of the three verdicts; they sum to 1."""

    distill: float
    """That distillation is better by more than a tie."""
    tie: float
    supervised: float
    """That supervised training is better by more than a tie."""

    def of(self, verdict: Verdict) -> float:
        """The probability of one verdict."""
        share: float = getattr(self, verdict.value)
        return share

    @property
    def wrong(self) -> float:
        """Probability that the side not advised is better by more than a tie.

        At a tie supervised training is advised, which is simpler.
        """
        return self.supervised if self.distill >= HALF else self.distill


class BudgetFlip(NamedTuple):
    """The nearest budgets with another verdict, in FLOPs or, where the scenario's is, GPU-hours."""

    from_: float | None
    """Least budget of the window; None where it begins below what was looked at."""
    to: float | None
    """Largest budget of the window; None where it ends above what was looked at."""
    verdict: Verdict
    """The verdict in the window."""
    at: float
    """A budget within it, where the odds are taken."""
    odds: Odds | None = None


class BudgetRange(NamedTuple):
    """Budgets that were looked at for another verdict, in the unit of the scenario's budget."""

    from_: float
    to: float


class BudgetSpan(NamedTuple):
    """Budgets around the scenario's with its verdict; an end without one behind is known to 3%."""

    from_: float | None  # None: below what was looked at
    to: float | None  # above it


class StudentsFlip(NamedTuple):
    """The nearest number of students with another verdict."""

    students: int
    verdict: Verdict
    """The verdict there."""
    odds: Odds | None = None


class TeacherFlip(NamedTuple):
    """The teacher losses with which distillation wins at this budget, nats per token."""

    accounting: Accounting
    """Costs of such a teacher that the budget covers."""
    from_: float
    """Lowest loss of a teacher with which the gain is more than a tie."""
    to: float
    """Highest loss of such a teacher."""
    best: float
    """Loss of the best teacher, with which the odds are taken."""
    best_loss: float
    """Loss of the student with it."""
    odds: Odds | None = None
    any_stronger: bool = False
    """Whether it wins with every teacher below `to`, down to the least loss that one can have."""


class LogitsFlip(NamedTuple):
    """Another source of the logits that changes the verdict."""

    logits: Logits
    verdict: Verdict
    """The verdict with it."""
    odds: Odds | None = None


class FormatFlip(NamedTuple):
    """Another format of stored logits that changes the verdict."""

    logit_format: LogitKind
    verdict: Verdict
    """The verdict with it."""
    odds: Odds | None = None


class AccountingFlip(NamedTuple):
    """The accounting nearest in cost that changes the verdict."""

    accounting: Accounting
    verdict: Verdict
    """The verdict with it."""
    odds: Odds | None = None


class HoursFlip(NamedTuple):
    """Another verdict where both choices have the same GPU-hours instead of the same FLOPs."""

    gpu_hours: float
    """Those of supervised training."""
    verdict: Verdict
    """The verdict with them."""


class Flips(NamedTuple):
    """What would change the verdict; None where nothing of the kind does."""

    budget_down: BudgetFlip | None = None
    budget_up: BudgetFlip | None = None
    budgets: BudgetRange | None = None
    """The budgets that were looked at for another verdict."""
    same_verdict: BudgetSpan | None = None
    """Those around the own budget with its verdict; next to them is another one, or none."""
    students: StudentsFlip | None = None
    teacher_loss: TeacherFlip | None = None
    logits: LogitsFlip | None = None
    logit_format: FormatFlip | None = None
    accounting: AccountingFlip | None = None
    equal_hours: HoursFlip | None = None
