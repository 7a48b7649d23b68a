"""The best teacher for students of several sizes, and the split of a budget among all of them.

The teacher is searched for as in `optimizer`, over its loss and its place among the teachers of
that loss; at each, `splits` shares the rest of the budget. Where the teacher runs once and all
students read what it wrote, its passes are paid for the longest of their trainings alone; how long
that may be is then one more coordinate, and caps the tokens of each.
"""

import math
from operator import itemgetter
from typing import Any

import numpy as np

from distillplan.laws.formulas import DistillationLaw, FloatArray, SupervisedLaw
from distillplan.laws.repetition import log_worth
from distillplan.optimize.family_problems import (
    FamilyOptima,
    FamilyProblems,
    Splits,
    Taught,
    shared,
)
from distillplan.optimize.minimize import FINEST, column, minimize, minimize_near
from distillplan.optimize.optimizer import CURVE_POINTS, LOSS_POINTS, cheapest_pair
from distillplan.optimize.problems import Problems
from distillplan.optimize.splits import is_convex
from distillplan.optimize.teacher_plane import TeacherPlane

CACHE_POINTS = 5
"""Points of the first grid along the longest of the trainings."""
AT_CAP = 1e-9
"""Relative distance within which a member has the most tokens that it may."""
TEACHERS_LOOKED_AT = 17
"""Losses of a teacher at which a law is looked at for being convex."""


def supervised_family(
    law: SupervisedLaw, problems: FamilyProblems, start: FloatArray | None = None
) -> FamilyOptima:
    """Least weighted loss of training every member from data alone.

    Args:
        law: its coefficients are numbers, or arrays of shape (problems, 1).
        problems: the budgets; their teachers are not looked at.
        start: log tokens to begin at, of shape (members,) or (problems, members).
    """
    n = problems.members.log_params

    def losses(d: FloatArray, rows: Any) -> FloatArray:
        some = _laid(law, itemgetter(rows)) if np.ndim(law.alpha) else law
        return np.asarray(some.loss_at_logs(n, log_worth(d, problems.unique_tokens)))

    nobody = np.zeros(problems.budget.size)
    point = Taught(x=nobody, forward=nobody, once=nobody)
    found = shared(problems, losses, point, problems.budget, start=start)
    tokens = np.clip(np.exp(found.d), *problems.bounds.student_tokens)  # rounding may pass a bound
    return FamilyOptima(loss=found.value, member_loss=found.losses, tokens=tokens)


def distilled_family(
    law: DistillationLaw,
    problems: FamilyProblems,
    near: FamilyOptima | None = None,
    finest: float = FINEST,
) -> FamilyOptima:
    """Least weighted loss of distilling every member from one teacher.

    Args:
        law: its coefficients are numbers, or arrays of shape (problems,).
        problems: the budgets.
        near: the answer, shape (1,), to a law that differs little, near which to look; None looks
            everywhere.
        finest: half-width of the last grid, as in `minimize`.
    """
    if problems.most_passed == math.inf or not problems.stored:
        return _Search(law, problems).best(near, finest)
    each, whole = problems.passing_each(), problems.passing_all()
    if near is not None:  # in its valley
        all_of_it = len(near.unit) <= 2 * (problems.teacher is None)
        return _Search(law, whole if all_of_it else each).best(near, finest)
    two = (_Search(law, one).best(None, finest) for one in (each, whole))
    return FamilyOptima.or_better(*two)


