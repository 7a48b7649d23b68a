"""Both losses over the budget with their bands: over FLOPs, and over GPU-hours of a machine."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from enum import StrEnum
from itertools import count
from typing import Final

import numpy as np

from distillplan.accounting import TRAINING_PASSES, Accounting
from distillplan.errors import InfeasibleError
from distillplan.hardware.machine import machine
from distillplan.laws import law_catalog
from distillplan.laws.draws import Draws, one_draw
from distillplan.laws.provenance import PublishedLaw
from distillplan.named_tuples import NamedTuple
from distillplan.notices import Notice
from distillplan.planning import drawn
from distillplan.planning.bands import banded
from distillplan.planning.evaluate import cells
from distillplan.planning.kept_limits import spent_on
from distillplan.planning.model_warnings import picture_warnings
from distillplan.planning.odds import posterior
from distillplan.planning.places import of_options
from distillplan.planning.planner import plan_if_any
from distillplan.planning.results import Option, Plan, Reason
from distillplan.planning.scenario import Limits, Scenario
from distillplan.planning.verdict import is_guess, transfer_of
from distillplan.planning.verdict_records import Verdict
from distillplan.questions.sweep import sweep

POINTS = 31
"""Budgets of a curve."""
STEPS = 2 * POINTS
"""Plans of a picture."""
BUDGET_SPAN = 100.0
"""Down and up from a budget that was given."""
BEYOND_RUNS = 8.0
"""Down and up from the budgets of the law's runs, where none was given."""
USUAL_TOKENS_PER_PARAM = (1.0, 1000.0)
"""Of a law that does not say which runs it was fitted on."""
ASSUMED: Final = {"gpu": "h100-sxm", "gpus": 64}
"""The machine of the hours where none is named."""


class BudgetUnit(StrEnum):
    """What a budget is counted in."""

    FLOPS = "flops"
    GPU_HOURS = "gpu_hours"


class LossAt(NamedTuple):
    """Both losses at one budget, nats per token; None where nothing can be trained or said."""

    unit: BudgetUnit
    budget: float
    """In this unit."""
    supervised_loss: float | None
    supervised_low: float | None
    """End of a 90% band, as are those below."""
    supervised_high: float | None
    supervised_is_guess: bool
    """Whether it is so far outside the fitted range that it is a guess."""
    distilled_loss: float | None
    distilled_low: float | None
    distilled_high: float | None
    distilled_is_guess: bool
    verdict: Verdict | None


class LossPanel(NamedTuple):
    """The losses over budgets in one unit."""

    unit: BudgetUnit
    points: tuple[LossAt, ...]
    """Budgets rising."""
    here: LossAt | None
    """The question as asked; None where no budget was given."""
    runs: tuple[float, float]
    """Budgets that train a student as long as the law's runs were, teacher aside."""


class BudgetLosses(NamedTuple):
    """Both losses over the budget."""

    panels: tuple[LossPanel, ...]
    machine: str | None
    """On which the hours are; None where there are none."""
    machine_assumed: bool
    """Whether it was not named in the question."""
    law: PublishedLaw
    scenario: Scenario
    warnings: tuple[Notice, ...] = ()
    """What to know of the models that were named, and of a law of one's own runs."""

    @property
    def points(self) -> tuple[LossAt, ...]:
        """The points of all panels."""
        return tuple(point for panel in self.panels for point in panel.points)


def budget_losses(
    scenario: Scenario, *, given: bool, advance: Callable[[int], None] = lambda _: None
) -> BudgetLosses:
    """Both losses over budgets around the question's own.

    Args:
        scenario: the question.
        given: whether its budget was given; else budgets are those of the law's runs.
        advance: told the number of budgets that are done, of `STEPS`.

    Raises:
        InfeasibleError: when no budget trains anything.
    """
    asked = without_times(scenario)
    on = asked
    if on.machine is None:
        on = replace(asked, machine=machine(ASSUMED, asked.architecture))
    middle, done = plan_if_any(asked) if given else None, count(1)

    def panel(unit: BudgetUnit, per_unit: float) -> LossPanel:
        # a machine that nobody named has no say in what FLOPs buy
        planned = asked if unit is BudgetUnit.FLOPS else on
        low, high = (one / per_unit for one in _span(asked, middle))
        budgets = np.geomspace(low, high, POINTS).tolist()
        points = _points(planned, unit, budgets, lambda: advance(next(done)))
        few, many = (one / per_unit for one in runs_budgets(asked))
        spent = _spent(on, unit, middle)
        stars = _points(planned, unit, [] if spent is None else [spent], lambda: None)
        return LossPanel(unit=unit, points=tuple(points), here=next(stars, None), runs=(few, many))

    panels = [panel(BudgetUnit.FLOPS, 1.0)]
    hour = None if asked.inference_tokens else _flops_per_hour(on, panels[0])
    if hour is not None:
        panels.append(panel(BudgetUnit.GPU_HOURS, hour))
    known = [one for one in panels if any(map(_is_known, one.points))]
    if not known:
        raise InfeasibleError("no budget that a picture would show trains anything")
    timed = on.machine if len(known) > 1 else None
    return BudgetLosses(
        panels=tuple(known),
        machine=None if timed is None else f"{timed.gpus} {timed.gpu.name}",
        machine_assumed=scenario.machine is None,
        law=asked.law,
        scenario=scenario,
        warnings=picture_warnings(scenario),
    )


