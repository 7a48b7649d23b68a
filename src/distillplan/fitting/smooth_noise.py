"""The noise of runs around a law that may be wrong, and the runs that are odd among their like.

The residuals of a wrong law are a smooth function of size, tokens and teacher loss plus the runs'
own noise. Here the smooth part is taken out by a quadratic in the three logarithms, so that the
misfit under test is not counted as noise; what runs of one (parameters, tokens) pair do not share
is measured inside the pairs. No law is fitted.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np

from distillplan.fitting.rows import IndexArray, Mask
from distillplan.laws.formulas import FloatArray
from distillplan.named_tuples import NamedTuple

RUNS_PER_TERM: Final = 2
"""Observations for each term of the quadratic; with fewer, its last terms are left out."""

RUNS_PER_ROBUST_TERM: Final = 3
"""The same where a run may be odd: with fewer, the quadratic would bend to meet it."""

ODD_WIDTHS: Final = 5.0
"""Robust standard deviations from the quadratic at which a run is odd."""

ODD_SHARE: Final = 1 / 20
"""Most runs that can be odd (one at least); more than that are a misfit."""

_REPEATS: Final = 30
"""Reweightings of the robust regression; it settles to 1e-6 in about ten."""

_LEAST: Final = 1e-5
"""Smallest noise in log loss; losses are not written to more digits."""

_GAUSSIAN_MEDIAN: Final = 0.6745
"""Median of the absolute value of a standard Gaussian."""


class SmoothNoise(NamedTuple):
    """Standard deviations in log loss."""

    run: float
    """Of a run around its pair's mean."""
    pair: float
    """Of a pair's mean around the quadratic, at most a run's; 0 where the runs show none."""
    freedom: int
    """Degrees of freedom of the estimate."""

    def of_means(self, counts: FloatArray) -> FloatArray:
        """Standard errors of the means of pairs with these numbers of runs, shape (pairs,)."""
        return np.asarray(np.sqrt(self.pair**2 + self.run**2 / counts))


def smooth_noise(residual: FloatArray, at: FloatArray, pair: IndexArray) -> SmoothNoise:
    """Variance components by moments.

    Args:
        residual: log predicted - log observed, shape (runs,); three runs at least.
        at: log parameters, log tokens and, for students, log teacher loss, shape (runs, axes).
        pair: number of the (parameters, tokens) pair of each run, shape (runs,).
    """
    counts = np.bincount(pair).astype(float)
    means = _means(residual, pair)
    inside, inside_freedom = _inside(residual - means[pair], quadratic(at, residual.size), pair)
    centers = np.column_stack([_means(column, pair) for column in at.T])
    basis = quadratic(centers, counts.size)
    rest = means - basis @ np.linalg.lstsq(basis, means, rcond=None)[0]
    across, freedom = float(rest @ rest), counts.size - basis.shape[1]
    share = float((1 / counts).mean())
    if freedom and inside_freedom:
        run = inside / inside_freedom
        excess = across / freedom - run * share
        # without an effect of pairs the excess is above this in about one case of 40
        if excess > run * share * 2 * (2 / freedom) ** 0.5:
            if excess > run:  # more than published pairs share: a misfit, not noise
                return _noise(run, run, inside_freedom)
            return _noise(run, excess, freedom)
    both = inside_freedom + freedom
    return _noise((inside + across / share) / both, 0.0, both)


def _noise(run_variance: float, pair_variance: float, freedom: int) -> SmoothNoise:
    return SmoothNoise(run=max(run_variance**0.5, _LEAST), pair=pair_variance**0.5, freedom=freedom)


def odd_runs(residual: FloatArray, at: FloatArray) -> Mask:
    """The few runs that are far from what the others around them have, shape (runs,)."""
    basis = quadratic(at, residual.size, RUNS_PER_ROBUST_TERM)
    left = residual.size - basis.shape[1]
    weight = np.ones(residual.size)
    rest = residual
    scale = 0.0
    for _ in range(_REPEATS):
        root = np.sqrt(weight)
        found = np.linalg.lstsq(basis * root[:, None], residual * root, rcond=None)[0]
        rest = np.abs(residual - basis @ found)
        # the smallest ones are the fit's own: as many as it has terms
        scale = float(np.median(np.sort(rest)[-left:])) / _GAUSSIAN_MEDIAN if left > 0 else 0.0
        weight = 1 / (1 + (rest / max(scale, 1e-12)) ** 2)
    limit = max(1, int(residual.size * ODD_SHARE))
    odd = np.zeros(residual.size, dtype=np.bool_)
    furthest = np.argsort(rest)[::-1][:limit]
    odd[furthest] = rest[furthest] > ODD_WIDTHS * max(scale, 1e-9)
    return odd


def quadratic(at: FloatArray, observations: int, per_term: int = RUNS_PER_TERM) -> FloatArray:
    """An orthonormal basis of the quadratics in these coordinates, shape (points, terms).

    A term that the points cannot tell from earlier ones (tokens where all runs have 20 per
    parameter) is left out, as are the last ones where there are too few observations.
    """
    most = max(1, observations // per_term)
    kept: list[FloatArray] = []
    for column in _terms(at):
        rest = column.copy()
        for other in kept + kept:  # twice, for accuracy
            rest -= other * float(other @ rest)
        size = float(np.linalg.norm(rest))
        if len(kept) < most and size > 1e-3 * float(np.linalg.norm(column)) and size > 0:
            kept.append(rest / size)
    return np.column_stack(kept)


def _terms(at: FloatArray) -> Iterator[FloatArray]:
    spread = at.std(axis=0)
    scaled = (at - at.mean(axis=0)) / np.where(spread > 1e-9, spread, np.inf)
    axes = scaled.shape[1]
    yield np.ones(at.shape[0])
    yield from (scaled[:, one] for one in range(axes))
    yield from (scaled[:, one] ** 2 for one in range(axes))
    for one in range(axes):
        yield from (scaled[:, one] * scaled[:, other] for other in range(one))


def _means(values: FloatArray, pair: IndexArray) -> FloatArray:
    return np.asarray(np.bincount(pair, weights=values) / np.bincount(pair))


def _inside(inside: FloatArray, basis: FloatArray, pair: IndexArray) -> tuple[float, int]:
    """What the basis leaves of residuals within pairs: sum of squares, degrees of freedom."""
    within = np.column_stack([column - _means(column, pair)[pair] for column in basis.T])
    found, _, rank, _ = np.linalg.lstsq(within, inside, rcond=1e-6)
    rest = inside - within @ found
    freedom = inside.size - int(pair.max()) - 1 - int(rank)
    return (float(rest @ rest), freedom) if freedom > 0 else (0.0, 0)
