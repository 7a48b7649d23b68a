"""What the optimizer is asked and what it answers, as arrays over problems side by side."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

import numpy as np

from distillplan.errors import InputError, Word
from distillplan.fields import Real, Settled, default, number
from distillplan.laws.formulas import FloatArray
from distillplan.laws.repetition import log_worth
from distillplan.models.architecture import FixedAspect
from distillplan.models.costs import Costs, FlopCosts
from distillplan.optimize.minimize import column
from distillplan.units.quantities import format_count

PAPER_RANGE = (1e6, 1e17)
"""The paper's search range for parameters and tokens (Section 5.3: 1M to 100P)."""
LARGEST_MODEL = 2e12
"""Parameters of the largest model whose training was announced: Llama 4 Behemoth, "nearly two
trillion" (Meta, April 2025)."""
LONGEST_TRAINING = 4e13
"""Tokens of the longest training that was published: Llama 4 Scout, "about 40T" (model card)."""


class SizeBounds(StrEnum):
    """Named bounds of the search."""

    PUBLISHED = "published"
    """Up to the largest trainings that anybody has published."""
    PAPER = "paper"
    """Those of the paper's figures, far beyond what anybody can train."""


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """Least and largest size that the search may choose; sizes that are given are not bound."""

    student_params: Settled[tuple[float, float], Sequence[Real]] = default((1e6, LARGEST_MODEL))
    student_tokens: Settled[tuple[float, float], Sequence[Real]] = default((1e6, LONGEST_TRAINING))
    teacher_params: Settled[tuple[float, float], Sequence[Real]] = default((1e6, LARGEST_MODEL))
    teacher_tokens: Settled[tuple[float, float], Sequence[Real]] = default((1e6, LONGEST_TRAINING))

    def __post_init__(self) -> None:
        """Refuse an empty range.

        Raises:
            InputError: when there are not two numbers, or a least size is not positive and below
                the largest.
        """
        for name in SIZES:
            ends, word = getattr(self, name), Word(f"bounds.{name}")
            if not isinstance(ends, tuple | list) or len(ends) != len(PAPER_RANGE):
                raise InputError(word, f": {ends!r:.40} is not a pair (least, largest)")
            low, high = (number(end, word) for end in ends)
            if not 0 < low < high < math.inf:
                raise InputError(
                    f"bounds of {name}: {format_count(low)} to {format_count(high)} is not a "
                    "range; the least must be positive and below the largest"
                )
            object.__setattr__(self, name, (low, high))


SIZES = ("student_params", "student_tokens", "teacher_params", "teacher_tokens")
"""The sizes that have bounds."""


def bounds_named(name: SizeBounds) -> Bounds:
    """The bounds of that name."""
    return Bounds() if name is SizeBounds.PUBLISHED else Bounds(**dict.fromkeys(SIZES, PAPER_RANGE))


class GivenTeacher(NamedTuple):
    """A teacher that is not chosen here; floats, or arrays of shape (problems,)."""

    loss: Any
    """Nats per token."""
    forward_cost: Any
    """Of its logits for one token."""
    training_cost: Any = 0.0
    """Of its whole training."""

    def rows(self, at: Any) -> "GivenTeacher":
        """The teachers of some of the problems; every field an array of shape (problems,)."""
        return GivenTeacher(
            loss=self.loss[at],
            forward_cost=self.forward_cost[at],
            training_cost=self.training_cost[at],
        )


class Storage(NamedTuple):
    """Keeping what a teacher says of a corpus, which money pays for beside the hours.

    Arrays have the shape (problems,).
    """

    money: FloatArray
    """What one student may cost with its storage, in the unit of the budget; infinite: any."""
    per_token: FloatArray
    """One student's share of keeping what is said of a token, in the same unit."""
    most_tokens: float = math.inf
    """Tokens of the corpus: what is said of each is kept once, and read again in each epoch."""

    def rows(self, at: Any) -> "Storage":
        """That of some of the problems."""
        return self._replace(money=self.money[at], per_token=self.per_token[at])

    def spent_by(self, tokens: Any) -> FloatArray:
        """What keeping so many trained tokens takes, anything that broadcasts to a `column`."""
        kept: FloatArray = column(self.per_token) * np.minimum(tokens, self.most_tokens)
        return kept


def bought(rest: Any, per_token: Any, kept: Any, most_kept: float) -> Any:
    """Tokens that are trained on and kept for some money.

    Args:
        rest: the money.
        per_token: what training on a token costs.
        kept: what keeping it costs.
        most_kept: tokens that are kept; more are read again.
    """
    found = rest / (per_token + kept)
    if most_kept == math.inf:
        return found
    return np.maximum(found, (rest - kept * most_kept) / per_token)


