"""The records of a fit: what is asked and what is answered."""

from typing import NamedTuple

from distillplan.errors import InputError
from distillplan.fitting.bootstrap import PAPER_RESAMPLES
from distillplan.fitting.holdout import FOLDS, Accuracy
from distillplan.fitting.identifiability import Combination
from distillplan.fitting.published_test import PublishedTest
from distillplan.fitting.rows import Rows
from distillplan.fitting.runs import RunKind, Runs
from distillplan.fitting.selection import Selection
from distillplan.laws.draws import Draws
from distillplan.laws.formulas import LossLaw
from distillplan.laws.provenance import ParameterCount, PublishedLaw
from distillplan.notices import Notice


class FitRequest(NamedTuple):
    """What to do with some runs."""

    runs: Runs
    source: str
    """Name of their file."""
    supervised: PublishedLaw
    """Law of the students trained without a teacher, for runs of distilled ones."""
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
    resamples: int = PAPER_RESAMPLES
    seed: int = 0
    counts: ParameterCount = ParameterCount.NON_EMBEDDING


class FitReport(NamedTuple):
    """One fit."""

    source: str
    runs: int
    form: RunKind
    shape: str
    """A ``FormShape``, or ``anchored`` where the shape of a published law was kept."""
    law: PublishedLaw
    draws: Draws | None
    resamples: int
    errors: tuple[Accuracy, ...]
    sigma_run: float
    """Standard deviation of the log loss of a run at a size or token count not yet seen."""
    tested: str | None
    """Name of the law under test."""
    test: PublishedTest | None
    warnings: tuple[Notice, ...]
    noise_run: float | None = None
    """Spread of single runs around their pair's mean, in log loss."""
    noise_pair: float | None = None
    """Misfit of the law that the runs of a (parameters, tokens) pair share, in log loss."""
    combinations: tuple[Combination, ...] = ()
    """What the runs fix, best known first."""
    condition: float | None = None
    """Longest over shortest axis of the uncertainty of the letters' logarithms."""
    scale: float | None = None
    """Factor on all losses of the published law, where its shape was kept."""
    gap: float | None = None
    """Factor on the reducible loss of the published law, where its shape was kept."""
    saved: tuple[str, ...] = ()
    """Files that the law was written to."""

    @property
    def draw_count(self) -> int:
        """Number of joint draws; they stand beside the law, in its file."""
        return 0 if self.draws is None else self.draws.size


def side_for(law: PublishedLaw, rows: Rows) -> LossLaw:
    """The side of a published law that describes runs of this kind.

    Raises:
        InputError: for distillation runs and a law without a distillation side.
    """
    if rows.log_teacher_loss is None:
        return law.supervised
    if law.distillation is None:
        raise InputError(
            f"law: {law.name} says nothing about distillation, but the runs have a teacher_loss; "
            "use a distillation law such as busbridge2025, or --form supervised"
        )
    return law.distillation


def sentences(errors: tuple[Accuracy, ...]) -> tuple[str, ...]:
    """How well a fit predicts, for the file of its law."""
    where = {
        "in_sample": "on the {n} runs of the fit",
        "folds": f"on runs left out at random ({FOLDS} folds)",
        "groups": "on the runs of each size and token count, fitted without them",
        "lowest": "on the {n} runs of lowest loss, fitted without them",
        "holdout": "on the {n} runs held out by choice, fitted without them",
        "left_one_out": "on each run, fitted without it",
    }
    return tuple(
        f"Mean relative error {one.mean_relative_error:.2%}"
        f"{'' if one.bias is None else f' (bias {one.bias:+.2%})'} "
        f"{where[one.what].format(n=one.predicted)}."
        for one in errors
    )
