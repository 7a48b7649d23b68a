"""A global minimizer over a small box, for many problems at once.

First a grid over the whole box, then Newton's method on parabolas through the values around its
best point. Where those do not agree with one another (a kink, the edge of what is allowed, an end
too far from the start) ever smaller grids take over. It needs no derivatives, keeps to bounds by
construction, and ends where the objective changes by less than the last bits of a double. Its
callers choose coordinates in which their objective has one valley and that valley is not oblique
(see `optimizer`).

All arrays have four axes: the problems, and one for each of up to three coordinates, of length 1
where a coordinate does not matter. So what depends on one coordinate is computed once per value.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np

from distillplan.laws.formulas import FloatArray
from distillplan.named_tuples import NamedTuple
from distillplan.optimize.parabolas import PLACES, REACH, THREE, lowest_on, step_on, weights

AXES = 3
"""Coordinates at most."""

Objective: TypeAlias = Callable[..., FloatArray]
"""Takes the indices of some of the problems, then one array per coordinate with values in [0, 1]
along its own axis; gives what broadcasts to the values at all points, infinite where a point is not
allowed."""

Along: TypeAlias = Callable[..., tuple[FloatArray, FloatArray]]
"""The same for an objective that falls with an amount which alone depends on the second coordinate:
the values at the largest amounts along that, of length 1 there, and what broadcasts to the amounts
at all points."""
INNER = 1
"""The second coordinate."""
ROUNDING = 1e-5
"""Half-width of a grid below which two of its values may differ by rounding alone; there the values
themselves decide, as they would have on all grids."""

STENCIL = {1: (15, 65), 2: (9, 25), 3: (7, 13)}
"""Fewest and most points per axis of a refining grid, by the number of axes."""
CHEAP = 2000
"""Points of all problems together up to which a grid costs no more than a smaller one: then fewer
and larger grids."""
OVERLAP = 1.2
"""Half-width of the next grid in spacings of this one that holds the minimum inside; above 1, so an
oblique valley does not leave it."""
FINEST = 1e-9
"""Half-width of the last grid, of the unit box: below 1e-7 in the logarithm of a size, where the
loss, flat at its minimum, is exact to the last bits."""
MOST_STEPS = 80
"""Far above the 11 to 21 steps that a valley along the axes takes."""

MANY = 50
"""Fewer problems go to the grids alone: a step of Newton's takes more calls, of fewer points."""
BEFORE_NEWTON = 2
"""Grids before Newton starts: where two valleys lie near each other they choose between them."""
NEAR_SPACING, NEAR_STEPS, MOST_NEAR_STEPS = 0.02, 3, 8
"""First spacing of the search near a known point, of the unit box, and how many parabolas: at
least, and at most."""
STILL_FALLING = 1e-4
"""A last parabola that lowered a value by more was not the last; the next usually lowers it by a
hundredth of that."""
LAST = 5e-6
"""Spacing of Newton's last parabola: its minimum is off by about the square of that, and its slope
is known to about 1e-10 of a loss."""
NEWTON_STEPS = 14
"""About six are needed where the objective is smooth."""
STILL = 0.05
"""In spacings of the last parabola: a shorter step ends the search, and is taken."""
AGREEING = 0.25
"""Largest relative difference between the second derivatives of the last three parabolas. At a kink
each is as much larger as its spacing is smaller."""
ABROAD = 1.3
"""Newton may end so many cells of the first grid from its best point; further, and another valley
may lie between."""
NOISE = 1e-15
"""Relative differences below this are rounding: the coordinate does not matter."""
BEND = 5.0
"""Newton sees the bent coordinate u as v with u = expm1(BEND v) / expm1(BEND)."""


def column(values: FloatArray) -> FloatArray:
    """One value per problem, shape (problems,), shaped to meet coordinates: (problems, 1, 1, 1)."""
    return values.reshape(values.shape + (1,) * AXES)


def along(axis: int, values: FloatArray) -> FloatArray:
    """Values of shape (problems, points) laid along one coordinate's axis."""
    shape = [values.shape[0], 1, 1, 1]
    shape[axis + 1] = values.shape[1]
    return values.reshape(shape)


def minimize(
    objective: Objective,
    problems: int,
    points: Sequence[int],
    *,
    bent: int | None = None,
    finest: float | None = None,
    along_inner: Along | None = None,
) -> list[FloatArray]:
    """Minimize an objective over the unit box.

    Args:
        objective: see `Objective`.
        problems: how many problems are solved side by side.
        points: points of the first grid along each axis.
        bent: the axis, if any, whose valley is the narrower the nearer it lies to 0.
        finest: by grids alone, the last one of this half-width; None: as exact as doubles allow.
        along_inner: the objective of grids, where it can be had; cheaper by the points of an axis.

    Returns:
        One array of coordinates per axis, each of shape (problems,); the first corner of the box
        where no point of the first grid is allowed.
    """
    every = np.arange(problems)
    first = [np.linspace(0.0, 1.0, count)[None, :] for count in points]
    grids = _Grids(objective, along_inner)
    best, center = grids.least(every, first)
    cells = [np.full(problems, 1.0 / (count - 1)) for count in points]
    place = _Spot(center=center, half=cells, best=best)
    if finest is not None or problems < MANY:
        return _by_grids(grids, every, place, finest or FINEST).center
    place = _by_grids(grids, every, place, FINEST, BEFORE_NEWTON)
    rest = _by_newton(objective, place, points, bent)
    if rest.size:
        found = _by_grids(grids, rest, place.rows(rest), FINEST)
        for one, there in zip(place.center, found.center, strict=True):
            one[rest] = there
    return place.center


