"""Which rows are intermediate points of a training run, whose loss is above a finished run's.

A schedule lowers the learning rate towards the end of a run, and the loss with it. A law is fitted
to finished runs, so a checkpoint of a longer run is no run of its own. Rows of one size (and
teacher) are the history of one run where

- there are many token counts evenly spaced, as checkpoints are. Lengths of finished runs are
  chosen in ratios, so few of them can stand on an even grid; or
- the loss falls more steeply at the end than any sum of a constant and a falling power law does.
  Such a sum is convex in the logarithm of the tokens. Where the learning rate decays, curves bend
  down instead (arXiv:2405.18392; arXiv:2408.11029, Equation 1).

A column with the run's name is evidence too: one name over all rows of a curve lets fewer rows do,
and a name of its own for each row says that an even grid was chosen. Where a column ``run``
has one size and no token count twice for each of its names, rows of one name are one run's, on any
grid.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Final

import numpy as np

from distillplan.errors import InputError
from distillplan.fitting.rows import IndexArray, Mask
from distillplan.laws.formulas import FloatArray
from distillplan.named_tuples import NamedTuple
from distillplan.units.quantities import parse_count

MANY: Final = 8
"""Token counts of one size from which they may be checkpoints."""

MANY_OF_ONE_NAME: Final = 5
"""The same, where the rows have one name and other curves have another."""

_NEAR: Final = 1.5
"""A size may be called by one this many times as large: with embeddings, or rounded."""

_OFF: Final = 0.03
"""How far from a grid a token count may lie, in spacings."""

_FULL: Final = 0.75
"""Share of a grid's places that must be taken, and of the token counts along it that are on it."""

_MISSING: Final = 2
"""Places in a row that may be free before a grid ends."""

_QUANTILES: Final = (0.1, 0.3, 0.5, 0.7, 0.9)
"""Of the differences of token counts, which are tried as the spacing."""

_ORIGINS: Final = 50
"""Token counts that are tried as a place of the grid."""

_CHANCE: Final = 1e-4
"""Probability with which noise alone may bend a curve of finished runs down as much."""

_LEAST_DROP: Final = 0.005
"""Relative drop of the last loss below the power law; annealing gives 1% to 4%."""

_EXACT: Final = 5e-4
"""Relative error of a loss that a constant and a power law may have: no curve is known better."""

_POINTS: Final = 60
"""Token counts at which a long curve is examined."""

_DECAYS: Final = np.concatenate([[1e-3], np.geomspace(0.03, 2.0, 40)])
"""Exponents of the tokens that are tried; 0.001 is a straight line in the logarithm."""


class Curve(NamedTuple):
    """A training run whose intermediate points were found."""

    params: float
    rows: int
    """How many rows are left out, all but the last."""


def intermediate_points(
    params: FloatArray,
    tokens: FloatArray,
    loss: FloatArray,
    teacher_loss: FloatArray,
    *,
    files: IndexArray,
    names: Sequence[str | None],
    of_runs: bool = False,
) -> tuple[Mask, tuple[Curve, ...]]:
    """The rows that are intermediate points of a run, and the runs that they are of.

    Args:
        params: parameters of each row's model, shape (rows,).
        tokens: tokens so far, shape (rows,).
        loss: in any unit, shape (rows,).
        teacher_loss: NaN without a teacher, shape (rows,).
        files: number of the file that each row is from, shape (rows,).
        names: the name of each row's run; None where there is none.
        of_runs: whether they name runs for sure, not also sizes or recipes of several runs.

    Returns:
        A mask of shape (rows,), true for rows that are not the end of a run, and the runs.
    """
    keys = np.column_stack([files, params, np.nan_to_num(teacher_loss, nan=-1.0)])
    _, size = np.unique(keys, axis=0, return_inverse=True)
    size = size.reshape(-1)
    left_out = np.zeros(params.size, dtype=bool)
    curves, uses = [], Counter(names)
    named = of_runs and _name_runs(list(zip(files.tolist(), names, strict=True)), size, tokens)
    for members in _curves(size, names):
        among = members[_of_one_run(tokens[members], loss[members], _naming(members, names, uses))]
        own = {names[row] for row in members.tolist()}
        if named and len(own) == 1 and not _is_size(min(own, key=str), params[members[0]]):
            among = members
        before = among[tokens[among] < tokens[among].max(initial=0.0)]
        if before.size:
            left_out[before] = True
            curves.append(Curve(params=float(params[before[0]]), rows=before.size))
    return left_out, tuple(curves)


def _name_runs(
    names: Sequence[tuple[int, str | None]], size: IndexArray, tokens: FloatArray
) -> bool:
    """Whether each name, of a file, has one size and no token count twice, as a run has."""
    rows: dict[tuple[int, str | None], list[int]] = {}
    for row, name in enumerate(names):
        rows.setdefault(name, []).append(row)
    return all(
        name is not None
        and np.unique(size[own]).size == 1
        and np.unique(tokens[own]).size == len(own)
        for (_, name), own in rows.items()
    )


def _is_size(name: str | None, params: float) -> bool:
    """Whether a name is the size of its rows, which finished runs share: 60M."""
    try:
        return name is None or 1 / _NEAR < parse_count(name) / params < _NEAR
    except InputError:
        return False


class _Naming(NamedTuple):
    """What the names say about some rows of one size."""

    one: bool
    """All have one name, which no other row has."""
    each: bool
    """Each has a name that no other row has."""


