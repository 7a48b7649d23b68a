"""The spread of runs around a law: what the runs of a group share, and what they do not."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from distillplan.fitting.rows import IndexArray
from distillplan.laws.formulas import FloatArray

RUN_NOISE: Final = 0.003
"""Standard deviation of the log loss of a run when the runs cannot tell it (0.3%)."""

FEW: Final = 3
"""Runs per coefficient below which residuals say too little about the noise."""


def half_width(coverage: float) -> float:
    """Half width of a central interval of a Gaussian, in standard deviations.

    >>> round(half_width(0.9), 4), round(half_width(0.95), 4)
    (1.6449, 1.96)
    """
    from scipy.special import ndtri  # slow to import, and not needed to plan

    return float(ndtri((1 + coverage) / 2))


@dataclass(frozen=True, kw_only=True)
class Noise:
    """Standard deviations in log loss."""

    run: float
    """of a single run around its group's mean"""
    group: float
    """of a group's mean around the law: the law's own misfit, shared by all runs of a
    (parameters, tokens) pair; 0 when the runs do not show any"""

    @property
    def total(self) -> float:
        """Of a single run around the law."""
        return float(np.hypot(self.run, self.group))


def split_noise(residual: FloatArray, group: IndexArray, coefficients: int = 0) -> Noise:
    """Variance components by moments (analysis of variance with groups of unequal size).

    Fitted coefficients use up degrees of freedom. They are taken from both components in
    proportion to their number of observations, but never more than three quarters of them. Without
    a repeated pair, all is a run's noise.

    Args:
        residual: log predicted - log observed, shape (runs,).
        group: number of the group of each run, shape (runs,).
        coefficients: number that was fitted to the runs.
    """
    counts = np.bincount(group)
    counts = counts[counts > 0]
    n, groups = residual.size, counts.size
    left = max(n - coefficients, n / 4)
    total = float((residual**2).sum()) / left
    if groups in (1, n):
        return Noise(run=total**0.5, group=0.0)
    means = np.bincount(group, weights=residual) / np.maximum(np.bincount(group), 1)
    within = float(((residual - means[group]) ** 2).sum())
    run = within / max(n - groups, 1)
    # E[sum n_g mean_g^2] = groups * run + n * between, for a law that was not fitted
    between_sum = float((np.bincount(group) * means**2).sum())
    between = max(between_sum - groups * run, 0.0) / n
    # without an effect the between part is above this in about one case of 40
    if between_sum < groups * run * (1 + 2 * (2 / groups) ** 0.5):
        return Noise(run=total**0.5, group=0.0)
    return Noise(run=run**0.5, group=(between * n / left) ** 0.5)
