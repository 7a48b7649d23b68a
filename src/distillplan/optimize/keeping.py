"""Keeping what a teacher says of a corpus: what it costs, and for how long."""

import math
from typing import Any

import numpy as np

from distillplan.laws.formulas import FloatArray
from distillplan.laws.logit_formats import LEAST_MONTHS
from distillplan.named_tuples import NamedTuple


class Storage(NamedTuple):
    """Keeping what a teacher says of a corpus, which money pays for beside the hours.

    Arrays have the shape (problems,).
    """

    money: FloatArray
    """What one student may cost with its storage, in the unit of the budget; infinite: any."""
    per_token: FloatArray
    """One student's share of keeping what is said of a token, in the same unit."""
    per_month: FloatArray | None = None
    """The same for a month, where it is kept for as long as the training takes (`at_least`); None:
    where the time is given."""
    months: FloatArray | None = None
    """That pass while what one student costs is worked off, for one unit of it."""

    def rows(self, at: Any) -> "Storage":
        """That of some of the problems."""
        some: dict[str, Any] = self._asdict()
        for name, one in some.items():
            some[name] = None if one is None else one[at]
        return Storage(**some)

    def kept_for(self, months: FloatArray) -> "Storage":
        """The same for so many months, shape (problems,), where that depends on the training."""
        monthly = self.per_token if self.per_month is None else self.per_month * months
        return self._replace(per_token=monthly)


def at_least(months: Any) -> Any:
    """How long logits are kept for trainings of so many months: never less than a month."""
    return np.fmax(LEAST_MONTHS, months)


def bought(rest: Any, per_token: Any, first: Any, most_first: float) -> Any:
    """Tokens that are trained on for what is left of a budget.

    Args:
        rest: what is left.
        per_token: what training on a token costs.
        first: what it costs when it is read for the first time: the teacher's pass, and keeping
            what it says.
        most_first: tokens that are read for the first time; more are read again.
    """
    found = rest / (per_token + first)
    if most_first == math.inf:
        return found
    return np.maximum(found, (rest - first * most_first) / per_token)


class KeptWhileRead(NamedTuple):
    """What a student costs whose teacher's logits are kept while it is trained.

    Numbers, or arrays of shape (problems,), in the unit of the budget.
    """

    training: Any
    """Of a token of the student."""
    passes: Any
    """Its share of the teacher's pass over a token."""
    per_month: Any
    """Its share of keeping for a month what is said of a token."""
    months: Any
    """As `Storage.months`."""
    most_first: float
    """Tokens of the corpus, over which the teacher passes once."""

    def months_of(self, tokens: Any) -> Any:
        """Months of training on so many tokens, and of half of the pass that writes the logits."""
        first = np.minimum(tokens, self.most_first)
        return self.months * (self.training * tokens + self.passes * first / 2)

    def bought(self, rest: Any) -> Any:
        """Tokens for what is left of the money, their logits kept for as long as that takes."""
        own, passes, corpus = self.training, self.passes, self.most_first
        short = bought(rest, own, passes + LEAST_MONTHS * self.per_month, corpus)
        rest, rate = np.maximum(rest, 0.0), self.per_month * self.months
        # own D + passes D + rate D (own D + passes D / 2) = rest, where nothing is read again
        square, linear = rate * (own + passes / 2), own + passes
        long = 2 * rest / (linear + np.sqrt(linear**2 + 4 * square * rest))
        if corpus < math.inf:
            once = passes * corpus * (1 + rate * corpus / 2)
            long = np.maximum(long, (rest - once) / (own * (1 + rate * corpus)))
        return np.minimum(short, long)
