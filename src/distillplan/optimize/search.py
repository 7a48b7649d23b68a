"""Searching over a student beside a teacher: who takes what the rest leaves of the budget."""

import math
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np

from distillplan.laws.formulas import FloatArray
from distillplan.named_tuples import NamedTuple
from distillplan.optimize.minimize import AXES, INNER, along, column, minimize, minimize_near
from distillplan.optimize.problems import Problems, Spread
from distillplan.optimize.teacher_plane import TeacherChoice, TeacherPoint

STUDENT_POINTS = 25
"""Points of the first grid along the student's parameters."""
SPREAD_POINTS = {0: 1, 1: 65, 2: 17, 3: 13}
"""Points per axis, by the number of axes, when looking for the sizes that are nearly as good."""
SPREAD_PASSES = 4
"""Each pass looks closer; the ends are known to one cell of the last, about 7% of the width."""

Student: TypeAlias = Callable[[Problems, Any, TeacherPoint], tuple[Any, Any]]
"""Unit coordinate and teacher -> log N_S and D_S, minus infinity where not affordable. The one that
takes the rest of the budget is an array, and the loss falls with it."""
Stand: TypeAlias = Callable[[Problems], Any]
"""Tokens that a student may stand at while another size takes the rest: a number or a `column`."""


def at_most(problems: Problems) -> float:
    """The most tokens that a student may have."""
    return problems.bounds.student_tokens[1]


def at_both(problems: Problems) -> Any:
    """Those that spend all hours and all money, where storage makes them two budgets."""
    return problems.tokens_of_both()


class Axes(NamedTuple):
    """Unit coordinates of a teacher, and the points of the first grid along each."""

    teacher: TeacherChoice
    points: list[int]
    bent: int | None = None
    """Which of them is bent; see `minimize`."""
    curved: bool = False
    """Whether the second is a place on the curve of one loss, so that only the price depends on it:
    the best place leaves the most for the student."""


class Found(NamedTuple):
    """The best points of a search; arrays of shape (problems,)."""

    loss: FloatArray
    x: FloatArray
    """log L_T."""
    n: FloatArray
    """log N_S."""
    d: FloatArray
    """log D_S."""
    unit: Sequence[FloatArray] = ()
    """Coordinates in the search by `Search.best`."""

    def or_elsewhere(self, other: "Found") -> "Found":
        """The better of two that were searched for along the same axes, problem by problem."""
        better = other.loss < self.loss
        unit = [
            np.where(better, there, here) for here, there in zip(self.unit, other.unit, strict=True)
        ]
        return self.or_better(other)._replace(unit=unit)

    def or_better(self, other: "Found", rows: Any = slice(None)) -> "Found":
        """The better of two, problem by problem; the other may be of some problems only."""
        better = other.loss < self.loss[rows]
        found: dict[str, Any] = {}
        for name in ("loss", "x", "n", "d"):
            found[name] = values = getattr(self, name).copy()
            values[rows] = np.where(better, getattr(other, name), values[rows])
        return self._replace(**found)


