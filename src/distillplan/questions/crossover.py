"""Between which budgets distillation wins: where its gain is at least each of some levels.

The budgets of zero gain are ill-conditioned. At unlimited data the two laws differ by -0.005 to
+0.010 nats, less than the rounding of the published coefficients moves them by, so that they, and
whether there are any, mean little; the odds in each window say how little.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from distillplan.accounting import TRAINING_PASSES, Accounting, Logits
from distillplan.errors import InputError, Word
from distillplan.fields import Real, demand_finite, demand_kind, finite, listed, member, number
from distillplan.laws import law_catalog
from distillplan.laws.draws import Draws
from distillplan.laws.formulas import FloatArray
from distillplan.laws.provenance import PublishedLaw
from distillplan.named_tuples import NamedTuple
from distillplan.notices import Notice
from distillplan.planning.evaluate import cells
from distillplan.planning.fitted_range import OutsideFit
from distillplan.planning.flips import weigh_cells
from distillplan.planning.odds import odds_at
from distillplan.planning.scenario import TIE_NATS, Limits, Scenario
from distillplan.planning.teacher import demand_distillation
from distillplan.planning.verdict import Weighed
from distillplan.planning.verdict_records import BudgetRange, Odds
from distillplan.planning.windows import FIRST_LOOK, Window, windows
from distillplan.questions.crossover_range import RANGE_CODES, judged, model_notices, range_warnings
from distillplan.questions.defaults import ANY_BUDGET, GAINS
from distillplan.units.choices import choose
from distillplan.units.lists import split_list

MOST_LEVELS = 20
"""Gains of one question; each takes a search for every student."""
_POORLY = "The zero-gain budget is poorly determined: "
NOTE = (
    f"{_POORLY}rounding of the published coefficients moves "
    f"losses by up to {TIE_NATS:g} nats, as much as the two laws differ by at unlimited data, so "
    f"it may lie anywhere between the budgets at which the gain is {TIE_NATS:g} and -{TIE_NATS:g} "
    "nats, and there may be none."
)
OWN_NOTE = (
    f"{_POORLY}the gain changes so little with the budget there that a small error of the law "
    "moves it far, and there may be none."
)
"""Of a law of one's own runs, whose coefficients nobody rounded."""
DECADES = 8
"""The search runs from 1 token per parameter, below which the law is an artifact, so far up."""
PER_DECADE = 8
BEYOND = 2.0
"""How far behind the edge of an open window its odds are taken."""


class GainWindow(NamedTuple):
    """Budgets, in FLOPs for all students, with at least a gain.

    Tokens per parameter are those of supervised training with the budget.
    """

    from_: float | None
    """Least budget; None where the gain is there at the least that was looked at."""
    to: float | None
    """Largest budget; None where the gain is still there at the largest."""
    from_tokens_per_param: float | None
    to_tokens_per_param: float | None
    odds: Odds | None
    """In the middle of the window, or at twice or half the budget of an only edge; None where the
    law is too far from its data for any."""
    is_guess: bool = False
    """Whether a plan has no verdict at an end of it; where it has none, at either end or in the
    middle of what was looked at."""


class GainLevel(NamedTuple):
    """A gain, and where distillation has it."""

    gain_nats: float
    """Nats per token."""
    windows: tuple[GainWindow, ...]
    """Lowest first; none where it never does."""
    is_guess: bool = False
    """Whether it never does, and no plan has a verdict at the ends and in the middle."""


class CrossoverRow(NamedTuple):
    """One student under one accounting."""

    student_params: float
    """Parameters as the law counts them."""
    accounting: Accounting
    """Teacher costs that the budget covers."""
    levels: tuple[GainLevel, ...]
    looked_at: BudgetRange
    """Budgets that were searched, FLOPs for all students."""
    gain_at_most_tokens: float | None
    """Gain at the largest of them, nats per token; None where the teacher is over budget."""
    beyond: tuple[OutsideFit, ...] = ()
    """Sizes outside the fitted range of the law at the ends of its windows; where it has none, in
    the middle of what was looked at."""


