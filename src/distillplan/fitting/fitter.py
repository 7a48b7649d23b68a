"""Runs -> a law: robust residuals beside a loose belief that the world is like a published law.

The objective is the negative logarithm of a posterior::

    sum over runs of huber(log L_pred - log L) / noise^2
    + |whitening (theta - mean)|^2 / (2 looseness^2)

``noise`` and ``looseness`` are not chosen: each is the most probable one given the residuals and
how far the fit had to move from the published law (empirical Bayes; MacKay 1992). So runs without
noise are met exactly, and what the runs do not determine stays as uncertain as laboratories differ.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from distillplan.errors import InputError
from distillplan.fitting.forms import Form, SupervisedForm
from distillplan.fitting.joint_form import JointForm
from distillplan.fitting.noise import (
    NOISE_SPREAD,
    ROBUST,
    RUN_NOISE,
    likely_scale,
    robust_squares,
)
from distillplan.fitting.prior import LOOSENESS, LOOSENESS_SPREAD, LawPrior, prior_around
from distillplan.fitting.rows import Rows, predicted_log_loss
from distillplan.fitting.solver import Solution, solve
from distillplan.fitting.starts import joint_starts, supervised_starts
from distillplan.laws.formulas import DistillationLaw, FloatArray, LossLaw, SupervisedLaw
from distillplan.named_tuples import NamedTuple

_FINALISTS: Final = 4
_ROUNDS: Final = 12
"""Most rounds of fitting and of estimating the scales; four are usual."""
_LOOSE_ROUNDS: Final = 3
"""First rounds at a looseness of 1: a tight belief would pass what it cannot fit as noise."""
_STEADY: Final = 0.01
"""Relative change of the noise within which it is found."""
_ROUGH_NOISE: Final = 0.02
"""At which the starts are compared."""
_LEAST_NOISE: Final = 1e-6
"""That of runs without any: rounding in their seventh digit."""


@dataclass(frozen=True, kw_only=True)
class FitResult:
    """A fitted law, and what its uncertainty stands on."""

    form: Form
    rows: Rows
    theta: FloatArray
    """coordinates of the form, shape (coordinates,)"""
    prior: LawPrior
    noise: float
    """standard deviation of a run around the law, in log loss"""
    looseness: float
    """how far the world is from the published law, in widths of the prior"""
    known: float
    """number of coordinates that the runs determine"""
    converged: bool
    agreement: float
    """share of the finalists among the starts that ended here"""

    @property
    def law(self) -> LossLaw:
        """The law in the paper's letters."""
        return self.form.law(self.theta)

    @property
    def residuals(self) -> FloatArray:
        """Log predicted - log observed of each run, shape (runs,)."""
        return self.form.predict(self.theta[None, :], self.rows)[0][0] - self.rows.log_loss

    @property
    def mean_relative_error(self) -> float:
        """Mean of |predicted / observed - 1|."""
        return float(np.abs(np.expm1(self.residuals)).mean())

    @property
    def spread_of_noise(self) -> float:
        """Standard deviation of the logarithm of the noise."""
        return float((2 * max(len(self.rows) - self.known, 0.0) + NOISE_SPREAD**-2) ** -0.5)

    @property
    def spread_of_looseness(self) -> float:
        """Standard deviation of the logarithm of the looseness."""
        return float((2 * self.known + LOOSENESS_SPREAD**-2) ** -0.5)

    def leverages(self) -> FloatArray:
        """How much each run draws the fit to itself, from 0 to 1, shape (runs,)."""
        around = curvature(self.form, self.rows, self.theta, self.prior, self)
        pulled = ((around.slopes @ around.covariance) * around.slopes).sum(axis=1) / self.noise**2
        return np.asarray(np.clip(pulled, 0.0, 1.0))

    def spread_at(self, rows: Rows) -> FloatArray:
        """Standard deviation of the law's log loss for other runs, shape (runs,)."""
        around = curvature(self.form, self.rows, self.theta, self.prior, self)
        slopes = self.form.predict(self.theta[None, :], rows)[1][0]
        return np.asarray(np.sqrt(((slopes @ around.covariance) * slopes).sum(axis=1)))


