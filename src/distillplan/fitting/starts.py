"""A few good places to begin, with the amplitudes solved and only the shape tried.

Variable projection: once the exponents are given, both laws are linear in A and B (after the outer
exponent is undone), so two numbers need no search. That replaces the paper's grids of 9600 and
216000 starts by a few dozen.
"""

from itertools import product
from typing import Final

import numpy as np

from distillplan.fitting.forms import SupervisedForm
from distillplan.fitting.joint_form import JointForm
from distillplan.fitting.rows import Rows
from distillplan.laws.formulas import FloatArray

_SLOPES: Final = ((0.2, 0.2), (0.2, 0.45), (0.45, 0.2), (0.35, 0.35))
"""alpha gamma and beta gamma: published laws lie between 0.15 and 0.5."""

_LEAST_SHARE: Final = 0.02
"""Neither term starts below this share: its exponent would have no slope to follow."""


def supervised_starts(form: SupervisedForm, rows: Rows) -> FloatArray:
    """Starts for Equation 1: floors, slopes and outer exponents, with A and B solved.

    Shape (starts, coordinates).
    """
    losses = np.exp(rows.log_loss)
    dn = rows.log_params - form.middle_log_params
    dd = rows.log_tokens - form.middle_log_tokens
    gammas = (0.4, 0.7, 1.0) if form.coupled else (1.0,)
    starts = []
    for share, (a, b), gamma in product((0.3, 0.6, 0.85), _SLOPES, gammas):
        floor = share * float(losses.min())
        u, v = _amplitudes(np.log(losses - floor), a * dn, b * dd, gamma)
        start = [np.log(floor), u, v, np.log(a), np.log(b), np.log(gamma)]
        starts.append(start if form.coupled else start[:5])
    return np.array(starts)


def joint_starts(form: JointForm, alone: FloatArray, rows: Rows) -> FloatArray:
    """Starts for Equation 8: slopes, outer exponents and switches, with A' and B' solved.

    Args:
        form: the form.
        alone: coordinates of the supervised side, which every start shares.
        rows: runs, of which some are distilled.

    Returns:
        Shape (starts, coordinates).
    """
    if rows.log_teacher_loss is None:
        return np.empty((0, len(form.names)))
    rows = rows.take(rows.distilled)
    x = np.asarray(rows.log_teacher_loss)
    dn = rows.log_params - form.alone.middle_log_params
    dd = rows.log_tokens - form.alone.middle_log_tokens
    own = form.alone.predict(alone[None, :], rows)[0][0]
    ratio = x - own - form.middle_log_ratio
    gap = np.exp(rows.log_loss) - np.exp(x)
    # students that match or beat their teacher do not show the amplitude
    log_gap = np.log(np.maximum(gap, 0.02 * np.exp(x)))
    starts = []
    switches = product((1.0, 2.5), (-2.5, -0.5), (0.06, 0.15), (-6.0, -1.0))
    for (c0, k, f1, log_q), (a, b), gamma in product(switches, _SLOPES[1:], (0.5, 0.9)):
        switch = np.exp(k - log_q) * np.logaddexp(0.0, log_q + ratio / f1)
        reducible = log_gap + c0 * (x - form.middle_log_teacher) + np.minimum(switch, 3.0)
        u, v = _amplitudes(reducible, a * dn, b * dd, gamma)
        tail = [u, v, np.log(a), np.log(b), np.log(gamma), c0, k, np.log(f1), log_q]
        starts.append([*alone, *tail])
    return np.array(starts)


def _amplitudes(
    log_reducible: FloatArray, by_params: FloatArray, by_tokens: FloatArray, gamma: float
) -> tuple[float, float]:
    """U and v that fit exp(log_reducible / gamma) best in relative terms, both positive."""
    inner = log_reducible / gamma
    columns = np.column_stack([np.exp(-one / gamma - inner) for one in (by_params, by_tokens)])
    solved, *_ = np.linalg.lstsq(columns, np.ones(inner.size), rcond=None)
    # a term that came out negative starts small instead
    level = float(np.median(np.exp(inner)))
    first, second = (max(float(one), _LEAST_SHARE * level) for one in solved)
    return gamma * float(np.log(first)), gamma * float(np.log(second))
