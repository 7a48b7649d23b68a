"""What the optimizer is asked about a family, and the split of a budget beside one teacher."""

import math
from typing import Any

import numpy as np

from distillplan.laws.formulas import FloatArray
from distillplan.models.costs import Costs
from distillplan.named_tuples import NamedTuple
from distillplan.optimize.problems import Bounds, GivenTeacher
from distillplan.optimize.splits import EVERY, Losses, Purse, best_split, split


class Members(NamedTuple):
    """Students that share a budget; arrays of shape (members,)."""

    log_params: FloatArray
    counts: FloatArray
    """How many there are of each."""
    weights: FloatArray
    """Of the loss of one of them; times the counts they sum to 1."""
    training: FloatArray
    """Cost of one training token of one of them."""
    served: float = 0.0
    """Cost of what all of them serve after training."""


class FamilyProblems(NamedTuple):
    """Budgets of one family, side by side; arrays of shape (problems,)."""

    members: Members
    budget: FloatArray
    costs: Costs
    """Of teachers; the members have their own."""
    logits: float = 0.0
    """Part of the teacher's passes that every member pays on its own tokens."""
    cache: FloatArray | float = 0.0
    """Part of the teacher's passes on the longest training that is paid once."""
    training: FloatArray | float = 0.0
    """Part of the teacher's training that is paid."""
    bounds: Bounds = Bounds()
    unique_tokens: float = math.inf
    most_passed: float = math.inf
    """Tokens of the corpus, of which the cache holds each once; infinite where it is unlimited."""
    passed: FloatArray | float = 0.0
    """Passes of the teacher that are paid once whatever the members read, in tokens."""
    teacher: GivenTeacher | None = None
    """None where it is chosen; its fields are numbers or arrays of shape (problems,)."""

    @property
    def stored(self) -> bool:
        """Whether all members read what the teacher wrote once."""
        return bool(np.any(np.asarray(self.cache) > 0))

    @property
    def pays(self) -> bool:
        """Whether the teacher costs anything."""
        once = np.any(np.asarray(self.training) > 0) or np.any(np.asarray(self.passed) > 0)
        return self.stored or self.logits > 0 or bool(once)

    def passing_all(self) -> "FamilyProblems":
        """The same where the teacher passes over the whole corpus, however little is read."""
        return self._replace(
            passed=np.asarray(self.cache) * self.most_passed, cache=0.0, most_passed=math.inf
        )

    def passing_each(self) -> "FamilyProblems":
        """The same where the teacher passes over what is read, in every epoch again."""
        return self._replace(most_passed=math.inf)


class FamilyOptima(NamedTuple):
    """The best splits; meaningless where the loss is infinite."""

    loss: FloatArray
    """Weighted, nats per token, shape (problems,); infinite where no split is affordable."""
    member_loss: FloatArray
    """Shape (problems, members)."""
    tokens: FloatArray
    """Of each member, shape (problems, members)."""
    teacher_loss: FloatArray | None = None
    """Shape (problems,), as below; None without a teacher."""
    teacher_params: FloatArray | None = None
    """None where the teacher is given."""
    teacher_tokens: FloatArray | None = None
    unit: tuple[FloatArray, ...] = ()
    """Coordinates of the search."""

    def or_better(self, other: "FamilyOptima") -> "FamilyOptima":
        """The better of two, problem by problem; coordinates are those of the first one's."""
        better = other.loss < self.loss
        found: dict[str, Any] = {}
        for name in self._asdict().keys() - {"unit"}:
            one, two = getattr(self, name), getattr(other, name)
            if one is not None:
                found[name] = np.where(better if one.ndim == 1 else better[:, None], two, one)
        return self._replace(**found, unit=other.unit if better[0] else self.unit)


class Taught(NamedTuple):
    """Teachers to look at, arrays of shape (points,)."""

    x: Any
    """log L_T."""
    forward: Any
    """Of one pass."""
    once: Any
    """What its training takes of the budget."""
    longest: Any = None
    """Coordinate of the longest training; None where nothing is stored."""


class Splits(NamedTuple):
    """Splits at some teachers; the first axis is that of the points."""

    value: FloatArray
    losses: FloatArray
    d: FloatArray


def shared(
    problems: FamilyProblems,
    losses: Losses,
    point: Taught,
    budget: FloatArray,
    *,
    start: FloatArray | None,
    convex: bool = True,
    times: int = 1,
) -> Splits:
    """The best splits of what the teachers leave of budgets, arrays of shape (points,)."""
    members, low = problems.members, math.log(problems.bounds.student_tokens[0])
    most = math.log(problems.bounds.student_tokens[1])
    rest = budget - point.once - members.served
    per = members.counts * (members.training + problems.logits * point.forward[:, None])
    high = np.full(rest.shape, most)
    if point.longest is not None:
        cached = np.repeat(np.broadcast_to(problems.cache, problems.budget.shape), times)
        passes = cached * point.forward
        with np.errstate(divide="ignore", invalid="ignore"):
            shortest = np.log(rest / (per.sum(axis=1) + passes))
            others = (per.sum(axis=1) - per.min(axis=1)) * np.exp(low)
            longest = np.log((rest - others) / (per.min(axis=1) + passes))
            longest = np.maximum(longest, shortest)
            high = np.minimum(shortest + point.longest * (longest - shortest), most)
        rest = rest - passes * np.exp(high)
    rest = np.nan_to_num(rest, nan=-1.0)
    purse = Purse(
        budget=rest,
        per_token=np.broadcast_to(per, (rest.size, members.counts.size)),
        weights=members.counts * members.weights,
        low=low,
        high=np.nan_to_num(high, nan=low - 1.0)[:, None],
    )
    if start is not None:
        start = np.broadcast_to(start, purse.per_token.shape)
    d = split(losses, purse, start) if convex else best_split(losses, purse)
    each = losses(d, EVERY)
    value = (purse.weights * each).sum(axis=1)
    return Splits(value=np.where(np.isnan(value), np.inf, value), losses=each, d=d)
