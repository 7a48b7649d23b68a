"""The spread of runs around a law, and how loosely they follow the published one."""

from typing import Final

import numpy as np

from distillplan.fitting.rows import IndexArray
from distillplan.laws.formulas import FloatArray
from distillplan.named_tuples import NamedTuple

RUN_NOISE: Final = 0.004
"""Standard deviation of the log loss of a run before its residuals are seen (0.4%)."""
NOISE_SPREAD: Final = 1.0
"""Standard deviation of its logarithm."""

ROBUST: Final = 1.345
"""Residuals beyond this many standard deviations count linearly: Huber's choice, which costs 5% of
efficiency where the noise is Gaussian."""
_KEPT: Final = 0.7102
"""Mean square of a standard Gaussian that is cut off there: Huber's proposal 2."""


def half_width(coverage: float) -> float:
    """Half width of a central interval of a Gaussian, in standard deviations.

    >>> round(half_width(0.9), 4), round(half_width(0.95), 4)
    (1.6449, 1.96)
    """
    from scipy.special import ndtri  # slow to import, and not needed to plan

    return float(ndtri((1 + coverage) / 2))


def likely_scale(squares: float, count: float, middle: float, spread: float) -> float:
    """The most probable scale of so many numbers, when its logarithm is Gaussian beforehand.

    Solves count = squares / scale^2 - log(scale / middle) / spread^2; numbers that are all zero
    have no scale, however it was believed to be.

    Args:
        squares: sum of the squares.
        count: numbers behind it, less what was fitted to them.
        middle: of the scale beforehand.
        spread: standard deviation of its logarithm.

    >>> round(likely_scale(100.0, 100.0, 1.0, 1.0), 3)
    1.0
    """
    at = np.log(middle)
    for _ in range(60):
        ratio = squares * np.exp(-2 * at)
        excess = count - ratio + (at - np.log(middle)) / spread**2
        step = excess / (2 * ratio + spread**-2)
        at -= np.clip(step, -1.0, 1.0)
        if abs(step) < 1e-10:
            break
    return float(np.exp(max(at, -25.0)))


def root_mean_square(values: FloatArray) -> float:
    """The size of numbers around zero, of any shape."""
    return float(np.sqrt(np.mean(values**2)))


def robust_squares(residual: FloatArray, scale: float) -> float:
    """Sum of squares of residuals, shape (runs,), cut off at ``ROBUST`` scales, as if none were."""
    return float(np.minimum(residual**2, (ROBUST * scale) ** 2).sum() / _KEPT)


class Parts(NamedTuple):
    """Residuals in two parts, each of shape (runs,): their sum is the residual."""

    shared: FloatArray
    """what the runs of a group have in common"""
    own: FloatArray
    clustered: bool
    """whether the groups show more than chance would"""


def split(residual: FloatArray, group: IndexArray) -> Parts:
    """What the runs of a (parameters, tokens) group share, and what they do not.

    One-way analysis of variance with groups of unequal size. Where it shows no effect of the
    groups, every run is a group of its own.

    Args:
        residual: log predicted - log observed, shape (runs,).
        group: number of the group of each run, shape (runs,).
    """
    counts = np.bincount(group)
    n, groups = residual.size, int((counts > 0).sum())
    nothing = Parts(shared=np.zeros(n), own=residual, clustered=False)
    if groups in (1, n):
        return nothing
    means = np.bincount(group, weights=residual) / np.maximum(counts, 1)
    own = residual - means[group]
    run = float((own**2).sum()) / (n - groups)
    between = float((counts * means**2).sum())
    # without an effect the between part is above this in about one case of 40
    if between < groups * run * (1 + 2 * (2 / groups) ** 0.5):
        return nothing
    return Parts(shared=means[group], own=own, clustered=True)
