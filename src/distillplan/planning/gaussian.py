"""Quantiles and probabilities of draws that carry Gaussian noise, without random numbers.

Every `budget` needs them, and importing scipy takes longer than the whole command, so the error
function is that of `math`, and the quantile of a mixture is found by a few Newton steps.
"""

import math
from typing import Any

import numpy as np

from distillplan.laws.formulas import FloatArray

MOST_STEPS = 60
"""Newton needs about six; where it leaves the bracket, so many halvings are enough."""
CLOSE = 1e-9
"""A quantile is found when the probability below it is within this of the level."""


def below(z: Any) -> FloatArray:
    """Probability that a standard normal is below z: erfc(-z / sqrt 2) / 2.

    Args:
        z: of any shape.

    Returns:
        Probabilities of the same shape.

    >>> [round(float(one), 4) for one in below(np.array([-np.inf, 0.0, 1.6448536]))]
    [0.0, 0.5, 0.95]
    """
    scaled = np.asarray(z, dtype=float) * -math.sqrt(0.5)
    twice = np.fromiter(map(math.erfc, scaled.ravel().tolist()), float, scaled.size)
    return twice.reshape(scaled.shape) / 2


def band90(centers: FloatArray, noise: FloatArray | None = None) -> tuple[float, float] | None:
    """The 5% and 95% quantiles of equally likely centers, each with its own noise.

    Args:
        centers: one value per draw, shape (draws,).
        noise: standard deviation around each, shape (draws,); None for no noise.

    Returns:
        Low and high end, in the unit of the centers; None where a center is not finite.

    >>> low, high = band90(np.zeros(3), np.ones(3))
    >>> round(low, 4), round(high, 4)
    (-1.6449, 1.6449)
    """
    if not np.isfinite(centers).all():
        return None
    if noise is None:
        return quantile(centers, 0.05), quantile(centers, 0.95)
    return _mixture_quantile(centers, noise, 0.05), _mixture_quantile(centers, noise, 0.95)


def quantile(values: FloatArray, level: float) -> float:
    """A quantile, linear between values; NaN where one of them is.

    np.quantile and np.median import masked arrays, which takes longer than the rest of a plan.

    Args:
        values: shape (draws,).
        level: from 0 to 1.

    >>> quantile(np.array([3.0, 1.0, 2.0]), 0.5)
    2.0
    """
    if np.isnan(values).any():
        return math.nan
    return float(np.interp(level * (values.size - 1), np.arange(values.size), np.sort(values)))


def _mixture_quantile(centers: FloatArray, noise: FloatArray, level: float) -> float:
    """By Newton from the centers' own quantile, kept within a bracket that shrinks."""
    low, high = float((centers - 8 * noise).min()), float((centers + 8 * noise).max())
    at = quantile(centers, level)
    for _ in range(MOST_STEPS):
        z = (at - centers) / noise
        excess = float(below(z).mean()) - level
        if abs(excess) < CLOSE:
            break
        low, high = (at, high) if excess < 0 else (low, at)
        density = float((np.exp(-(z**2) / 2) / noise).mean()) / math.sqrt(2 * math.pi)
        step = excess / density if density > 0 else math.inf
        at = at - step if low < at - step < high else (low + high) / 2
    return at
