"""Sharing a budget among students of several sizes, so that a token is worth as much in each.

At the best split the last FLOP lowers the weighted loss by the same amount wherever it is spent,
but for students that have as many tokens as they may, or as few. Under every shipped law and each
of its joint draws a student's loss is convex in its tokens, so that there is one such split and it
is the best; `is_convex` says whether that holds of a law, and where it does not the search begins
at several splits.

All arrays have the shape (problems, members) unless they say otherwise.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from distillplan.laws.formulas import FloatArray
from distillplan.named_tuples import NamedTuple

Losses: TypeAlias = Callable[[FloatArray, Any], FloatArray]
"""From the logarithms of tokens, and the indices of the problems that they are of, to losses of the
same shape, falling with the tokens."""
EVERY = slice(None)
"""Indices of all problems."""

STEP = 1e-3
"""Of the differences that stand for derivatives, in the logarithm of tokens: the split is off by
about its square, and the loss by the square of that."""
MOST_STEPS = 60
FARTHEST = 2.0
"""The longest step of Newton's, in the logarithm of tokens."""
STILL = 3e-6
"""A shorter step is the last, as the next would be the square of it: losses are exact to the last
bits."""
SLOPES = (-40.0, -0.5)
"""Of the logarithm of what a token is worth against that of the tokens: steeper or flatter ones are
taken for these. A power law D^-b has -1 - b."""
HALVINGS = 14
"""Steps of Newton's, or halvings, to the level of worth; far fewer are needed but where members
are at their bounds, and what they leave the next step takes up."""
SPENT = 1e-9
"""Of a budget that a step may miss; the last one spends all."""
LAST_BITS = 1e-12
"""Of a budget that just pays for the fewest tokens, which may be missing."""
LION = 0.8
"""The share of the rest of a budget that one member has in a split to begin at."""


class Purse(NamedTuple):
    """Budgets to share, and what a token of each member costs."""

    budget: FloatArray
    """Shape (problems,)."""
    per_token: FloatArray
    weights: FloatArray
    """Of each member's loss; anything that broadcasts."""
    low: float
    """Log of the fewest tokens of a member."""
    high: FloatArray
    """Log of the most, shape (problems, 1)."""

    def rows(self, rows: Any) -> "Purse":
        """Some of the budgets."""
        return self._replace(
            budget=self.budget[rows], per_token=self.per_token[rows], high=self.high[rows]
        )


def split(losses: Losses, purse: Purse, start: FloatArray | None = None) -> FloatArray:
    """Log tokens of each member, not-a-number where a budget is below the fewest.

    Newton's method on the logarithm of what a FLOP is worth, which power laws make nearly straight
    in that of the tokens. Every step spends the whole budget, but for what no member may take.

    Args:
        losses: of the members.
        purse: the budgets.
        start: log tokens to begin at, shape (problems, members); None: as many for each.
    """
    low, high, price = purse.low, purse.high, purse.per_token
    least = (price * np.exp(low)).sum(axis=1)
    funds = np.where(purse.budget >= least * (1 - LAST_BITS), np.maximum(purse.budget, least), 0.0)
    affordable = (funds > 0) & np.all(high >= low - LAST_BITS, axis=1)
    funds = np.where(affordable, funds, least)[:, None]
    if start is None:
        start = np.broadcast_to(np.log(funds / price.sum(axis=1, keepdims=True)), price.shape)
    d = np.clip(start, low, np.maximum(high, low))
    rows = np.flatnonzero(affordable)
    for step in range(MOST_STEPS):
        if not rows.size:
            break
        here, at = purse.rows(rows), d[rows]
        worth, slope = _worth(losses, here, at, rows)
        longest = FARTHEST if step < MOST_STEPS // 3 else FARTHEST / (step + 1)
        d[rows] = _level(here, funds[rows], at, worth, slope, longest)
        rows = rows[np.abs(d[rows] - at).max(axis=1) > STILL]
    return np.where(affordable[:, None], _spending_all(purse, funds, d), np.nan)


def best_split(losses: Losses, purse: Purse) -> FloatArray:
    """The same from several beginnings, for laws under which a loss is not convex in its tokens.

    From as many tokens for each, and from most of the budget for each member in turn; log tokens of
    shape (problems, members).
    """
    price, members = purse.per_token, purse.per_token.shape[1]
    best = split(losses, purse)
    value = total(losses, purse, best)
    for lion in range(members):
        shares = np.full(members, (1 - LION) / max(members - 1, 1))
        shares[lion] = LION
        with np.errstate(divide="ignore", invalid="ignore"):
            start = np.nan_to_num(np.log(shares * purse.budget[:, None] / price), nan=purse.low)
        found = split(losses, purse, start)
        other = total(losses, purse, found)
        better = other < value
        best, value = np.where(better[:, None], found, best), np.where(better, other, value)
    return best


