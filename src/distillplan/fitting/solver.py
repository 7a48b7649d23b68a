"""Many robust fits at once: damped Gauss-Newton on Huber's loss, narrowing its width.

minimise  sum_i w_i huber_delta(log L_pred,i - log L_i) + sum_k ((g_k(theta) - m_k) / t_k)^2 / 2

With delta = 1e-4 (the paper's) and residuals of a few 1e-3 the loss is nearly an absolute value,
on which plain least-squares steps crawl. So delta starts at the spread of the residuals and is
narrowed; at each width the piecewise quadratic is followed by Newton steps with the exact
curvature of Huber's loss, damped after Levenberg and Marquardt (Madsen and Nielsen 1990).
"""

from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np

from distillplan.fitting.forms import Form, bounds
from distillplan.fitting.rows import IndexArray, Mask, Rows
from distillplan.laws.formulas import FloatArray

HUBER_DELTA: Final = 1e-4
"""Width of the quadratic part of the loss, in log loss (Appendix F of the paper)."""


class Penalty(Protocol):
    """Quadratic penalties: residuals in units of their widths, and their slopes."""

    def __call__(self, theta: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Residuals (batch, terms) and slopes (batch, terms, coordinates)."""
        ...


@dataclass(frozen=True, kw_only=True)
class Solution:
    """Where each fit of a batch ended."""

    theta: FloatArray
    """coordinates, (batch, coordinates)"""
    cost: FloatArray
    """the objective, (batch,)"""
    converged: Mask
    """whether the last step was within the tolerance, (batch,)"""


def huber_cost(residual: FloatArray, delta: float = HUBER_DELTA) -> FloatArray:
    """Huber's loss: r^2 / 2 inside delta, delta (|r| - delta / 2) outside.

    >>> [float(f"{v:.3g}") for v in huber_cost(np.array([5e-5, 1e-2]))]
    [1.25e-09, 9.95e-07]
    """
    inside = np.minimum(np.abs(residual), delta)
    return inside * (np.abs(residual) - inside / 2)


def solve(
    form: Form,
    rows: Rows,
    starts: FloatArray,
    *,
    deltas: tuple[float, ...] = (HUBER_DELTA,),
    weights: FloatArray | None = None,
    target: FloatArray | None = None,
    penalty: Penalty | None = None,
    penalty_weight: float = 1.0,
    penalty_shift: FloatArray | None = None,
    held: tuple[int, ...] = (),
    steps: int = 60,
    tolerance: float = 1e-12,
) -> Solution:
    """Descend from every start, at each width of the loss in turn.

    Args:
        form: the law.
        rows: the runs.
        starts: (batch, coordinates).
        deltas: widths of Huber's loss, the last one final; infinity is least squares.
        weights: (batch, rows) multiplicities of the runs; None is one each.
        target: (batch, rows) log losses to fit instead of those of the rows.
        penalty: residuals of priors, added as half squares times ``penalty_weight``.
        penalty_weight: the price of a prior's unit in the objective's unit.
        penalty_shift: (batch, terms) residuals that the prior is to have instead of none.
        held: coordinates that keep their start value.
        steps: most steps at each width.
        tolerance: relative fall of the objective under which a fit has converged.
    """
    low, high = bounds(form.names)
    starts = np.clip(np.array(starts, dtype=float), low, high)
    size = max(1, _MOST_CELLS // max(len(rows), 1))
    parts = []
    for first in range(0, starts.shape[0], size):
        here = slice(first, first + size)
        problem = _Problem(
            form=form,
            rows=rows,
            weights=weights if weights is None or len(weights) == 1 else weights[here],
            target=_targets(rows, target, here),
            penalty=penalty,
            penalty_weight=penalty_weight,
            penalty_shift=None if penalty_shift is None else penalty_shift[here],
            low=low,
            high=high,
            free=np.array([i for i in range(len(form.names)) if i not in held]),
        )
        theta = starts[here]
        cost, done = np.zeros(theta.shape[0]), np.zeros(theta.shape[0], dtype=bool)
        for delta in deltas:
            theta, cost, done = _descend(problem, theta, delta, steps, tolerance)
        parts.append((theta, cost, done))
    thetas, costs, dones = zip(*parts, strict=True)
    return Solution(
        theta=np.concatenate(thetas), cost=np.concatenate(costs), converged=np.concatenate(dones)
    )


_MOST_CELLS: Final = 400_000
"""Fits times runs held in memory at once: about 100 MB of slopes."""


def _targets(rows: Rows, target: FloatArray | None, here: slice) -> FloatArray:
    if target is None:
        return rows.log_loss[None, :]
    return target if len(target) == 1 else target[here]


@dataclass(frozen=True, kw_only=True)
class _Problem:
    """What is minimised; ``which`` picks the fits of the batch that still run."""

    form: Form
    rows: Rows
    weights: FloatArray | None
    target: FloatArray
    penalty: Penalty | None
    penalty_weight: float
    penalty_shift: FloatArray | None
    low: FloatArray
    high: FloatArray
    free: IndexArray

    def residuals(self, theta: FloatArray, which: IndexArray) -> tuple[FloatArray, FloatArray]:
        predicted, jacobian = self.form.predict(theta, self.rows)
        target = self.target if self.target.shape[0] == 1 else self.target[which]
        return predicted - target, jacobian

    def weighted(self, values: FloatArray, which: IndexArray) -> FloatArray:
        if self.weights is None:
            return values
        return values * (self.weights if self.weights.shape[0] == 1 else self.weights[which])

    def value(
        self, theta: FloatArray, residual: FloatArray, delta: float, which: IndexArray
    ) -> FloatArray:
        total = self.weighted(huber_cost(residual, delta), which).sum(axis=1)
        if self.penalty is not None:
            prior, _ = self.prior(theta, which)
            total = total + self.penalty_weight * (prior**2).sum(axis=1) / 2
        return np.where(np.isfinite(total), total, np.inf)

    def prior(self, theta: FloatArray, which: IndexArray) -> tuple[FloatArray, FloatArray]:
        """Residuals of the prior and their slopes; none where there is no prior."""
        if self.penalty is None:
            return np.zeros((len(theta), 0)), np.zeros((len(theta), 0, theta.shape[1]))
        residual, slopes = self.penalty(theta)
        if self.penalty_shift is not None:
            residual = residual - self.penalty_shift[which]
        return residual, slopes

    def slopes(
        self,
        state: "_State",
        which: IndexArray,
        delta: float,
    ) -> tuple[FloatArray, FloatArray]:
        """Gradient and curvature in the free coordinates."""
        residual = state.residual[which]
        size = np.maximum(np.abs(residual), 1e-300)
        # the exact curvature converges at once near the end; after a refused step the majorising
        # one, which is never too flat, takes a turn
        exact = state.exact[which][:, None]
        bend = np.where(exact, size <= delta, np.minimum(1.0, delta / size))
        pull = self.weighted(np.clip(residual, -delta, delta), which)
        bend = self.weighted(bend, which)
        by_theta = state.jacobian[which][..., self.free]
        gradient = np.matmul(pull[:, None, :], by_theta)[:, 0]
        curvature = np.matmul((by_theta * bend[..., None]).transpose(0, 2, 1), by_theta)
        if self.penalty is not None:
            prior, prior_slopes = self.prior(state.theta[which], which)
            prior_slopes = prior_slopes[..., self.free]
            gradient += self.penalty_weight * np.matmul(prior[:, None, :], prior_slopes)[:, 0]
            curvature += self.penalty_weight * np.matmul(
                prior_slopes.transpose(0, 2, 1), prior_slopes
            )
        return gradient, curvature


@dataclass(kw_only=True)
class _State:
    """Where every fit of the batch stands; changed in place, for speed."""

    theta: FloatArray
    residual: FloatArray
    jacobian: FloatArray
    cost: FloatArray
    damping: FloatArray
    exact: Mask
    idle: IndexArray
    """refused or negligible steps in a row"""


_PATIENCE: Final = 12
"""Refused steps in a row that end a fit: the damping has then grown by 6^12."""


def _descend(
    problem: _Problem, theta: FloatArray, delta: float, steps: int, tolerance: float
) -> tuple[FloatArray, FloatArray, Mask]:
    batch = theta.shape[0]
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
    return state.theta, state.cost, done


def _step(
    problem: _Problem, state: _State, running: IndexArray, delta: float, tolerance: float
) -> IndexArray:
    """One trial step of every running fit; gives back those that go on."""
    gradient, curvature = problem.slopes(state, running, delta)
    trial = state.theta[running]
    # at a bound, a coordinate that would leave it stays, and the others move as if it were held
    here, low, high = trial[:, problem.free], problem.low[problem.free], problem.high[problem.free]
    stays = ((here <= low) & (gradient > 0)) | ((here >= high) & (gradient < 0))
    gradient = np.where(stays, 0.0, gradient)
    apart = (stays[:, :, None] | stays[:, None, :]) & ~np.eye(here.shape[1], dtype=bool)
    curvature = np.where(apart, 0.0, curvature)
    trial[:, problem.free] -= _damped(gradient, curvature, state.damping[running])
    trial = np.clip(trial, problem.low, problem.high)
    residual, jacobian = problem.residuals(trial, running)
    cost = problem.value(trial, residual, delta, running)
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


_ZERO_COST: Final = 1e-29
"""A sum of squares of rounding errors: nothing is left to gain."""


def _damped(gradient: FloatArray, curvature: FloatArray, damping: FloatArray) -> FloatArray:
    """Levenberg-Marquardt steps, scaled by the diagonal of the curvature."""
    diagonal = np.einsum("bii->bi", curvature)
    largest = np.max(np.nan_to_num(diagonal), axis=1, keepdims=True)
    scale = np.sqrt(np.maximum(diagonal, 1e-10 * largest + 1e-60))
    scaled = np.nan_to_num(curvature / (scale[:, :, None] * scale[:, None, :]))
    scaled += damping[:, None, None] * np.eye(gradient.shape[1])
    right = np.nan_to_num(gradient / scale)
    # damping of at least 1e-12 keeps these definite but for rounding, which costs a refused step
    scaled += 1e-14 * np.eye(gradient.shape[1])
    return np.linalg.solve(scaled, right[..., None])[..., 0] / scale
