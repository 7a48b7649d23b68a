"""Where distilling wins: the odds for students of many sizes over many budgets."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from distillplan.errors import InfeasibleError, InputError
from distillplan.laws.provenance import PublishedLaw
from distillplan.models.model_sizes import LEAST_FLOPS, MOST_FLOPS
from distillplan.named_tuples import NamedTuple
from distillplan.notices import Notice
from distillplan.planning.fitted_range import SIZES
from distillplan.planning.model_warnings import picture_warnings
from distillplan.planning.planner import plan
from distillplan.planning.results import Option, Reason
from distillplan.planning.scenario import Scenario
from distillplan.planning.teacher import demand_distillation
from distillplan.planning.validity import OUTSIDE_FIT
from distillplan.planning.verdict_records import Verdict
from distillplan.questions.budget_losses import (
    BEYOND_RUNS,
    BudgetUnit,
    runs_budgets,
    with_budget,
    without_times,
)
from distillplan.questions.page_ranges import BUDGET_DECADES, sizes_around, student_of
from distillplan.questions.sweep import Cell, sweep

COLUMNS_PER_DECADE = 5
"""Budgets around one that was given."""
COLUMNS, ROWS = 21, 16
"""Budgets and sizes where no budget was given."""
USUAL_STUDENTS = (1e8, 3.2e10)
"""Sizes where no budget was given, in parameters."""
BESIDE_STUDENT = 3.0
"""A student outside of these has so many times its size above or below."""
AT_ONCE = 3
"""Rows that are answered together: enough to be fast, few enough to show progress."""
TEACHERS = ("teacher_loss", "teacher_params", "teacher_tokens")


class OddsCell(NamedTuple):
    """One student at one budget; None where nothing is weighed."""

    unit: BudgetUnit
    budget: float
    """In this unit."""
    student_params: float
    verdict: Verdict | None
    verdict_reason: Reason | None
    """Why; None where the budget trains no such student."""
    odds_distill: float | None
    odds_tie: float | None
    odds_supervised: float | None
    margin_nats: float | None
    """Supervised minus distilled loss, nats per token."""
    room: float | None
    """E-folds from the nearest end of the law's runs, negative outside of them: of the sizes and
    tokens of both students, and of the teacher where none is given."""
    warnings: tuple[str, ...]
    """Codes, as in a plan."""

    @property
    def shade(self) -> float | None:
        """Odds of distilling minus those of training from data alone, -1 to 1.

        That of the verdict where it needs no odds; None without a verdict.
        """
        if self.verdict is None:
            return None
        if self.odds_distill is None or self.odds_supervised is None:
            return {Verdict.DISTILL: 1.0, Verdict.TIE: 0.0, Verdict.SUPERVISED: -1.0}[self.verdict]
        return self.odds_distill - self.odds_supervised


class OddsMap(NamedTuple):
    """Where distilling wins: student sizes over budgets."""

    unit: BudgetUnit
    budgets: tuple[float, ...]
    """Rising, in this unit."""
    sizes: tuple[float, ...]
    """Student parameters, rising."""
    cells: tuple[OddsCell, ...]
    """All budgets of the first size, then those of the next."""
    here_budget: float | None
    """That of the question; None where none was given."""
    here_student: float | None
    """The same of the student."""
    teacher_outside: bool
    """Whether the given teacher lies outside the law's runs."""
    machine: str | None
    """On which hours are counted; None where none was named."""
    law: PublishedLaw
    scenario: Scenario
    warnings: tuple[Notice, ...] = ()
    """What to know of the models that were named, and of a law of one's own runs."""

    @property
    def rows(self) -> tuple[tuple[OddsCell, ...], ...]:
        """The cells of each size."""
        many = len(self.budgets)
        return tuple(self.cells[start : start + many] for start in range(0, len(self.cells), many))

    @property
    def unasked(self) -> tuple[str, ...]:
        """Keys of the scenario that were not given."""
        return ("compute",) if self.here_budget is None else ()


class _Ranges(NamedTuple):
    budgets: tuple[float, ...]
    sizes: tuple[float, ...]


def map_size(scenario: Scenario, *, given: bool) -> int:
    """Cells of the map of a question, for its progress."""
    found = _ranges(without_times(scenario), given=given)
    return len(found.budgets) * len(found.sizes)


