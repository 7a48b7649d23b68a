"""The test of a published set of coefficients on runs (``fit --test``).

A set is not asked to be exact: three-digit rounding moves a loss by up to 0.4 % and every law
misfits by a structured few tenths of a percent, so with a few hundred runs an ordinary
likelihood-ratio test rejects everything. The null hypothesis is the paper's own claim, that the
law is within ``tolerance`` (1 %, Figure 5) of the expected loss of every (parameters, tokens)
pair. Against it stand two statistics on the mean residuals m_g of the pairs:

- level: z = max_g (|m_g| - tolerance) / s_g, Bonferroni-corrected over the pairs;
- trend: the change of m_g over the runs' range of tokens by weighted regression on log tokens,
  z = (|slope| range - tolerance) / s_trend. A misprinted data coefficient bends the law in the
  tokens, so this sees it even where the level is hidden by an opposite error.

s_g^2 = group^2 + run^2 / n_g, with the two noise scales taken from the best refit of the same form
to the same runs, not from the residuals of the set under test: otherwise a bad set would excuse
itself by its own misfit. The trend's noise is that of m_g. The p-value is the smaller of the two,
doubled.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from distillplan.errors import InputError
from distillplan.fitting.fitter import fit_distillation, fit_supervised
from distillplan.fitting.rows import Rows
from distillplan.laws.formulas import DistillationLaw, FloatArray, LossLaw

CLAIMED_ACCURACY: Final = 0.01
"""Relative error that the paper claims for both laws (Section 4.3, Figure 5)."""

_LEAST_GROUP_NOISE: Final = 0.001
"""Misfit of a group below which no law of this kind has been seen (log loss)."""


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
    worst_group: tuple[float, float, float]
    """parameters, tokens and mean relative error of the pair that is furthest off"""
    trend: float
    """change of the relative error over the runs' range of tokens"""
    refit_error: float
    """mean relative error of the best refit of the same form"""
    suspect: tuple[str, float, float]
    """the letter that by itself, times this factor, would repair most, and the mean relative
    error that it would leave"""


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
    if isinstance(law, DistillationLaw):
        if rows.log_teacher_loss is None:
            raise InputError(
                "test: a distillation law needs runs with a teacher_loss; the runs have none"
            )
        refitted = fit_distillation(rows, law.supervised)
    else:
        refitted = fit_supervised(rows, coupled=law.gamma != 1)
    residual = _log_loss(law, rows) - rows.log_loss
    group = rows.groups()
    counts = np.bincount(group)
    means = np.bincount(group, weights=residual) / counts
    noise = refitted.noise
    between = max(noise.group, _LEAST_GROUP_NOISE)
    widths = np.sqrt(between**2 + noise.run**2 / counts)
    excess = (np.abs(means) - np.log1p(tolerance)) / widths
    p_level = min(1.0, _tail(float(excess.max())) * counts.size)
    tokens = np.bincount(group, weights=rows.log_tokens) / counts
    trend, trend_width = _trend(tokens, means, widths)
    p_trend = _tail((abs(trend) - np.log1p(tolerance)) / trend_width)
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
        worst_group=(
            float(np.exp(rows.log_params[first])),
            float(np.exp(rows.log_tokens[first])),
            float(np.expm1(means[worst])),
        ),
        trend=float(np.expm1(trend)),
        refit_error=refitted.mean_relative_error,
        suspect=_suspect(rows, law),
    )


def _trend(at: FloatArray, means: FloatArray, widths: FloatArray) -> tuple[float, float]:
    """Change of the means from the least to the most tokens, and its standard error."""
    weight = 1 / widths**2
    centred = at - np.average(at, weights=weight)
    spread = float((weight * centred**2).sum())
    if spread < 1e-9:
        return 0.0, np.inf
    reach = float(at.max() - at.min())
    return float((weight * centred * means).sum()) / spread * reach, reach / spread**0.5


def _suspect(rows: Rows, law: LossLaw) -> tuple[str, float, float]:
    """One letter at a time, on a grid of factors narrowed twice."""
    letters = ["A", "B", "alpha", "beta", "gamma"]
    letters += ["c0", "f1", "d1"] if isinstance(law, DistillationLaw) else ["E"]
    found = []
    for name in letters:
        centre, reach = 0.0, 7.0
        for _ in range(4):
            grid = centre + reach * np.linspace(-1, 1, 57)
            errors = [_error_with(rows, law, name, shift) for shift in grid]
            centre, reach = float(grid[int(np.argmin(errors))]), reach / 20
        found.append((_error_with(rows, law, name, centre), name, float(np.exp(centre))))
    error, name, factor = min(found)
    return name, factor, error


def _error_with(rows: Rows, law: LossLaw, name: str, log_factor: float) -> float:
    changed = law._replace(**{name: getattr(law, name) * float(np.exp(log_factor))})
    with np.errstate(all="ignore"):
        error = _error(_log_loss(changed, rows) - rows.log_loss)
    return error if np.isfinite(error) else np.inf


def _log_loss(law: LossLaw, rows: Rows) -> FloatArray:
    sizes = (rows.log_params, rows.log_tokens)
    if isinstance(law, DistillationLaw):
        return np.asarray(np.log(law.loss_at_logs(*sizes, rows.log_teacher_loss)))
    return np.asarray(np.log(law.loss_at_logs(*sizes)))


def _error(residual: FloatArray) -> float:
    return float(np.abs(np.expm1(residual)).mean())


def _tail(z: float) -> float:
    """Probability of a standard normal above z."""
    return math.erfc(z / math.sqrt(2)) / 2
