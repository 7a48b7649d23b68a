"""Budgets that a cap on tokens, or a limit of time and money, leaves a part of.

What is right follows from the question: a student on capped tokens takes what training on them
takes, however large the budget; and what would turn a verdict turns it where one asks for that.
"""

from dataclasses import replace

import pytest

from distillplan.accounting import TRAINING_PASSES
from distillplan.errors import InputError
from distillplan.planning.planner import plan, plan_if_any
from distillplan.planning.scenario import Limits
from distillplan.questions.budget_losses import budget_losses
from distillplan.questions.comparison_records import NamedPlan
from distillplan.questions.crossover import crossovers
from distillplan.questions.report_data import reported
from distillplan.units.quantities import SECONDS_PER_HOUR
from tests.plans import options_of, quick_plan, scenario_from_options
from tests.shell import answer, codes, run

CAP = 100e9
"""Tokens."""
CAPPED = {"student": 1e9, "max_student_tokens": CAP}
ON = {"gpu": "h100-sxm", "gpus": 64, "price": 2.0}


@pytest.mark.parametrize("teacher", [{}, {"teacher": "7B:2T"}], ids=str)
def test_capped_tokens_take_the_same_hours_of_any_budget(teacher):
    """A budget in hours that outlasts the tokens buys them exactly, at a speed that is a range."""
    in_flops = quick_plan(scenario_from_options(compute=1e23, **CAPPED, **ON, **teacher))
    in_hours = quick_plan(scenario_from_options(gpu_hours=1e6, **CAPPED, **ON, **teacher))
    for one, other in zip(in_flops.options, in_hours.options, strict=True):
        if one.accounting is not None and not teacher:
            continue  # whose teachers are chosen for FLOPs, and for hours
        assert other.student_tokens == CAP
        assert other.bill.gpu_hours.mid == pytest.approx(one.bill.gpu_hours.mid, rel=1e-9)
        assert other.bill.gpu_hours.low == pytest.approx(one.bill.gpu_hours.low, rel=1e-9)
        assert other.bill.student_tokens.low == other.bill.student_tokens.high == CAP


def test_capped_tokens_have_no_band():
    found = plan(scenario_from_options(gpu_hours=1e6, **CAPPED, **ON, teacher="7B:2T"))
    for one in (found.supervised, found.deciding):
        low, high = one.student_tokens_band
        assert low == pytest.approx(CAP)
        assert high == pytest.approx(CAP)
        assert one.bill.gpu_hours.low < one.bill.gpu_hours.mid < one.bill.gpu_hours.high


def test_a_budget_that_barely_outlasts_the_cap_may_not_reach_it_when_slow():
    free = quick_plan(scenario_from_options(gpu_hours=1e6, **CAPPED, **ON)).supervised.bill
    hours = 1.05 * free.gpu_hours.mid
    found = quick_plan(scenario_from_options(gpu_hours=hours, **CAPPED, **ON)).supervised
    slow = CAP * hours / free.gpu_hours.high
    assert found.bill.student_tokens.low == pytest.approx(slow)
    assert found.bill.student_tokens.high == found.student_tokens == CAP


def test_what_is_spent_and_why_is_said():
    """3 passes of 100B tokens; the shape says the FLOPs of a pass."""
    words = ("budget", "1e23", "--student", "1B", "--max-student-tokens", "100B", "--quick")
    scenario = scenario_from_options(compute=1e23, **CAPPED)
    spent = TRAINING_PASSES * CAP * scenario.student_forward(1e9)
    assert options_of(scenario)[None].total_flops == pytest.approx(spent)
    said = " ".join(run(*words, "--teacher", "7B:2T").stdout.split())
    taught = spent + CAP * scenario.teacher_forward(7e9)
    amounts = f"{spent:.2e} and {taught:.2e} of 1.00e23 FLOPs".replace("e+", "e")
    assert "upper bound of the search: student tokens of pretrain and distill" in said
    assert f"spent: {amounts}" in said
    hours = ("budget", "64 h100-sxm for 30 days", *words[2:])
    said = " ".join(run(*hours, "--teacher", "7B:2T").stdout.split())
    assert " of 46.1k GPU-hours of 64 h100-sxm, about $" in said
    whole = " ".join(run(*words[:4], "--quick").stdout.split())
    assert "1.00e23 FLOPs; loss" in whole  # nothing is left
    assert "spent" not in whole


def test_a_way_that_alone_reaches_a_loss_is_warned_of_once():
    found = answer(
        *("target", "--loss", 2.22, "--student", "1B", "--set", "max_student_tokens=100B")
    )
    told = [one["message"] for one in found["warnings"] if one["code"] == "at_upper_bound"]
    assert [one.count("student tokens") for one in told] == [1]