class CrossingPoint(NamedTuple):
    """A window, with the student, the accounting and the gain it belongs to."""

    student_params: float
    accounting: Accounting
    gain_nats: float
    window: GainWindow | None
    """None where distillation never gains as much."""


class Crossovers(NamedTuple):
    """All students and accountings."""

    rows: tuple[CrossoverRow, ...]
    gains_nats: tuple[float, ...]
    """Gains that were searched for, nats per token."""
    note: str
    """What to know before using the zero-gain budgets."""
    law: PublishedLaw
    scenario: Scenario
    warnings: tuple[Notice, ...] = ()
    """What to know of the models, and where rows leave the fitted range of the law."""

    @property
    def unasked(self) -> tuple[str, ...]:
        """Keys of the scenario that the question leaves open."""
        return ("compute", "gpu_hours", "student_params")

    @property
    def points(self) -> tuple[CrossingPoint, ...]:
        """Every window of every row."""
        return tuple(
            CrossingPoint(
                student_params=row.student_params,
                accounting=row.accounting,
                gain_nats=level.gain_nats,
                window=window,
            )
            for row in self.rows
            for level in row.levels
            for window in level.windows or (None,)
        )


def crossovers(
    scenario: Scenario,
    students: Iterable[Real | str],
    accountings: Iterable[Accounting | str] | None = None,
    levels: Iterable[Real] = GAINS,
    *,
    quick: bool = False,
) -> Crossovers:
    """The budgets between which distillation gains at least each level; as for `crossover_each`.

    Where no accountings are given, they are the `usual_accountings`.
    """
    demand_kind(scenario, Scenario, Word("scenario"))
    paid = usual_accountings(scenario) if accountings is None else accountings
    return together(list(crossover_each(scenario, students, paid, levels, quick=quick)))


def usual_accountings(scenario: Scenario) -> tuple[Accounting, ...]:
    """The scenario's own; else a teacher that costs nothing, and one that is run.

    One whose passes cannot be paid for is not run.
    """
    if scenario.accounting is not None:
        return (scenario.accounting,)
    teacher = scenario.teacher
    written = scenario.logits is Logits.CACHED
    if written or (teacher is not None and teacher.params is None):
        return (Accounting.FREE,)
    return Accounting.FREE, Accounting.EXISTS


def crossover_each(
    scenario: Scenario,
    students: Iterable[Real | str],
    accountings: Iterable[Accounting | str],
    levels: Iterable[Real],
    *,
    quick: bool = False,
) -> Iterator[Crossovers]:
    """The same row by row, as they are found.

    Args:
        scenario: the question; its own budget, student and machine are ignored.
        students: parameters of each student, or a word such as ``1B``.
        accountings: teacher costs that the budget covers.
        levels: gains, nats per token.
        quick: leave out the odds.

    Raises:
        InputError: when the law has no distillation, no student, accounting or level is given,
            there are too many levels, the teacher contradicts an accounting, or limits are given.
    """
    demand_distillation(scenario.law)
    if scenario.limits != Limits():
        why = ": budgets are in FLOPs here, on no machine, and keep to none; leave them out"
        raise InputError(Word("limits"), why)
    students = listed(students, Word("student"), least="1B")
    paid = listed(accountings, Word("accounting"), partial(member, Accounting), least="free")
    gains = listed(levels, Word("gain"), number)
    if not gains or not all(map(math.isfinite, gains)):
        raise InputError("gain: give at least one gain in nats, e.g. 0.01")
    if len(gains) > MOST_LEVELS:
        raise InputError(f"gain: {len(gains)} gains; the most is {MOST_LEVELS}")
    asked = replace(scenario, compute=ANY_BUDGET, gpu_hours=None)
    draws = None if quick else law_catalog.draws(scenario.law)
    scenarios = [
        replace(asked, student_params=params, accounting=accounting)
        for params in students
        for accounting in paid
    ]
    told = model_notices(scenarios)
    for one in scenarios:
        row = _row(one, gains, draws, quick=quick)
        found = Crossovers(
            rows=(row,),
            gains_nats=tuple(gains),
            note=OWN_NOTE if scenario.law.is_own else NOTE,
            law=scenario.law,
            scenario=scenario,
            warnings=(*told, *range_warnings([row])),
        )
        demand_finite(found)
        yield found


