"""Runs that diverged: found by a robust fit, tested, and left out."""

from collections.abc import Callable
from typing import Final

import numpy as np

from distillplan.fitting.fitter import FitResult
from distillplan.fitting.rows import Mask, Rows

MOST_DEVIATIONS: Final = 5.0
"""A run farther from the fit of the others than this is no run of the same recipe: Gaussian noise
takes one of two million there."""
LEAST_ERROR: Final = 0.02
"""A run within this much of the others' law, in log loss, is kept however small their noise is."""
_MOST_SHARE: Final = 0.25
"""If more runs than this are left out, the law is wrong and not the runs."""


def without_outliers(
    rows: Rows, fit: Callable[[Rows], FitResult], kept: Mask | None = None
) -> tuple[FitResult, Mask]:
    """The fit of the runs that are no outliers.

    One run is left out at a time, the farthest one, because a gross one hides others.

    Args:
        rows: the runs.
        fit: fits some of them.
        kept: runs that are not to be left out whatever they are, shape (runs,).

    Returns:
        The fit, and a mask of the runs that were left out, shape (runs,).
    """
    out: Mask = np.zeros(len(rows), dtype=bool)
    found = fit(rows)
    for _ in range(int(_MOST_SHARE * len(rows))):
        here = np.flatnonzero(~out)
        left = 1 - np.minimum(found.leverages(), 1 - 1e-6)
        residual = np.abs(found.residuals)
        deviations = residual / (found.noise * np.sqrt(left))
        suspect = (deviations > MOST_DEVIATIONS) & (residual / left > LEAST_ERROR)
        if kept is not None:
            suspect &= ~kept[here]
        if not suspect.any():
            break
        out[here[np.argmax(np.where(suspect, deviations, 0.0))]] = True
        found = fit(rows.take(~out))
    return found, out
