"""A budget in FLOPs with limits of time and money: each way is planned within all three.

What is right follows from the question: a limit below a way's own bill leaves it less, by the share
that the bill is over, where its sizes are given; and a looser limit makes nothing worse.
"""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distillplan.planning.planner import plan
from distillplan.planning.results import Reason
from distillplan.planning.scenario import Limits
from distillplan.planning.verdict_records import Verdict
from distillplan.questions.family import family
from distillplan.questions.family_records import FamilyMember
from distillplan.questions.sweep import sweep
from distillplan.units.quantities import SECONDS_PER_HOUR
from tests.plans import scenario_from_options
from tests.shell import run

TEACHERS = ({}, {"teacher": "7B:2T"}, {"teacher": "7B:2T", "accounting": "train"})
STUDENTS = st.one_of(st.none(), st.floats(3e8, 7e9).map(float))
QUESTIONS = st.fixed_dictionaries(
    {
        "compute": st.floats(20.5, 22.5).map(lambda one: 10**one),
        "student": STUDENTS,
        "gpus": st.sampled_from([8, 64, 512]),
        "logits": st.sampled_from(["online", "stored"]),
    }
)
SLACK = 1 + 1e-6
"""Limits are met to rounding."""


def question(words, more):
    given = {name: value for name, value in (words | more).items() if value is not None}
    return scenario_from_options(**given, gpu="h100-sxm", price=2.0)


def bills(found):
    return [one.bill for one in found.options if one.bill is not None]


def asked(words, more):
    """The plan without limits; whoever cannot be planned at all is left out."""
    return plan(question(words, more), quick=True)


@settings(max_examples=15)
@given(QUESTIONS, st.sampled_from(TEACHERS), st.floats(0.3, 1.2), st.floats(0.3, 1.2))
def test_every_way_is_within_the_flops_and_the_limits(words, teacher, in_time, in_money):
    free = asked(words, teacher)
    limits = Limits(
        hours=in_time * free.supervised.bill.wall_seconds.mid / SECONDS_PER_HOUR,
        usd=in_money * free.supervised.bill.cost_usd.mid,
    )
    found = plan(replace(free.scenario, limits=limits), quick=True)
    for one in found.options:
        if one.bill is None or (one.decides and found.verdict_reason is Reason.ONLY_ONE_POSSIBLE):
            continue  # a teacher whose training alone is over a limit
        if teacher.get("accounting") == "train" and one.accounting is not None:
            continue
        assert one.total_flops <= found.scenario.compute * (1 + 1e-9)
        assert one.bill.wall_seconds.mid <= limits.hours * SECONDS_PER_HOUR * SLACK
        assert one.bill.cost_usd.mid <= limits.usd * SLACK


@settings(max_examples=10)
@given(QUESTIONS, st.sampled_from(TEACHERS), st.sampled_from(["hours", "usd"]))
def test_a_limit_just_below_the_bill_is_worth_as_much_less_compute(words, teacher, limit):
    """One percent less of a limit is one percent less compute, to the speed's change with sizes."""
    free = asked(words, teacher)
    bill = free.supervised.bill
    most = {"hours": bill.wall_seconds.mid / SECONDS_PER_HOUR, "usd": bill.cost_usd.mid}[limit]
    limited = replace(free.scenario, limits=Limits(**{limit: 0.99 * most}))
    less = plan(replace(free.scenario, compute=0.99 * free.scenario.compute), quick=True)
    found = plan(limited, quick=True)
    assert found.supervised.loss == pytest.approx(less.supervised.loss, abs=1e-4)
    only = Reason.ONLY_ONE_POSSIBLE  # the verdict itself may stand at an edge
    assert (found.verdict_reason is only) is (less.verdict_reason is only)
    if found.verdict is less.verdict is Verdict.SUPERVISED:
        assert found.recommended.loss == pytest.approx(less.recommended.loss, abs=1e-4)
    if words["student"] is not None:
        assert found.supervised.total_flops == pytest.approx(less.scenario.compute, rel=1e-6)


@pytest.mark.parametrize("teacher", TEACHERS, ids=str)
@pytest.mark.parametrize("student", ["1B", None])
def test_looser_limits_make_no_loss_worse(teacher, student):
    words = {"compute": 1e21, "student": student, "gpus": 64}
    free = asked(words, teacher)
    hours = free.supervised.bill.wall_seconds.mid / SECONDS_PER_HOUR
    losses = []
    for factor in np.geomspace(0.02, 3.0, 7):
        found = plan(replace(free.scenario, limits=Limits(hours=hours * factor)), quick=True)
        losses.append(found.supervised.loss)
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] == free.supervised.loss


def test_the_reported_verdicts():
    """A limit half a percent below the bill of pretraining ruled it out, for 0.045 nats more."""
    words = ("1e21", "--student", "1B", "--gpu", "h100-sxm", "--quick")
    said = run("budget", *words, "--gpus", 16, "--teacher", "7B:2T", "--max-cost", "$2290").stdout
    assert "→ pretrain" in said
    assert "9.95e20 of the 1.00e21 FLOPs" in said
    assert "as no more keeps to the cost limit" in " ".join(said.split())
    said = run("budget", *words, "--gpus", 1144, "--deadline", "1h").stdout
    assert "→ pretrain" in said
    assert "65.1 minutes" not in said


def test_a_teacher_whose_training_is_over_a_limit_is_ruled_out():
    words = {"compute": 1e23, "student": 1e9, "gpus": 64, "logits": "online"}
    more = {"teacher": "7B:2T", "accounting": "train"}
    free = asked(words, more)
    hours = 0.5 * free.deciding.bill.phases[-1].wall_seconds.mid / SECONDS_PER_HOUR
    found = plan(replace(free.scenario, limits=Limits(hours=hours)), quick=True)
    assert found.verdict_reason is Reason.ONLY_ONE_POSSIBLE
    assert "over_deadline" in found.warning_codes


def test_a_sweep_says_what_a_plan_says():
    scenario = replace(
        question({"compute": 1e21, "student": 1e9, "gpus": 64}, {}), limits=Limits(hours=5.0)
    )
    (cell,) = sweep([({}, scenario)])
    found = plan(scenario, quick=True)
    assert cell.supervised.loss == pytest.approx(found.supervised.loss, rel=1e-12)
    assert cell.verdict is found.verdict
    assert "budget_cut" in cell.warnings
    assert "budget_cut" in found.warning_codes


def test_a_family_keeps_to_limits():
    base = replace(
        question({"compute": 1e22, "gpus": 64, "student": 1e9}, {}), limits=Limits(hours=24.0)
    )
    members = [FamilyMember(replace(base, student_params=size)) for size in (1e9, 3e9)]
    found = family(replace(base, student_params=None), members, quick=True, cascade=True)
    for way in found.ways:
        assert way.bill.wall_seconds.mid <= 24 * SECONDS_PER_HOUR * SLACK
