"""A scenario under many drawn laws at once: arrays of shape (cells, draws)."""

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any

import numpy as np

from distillplan.laws.draws import Draws
from distillplan.laws.formulas import DistillationLaw, FloatArray, SupervisedLaw
from distillplan.optimize.minimize import column
from distillplan.optimize.optimizer import (
    optima_near,
    optima_over_teachers,
    optima_with_teacher,
    supervised_optima,
)
from distillplan.optimize.problems import GivenTeacher, Optima
from distillplan.planning.evaluate import Cells, given_teacher, law_of, problems_of
from distillplan.planning.results import Option
from distillplan.planning.scenario import Scenario

FINEST = 1e-4
"""Half-width of the optimizer's last grid: losses to 2e-7 nats."""
ROUGH = 1e-2
"""The same where it only says where to begin."""
ARRAYS = tuple(name for name in Optima._fields if name != "spread")
"""What the optima have in every draw."""


def supervised(scenario: Scenario, at: Cells, draws: Draws) -> Optima:
    """Supervised training with each cell's budget per student, under every drawn law."""
    # np.unique would do, and import masked arrays for it, which takes as long as all of this
    budgets = (at.budget / at.students).tolist()
    each = np.array(sorted(set(budgets)))
    place = np.searchsorted(each, budgets)
    one = np.ones(each.size)
    distinct = Cells(budget=each, students=one, logits=one, training=one)
    law = for_problems(draws.supervised, each.size)
    problems = problems_of(scenario, _for_draws(distinct, draws.size), scenario.supervised_costs)
    found = _by_cell(supervised_optima(law, problems, finest=FINEST), draws.size)
    return _each(found, lambda one: one[place])


def distilled(
    scenario: Scenario,
    at: Cells,
    draws: Draws,
    known: Optima,
    teacher_losses: Sequence[float | None],
) -> Optima:
    """Distillation with each cell's budget per student, under every drawn law.

    Args:
        scenario: the question.
        at: the cells.
        draws: joint draws of both laws.
        known: the optima of the scenario's own law in these cells.
        teacher_losses: another loss of the given teacher in some of the cells, nats per token.
    """
    if scenario.teacher is not None:
        price = given_teacher(scenario)
        loss = _teacher_losses(scenario, draws, teacher_losses)
        teacher = GivenTeacher(
            loss=loss, forward_cost=price.forward_cost, training_cost=price.training_cost
        )
        law: DistillationLaw = for_problems(draws.law, at.budget.size)
        problems = problems_of(scenario, _for_draws(at, draws.size))
        return _by_cell(optima_with_teacher(law, problems, teacher), draws.size)
    # where nobody pays for the teacher its best loss may be far away in another draw, and the whole
    # search is cheap; near their bound the tokens make an oblique kink, which only it can follow
    with np.errstate(invalid="ignore"):
        bound = known.student_tokens > scenario.bounds.student_tokens[1] / np.e
    whole = ((at.logits == 0) & (at.training == 0)) | bound
    found: dict[str, Any] = {name: np.empty((whole.size, draws.size)) for name in ARRAYS}
    for rows, near in ((whole, False), (~whole, True)):
        if rows.any():
            part = _over_teachers(
                scenario, at.each(itemgetter(rows)), draws, known, rows if near else None
            )
            for name, values in found.items():
                ours = getattr(part, name)
                values[rows] = np.nan if ours is None else ours
    return Optima(**found)


def _over_teachers(scenario: Scenario, at: Cells, draws: Draws, known: Optima, near: Any) -> Optima:
    """Over the sizes of the teacher: near the known optima of these rows, or everywhere."""
    law: DistillationLaw = for_problems(draws.law, at.budget.size)
    problems = problems_of(scenario, _for_draws(at, draws.size))
    if near is None:
        paid = bool(np.any(at.logits > 0) or np.any(at.training > 0))  # else any pair will do
        found = optima_over_teachers(law, problems, finest=FINEST, pairs=paid)
        return _by_cell(found, draws.size)
    start = _each(known, lambda one: np.repeat(one[near], draws.size))
    return _by_cell(optima_near(law, problems, start), draws.size)


def known_optima(scenario: Scenario, shown: Sequence[Option], others: Cells) -> Optima:
    """Where to begin: optima of the scenario's own law, of options as found, of further cells anew.

    With a given teacher the search begins nowhere, and the further cells are left out.
    """
    # None becomes not-a-number
    found: dict[str, Any] = {
        name: np.array([getattr(option, name) for option in shown], float) for name in ARRAYS
    }
    if others.budget.size and scenario.teacher is None:
        more = optima_over_teachers(law_of(scenario), problems_of(scenario, others), finest=ROUGH)
        empty = np.full(others.budget.size, np.nan)
        for name, values in found.items():
            value = getattr(more, name)
            found[name] = np.concatenate([values, empty if value is None else value])
    return Optima(**found)


def _teacher_losses(scenario: Scenario, draws: Draws, others: Sequence[float | None]) -> FloatArray:
    """The given teacher's loss in every cell and draw: measured, or each drawn law's own."""
    teacher = scenario.teacher
    if teacher is None:
        raise ValueError("the scenario has no teacher")
    own = np.full(draws.size, scenario.teacher_loss)
    if teacher.loss is None and teacher.params is not None and teacher.tokens is not None:
        own = draws.supervised.loss(np.array(teacher.params), np.array(teacher.tokens))
    rows = [own if one is None else np.full(draws.size, one) for one in others]
    return np.concatenate(rows)


def _for_draws(at: Cells, draws: int) -> Cells:
    """Every cell as often as there are draws."""
    return at.each(lambda values: np.repeat(values, draws))


def _by_cell(found: Optima, draws: int) -> Optima:
    """Arrays of shape (cells, draws)."""
    return _each(found, lambda one: one.reshape(-1, draws))


def _each(found: Optima, change: Callable[[FloatArray], FloatArray]) -> Optima:
    """The same with every array changed, the spread left out."""
    arrays: dict[str, Any] = {name: getattr(found, name) for name in ARRAYS}
    for name, one in arrays.items():
        arrays[name] = None if one is None else change(one)
    return Optima(**arrays)


def for_problems(law: Any, times: int) -> Any:
    """The drawn laws, one after the other, so many times, shaped to meet the optimizer's arrays."""
    values = (
        for_problems(one, times) if isinstance(one, SupervisedLaw) else column(np.tile(one, times))
        for one in law
    )
    return type(law)(*values)
