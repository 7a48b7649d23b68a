"""The records of a fit: what is asked and what is answered."""

from typing import Any

from distillplan.errors import InputError
from distillplan.fitting.bootstrap import RESAMPLES
from distillplan.fitting.forms import FormShape
from distillplan.fitting.holdout import Accuracy
from distillplan.fitting.identifiability import Combination
from distillplan.fitting.published_test import PublishedTest
from distillplan.fitting.rows import Mask, Rows
from distillplan.fitting.runs import Runs
from distillplan.fitting.selection import Selection
from distillplan.laws.draws import Draws
from distillplan.laws.formulas import LossLaw
from distillplan.laws.provenance import ParameterCount, PublishedLaw
from distillplan.named_tuples import NamedTuple
from distillplan.notices import Notice


class FitRequest(NamedTuple):
    """What to do with some runs."""

    runs: Runs
    like: PublishedLaw
    """The law that the world of the runs is believed to be like."""
    like_draws: Draws | None = None
    anchored: bool = False
    """Take the distillation side of that law, moved to the runs, where no run is distilled."""
    supervised: PublishedLaw | None = None
    """Law of students without a teacher, where the runs have none."""
    supervised_draws: Draws | None = None
    gamma_one: bool = False
    """Fix the outer exponent of Equation 1 at 1."""
    kept: Mask | None = None
    """Runs that are not to be left out however far they are from the others, shape (runs,)."""
    test: PublishedLaw | None = None
    """Test the claim that this law describes the runs."""
    holdout: Selection | None = None
    resamples: int = RESAMPLES
    seed: int = 0
    jobs: int = 1
    """Processes that resample side by side."""
    counts: ParameterCount = ParameterCount.NON_EMBEDDING


class Reach(NamedTuple):
    """How well a fit predicts a run that is larger than all of its own."""

    times_compute: float
    """Compute of that run, in those of the largest one."""
    params: float
    tokens: float
    relative_error: float
    """As a standard deviation: half the 90% range of a prediction over 1.645, and a run's noise."""


class FitReport(NamedTuple):
    """One fit."""

    source: str
    runs: int
    """Runs of the fit."""
    distilled_runs: int
    """Those of them that had a teacher."""
    rows: int | None
    """Rows of the files, with those that were left out; None where there was no file."""
    shape: FormShape
    law: PublishedLaw
    draws: Draws | None
    resamples: int
    errors: tuple[Accuracy, ...]
    sigma_run: float
    """Standard deviation of the log loss of a run like those of the fit but not among them."""
    reach: tuple[Reach, ...]
    """Empty without resamples."""
    noise: float
    """Standard deviation of the log loss of the fitted runs around the law."""
    looseness: float
    """How far the world is from the published law, in widths of what was believed of it."""
    like: str
    """Name of the published law that fills in what the runs cannot tell."""
    level: float
    """Median loss over that of the published law at the same sizes."""
    tested: str | None
    """Name of the law under test."""
    test: PublishedTest | None
    warnings: tuple[Notice, ...]
    fitted: Runs
    """The runs of the fit."""
    combinations: tuple[Combination, ...] = ()
    """What the runs fix, best known first; empty without resamples."""
    saved: tuple[str, ...] = ()
    """Files that the law was written to."""

    @property
    def coefficients(self) -> tuple[dict[str, Any], ...]:
        """Those of the law with their intervals, each with its name."""
        return tuple({"name": name, **one._asdict()} for name, one in self.law.coefficients.items())

    @property
    def draw_count(self) -> int:
        """Number of joint draws; they stand beside the law, in its file."""
        return 0 if self.draws is None else self.draws.size


def side_for(law: PublishedLaw, rows: Rows) -> LossLaw:
    """The side of a published law that describes runs of this kind.

    Raises:
        InputError: for distillation runs and a law without a distillation side.
    """
    if not rows.distilled.any():
        return law.supervised
    if law.distillation is None:
        raise InputError(
            f"law: {law.name} says nothing about distillation, but the runs have a teacher_loss; "
            "use a distillation law such as busbridge2025, or --form supervised"
        )
    return law.distillation