LIMITED = (
    {"compute": 6.2e23, "gpus": 8, "student": 1e9, "logits": "stored", "deadline": "1020 hours"},
    {"compute": 1.2e21, "gpus": 8, "teacher": "7B:2T", "accounting": "train", "deadline": "1970 h"},
    {"gpu_hours": 56180, "gpus": 8, "student": 1e9, "logits": "stored", "deadline": "1330 hours"},
    {"gpu_hours": 5000, "gpus": 64, "student": 1e9, "logits": "stored", "deadline": "1330 hours"},
    {"compute": 3.5e21, "gpus": 8, "deadline": "149 hours", "max_unique_tokens": 157e9},
    {
        "compute": 1.554e23,
        "gpus": 64,
        "student": 3e8,
        "teacher": "3B:300B",
        "logits": "stored",
        "max_student_tokens": 40.27e9,
        "deadline": "2230 hours",
    },
)
"""Questions of which a limit was ignored where a plan said what would turn its verdict."""


@pytest.mark.parametrize("words", LIMITED, ids=str)
def test_what_turns_a_verdict_turns_it_where_it_is_asked_for(words):
    found = quick_plan(scenario_from_options(**{**ON, **words}))
    asked, flips = found.scenario, found.flips
    for flip in (flips.budget_down, flips.budget_up):
        if flip is None:
            continue
        key = "compute" if "compute" in words else "gpu_hours"
        there = plan_if_any(scenario_from_options(**{**ON, **words, key: flip.at}))
        assert there.verdict is flip.verdict
    if flips.students is not None:
        assert plan_if_any(replace(asked, students=flips.students.students)).verdict is (
            flips.students.verdict
        )
    if flips.logits is not None:
        there = plan_if_any(asked.reading(flips.logits.logits))
        assert there.verdict is flips.logits.verdict


@pytest.mark.parametrize("hours", [1e3, 56180.0])
def test_no_hours_beyond_the_deadline_are_looked_at(hours):
    """1330 hours of 8 GPUs are 10,640 GPU-hours, whatever the budget."""
    words = {**ON, "gpus": 8, "student": 1e9, "gpu_hours": hours, "deadline": "1330 hours"}
    found = quick_plan(scenario_from_options(**words))
    assert found.flips.budgets.to == pytest.approx(1330 * 8)
    alone = quick_plan(replace(found.scenario, gpu_hours=1330.0 * 8, limits=Limits(hours=1330.0)))
    assert alone.supervised.bill.wall_seconds.mid == pytest.approx(1330 * SECONDS_PER_HOUR)


def test_crossovers_are_of_no_limits():
    words = {**ON, "compute": 1e22, "student": 1e9, "deadline": "500 hours"}
    with pytest.raises(InputError, match="limits: budgets are in FLOPs here"):
        crossovers(scenario_from_options(**words), ["1B"], quick=True)


@pytest.mark.parametrize("unit", ["compute", "gpu_hours"])
def test_maps_and_curves_of_a_report_are_plans_within_the_limits(unit):
    """Each budget and size asked again with the limit; hours end where it does."""
    words = {**ON, "gpus": 8, "student": 1e9, "teacher": "7B:2T", "deadline": "1330 hours"}
    words[unit] = {"compute": 1e22, "gpu_hours": 5000}[unit]
    found = quick_plan(scenario_from_options(**words))
    shown = reported(NamedPlan(name="", plan=found))
    per_unit = 1.0 if unit == "compute" else SECONDS_PER_HOUR
    if unit == "gpu_hours":
        assert max(shown.map.budgets) <= 1330 * 8 * SECONDS_PER_HOUR
    for column in range(0, len(shown.map.budgets), 5):
        budget = shown.map.budgets[column]
        asked = {**words, unit: budget / per_unit}
        there = quick_plan(scenario_from_options(**asked))
        assert shown.curves.alone[column] == pytest.approx(there.supervised.loss, rel=1e-9)
        for row in (3, 9):  # which all fit the GPUs
            sized = scenario_from_options(**{**asked, "student": shown.map.sizes[row]})
            verdict = plan_if_any(sized).verdict
            assert shown.map.rows[row][column].verdict is verdict


@pytest.mark.parametrize("budget", [1e23, 1e28])
def test_a_question_is_in_the_middle_of_its_picture(budget):
    """Also where it leaves most of its budget, as no student reads more."""
    given = scenario_from_options(compute=budget, student=1e9)
    found = budget_losses(given, given=True)
    for panel in found.panels:
        middle = panel.points[len(panel.points) // 2]
        assert panel.here.budget == pytest.approx(middle.budget, rel=1e-3)
        assert panel.here.supervised_loss == pytest.approx(middle.supervised_loss, abs=1e-4)


def test_pictures_say_that_they_keep_to_no_limits():
    words = ("1e21", "--student", "1B", "--gpu", "h100-sxm")
    for more, says in (((), False), (("--deadline", "30h"), True)):
        found = answer("plot", "losses", *words, *more)
        assert ("limits_left_out" in codes(found)) is says
        said = run("budget", *words, *more, "--plot", "--quick").stdout
        assert ("without limits of time and money" in " ".join(said.split())) is says
    money = answer("plot", "losses", "$20k", *words[1:])
    assert "limits_left_out" not in codes(money)  # the money is the budget