class _Search:
    """Searches over the teacher and the longest training."""

    def __init__(self, law: DistillationLaw, problems: FamilyProblems) -> None:
        self.problems, self.law = problems, law
        self.size, self.drawn = problems.budget.size, np.ndim(law.alpha) > 0
        alone = _laid(law.supervised, column) if self.drawn else law.supervised
        self.plane = TeacherPlane(alone, problems.bounds, problems.unique_tokens)
        self.convex = self.drawn or self._convex()
        self.start: FloatArray | None = None

    def best(self, near: FamilyOptima | None, finest: float) -> FamilyOptima:
        """See `distilled_family`."""
        chosen = self.problems.teacher is None
        points = [LOSS_POINTS] * chosen + [CURVE_POINTS] * (chosen and self.problems.pays)
        points += [CACHE_POINTS] * self.problems.stored
        rows = np.arange(self.size)
        if near is not None:
            self.start = np.log(near.tokens[0])
        unit: list[FloatArray] = []
        if points and near is not None and (not chosen or self.problems.pays):
            unit = minimize_near(lambda _, *at: self._at(*at).value, self._units_near(near))
        elif points:
            unit = minimize(lambda _, *at: self._at(*at).value, self.size, points, finest=finest)
        found = self._optima([column(one) for one in unit])
        at_most = np.log(self.problems.bounds.student_tokens[1]) - AT_CAP
        kink = chosen and self.problems.pays and near is None
        if kink and np.any(np.log(found.tokens[rows]) >= at_most):
            found = self._or_better(found, finest)
        return found._replace(unit=tuple(unit))

    def _units_near(self, near: FamilyOptima) -> list[FloatArray]:
        """Coordinates of the known answer under each law."""
        unit: list[FloatArray] = []
        if self.problems.teacher is None:
            if near.teacher_params is None or near.teacher_tokens is None:
                raise ValueError("the optima have no teachers")
            sizes = np.log(near.teacher_params), np.log(near.teacher_tokens)
            unit = [self._each(one) for one in self.plane.unit(*map(column, sizes))]
        return unit + [self._each(one) for one in near.unit[len(unit) :]]

    def _at(self, *unit: Any) -> Splits:
        """Splits at unit coordinates, which broadcast to (problems, ., ., .)."""
        laid = list(unit)
        teacher = self._teacher(laid[: len(laid) - self.problems.stored])
        if self.problems.stored:
            teacher = teacher._replace(longest=laid[-1])
        shape = np.broadcast_shapes((self.size, 1, 1, 1), *(np.shape(one) for one in laid))
        flat = {
            name: None if one is None else np.broadcast_to(one, shape).ravel()
            for name, one in teacher._asdict().items()
        }
        each = Taught(**flat)
        times = math.prod(shape[1:])
        found = self._split(each, times)
        return Splits(
            value=found.value.reshape(shape),
            losses=found.losses.reshape(*shape, -1),
            d=found.d.reshape(*shape, -1),
        )

    def _teacher(self, unit: list[Any]) -> Taught:
        problems, costs = self.problems, self.problems.costs
        given = problems.teacher
        if given is not None:
            return Taught(
                x=_column(np.log(given.loss)),
                forward=_column(given.forward_cost),
                once=_column(
                    np.asarray(problems.training) * given.training_cost
                    + np.asarray(problems.passed) * given.forward_cost
                ),
            )
        w = self.plane.log_excess(unit[0])
        x = np.log(self.plane.law.E + np.exp(w))
        if len(unit) == 1:
            return Taught(x=x, forward=0.0, once=0.0)
        with np.errstate(invalid="ignore", divide="ignore"):
            t, e = self.plane.on_curve(w, unit[1])
        paid = _column(problems.training) * costs.teacher_training(t) * np.exp(e)
        forward = costs.teacher_forward(t)
        return Taught(x=x, forward=forward, once=paid + _column(problems.passed) * forward)

    def _split(self, point: Taught, times: int) -> Splits:
        """Splits at points, of which each problem has so many."""
        problems, n, x = self.problems, self.problems.members.log_params, point.x[:, None]
        law = self.law
        if self.drawn:
            law = _laid(law, lambda one: np.repeat(one, times)[:, None])

        def losses(d: FloatArray, rows: Any) -> FloatArray:
            worth = log_worth(d, problems.unique_tokens)
            some = _laid(law, itemgetter(rows)) if self.drawn else law
            return np.asarray(some.loss_at_logs(n, worth, x[rows]))

        budget = np.repeat(problems.budget, times)
        with np.errstate(invalid="ignore", over="ignore"):
            return shared(
                problems,
                losses,
                point,
                budget,
                start=self.start,
                convex=self.convex,
                times=times,
            )

    def _optima(self, unit: list[Any]) -> FamilyOptima:
        """The answer at coordinates."""
        problems = self.problems
        found = self._at(*unit)
        value, losses, d = (one.reshape(self.size, -1) for one in found)
        teacher = self._teacher(unit[: len(unit) - problems.stored])
        x = self._each(teacher.x)
        tokens = np.clip(np.exp(d), *problems.bounds.student_tokens)
        best = FamilyOptima(
            loss=value[:, 0], member_loss=losses, tokens=tokens, teacher_loss=np.exp(x)
        )
        if problems.teacher is not None:
            return best
        with np.errstate(invalid="ignore", divide="ignore"):
            if self.drawn:  # their sizes are for bands
                w = self.plane.log_excess(unit[0])
                t, e = self.plane.on_curve(w, unit[1] if len(unit) > 1 else 0.5)
                pair = self._each(t), self._each(e)
            else:
                pair = self._cheapest(x, tokens)
        ends = problems.bounds.teacher_params, problems.bounds.teacher_tokens
        t, e = (np.clip(np.exp(one), *end) for one, end in zip(pair, ends, strict=True))
        return best._replace(teacher_params=t, teacher_tokens=e)

    def _cheapest(self, x: FloatArray, tokens: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Logs of the sizes of the cheapest teachers of a log loss; shape (problems,)."""
        problems = self.problems
        one = np.ones(self.size)
        passes = problems.logits * (problems.members.counts * tokens).sum(axis=1)
        passes = passes + np.asarray(problems.cache) * tokens.max(axis=1) + problems.passed
        paid = Problems(
            budget=problems.budget,
            logits=one if problems.pays else 0.0 * one,
            training=problems.training * one,
            costs=problems.costs,
        )
        w = np.log(np.exp(x) - self.law.supervised.E)
        return cheapest_pair(self.plane, paid, w, np.nan_to_num(passes, nan=1.0))

    def _or_better(self, found: FamilyOptima, finest: float) -> FamilyOptima:
        """The same, or teachers on which all is spent that members with the most tokens leave."""
        problems, members = self.problems, self.problems.members
        most = problems.bounds.student_tokens[1]
        (n_low, n_high), (d_low, d_high) = (
            np.log(ends)
            for ends in (problems.bounds.teacher_params, problems.bounds.teacher_tokens)
        )
        reads = (problems.logits * members.counts.sum() + _column(problems.cache)) * most
        reads = reads + _column(problems.passed)
        alone = column(problems.budget) - members.served
        alone = alone - (members.counts * members.training).sum() * most
        n = members.log_params
        d = np.full(n.shape, log_worth(math.log(most), problems.unique_tokens))

        def sizes(u: Any, s: Any) -> tuple[Any, Any]:
            t = n_low + u * (n_high - n_low)
            with np.errstate(invalid="ignore", divide="ignore"):
                rest = alone - reads * problems.costs.teacher_forward(t)
                each = _column(problems.training) * problems.costs.teacher_training(t)
                top = np.where(rest >= 0, np.minimum(np.log(rest / each), d_high), np.nan)
                return t, d_low + s * (np.where(top >= d_low, top, np.nan) - d_low)

        def each(u: Any, s: Any) -> Any:
            t, e = sizes(u, s)
            worth = log_worth(e, problems.unique_tokens)
            x = np.log(self.plane.law.loss_at_logs(t, worth))
            return self.law.loss_at_logs(n, d, np.asarray(x)[..., None])

        def value(_: Any, u: Any, s: Any) -> FloatArray:
            total = (members.counts * members.weights * each(u, s)).sum(axis=-1)
            return np.where(np.isnan(total), np.inf, total)

        unit = minimize(value, self.size, [LOSS_POINTS, CURVE_POINTS], finest=finest)
        at = [column(one) for one in unit]
        loss = self._each(value(None, *at))
        t, e = (self._each(one) for one in sizes(*at))
        worth = log_worth(e, problems.unique_tokens)
        other = FamilyOptima(
            loss=loss,
            member_loss=each(*at).reshape(self.size, -1),
            tokens=np.full((self.size, n.size), most),
            teacher_loss=np.asarray(self.law.supervised.loss_at_logs(t, worth)),
            teacher_params=np.exp(t),
            teacher_tokens=np.exp(e),
        )
        return other if loss[0] < found.loss[0] else found

    def _each(self, value: Any) -> FloatArray:
        """One value per problem of what broadcasts to (problems, 1, 1, 1)."""
        return np.array(np.broadcast_to(value, (self.size, 1, 1, 1)).reshape(self.size))

    def _convex(self) -> bool:
        """Whether each member's loss is convex in its tokens, whoever teaches."""
        problems, n = self.problems, self.problems.members.log_params
        if problems.teacher is None:
            u = np.linspace(0.0, 1.0, TEACHERS_LOOKED_AT)
            x = np.log(self.plane.law.E + np.exp(self.plane.log_excess(u)))
        else:
            x = np.log(np.atleast_1d(problems.teacher.loss))
        low, high = np.log(problems.bounds.student_tokens)

        def losses(d: FloatArray, _: Any) -> FloatArray:
            worth = log_worth(d, problems.unique_tokens)
            return np.asarray(self.law.loss_at_logs(n, worth, x[:, None]))

        return is_convex(losses, low, high, (x.size, n.size))


def _laid(law: Any, change: Any) -> Any:
    """A law with every coefficient changed."""
    return type(law)(
        *(_laid(one, change) if isinstance(one, SupervisedLaw) else change(one) for one in law)
    )


def _column(value: Any) -> Any:
    """A number, or an array of shape (problems,) as a column."""
    return column(np.asarray(value)) if np.ndim(value) else value
