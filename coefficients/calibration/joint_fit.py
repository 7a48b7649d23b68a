"""Joint draws of all fifteen letters, when the law itself misfits.

Log losses y of distillation and supervised runs are modeled as

    y = log L(letters) + misfit + run noise

with a Gaussian prior on the logarithms of the letters (printed intervals, widened by the rounding
of the print) and a smooth misfit: a Gaussian process over (log N_S, log D_S, log L_T), because the
residuals of Equation 8 are no white noise but bend along each student's curve and shift with the
student (Kennedy and O'Hagan 2001). Without it a few hundred runs would claim to know the letters
ten times better than they do, and would push them out of their printed intervals.

The posterior is Gaussian around its maximum (Gauss-Newton); predictions of new runs add the misfit
and the noise back, independently, as a single ``sigma_run``.
"""

from dataclasses import dataclass
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
    supervised: float
    """standard deviation of a supervised run around Equation 1"""
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
    covariance: FloatArray
    log_evidence: float
    """log density of the runs, up to a constant; compares scales of the misfit"""

    def draws(self, count: int, seed: int) -> FloatArray:
        """Letters (not logarithms), shape (count, 15)."""
        generator = np.random.default_rng(seed)
        return np.exp(
            generator.multivariate_normal(self.mean, self.covariance, count, method="eigh")
        )


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


def joint_posterior(
    distilled: Rows, supervised: Rows, prior: LetterPrior, misfit: Misfit
) -> JointPosterior:
    """Condition the prior on distillation and supervised runs."""
    covariance = _noise(distilled, len(supervised), misfit)
    weight = np.linalg.inv(covariance)
    target = np.concatenate([distilled.log_loss, supervised.log_loss])
    precision = np.diag(1 / prior.sd**2)
    mean = prior.mean.copy()
    for _ in range(25):
        slopes = _slopes(mean, distilled, supervised)
        residual = _predict(mean, distilled, supervised) - target
        gradient = slopes.T @ weight @ residual + precision @ (mean - prior.mean)
        information = slopes.T @ weight @ slopes + precision
        step = np.linalg.solve(information, gradient)
        mean = mean - step
        if np.abs(step).max() < 1e-9:
            break
    slopes = _slopes(mean, distilled, supervised)
    surprise = target - _predict(mean, distilled, supervised) + slopes @ (mean - prior.mean)
    marginal = covariance + (slopes * prior.sd**2) @ slopes.T
    evidence = surprise @ np.linalg.solve(marginal, surprise) + np.linalg.slogdet(marginal)[1]
    return JointPosterior(
        mean=mean,
        covariance=np.asarray(np.linalg.inv(slopes.T @ weight @ slopes + precision), dtype=float),
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
    """mean |relative error| of the left-out runs under the posterior mean"""


def left_out_coverage(
    distilled: Rows,
    supervised: Rows,
    prior: LetterPrior,
    misfit: Misfit,
    *,
    sigma_run: float,
    draws: int = 2000,
    seed: int = 1,
) -> Coverage:
    """Coverage of 90% bands, every (N_S, D_S) pair in turn predicted from the others.

    A band holds the quantiles 5% to 95% of draws of the letters plus ``sigma_run`` of noise,
    exactly as a user of the shipped draws would form it.
    """
    group = distilled.groups()
    generator = np.random.default_rng(seed)
    inside: list[bool] = []
    means: list[bool] = []
    errors: list[float] = []
    for one in range(int(group.max()) + 1):
        test = distilled.take(group == one)
        posterior = joint_posterior(distilled.take(group != one), supervised, prior, misfit)
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


def _predict(mean: FloatArray, distilled: Rows, supervised: Rows) -> FloatArray:
    law = joint_law(np.exp(mean))
    alone = predicted_log_loss(law.supervised, supervised)
    return np.concatenate([predicted_log_loss(law, distilled), alone])


def _slopes(mean: FloatArray, distilled: Rows, supervised: Rows) -> FloatArray:
    columns = [
        (
            _predict(mean + shift, distilled, supervised)
            - _predict(mean - shift, distilled, supervised)
        )
        / (2 * _STEP)
        for shift in _STEP * np.eye(mean.size)
    ]
    return np.column_stack(columns)


def _noise(distilled: Rows, supervised: int, misfit: Misfit) -> FloatArray:
    """Covariance of the log losses around the law."""
    if distilled.log_teacher_loss is None:
        raise ValueError("distillation runs need a teacher's loss")
    place = np.column_stack(
        [
            distilled.log_params / misfit.reach_params,
            distilled.log_tokens / misfit.reach_tokens,
            distilled.log_teacher_loss / misfit.reach_teacher,
        ]
    )
    distance = ((place[:, None, :] - place[None, :, :]) ** 2).sum(axis=-1)
    n = len(distilled)
    covariance = np.zeros((n + supervised, n + supervised))
    covariance[:n, :n] = misfit.smooth**2 * np.exp(-distance / 2) + misfit.run**2 * np.eye(n)
    covariance[n:, n:] = misfit.supervised**2 * np.eye(supervised)
    return covariance
