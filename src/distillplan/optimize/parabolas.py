"""Parabolas through the values on stencils of three points per axis, for many problems at once."""

from functools import cache, reduce
from typing import Any

import numpy as np

from distillplan.laws.formulas import FloatArray
from distillplan.named_tuples import NamedTuple

THREE = np.array([-1.0, 0.0, 1.0])
PLACES = {
    count: np.stack(np.unravel_index(np.arange(3**count), [3] * count), axis=1) - 1.0
    for count in range(1, 4)
}
"""The points of a stencil in spacings from its middle, shape (3^axes, axes)."""


REACH = 2.0
"""How far beyond its points, in spacings, a parabola is trusted."""
SWEEPS = 6


@cache
def weights(count: int) -> FloatArray:
    """What gives slopes, then second derivatives, of a stencil; shape (3^n, n + n^2)."""
    value, slope, curve = np.array([[0.0, 1.0, 0.0], [-0.5, 0.0, 0.5], [1.0, -2.0, 1.0]])

    def derivative(*by: int) -> FloatArray:
        parts = [(value, slope, curve)[by.count(axis)] for axis in range(count)]
        return reduce(np.multiply.outer, parts).ravel()

    axes = range(count)
    slopes = [derivative(axis) for axis in axes]
    return np.stack([*slopes, *(derivative(i, j) for i in axes for j in axes)], axis=1)


class ParabolaStep(NamedTuple):
    """Where a parabola leads; arrays of shape (rows, axes) but for `known`."""

    move: FloatArray
    """In spacings."""
    free: Any
    """Whether the minimum lies inside along this axis, not on a face, and not just anywhere."""
    flat: Any
    """Whether this axis does not matter."""
    curve: FloatArray
    """Second derivative, in spacings."""
    known: Any
    """Whether the parabola has a minimum; shape (rows,)."""


def step_on(
    taylor: FloatArray, below: FloatArray, above: FloatArray, noise: FloatArray
) -> ParabolaStep:
    """To the lowest point of a parabola in the box, or to the end of what it is trusted for.

    Args:
        taylor: slopes and second derivatives in spacings, shape (rows, axes + axes^2).
        below: spacings to the lower faces, shape (rows, axes).
        above: spacings to the upper faces.
        noise: differences that are rounding, shape (rows,).
    """
    count = below.shape[1]
    slope, hessian = taylor[:, :count], taylor[:, count:].reshape(-1, count, count)
    curve = np.diagonal(hessian, axis1=1, axis2=2)
    low = (below < 1.5) & (slope > below * curve)  # the slope at the face leads out of the box
    high = (above < 1.5) & (-slope > above * curve)
    flat = np.maximum(np.abs(slope), np.abs(curve)) <= noise[:, None]
    free = ~(low | high | flat)
    known = np.all(((curve > 0) | ~free) & np.isfinite(curve), axis=1)
    move = np.where(low, -below, np.where(high, above, 0.0))
    free &= known[:, None]
    matrix = np.where(free[:, :, None] & free[:, None, :], hessian, np.eye(count))
    right = np.where(free, -slope - np.einsum("rij,rj->ri", hessian, move), 0.0)
    step = (
        np.linalg.solve(matrix, right[:, :, None])[:, :, 0] if count > 1 else right / matrix[:, 0]
    )
    step = np.minimum(np.maximum(step, np.maximum(-below, -REACH)), np.minimum(above, REACH))
    move = np.where(free, step, move)
    return ParabolaStep(move=move, free=free, flat=flat, curve=curve, known=known)


def lowest_on(values: FloatArray, low: FloatArray, high: FloatArray) -> FloatArray:
    """The lowest point of the parabola through a stencil, in spacings from its middle.

    Args:
        values: on the stencil, shape (rows, 3, ...) with an axis per coordinate.
        low: spacings to the lower faces, shape (axes, rows).
        high: spacings to the upper faces, of the same shape, as is the answer.
    """
    count = values.ndim - 1
    low, high = np.maximum(low, -REACH), np.minimum(high, REACH)

    def at(*moved: tuple[int, int]) -> FloatArray:
        place = [1] * count
        for axis, step in moved:
            place[axis] = 1 + step
        where: tuple[slice | int, ...] = (slice(None), *place)
        found: FloatArray = values[where]
        return found

    with np.errstate(invalid="ignore", divide="ignore"):
        slope = [(at((i, 1)) - at((i, -1))) / 2 for i in range(count)]
        bend = [at((i, 1)) - 2 * at() + at((i, -1)) for i in range(count)]
        cross = {
            (i, j): (
                at((i, 1), (j, 1))
                - at((i, 1), (j, -1))
                - at((i, -1), (j, 1))
                + at((i, -1), (j, -1))
            )
            / 4
            for i in range(count)
            for j in range(i)
        }
        pairs = [(i, j) for i in range(count) for j in range(count) if i != j]
        tilt = {(i, j): cross[max(i, j), min(i, j)] for i, j in pairs}
        sound = [
            (bend[i] > 0)
            & np.isfinite(slope[i] + sum(tilt[pair] for pair in pairs if pair[0] == i))
            for i in range(count)
        ]  # a point that is not allowed says nothing of its axis
        slope = [np.where(sound[i], -slope[i] / bend[i], 0.0) for i in range(count)]
        tilt = {(i, j): np.where(sound[i], -tilt[i, j] / bend[i], 0.0) for i, j in pairs}
    move = np.zeros_like(low)
    for _ in range(SWEEPS if count > 1 else 1):
        for i in range(count):
            step = slope[i]
            for j in range(count):
                if j != i:
                    step = step + tilt[i, j] * move[j]
            move[i] = np.minimum(np.maximum(step, low[i]), high[i])
    return move
