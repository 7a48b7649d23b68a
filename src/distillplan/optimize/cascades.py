"""A chain of students, each taught by the one before it: how a budget is best shared among them.

What the first reads changes the teacher of the second, and so on, so that the best share cannot be
found member by member. Bellman's recursion over a grid of every member's loss finds the best chain
at each price of compute; the chains around the price that spends the budget, and the plain splits,
are then followed downhill by Newton's method to where they end, and the best of them is taken.
"""

import math
from typing import Any

import numpy as np

from distillplan.laws.draws import columns_of_law, law_of_columns
from distillplan.laws.formulas import DistillationLaw, FloatArray, SupervisedLaw
from distillplan.laws.repetition import log_worth
from distillplan.named_tuples import NamedTuple
from distillplan.optimize.downhill import downhill
from distillplan.optimize.problems import Bounds

LOSSES = 81
"""Of each member on the grid."""
PRICES = 60
"""Halvings of the price of compute, in logarithms."""
STARTS = 6
"""Chains that are followed downhill, the last ones of those halvings."""
HALVINGS = 50
"""To the tokens that bring a member to a loss."""


class Chain(NamedTuple):
    """Members from the first teacher to the last student; arrays of shape (members,)."""

    law: DistillationLaw
    """Its coefficients are numbers, or arrays of shape (problems,)."""
    log_params: FloatArray
    weights: FloatArray
    """Of the members' losses."""
    training: FloatArray
    """Cost of training each on a token."""
    passes: FloatArray
    """Cost of its teacher's pass over a token."""
    budget: FloatArray
    """Shape (problems,)."""
    bounds: Bounds
    unique_tokens: float
    teacher_loss: FloatArray | None = None
    """Of the first member's teacher, shape (problems,); None where it learns from data alone."""
    most_passed: float = math.inf
    """Tokens that a teacher passes over at most; epochs read again what it wrote."""

    def costs(self, d: Any) -> Any:
        """Cost of each member, at log tokens that meet an axis of the members."""
        return self.training * np.exp(d) + self.passes * np.minimum(np.exp(d), self.most_passed)

    def losses(self, d: FloatArray, rows: Any) -> FloatArray:
        """Losses at log tokens of shape (points, members), of the problems ``rows``."""
        law = self.law
        if np.ndim(law.alpha):
            law = _some(law, rows)
        worth = log_worth(d, self.unique_tokens)
        x = None if self.teacher_loss is None else np.log(self.teacher_loss[rows])
        found = np.empty(d.shape)
        for row, n in enumerate(self.log_params):
            found[:, row] = (
                law.supervised.loss_at_logs(n, worth[:, row])
                if x is None
                else law.loss_at_logs(n, worth[:, row], x)
            )
            x = np.log(found[:, row])
        return found

    def tokens(self, z: FloatArray, rows: Any) -> FloatArray:
        """Log tokens, shape (points, members), that spend the budgets in proportion to e^z."""
        low, high = np.log(self.bounds.student_tokens)
        top = z.max(axis=1, keepdims=True)
        spent = np.log(self._scale(np.exp(z - top), self.budget[rows])) - top[:, 0]
        d = z + spent[:, None]
        fewest = d.min(axis=1, keepdims=True) >= low - 1e-12
        return np.where(fewest, np.minimum(d, high), np.nan)

    def _scale(self, tokens: FloatArray, budget: FloatArray) -> FloatArray:
        """How often tokens of shape (points, members) can be had for budgets, shape (points,)."""
        found = budget / (tokens * (self.training + self.passes)).sum(axis=1)
        if self.most_passed == math.inf:
            return np.asarray(found)
        # the cost is concave: the least of those in which some members, the longest, read again
        longest = np.argsort(-tokens, axis=1)
        first = np.broadcast_to(self.passes, tokens.shape).copy()
        left, points = budget, np.arange(budget.size)
        for row in longest.T:
            left = left - first[points, row] * self.most_passed
            first[points, row] = 0.0
            found = np.maximum(found, left / (tokens * (self.training + first)).sum(axis=1))
        return np.asarray(found)

    def value(self, z: FloatArray, rows: Any) -> FloatArray:
        """Weighted losses, infinite where the budget does not pay for the fewest tokens."""
        with np.errstate(invalid="ignore", over="ignore"):
            found = (self.weights * self.losses(self.tokens(z, rows), rows)).sum(axis=1)
        return np.where(np.isnan(found), np.inf, found)


