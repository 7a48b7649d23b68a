"""Quantiles and probabilities of draws that carry Gaussian noise, without random numbers."""

from typing import Any

import numpy as np

from distillplan.laws.formulas import FloatArray

_Z90 = 1.6448536269514722
_NEWTON_STEPS = 12
_WEIGHTS = (0.254829592, -0.284496736, 1.421413741, -1.453152027, 1.061405429)


def below(z: Any) -> FloatArray:
    """Probability that a standard normal is below z, to 8e-8.

    Abramowitz and Stegun 1964, formula 7.1.26; numpy has no error function.

    >>> [round(float(one), 4) for one in below(np.array([-np.inf, 0.0, 1.6448536]))]
    [0.0, 0.5, 0.95]
    """
    size = np.abs(np.asarray(z, dtype=float)) / np.sqrt(2.0)
    with np.errstate(over="ignore"):
        tail = np.exp(-(size**2))
    t = 1.0 / (1.0 + 0.3275911 * size)
    series = np.zeros_like(t)
    for weight in reversed(_WEIGHTS):
        series = t * (weight + series)
    half = series * tail / 2
    return np.asarray(np.where(np.asarray(z) < 0, half, 1.0 - half))


def band90(centres: FloatArray, noise: FloatArray | None = None) -> tuple[float, float] | None:
    """Quantiles of 5 and 95 % of equally likely centres, each with its own noise.

    Args:
        centres: one value per draw.
        noise: standard deviation around each; None is none.

    Returns:
        None where a centre is not finite.

    >>> low, high = band90(np.zeros(3), np.ones(3))
    >>> round(low, 4), round(high, 4)
    (-1.6449, 1.6449)
    """
    if not np.isfinite(centres).all():
        return None
    low, high = quantile(centres, 0.05), quantile(centres, 0.95)
    if noise is None:
        return low, high
    return _quantile(centres, noise, 0.05), _quantile(centres, noise, 0.95)


def quantile(values: FloatArray, level: float) -> float:
    """A quantile, linear between values; not-a-number where one is.

    np.quantile and np.median import masked arrays, which takes longer than the rest of a plan.

    >>> quantile(np.array([3.0, 1.0, 2.0]), 0.5)
    2.0
    """
    if np.isnan(values).any():
        return float("nan")
    return float(np.interp(level * (values.size - 1), np.arange(values.size), np.sort(values)))


def _quantile(centres: FloatArray, noise: FloatArray, level: float) -> float:
    """By Newton, kept within a bracket that shrinks."""
    ends = centres - 8 * noise, centres + 8 * noise
    low, high = float(ends[0].min()), float(ends[1].max())
    at = float(centres.mean() + np.sign(level - 0.5) * _Z90 * np.hypot(centres.std(), noise.mean()))
    for _ in range(_NEWTON_STEPS):
        z = (at - centres) / noise
        excess = float(below(z).mean()) - level
        low, high = (at, high) if excess < 0 else (low, at)
        density = float((np.exp(-(z**2) / 2) / noise).mean()) / np.sqrt(2 * np.pi)
        step = excess / density if density > 0 else np.inf
        at = float(at - step) if low < at - step < high else (low + high) / 2
        if abs(excess) < 1e-7:
            break
    return at
