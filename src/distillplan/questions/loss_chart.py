"""Both losses over many budgets, fast: what a chart in the terminal shows."""

import numpy as np

from distillplan.errors import InfeasibleError
from distillplan.laws.formulas import FloatArray
from distillplan.named_tuples import NamedTuple
from distillplan.planning.kept_limits import spent_on
from distillplan.planning.results import Plan
from distillplan.questions.budget_losses import (
    BUDGET_SPAN,
    BudgetUnit,
    runs_budgets,
    with_budget,
    without_times,
)
from distillplan.questions.sweep import solve

NOTHING = "no budget that a chart would show trains anything"
POINTS = 61
"""Budgets of a chart, one a column; odd, so that the question's own is in the middle."""


class LossChart(NamedTuple):
    """Both losses over budgets around a question's own, which is in the middle."""

    unit: BudgetUnit
    budgets: tuple[float, ...]
    """Rising evenly in their logarithm, in this unit."""
    supervised: tuple[float | None, ...]
    """Nats per token; None where nothing can be trained."""
    distilled: tuple[float | None, ...]
    """The same for distillation as the question pays for it."""
    runs: tuple[float, float]
    """Budgets that train a student as long as the law's runs were, teacher aside."""


def loss_chart(plan: Plan) -> LossChart:
    """The losses around a plan, whatever the tokens and limits of its question.

    Raises:
        InfeasibleError: when no budget trains anything.
    """
    asked = without_times(plan.scenario)
    flops = plan.supervised.total_flops
    if flops is None:
        raise InfeasibleError(NOTHING)
    unit, middle = BudgetUnit.FLOPS, plan.scenario.compute or flops
    if asked.gpu_hours is not None:
        unit, middle = BudgetUnit.GPU_HOURS, asked.budget / asked.per_unit
    budgets = np.geomspace(middle / BUDGET_SPAN, middle * BUDGET_SPAN, POINTS)
    budgets[POINTS // 2] = middle
    solved = solve([with_budget(asked, unit, one) for one in budgets.tolist()])
    if not np.isfinite(solved.alone.loss).any():
        raise InfeasibleError(NOTHING)
    distilled = np.full(POINTS, np.nan) if solved.distilled is None else solved.distilled.loss
    spent = spent_on(plan.scenario, plan.supervised) / asked.per_unit
    low, high = (one * spent / flops for one in runs_budgets(asked))
    return LossChart(
        unit=unit,
        budgets=tuple(budgets.tolist()),
        supervised=_known(solved.alone.loss),
        distilled=_known(distilled),
        runs=(low, high) if unit is BudgetUnit.GPU_HOURS else runs_budgets(asked),
    )


def _known(losses: FloatArray) -> tuple[float | None, ...]:
    return tuple(one if np.isfinite(one) else None for one in losses.tolist())
