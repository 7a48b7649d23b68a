"""Many scenarios at once: what `plan` says of each, but for flips and nearly-as-good sizes."""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np

from distillplan.laws.formulas import FloatArray
from distillplan.optimize.problems import Optima
from distillplan.planning import evaluate
from distillplan.planning.options import options_from, settled
from distillplan.planning.results import Option, Verdict
from distillplan.planning.scenario import Scenario
from distillplan.planning.validity import warning_codes
from distillplan.planning.verdict import sides, word

CHUNK = 500
"""Cells that the optimizer takes together: enough to be fast, few enough to stay small."""


class Cell(NamedTuple):
    """One scenario's answer in short."""

    at: Mapping[str, Any]
    """What distinguishes it from the others."""
    verdict: Verdict | None
    """None where no student can be trained, or the law knows no distillation."""
    margin_nats: float | None
    supervised: Option
    deciding: Option | None
    """The distillation that the verdict is drawn from; None where the law has none."""
    warnings: tuple[str, ...]
    """Codes, as in the scenario's own plan, of what concerns these two options."""


def sweep(cells: Iterable[tuple[Mapping[str, Any], Scenario]]) -> Iterator[Cell]:
    """The answer of each scenario, in their order, as they are found.

    Cells that differ in numbers only go to the optimizer together, so that a product of axes costs
    a few calls. Nothing is kept, so that a million cells need no more memory than a thousand.

    Args:
        cells: what distinguishes each cell, and its scenario.
    """
    waiting = iter(cells)
    while chunk := list(itertools.islice(waiting, CHUNK)):
        found: dict[int, Cell] = {}
        for indices in _kinds([scenario for _, scenario in chunk]):
            answers = _cells([chunk[index] for index in indices])
            found |= zip(indices, answers, strict=True)
        yield from (found[index] for index in range(len(chunk)))


_left_open = attrgetter(*sorted(evaluate.MAY_DIFFER))
_shared = attrgetter(*(one.name for one in fields(Scenario) if one.name not in evaluate.MAY_DIFFER))


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


def solve(scenarios: Sequence[Scenario]) -> Solved:
    """The answers of scenarios of one kind (`evaluate.MAY_DIFFER`), before options are made."""
    first, count = scenarios[0], len(scenarios)
    paid = [one.pays for one in scenarios]
    alone = settled(scenarios, [None] * count, evaluate.supervised_each(scenarios))
    distilled = best = None
    if first.law.distillation is not None:
        distilled = settled(scenarios, paid, evaluate.distilled_each(scenarios, paid))
        if first.teacher is not None:
            best = evaluate.best_teacher_each(scenarios, paid)
    return Solved(scenarios=scenarios, alone=alone, distilled=distilled, best_teacher=best)


def _cells(cells: Sequence[tuple[Mapping[str, Any], Scenario]]) -> Iterator[Cell]:
    """The answers of scenarios of one kind."""
    scenarios = [scenario for _, scenario in cells]
    solved = solve(scenarios)
    alone = options_from(scenarios, [None] * len(cells), solved.alone, None)
    deciding: Sequence[Option | None] = [None] * len(cells)
    verdicts: Sequence[Verdict | None] = [None] * len(cells)
    best: Sequence[tuple[float, float] | None] = [None] * len(cells)
    if solved.distilled is not None and solved.gains is not None:
        paid = [one.pays for one in scenarios]
        deciding = options_from(scenarios, paid, solved.distilled, solved.gains)
        sides_of = sides(solved.gains, np.array([one.tie_nats for one in scenarios]))
        verdicts = [word(side) for side in sides_of.tolist()]
    if solved.best_teacher is not None and solved.best_teacher.teacher_loss is not None:
        losses = solved.best_teacher.teacher_loss.tolist(), solved.best_teacher.loss.tolist()
        best = list(zip(*losses, strict=True))
    for (at, scenario), supervised, distilled, verdict, teacher in zip(
        cells, alone, deciding, verdicts, best, strict=True
    ):
        if supervised.loss is None:
            yield Cell(
                at=at,
                verdict=None,
                margin_nats=None,
                supervised=supervised,
                deciding=None,
                warnings=(),
            )
            continue
        yield Cell(
            at=at,
            verdict=verdict,
            margin_nats=None if distilled is None else distilled.gain_nats,
            supervised=supervised,
            deciding=distilled,
            warnings=warning_codes(scenario, supervised, distilled, teacher),
        )
