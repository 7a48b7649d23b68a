"""Up to which budget distillation wins: where its gain falls to given levels, student by student.

The budget of zero gain is ill-conditioned. At unlimited data the two laws differ by -0.005 to
+0.010 nats, less than the rounding of the published coefficients moves them by, so that budget, and
whether there is one, means little; the answer shows what rounding does to it.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum
from typing import Any, NamedTuple

import numpy as np

from distillplan.accounting import TRAINING_PASSES, Accounting
from distillplan.errors import InputError
from distillplan.laws.formulas import FloatArray
from distillplan.laws.provenance import PublishedLaw
from distillplan.planning import evaluate
from distillplan.planning.scenario import TIE_NATS, Scenario
from distillplan.questions.inverse import narrowed

LEVELS = (0.02, 0.01, 0.0)
"""Gains that are searched for by default, nats per token."""
NOTE = (
    "The zero-gain budget is poorly determined: rounding of the published coefficients moves "
    f"losses by up to {TIE_NATS:g} nats, as much as the two laws differ by at unlimited data, so "
    f"it may lie anywhere between the budgets at which the gain is {TIE_NATS:g} and -{TIE_NATS:g} "
    "nats, and there may be none."
)
ANY_BUDGET = 1e21
"""FLOPs of a scenario whose own budget is ignored."""
DECADES = 8
"""The search runs from 1 token per parameter, below which the law is an artifact, so far up."""
PER_DECADE = 8
POINTS = 9
PASSES = 4
"""Each pass narrows a bracket eightfold; four leave 1e-4 of a factor, and a line does the rest."""


class Side(StrEnum):
    """Whether, and from which side, the gain falls below a level."""

    CROSSES = "crosses"
    """It does at some budget."""
    ABOVE = "above"
    """It is still above at the largest budget."""
    BELOW = "below"
    """It is below at every budget."""


class Crossing(NamedTuple):
    """The lowest budget beyond which the gain is below a level."""

    gain_nats: float
    """The level, nats per token."""
    side: Side
    total_flops: float | None = None
    """FLOPs for all students; None where the gain does not cross the level."""
    tokens_per_param: float | None = None
    """Tokens per parameter of supervised training with that budget."""


class CrossoverRow(NamedTuple):
    """One student under one accounting."""

    student_params: float
    """Parameters as the law counts them."""
    accounting: Accounting
    """Teacher costs that the budget covers."""
    crossings: tuple[Crossing, ...]
    """One per level."""
    rounding: tuple[Crossing, Crossing]
    """The same at plus and minus what rounding moves losses by; zero may lie anywhere between."""
    gain_at_most_tokens: float
    """Gain at the largest budget of the search, nats per token."""


class CrossingPoint(NamedTuple):
    """A crossing, with the student and the accounting it belongs to."""

    student_params: float
    accounting: Accounting
    crossing: Crossing


class Crossovers(NamedTuple):
    """All students and accountings."""

    rows: tuple[CrossoverRow, ...]
    levels: tuple[float, ...]
    """Gains that were searched for, nats per token."""
    note: str
    """What to know before using the zero-gain budgets."""
    law: PublishedLaw
    scenario: Scenario

    @property
    def unasked(self) -> tuple[str, ...]:
        """Keys of the scenario that the question leaves open."""
        return ("compute", "gpu_hours", "student_params")

    @property
    def points(self) -> tuple[CrossingPoint, ...]:
        """Every crossing of every row."""
        return tuple(
            CrossingPoint(
                student_params=row.student_params, accounting=row.accounting, crossing=crossing
            )
            for row in self.rows
            for crossing in row.crossings
        )


def crossovers(
    scenario: Scenario,
    students: Sequence[float],
    accountings: Sequence[Accounting] = (Accounting.FREE, Accounting.EXISTS),
    levels: Sequence[float] = LEVELS,
) -> Crossovers:
    """The budgets at which the gain of distillation falls to each level.

    Args:
        scenario: the question; its own budget and student are ignored.
        students: parameters of each student.
        accountings: teacher costs that the budget covers.
        levels: gains, nats per token.

    Raises:
        InputError: when the law has no distillation, no student or level is given, or the teacher
            contradicts an accounting.
    """
    if scenario.law.distillation is None:
        raise InputError(f"law: {scenario.law.name} says nothing about distillation")
    if not students:
        raise InputError("student: give at least one, e.g. 1B")
    if not levels or not all(map(math.isfinite, levels)):
        raise InputError("gain: give at least one gain in nats, e.g. 0.01")
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
            crossings=tuple(crossings),
            rounding=(higher, lower),
            gain_at_most_tokens=float(last),
        )
        for one, (*crossings, higher, lower), last in zip(pairs, found, gain[:, -1], strict=True)
    ]
    return Crossovers(
        rows=tuple(rows), levels=tuple(levels), note=NOTE, law=scenario.law, scenario=scenario
    )


def parse_accountings(text: str) -> tuple[Accounting, ...]:
    """Accountings from a comma-separated list.

    Raises:
        InputError: when the list is empty or holds an unknown name.
    """
    names = [one.strip() for one in text.split(",") if one.strip()]
    unknown = [one for one in names if one not in set(Accounting)]
    if unknown or not names:
        raise InputError(
            f"accounting: {text!r} is not a comma-separated list of {', '.join(Accounting)}"
        )
    return tuple(map(Accounting, names))


def parse_levels(text: str) -> tuple[float, ...]:
    """Gains in nats from a comma-separated list.

    Raises:
        InputError: when the list is empty or holds something that is not a finite number.
    """
    try:
        found = tuple(float(one) for one in text.split(","))
    except ValueError:
        found = ()
    if not found or not all(map(math.isfinite, found)):
        example = ",".join(f"{level:g}" for level in LEVELS)
        raise InputError(f"gain: {text!r} is not a list of gains in nats, e.g. {example}")
    return found


def _logs(scenario: Scenario) -> FloatArray:
    """Logarithms of budgets from 1 to 10^DECADES supervised tokens per parameter.

    Shape (DECADES * PER_DECADE + 1,).
    """
    one = _flops(scenario, 1.0)
    return math.log(one) + np.linspace(0.0, DECADES * math.log(10), DECADES * PER_DECADE + 1)


def _flops(scenario: Scenario, tokens_per_param: float) -> float:
    params = scenario.student_params or math.nan
    passes = TRAINING_PASSES * tokens_per_param * params + scenario.inference_tokens
    return scenario.students * float(scenario.family.forward_flops(params)) * passes


def _gains(scenarios: Sequence[Scenario], logs: FloatArray) -> FloatArray:
    """Gains at budgets, in and out of shape (scenarios, budgets), in one call of the optimizer.

    Minus infinity where the teacher is over budget.
    """
    cells = [
        replace(one, compute=float(compute))
        for one, row in zip(scenarios, np.exp(logs), strict=True)
        for compute in row
    ]
    alone = evaluate.supervised_each(cells).loss
    distilled = evaluate.distilled_each(cells, [one.pays for one in cells]).loss
    with np.errstate(invalid="ignore"):  # both over budget: no gain to speak of
        return (alone - distilled).reshape(logs.shape)


def _crossings(
    scenarios: Sequence[Scenario], logs: FloatArray, gain: FloatArray, levels: FloatArray
) -> list[list[Crossing]]:
    """The first fall below each level, bracketed by the first look and narrowed together.

    Args:
        scenarios: one per student and accounting.
        logs: logarithms of budgets, shape (scenarios, budgets).
        gain: gains at these, the same shape.
        levels: shape (levels,).
    """
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
    """Logarithms of the budgets between low and high where gains fall below levels.

    All arrays have shape (crossings,).
    """

    def below(logs: FloatArray) -> Any:
        fallen = _gains(owners, logs) < level[:, None]
        fallen[:, 0] = False  # the first look has seen that it is above there
        return fallen

    low, high = narrowed(below, low, high, points=POINTS, passes=PASSES)
    ends = _gains(owners, np.stack([low, high], axis=1)).T
    with np.errstate(invalid="ignore"):
        part = (level - ends[0]) / (ends[1] - ends[0])
    part = np.where(np.isfinite(part), np.clip(part, 0.0, 1.0), 1.0)
    found: FloatArray = low + part * (high - low)
    return found


def _crossing(scenario: Scenario, level: float, log: float, *, ends_above: bool) -> Crossing:
    if math.isnan(log):  # what never falls below a level is above it at the end, or never was
        return Crossing(gain_nats=level, side=Side.ABOVE if ends_above else Side.BELOW)
    budget = math.exp(log)
    params = scenario.student_params or math.nan
    forward = float(scenario.family.forward_flops(params))
    tokens = budget / scenario.students / forward - scenario.inference_tokens
    return Crossing(
        gain_nats=level,
        side=Side.CROSSES,
        total_flops=budget,
        tokens_per_param=tokens / TRAINING_PASSES / params,
    )
