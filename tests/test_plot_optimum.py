"""`plot optimum`: sizes are those of plans and of a second search, shares those of Equation 9."""

import csv
import io
import json
from dataclasses import replace
from functools import cache

import pytest

from distillplan.accounting import Accounting
from distillplan.errors import InfeasibleError, InputError
from distillplan.planning.planner import plan
from distillplan.questions.budget_losses import BudgetUnit, runs_budgets, with_budget
from distillplan.questions.budget_optima import BUDGETS, budget_optima
from tests.figures import in_each_others_way, saved_as_each, texts_of
from tests.independent import Problem, forward_flops, search
from tests.plans import scenario_from_options
from tests.schemas import validate

QUESTIONS = {
    "student": ({"student": "1B"}, False),
    "free": ({"compute": 1e21, "accounting": "free"}, True),
    "open": ({"compute": 1e22}, True),
    "teacher": ({"compute": 1e22, "student": "3B", "teacher": "llama-3.1-8b"}, True),
    "hours": ({"compute": "5k gpu-hours", "gpu": "h100-sxm", "student": "3B"}, True),
    "served": (
        {
            "compute": 1e24,
            "student": "3B",
            "students": 8,
            "accounting": "train_shared",
            "inference_tokens": 1e12,
        },
        True,
    ),
}


@cache
def found_of(name):
    words, given = QUESTIONS[name]
    words = {"compute": 1e21, **words}
    return budget_optima(scenario_from_options(**words), given=given)


@cache
def drawn(name):
    kind = pytest.importorskip("distillplan.render.figures.picture_files", reason="plot extra")
    return kind.figure_of(found_of(name))


@pytest.mark.parametrize("name", QUESTIONS)
@pytest.mark.parametrize("place", [4, 20, 37])
def test_a_budget_of_the_curves_is_a_plan(name, place):
    """The curves solve all budgets together; a plan solves one."""
    found = found_of(name)
    budget = found.as_paid[place].budget
    rows = [one for one in found.points if one.budget == budget]
    try:
        answer = plan(with_budget(found.scenario, found.unit, budget), quick=True)
    except InfeasibleError:
        assert all(one.loss is None for one in rows)
        return
    for one in rows:
        option = next(
            each
            for each in answer.options
            if each.accounting is one.accounting and each.teacher_name is None
        )
        assert one.loss == pytest.approx(option.loss, abs=1e-6)
        assert one.is_guess == option.is_guess
        assert one.decides == option.decides
        for size in ("student_params", "student_tokens", "teacher_params", "teacher_tokens"):
            own, its = getattr(one, size), getattr(option, size)
            if own is not None:
                assert own == pytest.approx(its, rel=2e-3)
        if option.flops is not None:
            share = option.flops.student_training / option.flops.total
            assert one.student_training_share == pytest.approx(share, abs=1e-4)


def test_the_best_teacher_is_that_of_a_second_search():
    """`tests.independent` searches with a grid and Nelder-Mead, at a budget of Figure 8's range."""
    one = found_of("student").as_paid[20]
    problem = Problem(
        budget=one.budget,
        logits=1.0,
        training=1.0,
        student_params=1e9,
        teacher_params=(1e6, 2e12),
        teacher_tokens=(1e6, 4e13),
    )
    loss, (params, tokens) = search(problem, 60, 3)
    assert one.loss == pytest.approx(loss, abs=1e-6)
    assert one.teacher_params == pytest.approx(params, rel=5e-3)
    assert one.teacher_tokens == pytest.approx(tokens, rel=5e-3)


@pytest.mark.parametrize("place", [3, 20, 38])
def test_shares_are_those_of_equation_9(place):
    """3 F(N_S) D_S, F(N_T) D_S and 3 F(N_T) D_T, which together spend the budget."""
    one = found_of("student").as_paid[place]
    student = 3 * forward_flops(1e9) * one.student_tokens
    logits = forward_flops(one.teacher_params) * one.student_tokens
    training = 3 * forward_flops(one.teacher_params) * one.teacher_tokens
    assert student + logits + training == pytest.approx(one.budget, rel=1e-6)
    shares = (one.student_training_share, one.teacher_logits_share, one.teacher_training_share)
    wanted = [part / one.budget for part in (student, logits, training)]
    assert shares == pytest.approx(wanted, rel=1e-6)
    assert one.student_serving_share == 0