def _curves(size: IndexArray, names: Sequence[str | None]) -> list[IndexArray]:
    """Rows of one size; those that share a name by themselves."""
    found = []
    for number in range(int(size.max(initial=-1)) + 1):
        parts: dict[str | None, list[int]] = {}
        for row in np.flatnonzero(size == number).tolist():
            parts.setdefault(names[row], []).append(row)
        single = [part[0] for part in parts.values() if len(part) == 1]
        shared = [part for part in parts.values() if len(part) > 1]
        found += [np.array(part, dtype=np.intp) for part in (*shared, single) if part]
    return found


def _naming(rows: IndexArray, names: Sequence[str | None], uses: Counter[str | None]) -> _Naming:
    own = Counter(names[row] for row in rows.tolist())
    if None in own or any(uses[name] > times for name, times in own.items()):
        return _Naming(one=False, each=False)
    return _Naming(one=len(own) == 1, each=len(own) == rows.size)


def _of_one_run(tokens: FloatArray, loss: FloatArray, naming: _Naming) -> IndexArray:
    """Indices of the rows of a curve that are of one run; none where it is no history."""
    least = MANY_OF_ONE_NAME if naming.one else MANY
    counts, first = np.unique(tokens, return_inverse=True)
    if counts.size < least:
        return np.array([], dtype=np.intp)
    on = on_even_grid(counts)
    enough = not naming.each and on.sum() >= (least if on.mean() >= _FULL else MANY)
    if enough and on.all():
        return np.arange(tokens.size)
    lowest = np.full(counts.size, np.inf)
    np.minimum.at(lowest, first, np.log(loss))
    if counts.size >= MANY and bends_down(counts, lowest):  # fewer bend by chance
        return np.arange(tokens.size)
    return np.flatnonzero(on[first] & enough)


def on_even_grid(tokens: FloatArray) -> Mask:
    """The most token counts that lie on one evenly spaced grid, shape (counts,).

    Args:
        tokens: different token counts in ascending order, shape (counts,).
    """
    best = np.zeros(tokens.size, dtype=bool)
    origins = tokens[np.unique(np.linspace(0, tokens.size - 1, _ORIGINS).astype(int))]
    for spacing in np.unique(np.quantile(np.diff(tokens), _QUANTILES, method="nearest")):
        steps = (tokens[None, :] - origins[:, None]) / spacing
        near = np.abs(steps - np.rint(steps)) < _OFF
        for on, at in zip(near, np.rint(steps), strict=True):
            there = np.flatnonzero(on)
            if there.size <= best.sum():
                continue
            parts = np.split(there, np.flatnonzero(np.diff(at[there]) > _MISSING + 1) + 1)
            part = max(parts, key=len)  # a longer run may end far along the grid
            places = at[part[-1]] - at[part[0]] + 1
            alone = np.unique(at[part]).size == part.size  # no two at one place
            full = part.size / max(places, part[-1] - part[0] + 1)
            if alone and full >= _FULL and part.size > best.sum():
                best = np.isin(np.arange(tokens.size), part)
    return best


def bends_down(tokens: FloatArray, log_loss: FloatArray) -> bool:
    """Whether a loss falls more steeply at the end than its beginning allows.

    An F test of one more slope from some token count on, over a constant and a power law, with a
    correction for the places tried.

    Args:
        tokens: different token counts in ascending order, shape (counts,).
        log_loss: log of the loss at each, shape (counts,).
    """
    from scipy.special import fdtrc  # slow to import

    if tokens.size > _POINTS:
        chosen = np.unique(np.geomspace(1, tokens.size, _POINTS).astype(int)) - 1
        evenly = np.linspace(0, tokens.size - 1, _POINTS).astype(int)
        chosen = np.union1d(chosen, evenly)
        tokens, log_loss = tokens[chosen], log_loss[chosen]
    spare = tokens.size - 4  # level, power law (two), slope
    if spare < 1:
        return False
    x = np.log(tokens / tokens[0])
    bends = np.maximum(x[:, None] - x[None, 1:-1], 0.0)
    # a constant and each power in turn: shapes of (decays, counts, 2)
    powers = np.exp(-_DECAYS[:, None] * x)
    basis, upper = np.linalg.qr(np.stack([np.ones_like(powers), powers], axis=-1))
    back = basis.transpose(0, 2, 1)
    rest = log_loss - (basis @ (back @ log_loss)[..., None])[..., 0]
    square = (rest**2).sum(axis=1)
    level = np.linalg.solve(upper, (back @ log_loss)[..., None])[..., 0]
    plain = float(square[level[:, 1] >= 0].min(initial=np.inf))
    # and one more slope from each count on: shapes of (decays, counts, bends)
    free = bends - basis @ (back @ bends)
    norm = (free**2).sum(axis=1)
    across = (rest[:, None, :] @ free)[:, 0]
    slope = np.divide(across, norm, out=np.zeros_like(norm), where=norm > 1e-12)
    levels = np.linalg.solve(upper, back @ (log_loss[:, None] - bends * slope[:, None, :]))
    left = square[:, None] - slope**2 * norm
    left[(slope >= 0) | (levels[:, 1] < 0)] = np.inf
    which, best = np.unravel_index(int(np.argmin(left)), left.shape)
    bent = float(left[which, best])
    drop = float(-slope[which, best] * bends[-1, best]) if np.isfinite(bent) else 0.0
    if not np.isfinite(plain) or drop < _LEAST_DROP:
        return False
    noise = max(bent / spare, _EXACT**2)
    chance = fdtrc(1, spare, max(plain - bent, 0.0) / noise) * bends.shape[1]
    return bool(chance < _CHANCE)
