"""The best sizes over the budget: teacher, student and tokens, and what the budget goes into."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from distillplan.accounting import Accounting
from distillplan.errors import InfeasibleError
from distillplan.laws.provenance import PublishedLaw
from distillplan.models.model_sizes import LEAST_FLOPS, MOST_FLOPS
from distillplan.named_tuples import NamedTuple
from distillplan.notices import Notice
from distillplan.planning import side_by_side
from distillplan.planning.model_warnings import picture_warnings
from distillplan.planning.options import options_from, settled
from distillplan.planning.results import Option
from distillplan.planning.scenario import Scenario
from distillplan.planning.teacher import demand_distillation
from distillplan.planning.verdict import guessing, is_guess
from distillplan.questions.budget_losses import (
    BEYOND_RUNS,
    BUDGET_SPAN,
    BudgetUnit,
    runs_budgets,
    with_budget,
    without_times,
)

BUDGETS = 41
"""Of a curve; the one in the middle is that of the question."""


class OptimumAt(NamedTuple):
    """The best sizes at one budget; None where the budget trains nothing."""

    unit: BudgetUnit
    budget: float
    """In this unit."""
    accounting: Accounting | None
    """Teacher costs that the budget covers; None for training from data alone."""
    decides: bool
    """Whether the question pays like this."""
    loss: float | None
    """Nats per token; None as well where guessing would beat it."""
    is_guess: bool
    """Whether it is so far outside the fitted range that it is a guess."""
    student_params: float | None
    student_tokens: float | None
    """Of each student."""
    teacher_params: float | None
    """None as well where the teacher costs nothing, so that any with its loss will do."""
    teacher_tokens: float | None
    teacher_loss: float | None
    """Nats per token."""
    student_training_share: float | None
    """Of the FLOPs that the budget pays for, as are those below."""
    teacher_logits_share: float | None
    teacher_training_share: float | None
    student_serving_share: float | None
    at_bounds: tuple[str, ...]
    """Sizes at a bound of the search."""


class BudgetOptima(NamedTuple):
    """The best sizes over the budget."""

    points: tuple[OptimumAt, ...]
    """Training from data alone, then each accounting; in each the budgets rising."""
    here: float | None
    """Budget of the question, in the unit of the points; None where none was given."""
    runs: tuple[float, float] | None
    """Budgets that train a student as long as the law's runs were, teacher aside."""
    machine: str | None
    """On which hours are counted; None for FLOPs."""
    law: PublishedLaw
    scenario: Scenario
    warnings: tuple[Notice, ...] = ()
    """What to know of the models that were named, and of a law of one's own runs."""

    @property
    def unit(self) -> BudgetUnit:
        """What budgets are counted in."""
        return self.points[0].unit

    @property
    def unasked(self) -> tuple[str, ...]:
        """Keys of the scenario that were not given."""
        return ("compute",) if self.here is None else ()

    def of(self, accounting: Accounting | None) -> tuple[OptimumAt, ...]:
        """The points of one way to train."""
        return tuple(one for one in self.points if one.accounting is accounting)

    @property
    def ways(self) -> tuple[Accounting | None, ...]:
        """The ways to train that are drawn."""
        return tuple(dict.fromkeys(one.accounting for one in self.points))

    @property
    def as_paid(self) -> tuple[OptimumAt, ...]:
        """The points of the way that the question pays."""
        return tuple(one for one in self.points if one.decides)


