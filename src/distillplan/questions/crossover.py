"""Up to which budget distillation wins: where its gain falls to given levels, student by student.

Where the gain falls to zero is ill-conditioned. At unlimited data the two laws differ by -0.005 to
+0.010 nats, less than the rounding of the published coefficients moves them by, so the budget of
zero gain, and whether there is one, says little; the answer shows what rounding does to it.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum
from typing import NamedTuple

import numpy as np

from distillplan.accounting import TRAINING_PASSES, Accounting
from distillplan.errors import InputError
from distillplan.laws.formulas import FloatArray
from distillplan.laws.provenance import PublishedLaw
from distillplan.planning import evaluate
from distillplan.planning.scenario import TIE_NATS, Scenario

LEVELS = (0.02, 0.01, 0.0)
"""Gains, nats, that are looked for where nobody says which."""
NOTE = (
    "Where the gain is zero says little: rounding of the published coefficients moves losses by "
    f"up to {TIE_NATS:g} nats, as much as the two laws differ by at unlimited data; so zero may "
    f"lie anywhere between the budgets of a gain of {TIE_NATS:g} and of -{TIE_NATS:g} nats, and "
    "may not exist."
)
ANY_BUDGET = 1e21
"""FLOPs of the scenario, at which nobody looks."""
DECADES = 8
"""Tokens per parameter run from 1, below which the law is an artefact, to so many powers of ten."""
PER_DECADE = 8
REFINED = 9
PASSES = 4
"""Each pass narrows a bracket eightfold; four leave 1e-4 of a factor, and a line does the rest."""


class Side(StrEnum):
    """Where the gain stands to a level."""

    CROSSES = "crosses"
    ABOVE = "above"
    """Up to the largest budget: distillation gains more than that, and does not cease to."""
    BELOW = "below"
    """At every budget: it never gains so much."""


class Crossing(NamedTuple):
    """The least budget beyond which the gain is below a level."""

    gain_nats: float
    side: Side
    total_flops: float | None = None
    """Of the whole family; None where nothing crosses, as below."""
    tokens_per_param: float | None = None
    """Of supervised training with that budget."""


class CrossoverRow(NamedTuple):
    """One student under one accounting."""

    student_params: float
    accounting: Accounting
    crossings: tuple[Crossing, ...]
    rounding: tuple[Crossing, Crossing]
    """The same at plus and minus what rounding moves losses by: zero may lie anywhere between."""
    gain_at_most_tokens: float
    """Nats, at the largest budget looked at."""


class Crossovers(NamedTuple):
    """All students and accountings."""

    rows: tuple[CrossoverRow, ...]
    levels: tuple[float, ...]
    note: str
    law: PublishedLaw
    scenario: Scenario


def crossovers(
    scenario: Scenario,
    students: Sequence[float],
    accountings: Sequence[Accounting] = (Accounting.FREE, Accounting.EXISTS),
    levels: Sequence[float] = LEVELS,
) -> Crossovers:
    """The budgets at which the gain of distillation falls to each level.

    Args:
        scenario: law, teacher, logits, family; its own budget and student are not looked at.
        students: parameters of each student.
        accountings: what is paid for the teacher.
        levels: gains in nats.

    Raises:
        InputError: when the law knows no distillation, or the teacher contradicts an accounting.
    """
    if scenario.law.distillation is None:
        raise InputError(f"law: {scenario.law.name} says nothing about distillation")
    if not students or not levels or not all(map(math.isfinite, levels)):
        raise InputError("crossover: no student, or no level to look for")
    asked = replace(scenario, compute=ANY_BUDGET, gpu_hours=None)
    pairs = [
        replace(asked, student_params=params, accounting=accounting)
        for params in students
        for accounting in accountings
    ]
    wanted = (*levels, TIE_NATS, -TIE_NATS)
    logs = np.array([_logs(one) for one in pairs])
    gain = _gains(pairs, logs)
    found = _crossings(pairs, logs, gain, np.array(wanted))
    rows = [
        CrossoverRow(
            student_params=one.student_params or math.nan,
            accounting=one.pays,
            crossings=tuple(crossings[: len(levels)]),
            rounding=(crossings[-2], crossings[-1]),
            gain_at_most_tokens=float(last),
        )
        for one, crossings, last in zip(pairs, found, gain[:, -1], strict=True)
    ]
    return Crossovers(tuple(rows), tuple(levels), NOTE, scenario.law, scenario)


def parse_accountings(text: str) -> tuple[Accounting, ...]:
    """Accountings by name, with commas between.

    Raises:
        InputError: for a name that is none.
    """
    names = [one.strip() for one in text.split(",") if one.strip()]
    unknown = [one for one in names if one not in set(Accounting)]
    if unknown or not names:
        raise InputError(f"accounting: {text!r} is not a list of {', '.join(Accounting)}")
    return tuple(map(Accounting, names))


def parse_levels(text: str) -> tuple[float, ...]:
    """Gains in nats, with commas between.

    Raises:
        InputError: when one is no number.
    """
    try:
        found = tuple(float(one) for one in text.split(","))
    except ValueError:
        found = ()
    if not found or not all(map(math.isfinite, found)):
        raise InputError(f"gain: {text!r} is not a list of nats; write for example 0.02,0.01,0")
    return found


def _logs(scenario: Scenario) -> FloatArray:
    """Logarithms of budgets from 1 to 10^DECADES supervised tokens per parameter."""
    one = _flops(scenario, 1.0)
    return math.log(one) + np.linspace(0.0, DECADES * math.log(10), DECADES * PER_DECADE + 1)


def _flops(scenario: Scenario, tokens_per_param: float) -> float:
    params = scenario.student_params or math.nan
    passes = TRAINING_PASSES * tokens_per_param * params + scenario.inference_tokens
    return scenario.students * float(scenario.family.forward_flops(params)) * passes


def _gains(scenarios: Sequence[Scenario], logs: FloatArray) -> FloatArray:
    """Gains at budgets, one row per scenario, in one call of the optimiser.

    Minus infinity where the budget cannot pay for the teacher.
    """
    cells = [
        replace(one, compute=float(compute))
        for one, row in zip(scenarios, np.exp(logs), strict=True)
        for compute in row
    ]
    alone = evaluate.supervised_each(cells).loss
    distilled = evaluate.distilled_each(cells, [one.pays for one in cells]).loss
    with np.errstate(invalid="ignore"):  # neither can be paid: no gain to speak of
        return (alone - distilled).reshape(logs.shape)


def _crossings(
    scenarios: Sequence[Scenario], logs: FloatArray, gain: FloatArray, levels: FloatArray
) -> list[list[Crossing]]:
    """The first fall below each level, bracketed by the first look and narrowed together."""
    above = gain[:, None, :] >= levels[:, None]  # scenarios, levels, budgets
    fall = above[..., :-1] & ~above[..., 1:]
    some = fall.any(axis=-1)
    first = fall.argmax(axis=-1)
    rows = np.nonzero(some)[0]
    low, high = (logs[rows, first[some] + step] for step in (0, 1))
    level = np.broadcast_to(levels, some.shape)[some]
    owners = [scenarios[int(row)] for row in rows]
    at = _narrowed(owners, low, high, level) if owners else np.empty(0)
    places = np.full(some.shape, np.nan)
    places[some] = at
    return [
        [
            _crossing(one, float(level), float(place), ends_above=bool(side[-1]))
            for level, place, side in zip(levels, places[row], above[row], strict=True)
        ]
        for row, one in enumerate(scenarios)
    ]


def _narrowed(
    owners: Sequence[Scenario], low: FloatArray, high: FloatArray, level: FloatArray
) -> FloatArray:
    index = np.arange(low.size)
    for _ in range(PASSES):
        logs = np.linspace(low, high, REFINED, axis=1)
        gain = _gains(owners, logs)
        below = gain < level[:, None]
        below[:, 0], below[:, -1] = False, True
        after = below.argmax(axis=1)
        low, high = logs[index, after - 1], logs[index, after]
        ends = gain[index, after - 1], gain[index, after]
    with np.errstate(invalid="ignore"):
        part = (level - ends[0]) / (ends[1] - ends[0])
    part = np.where(np.isfinite(part), np.clip(part, 0.0, 1.0), 1.0)
    found: FloatArray = low + part * (high - low)
    return found


def _crossing(scenario: Scenario, level: float, log: float, *, ends_above: bool) -> Crossing:
    if math.isnan(log):  # what never falls below a level is above it at the end, or never was
        return Crossing(level, Side.ABOVE if ends_above else Side.BELOW)
    budget = math.exp(log)
    params = scenario.student_params or math.nan
    forward = float(scenario.family.forward_flops(params))
    tokens = budget / scenario.students / forward - scenario.inference_tokens
    return Crossing(level, Side.CROSSES, budget, tokens / TRAINING_PASSES / params)
