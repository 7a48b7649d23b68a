"""Windows of budgets that share a verdict: a grid, a closer look where it changes, and a line."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np

from distillplan.laws.formulas import FloatArray
from distillplan.named_tuples import NamedTuple
from distillplan.planning.verdict import Weighed

FIRST_LOOK, CLOSER = 1e-3, 1e-5
"""Half-widths of the optimizer's last grid: losses to 2e-5 and 2e-9 nats."""
REFINED = 12
"""Budgets between two neighbors that differ; between those a line will do."""
PASSES = 4
"""Where there is no line to draw, because a loss is infinite or there is no verdict, each further
pass looks REFINED times closer."""
NEAR = 1e-4
"""A gain that turns within this of a level may have crossed it, in nats per token."""
NARROWEST = 5e-3
"""Windows that span less of an e-fold than this are left out."""
SILENT = -9
"""State of a budget without a verdict."""

Look: TypeAlias = Callable[[FloatArray, float], Weighed]
"""From logarithms of budgets, shape (budgets,), and the optimizer's half-width to what is there."""
States: TypeAlias = Callable[[Weighed], Any]
"""From what is there to a state for each budget; not-a-number for no verdict."""


class Window(NamedTuple):
    """Neighboring budgets of one state."""

    state: int
    low: float | None
    """Logarithm of the least budget; None where it begins below what was looked at."""
    high: float | None
    """Logarithm of the largest; None where it ends above."""


class _SeenBudgets(NamedTuple):
    """Budgets that were looked at, in order; arrays of shape (budgets,)."""

    logs: FloatArray
    gain: FloatArray
    slack: FloatArray
    guess: Any
    state: Any

    def and_also(self, look: Look, states: States, logs: Sequence[FloatArray]) -> "_SeenBudgets":
        """With further budgets among them."""
        if not logs:
            return self
        more = _seen(look, states, np.concatenate(logs), CLOSER)
        order = np.argsort(np.concatenate([self.logs, more.logs]), kind="stable")
        pairs = zip(self._fields, self, more, strict=True)
        return _SeenBudgets(
            **{name: np.concatenate([one, other])[order] for name, one, other in pairs}
        )


def windows(
    look: Look,
    logs: FloatArray,
    states: States,
    levels: Sequence[float],
    first: Weighed,
    wanted: Callable[[int], bool],
) -> tuple[Window, ...]:
    """The windows of a range of budgets, lowest first.

    Args:
        look: what is at given budgets.
        logs: logarithms of the budgets of the first look, in order, shape (budgets,).
        states: the state of each.
        levels: gains at which states change, nats per token.
        first: what the first look saw there.
        wanted: whether the edges of the windows of a state matter; others are left rough.
    """
    seen = _of(first, states, logs)
    for _ in range(2):  # the second look finds what is narrow
        turns = _turning(seen.logs, seen.gain, levels)
        turns += _turning(seen.logs, seen.slack, (0.0,))
        seen = seen.and_also(look, states, turns)
    for number in range(PASSES):
        pairs = [
            (low, high)
            for low, high in _changes(seen)
            if number == 0
            or (
                _line(seen, low, high, levels) is None
                and any(wanted(int(seen.state[end])) for end in (low, high))
            )
        ]
        seen = seen.and_also(look, states, [_between(seen.logs, low) for low, _ in pairs])
    edges = [(low, _edge(seen, low, high, levels)) for low, high in _changes(seen)]
    ends = [None, *(at for _, at in edges), None]
    kinds = [*(seen.state[low] for low, _ in edges), seen.state[-1]]
    return _merged(
        [
            Window(state=int(kind), low=low, high=high)
            for kind, (low, high) in zip(kinds, pairwise(ends), strict=True)
        ]
    )


def _merged(found: Sequence[Window]) -> tuple[Window, ...]:
    """The windows without those that are narrower than `NARROWEST`: no budget is known so well."""
    kept: list[Window] = []
    for one in found:
        narrow = one.low is not None and one.high is not None and one.high - one.low < NARROWEST
        if kept and (narrow or kept[-1].state == one.state):
            kept[-1] = kept[-1]._replace(high=one.high)
        else:
            kept.append(one)
    return tuple(kept)


def _seen(look: Look, states: States, logs: FloatArray, finest: float) -> _SeenBudgets:
    return _of(look(logs, finest), states, logs)


def _of(weighed: Weighed, states: States, logs: FloatArray) -> _SeenBudgets:
    state = np.nan_to_num(np.asarray(states(weighed), float), nan=SILENT).astype(int)
    return _SeenBudgets(
        logs=logs, gain=weighed.gain, slack=weighed.slack, guess=weighed.guess, state=state
    )


def _turning(logs: FloatArray, values: FloatArray, levels: Sequence[float]) -> list[FloatArray]:
    """Budgets between neighbors on one side of a level that values may pass and come back to.

    Between two neighbors they go no farther than the lines through the next ones on either side,
    where they bend one way or have a kink. Beyond the ends a parabola stands in for these.
    """
    left, right = values[:-1], values[1:]
    with np.errstate(invalid="ignore", divide="ignore"):
        before = np.append(values[:3] @ [3.0, -3.0, 1.0], values[:-2])
        after = np.append(values[2:], values[-3:] @ [1.0, -3.0, 3.0])
        rise, fall = left - before, after - right
        part = (right - left - fall) / (rise - fall)
        peak = np.where((part > 0) & (part < 1), left + rise * part, np.nan)
        low, high = np.minimum(left, right), np.maximum(left, right)
        passed = np.zeros(left.size, dtype=bool)
        for level in levels:
            passed |= (level < low) & (peak <= level + NEAR)
            passed |= (level > high) & (peak >= level - NEAR)
    return [_between(logs, int(row)) for row in np.flatnonzero(passed)]


def _between(logs: FloatArray, row: int) -> FloatArray:
    """Budgets between two neighbors."""
    return np.linspace(logs[row], logs[row + 1], REFINED + 2)[1:-1]


def _changes(seen: _SeenBudgets) -> list[tuple[int, int]]:
    """Places of neighbors that differ, be it in why there is no verdict."""
    why = seen.state + (seen.state == SILENT) * ((seen.slack >= 0) + 2 * seen.guess)
    return [(int(one), int(one) + 1) for one in np.flatnonzero(np.diff(why))]


def _line(seen: _SeenBudgets, low: int, high: int, levels: Sequence[float]) -> float | None:
    """Where a line between two neighbors crosses a level; None where there is none to draw."""
    if SILENT in (seen.state[low], seen.state[high]):
        return None
    one, other = float(seen.gain[low]), float(seen.gain[high])
    if not np.isfinite(one) or not np.isfinite(other):
        return None
    bottom, top = min(one, other), max(one, other)
    crossed = [level for level in levels if bottom <= level <= top]
    if not crossed or bottom == top:
        return None
    part = (crossed[0] - one) / (other - one)
    return float(seen.logs[low] + part * (seen.logs[high] - seen.logs[low]))


def _edge(seen: _SeenBudgets, low: int, high: int, levels: Sequence[float]) -> float:
    found = _line(seen, low, high, levels)
    return float(seen.logs[low] + seen.logs[high]) / 2 if found is None else found