@pytest.mark.parametrize("name", QUESTIONS)
def test_shares_add_up_to_the_budget(name):
    for one in found_of(name).points:
        shares = [getattr(one, field) for field in one._fields if field.endswith("_share")]
        if one.student_tokens is None:
            assert shares == [None] * 4
        else:
            assert sum(shares) == pytest.approx(1)


def test_every_accounting_is_there_without_a_teacher():
    found = found_of("student")
    assert found.ways == (None, *Accounting)
    assert len(found.points) == 5 * BUDGETS
    assert {one.accounting for one in found.as_paid} == {Accounting.TRAIN}


def test_from_a_given_teacher_only_tokens_and_shares_are_drawn():
    found = found_of("teacher")
    assert found.ways == (None, Accounting.EXISTS)
    figure = drawn("teacher")
    assert len(figure.axes) == 2
    assert any("the teacher is given" in one for one in texts_of(figure))


def test_the_teacher_of_free_logits_has_a_loss_and_no_size():
    for one in found_of("free").as_paid:
        assert one.teacher_params is None
        assert one.teacher_loss is not None


def test_the_budgets_are_around_the_question_or_those_of_the_runs():
    given, without = found_of("open"), found_of("student")
    assert given.here == given.as_paid[BUDGETS // 2].budget == 1e22
    assert (given.as_paid[0].budget, given.as_paid[-1].budget) == pytest.approx((1e20, 1e24))
    assert without.here is None
    low, high = 3 * forward_flops(1e9) * 3.6e9, 3 * forward_flops(1e9) * 5.15e11
    assert without.runs == pytest.approx((low, high), rel=1e-9)
    assert without.as_paid[0].budget < low < high < without.as_paid[-1].budget


def test_served_tokens_are_in_the_budgets_of_the_runs():
    """Each pays a forward pass, as in a plan."""
    scenario = found_of("served").scenario
    low, high = runs_budgets(scenario)
    without = runs_budgets(replace(scenario, inference_tokens=0.0))
    serving = 8 * forward_flops(3e9) * 1e12
    assert (low - serving, high - serving) == pytest.approx(without, rel=1e-6)


def test_hours_of_the_runs_are_those_that_a_plan_counts():
    """A plan for the FLOPs of the runs says how many GPU-hours they take."""
    found = found_of("hours")
    assert found.unit is BudgetUnit.GPU_HOURS
    asked = replace(found.scenario, gpu_hours=None, compute=runs_budgets(found.scenario)[1])
    hours = plan(asked, quick=True).supervised.bill.gpu_hours.mid
    assert found.runs[1] == pytest.approx(hours, rel=0.01)


@pytest.mark.parametrize("name", QUESTIONS)
def test_words_do_not_stand_on_each_other(name):
    assert not in_each_others_way(drawn(name))


def test_the_title_is_what_the_numbers_say():
    assert "the teacher takes 42% of the FLOPs" in texts_of(drawn("teacher"))[0]
    teacher = found_of("teacher").as_paid[20]
    assert teacher.teacher_logits_share == pytest.approx(0.42, abs=0.005)
    assert "the teacher has" in texts_of(drawn("student"))[0]


def test_what_cannot_be_asked():
    with pytest.raises(InputError, match="says nothing about distillation"):
        budget_optima(scenario_from_options(compute=1e21, law="kaplan2020"), given=True)
    served = scenario_from_options(compute=1e18, student="70B", inference_tokens=1e15)
    with pytest.raises(InfeasibleError, match="trains anything"):
        budget_optima(served, given=True)


@pytest.mark.slow
def test_it_is_drawn_as_each_kind_with_its_data(tmp_path):
    pytest.importorskip("matplotlib", reason="the plot extra")
    data = tmp_path / "best.csv"
    words = ("plot", "optimum", "--student", "1B", "-o", "json", "--data", data)
    done = saved_as_each(*words, folder=tmp_path)
    document = json.loads(done.stdout)
    validate(document, "optima")
    assert document["scenario"]["compute"] is None
    rows = list(csv.DictReader(io.StringIO(data.read_text(encoding="utf-8"))))
    assert len(rows) == len(document["points"])
    for row, point in zip(rows, document["points"], strict=True):
        assert row["accounting"] == (point["accounting"] or "")
        assert float(row["loss"]) == point["loss"]
