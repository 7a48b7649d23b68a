"""What would change the verdict: the nearest budget, family, teacher, logits or accounting."""

import math
from dataclasses import replace
from typing import Any

import numpy as np

from distillplan.accounting import Accounting, Logits
from distillplan.laws.formulas import FloatArray
from distillplan.planning import evaluate
from distillplan.planning.evaluate import Cells, cells, together
from distillplan.planning.results import (
    AccountingFlip,
    BudgetFlip,
    Flips,
    LogitsFlip,
    Option,
    StudentsFlip,
    TeacherFlip,
    Verdict,
)
from distillplan.planning.scenario import Scenario
from distillplan.planning.verdict import sides, verdict, word
from distillplan.units import SECONDS_PER_HOUR

DECADES = 4
"""How far the budget is searched, up and down."""
PER_DECADE = 2
MOST_STUDENTS = 4096
LADDER = 16
"""Numbers of students looked at together."""
REFINED = 12
"""Budgets between two neighbors of the first look; what lies between them is interpolated."""
MARGIN = 0.05
FIRST_LOOK, SECOND_LOOK = 1e-3, 1e-5
"""Half-widths of the optimizer's last grid: losses to 2e-5 and 2e-9 nats."""
FEWEST_TOKENS_PER_PARAM = 1.0
"""Below one token per parameter the law is an artifact of extrapolation (a 30B student at 1e20
FLOPs would be better off paying for its own teacher), so no flip is looked for there."""
TEACHER_POINTS = 65

COSTS = (Accounting.TRAIN, Accounting.EXISTS, Accounting.TRAIN_SHARED, Accounting.FREE)
"""Accountings by how much they ask for, most first."""


def find_flips(scenario: Scenario, options: tuple[Option, ...], now: Verdict | None) -> Flips:
    """The nearest change of each kind that turns the verdict into another one.

    A first look at budgets, numbers of students and sources of logits goes to the optimizer in one
    call, a second between the neighbors where the verdict changes in another.
    """
    if now is None:
        return Flips()
    tie = scenario.tie_nats
    logs, counts, sources = _budgets(scenario), _ladder(scenario, now), _other_logits(scenario)
    looks = [_at_budgets(scenario, logs), _at_counts(scenario, counts)]
    looks += [cells(changed, changed.pays) for changed in sources]
    gain = _gains(scenario, together(looks), FIRST_LOOK)
    by_budget, by_count, by_source = np.split(gain, [logs.size, logs.size + counts.size])

    down, up = _between_budgets(logs, by_budget, tie)
    between = _between_counts(scenario, counts, by_count, now)
    looks = [_at_budgets(scenario, np.concatenate([down, up])), _at_counts(scenario, between)]
    gain = _gains(scenario, together(looks), SECOND_LOOK)
    below, above, by_count = np.split(gain, [down.size, down.size + up.size])
    return Flips(
        budget_down=_crossing(scenario, down, below),
        budget_up=_crossing(scenario, up, above),
        students=_students_flip(scenario, now, between, by_count),
        teacher_loss=_teacher_flip(scenario, options),
        logits=_logits_flip(scenario, now, sources, by_source),
        accounting=_accounting_flip(scenario, options, now),
    )


def _gains(scenario: Scenario, at: Cells, finest: float) -> FloatArray:
    """Gain of the deciding option in each cell; not-a-number where nothing can be said."""
    if not at.budget.size:
        return np.empty(0)
    alone, gain = evaluate.gains(scenario, at, finest)
    with np.errstate(invalid="ignore"):
        few = alone.student_tokens < FEWEST_TOKENS_PER_PARAM * alone.student_params
    return np.where(few, np.nan, gain)


def _at_budgets(scenario: Scenario, logs: FloatArray) -> Cells:
    return cells(scenario, scenario.pays, budget=np.exp(logs))


def _at_counts(scenario: Scenario, counts: FloatArray) -> Cells:
    return cells(scenario, scenario.pays, students=counts)


