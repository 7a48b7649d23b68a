"""Joint draws of all fifteen letters around a known point, when the law itself misfits.

Log losses y of distillation and supervised runs are modeled as

    y = log L(letters) + misfit + run noise

with a Gaussian prior on the logarithms of the letters (printed intervals, widened by the rounding
of the print) and a smooth misfit: a Gaussian process over (log N_S, log D_S, log L_T), because the
residuals of Equation 8 are no white noise but bend along each student's curve and shift with the
student (Kennedy and O'Hagan 2001). Without it a few hundred runs would claim to know the letters
ten times better than they do, and would push them out of their printed intervals.

The point is known: the law that ships, which keeps every printed digit. So the posterior is not
searched for its maximum but taken at the point: its covariance is that of the linear model there
(Laplace), and its mean is the point. ``JointPosterior.lean`` says how far the runs would pull it.
Predictions of new runs add the misfit and the noise back, independently, as a single ``sigma_run``.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from distillplan.fitting.rows import Rows, predicted_log_loss
from distillplan.laws.draws import DISTILLATION_COLUMNS, columns_of_law, law_of_columns
from distillplan.laws.formulas import DistillationLaw, FloatArray

COLUMNS: Final = DISTILLATION_COLUMNS
"""Names of the fifteen letters in the order of every vector here, and in a file of draws."""

_STEP: Final = 1e-6
"""Step of central differences in the log of a letter."""


@dataclass(frozen=True, kw_only=True)
class Misfit:
    """Scales of what the law does not describe, in log loss."""

    run: float
    """standard deviation of a run around its smooth misfit"""
    smooth: float
    """standard deviation of the smooth misfit of Equation 8"""
    claimed: float
    """standard deviation, around the law, of a loss that is known only to the claimed accuracy"""
    reach_params: float = 1.0
    """e-folds of N_S over which the misfit is correlated"""
    reach_tokens: float = 0.7
    """e-folds of D_S over which the misfit is correlated"""
    reach_teacher: float = 0.1
    """e-folds of L_T over which the misfit is correlated"""


@dataclass(frozen=True, kw_only=True)
class LetterPrior:
    """Independent Gaussians on the logarithms of the letters, in the order of ``COLUMNS``."""

    mean: FloatArray
    sd: FloatArray


@dataclass(frozen=True, kw_only=True)
class JointPosterior:
    """A Gaussian over the logarithms of the letters."""

    mean: FloatArray
    """the point, shape (15,)"""
    covariance: FloatArray
    lean: FloatArray
    """what the runs and the prior would add to the mean if the point were not kept, shape (15,)"""
    log_evidence: float
    """log density of the runs, up to a constant; compares scales of the misfit"""

    def draws(self, count: int, seed: int) -> FloatArray:
        """Letters (not logarithms), shape (count, 15); ``count`` is even.

        Every draw is followed by its mirror image, and the whole set has exactly this mean and
        covariance, so a few hundred draws are centered on the point without sampling error.
        """
        half = np.random.default_rng(seed).standard_normal((count // 2, self.mean.size))
        spread = half.T @ half / len(half)
        half = half @ np.linalg.inv(np.linalg.cholesky(spread)).T
        scale, axes = np.linalg.eigh(self.covariance)
        away = half * np.sqrt(np.maximum(scale, 0.0)) @ axes.T
        return np.exp(self.mean + np.stack([away, -away], axis=1).reshape(-1, self.mean.size))


def joint_law(letters: FloatArray) -> DistillationLaw:
    """The law of fifteen letters in the order of ``COLUMNS``."""
    law = law_of_columns(dict(zip(COLUMNS, map(float, letters), strict=True)))
    if not isinstance(law, DistillationLaw):
        raise TypeError("fifteen letters are those of a distillation law")
    return law


def letters_of_law(law: DistillationLaw) -> FloatArray:
    """The inverse of ``joint_law``, shape (15,)."""
    columns = columns_of_law(law)
    return np.array([columns[name] for name in COLUMNS])


@dataclass(frozen=True, kw_only=True)
class Known:
    """What is known of the losses: runs, and losses of the law that were not run here."""

    runs: Rows
    """distilled runs, whose misfit is smooth"""
    stated: Rows
    """distilled losses known to the claimed accuracy"""
    supervised: Rows
    """supervised losses known to the claimed accuracy"""

    @property
    def log_loss(self) -> FloatArray:
        """All of them."""
        parts = (self.runs, self.stated, self.supervised)
        return np.concatenate([part.log_loss for part in parts])


def joint_posterior(
    point: FloatArray, known: Known, prior: LetterPrior, misfit: Misfit
) -> JointPosterior:
    """Condition the prior on what is known, around the letters of ``point``, shape (15,)."""
    mean = np.log(point)
    covariance = _noise(known, misfit)
    weight = np.linalg.inv(covariance)
    slopes = _slopes(mean, known)
    residual = _predict(mean, known) - known.log_loss
    information = slopes.T @ weight @ slopes + np.diag(prior.sd**-2.0)
    gradient = slopes.T @ weight @ residual + (mean - prior.mean) / prior.sd**2
    surprise = slopes @ (mean - prior.mean) - residual
    marginal = covariance + (slopes * prior.sd**2) @ slopes.T
    evidence = surprise @ np.linalg.solve(marginal, surprise) + np.linalg.slogdet(marginal)[1]
    return JointPosterior(
        mean=mean,
        covariance=np.asarray(np.linalg.inv(information), dtype=float),
        lean=np.asarray(-np.linalg.solve(information, gradient), dtype=float),
        log_evidence=-0.5 * float(evidence),
    )


def draws_log_loss(draws: FloatArray, rows: Rows) -> FloatArray:
    """Log loss of distillation runs under every draw, shape (draws, rows)."""
    return np.stack([predicted_log_loss(joint_law(letters), rows) for letters in draws])


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """How often 90% bands hold runs of a (N_S, D_S) pair that was left out."""

    rows: float
    """share of the runs inside"""
    groups: float
    """share of the pairs whose mean residual is inside the band of a mean"""
    error: float
    """mean |relative error| of the left-out runs under the point"""


def left_out_coverage(
    known: Known,
    prior: LetterPrior,
    misfit: Misfit,
    point_of: Callable[[Rows], FloatArray],
    *,
    sigma_run: float,
    draws: int = 2000,
    seed: int = 1,
) -> Coverage:
    """Coverage of 90% bands, every (N_S, D_S) pair in turn predicted from the others.

    A band holds the quantiles 5% to 95% of draws of the letters plus ``sigma_run`` of noise,
    exactly as a user of the shipped draws would form it. ``point_of`` finds the letters anew from
    the runs that are left, so that nothing has seen those that are left out.
    """
    distilled = known.runs
    group = distilled.groups()
    generator = np.random.default_rng(seed)
    inside: list[bool] = []
    means: list[bool] = []
    errors: list[float] = []
    for one in range(int(group.max()) + 1):
        test = distilled.take(group == one)
        rest = replace(known, runs=distilled.take(group != one))
        posterior = joint_posterior(point_of(rest.runs), rest, prior, misfit)
        predicted = draws_log_loss(posterior.draws(draws, seed), test)
        noisy = predicted + sigma_run * generator.standard_normal(predicted.shape)
        low, high = np.quantile(noisy, [0.05, 0.95], axis=0)
        inside.extend((low <= test.log_loss) & (test.log_loss <= high))
        # the runs of a pair share their misfit, so the band of a mean is as wide as that of a run
        shared = predicted.mean(axis=1) + sigma_run * generator.standard_normal(draws)
        low, high = np.quantile(shared, [0.05, 0.95])
        means.append(bool(low <= test.log_loss.mean() <= high))
        center = predicted_log_loss(joint_law(np.exp(posterior.mean)), test)
        errors.extend(np.abs(np.expm1(center - test.log_loss)))
    return Coverage(
        rows=float(np.mean(inside)), groups=float(np.mean(means)), error=float(np.mean(errors))
    )


def _predict(mean: FloatArray, known: Known) -> FloatArray:
    law = joint_law(np.exp(mean))
    distilled = [predicted_log_loss(law, part) for part in (known.runs, known.stated)]
    return np.concatenate([*distilled, predicted_log_loss(law.supervised, known.supervised)])


def _slopes(mean: FloatArray, known: Known) -> FloatArray:
    columns = [
        (_predict(mean + shift, known) - _predict(mean - shift, known)) / (2 * _STEP)
        for shift in _STEP * np.eye(mean.size)
    ]
    return np.column_stack(columns)


def _noise(known: Known, misfit: Misfit) -> FloatArray:
    """Covariance of the log losses around the law."""
    runs = known.runs
    if runs.log_teacher_loss is None:
        raise ValueError("distillation runs need a teacher's loss")
    place = np.column_stack(
        [
            runs.log_params / misfit.reach_params,
            runs.log_tokens / misfit.reach_tokens,
            runs.log_teacher_loss / misfit.reach_teacher,
        ]
    )
    distance = ((place[:, None, :] - place[None, :, :]) ** 2).sum(axis=-1)
    n = len(runs)
    covariance = misfit.claimed**2 * np.eye(known.log_loss.size)
    covariance[:n, :n] = misfit.smooth**2 * np.exp(-distance / 2) + misfit.run**2 * np.eye(n)
    return covariance
