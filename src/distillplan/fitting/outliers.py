"""Runs that diverged: found by a robust fit, tested, and left out."""

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from distillplan.errors import InputError
from distillplan.fitting.fitter import FitResult
from distillplan.fitting.rows import Mask, Rows
from distillplan.fitting.runs import Runs

MOST_DEVIATIONS: Final = 5.0
"""A run farther from the fit of the others than this is no run of the same recipe: Gaussian noise
takes one of two million there."""
LEAST_ERROR: Final = 0.02
"""A run within this much of the others' law, in log loss, is kept however small their noise is."""
_MOST_SHARE: Final = 0.25
"""If more runs than this are left out, the law is wrong and not the runs."""


_NOISY: Final = 0.008
"""Noise from which a hidden outlier is looked for: twice that of usual runs."""
_QUIETER: Final = 2.0
"""A hidden outlier makes the others look noisier by at least this factor."""
_MASKED: Final = 6
"""Runs that are tried, those that the others predict worst."""
_FEWEST: Final = 6
"""Runs below which the others cannot contradict one."""


def kept_lines(runs: Runs, lines: Sequence[int]) -> Mask | None:
    """The runs at these lines of their file, shape (runs,); None for no lines.

    Raises:
        InputError: when there is no run at one of them.
    """
    if not lines:
        return None
    numbers = [int(one.rpartition("line ")[2]) for one in runs.lines]
    missing = [line for line in lines if line not in numbers]
    if missing:
        raise InputError(
            f"--keep: line {missing[0]} of {runs.source} is no run of this fit; its runs are on "
            f"lines {min(numbers)} to {max(numbers)}"
        )
    return np.isin(numbers, lines)


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
    allowed = np.ones(len(rows), dtype=bool) if kept is None else ~kept
    for _ in range(int(_MOST_SHARE * len(rows))):
        here = np.flatnonzero(~out)
        left = 1 - np.minimum(found.leverages(), 1 - 1e-6)
        residual = np.abs(found.residuals)
        deviations = residual / (found.noise * np.sqrt(left))
        suspect = (deviations > MOST_DEVIATIONS) & (residual / left > LEAST_ERROR) & allowed[here]
        if suspect.any():
            farthest = here[np.argmax(np.where(suspect, deviations, 0.0))]
        else:
            first = np.argsort(-residual / left * allowed[here])[:_MASKED]
            hidden = [
                one
                for one in here[first]
                if allowed[one] and _is_hidden(rows, fit, found, out, one)
            ]
            if not hidden:
                break
            farthest = hidden[0]
        out[farthest] = True
        found = fit(rows.take(~out))
    return found, out


def _is_hidden(
    rows: Rows, fit: Callable[[Rows], FitResult], found: FitResult, out: Mask, one: int
) -> bool:
    """Whether a run draws the fit to itself so far that its residual does not show it.

    It does when the others, without it, agree far better, and contradict it.
    """
    if found.noise < _NOISY or len(found.rows) < _FEWEST:
        return False
    others = ~out
    others[one] = False
    without = fit(rows.take(others))
    if without.noise * _QUIETER > found.noise:
        return False
    alone = rows.take(np.array([one]))
    away = without.form.predict(without.theta[None, :], alone)[0][0, 0] - alone.log_loss[0]
    spread = np.hypot(without.noise, without.spread_at(alone)[0])
    return bool(abs(away) > max(MOST_DEVIATIONS * spread, LEAST_ERROR))
