"""Error on runs that the fit has not seen: at random, by group, and towards lower losses."""

from typing import Final, Literal

import numpy as np

from distillplan.fitting.fitter import FitResult, refit
from distillplan.fitting.rows import IndexArray, Mask
from distillplan.laws.formulas import FloatArray
from distillplan.named_tuples import NamedTuple

FOLDS: Final = 5
LOWEST: Final = 0.2
"""Share of the runs, those of lowest loss, that a fit of the others predicts."""

_MANY_GROUPS: Final = 40
"""Groups from which leaving out one at a time says no more than folds do."""
_FEWEST_LOWEST: Final = 3
"""Runs of lowest loss that tell anything by their error."""

_SD_OF_MEAN_ABSOLUTE: Final = (np.pi / 2) ** 0.5
"""Standard deviation of a Gaussian whose mean absolute value is 1."""

Predicted = Literal["in_sample", "folds", "groups", "lowest", "holdout"]


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
    bias: float
    """Mean of predicted / observed - 1."""
    worst: float
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


def left_out(result: FitResult, *, seed: int = 0) -> tuple[Accuracy, ...]:
    """Every run predicted by a fit of others, and the lowest losses by a fit of the higher ones.

    Where there are few (parameters, tokens) groups each is left out in turn, otherwise folds of
    groups are, at random.
    """
    group = result.rows.groups()
    groups = int(group.max()) + 1
    found = []
    if 1 < groups <= _MANY_GROUPS:
        found.append(_by_number(result, group, "groups"))
    elif groups > 1:
        order = np.random.default_rng(seed).permutation(groups)
        found.append(_by_number(result, (order % FOLDS)[group], "folds"))
    lowest = _lowest(result)
    return (*found, lowest) if lowest is not None else tuple(found)


def stated_precision(result: FitResult, held_out: tuple[Accuracy, ...]) -> float:
    """Standard deviation of the log loss of a run like those of the fit, but not among them.

    Never less than the noise of the fitted runs, nor than the error on any left-out ones.
    """
    errors = [one.mean_relative_error for one in held_out]
    return max(result.noise, *(_SD_OF_MEAN_ABSOLUTE * one for one in errors), 0.0)


def _lowest(result: FitResult) -> Accuracy | None:
    """The runs of lowest loss predicted by a fit of the others: what planning asks of a law."""
    losses = result.rows.log_loss
    which: Mask = losses <= np.quantile(losses, LOWEST)
    kept = int((~which).sum())
    if which.sum() < _FEWEST_LOWEST or kept < len(result.form.names):
        return None
    theta = refit(result, (~which).astype(float)[None, :])
    errors = (result.form.predict(theta, result.rows)[0][0] - losses)[which]
    return accuracy_of("lowest", kept, errors)


def _by_number(result: FitResult, number: IndexArray, what: Predicted) -> Accuracy:
    parts = np.unique(number)
    weights = (number[None, :] != parts[:, None]).astype(float)
    predicted = result.form.predict(refit(result, weights), result.rows)[0]
    position = np.searchsorted(parts, number)
    errors = predicted[position, np.arange(len(result.rows))] - result.rows.log_loss
    return accuracy_of(what, int(weights.sum(axis=1).min()), errors)
