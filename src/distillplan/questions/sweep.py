"""Many scenarios at once: what `plan` says of each, but for flips and nearly-as-good sizes."""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from operator import attrgetter
from typing import Any

import numpy as np

from distillplan.laws import law_catalog
from distillplan.laws.formulas import FloatArray
from distillplan.named_tuples import NamedTuple
from distillplan.optimize.problems import Optima
from distillplan.planning import side_by_side
from distillplan.planning.kept_limits import within_limits
from distillplan.planning.odds import odds_between
from distillplan.planning.options import options_from, settled, without_nonsense
from distillplan.planning.planner import decide
from distillplan.planning.results import Option, Reason
from distillplan.planning.scenario import Scenario
from distillplan.planning.validity import warning_codes
from distillplan.planning.verdict import Weighed, guessing, run_of, weigh
from distillplan.planning.verdict_records import Odds, Verdict

CHUNK = 500
"""Cells that the optimizer takes together: enough to be fast, few enough to stay small."""


class Cell(NamedTuple):
    """One scenario's answer in short."""

    at: Mapping[str, Any]
    """What distinguishes it from the others."""
    supervised: Option
    deciding: Option | None = None
    """The distillation that the verdict is drawn from; None where the law has none."""
    verdict: Verdict | None = None
    """None where no student can be trained, or there is no verdict."""
    verdict_reason: Reason | None = None
    """Why; None where no student can be trained."""
    odds: Odds | None = None
    """Of each verdict; None where they were not asked for, or nothing is weighed."""
    margin_nats: float | None = None
    warnings: tuple[str, ...] = ()
    """Codes, as in the scenario's own plan, of what concerns these two options."""


def sweep(
    cells: Iterable[tuple[Mapping[str, Any], Scenario]], *, odds: bool = False
) -> Iterator[Cell]:
    """The answer of each scenario, in their order, as they are found.

    Cells that differ in numbers only go to the optimizer together, so that a product of axes costs
    a few calls. Nothing is kept, so that a million cells need no more memory than a thousand.

    Args:
        cells: what distinguishes each cell, and its scenario.
        odds: say how sure each verdict is, which takes some milliseconds a cell.
    """
    waiting = iter(cells)
    while chunk := list(itertools.islice(waiting, CHUNK)):
        yield from sweep_together(chunk, range(len(chunk)), odds=odds)


def sweep_together(
    cells: Sequence[tuple[Mapping[str, Any], Scenario]], wanted: range, *, odds: bool = False
) -> Iterator[Cell]:
    """The answers of some of the cells that the optimizer takes together.

    Args:
        cells: all of them, `CHUNK` at most.
        wanted: the places of those to answer. Which others are wanted changes no bit of an answer.
        odds: say how sure each verdict is.
    """
    found: dict[int, Cell] = {}
    for indices in _kinds([scenario for _, scenario in cells]):
        rows = [row for row, index in enumerate(indices) if index in wanted]
        if rows:
            answers = _cells([cells[index] for index in indices], rows, with_odds=odds)
            found |= zip((indices[row] for row in rows), answers, strict=True)
    yield from (found[index] for index in wanted)


_left_open = attrgetter(*sorted(side_by_side.MAY_DIFFER))
_shared = attrgetter(
    *(one.name for one in fields(Scenario) if one.name not in side_by_side.MAY_DIFFER)
)


def _kinds(scenarios: Sequence[Scenario]) -> Iterator[list[int]]:
    """The places of scenarios that can be solved side by side: that share all but what may differ.

    Equal values need not be the same, and some cannot be hashed.
    """
    kinds: list[tuple[Any, list[int]]] = []
    for place, one in enumerate(scenarios):
        kind = _shared(one), [value is None for value in _left_open(one)]
        places = next((places for known, places in kinds if known == kind), None)
        if places is None:
            kinds.append((kind, [place]))
        else:
            places.append(place)
    return (places for _, places in kinds)


class Solved(NamedTuple):
    """Scenarios of one kind, solved side by side."""

    scenarios: Sequence[Scenario]
    alone: Optima
    """Supervised training."""
    distilled: Optima | None
    """Distillation as each scenario pays for it; None where the law has none."""
    best_teacher: Optima | None
    """The same from the best teacher at the price of each scenario's own; None without one."""

    @property
    def gains(self) -> FloatArray | None:
        """Supervised minus distilled loss, nats per token, shape (scenarios,).

        Minus infinity where only supervised training is affordable, not-a-number where neither is;
        None where the law has no distillation.
        """
        if self.distilled is None:
            return None
        with np.errstate(invalid="ignore"):
            return self.alone.loss - self.distilled.loss

    @property
    def weighed(self) -> Weighed | None:
        """Which side wins in each scenario; None where the law has no distillation."""
        if self.distilled is None:
            return None
        tie = np.array([one.tie_nats for one in self.scenarios])
        return weigh(self.scenarios[0], run_of(self.alone), run_of(self.distilled), tie)

    def best(self, row: int) -> tuple[float, float] | None:
        """The loss of the best teacher of a scenario and that of its student; None without one."""
        found = self.best_teacher
        if found is None or found.teacher_loss is None:
            return None
        return float(found.teacher_loss[row]), float(found.loss[row])


def solve(scenarios: Sequence[Scenario]) -> Solved:
    """The answers of scenarios of one kind (`side_by_side.MAY_DIFFER`), before options are made."""
    first, count = scenarios[0], len(scenarios)
    paid = [one.pays for one in scenarios]
    alone = settled(scenarios, [None] * count, side_by_side.supervised_each(scenarios))
    distilled = best = None
    if first.law.distillation is not None:
        distilled = settled(scenarios, paid, side_by_side.distilled_each(scenarios, paid))
        if first.teacher is not None:
            best = side_by_side.best_teacher_each(scenarios, paid)
    return Solved(scenarios=scenarios, alone=alone, distilled=distilled, best_teacher=best)


def _cells(
    cells: Sequence[tuple[Mapping[str, Any], Scenario]], rows: Sequence[int], *, with_odds: bool
) -> Iterator[Cell]:
    """The answers in some rows of scenarios of one kind."""
    scenarios = [within_limits(scenario) for _, scenario in cells]
    solved = solve(scenarios)
    alone = options_from(scenarios, [None] * len(cells), solved.alone, None)
    deciding: Sequence[Option | None] = [None] * len(cells)
    weighed = solved.weighed
    if solved.distilled is not None and solved.gains is not None:
        paid = [one.pays for one in scenarios]
        deciding = options_from(scenarios, paid, solved.distilled, solved.gains)
    draws = law_catalog.draws(scenarios[0].law) if with_odds else None
    for row in rows:
        (at, _), scenario = cells[row], scenarios[row]
        supervised, distilled = alone[row], deciding[row]
        if supervised.loss is None:
            yield Cell(at=at, supervised=supervised)
            continue
        decision = decide(scenario, supervised, distilled, weighed, row)
        odds = None
        if with_odds and distilled is not None and decision.by_odds:
            odds = odds_between(scenario, supervised, distilled, draws)
        most, nonsense = guessing(scenario), decision.reason is Reason.WORSE_THAN_GUESSING
        teacher = None if nonsense else solved.best(row)
        found = None if distilled is None else without_nonsense(distilled, supervised, most)
        yield Cell(
            at=at,
            verdict=decision.verdict,
            verdict_reason=decision.reason,
            odds=odds,
            margin_nats=None if found is None else found.gain_nats,
            supervised=without_nonsense(supervised, supervised, most),
            deciding=found,
            warnings=warning_codes(scenario, supervised, distilled, teacher),
        )
