"""The optimizer: closed forms, brute force, bounds."""

import math
from dataclasses import replace

import numpy as np
import pytest

from distillplan.laws.formulas import SupervisedLaw
from distillplan.laws.law_catalog import law
from distillplan.models.architecture import FixedAspect
from distillplan.models.costs import CostCurve, FlopCosts, TabulatedCosts
from distillplan.optimize.minimize import MANY, along, minimize
from distillplan.optimize.optimizer import (
    optima_over_teacher_loss,
    optima_over_teachers,
    optima_with_teacher,
    supervised_optima,
)
from distillplan.optimize.problems import Bounds, GivenTeacher, Problems, Storage
from tests import independent

LAW = law("busbridge2025").distillation
WIDE = Bounds(student_params=(1e7, 1e13))
PROBLEMS = independent.random_problems(60, seed=20250212)


def problems(budget, logits=0.0, training=0.0, student_params=None, **settings):
    budget, logits, training = (
        np.array(one)
        for one in np.broadcast_arrays(*map(np.atleast_1d, (budget, logits, training)))
    )
    if student_params is not None:
        student_params = np.broadcast_to(float(student_params), budget.shape)
    return Problems(
        budget=budget.astype(float),
        logits=logits.astype(float),
        training=training.astype(float),
        student_params=student_params,
        **settings,
    )


class SixND(FixedAspect):
    """F(N) = 2 N, for which the closed form is exact."""

    def forward_flops_at_log(self, n):
        return 2 * np.exp(n)


@pytest.mark.parametrize("compute", [1e18, 1e21, 1e24])
@pytest.mark.parametrize("gamma", [1.0, 0.452])
def test_supervised_optimum_is_the_closed_form(compute, gamma):
    """Hoffmann et al. 2022, Equation 4: N* = G (C / 6)^a; the outer exponent does not move it."""
    form = SupervisedLaw(E=1.8172, A=482.01, B=2085.43, alpha=0.3478, beta=0.3658, gamma=gamma)
    N, D = form.compute_optimal(compute)
    found = supervised_optima(form, problems(compute, costs=FlopCosts(SixND())))
    assert found.loss[0] == pytest.approx(form.loss(N, D), abs=1e-9)
    assert found.student_params[0] == pytest.approx(N, rel=1e-4)
    assert found.student_tokens[0] == pytest.approx(D, rel=1e-4)


def test_given_students_spend_all_on_tokens():
    found = supervised_optima(LAW.supervised, problems(1e21, student_params=1e9))
    D = 1e21 / (3 * independent.forward_flops(1e9))
    assert found.student_tokens[0] == pytest.approx(D, rel=1e-12)
    assert found.loss[0] == pytest.approx(independent.supervised_loss(1e9, D), rel=1e-12)


def both_searches(problem, *, given):
    """Our optimum, and the other search's; `given`: whether the student has one size."""
    bounds = Bounds(
        student_params=(1e6, 1e17) if given else problem.student_params,
        student_tokens=problem.student_tokens,
        teacher_params=problem.teacher_params,
        teacher_tokens=problem.teacher_tokens,
    )
    student = problem.student_params if given else None
    ours = problems(problem.budget, problem.logits, problem.training, student, bounds=bounds)
    other = independent.search(problem, points=60 if given else 32, starts=3)
    return optima_over_teachers(LAW, ours), other


@pytest.mark.parametrize(
    "problem",
    [
        *PROBLEMS[:30],
        *(pytest.param(one, marks=pytest.mark.slow) for one in PROBLEMS[30:]),
    ],
    ids=range(len(PROBLEMS)),
)
def test_never_beaten_by_a_dense_grid_and_nelder_mead(problem):
    """60 random problems over all accountings, families, free students and tight bounds."""
    given = not isinstance(problem.student_params, tuple)
    ours, (best, sizes) = both_searches(problem, given=given)
    # at a corner between bounds the loss is linear in our last step of 1e-9
    assert ours.loss[0] <= best + 1e-11
    # the other search may stop early in a bent valley; it is never better, and our sizes give
    # our loss in its own formula
    N_T, D_T, N_S = ours.teacher_params[0], ours.teacher_tokens[0], ours.student_params[0]
    there = problem.loss(N_T, D_T, *(() if given else (N_S,)))
    assert float(there) == pytest.approx(ours.loss[0], abs=1e-9)
    slack = ours.student_tokens[0] > 0.999 * problem.student_tokens[1]  # then many teachers do
    if problem.training and best - ours.loss[0] < 1e-13 and not slack:
        # a curved minimum of depth 1e-13 is known to about its square root
        assert ours.teacher_params[0] == pytest.approx(sizes[0], rel=1e-3)


