"""Places whose odds are asked for: options of a plan, and what would turn it."""

import numpy as np

from distillplan.accounting import Accounting
from distillplan.named_tuples import NamedTuple
from distillplan.optimize.problems import Optima
from distillplan.planning import drawn, evaluate
from distillplan.planning.evaluate import Cells, cells, together
from distillplan.planning.results import Option, Plan
from distillplan.planning.scenario import Scenario
from distillplan.planning.verdict import Trained, run_of
from distillplan.planning.verdict_records import BudgetFlip
from distillplan.units.quantities import SECONDS_PER_HOUR


class Place(NamedTuple):
    """A variation of a scenario, with its best sizes under the scenario's own law."""

    at: Cells
    alone: Trained
    distilled: Trained
    teacher_params: float | None = None
    """Of the best teacher, where none is given: the search under other laws begins there."""
    teacher_tokens: float | None = None
    other_teacher_loss: float | None = None
    """Of another teacher than the given one, nats per token."""


def of_options(scenario: Scenario, alone: Option, distilled: Option) -> Place:
    """The place that two options show."""
    return Place(
        at=cells(scenario, distilled.accounting or Accounting.FREE),
        alone=run_of(alone),
        distilled=run_of(distilled),
        teacher_params=distilled.teacher_params,
        teacher_tokens=distilled.teacher_tokens,
    )


def flip_places(plan: Plan) -> dict[str, Place]:
    """Where the flips that no option shows take place."""
    scenario, flips, pays = plan.scenario, plan.flips, plan.scenario.pays
    at = {}
    for name in ("budget_down", "budget_up"):
        flip: BudgetFlip | None = getattr(flips, name)
        if flip is not None:
            unit = 1.0 if scenario.gpu_hours is None else SECONDS_PER_HOUR
            at[name] = cells(scenario, pays, budget=flip.at * unit)
    if flips.students is not None:
        at["students"] = cells(scenario, pays, students=flips.students.students)
    if flips.logits is not None and evaluate.mixes_logits(scenario):
        changed = scenario.reading(flips.logits.logits)
        at["logits"] = cells(changed, changed.pays)
    places = {}
    if at:
        every = together(at.values())
        alone = evaluate.supervised(scenario, every)
        distilled = evaluate.distilled(scenario, every, finest=drawn.FINEST)
        places = {
            name: of_optima(one, alone, distilled, row)
            for row, (name, one) in enumerate(at.items())
        }
    if flips.teacher_loss is not None and scenario.teacher is not None:
        here, best = cells(scenario, pays), np.array([flips.teacher_loss.best])
        places["teacher_loss"] = of_optima(
            here,
            evaluate.supervised(scenario, here),
            evaluate.distilled_from(scenario, here, best),
            0,
        )._replace(other_teacher_loss=flips.teacher_loss.best)
    # where only one side is affordable there is nothing to weigh
    return {
        name: one
        for name, one in places.items()
        if np.isfinite(one.alone.loss[0]) and np.isfinite(one.distilled.loss[0])
    }


def of_optima(at: Cells, alone: Optima, distilled: Optima, row: int) -> Place:
    """The place of one of the optima."""

    def one(name: str) -> float | None:
        values = getattr(distilled, name)
        return None if values is None else float(values[row])

    return Place(
        at=at,
        alone=run_of(alone).row(row),
        distilled=run_of(distilled).row(row),
        teacher_params=one("teacher_params"),
        teacher_tokens=one("teacher_tokens"),
    )