class ChainOptima(NamedTuple):
    """The best chains; meaningless where the loss is infinite."""

    loss: FloatArray
    """Weighted, shape (problems,)."""
    member_loss: FloatArray
    """Shape (problems, members)."""
    tokens: FloatArray
    """Shape (problems, members)."""


def best_chain(chain: Chain, start: FloatArray | None = None) -> ChainOptima:
    """The least weighted loss of a chain.

    Args:
        chain: the members and budgets.
        start: tokens of each, shape (members,), near which to look; None looks everywhere, for one
            problem.
    """
    rows = np.arange(chain.budget.size)
    if start is None:
        starts = _starts(chain)
        at = np.zeros(len(starts), int)
    else:
        starts, at = np.broadcast_to(np.log(start), (rows.size, start.size)), rows
    z = downhill(chain.value, starts - starts[:, :1], at)
    if start is None:
        best = int(chain.value(z, at).argmin())
        z = z[best : best + 1]
    d = chain.tokens(z, rows)
    loss = chain.value(z, rows)
    with np.errstate(invalid="ignore"):
        tokens = np.clip(np.exp(d), *chain.bounds.student_tokens)  # rounding may pass a bound
        return ChainOptima(loss=loss, member_loss=chain.losses(d, rows), tokens=tokens)


WINDOWS = 26
"""Ever narrower grids around the cheapest chain to given losses."""
NARROWER = 0.4
"""Width of a grid relative to the one before."""
CLOSER = 33
"""Losses of each member on them."""


class ChainCosts(NamedTuple):
    """The cheapest chain to given losses, of one problem."""

    cost: float
    """Infinite where the losses are out of reach."""
    member_loss: FloatArray
    """What each reaches, at most its target; shape (members,)."""
    tokens: FloatArray
    """Shape (members,)."""


def cheapest_chain(chain: Chain, targets: FloatArray) -> ChainCosts:
    """The least cost with which every member of a chain has at most its loss.

    A member may be better than it has to be, for the sake of those that it teaches. Bellman's
    recursion over a grid of losses, then over ever narrower ones around the best.

    Args:
        chain: of one problem; its budget and weights are not looked at.
        targets: nats per token, shape (members,).
    """
    many = chain.log_params.size
    every = [grid_of(chain, row) for row in range(many)]
    grids = [np.append(one[one < most], most) for one, most in zip(every, targets, strict=True)]
    lowest = [float(one[0]) for one in grids]
    widths = [float(np.diff(one).max(initial=0.0)) for one in grids]
    best = ChainCosts(cost=math.inf, member_loss=targets, tokens=np.full(many, math.nan))
    for _ in range(WINDOWS):
        tables = [_table_on(chain, row, grids) for row in range(many)]
        d, places = _cheapest(tables, chain._replace(weights=np.zeros(many)), 1.0)
        cost = float(chain.costs(d).sum())
        if cost < best.cost:
            losses = np.array([one[at] for one, at in zip(grids, places, strict=True)])
            best = ChainCosts(cost=cost, member_loss=losses, tokens=np.exp(d))
        if not math.isfinite(best.cost):
            break
        steps = np.linspace(-1.0, 1.0, CLOSER)
        grids = [
            np.unique(np.clip(middle + width * steps, low, most))
            for middle, width, low, most in zip(
                best.member_loss, widths, lowest, targets, strict=True
            )
        ]
        widths = [width * NARROWER for width in widths]
    return best


def _starts(chain: Chain) -> FloatArray:
    """Log tokens of chains to follow downhill, of one problem; shape (starts, members)."""
    equal, shares = np.zeros(chain.log_params.size), -np.log(chain.training + chain.passes)
    grids = [grid_of(chain, row) for row in range(chain.log_params.size)]
    tables = [_table_on(chain, row, grids) for row in range(len(grids))]
    low, high, paths = -80.0, 20.0, []
    for _ in range(PRICES):
        price = (low + high) / 2
        d, _ = _cheapest(tables, chain, math.exp(price))
        paths.append(d)
        dear = float(chain.costs(d).sum()) > float(chain.budget[0])
        low, high = (price, high) if dear else (low, price)
    return np.stack([equal, shares, *paths[-STARTS:]])


