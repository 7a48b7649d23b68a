"""What the optimizer is asked and what it answers, as arrays over problems side by side."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np

from distillplan.errors import InputError, Word
from distillplan.fields import Real, Settled, default, number
from distillplan.laws.formulas import FloatArray
from distillplan.laws.repetition import log_worth
from distillplan.models.architecture import FixedAspect
from distillplan.models.costs import Costs, FlopCosts
from distillplan.named_tuples import NamedTuple
from distillplan.optimize.keeping import KeptWhileRead, Storage, bought
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
    most_passed: float = math.inf
    """Tokens of the corpus where the teacher passes over each of them once and what it says is read
    again in each epoch; infinite where it runs in every epoch."""
    passed: FloatArray | None = None
    """Share of the teacher's passes, times tokens, that is paid whatever the student reads."""

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
            passed=None if self.passed is None else self.passed[at],
        )

    def tokens(self, once: Any, per_token: Any, passes: Any) -> Any:
        """Tokens of a student that spend the budget, or its money where that is spent first.

        Args:
            once: what does not depend on them, shaped to meet a `column`.
            per_token: what training on each of them costs.
            passes: what the teacher's pass over each of them costs.
        """
        found = bought(column(self.budget) - once, per_token, passes, self.most_passed)
        kept = self.storage
        if kept is None:
            return found
        rest, months = column(kept.money) - once, kept.months
        if kept.per_month is not None and months is not None:
            reading = KeptWhileRead(
                training=per_token,
                passes=passes,
                per_month=column(kept.per_month),
                months=column(months),
                most_first=self.most_passed,
            )
            return np.minimum(found, reading.bought(rest))
        first = passes + column(kept.per_token)
        return np.minimum(found, bought(rest, per_token, first, self.most_passed))

    def months_of(self, found: "Optima") -> FloatArray:
        """Months of the training of optima that may cost their money, for each problem.

        Args:
            found: their sizes; their tokens are not looked at where money ends them.
        """
        kept, taught = self.storage, self.teacher
        if kept is None or kept.per_month is None or kept.months is None:
            raise ValueError("nothing is kept for as long as a training takes")
        if taught is None:
            params, tokens = np.array(found.teacher_params), np.array(found.teacher_tokens)
            forward, training = self.costs.teacher(np.log(params))
            once = self.training * training * tokens
        else:
            forward, once = taught.forward_cost, self.training * taught.training_cost
        passes = np.where(self.logits > 0, self.logits * forward, 0.0)
        once = np.where(self.training > 0, once, 0.0)
        own = self.costs.student_training(np.log(found.student_params))
        reading = KeptWhileRead(
            training=own,
            passes=passes,
            per_month=kept.per_month,
            months=kept.months,
            most_first=self.most_passed,
        )
        tokens = np.minimum(
            bought(self.budget - once, own, passes, self.most_passed),
            reading.bought(kept.money - once),
        )
        tokens = np.minimum(tokens, self.bounds.student_tokens[1])
        return np.asarray(reading.months_of(tokens))

    def passed_of(self, tokens: Any) -> Any:
        """Share of the teacher's passes, times tokens, that a student pays, as a `column`.

        Args:
            tokens: that it reads, anything that broadcasts to a `column`.
        """
        passed = column(self.logits) * np.minimum(tokens, self.most_passed)
        return passed if self.passed is None else passed + column(self.passed)

    def less_storage(self, tokens: Any) -> FloatArray:
        """What keeping so many tokens leaves of the budget, as a `column`."""
        budget: FloatArray = column(self.budget)
        if self.storage is None:
            return budget
        kept = column(self.storage.per_token) * np.minimum(tokens, self.most_passed)
        return np.minimum(budget, column(self.storage.money) - kept)

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
        most = min(most, self.most_passed)
        return column(np.where((fewest <= found) & (found <= most), found, np.nan))

    @property
    def rereads(self) -> bool:
        """Whether an epoch is paid less than the first."""
        return self.most_passed < math.inf and bool(np.any(self.logits > 0))

    def passing_all(self) -> "Problems":
        """The same where the teacher passes over the whole corpus, however little of it is read."""
        return self._replace(
            budget=self.less_storage(self.most_passed).reshape(self.budget.shape),
            logits=np.zeros_like(self.logits),
            passed=self.passed_of(self.most_passed).reshape(self.logits.shape),
            storage=None,
            most_passed=math.inf,
        )

    def passing_each(self) -> "Problems":
        """The same where the teacher passes over what is read, in every epoch again."""
        return self._replace(most_passed=math.inf)

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
