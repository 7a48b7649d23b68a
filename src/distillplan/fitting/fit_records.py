"""What a fit is asked and what it answers; its records."""

from typing import NamedTuple

from distillplan.errors import InputError
from distillplan.fitting.identifiability import Combination
from distillplan.fitting.published_test import PublishedTest
from distillplan.fitting.rows import Rows
from distillplan.fitting.runs import Runs
from distillplan.fitting.selection import Selection
from distillplan.laws.draws import Draws
from distillplan.laws.formulas import LossLaw
from distillplan.laws.provenance import PublishedLaw
from distillplan.notices import Notice


class FitRequest(NamedTuple):
    """What to do with some runs."""

    runs: Runs
    source: str
    """Name of their file."""
    supervised: PublishedLaw
    """Law of the students without a teacher, for runs of distilled ones."""
    supervised_draws: Draws | None = None
    gamma_one: bool = False
    """Fix the outer exponent of Equation 1 at 1."""
    reduced: bool | None = None
    """The large-c1 limit of Equation 8; None lets the runs decide."""
    anchor: PublishedLaw | None = None
    """Stay near this law."""
    anchor_draws: Draws | None = None
    test: PublishedLaw | None = None
    """Test the claim that this law describes the runs."""
    holdout: Selection | None = None
    resamples: int = 4096
    seed: int = 0
    counts: str = "non-embedding parameters"


class Error(NamedTuple):
    """How well a law predicts runs."""

    what: str
    """``in_sample``, ``folds``, ``lowest`` or ``holdout``"""
    fitted: int
    """Runs in the fit."""
    predicted: int
    mean_relative_error: float
    bias: float | None
    """Mean of predicted over observed, minus 1; None where it is not known."""
    worst: float | None


class FitReport(NamedTuple):
    """One fit."""

    source: str
    runs: int
    form: str
    """``supervised`` or ``distillation``"""
    shape: str
    """``coupled`` or ``additive``; ``full`` or ``reduced``; ``anchored`` where a published shape
    was kept"""
    law: PublishedLaw
    draws: Draws | None
    resamples: int
    errors: tuple[Error, ...]
    noise_run: float | None
    """Spread of single runs around their pair's mean, in log loss."""
    noise_pair: float | None
    """Misfit of the law that the runs of a (parameters, tokens) pair share, in log loss."""
    sigma_run: float
    """Noise of a run at a size or token count not yet seen."""
    combinations: tuple[Combination, ...]
    """What the runs fix, best known first."""
    condition: float | None
    """Longest over shortest axis of the uncertainty of the letters' logarithms."""
    scale: float | None
    """Factor on all losses of the published law, where its shape was kept."""
    gap: float | None
    """Factor on what size and tokens can reduce, where a published shape was kept."""
    tested: str | None
    """Name of the law under test."""
    test: PublishedTest | None
    warnings: tuple[Notice, ...]
    saved: tuple[str, ...] = ()
    """Files that it was written to."""

    @property
    def draw_count(self) -> int:
        """Number of joint draws; they stand beside the law, in its file."""
        return 0 if self.draws is None else self.draws.size


def side_for(law: PublishedLaw, rows: Rows) -> LossLaw:
    """The side of a published law that such runs speak of."""
    if rows.log_teacher_loss is None:
        return law.supervised
    if law.distillation is None:
        raise InputError(
            f"law: {law.name} says nothing about distillation, but the runs have a teacher_loss; "
            "use a distillation law such as busbridge2025, or --form supervised"
        )
    return law.distillation


def sentences(errors: tuple[Error, ...]) -> tuple[str, ...]:
    """For the file of the law."""
    where = {
        "in_sample": "on the {n} runs of the fit",
        "folds": "on runs left out at random (five folds)",
        "lowest": "on the {n} runs of lowest loss, fitted without them",
        "holdout": "on the {n} runs held out by choice, fitted without them",
        "left_one_out": "on each run, fitted without it",
    }
    return tuple(
        f"Mean relative error {one.mean_relative_error:.2%}"
        f"{'' if one.bias is None else f' (bias {one.bias:+.2%})'} "
        f"{where[one.what].format(n=one.predicted)}.".replace("%", " %")
        for one in errors
    )