def _budgets(scenario: Scenario) -> FloatArray:
    """Logarithms of the budgets of the first look, the scenario's own in the middle."""
    steps = np.arange(DECADES * PER_DECADE + 1) * (math.log(10) / PER_DECADE)
    return math.log(scenario.budget) + np.concatenate([-steps[:0:-1], steps])


def _between_budgets(
    logs: FloatArray, gain: FloatArray, tie: float
) -> tuple[FloatArray, FloatArray]:
    """Logarithms of budgets between the nearest neighbors, below and above, that differ."""
    here, side = logs.size // 2, sides(gain, tie)
    found = []
    for way in (slice(here, None, -1), slice(here, None)):
        known = ~np.isnan(gain[way])
        turned = np.flatnonzero(known & (side[way] != side[here]))
        if turned.size and known[: turned[0]].all():
            near, far = logs[way][turned[0] - 1], logs[way][turned[0]]
            # a little beyond both: the first look is rough
            found.append(np.linspace(near - MARGIN * (far - near), far, REFINED))
        else:
            found.append(np.empty(0))
    return found[0], found[1]


def _crossing(scenario: Scenario, logs: FloatArray, gain: FloatArray) -> BudgetFlip | None:
    """The budget where the verdict changes, interpolated between neighbors."""
    tie = scenario.tie_nats
    side = sides(gain, tie)
    changed = np.flatnonzero(side != side[0]) if logs.size else np.empty(0)
    if not changed.size:
        return None
    after = int(changed[0])
    low, high = gain[after - 1], gain[after]
    level = tie if 1 in (side[0], side[after]) and side[0] >= 0 else -tie
    # an infinite loss means that the budget no longer pays: nothing to interpolate
    part = (level - low) / (high - low) if np.isfinite(high) and high != low else 1.0
    log = logs[after - 1] + part * (logs[after] - logs[after - 1])
    budget, then = math.exp(log), word(int(side[after]))
    if scenario.gpu_hours is None:
        return BudgetFlip(total_flops=budget, gpu_hours=None, verdict=then)
    return BudgetFlip(total_flops=None, gpu_hours=budget / SECONDS_PER_HOUR, verdict=then)


def _ladder(scenario: Scenario, now: Verdict) -> FloatArray:
    """Numbers of students of the first look, nearest first; none where no training is shared."""
    here = scenario.students
    if scenario.pays not in (Accounting.TRAIN, Accounting.TRAIN_SHARED):
        return np.empty(0)
    if now is Verdict.DISTILL:  # fewer students leave more of the bill to each
        return _distinct(np.geomspace(here, 1, LADDER))[1:]
    return _distinct(np.geomspace(here + 1, max(MOST_STUDENTS, 2 * here), LADDER))


def _distinct(counts: FloatArray) -> FloatArray:
    """Whole numbers, each once, in their order."""
    whole = np.round(counts)
    return whole[np.concatenate([[True], np.diff(whole) != 0])]


def _turned(scenario: Scenario, gain: FloatArray, now: Verdict) -> Any:
    """Places at which distillation starts to win, or stops where it does now."""
    won = sides(gain, scenario.tie_nats) == 1
    return np.flatnonzero((won != (now is Verdict.DISTILL)) & ~np.isnan(gain))


def _between_counts(
    scenario: Scenario, counts: FloatArray, gain: FloatArray, now: Verdict
) -> FloatArray:
    """Numbers of students from behind the last that changes nothing to the first that does."""
    turned = _turned(scenario, gain, now)
    if not turned.size:
        return np.empty(0)
    first = int(turned[0])
    near = float(counts[first - 1]) if first else float(scenario.students)
    far = float(counts[first])
    return _distinct(np.linspace(near + math.copysign(1, far - near), far, LADDER))


def _students_flip(
    scenario: Scenario, now: Verdict, counts: FloatArray, gain: FloatArray
) -> StudentsFlip | None:
    """The nearest number of students at which distillation starts or ceases to win."""
    while counts.size:
        turned = _turned(scenario, gain, now)
        if not turned.size:
            return None
        first = int(turned[0])
        if first == 0 or abs(counts[first] - counts[first - 1]) <= 1:
            side = sides(gain[first], scenario.tie_nats)
            return StudentsFlip(students=int(counts[first]), verdict=word(int(side)))
        counts = _between_counts(scenario, counts, gain, now)
        gain = _gains(scenario, _at_counts(scenario, counts), SECOND_LOOK)
    return None