class _Spot(NamedTuple):
    """Where the minimum may be; arrays of shape (rows,), one per axis where a list."""

    center: list[FloatArray]
    half: list[FloatArray]
    """Half-width of the next grid."""
    best: FloatArray
    """The value at the center."""

    def rows(self, at: Any) -> "_Spot":
        """The places of some problems."""
        center, half = ([one[at] for one in values] for values in (self.center, self.half))
        return _Spot(center=center, half=half, best=self.best[at])


class _Grids(NamedTuple):
    """An objective on grids."""

    objective: Objective
    along_inner: Along | None

    def least(self, rows: Any, axes: Sequence[FloatArray]) -> tuple[FloatArray, list[FloatArray]]:
        """The least value on a grid, and its coordinates; each of shape (rows,)."""
        sizes = [axis.shape[1] for axis in axes]
        points = [along(*one) for one in enumerate(axes)]
        each = np.arange(rows.size)
        if self.along_inner is None:
            values = _flat(self.objective(rows, *points), rows.size, sizes)
            chosen = values.argmin(axis=1)
            places = list(np.unravel_index(chosen, sizes))
        else:
            found, amounts = self.along_inner(rows, *points)
            outer = [1 if axis == INNER else size for axis, size in enumerate(sizes)]
            values = _flat(found, rows.size, outer)
            chosen = values.argmin(axis=1)
            places = list(np.unravel_index(chosen, outer))
            shape = (rows.size, *sizes, *[1] * (AXES - len(sizes)))
            last = places[2] if len(sizes) > 2 else 0
            amount = _whole(amounts, shape)[each, places[0], :, last]
            places[INNER] = amount.argmax(axis=1)
        at = [
            axis[each if axis.shape[0] > 1 else 0, place]
            for axis, place in zip(axes, places, strict=True)
        ]
        return values[each, chosen], at


def _by_grids(
    grids: _Grids, rows: Any, place: _Spot, finest: float, most: int = MOST_STEPS
) -> _Spot:
    """From the best point of a grid by ever smaller grids."""
    center, half, best = list(place.center), list(place.half), place.best
    stencil = _stencil(len(center), rows.size)
    steps, shrink = np.linspace(-1.0, 1.0, stencil), 2 * OVERLAP / (stencil - 1)
    for _ in range(most):
        widest = max(float(width.max()) for width in half)
        if widest < finest:
            break
        if widest < ROUNDING:
            grids = grids._replace(along_inner=None)
        trial = [
            (middle[:, None] + width[:, None] * steps).clip(0.0, 1.0)
            for middle, width in zip(center, half, strict=True)
        ]
        value, moved = grids.least(rows, trial)
        better = value < best  # on a tie stay, or rounding would make it wander
        best = np.where(better, value, best)
        for axis, there in enumerate(moved):
            # a minimum on the rim may lie outside: move there and look again before shrinking
            rim = (there == trial[axis][:, 0]) | (there == trial[axis][:, -1])
            outside = better & rim & (there > 0.0) & (there < 1.0)
            center[axis] = np.where(better, there, center[axis])
            half[axis] = np.where(outside, half[axis], half[axis] * shrink)
    return _Spot(center=center, half=half, best=best)


