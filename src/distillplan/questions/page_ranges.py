"""The settings around a question that a page offers: budgets, student sizes, teacher losses."""

import math

import numpy as np

from distillplan.laws.formulas import FloatArray
from distillplan.models.model_sizes import LEAST_FLOPS, LEAST_PARAMS, MOST_FLOPS, MOST_PARAMS
from distillplan.planning.kept_limits import most_budget
from distillplan.planning.results import Plan
from distillplan.planning.scenario import Scenario
from distillplan.planning.verdict import guessing

BUDGET_STEPS = 48
"""Per decade of the budget."""
BUDGET_DECADES = 2
"""Down and up from the budget as written."""
COLUMN = 6
"""Steps of the budget from one column of the map to the next."""
SIZE_DECADES = 1.5
"""Down and up from the student as written or chosen."""
ROWS_PER_DECADE = 5
ROUND_SIZES = (1.0, 1.25, 1.6, 2.0, 2.5, 3.2, 4.0, 5.0, 6.3, 8.0)
"""Ten sizes per decade that people write (the R10 series of ISO 3, 3.15 as 3.2)."""
LOSS_STEP = 0.005
"""Nats between two teacher losses that are offered."""
MOST_LOSS_STEPS = 120
"""Down and up from the teacher loss as written."""


def budget_steps(scenario: Scenario) -> tuple[int, int]:
    """The lowest and the highest step of the budget, of which 0 is the budget as written."""
    most = BUDGET_STEPS * BUDGET_DECADES
    if scenario.gpu_hours is not None:
        room = BUDGET_STEPS * math.log10(most_budget(scenario) / scenario.budget)
        return -most, math.floor(min(room, most))
    down = math.floor(BUDGET_STEPS * math.log10(scenario.budget / LEAST_FLOPS))
    up = math.floor(BUDGET_STEPS * math.log10(MOST_FLOPS / scenario.budget))
    return -max(min(down, most), 0), max(min(up, most), 0)


def budgets(scenario: Scenario) -> FloatArray:
    """The budgets of the columns of a map, as `Scenario.budget`; shape (columns,)."""
    down, up = (math.trunc(one / COLUMN) for one in budget_steps(scenario))
    steps = COLUMN * np.arange(down, up + 1)
    found: FloatArray = scenario.budget * 10.0 ** (steps / BUDGET_STEPS)
    return found


def student_of(plan: Plan) -> float:
    """The student as written, or as chosen for training from data alone.

    Raises:
        ValueError: for a plan without one, which is a bug.
    """
    found = plan.scenario.student_params or plan.supervised.student_params
    if found is None:
        raise ValueError("a plan has a student")
    return found


def map_rows(plan: Plan) -> tuple[float, ...]:
    """The student sizes of the rows of a map, in parameters."""
    return sizes_around(student_of(plan))


def sizes_around(middle: float) -> tuple[float, ...]:
    """Student sizes around one of them, in parameters, rising."""
    many = math.floor(SIZE_DECADES * ROWS_PER_DECADE)
    steps = np.arange(-many, many + 1) / ROWS_PER_DECADE
    sizes = middle * 10.0**steps
    within = (sizes >= LEAST_PARAMS) & (sizes <= MOST_PARAMS)
    return tuple(sizes[within].tolist())


def offered_sizes(plan: Plan) -> tuple[float, ...]:
    """The student sizes to choose from: round ones, and the student as written or chosen."""
    middle = student_of(plan)
    low = max(middle * 10**-SIZE_DECADES, LEAST_PARAMS)
    high = min(middle * 10**SIZE_DECADES, MOST_PARAMS)
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    found = {float(round(one * 100) * 10 ** (two - 2)) for two in decades for one in ROUND_SIZES}
    return tuple(sorted({one for one in found if low <= one <= high} | {middle}))


def loss_steps(scenario: Scenario, middle: float) -> tuple[int, int]:
    """The lowest and the highest step of a teacher's loss from a loss in nats per token.

    All of them are above the least that the law can reach, and below guessing.
    """
    floor = scenario.law.least_teacher_loss
    down = math.ceil((middle - floor) / LOSS_STEP) - 1
    up = math.ceil((guessing(scenario) - middle) / LOSS_STEP) - 1
    return -max(min(down, MOST_LOSS_STEPS), 0), max(min(up, MOST_LOSS_STEPS), 0)
