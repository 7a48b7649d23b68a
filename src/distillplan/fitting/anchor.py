"""A handful of runs: keep the shape of a published law, fit its level.

Another tokenizer multiplies every loss by one factor s; another corpus or recipe also multiplies
what size and tokens can reduce by a factor g. Both turn a law of the family into another one:

- Equation 1: E -> s E, A -> A (s g)^(1/gamma), B likewise.
- Equation 8: losses over s are put into the published law and the answer is multiplied by s, so
  A' -> A' (s^(1 + c0) g)^(1/gamma'), B' likewise, and Lt_S -> s Lt_S; c0, c1, f1, d1 stay.

One run fixes s. From the second on g is fitted too, against a prior of 10 %, and is said to be
the prior's where the runs do not narrow it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from distillplan.errors import InputError
from distillplan.fitting.noise import RUN_NOISE
from distillplan.fitting.rows import Rows
from distillplan.laws.formulas import DistillationLaw, FloatArray, LossLaw, SupervisedLaw

SCALE_WIDTH: Final = 0.3
"""Prior standard deviation of log s: tokenizers differ by up to about 30 % in bytes per token."""

GAP_WIDTH: Final = 0.1
"""Prior standard deviation of log g."""

MOST_RUNS: Final = 6
"""More runs than this can move the shape as well; then fit with the published intervals."""


@dataclass(frozen=True, kw_only=True)
class Anchored:
    """A published law moved onto a few runs."""

    law: LossLaw
    """the moved law"""
    scale: float
    """s, the factor on all losses"""
    gap: float
    """g, the factor on the reducible part"""
    log_sd: tuple[float, float]
    """posterior standard deviations of log s and log g"""
    gap_is_fitted: bool
    """whether the runs narrowed g to less than half of its prior"""
    runs: int
    """number of runs"""
    mean_relative_error: float
    """on the runs themselves"""
    held_out_error: float | None
    """mean relative error of each run predicted from the others; None for one run"""
    draws: FloatArray = field(repr=False)
    """joint draws of (log s, log g), (draws, 2)"""


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
    residual = _residual(rows, law, best)
    left_out = []
    if len(rows) > 1:
        for one in everyone:
            rest = rows.take(everyone != one)
            columns = _free_columns(rest, law, move_supervised=move_supervised)
            there, _ = _posterior(rest, law, columns)
            left_out.append(float(_residual(rows.take(np.array([one])), law, there)[0]))
    sds = np.sqrt(np.diag(covariance))
    generator = np.random.default_rng(seed)
    return Anchored(
        law=moved(law, *best),
        scale=float(np.exp(best[0])),
        gap=float(np.exp(best[1])),
        log_sd=(float(sds[0]), float(sds[1])),
        gap_is_fitted=bool(1 in free and sds[1] < GAP_WIDTH / 2),
        runs=len(rows),
        mean_relative_error=float(np.abs(np.expm1(residual)).mean()),
        held_out_error=float(np.abs(np.expm1(left_out)).mean()) if left_out else None,
        draws=generator.multivariate_normal(best, covariance, draws, method="eigh"),
    )


def moved(law: LossLaw, log_scale: float, log_gap: float) -> LossLaw:
    """The law with all losses times s and the reducible part times g.

    >>> law = SupervisedLaw(E=2.0, A=400.0, B=400.0, alpha=0.3, beta=0.3)
    >>> round(moved(law, 0.1, 0.0).loss(1e9, 1e10) / law.loss(1e9, 1e10), 12)
    1.105170918076
    """
    log_scale, log_gap = float(log_scale), float(log_gap)
    if isinstance(law, SupervisedLaw):
        return _moved_supervised(law, log_scale, log_gap)
    factor = float(np.exp(((1 + law.c0) * log_scale + log_gap) / law.gamma))
    supervised = _moved_supervised(law.supervised, log_scale, 0.0)
    return law._replace(supervised=supervised, A=law.A * factor, B=law.B * factor)


def _moved_supervised(law: SupervisedLaw, log_scale: float, log_gap: float) -> SupervisedLaw:
    factor = float(np.exp((log_scale + log_gap) / law.gamma))
    return law._replace(E=law.E * float(np.exp(log_scale)), A=law.A * factor, B=law.B * factor)


def _free_columns(rows: Rows, law: LossLaw, *, move_supervised: bool) -> tuple[int, ...]:
    if isinstance(law, DistillationLaw) and not move_supervised:
        return (1,)
    return (0,) if len(rows) == 1 else (0, 1)


def _residual(rows: Rows, law: LossLaw, position: FloatArray) -> FloatArray:
    there = moved(law, *position)
    sizes = (rows.log_params, rows.log_tokens)
    if isinstance(there, DistillationLaw):
        return np.asarray(np.log(there.loss_at_logs(*sizes, rows.log_teacher_loss)) - rows.log_loss)
    return np.asarray(np.log(there.loss_at_logs(*sizes)) - rows.log_loss)


def _posterior(rows: Rows, law: LossLaw, free: tuple[int, ...]) -> tuple[FloatArray, FloatArray]:
    """Most probable (log s, log g) and its covariance, by Gauss-Newton on two numbers."""
    columns = list(free)
    precision = np.diag(1 / np.square([SCALE_WIDTH, GAP_WIDTH]))[np.ix_(columns, columns)]
    position = np.zeros(2)
    slopes = np.zeros((len(rows), len(columns)))
    for _ in range(30):
        slopes = _slopes(lambda at: _residual(rows, law, at), position, columns)
        gradient = slopes.T @ _residual(rows, law, position) / RUN_NOISE**2
        gradient = gradient + precision @ position[columns]
        step = np.linalg.solve(slopes.T @ slopes / RUN_NOISE**2 + precision, gradient)
        position[columns] -= np.clip(step, -0.5, 0.5)
        if np.abs(step).max() < 1e-13:
            break
    # two or more runs that disagree by more than the usual noise widen the answer
    spare = max(len(rows) - len(columns), 1)
    chi2 = float((_residual(rows, law, position) ** 2).sum()) / RUN_NOISE**2 / spare
    inflation = max(1.0, chi2)
    information = slopes.T @ slopes / RUN_NOISE**2 / inflation + precision
    covariance = np.zeros((2, 2))
    covariance[np.ix_(columns, columns)] = np.linalg.inv(information)
    if 1 not in columns:
        covariance[1, 1] = GAP_WIDTH**2  # g keeps its prior: one run cannot tell it from s
    return position, covariance


def _slopes(
    residual: Callable[[FloatArray], FloatArray], position: FloatArray, columns: list[int]
) -> FloatArray:
    """Central differences; the step is the cube root of the rounding error."""
    step = 6e-6
    found = []
    for column in columns:
        shift = np.zeros(2)
        shift[column] = step
        found.append((residual(position + shift) - residual(position - shift)) / (2 * step))
    return np.column_stack(found)