class _Table(NamedTuple):
    """Log tokens that bring a member to each loss, by the loss of its teacher."""

    losses: FloatArray
    """Shape (losses,)."""
    d: FloatArray
    """Shape (losses of the teacher, losses); infinite where no tokens do."""


def grid_of(chain: Chain, row: int) -> FloatArray:
    """Losses that a member may have, densest near the least; shape (losses,)."""
    low, high = np.log(chain.bounds.student_tokens)
    ends = np.array([[low] * chain.log_params.size, [high] * chain.log_params.size])
    found = chain.losses(ends, np.zeros(2, int))[:, row]
    alone = chain.law.supervised.loss_at_logs(
        chain.log_params[row], log_worth(np.array([low, high]), chain.unique_tokens)
    )
    least, most = min(found.min(), alone.min()), max(found.max(), alone.max())
    return np.asarray(least + (most - least) * np.linspace(0.0, 1.0, LOSSES) ** 3)


def _table_on(chain: Chain, row: int, grids: list[FloatArray]) -> _Table:
    """The table of a member on grids of the losses of all."""
    losses, teachers = grids[row], None
    if row:
        teachers = np.log(grids[row - 1])[:, None]
    elif chain.teacher_loss is not None:
        teachers = np.log(chain.teacher_loss[:1])[:, None]
    return _Table(losses, tokens_for(chain, row, teachers, losses[None, :]))


def tokens_for(
    chain: Chain, row: int, teachers: FloatArray | None, losses: FloatArray
) -> FloatArray:
    """Log of the fewest tokens that bring a member to losses; infinite where none do.

    Args:
        chain: of one problem.
        row: the member.
        teachers: log losses of its teachers, shape (teachers, 1); None without one.
        losses: nats per token, shape (1, losses).
    """
    n = chain.log_params[row]

    def loss(d: FloatArray) -> Any:
        worth = log_worth(d, chain.unique_tokens)
        if teachers is None:
            return chain.law.supervised.loss_at_logs(n, worth)
        return chain.law.loss_at_logs(n, worth, teachers)

    shape = losses.shape if teachers is None else np.broadcast_shapes(losses.shape, teachers.shape)
    low, high = (np.full(shape, end) for end in np.log(chain.bounds.student_tokens))
    never, already = loss(high) > losses, loss(low) <= losses
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        short = loss(middle) > losses
        low, high = np.where(short, middle, low), np.where(short, high, middle)
    fewest = math.log(chain.bounds.student_tokens[0])
    return np.where(never, np.inf, np.where(already, fewest, high))


def _cheapest(tables: list[_Table], chain: Chain, price: float) -> tuple[FloatArray, list[int]]:
    """Log tokens, and places on the grids, of the least weighted loss plus compute at a price."""
    ahead = np.zeros(1)
    choices = []
    for row in reversed(range(len(tables))):
        table = tables[row]
        tokens = np.exp(table.d)
        cost = chain.training[row] * tokens
        cost = cost + chain.passes[row] * np.minimum(tokens, chain.most_passed)
        cost = price * cost + chain.weights[row] * table.losses
        total = cost + ahead
        choices.append(total.argmin(axis=1))
        ahead = total.min(axis=1)
    place, found, places = 0, [], []
    for table, choice in zip(tables, reversed(choices), strict=True):
        following = int(choice[place])
        found.append(table.d[place, following])
        place = following
        places.append(place)
    return np.array(found), places


def _some(law: DistillationLaw, rows: Any) -> DistillationLaw:
    """The laws of some problems."""
    found = law_of_columns(
        {name: np.asarray(one)[rows] for name, one in columns_of_law(law).items()}
    )
    if isinstance(found, SupervisedLaw):
        raise TypeError("the law of a chain distills")
    return found
