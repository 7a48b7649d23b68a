"""The test of a published set of coefficients on runs (``fit --test``).

The null hypothesis: the set is the law of these runs, up to the rounding of its printed digits
(``ROUNDING``). With r_i = log predicted - log observed and x the logarithms of size, tokens and
teacher loss, it is tested by

- level: the mean of r; all sizes pooled, so a small common shift shows;
- trend in tokens, in size and in teacher loss: the change of r over the range of the runs by
  regression on one logarithm. A misprinted data coefficient bends the law in the tokens, so this
  shows it even where an opposite error hides the level;
- place: the mean of r over each neighborhood of ``_NEIGHBORS`` runs or more, the worst of them,
  Bonferroni-corrected over the neighborhoods. It sees what is neither a level nor a trend.

Each is t = (|estimate| - allowed) / standard error, two-sided, with the noise of
``smooth_noise``, which a misfit cannot inflate; the smallest p-value is multiplied by the number of
tests. A run that its neighbors contradict is the run's fault, not the law's: it is left out and
counted. A file with supervised and distilled runs is tested side by side, and the worse side is
reported.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

import numpy as np

from distillplan.errors import InputError
from distillplan.fitting.rows import IndexArray, Rows, predicted_log_loss
from distillplan.fitting.smooth_noise import SmoothNoise, odd_runs, smooth_noise
from distillplan.laws.formulas import (
    DISTILLATION_LETTERS,
    SUPERVISED_LETTERS,
    DistillationLaw,
    FloatArray,
    LossLaw,
)
from distillplan.named_tuples import NamedTuple

ROUNDING: Final = 0.004
"""Relative error of a loss that rounding the letters to three digits can make."""

REJECTING: Final = 0.05
"""Probability of rejecting the law that the runs come from."""

_NEIGHBORS: Final = 5
"""Runs of the smallest neighborhood."""

_LEAST_RUNS: Final = 4
"""Runs of one kind below which no noise can be measured around a level."""

_REACH: Final = 7.0
"""Largest logarithm of a factor that could repair a letter; a misprint of three digits."""

_FACTORS: Final = 57
"""Factors tried before the best of them is refined."""


class DepartureKind(StrEnum):
    """A way in which a law can be off."""

    LEVEL = "level"
    """On average."""
    TOKENS = "tokens"
    """From the fewest tokens to the most."""
    PARAMS = "params"
    """From the smallest size to the largest."""
    TEACHER_LOSS = "teacher_loss"
    """From the best teacher to the worst."""
    PLACE = "place"
    """Around one size and token count."""


class Departure(NamedTuple):
    """How far the law is off in one way."""

    kind: DepartureKind
    relative_error: float
    """Predicted over observed, less 1: on average, or its change over the range."""
    p_value: float
    """That rounding and noise make one so large; corrected for the places tried."""


class WorstPair(NamedTuple):
    """The (parameters, tokens) pair that is furthest off."""

    params: float
    tokens: float
    mean_relative_error: float
    """With its sign."""


class Suspect(NamedTuple):
    """The letter that by itself, times a factor, would repair most."""

    coefficient: str
    factor: float
    mean_relative_error: float
    """What it would leave."""


@dataclass(frozen=True, kw_only=True)
class PublishedTest:
    """The verdict on a published set."""

    rejected: bool
    """whether the set is rejected as the law of these runs at ``level``"""
    p_value: float
    """that the set is the law of these runs up to the rounding of its digits"""
    level: float
    """size of the test"""
    tolerance: float
    """relative error that the rounding of printed digits may make"""
    distilled: bool
    """whether the runs tested are students of teachers; the worse side where a file has both"""
    runs: int
    """runs that were tested"""
    left_out: int
    """runs left out because their neighbors contradict them"""
    noise: float
    """standard deviation of the log loss of a run, by replicates and a smooth regression"""
    mean_relative_error: float
    """of the set on the runs"""
    bias: float
    """mean relative error with its sign"""
    departures: tuple[Departure, ...]
    """the ways in which the set was tested"""
    worst_group: WorstPair
    """the pair that is furthest off"""
    suspect: Suspect
    """the letter that by itself would repair most"""


def judge_published(rows: Rows, law: LossLaw) -> PublishedTest:
    """Test whether a published law is the law of these runs.

    Args:
        rows: the runs.
        law: the published law; a distillation law brings its supervised side with it.

    Raises:
        InputError: when the runs and the law are of different kinds, or the runs are too few.
    """
    sides = [_judge(some, side) for some, side in _sides(rows, law)]
    worse = min(sides, key=lambda one: one.p_value)
    p_value = min(1.0, worse.p_value * len(sides))
    return replace(worse, p_value=p_value, rejected=p_value < REJECTING, level=REJECTING)


def _sides(rows: Rows, law: LossLaw) -> Iterator[tuple[Rows, LossLaw]]:
    """The supervised and the distilled runs, each with the side of the law that describes them."""
    distilled = rows.distilled
    supervised = law.supervised if isinstance(law, DistillationLaw) else law
    if distilled.any() and not isinstance(law, DistillationLaw):
        raise InputError(
            "test: the runs have a teacher_loss, but the law describes no distillation; name a law "
            "with both sides, such as busbridge2025"
        )
    for which, side in ((~distilled, supervised), (distilled, law)):
        if which.any():
            yield rows.take(which), side


def _judge(rows: Rows, law: LossLaw) -> PublishedTest:
    """The test of one side, not yet corrected for the number of sides."""
    if len(rows) < _LEAST_RUNS:
        raise InputError(
            f"test: {len(rows)} {_kind(law)} runs are too few to test a law on; give at least "
            f"{_LEAST_RUNS}"
        )
    residual = predicted_log_loss(law, rows) - rows.log_loss
    if not np.isfinite(residual).all():
        raise InputError("test: the law has no finite loss at some of these runs")
    at = _axes(rows, law)
    odd = odd_runs(residual, at)
    kept = rows.take(~odd)
    departures, noise = _departures(residual[~odd], at[~odd], kept, np.log1p(ROUNDING))
    group = kept.groups()
    means = np.bincount(group, weights=residual[~odd]) / np.bincount(group)
    worst = int(np.argmax(np.abs(means)))
    first = int(np.argmax(group == worst))
    p_value = min(one.p_value for one in departures) * len(departures)
    return PublishedTest(
        rejected=False,
        p_value=min(1.0, p_value),
        level=0.0,
        tolerance=ROUNDING,
        distilled=isinstance(law, DistillationLaw),
        runs=len(kept),
        left_out=int(odd.sum()),
        noise=float(np.hypot(noise.run, noise.pair)),
        mean_relative_error=_error(residual),
        bias=float(np.expm1(residual).mean()),
        departures=departures,
        worst_group=WorstPair(
            params=float(np.exp(kept.log_params[first])),
            tokens=float(np.exp(kept.log_tokens[first])),
            mean_relative_error=float(np.expm1(means[worst])),
        ),
        suspect=_suspect(kept, law),
    )


def _axes(rows: Rows, law: LossLaw) -> FloatArray:
    """Coordinates of the runs: log size, log tokens and any log teacher loss, (runs, axes)."""
    axes = [rows.log_params, rows.log_tokens]
    if isinstance(law, DistillationLaw) and rows.log_teacher_loss is not None:
        axes.append(rows.log_teacher_loss)
    return np.column_stack(axes)


def _departures(
    residual: FloatArray, at: FloatArray, rows: Rows, allowed: float
) -> tuple[tuple[Departure, ...], SmoothNoise]:
    """How far the law is off in each way, and the noise that this is judged by.

    Args:
        residual: log predicted - log observed, shape (runs,).
        at: coordinates of the runs, shape (runs, axes).
        rows: the runs.
        allowed: log error that each expected loss may have.
    """
    from scipy.special import stdtr  # slow to import, and not needed to plan

    group = rows.groups()
    noise = smooth_noise(residual, at, group)
    counts = np.bincount(group).astype(float)
    # an error of one run in a pair is worth less where its pair shares one
    half = 1 - noise.run / np.sqrt(noise.run**2 + counts * noise.pair**2)

    def whitened(column: FloatArray) -> FloatArray:
        means = np.bincount(group, weights=column) / counts
        return np.asarray((column - (half * means)[group]) / noise.run)

    def departure(
        kind: DepartureKind, estimate: float, width: float, free: float, tries: int = 1
    ) -> Departure:
        excess = (abs(estimate) - free) / width
        return Departure(
            kind=kind,
            relative_error=float(np.expm1(estimate)),
            p_value=min(1.0, 2 * tries * float(stdtr(noise.freedom, -excess))),
        )

    target, constant = whitened(residual), whitened(np.ones(residual.size))
    power = float(constant @ constant)
    level = float(constant @ target) / power
    found = [departure(DepartureKind.LEVEL, level, power**-0.5, allowed)]
    kinds = DepartureKind.PARAMS, DepartureKind.TOKENS, DepartureKind.TEACHER_LOSS
    for kind, axis in zip(kinds, at.T, strict=False):  # supervised runs have no teacher
        column = whitened(axis)
        column = column - constant * (float(constant @ column) / power)
        spread, reach = float(column @ column), float(np.ptp(axis))
        if spread * noise.run**2 > 1e-9:
            slope = float(column @ target) / spread
            # one end may be off by as much as is allowed, the other by as much the other way
            width = reach * spread**-0.5
            found.append(departure(kind, slope * reach, width, 2 * allowed))
    means, widths = _neighborhoods(residual, at, group, noise.of_means(counts))
    worst = int(np.argmax((np.abs(means) - allowed) / widths))
    found.append(
        departure(
            DepartureKind.PLACE, float(means[worst]), float(widths[worst]), allowed, means.size
        )
    )
    return tuple(found), noise


def _neighborhoods(
    residual: FloatArray, at: FloatArray, group: IndexArray, widths: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Mean residual around each pair and its standard error, each of shape (pairs,).

    Args:
        residual: log predicted - log observed, shape (runs,).
        at: coordinates of the runs, the first two of which make the pairs, shape (runs, axes).
        group: number of the pair of each run, shape (runs,).
        widths: standard error of the mean of each pair, shape (pairs,).
    """
    counts = np.bincount(group)
    means = np.bincount(group, weights=residual) / counts
    spread = at[:, :2].std(axis=0)
    centers = np.column_stack(
        [np.bincount(group, weights=axis) / counts for axis in at[:, :2].T]
    ) / np.where(spread > 0, spread, 1.0)
    weight = widths**-2
    found = []
    for center in centers:
        nearest = np.argsort(((centers - center) ** 2).sum(axis=1), kind="stable")
        enough = int(np.searchsorted(np.cumsum(counts[nearest]), _NEIGHBORS)) + 1
        some = nearest[:enough]
        total = float(weight[some].sum())
        found.append((float(weight[some] @ means[some]) / total, total**-0.5))
    return np.array([one for one, _ in found]), np.array([width for _, width in found])