class Problems(NamedTuple):
    """Budgets to spend, side by side; every array has the shape (problems,)."""

    budget: FloatArray
    """What one student may cost, its share of the teacher included."""
    logits: FloatArray
    """Share of the teacher's forward passes on the student's tokens that the student pays."""
    training: FloatArray
    """Share of the teacher's training that the student pays."""
    student_params: FloatArray | None = None
    """Non-embedding parameters; None to choose them."""
    bounds: Bounds = Bounds()
    costs: Costs = FlopCosts(FixedAspect())
    """What a token of student and teacher costs, in what the budget counts."""
    served_tokens: float = 0.0
    """Tokens that the student serves after its training, a forward pass each, paid as well."""
    unique_tokens: float = math.inf
    """Tokens of the corpus; more are repeated, and worth less, for student and chosen teacher."""
    teacher: GivenTeacher | None = None
    """None where it is chosen; its fields are arrays of shape (problems,)."""
    storage: Storage | None = None
    """Of what the teacher says; None where it costs nothing, or no money is counted."""

    def rows(self, at: Any) -> "Problems":
        """Some of the problems, by a slice or an array of indices."""
        given, teacher = self.student_params, self.teacher
        return self._replace(
            budget=self.budget[at],
            logits=self.logits[at],
            training=self.training[at],
            student_params=None if given is None else given[at],
            teacher=None if teacher is None else teacher.rows(at),
            storage=None if self.storage is None else self.storage.rows(at),
        )

    def tokens(self, once: Any, per_token: Any) -> Any:
        """Tokens of a student that spend the budget, or its money where that is spent first.

        Args:
            once: what does not depend on them, shaped to meet a `column`.
            per_token: what each of them costs, apart from keeping what is said of it.
        """
        found = (column(self.budget) - once) / per_token
        kept = self.storage
        if kept is None:
            return found
        rest = column(kept.money) - once
        return np.minimum(found, bought(rest, per_token, column(kept.per_token), kept.most_tokens))

    def less_storage(self, tokens: Any) -> FloatArray:
        """What keeping so many tokens leaves of the budget, as a `column`."""
        budget: FloatArray = column(self.budget)
        if self.storage is None:
            return budget
        return np.minimum(budget, column(self.storage.money) - self.storage.spent_by(tokens))

    def tokens_of_both(self) -> Any:
        """Tokens that spend the budget and its money alike, as a `column`.

        With fewer the budget ends first, with more the money. Not-a-number where the same of both
        always does, and where no student may have so many.
        """
        kept, (fewest, most) = self.storage, self.bounds.student_tokens
        if kept is None:
            return math.nan
        with np.errstate(divide="ignore", invalid="ignore"):
            found = (kept.money - self.budget) / kept.per_token
        most = min(most, kept.most_tokens)
        return column(np.where((fewest <= found) & (found <= most), found, np.nan))

    def keeping_all(self) -> "Problems":
        """The same where the whole corpus is kept, however little of it is read."""
        if self.storage is None:
            return self
        kept = self.less_storage(self.storage.most_tokens).reshape(self.budget.shape)
        return self._replace(budget=kept, storage=None)

    def keeping_each(self) -> "Problems":
        """The same where what is said of each trained token is kept, in every epoch again."""
        if self.storage is None:
            return self
        return self._replace(storage=self.storage._replace(most_tokens=math.inf))

    def taught_by(self, teacher: GivenTeacher) -> "Problems":
        """The same with a given teacher; its fields may be floats or arrays of one."""
        shape = self.budget.shape
        each = GivenTeacher(
            loss=np.broadcast_to(teacher.loss, shape),
            forward_cost=np.broadcast_to(teacher.forward_cost, shape),
            training_cost=np.broadcast_to(teacher.training_cost, shape),
        )
        return self._replace(teacher=each)

    def log_worth(self, d: Any) -> Any:
        """Log of the unique tokens that log D tokens are worth."""
        return log_worth(d, self.unique_tokens)


class Spread(NamedTuple):
    """Least and largest size within a loss of the best, the others chosen anew.

    Arrays of shape (problems, 2).
    """

    student_params: FloatArray
    student_tokens: FloatArray
    teacher_loss: FloatArray
    teacher_params: FloatArray
    teacher_tokens: FloatArray


class Optima(NamedTuple):
    """The best sizes, arrays of shape (problems,); meaningless where the loss is infinite."""

    loss: FloatArray
    """Nats per token; infinite where even the least sizes are over budget."""
    student_params: FloatArray
    student_tokens: FloatArray
    teacher_loss: FloatArray | None = None
    teacher_params: FloatArray | None = None
    teacher_tokens: FloatArray | None = None
    spread: Spread | None = None
    """How far the sizes of the first problems may move at given prices, where that was asked."""

    def rows(self, at: slice) -> "Optima":
        """Some of them, without the spread."""
        found: dict[str, Any] = self._replace(spread=None)._asdict()
        for name, one in found.items():
            found[name] = None if one is None else one[at]
        return Optima(**found)
