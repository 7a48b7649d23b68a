"""Many scenarios at once: what `plan` says of each, but for flips and nearly-as-good sizes."""

import itertools
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from distillplan.optimize.problems import Optima
from distillplan.planning import evaluate
from distillplan.planning.options import option_from
from distillplan.planning.results import Option, Verdict
from distillplan.planning.scenario import Scenario
from distillplan.planning.validity import plan_warnings
from distillplan.planning.verdict import verdict

CHUNK = 500
"""Cells that the optimiser takes together: enough to be fast, few enough to stay small."""


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

    Cells that differ in numbers only go to the optimiser together, so that a product of axes costs
    a few calls. Nothing is kept, so that a million cells need no more memory than a thousand.

    Args:
        cells: what distinguishes each cell, and its scenario.
    """
    waiting = iter(cells)
    while chunk := list(itertools.islice(waiting, CHUNK)):
        found: dict[int, Cell] = {}
        groups: dict[Hashable, list[int]] = {}
        machines: list[Any] = []  # equal ones are not the same, and none can be hashed
        for index, (_, scenario) in enumerate(chunk):
            if scenario.machine not in machines:
                machines.append(scenario.machine)
            kind = (*_kind(scenario), machines.index(scenario.machine))
            groups.setdefault(kind, []).append(index)
        for indices in groups.values():
            answers = _solve([chunk[index] for index in indices])
            found |= dict(zip(indices, answers, strict=True))
        yield from (found[index] for index in range(len(chunk)))


def _kind(scenario: Scenario) -> tuple[Hashable, ...]:
    """What scenarios must share, beside their machine, to go to the optimiser together."""
    return (
        id(scenario.law),
        scenario.student_params is None,
        scenario.teacher is None,
        scenario.gpu_hours is None,
        scenario.logits,
        scenario.bounds,
        scenario.architecture,
        scenario.inference_tokens,
        scenario.max_unique_tokens,
    )


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
        return Cell(at, None, None, supervised, None, _codes(scenario, supervised, None, None))
    deciding = option_from(scenario, scenario.pays, distilled, row, alone=supervised.loss)
    better = None
    if best is not None and best.teacher_loss is not None and deciding.loss is not None:
        better = float(best.teacher_loss[row]), float(best.loss[row])
    return Cell(
        at=at,
        verdict=verdict(deciding.gain_nats, scenario.tie_nats),
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