def _kind(law: LossLaw) -> str:
    return "distillation" if isinstance(law, DistillationLaw) else "supervised"


def _suspect(rows: Rows, law: LossLaw) -> Suspect:
    """One letter at a time: the best factor of a grid, refined."""
    from scipy.optimize import minimize_scalar  # slow to import, and not needed to plan

    letters = DISTILLATION_LETTERS if isinstance(law, DistillationLaw) else SUPERVISED_LETTERS
    grid, step = np.linspace(-_REACH, _REACH, _FACTORS, retstep=True)
    found = []
    for name in letters:
        if name == "c1":  # which moves losses as d1 does
            continue
        start = grid[int(np.argmin(_errors_with(grid, rows, law, name)))]
        best = minimize_scalar(
            lambda shift, *on: float(_errors_with(np.array([shift]), *on)[0]),
            bounds=(start - step, start + step),
            args=(rows, law, name),
            method="bounded",
        )
        found.append(
            Suspect(
                coefficient=name,
                factor=float(np.exp(best.x)),
                mean_relative_error=float(best.fun),
            )
        )
    return min(found, key=lambda one: one.mean_relative_error)


def _errors_with(log_factors: FloatArray, rows: Rows, law: LossLaw, name: str) -> FloatArray:
    """Mean relative errors with one letter times each factor, shape (factors,)."""
    changed = law._replace(**{name: getattr(law, name) * np.exp(log_factors)[:, None]})
    with np.errstate(all="ignore"):
        off = np.expm1(predicted_log_loss(changed, rows) - rows.log_loss)
    errors = np.abs(off).mean(axis=-1)
    return np.where(np.isfinite(errors), errors, np.inf)


def _error(residual: FloatArray) -> float:
    return float(np.abs(np.expm1(residual)).mean())
