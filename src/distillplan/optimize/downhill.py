"""Newton's method on the shares of a budget, downhill wherever it starts, many starts at once."""

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from distillplan.laws.formulas import FloatArray

Values: TypeAlias = Callable[[FloatArray, Any], FloatArray]
"""From points of shape (points, members) and the problem of each to losses, infinite where a point
is not allowed; shape (points,)."""

STEP = 1e-3
"""Of differences that stand for derivatives."""
MOST_STEPS = 60
LONGEST = 1.0
"""The longest step downhill, in the logarithm of a share."""
FACTORS = (1.0, 0.5, 0.2, 0.05, 0.01, 0.001)
"""Of Newton's step, from which the lowest point is taken."""
FLATTEST = 1e-7
"""Curvature below which a direction counts as flat, relative to the largest."""
STILL = 1e-9
"""A shorter step is the last."""


def downhill(value_at: Values, z: FloatArray, rows: Any) -> FloatArray:
    """Newton's method on log tokens relative to the first member's, many starts side by side.

    Along directions in which the loss bends down, or hardly bends, it steps downhill as well.

    Args:
        value_at: the loss at log tokens of shape (points, members), by the problem of each.
        z: log tokens to begin at, up to a factor, shape (starts, members).
        rows: the problem of each start, shape (starts,).

    Returns:
        Where they end, of the same shape.
    """
    z, many = np.array(z), z.shape[1] - 1
    if not many:
        return z
    ahead = np.array(FACTORS)
    now = value_at(z, rows)
    going = np.flatnonzero(np.isfinite(now))
    for _ in range(MOST_STEPS):
        if not going.size:
            break
        slope, bend = _derivatives(value_at, z[going], rows[going])
        width, turned = np.linalg.eigh(bend)
        width = np.abs(width)
        width = np.maximum(width, FLATTEST * width.max(axis=1, keepdims=True) + 1e-300)
        along = (turned.swapaxes(1, 2) @ slope[:, :, None])[:, :, 0] / width
        step = -(turned @ along[:, :, None])[:, :, 0]
        length = np.abs(step).max(axis=1, keepdims=True)
        step = step * np.minimum(1.0, LONGEST / np.maximum(length, 1e-300))
        tried = np.repeat(z[going][:, None, :], ahead.size, axis=1)
        tried[:, :, 1:] += ahead[:, None] * step[:, None, :]
        value = value_at(tried.reshape(-1, many + 1), np.repeat(rows[going], ahead.size))
        value = value.reshape(going.size, ahead.size)
        best = value.argmin(axis=1)
        each = np.arange(going.size)
        better = value[each, best] < now[going]
        moved = np.where(better, ahead[best] * np.abs(step).max(axis=1), 0.0)
        z[going] = np.where(better[:, None], tried[each, best], z[going])
        now[going] = np.where(better, value[each, best], now[going])
        going = going[moved > STILL]
    return z


def _derivatives(value_at: Values, z: FloatArray, rows: Any) -> tuple[FloatArray, FloatArray]:
    """Slopes and second derivatives in all coordinates but the first."""
    many = z.shape[1] - 1
    steps = STEP * np.eye(many + 1)[1:]
    pairs = [(one, other) for one in range(many) for other in range(one)]
    offsets = [np.zeros(many + 1), *steps, *-steps]
    for one, other in pairs:
        offsets += [steps[one] + steps[other], steps[one] - steps[other]]
        offsets += [steps[other] - steps[one], -steps[one] - steps[other]]
    points = (z[:, None, :] + np.array(offsets)).reshape(-1, many + 1)
    value = value_at(points, np.repeat(rows, len(offsets))).reshape(len(z), -1)
    value = np.where(np.isfinite(value), value, value[:, :1])
    here, up, down = value[:, :1], value[:, 1 : many + 1], value[:, many + 1 : 2 * many + 1]
    bend = np.empty((len(z), many, many))
    each = np.arange(many)
    bend[:, each, each] = (up - 2 * here + down) / STEP**2
    for place, (one, other) in enumerate(pairs):
        a, b, c, d = (value[:, 2 * many + 1 + 4 * place + side] for side in range(4))
        bend[:, one, other] = bend[:, other, one] = (a - b - c + d) / (4 * STEP**2)
    return (up - down) / (2 * STEP), bend
