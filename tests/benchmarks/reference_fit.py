"""The paper's own procedure (Appendix F), kept as the yardstick of the fast one.

A grid of starts, each followed by L-BFGS-B with finite differences on
sum huber_1e-4(log L_pred - log L). It is slow by design; nothing else uses it.
"""

from dataclasses import dataclass
from itertools import product
from typing import Final

import numpy as np

from distillplan.fitting.rows import Rows
from distillplan.fitting.solver import huber_cost
from distillplan.laws.formulas import FloatArray, SupervisedLaw

_SCALES: Final = (0.0, 5.0, 10.0, 15.0, 20.0)
_WIDE: Final = (0.0, 0.5, 1.0, 1.5)
_NARROW: Final = (0.0, 0.5, 1.0)
_HALVES: Final = (-1.0, -0.5, 0.0, 0.5, 1.0)

SUPERVISED_AXES: Final = (_SCALES, _SCALES, (*_HALVES, 1.5), _WIDE, _WIDE, _WIDE)
"""log A, log B, log E, alpha, beta, gamma: 9600 starts."""

DISTILLATION_AXES: Final = (
    *(_SCALES, _SCALES, _NARROW, _NARROW, _NARROW),
    *(_WIDE, _WIDE, _WIDE, _HALVES),
)
"""log A', log B', alpha', beta', gamma', c0, c1, f1, log d1: 216000 starts."""


@dataclass(frozen=True, kw_only=True)
class ReferenceFit:
    """Where the paper's procedure ended."""

    cost: float
    """least sum of Huber's loss over the starts that were tried"""
    x: FloatArray
    """the paper's coordinates there"""
    tried: int
    """number of starts tried"""
    grid: int
    """number of starts in the whole grid"""


def reference_fit(
    rows: Rows,
    supervised: SupervisedLaw | None = None,
    *,
    sample: int | None = None,
    seed: int = 0,
) -> ReferenceFit:
    """Run the paper's procedure on the whole grid or on a seeded sample of its starts.

    Args:
        rows: the runs.
        supervised: the supervised law under a distillation fit; None fits Equation 1.
        sample: number of starts to try; None is all, which takes hours.
        seed: which sample.
    """
    from scipy.optimize import minimize

    axes = SUPERVISED_AXES if supervised is None else DISTILLATION_AXES
    starts = np.array(list(product(*axes)))
    chosen = starts
    if sample is not None:
        chosen = np.random.default_rng(seed).choice(starts, sample, replace=False)

    def objective(x: FloatArray) -> float:
        predicted = _supervised(x, rows) if supervised is None else _distilled(x, rows, supervised)
        cost = float(huber_cost(predicted - rows.log_loss).sum())
        return cost if np.isfinite(cost) else 1e3

    best, where = np.inf, chosen[0]
    with np.errstate(all="ignore"):
        for start in chosen:
            found = minimize(objective, start, method="L-BFGS-B")
            if found.fun < best:
                best, where = float(found.fun), found.x
    return ReferenceFit(cost=best, x=where, tried=len(chosen), grid=len(starts))


def _supervised(x: FloatArray, rows: Rows) -> FloatArray:
    """Equation 44, in the paper's coordinates."""
    log_a, log_b, log_e, alpha, beta, gamma = x
    inner = np.logaddexp(log_a - alpha * rows.log_params, log_b - beta * rows.log_tokens)
    return np.logaddexp(log_e, gamma * inner)


def _distilled(x: FloatArray, rows: Rows, supervised: SupervisedLaw) -> FloatArray:
    """Equation 49, in the paper's coordinates."""
    log_a, log_b, alpha, beta, gamma, c0, c1, f1, log_d1 = x
    teacher = rows.log_teacher_loss
    if teacher is None:
        msg = "distillation rows need a teacher loss"
        raise ValueError(msg)
    alone = np.log(supervised.loss_at_logs(rows.log_params, rows.log_tokens))
    inner = np.logaddexp(log_a - alpha * rows.log_params, log_b - beta * rows.log_tokens)
    softplus = np.logaddexp(0.0, (teacher - alone - log_d1) / f1)
    return np.logaddexp(teacher, -c0 * teacher - c1 * f1 * softplus + gamma * inner)
