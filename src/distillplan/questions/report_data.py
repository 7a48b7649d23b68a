"""Plans with what a report shows beside them: a map, curves, and the numbers of its sliders."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from distillplan.errors import InputError
from distillplan.laws.formulas import FloatArray
from distillplan.named_tuples import NamedTuple
from distillplan.optimize.problems import Optima
from distillplan.planning.kept_limits import within_limits
from distillplan.planning.results import Plan
from distillplan.planning.scenario import Scenario
from distillplan.planning.start import refuse_start
from distillplan.planning.verdict import guesses, guessing, run_of, word
from distillplan.planning.verdict_records import Verdict
from distillplan.questions.comparison_records import Asked, Comparison, NamedPlan
from distillplan.questions.explorer import Explorer, explorer_of
from distillplan.questions.page_ranges import LOSS_STEP, budgets, loss_steps, map_rows
from distillplan.questions.sweep import Solved, solve

MOST_REPORTED = 40
"""Scenarios in one report; nobody reads more."""
CURVE_STEP = 4
"""Steps of the teacher's loss from one point of the curve to the next."""


class MapCell(NamedTuple):
    """One cell of the map."""

    verdict: Verdict | None
    """None where there is no verdict, or nothing can be trained."""
    outside: bool
    """Whether it leaves the range that the law was fitted on."""


class VerdictMap(NamedTuple):
    """Where distillation wins: student sizes over budgets."""

    budgets: tuple[float, ...]
    """As `Scenario.budget`, rising."""
    sizes: tuple[float, ...]
    """Student parameters, rising."""
    rows: tuple[tuple[MapCell, ...], ...]
    """For each size, for each budget."""


class LossCurves(NamedTuple):
    """Both losses over the budget, nats per token.

    None where nothing can be trained, or where guessing would beat it.
    """

    budgets: tuple[float, ...]
    alone: tuple[float | None, ...]
    alone_is_guess: tuple[bool, ...]
    """Whether each is so far outside the fitted range that it is a guess."""
    distilled: tuple[float | None, ...]
    """Empty where the law has no distillation, as is the next."""
    distilled_is_guess: tuple[bool, ...]


class TeacherCurve(NamedTuple):
    """The student's loss over its teacher's, at the teacher's price, nats per token."""

    teacher_losses: tuple[float, ...]
    losses: tuple[float | None, ...]
    """None as above."""
    is_guess: tuple[bool, ...]
    best_teacher: float
    """Loss of the teacher that is best for this student."""
    best: float
    """Loss of the student with it."""


class ReportedPlan(NamedTuple):
    """One scenario of a report."""

    named: NamedPlan
    map: VerdictMap | None
    """None where no two options are weighed by their losses."""
    curves: LossCurves | None
    """None where no budget gives a loss that says anything."""
    teacher: TeacherCurve | None
    """None where no teacher is given, or none gives such a loss."""
    explorer: Explorer | None
    """None where a page cannot answer it again at other settings."""

    @property
    def plan(self) -> Plan:
        """The answer."""
        return self.named.plan


class DecisionReport(NamedTuple):
    """All that a report shows."""

    comparison: Comparison
    scenarios: tuple[ReportedPlan, ...]


def demand_few(scenarios: Sequence[Asked]) -> None:
    """Refuse more scenarios than anybody reads in a report, and those that it cannot draw.

    Raises:
        InputError: when there are more than `MOST_REPORTED`, or one starts from an open model.
    """
    if len(scenarios) > MOST_REPORTED:
        raise InputError(
            f"{len(scenarios)} scenarios are too many for a report, the most is {MOST_REPORTED}; "
            "use distillplan compare"
        )
    for one in scenarios:
        refuse_start(one.scenario)


def reported(named: NamedPlan) -> ReportedPlan:
    """One plan with its map, its curves and the numbers of its sliders."""
    found, explorer = named.plan, explorer_of(named.plan)
    return ReportedPlan(
        named=named,
        map=None if explorer is None else _map(found),
        curves=_curves(found.scenario),
        teacher=None if explorer is None else _teacher(found.scenario),
        explorer=explorer,
    )


def _map(found: Plan) -> VerdictMap:
    columns, sizes, asked = budgets(found.scenario), map_rows(found), found.scenario
    rows = (within_limits(replace(asked, student_params=size)) for size in sizes)
    solved = solve([one.spending(budget) for one in rows for budget in columns / asked.per_unit])
    weighed = solved.weighed
    if weighed is None:
        raise ValueError("a map is of two options")
    cells = [
        MapCell(verdict=word(side), outside=outside > 0)
        for side, outside in zip(weighed.side.tolist(), weighed.outside.tolist(), strict=True)
    ]
    many = columns.size
    return VerdictMap(
        budgets=tuple(columns.tolist()),
        sizes=sizes,
        rows=tuple(tuple(cells[row * many : (row + 1) * many]) for row in range(len(sizes))),
    )


def _curves(scenario: Scenario) -> LossCurves | None:
    columns = budgets(scenario).tolist()
    solved = solve([scenario.spending(one / scenario.per_unit) for one in columns])
    alone = _known(scenario, solved.alone.loss)
    if not any(alone):
        return None
    other = solved.distilled
    return LossCurves(
        budgets=tuple(columns),
        alone=alone,
        alone_is_guess=_guesses(scenario, solved.alone),
        distilled=() if other is None else _known(scenario, other.loss),
        distilled_is_guess=() if other is None else _guesses(scenario, other),
    )


def _guesses(scenario: Scenario, optima: Optima) -> tuple[bool, ...]:
    return tuple(guesses(scenario, run_of(optima)).tolist())


def _teacher(scenario: Scenario) -> TeacherCurve | None:
    teacher, middle = scenario.teacher, scenario.teacher_loss
    if teacher is None or middle is None:
        return None
    down, up = (math.trunc(one / CURVE_STEP) for one in loss_steps(scenario, middle))
    losses = (middle + CURVE_STEP * LOSS_STEP * np.arange(down, up + 1)).tolist()
    solved = solve([replace(scenario, teacher=replace(teacher, loss=one)) for one in losses])
    return _teacher_curve(solved, losses)


def _teacher_curve(solved: Solved, losses: Sequence[float]) -> TeacherCurve | None:
    best = solved.best_teacher
    if solved.distilled is None or best is None or best.teacher_loss is None:
        return None
    known = _known(solved.scenarios[0], solved.distilled.loss)
    if not any(known):
        return None
    return TeacherCurve(
        teacher_losses=tuple(losses),
        losses=known,
        is_guess=_guesses(solved.scenarios[0], solved.distilled),
        best_teacher=float(best.teacher_loss[0]),
        best=float(best.loss[0]),
    )


def _known(scenario: Scenario, losses: FloatArray) -> tuple[float | None, ...]:
    """Losses that say something: within budget, and better than guessing."""
    most = guessing(scenario)
    return tuple(one if one < most else None for one in losses.tolist())
