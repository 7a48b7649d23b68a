"""Many scenarios at once: what `plan` says of each, but for flips and nearly-as-good sizes."""

import itertools
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from typing import Any, NamedTuple

from distillplan.optimize.problems import Optima
from distillplan.planning import evaluate
from distillplan.planning.options import option_from
from distillplan.planning.planner import decide
from distillplan.planning.results import Odds, Option, Reason, Verdict
from distillplan.planning.scenario import Scenario
from distillplan.planning.validity import plan_warnings

CHUNK = 500
"""Cells that the optimizer takes together: enough to be fast, few enough to stay small."""


class Cell(NamedTuple):
    """One scenario's answer in short."""

    at: Mapping[str, Any]
    """What distinguishes it from the others."""
    verdict: Verdict | None
    """None where no student can be trained, or there is no verdict."""
    verdict_reason: Reason | None
    """Why; None where no student can be trained."""
    odds: Odds | None
    """Of each verdict; None where they were not asked for, or nothing is weighed."""
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
        groups: dict[Hashable, list[int]] = {}
        seen: list[Any] = []
        for index, (_, scenario) in enumerate(chunk):
            groups.setdefault(_kind(scenario, seen), []).append(index)
        for indices in groups.values():
            answers = _solve([chunk[index] for index in indices])
            found |= dict(zip(indices, answers, strict=True))
        yield from (found[index] for index in range(len(chunk)))


_SHARED = tuple(one.name for one in fields(Scenario) if one.name not in evaluate.MAY_DIFFER)


def _kind(scenario: Scenario, seen: list[Any]) -> tuple[Hashable, ...]:
    """What scenarios must share to be solved side by side: all but what may differ.

    Args:
        scenario: one of them.
        seen: values met so far; equal ones need not be the same, and some cannot be hashed.
    """
    left_open = (getattr(scenario, name) is None for name in sorted(evaluate.MAY_DIFFER))
    return (*left_open, *(_place(getattr(scenario, name), seen) for name in _SHARED))


def _place(value: Any, seen: list[Any]) -> int:
    """The place of the first value among those seen that is, or equals, this one."""
    for place, one in enumerate(seen):
        if one is value or (type(one) is type(value) and one == value):
            return place
    seen.append(value)
    return len(seen) - 1


def _solve(cells: Sequence[tuple[Mapping[str, Any], Scenario]]) -> list[Cell]:
    """The answers of scenarios of one kind."""
    scenarios = [scenario for _, scenario in cells]
    first = scenarios[0]
    alone = evaluate.supervised_each(scenarios)
    distilled = best = None
    if first.law.distillation is not None:
        paid = [one.pays for one in scenarios]
        distilled = evaluate.distilled_each(scenarios, paid)
        if first.teacher is not None:
            best = evaluate.best_teacher_each(scenarios, paid)
    return [
        _cell(at, scenario, row, alone, distilled, best) for row, (at, scenario) in enumerate(cells)
    ]


def _cell(
    at: Mapping[str, Any],
    scenario: Scenario,
    row: int,
    alone: Optima,
    distilled: Optima | None,
    best: Optima | None,
) -> Cell:
    supervised = option_from(scenario, None, alone, row, alone=None)
    if distilled is None or supervised.loss is None:
        return Cell(
            at=at,
            verdict=None,
            verdict_reason=None if supervised.loss is None else Reason.LAW_HAS_NO_DISTILLATION,
            odds=None,
            margin_nats=None,
            supervised=supervised,
            deciding=None,
            warnings=_codes(scenario, supervised, None, None),
        )
    deciding = option_from(scenario, scenario.pays, distilled, row, alone=supervised.loss)
    better = None
    if best is not None and best.teacher_loss is not None and deciding.loss is not None:
        better = float(best.teacher_loss[row]), float(best.loss[row])
    decision = decide(scenario, supervised, deciding)
    return Cell(
        at=at,
        verdict=decision.verdict,
        verdict_reason=decision.reason,
        odds=None,
        margin_nats=deciding.gain_nats,
        supervised=supervised,
        deciding=deciding,
        warnings=_codes(scenario, supervised, deciding, better),
    )


def _codes(
    scenario: Scenario,
    alone: Option,
    deciding: Option | None,
    best: tuple[float, float] | None,
) -> tuple[str, ...]:
    if alone.loss is None:
        return ()
    options = (alone,) if deciding is None else (alone, deciding)
    warnings = plan_warnings(scenario, alone, deciding, options, best)
    return tuple(dict.fromkeys(one.code for one in warnings))
