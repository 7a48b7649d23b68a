"""The sizes a teacher may have, in coordinates that straighten the valley of equal teachers."""

import math
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from distillplan.laws.formulas import SupervisedLaw
from distillplan.laws.repetition import log_tokens, log_worth
from distillplan.named_tuples import NamedTuple
from distillplan.optimize.minimize import column
from distillplan.optimize.problems import Bounds, Problems


class TeacherPoint(NamedTuple):
    """A teacher at some coordinates, and what each problem pays for it; arrays that broadcast."""

    x: Any
    """log L_T."""
    per_token: Any = 0.0
    """Paid per student token that it passes over."""
    once: Any = 0.0
    """Paid once."""
    t: Any = math.nan
    """log N_T; not-a-number where it does not matter."""
    e: Any = math.nan
    """log D_T."""


TeacherChoice: TypeAlias = Callable[..., TeacherPoint]
"""From problems and unit coordinates to a point."""


class TeacherPlane:
    """All teachers within bounds, as (loss, position along the curve of that loss)."""

    def __init__(self, law: SupervisedLaw, bounds: Bounds, unique_tokens: float = math.inf) -> None:
        """Compute once what every point needs.

        Args:
            law: of the teachers.
            bounds: of their sizes.
            unique_tokens: of their corpus; repeats are worth less.
        """
        self.law, self.unique_tokens = law, unique_tokens
        self._params = n_low, n_high = _logs(bounds.teacher_params)
        self._tokens = _logs(bounds.teacher_tokens)
        low, high = (float(log_worth(end, unique_tokens)) for end in self._tokens)
        self._worths = low, high
        self._best = np.log(law.loss_at_logs(n_high, high) - law.E)
        self._worst = np.log(law.loss_at_logs(n_low, low) - law.E)

    def log_excess(self, u: Any) -> Any:
        """log(L_T - E) for u in [0, 1], from the best teacher within bounds to the worst."""
        return self._best + u * (self._worst - self._best)

    def on_curve(self, w: Any, s: Any) -> tuple[Any, Any]:
        """Log N_T, log D_T with log(L_T - E) = w; s in [0, 1] runs from most to fewest tokens."""
        (n_low, n_high), (d_low, d_high) = self._params, self._worths
        least = np.maximum(n_low, self.law.log_params_for_excess(w, d_high))
        most = np.fmin(n_high, self.law.log_params_for_excess(w, d_low))  # nan: no size is too big
        least = np.minimum(least, most)  # they may pass by a rounding error at either end
        t = least + s * (most - least)
        worth = self.law.log_tokens_for_excess(w, t)
        worth = np.minimum(np.maximum(worth, d_low), d_high)  # half the time of np.clip
        return t, np.minimum(log_tokens(worth, self.unique_tokens), self._tokens[1])

    def unit(self, t: Any, e: Any) -> tuple[Any, Any]:
        """The coordinates (of its loss, along the curve) of a teacher's log N_T and log D_T."""
        (n_low, n_high), (d_low, d_high) = self._params, self._worths
        worth = log_worth(e, self.unique_tokens)
        w = np.log(self.law.loss_at_logs(t, worth) - self.law.E)
        with np.errstate(invalid="ignore", divide="ignore"):
            least = np.maximum(n_low, self.law.log_params_for_excess(w, d_high))
            most = np.fmin(n_high, self.law.log_params_for_excess(w, d_low))
            s = np.nan_to_num((t - least) / (most - least))
        return (w - self._best) / (self._worst - self._best), np.clip(s, 0.0, 1.0)

    def free(self, _: Problems, u: Any) -> TeacherPoint:
        """The teacher at a coordinate of its loss, where nobody pays for it."""
        return TeacherPoint(x=np.log(self.law.E + np.exp(self.log_excess(u))))

    def paid(self, problems: Problems, u: Any, s: Any) -> TeacherPoint:
        """The teacher at (its loss, its place on the curve)."""
        w = self.log_excess(u)
        t, e = self.on_curve(w, s)
        forward, training = problems.costs.teacher(t)
        return TeacherPoint(
            x=np.log(self.law.E + np.exp(w)),
            per_token=column(problems.logits) * forward,
            once=column(problems.training) * training * np.exp(e) + _passed(problems) * forward,
            t=t,
            e=e,
        )

    def spending(self, tokens: Callable[[Problems], Any]) -> TeacherChoice:
        """Teachers at (their parameters, share of the tokens that the rest of the budget can buy).

        Args:
            tokens: of a student that is given or the largest, a number or a `column`.
        """
        (n_low, n_high), (d_low, d_high) = self._params, self._tokens

        def teacher(problems: Problems, u: Any, s: Any) -> TeacherPoint:
            given, bounds, costs = problems.student_params, problems.bounds, problems.costs
            read = tokens(problems)
            n = math.log(bounds.student_params[1]) if given is None else column(np.log(given))
            trained = costs.student_training(n) * read
            served = problems.served_tokens * costs.student_forward(n)
            t = n_low + u * (n_high - n_low)
            forward, training = costs.teacher(t)
            for_logits = problems.passed_of(read) * forward
            rest = problems.less_storage(read) - trained - served - for_logits
            most = np.log(rest / (column(problems.training) * training))
            most = np.where(rest >= 0, np.minimum(most, d_high), np.nan)
            e = d_low + s * (np.where(most >= d_low, most, np.nan) - d_low)
            worth = log_worth(e, self.unique_tokens)
            return TeacherPoint(x=np.log(self.law.loss_at_logs(t, worth)), t=t, e=e)

        return teacher


def given(problems: Problems) -> TeacherPoint:
    """The given teacher's log loss, and what each problem pays for it, as columns."""
    if problems.teacher is None:
        raise ValueError("the problems have no teacher")
    forward = column(problems.teacher.forward_cost)
    return TeacherPoint(
        x=column(np.log(problems.teacher.loss)),
        per_token=column(problems.logits) * forward,
        once=column(problems.training * problems.teacher.training_cost)
        + _passed(problems) * forward,
    )


def _passed(problems: Problems) -> Any:
    """Passes that are paid whatever a student reads."""
    return 0.0 if problems.passed is None else column(problems.passed)


def _logs(bounds: tuple[float, float]) -> tuple[float, float]:
    return math.log(bounds[0]), math.log(bounds[1])