def together(found: Sequence[Crossovers]) -> Crossovers:
    """The rows of one question in one answer."""
    rows = tuple(row for one in found for row in one.rows)
    models = (one for one in found[0].warnings if one.code not in RANGE_CODES)
    return found[0]._replace(rows=rows, warnings=(*models, *range_warnings(rows)))


def _row(
    scenario: Scenario, levels: Sequence[float], draws: Draws | None, *, quick: bool
) -> CrossoverRow:
    logs = _logs(scenario)

    def look(at: FloatArray, finest: float) -> Weighed:
        return weigh_cells(scenario, cells(scenario, scenario.pays, budget=np.exp(at)), finest)

    first = look(logs, FIRST_LOOK)
    found = []
    for level in levels:
        seen = windows(look, logs, partial(_reaches, level), (level,), first, bool)
        found.append(
            GainLevel(
                gain_nats=level,
                windows=tuple(
                    _window(scenario, one, draws, quick=quick) for one in seen if one.state == 1
                ),
            )
        )
    last = float(first.gain[-1])
    looked_at = BudgetRange(from_=math.exp(logs[0]), to=math.exp(logs[-1]))
    told, beyond = judged(scenario, found, looked_at)
    return CrossoverRow(
        student_params=scenario.student_params or math.nan,
        accounting=scenario.pays,
        levels=told,
        looked_at=looked_at,
        gain_at_most_tokens=finite(last),
        beyond=beyond,
    )


def _reaches(level: float, weighed: Weighed) -> Any:
    """Whether gains are at least a level, shape (budgets,)."""
    return weighed.gain >= level


def _window(scenario: Scenario, window: Window, draws: Draws | None, *, quick: bool) -> GainWindow:
    low, high = window.low, window.high
    odds = None
    if not quick and (low is not None or high is not None):
        ends = [one for one in (low, high) if one is not None]
        open_end = math.log(BEYOND) * (len(ends) == 1) * (1 if high is None else -1)
        odds = odds_at(scenario, math.exp(sum(ends) / len(ends) + open_end), draws)
    return GainWindow(
        from_=None if low is None else math.exp(low),
        to=None if high is None else math.exp(high),
        from_tokens_per_param=_tokens_per_param(scenario, low),
        to_tokens_per_param=_tokens_per_param(scenario, high),
        odds=odds,
    )


def parse_accountings(text: str) -> tuple[Accounting, ...]:
    """Accountings from a comma-separated list.

    Raises:
        InputError: when the list is empty or holds an unknown name.
    """
    names = [choose(one, "--accounting", Accounting) for one in split_list(text, "--accounting")]
    if not names:
        raise InputError(
            Word("accounting"),
            f": {text!r} is not a comma-separated list of {', '.join(Accounting)}",
        )
    return tuple(map(Accounting, dict.fromkeys(names)))


def parse_levels(text: str) -> tuple[float, ...]:
    """Gains in nats from a comma-separated list.

    Raises:
        InputError: when the list is empty or holds something that is not a finite number.
    """
    try:
        found = tuple(float(one) for one in split_list(text, "--gain"))
    except ValueError:
        found = ()
    if not found or not all(map(math.isfinite, found)):
        example = ",".join(f"{level:g}" for level in GAINS)
        raise InputError(Word("gain"), f": {text!r} is not a list of gains in nats, e.g. {example}")
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
    return scenario.students * scenario.student_forward(params) * passes


def _tokens_per_param(scenario: Scenario, log: float | None) -> float | None:
    if log is None:
        return None
    params = scenario.student_params or math.nan
    forward = scenario.student_forward(params)
    tokens = math.exp(log) / scenario.students / forward - scenario.inference_tokens
    return tokens / TRAINING_PASSES / params