def _stencil(axes: int, problems: int) -> int:
    """Points per axis of a refining grid; odd, so that the center is one of them."""
    fewest, most = STENCIL[axes]
    cheap = int((CHEAP / max(problems, 1)) ** (1 / axes))
    return min(max((cheap - 1) // 2 * 2 + 1, fewest), most)


def _by_newton(objective: Objective, place: _Spot, points: Sequence[int], bent: int | None) -> Any:
    """Newton's method on the parabola through a stencil of three points per axis.

    Puts into the centers of ``place`` those minima, inside or on faces, that the last parabolas
    agree on.

    Returns:
        The rows of the other problems.
    """
    count, cell = len(points), 1.0 / (np.array(points) - 1.0)
    rows = np.flatnonzero(np.isfinite(place.best))
    home, half = (np.stack(one, axis=1)[rows] for one in (place.center, place.half))
    ends = (_straight(np.clip(home + side * half, 0.0, 1.0), bent) for side in (1, -1))
    width = np.subtract(*ends) / 2
    now, least = _straight(home, bent), place.best[rows]
    at, old, older = now, np.full(home.shape, np.nan), np.full(home.shape, np.nan)
    for _ in range(NEWTON_STEPS):
        if not rows.size:
            break
        around = np.minimum(np.maximum(now, width), 1.0 - width)
        unit = _bend(around[:, :, None] + width[:, :, None] * THREE, bent)
        values = objective(rows, *(along(axis, unit[:, axis]) for axis in range(count)))
        values = _flat(values, rows.size, [3] * count)
        chosen = values.argmin(axis=1)
        lowest = values[np.arange(rows.size), chosen]
        with np.errstate(invalid="ignore"):
            taylor = (values - lowest[:, None]) @ weights(count)
            step = step_on(taylor, around / width, (1.0 - around) / width, NOISE * lowest)
            trial = np.where(step.flat, now, around + width * step.move)
            curve = step.curve / width**2
            far = np.where(step.free, np.abs(step.move), 0.0).max(axis=1)
            agree = np.maximum(np.abs(curve - old), np.abs(curve - older)) < AGREEING * curve
            near = np.abs(_bend(trial, bent) - home) < ABROAD * cell
            sure = np.all((agree | ~step.free) & near & (width == LAST), axis=1)
            sure &= step.known & (far < STILL)
        for axis, found in enumerate(_bend(trial[sure], bent).T):
            place.center[axis][rows[sure]] = found
        # where the whole stencil is worse than a point that is known, go back to that
        lost = (lowest > least) | ~step.known
        at = np.where((lowest < least)[:, None], around + width * PLACES[count][chosen], at)
        least = np.minimum(lowest, least)
        now = np.where(lost[:, None], at, trial)
        shrink = np.where(far > 1.0, 2.0, np.minimum(np.maximum(far / 2, 1 / 32), 0.5))
        shrink = np.where(lost, 0.25, shrink)[:, None]
        next_width = np.minimum(np.maximum(width * shrink, LAST), 0.1)
        same = next_width == width
        older, old, width = np.where(same, older, old), np.where(same, old, curve), next_width
        if sure.any():
            state = (rows, home, now, at, least, width, old, older)
            rows, home, now, at, least, width, old, older = (one[~sure] for one in state)
    return rows


def _straight(u: FloatArray, bent: int | None) -> FloatArray:
    """Unit coordinates, shape (rows, axes, ...), as Newton sees them."""
    if bent is None:
        return u
    v = u.copy()
    v[:, bent] = np.log1p(u[:, bent] * np.expm1(BEND)) / BEND
    return v


def _bend(v: FloatArray, bent: int | None) -> FloatArray:
    """The inverse of `_straight`."""
    if bent is None:
        return v
    u = v.copy()
    u[:, bent] = np.expm1(BEND * v[:, bent]) / np.expm1(BEND)
    return u


def minimize_near(objective: Objective, start: Sequence[FloatArray]) -> list[FloatArray]:
    """Minimize near a known point: for problems that differ little from one that is solved.

    A parabola through three points per axis, its lowest point within the box, and again around
    that with a quarter of the spacing. Where a point is not allowed, or the parabola misleads, the
    best point of the stencil takes over, so a step never loses.

    Args:
        objective: see `Objective`.
        start: coordinates per axis, each of shape (problems,).

    Returns:
        One array of coordinates per axis, each of shape (problems,).
    """
    count, many = len(start), start[0].size
    rows = np.arange(many)
    middle = (3**count - 1) // 2
    center = np.stack([np.clip(one, 0.0, 1.0) for one in start])
    width = np.full(many, NEAR_SPACING)
    best = np.full(many, np.inf)
    for steps in range(1, MOST_NEAR_STEPS + 1):
        around = np.clip(center, width, 1.0 - width)
        axes = [one[:, None] + width[:, None] * THREE for one in around]
        values = _flat(
            objective(rows, *(along(*one) for one in enumerate(axes))), many, [3] * count
        )
        move = lowest_on(
            values.reshape(many, *[3] * count), (0.0 - around) / width, (1 - around) / width
        )
        trial = around + width * move
        lowest = _flat(objective(rows, *(column(one) for one in trial)), many, [1] * count)[:, 0]
        chosen = values.argmin(axis=1)
        stencil = values[rows, chosen]
        point = np.where(lowest <= stencil, trial, around + width * PLACES[count][chosen].T)
        value = np.minimum(lowest, stencil)
        better = value < best
        falling = value < best - STILL_FALLING
        center = np.where(better, point, center)
        best = np.where(better, value, best)
        if steps >= NEAR_STEPS and not falling.any():
            break
        inside = (np.abs(move).max(axis=0) < REACH) | (chosen == middle)
        width = np.where(inside, width / 4, width)
    return list(center)


def _flat(values: FloatArray, problems: int, sizes: Sequence[int]) -> FloatArray:
    """Values at all points, problem by problem; shape (problems, points)."""
    shape = (problems, *sizes, *[1] * (AXES - len(sizes)))
    return _whole(values, shape).reshape(problems, -1)


def _whole(values: FloatArray, shape: tuple[int, ...]) -> FloatArray:
    """Values broadcast to a shape; several times as fast as `numpy.broadcast_to`."""
    if np.shape(values) == shape:
        return values
    whole = np.empty(shape)
    whole[...] = values
    return whole
