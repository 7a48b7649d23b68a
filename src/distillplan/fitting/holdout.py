"""Error on runs that the fit has not seen: at random, by group, and towards lower losses."""

from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

import numpy as np

from distillplan.fitting.fitter import FitResult, refit
from distillplan.fitting.noise import RUN_NOISE, half_width
from distillplan.fitting.rows import IndexArray, Mask
from distillplan.laws.formulas import FloatArray

FOLDS: Final = 5
LOWEST: Final = 0.2
"""Share of the runs, those of lowest loss, that a fit of the others predicts."""

_MANY_PAIRS: Final = 40
"""Pairs from which leaving out one at a time says no more than folds do."""

_BAND: Final = 0.9
"""Share of left-out runs that a band of the same coverage should hold."""

Predicted = Literal["in_sample", "folds", "groups", "lowest", "holdout", "left_one_out"]


class Accuracy(NamedTuple):
    """How well a law predicts runs."""

    what: Predicted
    """Which runs."""
    fitted: int
    """Runs in the fit (the fewest, for folds)."""
    predicted: int
    """Runs predicted."""
    mean_relative_error: float
    """Mean of |predicted / observed - 1|."""
    bias: float | None
    """Mean of predicted / observed - 1; None where it is not known."""
    worst: float | None
    """Largest |predicted / observed - 1|."""


def accuracy_of(what: Predicted, fitted: int, errors: FloatArray) -> Accuracy:
    """The accuracy that these errors amount to.

    Args:
        what: which runs were predicted.
        fitted: runs in the fit.
        errors: log predicted - log observed of each run, shape (runs,).
    """
    relative = np.expm1(errors)
    return Accuracy(
        what=what,
        fitted=fitted,
        predicted=errors.size,
        mean_relative_error=float(np.abs(relative).mean()),
        bias=float(relative.mean()),
        worst=float(np.abs(relative).max()),
    )


@dataclass(frozen=True, kw_only=True)
class HeldOut:
    """Runs predicted by fits that have not seen them."""

    accuracy: Accuracy
    """how well"""
    errors: FloatArray
    """log predicted - log observed of each predicted run, in the order of the rows"""


def held_out_folds(result: FitResult, *, seed: int = 0) -> HeldOut | None:
    """Every run predicted by a fit on the other folds; None when too few runs are left."""
    order = np.random.default_rng(seed).permutation(len(result.rows))
    number = np.empty(len(result.rows), dtype=np.intp)
    number[order] = np.arange(len(result.rows)) % FOLDS
    return _by_number(result, number, "folds")


def held_out_groups(result: FitResult) -> HeldOut | None:
    """Every (parameters, tokens) pair predicted by a fit on the other pairs; None if too few."""
    return _by_number(result, result.rows.groups(), "groups")


def held_out_lowest(result: FitResult, chosen: Mask | None = None) -> HeldOut | None:
    """The runs of lowest loss predicted by a fit on the others: what planning asks of a law.

    Args:
        result: a fit of all runs; it gives the form, the prior and the start.
        chosen: the runs to hold out, shape (runs,); None is the ``LOWEST`` share of them.

    Returns:
        None when too few runs are left.
    """
    losses = result.rows.log_loss
    left_out = losses <= np.quantile(losses, LOWEST) if chosen is None else chosen
    kept = int((~left_out).sum())
    if kept < len(result.form.names) or kept == len(losses):
        return None
    theta = refit(result, (~left_out).astype(float)[None, :])
    errors = (result.form.predict(theta, result.rows)[0][0] - losses)[left_out]
    return HeldOut(accuracy=accuracy_of("lowest", kept, errors), errors=errors)


def prediction_noise(result: FitResult) -> float:
    """Standard deviation of the log loss of a run at a size or token count not yet seen.

    Runs of one (parameters, tokens) pair share the law's misfit there, so a fit looks better on
    its own pairs than on the next one. This is the noise with which 90% bands hold 90% of the runs
    of pairs that were left out; never less than what the fit's own residuals say. Where there are
    many pairs, folds are left out instead.
    """
    pairs = np.unique(result.rows.groups()).size
    if pairs > _MANY_PAIRS:
        found = held_out_folds(result)
    else:
        found = held_out_groups(result) if pairs > 2 else None
    if found is None:
        return max(result.noise.total, RUN_NOISE)
    edge = float(np.quantile(np.abs(found.errors), _BAND))
    return max(result.noise.total, edge / half_width(_BAND))


def _by_number(result: FitResult, number: IndexArray, what: Predicted) -> HeldOut | None:
    parts = np.unique(number)
    weights = (number[None, :] != parts[:, None]).astype(float)
    kept = int(weights.sum(axis=1).min())
    if parts.size < 2 or kept < len(result.form.names):
        return None
    predicted = result.form.predict(refit(result, weights), result.rows)[0]
    position = np.searchsorted(parts, number)
    errors = predicted[position, np.arange(len(result.rows))] - result.rows.log_loss
    return HeldOut(accuracy=accuracy_of(what, kept, errors), errors=errors)
