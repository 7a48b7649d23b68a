"""The least that a family costs when each of its students is to reach a loss of its own."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from distillplan.laws.formulas import DistillationLaw, FloatArray, SupervisedLaw
from distillplan.laws.repetition import log_worth
from distillplan.optimize.family_problems import FamilyOptima, FamilyProblems
from distillplan.optimize.minimize import FINEST, column, minimize
from distillplan.optimize.optimizer import CURVE_POINTS, LOSS_POINTS, cheapest_pair
from distillplan.optimize.problems import Problems
from distillplan.optimize.teacher_plane import TeacherPlane

HALVINGS = 52
"""To the tokens that bring a student to a loss."""


def cheapest_supervised(
    law: SupervisedLaw, problems: FamilyProblems, targets: FloatArray
) -> tuple[float, FamilyOptima]:
    """The least cost of a family from data alone, infinite where it cannot reach the losses.

    Args:
        law: of the students.
        problems: one family; its budget is not looked at.
        targets: losses, nats per token, shape (members,).
    """
    n = problems.members.log_params
    d = _fewest(problems, targets, lambda d: law.loss_at_logs(n, _worth(problems, d)), ())
    cost = float(_cost(problems, d, 0.0, 0.0))
    return cost, _optima(problems, cost, targets, d)


def cheapest_distilled(
    law: DistillationLaw, problems: FamilyProblems, targets: FloatArray
) -> tuple[float, FamilyOptima]:
    """The same for a family with one teacher, given or the cheapest for it.

    Args:
        law: of the students.
        problems: one family; its budget is not looked at.
        targets: losses, nats per token, shape (members,).
    """
    n, plane = problems.members.log_params, None
    points: list[int] = []
    if problems.teacher is None:
        plane = TeacherPlane(law.supervised, problems.bounds, problems.unique_tokens)
        points = [LOSS_POINTS] + [CURVE_POINTS] * problems.pays

    def at(*unit: Any) -> tuple[Any, FloatArray, Any, Any, Any]:
        """Cost, log tokens, log loss and log sizes of the teacher at unit coordinates."""
        t = e = math.nan
        if plane is None:
            given = problems.teacher
            if given is None:
                raise ValueError("there is a teacher or a plane of them")
            x, forward, once = np.log(given.loss), given.forward_cost, given.training_cost
            x, forward, once = (
                np.asarray(one, float).reshape(1, 1, 1, 1) for one in (x, forward, once)
            )
        else:
            w = plane.log_excess(unit[0])
            x, forward, once = np.log(plane.law.E + np.exp(w)), 0.0, 0.0
            if len(unit) > 1:
                with np.errstate(invalid="ignore", divide="ignore"):
                    t, e = plane.on_curve(w, unit[1])
                forward = problems.costs.teacher_forward(t)
                once = problems.costs.teacher_training(t) * np.exp(e)
        x = np.asarray(x)
        d = _fewest(
            problems,
            targets,
            lambda d: law.loss_at_logs(n, _worth(problems, d), x[..., None]),
            x.shape,
        )
        paid = np.asarray(problems.training) * once
        return _cost(problems, d, forward, paid), d, x, t, e

    def log_cost(_: Any, *unit: Any) -> FloatArray:
        with np.errstate(divide="ignore", invalid="ignore"):
            found = np.log(at(*unit)[0])
        return np.where(np.isnan(found), np.inf, found)

    unit = minimize(log_cost, 1, points, finest=FINEST) if points else []
    cost, d, x, t, e = at(*(column(one) for one in unit))
    total = float(np.asarray(cost).ravel()[0])
    found = _optima(problems, total, targets, d)._replace(teacher_loss=np.exp(x).ravel()[:1])
    if plane is None:
        return total, found
    if not problems.pays:
        one = np.ones(1)
        unpaid = Problems(budget=one, logits=0.0 * one, training=0.0 * one, costs=problems.costs)
        t, e = cheapest_pair(plane, unpaid, np.log(np.exp(x.ravel()[:1]) - law.supervised.E), one)
    bounds = problems.bounds
    return total, found._replace(
        teacher_params=np.clip(np.exp(np.asarray(t)).ravel()[:1], *bounds.teacher_params),
        teacher_tokens=np.clip(np.exp(np.asarray(e)).ravel()[:1], *bounds.teacher_tokens),
    )


def _fewest(
    problems: FamilyProblems,
    targets: FloatArray,
    loss: Callable[[FloatArray], Any],
    shape: tuple[int, ...],
) -> FloatArray:
    """Log of the fewest tokens to the losses, infinite where none do; shape (*shape, members)."""
    ends = np.log(problems.bounds.student_tokens)
    low, high = (np.full((*shape, targets.size), end) for end in ends)
    with np.errstate(over="ignore"):
        never, already = loss(high) > targets, loss(low) <= targets
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            short = loss(middle) > targets
            low, high = np.where(short, middle, low), np.where(short, high, middle)
    found: FloatArray = np.where(never, np.inf, np.where(already, ends[0], high))
    return found


def _cost(problems: FamilyProblems, d: FloatArray, forward: Any, once: Any) -> Any:
    """What students on so many tokens take, with their teacher."""
    members, tokens = problems.members, np.exp(d)
    with np.errstate(invalid="ignore"):  # tokens without end, of a teacher that costs nothing
        own = (members.counts * members.training * tokens).sum(axis=-1)
        read = problems.logits * (members.counts * tokens).sum(axis=-1)
        longest = np.minimum(tokens.max(axis=-1), problems.most_passed)
        read = read + np.asarray(problems.cache) * longest
        logits = np.where(read > 0, forward * read, 0.0)
    return own + logits + once + members.served


def _worth(problems: FamilyProblems, d: FloatArray) -> Any:
    return log_worth(d, problems.unique_tokens)


def _optima(
    problems: FamilyProblems, cost: float, targets: FloatArray, d: FloatArray
) -> FamilyOptima:
    members = problems.members
    mean = float((members.counts * members.weights * targets).sum())
    return FamilyOptima(
        loss=np.array([mean if math.isfinite(cost) else math.inf]),
        member_loss=targets[None, :],
        tokens=np.exp(d).reshape(1, -1),
    )
