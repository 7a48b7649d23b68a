"""The loss during a run: how far above the loss of a finished run it lies, and where it will end.

A law gives the loss L(N, D) of runs that have ended. In the middle of a run, after a share t of its
D tokens, the learning rate has not decayed yet, so the loss lies above L(N, t D)::

    log loss(t) - log L(N, t D) = level + anneal * sqrt(t) * z(t)
                                  + bend * (log L(N, t D) - log L(N, D)) + drift(t) + noise

z is the learning rate as a share of its decay: 1 before the decay, 0 at the end. A gain that is
linear in the decay is that of Tissue et al. 2024 (arXiv:2408.11029, L0 + A S1^-a - C S2); that it
grows with the length of the run is in the curves of Luo et al. 2025 (arXiv:2503.12811), whose
multi-power law says the same with more constants. ``level`` is the run's own (tokenizer, corpus,
recipe) and nearly free; ``bend`` is the law's error in how fast the loss falls; ``drift`` is what
neither explains, a Gaussian random walk in 1/t that is zero at the end. All of it is Gaussian, so
the forecast of the end is a linear regression with a closed-form band. The constants come from
published curves (coefficients/curves.yaml).
"""

from enum import StrEnum
from functools import cache
from typing import Final

import numpy as np

from distillplan.files.entries import Entry, read_shipped
from distillplan.laws.formulas import FloatArray
from distillplan.named_tuples import NamedTuple

LEVEL_SD: Final = 1.0
"""Spread of the level in log loss: hardly any belief."""

FIRST: Final = 0.1
"""Share of a run before which its losses say nothing here."""

WARMUPS: Final = 3.0
"""Nor do they before so many times its warmup."""

CELLS: Final = 40
"""Parts of a run, each of which is one point: the median of its losses."""

_MEDIAN_TO_SD: Final = 1.4826
"""Standard deviation of a Gaussian over the median of its absolute deviations."""


class Schedule(StrEnum):
    """How the learning rate goes after its warmup."""

    COSINE = "cosine"
    """Half a cosine from its peak to its least value."""
    WSD = "wsd"
    """At its peak, then a linear decay over the last part of the run."""
    CONSTANT = "constant"
    """At its peak to the end."""


class LossCurve(NamedTuple):
    """The constants of the curve, in log loss."""

    anneal: float
    """What a full decay is worth at the end of a run."""
    anneal_sd: float
    """Its spread between runs."""
    bend: float
    """Share by which losses fall faster than by the law."""
    bend_sd: float
    drift: float
    """Standard deviation of the drift half-way, where 1/t - 1 is 1."""
    noise: float
    """Standard deviation of one measured loss, and of the end of a run."""


class CurvePoints(NamedTuple):
    """A run's losses; arrays of shape (points,)."""

    progress: FloatArray
    """Share of the run's tokens, above 0 and at most 1."""
    excess: FloatArray
    """Log of the loss over the law's loss of a finished run of these tokens."""
    fall: FloatArray
    """Log of the law's loss at these tokens over that at the run's end."""
    undecayed: FloatArray
    """The learning rate as a share of its decay, from 1 to 0."""
    noise: FloatArray
    """Standard deviation of the excess."""


class End(NamedTuple):
    """Where a run will end: log of its loss over the law's."""

    mean: float
    sd: float
    anneal: float
    """What its own losses say of the constants of this name."""
    bend: float


@cache
def curve() -> LossCurve:
    """The shipped constants.

    Raises:
        InputError: when their file is missing or a constant is not a number.
    """
    entry = Entry(read_shipped("curves.yaml"), "curves").mapping("curve")
    return LossCurve(**{name: entry.mapping(name).number("value") for name in LossCurve._fields})


