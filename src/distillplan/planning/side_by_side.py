"""Scenarios of one kind, solved side by side: each cell of a sweep is one."""

from collections.abc import Sequence

import numpy as np

from distillplan.accounting import Accounting
from distillplan.models.costs import Costs
from distillplan.optimize.optimizer import (
    optima_over_teacher_loss,
    optima_over_teachers,
    supervised_optima,
)
from distillplan.optimize.problems import Optima, Problems
from distillplan.planning.evaluate import (
    as_read,
    given_teachers,
    law_of,
    most_spent,
    refuse_open_layout,
    with_teacher,
)
from distillplan.planning.scenario import Scenario
from distillplan.planning.start import refuse_start
from distillplan.planning.stored_logits import kept_while_read, storage_of

MAY_DIFFER = frozenset(
    ("compute", "gpu_hours", "student_params", "students", "teacher", "accounting", "tie_nats")
) | {"limits", "student_tokens", "money_over_budget"}
"""Fields in which scenarios that are solved side by side may differ; but what one of them leaves
open, all of them must."""


def side_by_side(
    scenarios: Sequence[Scenario], ways: Sequence[Accounting | None], costs: Costs
) -> Problems:
    """The problems of scenarios that differ in `MAY_DIFFER` only, each as it pays for its teacher.

    Args:
        scenarios: the questions.
        ways: what they pay; None for supervised training.
        costs: of a token.
    """
    first = scenarios[0]
    refuse_start(first)
    refuse_open_layout(first)
    pairs = list(zip(scenarios, ways, strict=True))
    shares = [one.share(way or Accounting.FREE) for one, way in pairs]
    given = first.student_params is not None
    spent = [min(one.budget, most_spent(one, way)) / one.students for one, way in pairs]
    budget = np.array(spent)
    logits = np.array([share.logits for share in shares])
    students = np.array([one.students for one in scenarios])
    return Problems(
        budget=budget,
        logits=logits,
        training=np.array([share.training for share in shares]),
        student_params=np.array([one.student_params for one in scenarios]) if given else None,
        bounds=first.bounds,
        costs=costs,
        served_tokens=first.inference_tokens,
        unique_tokens=first.unique_tokens,
        storage=storage_of(scenarios, budget, logits, students),
        most_passed=first.most_passed,
    )


def supervised_each(scenarios: Sequence[Scenario]) -> Optima:
    """Supervised training of scenarios that differ in numbers only."""
    problems = side_by_side(scenarios, [None] * len(scenarios), scenarios[0].supervised_costs)
    return supervised_optima(scenarios[0].law.supervised, problems)


def distilled_each(scenarios: Sequence[Scenario], accountings: Sequence[Accounting]) -> Optima:
    """Distillation of scenarios that differ in numbers only, each under its accounting."""
    first = scenarios[0]
    problems, law = side_by_side(scenarios, accountings, first.distillation_costs), law_of(first)
    if first.teacher is None:
        found = kept_while_read(problems, lambda one: optima_over_teachers(law, one))
    else:
        found = with_teacher(law, problems, given_teachers(scenarios))
    return as_read(first, problems.logits, found)


def best_teacher_each(scenarios: Sequence[Scenario], accountings: Sequence[Accounting]) -> Optima:
    """Distillation from the best teacher at the price of each scenario's own."""
    first = scenarios[0]
    prices, law = given_teachers(scenarios), law_of(first)
    problems = side_by_side(scenarios, accountings, first.distillation_costs).taught_by(prices)
    found = kept_while_read(problems, lambda one: optima_over_teacher_loss(law, one, prices))
    return as_read(first, problems.logits, found)
