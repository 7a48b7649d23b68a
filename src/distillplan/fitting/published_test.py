"""The test of a published set of coefficients on runs (``fit --test``).

A set is not asked to be exact: three-digit rounding moves a loss by up to 0.4%, and the residuals
of every law have a structure of a few tenths of a percent, so with a few hundred runs an ordinary
likelihood-ratio test rejects everything. The null hypothesis is the paper's own claim, that the
law is within ``tolerance`` (1%, Figure 5) of the expected loss of every (parameters, tokens)
pair. It is tested by two statistics on the mean residuals m_g of the pairs:

- level: z = max_g (|m_g| - tolerance) / s_g, Bonferroni-corrected over the pairs;
- trend: the change of m_g over the runs' range of tokens by weighted regression on log tokens,
  z = (|slope| range - tolerance) / s_trend. A misprinted data coefficient bends the law in the
  tokens, so this shows it even where an opposite error hides the level.

s_g^2 = group^2 + run^2 / n_g, with the two noise scales taken from the best refit of the same form
to the same runs, not from the residuals of the set under test: otherwise the misfit of a bad set
would pass as noise. The trend's noise is that of m_g. The p-value is the smaller of the two,
doubled.
"""

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from distillplan.errors import InputError
from distillplan.fitting.fitter import fit_distillation, fit_supervised
from distillplan.fitting.rows import Rows, predicted_log_loss
from distillplan.laws.formulas import (
    DISTILLATION_LETTERS,
    SUPERVISED_LETTERS,
    DistillationLaw,
    FloatArray,
    LossLaw,
)

CLAIMED_ACCURACY: Final = 0.01
"""Relative error that the paper claims for both laws (Section 4.3, Figure 5)."""

_LEAST_GROUP_NOISE: Final = 0.001
"""No law of this kind has had a smaller misfit of a group than this (log loss)."""

_REACH: Final = 7.0
"""Largest logarithm of a factor that could repair a letter; a misprint of three digits."""

_FACTORS: Final = 57
"""Factors tried before the best of them is refined."""


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
    """whether the claim of accuracy is rejected at ``level``"""
    p_value: float
    """of the claim that every pair is within the tolerance"""
    level: float
    """size of the test"""
    tolerance: float
    """relative error that is allowed"""
    mean_relative_error: float
    """of the set on the runs"""
    bias: float
    """mean relative error with its sign"""
    worst_group: WorstPair
    """the pair that is furthest off"""
    trend: float
    """change of the relative error over the runs' range of tokens"""
    refit_error: float
    """mean relative error of the best refit of the same form"""
    suspect: Suspect
    """the letter that by itself would repair most"""


def judge_published(
    rows: Rows,
    law: LossLaw,
    *,
    tolerance: float = CLAIMED_ACCURACY,
    level: float = 0.05,
) -> PublishedTest:
    """Test the claim that a published law is within a tolerance of these runs.

    Args:
        rows: the runs.
        law: the published law.
        tolerance: relative error allowed in the mean of each (parameters, tokens) pair.
        level: probability of rejecting a set that keeps its claim.

    Raises:
        InputError: when the runs and the law are of different kinds, or the runs are too few.
    """
    from scipy.special import ndtr  # slow to import, and not needed to plan

    if isinstance(law, DistillationLaw):
        if rows.log_teacher_loss is None:
            raise InputError(
                "test: the runs have no teacher_loss; to test a distillation law, add that column"
            )
        refitted = fit_distillation(rows, law.supervised)
    else:
        refitted = fit_supervised(rows, coupled=law.gamma != 1)
    residual = predicted_log_loss(law, rows) - rows.log_loss
    group = rows.groups()
    counts = np.bincount(group)
    means = np.bincount(group, weights=residual) / counts
    noise = refitted.noise
    between = max(noise.group, _LEAST_GROUP_NOISE)
    widths = np.sqrt(between**2 + noise.run**2 / counts)
    excess = (np.abs(means) - np.log1p(tolerance)) / widths
    p_level = min(1.0, float(ndtr(-excess.max())) * counts.size)
    tokens = np.bincount(group, weights=rows.log_tokens) / counts
    trend, trend_width = _trend(tokens, means, widths)
    p_trend = float(ndtr((np.log1p(tolerance) - abs(trend)) / trend_width))
    p_value = min(1.0, 2 * min(p_level, p_trend))
    worst = int(np.argmax(np.abs(means)))
    first = int(np.argmax(group == worst))
    return PublishedTest(
        rejected=p_value < level,
        p_value=p_value,
        level=level,
        tolerance=tolerance,
        mean_relative_error=_error(residual),
        bias=float(np.expm1(residual).mean()),
        worst_group=WorstPair(
            params=float(np.exp(rows.log_params[first])),
            tokens=float(np.exp(rows.log_tokens[first])),
            mean_relative_error=float(np.expm1(means[worst])),
        ),
        trend=float(np.expm1(trend)),
        refit_error=refitted.mean_relative_error,
        suspect=_suspect(rows, law),
    )


def _trend(at: FloatArray, means: FloatArray, widths: FloatArray) -> tuple[float, float]:
    """Change of the means from the least to the most tokens, and its standard error.

    Args:
        at: log tokens of each pair, shape (pairs,).
        means: mean residual of each pair, shape (pairs,).
        widths: standard error of each mean, shape (pairs,).
    """
    weight = 1 / widths**2
    centered = at - np.average(at, weights=weight)
    spread = float((weight * centered**2).sum())
    if spread < 1e-9:
        return 0.0, np.inf
    reach = float(at.max() - at.min())
    return float((weight * centered * means).sum()) / spread * reach, reach / spread**0.5


def _suspect(rows: Rows, law: LossLaw) -> Suspect:
    """One letter at a time: the best factor of a grid, refined."""
    from scipy.optimize import minimize_scalar  # slow to import, and not needed to plan

    letters = DISTILLATION_LETTERS if isinstance(law, DistillationLaw) else SUPERVISED_LETTERS
    grid, step = np.linspace(-_REACH, _REACH, _FACTORS, retstep=True)
    found = []
    for name in letters:
        if name == "c1":  # which moves losses as d1 does
            continue
        start = min(grid, key=lambda shift: _error_with(float(shift), rows, law, name))
        best = minimize_scalar(
            _error_with,
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


def _error_with(log_factor: float, rows: Rows, law: LossLaw, name: str) -> float:
    changed = law._replace(**{name: getattr(law, name) * float(np.exp(log_factor))})
    with np.errstate(all="ignore"):
        error = _error(predicted_log_loss(changed, rows) - rows.log_loss)
    return error if np.isfinite(error) else np.inf


def _error(residual: FloatArray) -> float:
    return float(np.abs(np.expm1(residual)).mean())