class Search(NamedTuple):
    """Problems and the loss they share, at log N_S, log D_S and log L_T.

    A law of drawn coefficients is searched by grids alone: Newton leaves problems out.
    """

    problems: Problems
    loss: Callable[[Any, Any, Any], Any]
    finest: float | None = None
    """As in `minimize`."""
    law_of_each: bool = False
    """Whether every problem has a law of its own, so that they are solved all or none."""

    def best(self, axes: Axes) -> Found:
        """The best points over the teacher's coordinates and the free sizes of the student."""
        if not self.problems.rereads:
            return self._in_one_valley(axes)
        # the teacher does not pass over a corpus again, which makes a second one: look in each
        each = self._replace(problems=self.problems.passing_each())
        whole = self._replace(problems=self.problems.passing_all())
        return each.best(axes).or_elsewhere(whole.best(axes))

    def _in_one_valley(self, axes: Axes) -> Found:
        """The same where tokens cost as much however many there are."""
        found = self.minimum(axes, self._tokens_take_the_rest(), self._student_axes)
        if self._student_axes:
            # where the tokens stand the valley has an oblique kink; go along it
            for stand in self._stands:
                found = self._or_at(stand, found, axes, self._params_take_the_rest(stand))
        return found

    def best_near(self, axes: Axes, start: Sequence[FloatArray]) -> Found:
        """The best points near coordinates of the teacher and, where it is free, the student.

        One array of shape (problems,) for each coordinate.
        """
        student = self._tokens_take_the_rest()
        unit = minimize_near(lambda _, *at: self._at(axes, student, at, self.problems)[0], start)
        return self._found(axes, student, unit)

    def with_tokens_standing(self, found: Found, axes: Callable[[Stand], Axes]) -> Found:
        """The same, or better: points whose tokens stand, over the teacher alone.

        Args:
            found: the best points.
            axes: teachers that leave enough for so many tokens.
        """
        most = math.log(self.problems.bounds.student_params[1])
        for stand in self._stands:

            def student(problems: Problems, *_: Any, stand: Stand = stand) -> tuple[Any, Any]:
                given = problems.student_params
                n = most if given is None else column(np.log(given))
                return n, stand(problems)

            found = self._or_at(stand, found, axes(stand), student)
        return found

    def _or_at(self, stand: Stand, found: Found, axes: Axes, student: Student) -> Found:
        """The same, or better with another student, where the tokens may belong to a stand."""
        rows = np.flatnonzero(self._near(stand, found))
        if not rows.size:
            return found
        if self.law_of_each:
            return found.or_better(self.minimum(axes, student, []))
        some = self._replace(problems=self.problems.rows(rows))
        return found.or_better(some.minimum(axes, student, []), rows)

    def spread(self, axes: Axes, found: Found, within: FloatArray) -> Spread:
        """How far sizes may move, the others chosen anew, at a price in nats, shape (asked,).

        Of the first problems only, as many as there are prices.
        """
        student, count, many = self._tokens_take_the_rest(), len(found.unit), within.size
        points, asked = SPREAD_POINTS[count], slice(many)
        steps = np.linspace(0.0, 1.0, points)
        low = [np.zeros((many, 1)) for _ in range(count)]
        high = [np.ones((many, 1)) for _ in range(count)]
        for _ in range(SPREAD_PASSES):
            unit = [
                np.hstack([bottom + steps * (top - bottom), middle[:, None]])
                for bottom, top, middle in zip(
                    low, high, (one[asked] for one in found.unit), strict=True
                )
            ]
            at = [along(*one) for one in enumerate(unit)]
            value, point, n, d = self._at(axes, student, at, self.problems.rows(asked))
            shape = (many, *[points + 1] * count, *[1] * (AXES - count))
            inside = np.array(np.broadcast_to(value <= column(found.loss[asked] + within), shape))
            last: tuple[slice | int, ...] = (slice(None), *[-1] * count)
            inside[last] = True  # the best itself, whatever the rounding
            for axis, one in enumerate(unit):
                cell = (high[axis] - low[axis]) / (points - 1)
                ends = _ends(along(axis, one), inside)
                low[axis] = np.maximum(ends[:, :1] - cell, 0.0)
                high[axis] = np.minimum(ends[:, 1:] + cell, 1.0)
        return Spread(
            student_params=np.exp(_ends(n, inside)),
            student_tokens=np.exp(_ends(d, inside)),
            teacher_loss=np.exp(_ends(point.x, inside)),
            teacher_params=np.exp(_ends(point.t, inside)),
            teacher_tokens=np.exp(_ends(point.e, inside)),
        )

    @property
    def _student_axes(self) -> list[int]:
        return [STUDENT_POINTS] if self.problems.student_params is None else []

    @property
    def _stands(self) -> tuple[Stand, ...]:
        return (at_most,) if self.problems.storage is None else (at_most, at_both)

    def _near(self, stand: Stand, found: Found) -> Any:
        """Where the tokens may belong to a stand: within a factor e of it."""
        with np.errstate(invalid="ignore", divide="ignore"):
            tokens = per_problem(np.log(stand(self.problems)), found.d)
            return np.isfinite(found.loss) & (np.abs(found.d - tokens) < 1.0)

    def minimum(self, axes: Axes, student: Student, student_axes: list[int]) -> Found:
        """The best points over the teacher's coordinates and those of one kind of student."""
        points, like = axes.points + student_axes, self.problems.budget
        some = _LastRows(self.problems)

        def objective(rows: Any, *unit: Any) -> FloatArray:
            value: FloatArray = self._at(axes, student, unit, some.at(rows))[0]
            return value

        def along_curve(rows: Any, *unit: Any) -> tuple[FloatArray, FloatArray]:
            return self._along_curve(axes, student, unit, some.at(rows))

        unit: Sequence[FloatArray] = []
        if points:
            unit = minimize(
                objective,
                like.size,
                points,
                bent=axes.bent,
                finest=self.finest,
                along_inner=along_curve if axes.curved else None,
            )
        return self._found(axes, student, unit)

    def _found(self, axes: Axes, student: Student, unit: Sequence[FloatArray]) -> Found:
        value, point, n, d = self._at(axes, student, [column(one) for one in unit], self.problems)
        found = (per_problem(one, self.problems.budget) for one in (value, point.x, n, d))
        loss, x, log_n, log_d = found
        return Found(loss=loss, x=x, n=log_n, d=log_d, unit=unit)

    def _at(
        self, axes: Axes, student: Student, unit: Any, problems: Problems
    ) -> tuple[Any, TeacherPoint, Any, Any]:
        """Loss (infinite where not affordable), teacher and student at unit coordinates."""
        split = len(axes.points)
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            point = axes.teacher(problems, *unit[:split])
            n, tokens = student(problems, unit[split] if len(unit) > split else None, point)
            d = np.log(tokens)
            value = self.loss(n, problems.log_worth(d), point.x)
            return np.where(np.isnan(value), np.inf, value), point, n, d

    def _along_curve(
        self, axes: Axes, student: Student, unit: Any, problems: Problems
    ) -> tuple[FloatArray, FloatArray]:
        """Losses at the best places on the curves of equal teachers, and what each place leaves."""
        split = len(axes.points)
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            point = axes.teacher(problems, *unit[:split])
            n, tokens = student(problems, unit[split] if len(unit) > split else None, point)
            tokens_left = _varies(tokens)
            left = tokens if tokens_left else n
            most = left.max(axis=INNER + 1, keepdims=True)
            n, tokens = (n, most) if tokens_left else (most, tokens)
            value = self.loss(n, problems.log_worth(np.log(tokens)), point.x)
            return np.where(np.isnan(value), np.inf, value), left

    def _tokens_take_the_rest(self) -> Student:
        bounds = self.problems.bounds
        low, high = (math.log(bound) for bound in bounds.student_params)
        fewest, most = bounds.student_tokens

        def student(problems: Problems, u: Any, teacher: TeacherPoint) -> tuple[Any, Any]:
            given, once = problems.student_params, teacher.once
            n = low + u * (high - low) if given is None else column(np.log(given))
            per_token = problems.costs.student_training(n)
            if problems.served_tokens:
                once = once + problems.served_tokens * problems.costs.student_forward(n)
            D = np.minimum(problems.tokens(once, per_token, teacher.per_token), most)
            # the last bits of a budget that just pays for the fewest tokens may be missing
            return n, np.where(fewest * (1 - 1e-12) <= D, D, -np.inf)

        return student

    def _params_take_the_rest(self, stand: Stand) -> Student:
        bounds = self.problems.bounds
        low, high = (math.log(bound) for bound in bounds.student_params)
        served = self.problems.served_tokens / bounds.student_tokens[1]

        def student(problems: Problems, _: Any, teacher: TeacherPoint) -> tuple[Any, Any]:
            tokens = stand(problems)
            per_token = (problems.less_storage(tokens) - teacher.once) / tokens - teacher.per_token
            n = np.minimum(problems.costs.log_student_for(per_token, served), high)
            return np.where(n >= low, n, -np.inf), tokens

        return student


class _LastRows:
    """Some of the problems, kept while the same are asked for again, as grids do."""

    def __init__(self, problems: Problems) -> None:
        self._all, self._rows, self._some = problems, np.empty(0), problems

    def at(self, rows: Any) -> Problems:
        """Those of some rows."""
        if rows is not self._rows:
            self._rows, self._some = rows, self._all.rows(rows)
        return self._some


def _varies(value: Any) -> bool:
    """Whether something takes several values along the curves of equal teachers."""
    return np.ndim(value) > INNER + 1 and np.shape(value)[INNER + 1] > 1


def per_problem(value: Any, like: FloatArray) -> FloatArray:
    """One value per problem, from anything that broadcasts to a `column`; shape (problems,)."""
    found = np.empty((like.size, *[1] * AXES))
    found[...] = value
    return found.reshape(like.size)


def _ends(values: Any, inside: Any) -> FloatArray:
    """Least and largest of the values inside, problem by problem; shape (problems, 2)."""
    axes = tuple(range(1, inside.ndim))
    low = np.where(inside, values, np.inf).min(axis=axes)
    return np.stack([low, np.where(inside, values, -np.inf).max(axis=axes)], axis=1)
