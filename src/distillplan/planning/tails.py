"""Mixtures of drawn values that each carry the error of `laws.transfer`: shares, averages, bands.

Arrays have the shape (rows, draws), and the error of each row a scale of its own; a scale of zero
is no error at all.
"""

import numpy as np

from distillplan.laws.formulas import FloatArray
from distillplan.laws.transfer import gain_quantile, probability_above


def share_above(centers: FloatArray, scale: FloatArray, threshold: float) -> FloatArray:
    """Share of each row at or above a threshold, of shape (rows,).

    Args:
        centers: of shape (rows, draws).
        scale: of the error in each row, shape (rows,).
        threshold: in the unit of the centers.
    """
    exact = (centers >= threshold).mean(axis=1)
    with_error = probability_above(centers, threshold, scale[:, None]).mean(axis=1)
    return np.where(scale > 0, with_error, exact)


def mean_above_zero(centers: FloatArray, scale: FloatArray) -> FloatArray:
    """Average of what lies above zero in each row, of shape (rows,).

    For one center m it is m times the share above zero, plus s^2 / sqrt(2 s^2 + m^2): the partial
    expectation of Student's t with two degrees of freedom.

    Args:
        centers: of shape (rows, draws).
        scale: of the error in each row, shape (rows,).

    >>> mean_above_zero(np.array([[-1.0, 3.0]]), np.array([0.0]))
    array([1.5])
    """
    variance = np.square(scale)[:, None]
    length = np.sqrt(2 * variance + np.square(centers))
    tail = np.divide(variance, length, out=np.zeros_like(length), where=length > 0)
    above = centers * probability_above(centers, 0.0, scale[:, None]) + tail
    return np.asarray(np.maximum(above, 0.0).mean(axis=1))


def quantiles(centers: FloatArray, scale: FloatArray, level: float) -> FloatArray:
    """A quantile of each row, of shape (rows,); between two draws linear where there is no error.

    Args:
        centers: finite, of shape (rows, draws).
        scale: of the error in each row, shape (rows,).
        level: from 0 to 1, without the ends.

    >>> quantiles(np.array([[3.0, 1.0, 2.0]]), np.array([0.0]), 0.5)
    array([2.])
    """
    ordered = np.sort(centers, axis=1)
    place = level * (centers.shape[1] - 1)
    first = int(place)
    second = min(first + 1, centers.shape[1] - 1)
    found = ordered[:, first] + (place - first) * (ordered[:, second] - ordered[:, first])
    rows = np.flatnonzero(scale > 0)
    if rows.size:
        found[rows] = gain_quantile(centers[rows], scale[rows], level)
    return np.asarray(found)


def exact_band(drawn: FloatArray, own: float, levels: tuple[float, float]) -> tuple[float, float]:
    """What `quantiles` of `centered` draws without an error are, by one sort and few numbers.

    Args:
        drawn: finite, of shape (draws,).
        own: the point around which they are laid evenly.
        levels: from 0 to 1, without the ends.

    >>> exact_band(np.array([3.0, 1.0, 2.0]), 5.0, (0.25, 0.75))
    (4.5, 5.5)
    """
    ordered = np.sort(drawn)

    def at(level: float, shift: float) -> float:
        place = level * (ordered.size - 1)
        first = int(place)
        below = float(ordered[first]) + shift
        above = float(ordered[min(first + 1, ordered.size - 1)]) + shift
        return below + (place - first) * (above - below)

    shift = own - at(0.5, 0.0)
    low, high = levels
    return at(low, shift), at(high, shift)


def centered(centers: FloatArray, scale: FloatArray, point: FloatArray) -> FloatArray:
    """The centers moved so that half of each row lies on either side of a point.

    Args:
        centers: finite, of shape (rows, draws).
        scale: of the error in each row, shape (rows,).
        point: of shape (rows,).
    """
    shift = point - quantiles(centers, scale, 0.5)
    return np.asarray(centers + shift[:, None])
