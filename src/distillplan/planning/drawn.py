"""A scenario under many drawn laws at once: arrays of shape (cells, draws)."""

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any

import numpy as np

from distillplan.laws.draws import Draws, one_draw
from distillplan.laws.formulas import DistillationLaw, FloatArray, SupervisedLaw
from distillplan.optimize.minimize import column
from distillplan.optimize.optimizer import (
    optima_near,
    optima_over_teachers,
    optima_with_teacher,
    supervised_optima,
)
from distillplan.optimize.problems import GivenTeacher, Optima, Problems
from distillplan.planning.evaluate import (
    Cells,
    alone_of,
    as_read,
    given_teacher,
    most_spent,
    problems_of,
)
from distillplan.planning.scenario import Scenario
from distillplan.planning.stored_logits import kept_as_long
from distillplan.planning.teacher import loss_by

FINEST = 1e-4
"""Half-width of the optimizer's last grid: losses to 2e-7 nats."""
NEAR_BOUND = 0.7
"""Share of the tokens of a stand (`optimize.search`) beyond which those of another draw may be
there."""
STRIDE = 6
"""One draw in so many is searched there; in three times as many where the student is free too."""
TIMES = 60
"""How often a law without draws is taken under a teacher whom it does not place."""
ARRAYS = tuple(name for name in Optima._fields if name != "spread")
"""What the optima have in every draw."""


def laws_of(scenario: Scenario, draws: Draws | None) -> Draws:
    """Joint draws of a scenario's law; where it has none, the law itself.

    So often that the loss of a teacher whom it does not place can differ.
    """
    if draws is not None:
        return draws
    known = scenario.teacher is None or not scenario.teacher.is_unplaced
    return one_draw(scenario.law, 1 if known else TIMES)


def supervised(scenario: Scenario, at: Cells, draws: Draws) -> Optima:
    """Supervised training with each cell's budget per student, under every drawn law."""
    # np.unique would do, and import masked arrays for it, which takes as long as all of this
    budgets = (np.minimum(at.budget, most_spent(scenario, None)) / at.students).tolist()
    each = np.array(sorted(set(budgets)))
    place = np.searchsorted(each, budgets)
    one = np.ones(each.size)
    distinct = Cells(budget=each, students=one, logits=one, training=one, most=one)
    law = for_problems(draws.supervised, each.size)
    problems = alone_of(scenario, _for_draws(distinct, draws.size))
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
        problems = _problems(scenario, at, draws, known)
        taught = _by_cell(optima_with_teacher(law, problems, teacher, finest=FINEST), draws.size)
        return as_read(scenario, at.logits, taught)
    # where nobody pays for the teacher its best loss may be far away in another draw, and the whole
    # search is cheap; near where they stand the tokens make an oblique kink, which only it follows
    free = (at.logits == 0) & (at.training == 0)
    bound = _near_stands(kept_as_long(problems_of(scenario, at), known), known.student_tokens)
    found: dict[str, Any] = {name: np.empty((free.size, draws.size)) for name in ARRAYS}
    for rows, search in (
        (free, _everywhere),
        (bound & ~free, _everywhere_in_some),
        (~bound & ~free, _near),
    ):
        if rows.any():
            start = _each(known, itemgetter(rows))
            part = search(scenario, at.each(itemgetter(rows)), draws, start)
            for name, values in found.items():
                ours = getattr(part, name)
                values[rows] = np.nan if ours is None else ours
    return as_read(scenario, at.logits, Optima(**found))


def _near_stands(problems: Problems, tokens: FloatArray) -> Any:
    """Where tokens of shape (problems,) are near their bound, or a kink of stored logits."""
    stands: list[Any] = [np.ravel(problems.tokens_of_both()), problems.most_passed]
    with np.errstate(invalid="ignore"):
        found = tokens > NEAR_BOUND * problems.bounds.student_tokens[1]
        for stand in stands:
            near = (NEAR_BOUND * stand < tokens) & (NEAR_BOUND * tokens < stand)
            found |= (problems.logits > 0) & near
    return found


def _everywhere(scenario: Scenario, at: Cells, draws: Draws, start: Optima) -> Optima:
    """Over all sizes of the teacher."""
    law: DistillationLaw = for_problems(draws.law, at.budget.size)
    problems = _problems(scenario, at, draws, start)
    paid = bool(np.any(at.logits > 0) or np.any(at.training > 0))  # else any pair will do
    found = optima_over_teachers(law, problems, finest=FINEST, pairs=paid)
    return _by_cell(found, draws.size)


def _everywhere_in_some(scenario: Scenario, at: Cells, draws: Draws, start: Optima) -> Optima:
    """The same in one of some draws, which stands for those around it.

    So near the bound of the tokens, far beyond the fitted range, the draws are the least of what is
    uncertain, and the search takes a second for all of them.
    """
    stride = STRIDE if scenario.student_params is not None else 3 * STRIDE
    found = _everywhere(scenario, at, draws.every(stride), start)
    return _each(found, lambda one: np.repeat(one, stride, axis=1)[:, : draws.size])


def _near(scenario: Scenario, at: Cells, draws: Draws, start: Optima) -> Optima:
    """Near the known optima."""
    law: DistillationLaw = for_problems(draws.law, at.budget.size)
    problems = _problems(scenario, at, draws, start)
    near = _each(start, lambda one: np.repeat(one, draws.size))
    return _by_cell(optima_near(law, problems, near), draws.size)


def _problems(scenario: Scenario, at: Cells, draws: Draws, known: Optima) -> Problems:
    """The cells as often as there are draws, logits kept for as long as in the known optima."""
    problems = problems_of(scenario, at)
    if scenario.teacher is not None:
        problems = problems.taught_by(given_teacher(scenario))
    kept = kept_as_long(problems, known)
    return kept.rows(np.repeat(np.arange(at.budget.size), draws.size))


def _teacher_losses(scenario: Scenario, draws: Draws, others: Sequence[float | None]) -> FloatArray:
    """The given teacher's loss in every cell and draw: measured, or each drawn law's own."""
    teacher = scenario.teacher
    if teacher is None:
        raise ValueError("the scenario has no teacher")
    own = np.broadcast_to(loss_by(teacher, draws.supervised), draws.size)
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