def fit(
    rows: Rows,
    like: LossLaw,
    *,
    coupled: bool = True,
    known: SupervisedLaw | None = None,
) -> FitResult:
    """Fit Equation 1, or Equations 1 and 8 together.

    Args:
        rows: the runs.
        like: the published law that the world is believed to be like; of a distillation law both
            equations are fitted.
        coupled: outer exponent gamma free; otherwise 1. For Equation 1.
        known: joint draws of the supervised side where it is not fitted (letters of shape
            (draws,) or single ones).

    Raises:
        InputError: when there are no runs.
    """
    if len(rows) == 0:
        raise InputError("no runs are left to fit; give at least one")
    if not isinstance(like, DistillationLaw):
        plain_form = SupervisedForm.around(rows, coupled=coupled)
        starts = supervised_starts(plain_form, rows)
        return _fit(plain_form, rows, prior_around(plain_form, like), starts)
    form = JointForm.around(rows, _at_level(like, rows))
    fixed = None if known is None else np.atleast_2d(form.alone.theta(known))
    prior = prior_around(form, like, fixed)
    alone = prior.mean[: len(form.alone.names)]
    plain = rows.take(~rows.distilled)
    if known is None and len(plain):
        near = SupervisedForm(
            middle_log_params=form.alone.middle_log_params,
            middle_log_tokens=form.alone.middle_log_tokens,
        )
        own = prior_around(near, like.supervised)
        alone = _fit(near, plain, own, supervised_starts(near, plain)).theta
    return _fit(form, rows, prior, joint_starts(form, alone, rows))


def refit(
    result: FitResult,
    weights: FloatArray,
    target: FloatArray | None = None,
    belief: FloatArray | None = None,
) -> FloatArray:
    """Coordinates for other weights, losses or beliefs, shape (batch, coordinates).

    For draws, folds and held-out groups: every fit of the batch starts at the fit of all runs and
    keeps its scales.

    Args:
        result: the fit of all runs.
        weights: multiplicities of the runs, shape (batch, runs).
        target: log losses instead of the observed ones, shape (batch, runs).
        belief: how far the middle of the prior is moved, in widths, shape (batch, coordinates).
    """
    starts = np.repeat(result.theta[None, :], len(weights), axis=0)
    return solve(
        result.form,
        result.rows,
        starts,
        delta=ROBUST * result.noise,
        weights=weights,
        target=target,
        penalty=result.prior,
        penalty_weight=(result.noise / result.looseness) ** 2,
        penalty_shift=belief,
        steps=40,
        tolerance=1e-9,
    ).theta


def _at_level(law: DistillationLaw, rows: Rows) -> DistillationLaw:
    """The law with all losses scaled to those of the runs, in the middle."""
    scale = np.median(rows.log_loss - predicted_log_loss(law, rows))
    return moved(law, float(scale))


def moved(law: Any, log_scale: Any, log_gap: Any = 0.0) -> Any:
    """A law with all losses times s and the reducible loss of both sides times g.

    The published law is given losses divided by s, and its answer is multiplied by s: E and the
    reducible loss grow by s, and Equation 8 needs another s^c0.

    Args:
        law: of either kind.
        log_scale: log s, a number or an array that broadcasts against the letters.
        log_gap: log g, likewise.

    >>> law = SupervisedLaw(E=2.0, A=400.0, B=400.0, alpha=0.3, beta=0.3)
    >>> round(moved(law, 0.1).loss(1e9, 1e10) / law.loss(1e9, 1e10), 12)
    1.105170918076
    """
    if isinstance(law, SupervisedLaw):
        factor = np.exp((log_scale + log_gap) / law.gamma)
        return law._replace(E=law.E * np.exp(log_scale), A=law.A * factor, B=law.B * factor)
    factor = np.exp(((1 + law.c0) * log_scale + log_gap) / law.gamma)
    alone = moved(law.supervised, log_scale, log_gap)
    return law._replace(supervised=alone, A=law.A * factor, B=law.B * factor)


class _Scales(NamedTuple):
    """Noise and looseness, the most probable ones on the way to a fit."""

    noise: float
    looseness: float