STORES = [
    *independent.random_stores(60, seed=20261101),
    *(
        replace(one, money=math.inf, kept=0.0)
        for one in independent.random_stores(24, seed=20261128)
    ),
    # two valleys, to read less than the corpus or often, of nearly one depth
    *(
        independent.Problem(
            budget=budget,
            logits=1.0,
            training=1.0,
            student_params=(1e7, 1e13),
            teacher_params=(1e6, 1e13),
            teacher_tokens=(1e6, 1e14),
            money=budget,
            kept=kept,
            unique=unique,
        )
        for budget, kept, unique in (
            (5.198224968663591e23, 7705077748464.257, 53264257090.608376),
            (4.433635926103792e19, 53435847363.11712, 676836839.8618731),
        )
    ),
]


@pytest.mark.parametrize(
    "problem",
    [
        *STORES[:15],
        *(pytest.param(one, marks=pytest.mark.slow) for one in STORES[15:60]),
        *STORES[60:72],
        *(pytest.param(one, marks=pytest.mark.slow) for one in STORES[72:84]),
        *STORES[84:],
    ],
    ids=range(len(STORES)),
)
def test_storage_is_never_beaten_by_a_dense_grid_and_nelder_mead(problem):
    """Money that ends before the hours, with them or after them, or none, and corpora read often.

    The teacher passes over a corpus once.
    """
    given, one = not isinstance(problem.student_params, tuple), np.ones(1)
    asked = problems(
        problem.budget,
        problem.logits,
        problem.training,
        problem.student_params if given else None,
        bounds=Bounds(
            student_params=(1e6, 1e17) if given else problem.student_params,
            student_tokens=problem.student_tokens,
            teacher_params=problem.teacher_params,
            teacher_tokens=problem.teacher_tokens,
        ),
        unique_tokens=problem.unique,
        most_passed=problem.unique,
        storage=Storage(money=problem.money * one, per_token=problem.kept * one)
        if problem.kept
        else None,
    )
    ours = optima_over_teachers(LAW, asked)
    best, _ = independent.search(problem, points=60 if given else 32, starts=3)
    assert ours.loss[0] <= best + 1e-11
    sizes = [ours.teacher_params[0], ours.teacher_tokens[0], ours.student_params[0]]
    assert float(problem.loss(*sizes[: 2 if given else 3])) == pytest.approx(ours.loss[0], abs=1e-9)
    spent = ours.student_tokens[0], problem.tokens(*sizes)
    assert spent[0] == pytest.approx(spent[1], rel=1e-9)


@pytest.mark.parametrize("student_params", [1e9, None])
@pytest.mark.parametrize("unique", [math.inf, 3e10])
def test_storage_is_together_as_apart(student_params, unique):
    """By Newton and by grids, at and off the tokens that spend the hours and the money alike."""
    budgets = np.geomspace(1e19, 1e24, 2 * MANY)
    read = np.sqrt(budgets / 120)
    spread = np.random.default_rng(1).uniform(size=(2, 2 * MANY))
    kept = Storage(
        money=budgets * (1 + spread[0]),
        per_token=budgets / read * 10 ** (2 * spread[1] - 1.5),
    )
    settings = {"storage": kept, "unique_tokens": unique, "most_passed": unique, "bounds": WIDE}
    asked = problems(budgets, 1.0, 1.0, student_params, **settings)
    together = optima_over_teachers(LAW, asked)
    for row in range(0, budgets.size, 9):
        alone = optima_over_teachers(LAW, asked.rows(slice(row, row + 1)))
        assert together.loss[row] == pytest.approx(alone.loss[0], abs=1e-12)


