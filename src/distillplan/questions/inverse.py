"""Where losses first reach a wanted one: the least budget, the smallest student, way by way.

The searches narrow a bracket on a grid, all ways in one call of the optimizer, which is cheap by
the dozen. scipy's `brentq` takes one way at a time and no infinite losses; for five ways it needs
as long, and importing it as long again. The tests hold both to the same budgets.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from distillplan.accounting import Accounting
from distillplan.laws.formulas import FloatArray
from distillplan.named_tuples import NamedTuple
from distillplan.planning import side_by_side
from distillplan.planning.options import option_of
from distillplan.planning.scenario import Scenario

FLOPS = (1e12, 1e35)
"""Range of the search for a budget; the largest sizes cost less than 1e36."""
GPU_HOURS = (1e-6, 1e17)
"""The same for budgets in GPU-hours."""
POINTS = 24
PASSES = 10
"""Each pass narrows the bracket 23-fold; ten reach the twelfth digit of a budget."""

Way = Accounting | None
"""Teacher costs that the budget covers; None for supervised training."""


class Least(NamedTuple):
    """What a search found, way by way."""

    amounts: list[float | None]
    """The least budget, or the smallest student; None where the loss is out of reach."""
    nearest: list[float]
    """The lowest loss that any amount reaches, nats per token; infinite where none can train."""


def least_budgets(scenario: Scenario, ways: Sequence[Way], loss: float) -> Least:
    """The least budget of each way that reaches a loss.

    Args:
        scenario: the question; its budget says the unit, FLOPs or GPU-hours.
        ways: the ways to train the student.
        loss: nats per token.
    """

    def losses(logs: FloatArray) -> FloatArray:
        return _losses(
            [[scenario.spending(float(one)) for one in np.exp(row)] for row in logs], ways
        )

    least, largest = FLOPS if scenario.gpu_hours is None else GPU_HOURS
    low = np.full(len(ways), math.log(least))
    high = np.full(len(ways), math.log(largest))
    return _first(losses, low, high, loss, losses(high[:, None])[:, 0])


def smallest_students(scenario: Scenario, ways: Sequence[Way], loss: float) -> Least:
    """The smallest student of each way that reaches a loss at the scenario's budget.

    Args:
        scenario: the question; it gives no student.
        ways: the ways to train the student.
        loss: nats per token.
    """
    best = [option_of(scenario, way) for way in ways]

    def losses(logs: FloatArray) -> FloatArray:
        return _losses(
            [[replace(scenario, student_params=float(one)) for one in np.exp(row)] for row in logs],
            ways,
        )

    # up to the best student a larger one is better; beyond it, too few tokens are left
    low = np.full(len(ways), math.log(min(scenario.bounds.student_params)))
    high = np.array([math.log(one.student_params or 2.0 * math.exp(low[0])) for one in best])
    nearest = np.array([math.inf if one.loss is None else one.loss for one in best])
    return _first(losses, low, high, loss, nearest)


def narrowed(
    reached: Callable[[FloatArray], Any],
    low: FloatArray,
    high: FloatArray,
    *,
    points: int,
    passes: int,
) -> tuple[FloatArray, FloatArray]:
    """The last point of a grid that does not reach something, and the first that does.

    Args:
        reached: whether it is reached, true or false for points of shape (rows, points).
        low: where the search begins, shape (rows,).
        high: where it ends, and reaches it, shape (rows,).
        points: of each pass.
        passes: each divides the bracket by the points less one.

    Returns:
        Both ends, shape (rows,); equal where the first point of all reaches it.
    """
    rows = np.arange(low.size)
    for _ in range(passes):
        at = np.linspace(low, high, points, axis=1)
        true = reached(at)
        true[:, -1] = True
        first = true.argmax(axis=1)
        low, high = at[rows, np.maximum(first - 1, 0)], at[rows, first]
    return low, high


def _first(
    losses: Callable[[FloatArray], FloatArray],
    low: FloatArray,
    high: FloatArray,
    loss: float,
    nearest: FloatArray,
) -> Least:
    """Where the losses, which fall from low to high, are first at or below the wanted one.

    Arrays have shape (ways,) and `losses` keeps the shape (ways, points) of its argument.
    """
    _, found = narrowed(lambda at: losses(at) <= loss, low, high, points=POINTS, passes=PASSES)
    amounts = np.exp(np.maximum(found, low))
    return Least(
        amounts=[
            float(one) if near <= loss else None for one, near in zip(amounts, nearest, strict=True)
        ],
        nearest=nearest.tolist(),
    )


def _losses(scenarios: Sequence[Sequence[Scenario]], ways: Sequence[Way]) -> FloatArray:
    """Losses of scenarios, shape (ways, points); all distillation in one call of the optimizer."""
    found = np.empty((len(ways), len(scenarios[0])))
    distilled = [index for index, way in enumerate(ways) if way is not None]
    for index, way in enumerate(ways):
        if way is None:
            found[index] = side_by_side.supervised_each(scenarios[index]).loss
    if distilled:
        together = [one for index in distilled for one in scenarios[index]]
        paid = [way for way in ways if way is not None for _ in scenarios[0]]
        found[distilled] = side_by_side.distilled_each(together, paid).loss.reshape(
            len(distilled), -1
        )
    return found
