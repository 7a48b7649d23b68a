"""Many robust fits at once: damped Gauss-Newton on Huber's loss.

minimize  sum_i w_i huber_delta(log L_pred,i - log L_i) + sum_k ((g_k(theta) - m_k) / t_k)^2 / 2

The piecewise quadratic is followed by Newton steps with the exact curvature of Huber's loss, damped
after Levenberg and Marquardt (Madsen and Nielsen 1990).

Why not scipy.optimize.least_squares(loss="huber")? It solves one problem at a time, and joint draws
are hundreds of them; ``tests/benchmarks/test_fitting_speed.py`` has the comparison.
"""

from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeAlias

import numpy as np

from distillplan.fitting.forms import bounds
from distillplan.fitting.rows import IndexArray, Mask
from distillplan.laws.formulas import FloatArray

_MOST_CELLS: Final = 400_000
"""Fits times runs held in memory at once: about 100 MB of slopes."""

_PATIENCE: Final = 12
"""Refused steps in a row that end a fit: the damping has then grown by 6^12."""

_ZERO_COST: Final = 1e-29
"""A sum of squares of rounding errors: nothing is left to gain."""


Which: TypeAlias = IndexArray | slice
"""Some fits of a batch, or all."""


class Penalty(Protocol):
    """Quadratic penalties: residuals in units of their widths, and their slopes."""

    def __call__(self, theta: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Residuals (batch, terms) and slopes (batch, terms, coordinates)."""
        ...


class Observed(Protocol):
    """What is fitted to."""

    @property
    def log_loss(self) -> FloatArray:
        """Log of the losses, shape (runs,)."""
        ...

    def __len__(self) -> int:
        """Number of runs."""
        ...


class Fittable(Protocol):
    """What is fitted."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the coordinates."""
        ...

    def predict(self, theta: FloatArray, rows: Any) -> tuple[FloatArray, FloatArray]:
        """Log loss, shape (batch, runs), and its slopes, (batch, runs, coordinates)."""
        ...


@dataclass(frozen=True, kw_only=True)
class Solution:
    """Where each fit of a batch ended."""

    theta: FloatArray
    """coordinates, shape (batch, coordinates)"""
    cost: FloatArray
    """the objective, shape (batch,)"""
    converged: Mask
    """whether the last step was within the tolerance, shape (batch,)"""


def huber_cost(residual: FloatArray, delta: float) -> FloatArray:
    """Huber's loss of residuals of any shape: r^2 / 2 inside delta, else delta (|r| - delta / 2).

    >>> [float(f"{v:.3g}") for v in huber_cost(np.array([5e-5, 1e-2]), 1e-4)]
    [1.25e-09, 9.95e-07]
    """
    from scipy.special import huber  # slow to import, and not needed to plan

    return np.asarray(huber(delta, residual))


def solve(
    form: Fittable,
    rows: Observed,
    starts: FloatArray,
    *,
    delta: float,
    weights: FloatArray | None = None,
    target: FloatArray | None = None,
    penalty: Penalty | None = None,
    penalty_weight: float = 1.0,
    penalty_shift: FloatArray | None = None,
    steps: int = 200,
    tolerance: float = 1e-12,
) -> Solution:
    """Descend from every start.

    Args:
        form: the law.
        rows: the runs.
        starts: shape (batch, coordinates).
        delta: width of the quadratic part of Huber's loss; infinity is least squares.
        weights: multiplicities of the runs, shape (batch, runs); None is one each.
        target: log losses to fit instead of those of the rows, shape (batch, runs).
        penalty: residuals of priors, added as half squares times ``penalty_weight``.
        penalty_weight: the price of a prior's unit in the objective's unit.
        penalty_shift: residuals that the prior should have instead of zero, shape (batch, terms).
        steps: most steps.
        tolerance: relative fall of the objective under which a fit has converged.
    """
    low, high = bounds(form.names)
    starts = np.clip(np.array(starts, dtype=float), low, high)
    batch, every = len(starts), (len(starts), len(rows))
    weights = np.broadcast_to(1.0 if weights is None else weights, every)
    target = np.broadcast_to(rows.log_loss if target is None else target, every)
    shift = np.zeros((batch, 1)) if penalty_shift is None else penalty_shift
    size = max(1, _MOST_CELLS // max(len(rows), 1))
    parts = []
    for first in range(0, batch, size):
        here = slice(first, first + size)
        problem = _Problem(
            form=form,
            rows=rows,
            weights=weights[here],
            target=target[here],
            penalty=penalty,
            penalty_weight=penalty_weight,
            penalty_shift=shift[here],
            low=low,
            high=high,
        )
        parts.append(_descend(problem, starts[here], delta, steps, tolerance))
    return Solution(
        theta=np.concatenate([one.theta for one in parts]),
        cost=np.concatenate([one.cost for one in parts]),
        converged=np.concatenate([one.converged for one in parts]),
    )


@dataclass(frozen=True, kw_only=True)
class _Problem:
    """What is minimized; ``which`` are the fits of the batch that still run."""

    form: Fittable
    rows: Observed
    weights: FloatArray
    target: FloatArray
    penalty: Penalty | None
    penalty_weight: float
    penalty_shift: FloatArray
    low: FloatArray
    high: FloatArray

    def residuals(self, theta: FloatArray, which: Which) -> tuple[FloatArray, FloatArray]:
        """Log predicted - log observed, and slopes."""
        predicted, jacobian = self.form.predict(theta, self.rows)
        return predicted - self.target[which], jacobian

    def value(
        self, theta: FloatArray, residual: FloatArray, delta: float, which: Which
    ) -> FloatArray:
        """The objective of each fit; infinite where it is not a number."""
        prior, _ = self.prior(theta, which)
        total = (self.weights[which] * huber_cost(residual, delta)).sum(axis=1)
        total = total + self.penalty_weight * (prior**2).sum(axis=1) / 2
        return np.where(np.isfinite(total), total, np.inf)

    def prior(self, theta: FloatArray, which: Which) -> tuple[FloatArray, FloatArray]:
        """Residuals of the prior and their slopes; without a prior there are no terms."""
        if self.penalty is None:
            return np.zeros((len(theta), 0)), np.zeros((len(theta), 0, theta.shape[1]))
        residual, slopes = self.penalty(theta)
        return residual - self.penalty_shift[which], slopes

    def slopes(self, state: "_State", which: Which, delta: float) -> tuple[FloatArray, FloatArray]:
        """Gradient (batch, coordinates) and curvature (batch, coordinates, coordinates)."""
        residual, jacobian = state.residual[which], state.jacobian[which]
        size = np.maximum(np.abs(residual), 1e-300)
        # the exact curvature converges at once near the end; after a refused step the majorizing
        # one, which is never too flat, takes a turn
        exact = state.exact[which][:, None]
        bend = np.where(exact, size <= delta, np.minimum(1.0, delta / size)) * self.weights[which]
        pull = np.clip(residual, -delta, delta) * self.weights[which]
        prior, prior_slopes = self.prior(state.theta[which], which)
        gradient = np.matmul(pull[:, None, :], jacobian)[:, 0]
        gradient += self.penalty_weight * np.matmul(prior[:, None, :], prior_slopes)[:, 0]
        curvature = np.matmul((jacobian * bend[..., None]).transpose(0, 2, 1), jacobian)
        curvature += self.penalty_weight * np.matmul(prior_slopes.transpose(0, 2, 1), prior_slopes)
        return gradient, curvature


@dataclass(kw_only=True)
class _State:
    """The current point of every fit of the batch; changed in place, for speed."""

    theta: FloatArray
    residual: FloatArray
    jacobian: FloatArray
    cost: FloatArray
    damping: FloatArray
    exact: Mask
    idle: IndexArray
    """refused steps in a row"""


def _descend(
    problem: _Problem, theta: FloatArray, delta: float, steps: int, tolerance: float
) -> Solution:
    batch = len(theta)
    running: IndexArray = np.arange(batch)
    residual, jacobian = problem.residuals(theta, running)
    state = _State(
        theta=theta.copy(),
        residual=residual,
        jacobian=jacobian,
        cost=problem.value(theta, residual, delta, running),
        damping=np.full(batch, 1e-3),
        exact=np.ones(batch, dtype=bool),
        idle=np.zeros(batch, dtype=np.intp),
    )
    for _ in range(steps):
        running = _step(problem, state, running, delta, tolerance)
        if running.size == 0:
            break
    done = np.ones(batch, dtype=bool)
    done[running] = False
    return Solution(theta=state.theta, cost=state.cost, converged=done)


def _step(
    problem: _Problem, state: _State, running: IndexArray, delta: float, tolerance: float
) -> IndexArray:
    """One trial step of every running fit; returns those that go on."""
    # while all run, a slice: it copies no slopes
    which: Which = slice(None) if running.size == len(state.cost) else running
    gradient, curvature = problem.slopes(state, which, delta)
    here = state.theta[which]
    # at a bound, a coordinate that would leave it stays, and the others move as if it were held
    stays = ((here <= problem.low) & (gradient > 0)) | ((here >= problem.high) & (gradient < 0))
    if stays.any():
        gradient = np.where(stays, 0.0, gradient)
        apart = (stays[:, :, None] | stays[:, None, :]) & ~np.eye(here.shape[1], dtype=bool)
        curvature = np.where(apart, 0.0, curvature)
    trial = here - _damped(gradient, curvature, state.damping[running])
    trial = np.minimum(np.maximum(trial, problem.low), problem.high)
    residual, jacobian = problem.residuals(trial, which)
    cost = problem.value(trial, residual, delta, which)
    before = state.cost[running]
    better = cost < before
    fall = (before - cost) / np.maximum(before, 1e-300)
    won = running[better]
    state.theta[won], state.cost[won] = trial[better], cost[better]
    state.residual[won], state.jacobian[won] = residual[better], jacobian[better]
    state.damping[running] = np.maximum(state.damping[running] * np.where(better, 0.2, 6.0), 1e-12)
    state.exact[running] = better | ~state.exact[running]
    state.idle[running] = np.where(better, 0, state.idle[running] + 1)
    ended = (state.idle[running] >= _PATIENCE) | (better & (fall < tolerance))
    ended |= state.cost[running] <= _ZERO_COST
    return running[~ended]


def _damped(gradient: FloatArray, curvature: FloatArray, damping: FloatArray) -> FloatArray:
    """Levenberg-Marquardt steps, scaled by the diagonal of the curvature; (batch, coordinates)."""
    diagonal = np.einsum("bii->bi", curvature)
    largest = _finite(diagonal).max(axis=1, keepdims=True)
    scale = np.sqrt(np.maximum(diagonal, 1e-10 * largest + 1e-60))
    scaled = _finite(curvature / (scale[:, :, None] * scale[:, None, :]))
    # damping of at least 1e-12 keeps these definite but for rounding, which costs a refused step
    scaled += (damping[:, None, None] + 1e-14) * np.eye(gradient.shape[1])
    right = _finite(gradient / scale)
    return np.linalg.solve(scaled, right[..., None])[..., 0] / scale


def _finite(values: FloatArray) -> FloatArray:
    """The values, with finite numbers for those that are none."""
    # they nearly always are, and to look costs a tenth of what `nan_to_num` does
    return values if np.isfinite(values).all() else np.nan_to_num(values)