@pytest.mark.slow
def test_the_other_search_agrees_on_nearly_all():
    """So that `never beaten` above is no empty boast: both end at the same loss, to 1e-9."""
    same = 0
    for problem in PROBLEMS[:30]:
        given = not isinstance(problem.student_params, tuple)
        ours, (best, _) = both_searches(problem, given=given)
        same += abs(best - ours.loss[0]) < 1e-9
    assert same >= 28


@pytest.mark.parametrize("student_params", [1e9, None])
@pytest.mark.parametrize(("logits", "training"), [(0.0, 0.0), (1.0, 0.0), (0.0, 0.25), (1.0, 1.0)])
@pytest.mark.parametrize("settings", [{}, {"bounds": Bounds(teacher_tokens=(1e6, 1e11))}])
def test_together_is_as_apart(student_params, logits, training, settings):
    """Many problems end by Newton, one by ever smaller grids: the same least loss of both."""
    budgets = np.geomspace(1e18, 1e25, 2 * MANY)
    together = optima_over_teachers(
        LAW, problems(budgets, logits, training, student_params, **settings)
    )
    for row in range(0, budgets.size, 9):
        alone = optima_over_teachers(
            LAW, problems(budgets[row], logits, training, student_params, **settings)
        )
        assert together.loss[row] == pytest.approx(alone.loss[0], abs=1e-12)
        # the loss is flat at its minimum: 5e-6 of a size change it by about 1e-12
        for name in ("student_params", "student_tokens", "teacher_loss"):
            ours, theirs = getattr(together, name)[row], getattr(alone, name)[0]
            assert ours == pytest.approx(theirs, rel=5e-6)


def test_a_planted_bound_is_reached():
    """Teacher inference overtrains its teacher to the bound (Appendix D.4)."""
    bounds = Bounds(teacher_tokens=(1e6, 3e13))
    found = optima_over_teachers(LAW, problems(1e21, 1.0, 0.0, 1e9, bounds=bounds))
    assert found.teacher_tokens[0] == pytest.approx(3e13, rel=1e-9)


def test_tokens_at_their_bound_leave_the_rest_to_the_student():
    bounds = Bounds(student_tokens=(1e6, 1e10))
    found = supervised_optima(LAW.supervised, problems(1e22, bounds=bounds))
    assert found.student_tokens[0] == pytest.approx(1e10, rel=1e-9)
    spent = 3 * independent.forward_flops(found.student_params[0]) * 1e10
    assert spent == pytest.approx(1e22, rel=1e-9)


def test_a_budget_too_small_is_infeasible():
    found = optima_over_teachers(LAW, problems([1e14, 1e21], 1.0, 1.0, 1e9))
    assert math.isinf(found.loss[0])
    assert math.isfinite(found.loss[1])


def test_the_least_budget_buys_the_fewest_tokens():
    least = 3 * independent.forward_flops(1e9) * 1e6
    found = supervised_optima(LAW.supervised, problems(least, student_params=1e9))
    assert found.student_tokens[0] == pytest.approx(1e6, rel=1e-9)


def test_a_given_teacher_is_the_law_at_its_point():
    F_T = independent.forward_flops(7e9)
    found = optima_with_teacher(
        LAW, problems(1e21, 1.0, 0.0, 1e9), GivenTeacher(loss=1.95, forward_cost=F_T)
    )
    D = 1e21 / (3 * independent.forward_flops(1e9) + F_T)
    assert found.loss[0] == pytest.approx(independent.distilled_loss(1e9, D, 1.95), rel=1e-12)


def test_the_best_teacher_loss_has_no_slope():
    teacher = GivenTeacher(loss=2.0, forward_cost=0.0)
    found = optima_over_teacher_loss(LAW, problems(1e21, student_params=1e9), teacher)
    _, _, by_x = LAW.gradient(1e9, float(found.student_tokens[0]), float(found.teacher_loss[0]))
    # the slope changes by about 1 nat per e-fold, and the place is known to 1e-6
    assert by_x == pytest.approx(0.0, abs=1e-5)