def _teacher_flip(scenario: Scenario, options: tuple[Option, ...]) -> TeacherFlip | None:
    """The losses of teachers, at the given one's price or at none, with which distillation wins."""
    accounting = Accounting.FREE if scenario.teacher is None else scenario.pays
    at = cells(scenario, accounting)
    alone = options[0].loss
    peak, best_loss = _best_teacher(scenario, options, at)
    if alone is None or peak is None or best_loss is None:
        return None
    if sides(alone - best_loss, scenario.tie_nats) != 1:
        return None

    def gain(losses: FloatArray) -> FloatArray:
        return alone - evaluate.distilled_from(scenario, at, losses).loss

    floor = scenario.law.supervised.E
    strong = floor + (peak - floor) * np.geomspace(1.0, 1e-3, TEACHER_POINTS)
    weak = np.linspace(peak, max(alone, peak) * 1.5, TEACHER_POINTS)  # L_S is never below L_T
    return TeacherFlip(
        accounting=accounting,
        low=_edge(gain, strong, scenario.tie_nats),
        high=_edge(gain, weak, scenario.tie_nats),
        best=peak,
        best_loss=best_loss,
    )


def _best_teacher(
    scenario: Scenario, options: tuple[Option, ...], at: Cells
) -> tuple[float | None, float | None]:
    """Loss of the best teacher and of the student with it."""
    if scenario.teacher is None:  # the option with a free teacher has found it
        free = next(one for one in options if one.accounting is Accounting.FREE)
        return free.teacher_loss, free.loss
    best = evaluate.best_teacher(scenario, at)
    if best.teacher_loss is None or not np.isfinite(best.loss[0]):
        return None, None
    return float(best.teacher_loss[0]), float(best.loss[0])


def _edge(gain: Any, losses: FloatArray, tie: float) -> float:
    """The last teacher loss, walking away from the best, with which distillation still wins."""
    for _ in range(2):
        wins = sides(gain(losses), tie) == 1
        lost = np.flatnonzero(~wins)
        if not lost.size:
            return float(losses[-1])
        losses = np.linspace(losses[lost[0] - 1], losses[lost[0]], TEACHER_POINTS)
    return float(losses[np.flatnonzero(sides(gain(losses), tie) == 1)[-1]])


def _other_logits(scenario: Scenario) -> list[Scenario]:
    """The same question with the other sources of logits, nearest in cost first."""
    teacher = scenario.teacher
    if scenario.accounting is not None:
        return []
    if scenario.logits is Logits.CACHED:
        others = [Logits.ONLINE] if teacher is not None and teacher.params is not None else []
    else:
        others = [Logits.ONLINE if scenario.logits is Logits.STORED else Logits.STORED]
        others += [Logits.CACHED] if teacher is not None else []
    return [replace(scenario, logits=logits) for logits in others]


def _logits_flip(
    scenario: Scenario, now: Verdict, sources: list[Scenario], gain: FloatArray
) -> LogitsFlip | None:
    """The first other source of logits that gives another verdict."""
    for changed, one in zip(sources, gain, strict=True):
        then = word(int(sides(one, scenario.tie_nats)))
        if not np.isnan(one) and then is not now:
            return LogitsFlip(logits=changed.logits, verdict=then)
    return None


def _accounting_flip(
    scenario: Scenario, options: tuple[Option, ...], now: Verdict
) -> AccountingFlip | None:
    """The accounting nearest in cost that gives another verdict."""
    here = COSTS.index(scenario.pays)
    others = [one for one in options if one.accounting not in (None, scenario.pays)]
    others.sort(key=lambda one: abs(COSTS.index(one.accounting or Accounting.FREE) - here))
    for option in others:
        then = verdict(option.gain_nats, scenario.tie_nats)
        if then is not now and option.accounting is not None:
            return AccountingFlip(accounting=option.accounting, verdict=then)
    return None