def _fit(form: Form, rows: Rows, prior: LawPrior, starts: FloatArray) -> FitResult:
    level = np.median(rows.log_loss - form.predict(prior.mean[None, :], rows)[0][0])
    center = form.theta(moved(form.law(prior.mean), float(level)))
    every = np.concatenate([[prior.mean, center], starts])
    scales = _Scales(noise=_ROUGH_NOISE, looseness=1.0)
    rough = _solve(form, rows, every, prior, scales, steps=15, tolerance=1e-4)
    best = rough.theta[np.argsort(rough.cost)[:_FINALISTS]]
    winner = best[:1]
    for turn in range(_ROUNDS):
        winner = _solve(form, rows, winner, prior, scales).theta
        before = scales.noise
        scales = _most_probable(form, rows, winner[0], prior, scales)
        if turn == 1:  # now that the scales are about right, another start may be the best
            others = _solve(form, rows, best, prior, scales)
            winner = others.theta[[int(np.argmin(others.cost))]]
        if turn < _LOOSE_ROUNDS:
            scales = scales._replace(looseness=1.0)
        elif abs(np.log(scales.noise / before)) < _STEADY:
            break
    found = _solve(form, rows, np.concatenate([winner, best]), prior, scales)
    least = int(np.argmin(found.cost))
    theta = found.theta[least]
    return FitResult(
        form=form,
        rows=rows,
        theta=theta,
        prior=prior,
        noise=scales.noise,
        looseness=scales.looseness,
        known=_known(prior, scales, curvature(form, rows, theta, prior, scales).covariance),
        converged=bool(found.converged[least]),
        agreement=float(np.mean(found.cost[1:] <= found.cost[least] * (1 + 1e-3) + 1e-24)),
    )


def _solve(
    form: Form, rows: Rows, starts: FloatArray, prior: LawPrior, scales: _Scales, **how: Any
) -> Solution:
    return solve(
        form,
        rows,
        starts,
        delta=ROBUST * scales.noise,
        penalty=prior,
        penalty_weight=(scales.noise / scales.looseness) ** 2,
        **how,
    )


def _most_probable(
    form: Form, rows: Rows, theta: FloatArray, prior: LawPrior, scales: _Scales
) -> _Scales:
    """The scales that the residuals, and the way from the published law, make most probable."""
    around = curvature(form, rows, theta, prior, scales)
    known = _known(prior, scales, around.covariance)
    squares = robust_squares(around.residual, scales.noise)
    away = prior.whitening @ (theta - prior.mean)
    noise = likely_scale(squares, len(rows) - known, RUN_NOISE, NOISE_SPREAD)
    return _Scales(
        noise=max(noise, _LEAST_NOISE),
        looseness=likely_scale(float((away**2).sum()), known, LOOSENESS, LOOSENESS_SPREAD),
    )


def _known(prior: LawPrior, scales: Any, covariance: FloatArray) -> float:
    """Number of coordinates that the runs determine: the others are as the prior has them."""
    left = float((prior.precision * covariance).sum()) / scales.looseness**2
    return len(covariance) - left


class Curvature(NamedTuple):
    """The objective around a fit."""

    residual: FloatArray
    """log predicted - log observed, shape (runs,)"""
    slopes: FloatArray
    """of the residuals, less where they are cut off, shape (runs, coordinates)"""
    covariance: FloatArray
    """of the coordinates, shape (coordinates, coordinates)"""


def curvature(form: Form, rows: Rows, theta: FloatArray, prior: LawPrior, scales: Any) -> Curvature:
    """The objective around theta, shape (coordinates,); ``scales`` are a noise and a looseness."""
    predicted, jacobian = form.predict(theta[None, :], rows)
    residual = predicted[0] - rows.log_loss
    size = np.maximum(np.abs(residual), 1e-300)
    slopes = jacobian[0] * np.sqrt(np.minimum(1.0, ROBUST * scales.noise / size))[:, None]
    information = slopes.T @ slopes / scales.noise**2 + prior.precision / scales.looseness**2
    return Curvature(residual=residual, slopes=slopes, covariance=np.linalg.inv(information))