def test_spread_ends_where_the_loss_is_that_much_higher():
    """The least and largest student within 0.005 nats, against a bisection of the closed curve."""
    found = supervised_optima(LAW.supervised, problems(1e21), within=np.array([0.005]))
    low, high = found.spread.student_params[0]

    def excess(N):
        D = 1e21 / (3 * independent.forward_flops(N))
        return independent.supervised_loss(N, D) - found.loss[0]

    for end in (low, high):
        assert excess(end) <= 0.005 + 1e-12
    # known to one cell of the last grid: 1/60 of a width of ln 2.3
    assert excess(low * 0.97) > 0.005
    assert excess(high * 1.03) > 0.005


@pytest.mark.parametrize("center", [(0.0, 1.0), (0.3, 0.7), (0.512, 0.5)])
@pytest.mark.parametrize("many", [1, MANY])
def test_minimize_finds_a_tilted_valley(center, many):
    """A quadratic with correlation 0.8 between its axes, minimum known by construction."""

    def valley(_, u, v):
        x, y = u - center[0], v - center[1]
        return x * x + 1.6 * x * y + y * y

    u, v = minimize(valley, many, [9, 9])
    assert valley(None, u, v)[0] == pytest.approx(0.0, abs=1e-15)
    assert (u[0], v[0]) == pytest.approx(center, abs=1e-7)


def test_minimize_does_not_wander_on_a_plain():
    (u,) = minimize(lambda _, u: np.zeros_like(u), 3, [5])
    assert np.all(u == 0)


@pytest.mark.parametrize("slope", [1.0, 40.0])
@pytest.mark.parametrize("edge", [0.3, 0.31234, 0.9999])
@pytest.mark.parametrize("many", [1, MANY])
def test_minimize_finds_kinks_and_edges(slope, edge, many):
    """Newton's parabolas mislead there; the minimum is known by construction."""
    (u,) = minimize(lambda _, u: np.where(u < edge, slope * (edge - u), u - edge), many, [33])
    assert u == pytest.approx(np.full(many, edge), abs=2e-9)
    (u,) = minimize(lambda _, u: np.where(u <= edge, -slope * u, np.inf), many, [33])
    assert u == pytest.approx(np.full(many, edge), abs=2e-9)


def test_minimize_leaves_a_place_where_nothing_is_allowed():
    (u,) = minimize(lambda _, u: np.full_like(u, np.inf), 2, [5])
    assert np.all(u == 0)


def test_along_lays_values_on_their_axis():
    assert along(1, np.zeros((2, 5))).shape == (2, 1, 5, 1)


def tabulated(exact, log_sizes):
    return TabulatedCosts(
        *(
            CostCurve(log_sizes, lambda size, cost=cost: cost(math.log(size)))
            for cost in (exact.student_training, exact.teacher_forward, exact.teacher_training)
        )
    )


def test_tabulated_costs_are_their_table():
    """Against FLOPs: the same at the sizes (but for 1e-12 a step), near between, growing."""
    exact = FlopCosts(FixedAspect())
    n = np.log(np.geomspace(1e7, 1e12, 60))
    table = tabulated(exact, n)
    between = (n[1:] + n[:-1]) / 2
    for name in ("student_training", "teacher_forward", "teacher_training"):
        assert getattr(table, name)(n) == pytest.approx(getattr(exact, name)(n), rel=1e-10)
        assert getattr(table, name)(between) == pytest.approx(
            getattr(exact, name)(between), rel=1e-3
        )
    assert table.student_training(n[-1] + 1) > table.student_training(n[-1])
    assert table.student_training(n[0] - 1) < table.student_training(n[0])
    assert table.log_student_for(table.student_training(between)) == pytest.approx(between)
    assert table.log_student_for(0.0) == -math.inf


def test_tabulated_costs_plan_like_exact_ones():
    exact = FlopCosts(FixedAspect())
    n = np.log(np.geomspace(1e5, 1e18, 800))
    table = tabulated(exact, n)
    one = optima_over_teachers(LAW, problems(1e21, 1.0, 1.0, costs=exact))
    other = optima_over_teachers(LAW, problems(1e21, 1.0, 1.0, costs=table))
    assert other.loss[0] == pytest.approx(one.loss[0], abs=1e-5)
    assert other.student_params[0] == pytest.approx(one.student_params[0], rel=0.02)
