"""The best sizes under a budget, exact and global, for many problems at once.

A problem is one student's budget in FLOPs and its share of the teacher's costs. The free sizes are
the student's tokens, the teacher's parameters and tokens, and the student's parameters when they
are not given. Three remarks make the search small and safe:

* The loss falls with the student's tokens everywhere, so they take what the rest leaves of the
  budget. Where they stand at their bound, or where time and money end at once, the student's
  parameters take it, or, where those are given, the teacher's tokens.
* The teacher's sizes enter the law only through its loss. Searching over (its loss, where along
  the curve of that loss) instead of (its parameters, its tokens) turns the curved valley of equal
  teachers into one along an axis, and leaves a single minimum.
* At the best point the pair of teacher sizes is the cheapest one with that loss.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from distillplan.laws.formulas import DistillationLaw, FloatArray, SupervisedLaw
from distillplan.optimize.minimize import FINEST, column, minimize
from distillplan.optimize.problems import GivenTeacher, Optima, Problems, Spread
from distillplan.optimize.search import Axes, Found, Search, per_problem
from distillplan.optimize.teacher_plane import TeacherPlane, TeacherPoint, given

LOSS_POINTS = 33
CURVE_POINTS = 9
"""Points of the first grid per axis; the tests against brute force say that they are enough."""


def supervised_optima(
    law: SupervisedLaw,
    problems: Problems,
    *,
    within: FloatArray | None = None,
    finest: float | None = None,
) -> Optima:
    """Least loss of supervised training: all of the budget on tokens, over N where it is not given.

    Args:
        law: the supervised law.
        problems: the budgets; their shares of a teacher are not looked at.
        within: also say how far the free sizes of the first problems may move at these prices in
            nats, shape (asked,).
        finest: half-width of the last grid, as in `minimize`; the loss is off by about 20 times
            its square.
    """
    search = _search(law, problems, lambda n, d, _: law.loss_at_logs(n, d), finest)
    nobody = Axes(lambda _: TeacherPoint(x=0.0), [])
    found = search.best(nobody)
    spread = _spread(search, nobody, found, within)
    return _optima(problems, found, None, spread)._replace(teacher_loss=None)


def optima_with_teacher(
    law: DistillationLaw,
    problems: Problems,
    teacher: GivenTeacher,
    *,
    within: FloatArray | None = None,
    finest: float | None = None,
) -> Optima:
    """Least loss of distilling from a given teacher, over N_S where it is not given.

    Args:
        law: the distillation law.
        problems: the budgets.
        teacher: floats, or arrays of shape (problems,).
        within: also say how far the free sizes of the first problems may move at these prices in
            nats, shape (asked,).
        finest: as in `supervised_optima`.
    """
    search = _search(law, problems.taught_by(teacher), law.loss_at_logs, finest)
    axes = Axes(given, [])
    found = search.best(axes)
    return _optima(problems, found, None, _spread(search, axes, found, within))


def optima_over_teacher_loss(
    law: DistillationLaw, problems: Problems, teacher: GivenTeacher
) -> Optima:
    """Least loss over how good the teacher is, its costs as given and its loss not looked at.

    Somebody else trained it, so the student's corpus does not bound how good it is.
    """
    plane = TeacherPlane(law.supervised, problems.bounds)
    axes = Axes(lambda at, u: given(at)._replace(x=plane.free(at, u).x), [LOSS_POINTS])
    found = _search(law, problems.taught_by(teacher), law.loss_at_logs).best(axes)
    return _optima(problems, found)


def optima_over_teachers(
    law: DistillationLaw,
    problems: Problems,
    *,
    within: FloatArray | None = None,
    finest: float | None = None,
    pairs: bool = True,
) -> Optima:
    """Least loss of distillation over the teacher's parameters and tokens as well.

    Where the best teacher costs nothing, its sizes are those of the cheapest training.

    Args:
        law: the distillation law.
        problems: the budgets.
        within: also say how far the free sizes of the first problems may move at these prices in
            nats, shape (asked,).
        finest: half-width of the last grid, as in `minimize`; the loss is off by about 20 times
            its square.
        pairs: also say which teacher has the best loss.
    """
    search = _search(law, problems, law.loss_at_logs, finest)
    plane = TeacherPlane(law.supervised, problems.bounds, problems.unique_tokens)
    axes, found = _over_teachers(search, plane)
    spread = _spread(search, axes, found, within)
    if not pairs:
        return _optima(problems, found, None, spread)
    w = np.log(np.exp(found.x) - per_problem(law.supervised.E, found.x))
    pair = cheapest_pair(plane, problems, w, np.exp(found.d), finest)
    return _optima(problems, found, pair, spread)


def optima_near(law: DistillationLaw, problems: Problems, start: Optima) -> Optima:
    """`optima_over_teachers` for laws that differ little from one whose optima are known.

    Args:
        law: coefficients shaped like a `column` of the problems.
        problems: the budgets.
        start: the known optima, with their teachers' sizes. The students' tokens may not stand near
            their bound, where the valley has an oblique kink.

    The loss is exact to about 1e-6 nats, the sizes to about 1%.
    """
    plane = TeacherPlane(law.supervised, problems.bounds, problems.unique_tokens)
    if start.teacher_params is None or start.teacher_tokens is None:
        raise ValueError("the optima have no teachers")
    sizes = np.log(start.teacher_params), np.log(start.teacher_tokens)
    unit = [per_problem(one, problems.budget) for one in plane.unit(*map(column, sizes))]
    points = [LOSS_POINTS, CURVE_POINTS]
    if problems.student_params is None:
        low, high = np.log(problems.bounds.student_params)
        unit.append((np.log(start.student_params) - low) / (high - low))
    found = Search(problems, law.loss_at_logs).best_near(Axes(plane.paid, points), unit)
    with np.errstate(invalid="ignore", divide="ignore"):
        w = np.log(np.exp(found.x) - per_problem(law.supervised.E, found.x))
        t, e = (per_problem(one, w) for one in plane.on_curve(column(w), column(found.unit[1])))
    return _optima(problems, found, (t, e))


def _search(
    law: SupervisedLaw | DistillationLaw,
    problems: Problems,
    loss: Callable[[Any, Any, Any], Any],
    finest: float | None = None,
) -> Search:
    """A search of problems that share one law, or have one of drawn coefficients each."""
    drawn = bool(np.ndim(law.alpha))
    return Search(problems, loss, finest=_finest(law, finest), law_of_each=drawn)


def _finest(law: SupervisedLaw | DistillationLaw, finest: float | None = None) -> float | None:
    """By grids alone where every problem has a law of its own: Newton leaves problems out."""
    return FINEST if finest is None and np.ndim(law.alpha) else finest


def _over_teachers(search: Search, plane: TeacherPlane) -> tuple[Axes, Found]:
    """The axes of the teacher, and the best points."""
    problems = search.problems
    if not (np.any(problems.logits > 0) or np.any(problems.training > 0)):
        axes = Axes(plane.free, [LOSS_POINTS])
        return axes, search.best(axes)
    points = [LOSS_POINTS, CURVE_POINTS]
    axes = Axes(plane.paid, points, bent=1, curved=True)
    found = search.with_tokens_standing(
        search.best(axes), lambda stand: Axes(plane.spending(stand), points)
    )
    return axes, found


def _spread(search: Search, axes: Axes, found: Found, within: FloatArray | None) -> Spread | None:
    return None if within is None else search.spread(axes, found, within)


def _optima(
    problems: Problems,
    found: Found,
    teacher: tuple[FloatArray, FloatArray] | None = None,
    spread: Spread | None = None,
) -> Optima:
    """The answers, with the logarithms of the sizes of a chosen teacher."""
    bounds, given = problems.bounds, problems.student_params
    t, e = (None, None) if teacher is None else teacher
    return Optima(
        loss=found.loss,
        student_params=_size(found.n, bounds.student_params) if given is None else given,
        student_tokens=_size(found.d, bounds.student_tokens),
        teacher_loss=np.exp(found.x),
        teacher_params=None if t is None else _size(t, bounds.teacher_params),
        teacher_tokens=None if e is None else _size(e, bounds.teacher_tokens),
        spread=spread,
    )


def _size(log: FloatArray, bounds: tuple[float, float]) -> FloatArray:
    """From a logarithm, which may pass a bound by a rounding error."""
    return np.clip(np.exp(log), *bounds)


def cheapest_pair(
    plane: TeacherPlane,
    problems: Problems,
    w: FloatArray,
    student_tokens: FloatArray,
    finest: float | None = None,
) -> tuple[FloatArray, FloatArray]:
    """Log N_T and log D_T of the cheapest teachers of some losses, in what the student pays.

    Args:
        plane: all teachers.
        problems: what each student pays of them.
        w: log of the teachers' losses above the law's floor, shape (problems,).
        student_tokens: that each reads, shape (problems,).
        finest: as in `minimize`.
    """
    costs = problems.costs
    passed = problems.passed_of(column(student_tokens)).reshape(student_tokens.shape)
    unpaid = (problems.logits == 0) & (problems.training == 0)
    training = np.where(unpaid, 1.0, problems.training)

    def log_cost(rows: Any, s: Any) -> FloatArray:
        t, e = plane.on_curve(column(w[rows]), s)
        forward, trained = costs.teacher(t)
        once = column(training[rows]) * trained * np.exp(e)
        cost: FloatArray = np.log(column(passed[rows]) * forward + once)
        return cost

    with np.errstate(invalid="ignore", divide="ignore"):
        (s,) = minimize(log_cost, w.size, [LOSS_POINTS], bent=0, finest=_finest(plane.law, finest))
        t, e = plane.on_curve(column(w), column(s))
    return per_problem(t, w), per_problem(e, w)
