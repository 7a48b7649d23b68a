"""A global minimiser over a small box, for many problems at once.

First a grid over the whole box, then ever smaller grids around the best point. It needs no
derivative, keeps to bounds by construction, does not mind a kink, and ends where the objective
changes by less than the last bits of a double. Its callers choose coordinates in which their
objective has one valley and that valley is not oblique (see `optimize`).

All arrays have four axes: the problems, and one for each of up to three coordinates, of length 1
where a coordinate does not matter. So what depends on one coordinate is computed once per value.
"""

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np

from distillplan.laws.formulas import FloatArray

AXES = 3
"""Coordinates at most."""

Objective: TypeAlias = Callable[..., FloatArray]
"""Takes one array per coordinate, with values in [0, 1] along its own axis; gives what broadcasts
to the values at all points, infinite where a point is not allowed."""

STENCIL = {1: 15, 2: 9, 3: 7}
"""Points per axis of a refining grid, by the number of axes: fewer and larger grids while a grid
is cheap."""
OVERLAP = 1.2
"""Half-width of the next grid in spacings of this one that holds the minimum inside; above 1, so an
oblique valley does not leave it."""
FINEST = 1e-9
"""Half-width of the last grid, of the unit box: below 1e-7 in the logarithm of a size, where the
loss, flat at its minimum, is exact to the last bits."""
MOST_STEPS = 80
"""Far above the 11 to 21 steps that a valley along the axes takes."""


def column(values: FloatArray) -> FloatArray:
    """One value per problem, shaped to meet coordinates."""
    return values.reshape(values.shape + (1,) * AXES)


def along(axis: int, values: FloatArray) -> FloatArray:
    """Values of shape (problems, points) laid along one coordinate's axis."""
    shape = [values.shape[0], 1, 1, 1]
    shape[axis + 1] = values.shape[1]
    return values.reshape(shape)


def minimise(
    objective: Objective, problems: int, points: Sequence[int], finest: float = FINEST
) -> tuple[list[FloatArray], FloatArray]:
    """Minimise an objective over the unit box.

    Args:
        objective: see `Objective`.
        problems: how many problems are solved side by side.
        points: points of the first grid along each axis.
        finest: half-width of the last grid, of the unit box.

    Returns:
        One array of coordinates per axis, and the least values, each of shape (problems,). The
        value is infinite where no point of the first grid is allowed.
    """
    rows = np.arange(problems)

    def least(axes: list[FloatArray]) -> tuple[FloatArray, list[FloatArray], FloatArray]:
        """The least value, its coordinates, and its places on each axis."""
        sizes = [axis.shape[1] for axis in axes]
        values = objective(*(along(index, axis) for index, axis in enumerate(axes)))
        flat = np.broadcast_to(values, (problems, *sizes, *[1] * (AXES - len(sizes))))
        flat = flat.reshape(problems, -1)
        chosen = flat.argmin(axis=1)
        places = np.unravel_index(chosen, sizes)
        at = [
            axis[rows if axis.shape[0] > 1 else 0, place]
            for axis, place in zip(axes, places, strict=True)
        ]
        return flat[rows, chosen], at, np.stack(places)

    best, centre, _ = least([np.linspace(0.0, 1.0, count)[None, :] for count in points])
    half = [np.full(problems, 1.0 / (count - 1)) for count in points]
    stencil = STENCIL[len(points)]
    steps, shrink = np.linspace(-1.0, 1.0, stencil), 2 * OVERLAP / (stencil - 1)
    for _ in range(MOST_STEPS):
        if max(float(width.max()) for width in half) < finest:
            break
        trial = [
            (middle[:, None] + width[:, None] * steps).clip(0.0, 1.0)
            for middle, width in zip(centre, half, strict=True)
        ]
        value, moved, places = least(trial)
        better = value < best  # on a tie stay, or rounding would make it wander
        best = np.where(better, value, best)
        rim = (places == 0) | (places == stencil - 1)
        for axis, there in enumerate(moved):
            # a minimum on the rim may lie outside: move there and look again before shrinking
            outside = better & rim[axis] & (there > 0.0) & (there < 1.0)
            centre[axis] = np.where(better, there, centre[axis])
            half[axis] = np.where(outside, half[axis], half[axis] * shrink)
    return centre, best


def minimise_near(
    objective: Objective, start: Sequence[FloatArray], half: float = 0.05, steps: int = 4
) -> tuple[list[FloatArray], FloatArray]:
    """Minimise near a known point: for problems that differ little from one that is solved.

    A parabola through three points per axis, its lowest point within the box, and again around
    that with a quarter of the spacing. Where a point is not allowed, or the parabola misleads, the
    best point of the stencil takes over, so a step never loses.

    Args:
        objective: see `Objective`.
        start: coordinates per axis, each of shape (problems,).
        half: first spacing, of the unit box.
        steps: how many parabolas.

    Returns:
        One array of coordinates per axis, and the least values, each of shape (problems,).
    """
    count, many = len(start), start[0].size
    rows = np.arange(many)
    middle = (3**count - 1) // 2
    centre = np.stack([np.clip(one, 0.0, 1.0) for one in start])
    width = np.full(many, half)
    best = np.full(many, np.inf)
    for _ in range(steps):
        around = np.clip(centre, width, 1.0 - width)
        axes = [one[:, None] + width[:, None] * _THREE for one in around]
        values = _flat(objective(*(along(*one) for one in enumerate(axes))), many, [3] * count)
        move = _lowest(
            values.reshape(many, *[3] * count), (0.0 - around) / width, (1 - around) / width
        )
        trial = around + width * move
        lowest = _flat(objective(*(column(one) for one in trial)), many, [1] * count)[:, 0]
        chosen = values.argmin(axis=1)
        stencil = values[rows, chosen]
        places = np.stack(np.unravel_index(chosen, [3] * count))
        fallback = np.stack([axis[rows, place] for axis, place in zip(axes, places, strict=True)])
        point = np.where(lowest <= stencil, trial, fallback)
        value = np.minimum(lowest, stencil)
        better = value < best
        centre = np.where(better, point, centre)
        best = np.where(better, value, best)
        inside = (np.abs(move).max(axis=0) < REACH) | (chosen == middle)
        width = np.where(inside, width / 4, width)
    return list(centre), best


_THREE = np.array([-1.0, 0.0, 1.0])
REACH = 2.0
"""How far beyond its points, in spacings, a parabola is trusted."""
SWEEPS = 6


def _flat(values: FloatArray, problems: int, sizes: Sequence[int]) -> FloatArray:
    """Values at all points, problem by problem."""
    shape = (problems, *sizes, *[1] * (AXES - len(sizes)))
    return np.broadcast_to(values, shape).reshape(problems, -1)


def _lowest(values: FloatArray, low: FloatArray, high: FloatArray) -> FloatArray:
    """The lowest point of the parabola through a stencil, in spacings from its middle."""
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
        ]  # where a point is not allowed nothing is known of its axis
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
