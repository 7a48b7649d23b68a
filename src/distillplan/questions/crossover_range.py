"""Where the budgets of a crossover leave the range that the law was fitted in."""

import math
from collections.abc import Callable, Iterator, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import numpy as np

from distillplan.accounting import Accounting, in_a_table
from distillplan.laws.formulas import FloatArray
from distillplan.named_tuples import NamedTuple
from distillplan.notices import Notice, warning
from distillplan.optimize.problems import Optima
from distillplan.planning import evaluate
from distillplan.planning.evaluate import cells
from distillplan.planning.fitted_range import SIZES, OutsideFit, in_its_unit, outside
from distillplan.planning.model_warnings import mixture_warning, named_warnings
from distillplan.planning.scenario import Scenario
from distillplan.planning.validity import OUTSIDE_FIT
from distillplan.planning.verdict import run_of, weigh
from distillplan.planning.verdict_records import BudgetRange
from distillplan.units.quantities import format_count

if TYPE_CHECKING:
    from distillplan.questions.crossover import CrossoverRow, GainLevel, GainWindow

IS_GUESS = "crossover_is_guess"
"""Code of the warning that plans have no verdict at some of the budgets."""
RANGE_CODES = frozenset((IS_GUESS, *OUTSIDE_FIT.values()))
"""Codes of `range_warnings`."""
MOST_ROWS = 2
"""Rows that a sentence names."""


class _RangeAt(NamedTuple):
    """Some budgets of one student under one accounting; arrays of shape (budgets,)."""

    silent: FloatArray
    """Whether there is no verdict."""
    beyond: tuple[OutsideFit, ...]
    """Sizes outside the fitted range of the law, each the farthest out."""


def _seen(scenario: Scenario, each: Sequence[float]) -> _RangeAt:
    """What a plan says of its range at some budgets, FLOPs."""
    at = cells(scenario, scenario.pays, budget=np.array(each, float))
    alone, taught = evaluate.supervised(scenario, at), evaluate.distilled(scenario, at)
    side = weigh(scenario, run_of(alone), run_of(taught)).side
    return _RangeAt(silent=np.isnan(side), beyond=tuple(_beyond(scenario, alone, taught)))


def _beyond(scenario: Scenario, alone: Optima, taught: Optima) -> Iterator[OutsideFit]:
    for name in SIZES:
        for optima, way in ((alone, None), (taught, scenario.pays)):
            sizes = _sizes(scenario, optima, name, way)
            if sizes is None:
                continue
            every = np.broadcast_to(sizes, optima.loss.shape)[np.isfinite(optima.loss)].tolist()
            found = [outside(scenario.law, name, one, way) for one in every]
            out = [one for one in found if one is not None]
            if out:
                yield max(out, key=attrgetter("times"))


def _sizes(scenario: Scenario, optima: Optima, name: str, way: Accounting | None) -> Any:
    """A size of every budget; None where it does not enter the law."""
    given = scenario.teacher
    if name not in ("teacher_params", "teacher_tokens"):
        return getattr(optima, name)
    if way is None or (given is None and way is Accounting.FREE):
        return None
    if given is None:
        return getattr(optima, name)
    if given.loss is not None:
        return None
    return given.params if name == "teacher_params" else given.tokens


def judged(
    scenario: Scenario, levels: "Sequence[GainLevel]", looked_at: BudgetRange
) -> "tuple[tuple[GainLevel, ...], tuple[OutsideFit, ...]]":
    """The levels with their guesses, and what is outside the fitted range.

    Args:
        scenario: of one student.
        levels: with their windows.
        looked_at: the budgets that were searched, FLOPs.
    """
    middle = math.sqrt(looked_at.from_ * looked_at.to)
    whole = [looked_at.from_, middle, looked_at.to]
    windows = [one for level in levels for one in level.windows]
    ends = [budget for one in windows for budget in _ends(one)]
    # sizes at the ends of what was looked at are outside for every student
    at, around = _seen(scenario, ends or [middle]), _seen(scenario, whole)
    silent = dict(zip(ends, at.silent, strict=False))

    def with_guess(one: "GainWindow") -> "GainWindow":
        here = [silent[budget] for budget in _ends(one)] or around.silent
        return one._replace(is_guess=bool(np.any(here)))

    never = bool(np.all(around.silent))
    told = tuple(
        one._replace(
            windows=tuple(map(with_guess, one.windows)), is_guess=never and not one.windows
        )
        for one in levels
    )
    return told, at.beyond


def _ends(window: "GainWindow") -> list[float]:
    return [one for one in (window.from_, window.to) if one is not None]


def model_notices(scenarios: Sequence[Scenario]) -> tuple[Notice, ...]:
    """What to know of the models of some students with one teacher."""
    named = named_warnings(*(one.models for one in scenarios))
    return (*named, *mixture_warning(scenarios[0].law, scenarios[0].teacher))


def range_warnings(rows: "Sequence[CrossoverRow]") -> tuple[Notice, ...]:
    """What to know of the rows that leave the fitted range."""
    return (*_guesses_told(rows), *_outside_told(rows))


def _guesses_told(rows: "Sequence[CrossoverRow]") -> Iterator[Notice]:
    levels = [level for row in rows for level in row.levels]
    guesses = [window.is_guess for level in levels for window in level.windows]
    if any(guesses) or any(level.is_guess for level in levels):
        yield warning(
            IS_GUESS,
            "a budget with a question mark is a guess: there the law may be off by more than the "
            "gain, and a plan has no verdict",
        )


def _outside_told(rows: "Sequence[CrossoverRow]") -> Iterator[Notice]:
    """One warning for each size, naming the rows that it concerns."""
    for name, size in SIZES.items():
        there = [(row, one) for row in rows for one in row.beyond if one.size == name]
        if not there:
            continue
        concerned = list({id(row): row for row, _ in there}.values())
        low, high = (
            in_its_unit(name, end)
            for end in (max(one.low for _, one in there), min(one.high for _, one in there))
        )
        who = _names(concerned, _student_named if name == "student_params" else _row_named)
        told = f"{size.words} outside the law's fitted range of {low} to {high}"
        yield warning(OUTSIDE_FIT[name], f"{who}: {told}")


def _names(rows: "Sequence[CrossoverRow]", named: "Callable[[CrossoverRow], str]") -> str:
    names = list(dict.fromkeys(map(named, rows)))
    more = len(names) - MOST_ROWS
    return "; ".join(names[:MOST_ROWS]) + (f"; {more} more" if more > 0 else "")


def _student_named(row: "CrossoverRow") -> str:
    return f"{format_count(row.student_params)} student"


def _row_named(row: "CrossoverRow") -> str:
    return f"{format_count(row.student_params)}, {in_a_table(row.accounting)}"