def without_times(scenario: Scenario) -> Scenario:
    """The question without what holds at its own budget alone."""
    limits = Limits(bytes_per_gpu=scenario.limits.bytes_per_gpu)
    return replace(scenario, limits=limits, student_tokens=None)


def with_budget(scenario: Scenario, unit: BudgetUnit, budget: float) -> Scenario:
    """The same question with another budget."""
    if unit is BudgetUnit.FLOPS:
        return replace(scenario, compute=budget, gpu_hours=None)
    return replace(scenario, compute=None, gpu_hours=budget)


def runs_budgets(scenario: Scenario) -> tuple[float, float]:
    """Budgets in FLOPs that train the question's student as long as the law's runs, teacher aside.

    Where it has none, of the smallest and of the largest student of those runs.
    """
    valid, student = scenario.law.valid, scenario.student_params
    sizes = (student, student) if student is not None else valid.get("params", (1e8, 1e10))
    few, many = USUAL_TOKENS_PER_PARAM
    tokens = valid.get("tokens", (few * sizes[0], many * sizes[1]))
    low, high = (
        scenario.students
        * scenario.student_forward(size)
        * (TRAINING_PASSES * trained + scenario.inference_tokens)
        for size, trained in zip(sizes, tokens, strict=True)
    )
    return low, high


def _span(scenario: Scenario, middle: Plan | None) -> tuple[float, float]:
    """The least and the largest budget of the curves, in FLOPs."""
    if middle is not None and middle.supervised.total_flops is not None:
        asked, alone = middle.scenario, middle.supervised
        budget = middle.supervised.total_flops * (asked.budget / spent_on(asked, alone))
        return budget / BUDGET_SPAN, budget * BUDGET_SPAN
    low, high = runs_budgets(scenario)
    return low / BEYOND_RUNS, high * BEYOND_RUNS


def _flops_per_hour(scenario: Scenario, panel: LossPanel) -> float | None:
    """What a GPU-hour of the machine buys in the middle of the budgets; None: nothing fits it."""
    budget = panel.points[len(panel.points) // 2].budget
    found = plan_if_any(with_budget(scenario, BudgetUnit.FLOPS, budget))
    bill = None if found is None else found.supervised.bill
    if found is None or bill is None or bill.gpu_hours.mid <= 0:
        return None
    return spent_on(found.scenario, found.supervised) / bill.gpu_hours.mid


def _points(
    scenario: Scenario, unit: BudgetUnit, budgets: Sequence[float], advance: Callable[[], None]
) -> Iterator[LossAt]:
    """Both losses at some budgets, as plans have them, without what would flip each."""
    every = [with_budget(scenario, unit, one) for one in budgets]
    draws = law_catalog.draws(scenario.law)
    known = draws is not None or transfer_of(scenario.law).scale > 0
    for budget, asked, cell in zip(budgets, every, sweep(({}, one) for one in every), strict=True):
        alone: Option | None = cell.supervised
        other = cell.deciding
        if cell.supervised.loss is None or cell.verdict_reason is Reason.NOTHING_POSSIBLE:
            alone = other = None
        elif known:
            alone, other = _with_bands(asked, cell.supervised, other, draws)
        yield _at(asked, unit, budget, alone, other, cell.verdict)
        advance()


def _with_bands(
    scenario: Scenario, alone: Option, other: Option | None, draws: Draws | None
) -> tuple[Option, Option | None]:
    at = cells(scenario, Accounting.FREE)
    found = banded(
        scenario, alone, drawn.supervised(scenario, at, draws or one_draw(scenario.law)), 0
    )
    if other is None or other.loss is None:
        return found, other
    taught = posterior(
        scenario, [of_options(scenario, alone, other)], drawn.laws_of(scenario, draws)
    )
    return found, banded(scenario, other, taught.distilled, 0)


def _at(
    scenario: Scenario,
    unit: BudgetUnit,
    budget: float,
    alone: Option | None,
    other: Option | None,
    verdict: Verdict | None,
) -> LossAt:
    """A point of both curves."""
    low, high = _band(alone)
    taught_low, taught_high = _band(other)
    return LossAt(
        unit=unit,
        budget=budget,
        supervised_loss=None if alone is None else alone.loss,
        supervised_low=low,
        supervised_high=high,
        supervised_is_guess=alone is not None and is_guess(scenario, alone),
        distilled_loss=None if other is None else other.loss,
        distilled_low=taught_low,
        distilled_high=taught_high,
        distilled_is_guess=other is not None and is_guess(scenario, other),
        verdict=verdict,
    )


def _band(option: Option | None) -> tuple[float | None, float | None]:
    return (None, None) if option is None else option.loss_band or (None, None)


def _spent(on: Scenario, unit: BudgetUnit, middle: Plan | None) -> float | None:
    """What the question spends in a unit: its own budget, or what its student takes alone.

    None where it has no budget, or nothing fits the machine.
    """
    if middle is None:
        return None
    compute, gpu_hours = middle.scenario.compute, middle.scenario.gpu_hours
    if unit is BudgetUnit.FLOPS:
        return middle.supervised.total_flops if compute is None else compute
    if compute is None:
        return gpu_hours
    found = plan_if_any(with_budget(on, BudgetUnit.FLOPS, compute))
    bill = None if found is None else found.supervised.bill
    if found is None or bill is None:
        return None
    return bill.gpu_hours.mid * compute / spent_on(found.scenario, found.supervised)


def _is_known(point: LossAt) -> bool:
    return point.supervised_loss is not None
