"""Draws that carry a heavy-tailed error: probabilities, quantiles and averages, without sampling.

Every draw is a center, and around it lies an error of Student's t with three degrees of freedom,
whose distribution function is elementary: no `budget` has to import scipy. A scale of zero is no
error at all.
"""

import math

import numpy as np

from distillplan.laws.formulas import FloatArray

FREEDOM = 3
"""Degrees of freedom of the error: the fewest with a variance, and a closed form."""
MOST_STEPS = 80
CLOSE = 1e-13
"""A quantile is found when the probability below it is within this of its level."""
WIDEST = 60.0
"""Scales around the centers that hold every quantile from 1e-5 to 1 - 1e-5."""


def below(z: FloatArray) -> FloatArray:
    """Probability that the error, in units of its scale, is below z.

    F(z) = 1/2 + (u / (1 + u^2) + arctan u) / pi, with u = z / sqrt(3).

    Args:
        z: of any shape.

    >>> [round(float(one), 4) for one in below(np.array([-np.inf, 0.0, 2.3533634]))]
    [0.0, 0.5, 0.95]
    """
    u = z / math.sqrt(FREEDOM)
    with np.errstate(over="ignore", invalid="ignore"):
        part = np.where(np.isfinite(u), u / (1 + u * u), 0.0)
    found: FloatArray = 0.5 + (part + np.arctan(u)) / math.pi
    return found


def density(z: FloatArray) -> FloatArray:
    """Density of the error in units of its scale: 6 sqrt(3) / (pi (3 + z^2)^2)."""
    with np.errstate(over="ignore"):
        found: FloatArray = 6 * math.sqrt(3) / math.pi / (FREEDOM + z * z) ** 2
    return found


def share_above(centers: FloatArray, scale: FloatArray, threshold: float) -> FloatArray:
    """Share of the mixture at or above a threshold, of shape (rows,).

    Args:
        centers: of shape (rows, draws).
        scale: of the error in each row, shape (rows,).
        threshold: in the unit of the centers.
    """
    found = (centers >= threshold).mean(axis=1)
    rows = scale > 0
    if rows.any():
        z = (centers[rows] - threshold) / scale[rows, None]
        found[rows] = below(z).mean(axis=1)
    return found


def mean_above_zero(centers: FloatArray, scale: FloatArray) -> FloatArray:
    """Average over the mixture of what lies above zero, of shape (rows,).

    For one center m and z = m / scale it is m F(z) + scale (3 + z^2) / 2 times the density at z.

    Args:
        centers: of shape (rows, draws).
        scale: of the error in each row, shape (rows,).

    >>> mean_above_zero(np.array([[-1.0, 3.0]]), np.array([0.0]))
    array([1.5])
    """
    found = np.maximum(centers, 0.0)
    rows = scale > 0
    if rows.any():
        sigma = scale[rows, None]
        z = centers[rows] / sigma
        tail = sigma * (FREEDOM + z * z) / (FREEDOM - 1) * density(z)
        found[rows] = np.maximum(centers[rows] * below(z) + tail, 0.0)
    return np.asarray(found.mean(axis=1))


def quantiles(centers: FloatArray, scale: FloatArray, level: float) -> FloatArray:
    """A quantile of each row's mixture, of shape (rows,), in the unit of the centers.

    By Newton's method from the quantile of the centers, within a bracket that shrinks.

    Args:
        centers: finite, of shape (rows, draws).
        scale: of the error in each row, shape (rows,).
        level: from 1e-5 to 1 - 1e-5.

    >>> quantiles(np.array([[3.0, 1.0, 2.0]]), np.array([0.0]), 0.5)
    array([2.])
    >>> quantiles(np.zeros((1, 2)), np.array([2.0]), 0.95).round(4)
    array([4.7067])
    """
    ordered = np.sort(centers, axis=1)
    place = level * (centers.shape[1] - 1)
    first = min(int(place), centers.shape[1] - 1)
    second = min(first + 1, centers.shape[1] - 1)
    at = ordered[:, first] + (place - first) * (ordered[:, second] - ordered[:, first])
    rows = np.flatnonzero(scale > 0)
    if not rows.size:
        return at
    mu, sigma, x = centers[rows], scale[rows], at[rows]
    low, high = ordered[rows, 0] - WIDEST * sigma, ordered[rows, -1] + WIDEST * sigma
    for _ in range(MOST_STEPS):
        z = (x[:, None] - mu) / sigma[:, None]
        excess = below(z).mean(axis=1) - level
        if np.abs(excess).max() < CLOSE:
            break
        low, high = np.where(excess < 0, x, low), np.where(excess < 0, high, x)
        step = x - excess * sigma / np.maximum(density(z).mean(axis=1), 1e-300)
        x = np.where((low < step) & (step < high), step, (low + high) / 2)
    at[rows] = x
    return at


def centered(centers: FloatArray, scale: FloatArray, point: FloatArray) -> FloatArray:
    """The centers moved so that half of each row's mixture lies on either side of a point.

    Args:
        centers: finite, of shape (rows, draws).
        scale: of the error in each row, shape (rows,).
        point: of shape (rows,).
    """
    shift = point - quantiles(centers, scale, 0.5)
    return np.asarray(centers + shift[:, None])