def budget_optima(scenario: Scenario, *, given: bool) -> BudgetOptima:
    """The best sizes over budgets around the question's own.

    From a given teacher only as the question pays for it; else under every accounting.

    Args:
        scenario: the question.
        given: whether its budget was given; else budgets are those of the law's runs.

    Raises:
        InputError: when the law knows no distillation.
        InfeasibleError: when no budget trains anything.
    """
    demand_distillation(scenario.law)
    asked = without_times(scenario)
    unit = BudgetUnit.FLOPS if asked.gpu_hours is None else BudgetUnit.GPU_HOURS
    if unit is BudgetUnit.FLOPS:
        asked = replace(asked, machine=None)  # whose hours nobody asks for here
    here = asked.budget / asked.per_unit if given else None
    budgets = _budgets(asked, here)
    scenarios = [with_budget(asked, unit, budget) for budget in budgets]
    ways = [None, *(scenario.accountings if scenario.teacher is None else [scenario.pays])]
    points, alone = [], _options(scenarios, None)
    for way in ways:
        options = alone if way is None else _options(scenarios, way)
        rows = zip(budgets, scenarios, options, strict=True)
        points += [_at(unit, budget, one, option) for budget, one, option in rows]
    if all(one.loss is None for one in points):
        raise InfeasibleError("no budget that a picture would show trains anything")
    on = asked.machine
    return BudgetOptima(
        points=tuple(points),
        here=here,
        runs=_runs(asked, unit, alone),
        machine=None if on is None else f"{on.gpus} {on.gpu.name}",
        law=asked.law,
        scenario=scenario,
        warnings=picture_warnings(scenario),
    )


def _budgets(scenario: Scenario, here: float | None) -> list[float]:
    """The budgets of the curves, in FLOPs or GPU-hours, rising."""
    if here is None:
        low, high = runs_budgets(scenario)
        return list(np.geomspace(low / BEYOND_RUNS, high * BEYOND_RUNS, BUDGETS).tolist())
    steps = np.linspace(-1, 1, BUDGETS)
    budgets: list[float] = (here * BUDGET_SPAN**steps).tolist()
    if scenario.gpu_hours is not None:
        return budgets
    return [one for one in budgets if LEAST_FLOPS <= one <= MOST_FLOPS]


def _options(scenarios: Sequence[Scenario], way: Accounting | None) -> list[Option]:
    """The best sizes at each budget, and what they cost."""
    ways = [way] * len(scenarios)
    if way is None:
        found = side_by_side.supervised_each(scenarios)
    else:
        found = side_by_side.distilled_each(scenarios, [way] * len(scenarios))
    return options_from(scenarios, ways, settled(scenarios, ways, found), None)


def _at(unit: BudgetUnit, budget: float, scenario: Scenario, option: Option) -> OptimumAt:
    shares: list[float | None] = [None] * 4
    if option.flops is not None:
        shares = [one / option.flops.total for one in option.flops]
    student, logits, teacher, serving = shares
    chosen = scenario.teacher is not None or option.accounting is not Accounting.FREE
    sound = option.loss is not None and option.loss < guessing(scenario)
    return OptimumAt(
        unit=unit,
        budget=budget,
        accounting=option.accounting,
        decides=option.decides,
        loss=option.loss if sound else None,
        is_guess=is_guess(scenario, option),
        student_params=option.student_params,
        student_tokens=option.student_tokens,
        teacher_params=option.teacher_params if chosen else None,
        teacher_tokens=option.teacher_tokens if chosen else None,
        teacher_loss=option.teacher_loss,
        student_training_share=student,
        teacher_logits_share=logits,
        teacher_training_share=teacher,
        student_serving_share=serving,
        at_bounds=tuple(_bounds_that_matter(option, chosen=chosen)),
    )


def _bounds_that_matter(option: Option, *, chosen: bool) -> Iterator[str]:
    for name in option.at_bounds:
        if chosen or not name.startswith("teacher"):
            yield name


def _runs(
    scenario: Scenario, unit: BudgetUnit, alone: Sequence[Option]
) -> tuple[float, float] | None:
    """Budgets of the law's runs in a unit; None where nobody knows the hours."""
    low, high = runs_budgets(scenario)
    if unit is BudgetUnit.FLOPS:
        return low, high
    middle = alone[len(alone) // 2]
    if middle.bill is None or middle.total_flops is None or middle.bill.gpu_hours.mid <= 0:
        return None
    hour = middle.total_flops / middle.bill.gpu_hours.mid
    return low / hour, high / hour
