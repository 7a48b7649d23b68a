"""Error on runs that the fit has not seen: at random, by group, and towards lower losses."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from distillplan.fitting.fitter import FitResult, refit
from distillplan.fitting.noise import RUN_NOISE
from distillplan.fitting.rows import IndexArray, Mask
from distillplan.laws.formulas import FloatArray

_MANY_PAIRS: Final = 40
"""Pairs from which leaving out one at a time says no more than folds do."""

_Z90: Final = 1.6448536269514722
"""Half width of a 90 % band in standard deviations."""


@dataclass(frozen=True, kw_only=True)
class HeldOut:
    """How a law predicts runs it was not fitted on."""

    kind: str
    """``folds``, ``groups`` or ``lowest``"""
    trained: int
    """runs in a fit (the fewest, for folds)"""
    tested: int
    """runs predicted"""
    mean_relative_error: float
    """mean of |predicted / observed - 1|"""
    bias: float
    """mean of predicted / observed - 1"""
    worst: float
    """largest |predicted / observed - 1|"""
    errors: FloatArray
    """log predicted - log observed of each run that was tested, in the order of the rows"""


def held_out_folds(result: FitResult, *, folds: int = 5, seed: int = 0) -> HeldOut | None:
    """Every run predicted by a fit on the other folds; None when too few runs are left."""
    order = np.random.default_rng(seed).permutation(len(result.rows))
    number = np.empty(len(result.rows), dtype=np.intp)
    number[order] = np.arange(len(result.rows)) % folds
    return _by_number(result, number, "folds")


def held_out_groups(result: FitResult) -> HeldOut | None:
    """Every (parameters, tokens) pair predicted by a fit on the other pairs."""
    return _by_number(result, result.rows.groups(), "groups")


def held_out_lowest(result: FitResult, chosen: Mask | None = None) -> HeldOut | None:
    """The runs of lowest loss predicted by a fit on the others: what planning asks of a law.

    Args:
        result: a fit of all runs; it gives the form, the prior and the start.
        chosen: the runs to hold out; None is the fifth of lowest loss.
    """
    losses = result.rows.log_loss
    left_out = losses <= np.quantile(losses, 0.2) if chosen is None else chosen
    kept = int((~left_out).sum())
    if kept < len(result.form.names) or kept == len(losses):
        return None
    theta = refit(result, (~left_out).astype(float)[None, :])
    errors = result.form.predict(theta, result.rows)[0][0] - losses
    return _summary("lowest", kept, errors[left_out])


def prediction_noise(result: FitResult) -> float:
    """Standard deviation of the log loss of a run at a size or token count not yet seen.

    Runs of one (parameters, tokens) pair share the law's misfit there, so a fit looks better on
    its own pairs than on the next one. This is the noise with which bands of 90 % hold nine tenths
    of the runs of pairs that were left out; never less than what the fit's own residuals say. Pairs
    are gathered into folds where there are many.
    """
    pairs = np.unique(result.rows.groups()).size
    if pairs > _MANY_PAIRS:
        found = held_out_folds(result)
    else:
        found = held_out_groups(result) if pairs > 2 else None
    if found is None:
        return max(result.noise.total, RUN_NOISE)
    edge = float(np.quantile(np.abs(found.errors), 0.9))
    return max(result.noise.total, edge / _Z90)


def _by_number(result: FitResult, number: IndexArray, kind: str) -> HeldOut | None:
    parts = np.unique(number)
    weights = (number[None, :] != parts[:, None]).astype(float)
    kept = int(weights.sum(axis=1).min())
    if parts.size < 2 or kept < len(result.form.names):
        return None
    theta = refit(result, weights)
    predicted = result.form.predict(theta, result.rows)[0]
    position = np.searchsorted(parts, number)
    errors = predicted[position, np.arange(len(result.rows))] - result.rows.log_loss
    return _summary(kind, kept, errors)


def _summary(kind: str, trained: int, errors: FloatArray) -> HeldOut:
    relative = np.expm1(errors)
    return HeldOut(
        kind=kind,
        trained=trained,
        tested=errors.size,
        mean_relative_error=float(np.abs(relative).mean()),
        bias=float(relative.mean()),
        worst=float(np.abs(relative).max()),
        errors=errors,
    )
