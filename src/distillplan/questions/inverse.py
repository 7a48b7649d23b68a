"""Where losses first reach a wanted one: the least budget, the smallest student, way by way."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from distillplan.accounting import Accounting
from distillplan.laws.formulas import FloatArray
from distillplan.planning import evaluate
from distillplan.planning.options import option_from
from distillplan.planning.results import Option
from distillplan.planning.scenario import Scenario

FLOPS = (1e12, 1e35)
"""Between which an answer is looked for; the largest bounds cost less than 1e36."""
GPU_HOURS = (1e-6, 1e17)
"""The same for budgets in GPU-hours."""
POINTS = 24
PASSES = 10
"""Each pass narrows the bracket 23-fold; ten reach the twelfth digit of a budget."""

Way = Accounting | None
"""What is paid beside the student; None for supervised training."""


def least_compute(scenario: Scenario, accounting: Way, loss: float) -> float | None:
    """FLOPs of the whole family that bring its students to a loss; None where no budget does.

    Args:
        scenario: the question; its own budget is not looked at.
        accounting: what is paid; None for supervised training.
        loss: nats per token.
    """
    return least_budgets(scenario, (accounting,), loss)[0][0]


def least_budgets(
    scenario: Scenario, ways: Sequence[Way], loss: float
) -> tuple[list[float | None], list[float]]:
    """For each way the least budget, in the scenario's unit, and the loss that the largest has."""

    def losses(logs: FloatArray) -> FloatArray:
        return _losses(
            [[spending(scenario, float(one)) for one in np.exp(row)] for row in logs], ways
        )

    least, largest = FLOPS if scenario.gpu_hours is None else GPU_HOURS
    low = np.full(len(ways), math.log(least))
    high = np.full(len(ways), math.log(largest))
    nearest = losses(high[:, None])[:, 0]
    return _first(losses, low, high, loss, nearest), nearest.tolist()


def spending(scenario: Scenario, budget: float) -> Scenario:
    """The scenario with another budget, in FLOPs or GPU-hours as its own."""
    if scenario.gpu_hours is None:
        return replace(scenario, compute=budget)
    return replace(scenario, gpu_hours=budget)


def smallest_students(
    scenario: Scenario, ways: Sequence[Way], loss: float
) -> tuple[list[float | None], list[float]]:
    """For each way the smallest student, and the loss of the best one."""
    best = [optimum(scenario, way) for way in ways]
    nearest = np.array([one.loss or math.inf for one in best])

    def losses(logs: FloatArray) -> FloatArray:
        return _losses(
            [[replace(scenario, student_params=float(one)) for one in np.exp(row)] for row in logs],
            ways,
        )

    # up to the best student more of it is better; beyond, it leaves too few tokens
    low = np.full(len(ways), math.log(scenario.bounds.student_params[0]))
    high = np.array([math.log(one.student_params or 2.0 * math.exp(low[0])) for one in best])
    return _first(losses, low, high, loss, nearest), nearest.tolist()


def _first(
    losses: Callable[[FloatArray], FloatArray],
    low: FloatArray,
    high: FloatArray,
    loss: float,
    nearest: FloatArray,
) -> list[float | None]:
    """Where the losses, which fall from low to high, first are at most the wanted one.

    All arrays have one row per way; None where even the nearest loss is above it.
    """
    start, rows = low.copy(), np.arange(low.size)
    for _ in range(PASSES):
        logs = np.linspace(low, high, POINTS, axis=1)
        reached = losses(logs) <= loss
        reached[:, -1] = True  # the ends that are not are told by the nearest loss
        first = reached.argmax(axis=1)
        low, high = logs[rows, np.maximum(first - 1, 0)], logs[rows, first]
    found = np.exp(np.where(high <= start, start, high))
    return [float(one) if near <= loss else None for one, near in zip(found, nearest, strict=True)]


def _losses(scenarios: Sequence[Sequence[Scenario]], ways: Sequence[Way]) -> FloatArray:
    """The losses of scenarios, one row per way; all distillation in one call of the optimiser."""
    found = np.empty((len(ways), len(scenarios[0])))
    distilled = [index for index, way in enumerate(ways) if way is not None]
    for index, way in enumerate(ways):
        if way is None:
            found[index] = evaluate.supervised_each(scenarios[index]).loss
    if distilled:
        together = [one for index in distilled for one in scenarios[index]]
        paid = [way for way in ways if way is not None for _ in scenarios[0]]
        found[distilled] = evaluate.distilled_each(together, paid).loss.reshape(len(distilled), -1)
    return found


def optimum(scenario: Scenario, way: Way) -> Option:
    """The best sizes of one way at the scenario's budget."""
    if way is None:
        optima = evaluate.supervised_each([scenario])
    else:
        optima = evaluate.distilled_each([scenario], [way])
    return option_from(scenario, way, optima, 0, alone=None)