def total(losses: Losses, purse: Purse, d: FloatArray) -> FloatArray:
    """The weighted loss of splits, infinite where they are not affordable; shape (problems,)."""
    with np.errstate(invalid="ignore"):
        found = (purse.weights * losses(d, EVERY)).sum(axis=1)
    return np.where(np.isnan(found), np.inf, found)


def is_convex(losses: Losses, low: float, high: float, shape: tuple[int, ...]) -> bool:
    """Whether losses fall ever more slowly with each further token, at about 200 places.

    Args:
        losses: takes arrays of the shape with one more axis in front.
        low: log of the fewest tokens.
        high: log of the most.
        shape: of the members and teachers to look at.
    """
    places = np.linspace(low, high, 200)
    d = np.broadcast_to(places.reshape(-1, *[1] * len(shape)), (places.size, *shape))
    found = losses(d, EVERY)
    fall = -np.diff(found, axis=0)
    slope = fall / np.diff(np.exp(d), axis=0)
    known = fall[1:] > LAST_BITS * found[2:]  # the rest is rounding
    return not bool(np.any(known & (np.diff(slope, axis=0) > 0)))


def _worth(losses: Losses, purse: Purse, d: FloatArray, rows: Any) -> tuple[FloatArray, FloatArray]:
    """Log of what a FLOP is worth, and its slope in log tokens."""
    fewer, here, more = (losses(one, rows) for one in (d - STEP, d, d + STEP))
    fall = np.maximum(purse.weights * (fewer - more) / (2 * STEP), np.finfo(float).tiny)
    bend = purse.weights * (fewer - 2 * here + more) / STEP**2
    slope = np.clip(-bend / fall - 1.0, *SLOPES)
    return np.log(fall / purse.per_token) - d, slope


def _level(
    purse: Purse,
    funds: FloatArray,
    d: FloatArray,
    worth: FloatArray,
    slope: FloatArray,
    longest: float,
) -> FloatArray:
    """Log tokens at the level of worth at which the straight lines through ``worth`` cost funds.

    The members stand along the first axis here, which is several times faster.
    """
    d, worth, slope, price = (np.array(one.T) for one in (d, worth, slope, purse.per_token))
    spent, ceiling = funds.T, np.maximum(purse.high.T, purse.low)
    high, low = np.minimum(d + longest, ceiling), np.maximum(d - longest, purse.low)
    bottom, top = (worth + longest * slope).min(axis=0), (worth - longest * slope).max(axis=0)
    cost = price * np.exp(d)
    level = (cost * (worth / slope - 1.0)).sum(axis=0) + spent[0]
    level = level / (cost / slope).sum(axis=0)
    for _ in range(HALVINGS):
        level = np.where((bottom < level) & (level < top), level, (bottom + top) / 2)
        wanted = d + (level - worth) / slope
        moved = np.minimum(np.maximum(wanted, low), high)
        cost = price * np.exp(moved)
        total = cost.sum(axis=0)
        dear = total > spent[0]
        bottom, top = np.where(dear, level, bottom), np.where(dear, top, level)
        if bool(np.all(np.abs(total - spent[0]) <= SPENT * spent[0])):
            break
        rate = np.where(wanted == moved, cost / slope, 0.0).sum(axis=0)
        with np.errstate(divide="ignore", invalid="ignore"):
            level = level - np.log(total / spent[0]) * total / rate
    return np.asarray(moved.T)


def _spending_all(purse: Purse, funds: FloatArray, d: FloatArray) -> FloatArray:
    """The same split with its last bits spent by those members that are at no bound."""
    cost = purse.per_token * np.exp(d)
    over = cost.sum(axis=1, keepdims=True) > funds
    free = (d > purse.low) & ((d < purse.high) | over)
    rest = funds - np.where(free, 0.0, cost).sum(axis=1, keepdims=True)
    spent = np.where(free, cost, 0.0).sum(axis=1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = np.where((rest > 0) & (spent > 0), np.log(rest / spent), 0.0)
    found: FloatArray = np.where(free, np.minimum(d + factor, purse.high), d)
    return found