def undecayed(
    schedule: Schedule, progress: FloatArray, *, warmup: float, decay: float
) -> FloatArray:
    """The learning rate as a share of its decay, from 1 at its peak to 0 at the end of the decay.

    Args:
        schedule: how it goes.
        progress: share of the run's tokens, any shape.
        warmup: share of the run in which it rises.
        decay: share of the run in which it decays, for `Schedule.WSD`.

    >>> undecayed(Schedule.WSD, np.array([0.5, 0.9, 1.0]), warmup=0.01, decay=0.2).round(6)
    array([1. , 0.5, 0. ])
    """
    at = np.clip(progress, 0.0, 1.0)
    match schedule:
        case Schedule.COSINE:
            return np.asarray((1 + np.cos(np.pi * np.maximum(at - warmup, 0) / (1 - warmup))) / 2)
        case Schedule.WSD:
            return np.minimum((1 - at) / decay, 1.0)
        case Schedule.CONSTANT:
            return np.ones_like(at)


def points_of(
    progress: FloatArray, excess: FloatArray, fall: FloatArray, rate: FloatArray, *, warmup: float
) -> CurvePoints:
    """Losses as the curve's points: late enough, and one for each part of the run.

    Args:
        progress: share of the run's tokens, shape (losses,).
        excess: log of each loss over the law's at its tokens, shape (losses,).
        fall: log of the law's loss there over that at the run's end, shape (losses,).
        rate: the learning rate as a share of its decay, shape (losses,).
        warmup: share of the run.
    """
    late = progress >= first_progress(warmup)
    values = np.array([progress, excess, fall, rate])[:, late]
    cell = np.minimum(np.floor(values[0] * CELLS), CELLS - 1)
    found = []
    for one in np.unique(cell):
        some = values[:, cell == one]
        middle = np.median(some, axis=1)
        spread = _MEDIAN_TO_SD * float(np.median(np.abs(some[1] - middle[1])))
        found.append([*middle, spread / some.shape[1] ** 0.5])
    columns = np.array(found).reshape(-1, len(CurvePoints._fields)).T
    return CurvePoints(**dict(zip(CurvePoints._fields, columns, strict=True)))


def first_progress(warmup: float) -> float:
    """Share of a run from which on its losses count.

    >>> first_progress(0.01)
    0.1
    """
    return max(FIRST, WARMUPS * warmup)


def forecast(found: LossCurve, points: CurvePoints, undecayed_at_end: float) -> End:
    """Where a run will end, from its losses so far: the posterior of a linear Gaussian model.

    Args:
        found: the constants.
        points: the losses so far; one at least.
        undecayed_at_end: 0 for a schedule that decays, 1 for one that does not.
    """
    design, prior, belief = (
        _design(points),
        np.array([0.0, found.anneal, found.bend]),
        _belief(found),
    )
    covariance = design @ belief @ design.T + _errors(found, points)
    gain = np.linalg.solve(covariance, design @ belief).T
    mean = prior + gain @ (points.excess - design @ prior)
    spread = belief - gain @ design @ belief
    end = np.array([1.0, undecayed_at_end, 0.0])
    variance = max(float(end @ spread @ end), 0.0) + found.noise**2
    _, anneal, bend = mean.tolist()
    return End(mean=float(end @ mean), sd=variance**0.5, anneal=anneal, bend=bend)


def expected(found: LossCurve, points: CurvePoints, level: float = 0.0) -> FloatArray:
    """Log of the loss over the law's in the middle of a run of a known level, shape (points,)."""
    return np.asarray(_design(points) @ np.array([level, found.anneal, found.bend]))


def _design(points: CurvePoints) -> FloatArray:
    """Columns of level, anneal and bend, shape (points, 3)."""
    anneal = np.sqrt(points.progress) * points.undecayed
    return np.column_stack([np.ones_like(anneal), anneal, points.fall])


def _belief(found: LossCurve) -> FloatArray:
    return np.diag([LEVEL_SD**2, found.anneal_sd**2, found.bend_sd**2])


def _errors(found: LossCurve, points: CurvePoints) -> FloatArray:
    """Covariance of drift and noise, shape (points, points)."""
    walked = 1 / points.progress - 1
    shared = np.minimum(walked[:, None], walked[None, :])
    noise = np.maximum(points.noise, found.noise)
    return np.asarray(found.drift**2 * shared + np.diag(noise**2))