def odds_map(
    scenario: Scenario, *, given: bool, advance: Callable[[int], None] = lambda _: None
) -> OddsMap:
    """The odds of students of many sizes over many budgets: what `plan` says of each.

    Args:
        scenario: the question.
        given: whether its budget was given; else budgets are those of the law's runs.
        advance: told the number of cells that are done, of `map_size`.

    Raises:
        InputError: when the law knows no distillation.
        InfeasibleError: when no budget trains any student.
    """
    demand_distillation(scenario.law)
    asked = without_times(scenario)
    unit = BudgetUnit.FLOPS if asked.gpu_hours is None else BudgetUnit.GPU_HOURS
    ranges = _ranges(asked, given=given)
    cells: list[OddsCell] = []
    for start in range(0, len(ranges.sizes), AT_ONCE):
        sizes = ranges.sizes[start : start + AT_ONCE]
        cells += _answered(asked, unit, sizes, ranges.budgets)
        advance(len(cells))
    if all(one.verdict_reason is None for one in cells):
        raise InfeasibleError("no budget that a map would show trains any student")
    on = asked.machine
    return OddsMap(
        unit=unit,
        budgets=ranges.budgets,
        sizes=ranges.sizes,
        cells=tuple(cells),
        here_budget=asked.budget / asked.per_unit if given else None,
        here_student=asked.student_params,
        teacher_outside=asked.teacher is not None
        and any(OUTSIDE_FIT[name] in one.warnings for one in cells for name in TEACHERS),
        machine=None if on is None else f"{on.gpus} {on.gpu.name}",
        law=asked.law,
        scenario=scenario,
        warnings=picture_warnings(scenario),
    )


def _ranges(scenario: Scenario, *, given: bool) -> _Ranges:
    """Budgets and sizes around those of the question, or those of the law's runs."""
    student = scenario.student_params
    if not given:
        low, high = USUAL_STUDENTS
        if student is not None:
            low, high = min(low, student / BESIDE_STUDENT), max(high, student * BESIDE_STUDENT)
        least, most = runs_budgets(replace(scenario, student_params=None, student_model=None))
        return _Ranges(
            budgets=_evenly(least / BEYOND_RUNS, most * BEYOND_RUNS, COLUMNS),
            sizes=tuple(_possible(scenario, _evenly(low, high, ROWS))),
        )
    many = BUDGET_DECADES * COLUMNS_PER_DECADE
    budget = scenario.budget / scenario.per_unit
    budgets = (budget * 10.0 ** (step / COLUMNS_PER_DECADE) for step in range(-many, many + 1))
    if scenario.gpu_hours is None:
        budgets = (one for one in budgets if LEAST_FLOPS <= one <= MOST_FLOPS)
    middle = student_of(plan(scenario, quick=True)) if student is None else student
    sizes = tuple(_possible(scenario, sizes_around(middle)))
    return _Ranges(budgets=tuple(budgets), sizes=sizes)


def _possible(scenario: Scenario, sizes: Sequence[float]) -> Iterator[float]:
    """Sizes that can be asked about: a small model may have fewer layers than pipeline stages.

    Raises:
        InputError: where none can.
    """
    refused: InputError | None = None
    left = False
    for size in sizes:
        try:
            replace(scenario, student_params=size)
        except InputError as error:
            refused = refused or error
            continue
        left = True
        yield size
    if not left and refused is not None:
        raise refused


def _evenly(low: float, high: float, many: int) -> tuple[float, ...]:
    return tuple(np.geomspace(low, high, many).tolist())


def _answered(
    scenario: Scenario, unit: BudgetUnit, sizes: Sequence[float], budgets: Sequence[float]
) -> Iterator[OddsCell]:
    asked = (
        ({"unit": unit, "budget": budget, "student_params": size}, sized)
        for size in sizes
        for budget in budgets
        for sized in (replace(with_budget(scenario, unit, budget), student_params=size),)
    )
    for one in sweep(asked, odds=True):
        odds = one.odds
        yield OddsCell(
            **one.at,
            verdict=one.verdict,
            verdict_reason=one.verdict_reason,
            odds_distill=None if odds is None else odds.distill,
            odds_tie=None if odds is None else odds.tie,
            odds_supervised=None if odds is None else odds.supervised,
            margin_nats=one.margin_nats,
            room=_room(scenario, one),
            warnings=one.warnings,
        )


def _room(scenario: Scenario, cell: Cell) -> float | None:
    """E-folds between what varies in the map and the nearest end of the law's runs."""
    compared = [one for one in (cell.supervised, cell.deciding) if one is not None]
    return min((room for one in compared for room in _rooms(scenario, one)), default=None)


def _rooms(scenario: Scenario, option: Option) -> Iterator[float]:
    for name, size in SIZES.items():
        range_of = size.supervised if option.accounting is None else size.distilled
        value, ends = getattr(option, name), scenario.law.valid.get(range_of)
        if value is None or ends is None or (name in TEACHERS and scenario.teacher is not None):
            continue
        low, high = ends
        yield min(math.log(value / low), math.log(high / value))
