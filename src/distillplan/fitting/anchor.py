"""A handful of runs: keep the shape of a published law, fit its level.

Another tokenizer multiplies every loss by one factor s; another corpus or recipe also multiplies
the reducible loss by a factor g. Both turn a law of the family into another one:

- Equation 1: E -> s E, A -> A (s g)^(1/gamma), B likewise.
- Equation 8: the published law is given losses divided by s, and its answer is multiplied by s, so
  A' -> A' (s^(1 + c0) g)^(1/gamma'), B' likewise, and Lt_S -> s Lt_S; c0, c1, f1, d1 stay.

One run fixes s. From the second on g is fitted too, with a prior of ``GAP_WIDTH``, and the answer
says so where the runs hardly narrow it.
"""

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from distillplan.errors import InputError
from distillplan.fitting.noise import RUN_NOISE
from distillplan.fitting.rows import Rows, predicted_log_loss
from distillplan.laws.formulas import DistillationLaw, FloatArray, LossLaw, SupervisedLaw

SCALE_WIDTH: Final = 0.3
"""Prior standard deviation of log s: tokenizers differ by up to about 30% in bytes per token."""

GAP_WIDTH: Final = 0.1
"""Prior standard deviation of log g."""

MOST_RUNS: Final = 6
"""More runs than this can move the shape as well: they are fitted with the published intervals."""


@dataclass(frozen=True, kw_only=True)
class Anchored:
    """A published law moved onto a few runs."""

    law: LossLaw
    """the moved law"""
    scale: float
    """s, the factor on all losses"""
    gap: float
    """g, the factor on the reducible loss"""
    log_sd: tuple[float, float]
    """posterior standard deviations of log s and log g"""
    scale_is_fitted: bool
    """whether the runs narrowed s to less than half of its prior"""
    gap_is_fitted: bool
    """the same of g"""
    runs: int
    """number of runs"""
    mean_relative_error: float
    """on the runs themselves"""
    held_out_error: float | None
    """mean relative error of each run predicted from the others; None for one run"""
    draws: FloatArray = field(repr=False)
    """joint draws of (log s, log g), shape (draws, 2)"""


def anchor(
    rows: Rows, law: LossLaw, *, move_supervised: bool = True, draws: int = 256, seed: int = 0
) -> Anchored:
    """Move a published law onto one to six runs.

    Args:
        rows: the runs; distillation runs need a distillation law.
        law: the published law.
        move_supervised: for Equation 8, move its supervised part by s too; False when that part
            was fitted to the user's own runs, in which case s stays 1.
        draws: number of joint draws.
        seed: of the draws.

    Raises:
        InputError: when there are no runs, or the runs and the law are of different kinds.
    """
    if len(rows) == 0:
        raise InputError("anchor: 0 runs given, at least 1 is needed")
    if isinstance(law, DistillationLaw) != (rows.log_teacher_loss is not None):
        raise InputError(
            "anchor: the runs and the law are of different kinds; distillation runs (with a "
            "teacher_loss) need a distillation law, supervised runs a supervised one"
        )
    everyone = np.arange(len(rows))
    free = _free_columns(rows, law, move_supervised=move_supervised)
    best, covariance = _posterior(rows, law, free)
    there = moved(law, *best)
    left_out = []
    for one in everyone if len(rows) > 1 else ():
        rest = rows.take(everyone != one)
        columns = _free_columns(rest, law, move_supervised=move_supervised)
        position, _ = _posterior(rest, law, columns)
        left_out.append(_relative_error(moved(law, *position), rows.take(everyone == one)))
    sds = np.sqrt(np.diag(covariance))
    generator = np.random.default_rng(seed)
    return Anchored(
        law=there,
        scale=float(np.exp(best[0])),
        gap=float(np.exp(best[1])),
        log_sd=(float(sds[0]), float(sds[1])),
        scale_is_fitted=bool(0 in free and sds[0] < SCALE_WIDTH / 2),
        gap_is_fitted=bool(1 in free and sds[1] < GAP_WIDTH / 2),
        runs=len(rows),
        mean_relative_error=_relative_error(there, rows),
        held_out_error=float(np.mean(left_out)) if left_out else None,
        draws=generator.multivariate_normal(best, covariance, draws, method="eigh"),
    )


def moved(law: LossLaw, log_scale: Any, log_gap: Any) -> LossLaw:
    """The law with all losses times s and the reducible loss times g.

    Logarithms of s and g may be arrays that broadcast against the law's coefficients.

    >>> law = SupervisedLaw(E=2.0, A=400.0, B=400.0, alpha=0.3, beta=0.3)
    >>> round(moved(law, 0.1, 0.0).loss(1e9, 1e10) / law.loss(1e9, 1e10), 12)
    1.105170918076
    """
    if isinstance(law, SupervisedLaw):
        return _moved_supervised(law, log_scale, log_gap)
    factor = np.exp(((1 + law.c0) * log_scale + log_gap) / law.gamma)
    supervised = _moved_supervised(law.supervised, log_scale, 0.0)
    return law._replace(supervised=supervised, A=law.A * factor, B=law.B * factor)


def _moved_supervised(law: SupervisedLaw, log_scale: Any, log_gap: Any) -> SupervisedLaw:
    factor = np.exp((log_scale + log_gap) / law.gamma)
    return law._replace(E=law.E * np.exp(log_scale), A=law.A * factor, B=law.B * factor)


def _free_columns(rows: Rows, law: LossLaw, *, move_supervised: bool) -> list[int]:
    if isinstance(law, DistillationLaw) and not move_supervised:
        return [1]
    return [0] if len(rows) == 1 else [0, 1]


def _relative_error(law: LossLaw, rows: Rows) -> float:
    return float(np.abs(np.expm1(predicted_log_loss(law, rows) - rows.log_loss)).mean())


def _posterior(rows: Rows, law: LossLaw, free: list[int]) -> tuple[FloatArray, FloatArray]:
    """Most probable (log s, log g), shape (2,), and its covariance, shape (2, 2)."""
    from scipy.optimize import least_squares  # slow to import, and not needed to plan

    widths = np.array([SCALE_WIDTH, GAP_WIDTH])
    position, covariance = np.zeros(2), np.zeros((2, 2))

    def residuals(at: FloatArray) -> FloatArray:
        position[free] = at
        misfit = predicted_log_loss(moved(law, *position), rows) - rows.log_loss
        return np.concatenate([misfit / RUN_NOISE, at / widths[free]])

    found = least_squares(residuals, np.zeros(len(free)), "3-point", xtol=1e-14, ftol=1e-14)
    position[free] = found.x
    misfit, slopes = found.fun[: len(rows)], np.asarray(found.jac)[: len(rows)]
    # two or more runs that disagree by more than the usual noise widen the answer
    inflation = max(1.0, float((misfit**2).sum()) / max(len(rows) - len(free), 1))
    information = slopes.T @ slopes / inflation + np.diag(1 / widths[free] ** 2)
    covariance[np.ix_(free, free)] = np.linalg.inv(information)
    if 1 not in free:
        covariance[1, 1] = GAP_WIDTH**2  # g keeps its prior: one run cannot tell it from s
    return position, covariance
