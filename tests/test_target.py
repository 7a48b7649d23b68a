"""What a loss costs: the paper's examples, and the inverse of `plan`."""

import json
import math
from dataclasses import replace

import pytest
from scipy.optimize import brentq

from distillplan import Bounds, Scenario, Teacher
from distillplan.accounting import Accounting, Logits
from distillplan.errors import InfeasibleError, InputError
from distillplan.laws import law_catalog
from distillplan.optimize.problems import SizeBounds, bounds_named
from distillplan.planning.options import option_of
from distillplan.questions.target import Goal, Match, target
from tests import independent
from tests.plans import options_of, scenario_from_options
from tests.shell import run

PAPER = bounds_named(SizeBounds.PAPER)
MATCH = Match(student_params=3e9, student_tokens=60e9)


def ways(scenario, **goal):
    return {one.accounting: one for one in target(scenario, **goal).ways}


@pytest.mark.parametrize(
    ("params", "loss", "tokens", "flops", "ratios"),
    [
        (
            5e8,
            2.4,
            3.9e10,
            1.5e20,
            {"exists": (0.81, 0.62), "free": (0.59, 0.59), "train": (3.07,)},
        ),
        (
            1e10,
            2.2,
            1.9e10,
            1.2e21,
            {"exists": (0.55, 0.47), "free": (0.41, 0.41), "train": (2.09,)},
        ),
    ],
)
def test_efficiency_of_appendix_d5(params, loss, tokens, flops, ratios):
    """Busbridge et al. 2025, D.5: about 3/4 of the compute and 2/3 of the tokens for 500M at 2.4,
    about half of both for 10B at 2.2; to two digits as other code has them for Table 6 with B'
    times 100."""
    law = law_catalog.law("busbridge2025_table6")
    asked = Scenario(compute=1.0, law=law, student_params=params, bounds=PAPER)
    found = ways(asked, loss=loss)
    alone = found[None]
    assert alone.option.student_tokens == pytest.approx(tokens, rel=0.05)
    assert alone.total_flops == pytest.approx(flops, rel=0.05)
    for name, (compute, *of_tokens) in ratios.items():
        one = found[Accounting(name)]
        assert one.over_supervised == pytest.approx(compute, abs=0.01)
        for ratio in of_tokens:
            share = one.option.student_tokens / alone.option.student_tokens
            assert share == pytest.approx(ratio, abs=0.01)


@pytest.mark.parametrize("params", [1e9, None])
@pytest.mark.parametrize("teacher", [None, Teacher(params=7e9, tokens=2e12)], ids=["own", "given"])
def test_the_compute_found_gives_the_loss(busbridge, params, teacher):
    """The inverse: a plan at that budget has the loss; one percent less does not."""
    scenario = Scenario(
        compute=1e21, law=busbridge, student_params=params, teacher=teacher, students=2
    )
    for way, one in ways(scenario, loss=2.25).items():
        option = options_of(replace(scenario, compute=one.total_flops))[way]
        assert option.loss == pytest.approx(2.25, abs=1e-9)
        assert option.total_flops == pytest.approx(one.total_flops, rel=1e-9)
        less = options_of(replace(scenario, compute=0.99 * one.total_flops))[way]
        assert less.loss > 2.25


@pytest.mark.parametrize("loss", [2.15, 2.4])
def test_the_least_compute_is_the_root_that_scipy_finds(busbridge, loss):
    """Independent: Brent's method on the optimum's loss, one way at a time."""
    scenario = Scenario(compute=1e21, law=busbridge, student_params=1e9)
    for way, one in ways(scenario, loss=loss).items():

        def excess(log, way=way):
            return option_of(replace(scenario, compute=math.exp(log)), way).loss - loss

        near = math.log(one.total_flops)
        root = brentq(excess, near - 0.1, near + 0.2, xtol=1e-10)
        assert near == pytest.approx(root, abs=1e-8)


@pytest.mark.parametrize("goal", [Goal.HOURS, Goal.COST])
@pytest.mark.parametrize("teacher", [None, "7B:2T"], ids=["own", "given"])
def test_the_hours_and_dollars_found_give_the_loss(goal, teacher):
    """The inverse on a machine: a plan of those GPU-hours has the loss, one percent less not."""
    scenario = scenario_from_options(
        gpu_hours=1, gpu="h100-sxm", gpus=64, price=2.5, student="1B", teacher=teacher
    )
    for way, one in ways(scenario, loss=2.25, minimize=goal).items():
        hours = one.option.bill.gpu_hours.mid
        assert one.option.bill.cost_usd.mid == pytest.approx(2.5 * hours, rel=1e-9)
        option = options_of(replace(scenario, gpu_hours=hours))[way]
        # seconds per token come from a table in the search, and are exact in the answer
        assert option.loss == pytest.approx(2.25, abs=1e-4)
        assert option.loss == pytest.approx(one.option.loss, abs=1e-9)
        less = options_of(replace(scenario, gpu_hours=0.99 * hours))[way]
        assert less.loss > 2.25


def test_dollars_need_a_price_and_hours_a_machine(busbridge):
    with pytest.raises(InputError, match="needs a GPU"):
        target(Scenario(compute=1e21, law=busbridge), loss=2.2, minimize=Goal.HOURS)
    free = scenario_from_options(gpu_hours=1, gpu="h100-sxm", student="1B")
    unpriced = replace(free.machine, gpu=replace_prices(free.machine.gpu))
    scenario = replace(free, machine=unpriced)
    with pytest.raises(InputError, match="no price is known"):
        target(scenario, loss=2.2, minimize=Goal.COST)


def replace_prices(gpu):
    return replace(gpu, prices=())


def test_matching_a_model_is_its_loss(busbridge):
    found = target(Scenario(compute=1.0, law=busbridge, student_params=1e9), match=MATCH)
    assert found.loss == pytest.approx(independent.supervised_loss(3e9, 60e9), abs=1e-12)
    # supervised, the same model takes its own tokens
    same = target(Scenario(compute=1.0, law=busbridge, student_params=3e9), match=MATCH)
    assert same.ways[0].option.student_tokens == pytest.approx(60e9, rel=1e-6)


@pytest.mark.parametrize("compute", [1e20, 1e21])
def test_the_smallest_student_reaches_it_and_a_smaller_does_not(busbridge, compute):
    scenario = Scenario(compute=compute, law=busbridge)
    best = options_of(scenario)
    loss = best[None].loss + 0.02
    for way, one in ways(scenario, loss=loss, minimize=Goal.STUDENT).items():
        at_best = best[way].loss
        assert one.nearest_loss == pytest.approx(at_best, abs=1e-9)
        if at_best > loss:
            assert one.option is None
            continue
        for factor, reached in ((1 + 1e-6, True), (0.99, False)):
            student = factor * one.option.student_params
            found = options_of(replace(scenario, student_params=student))[way]
            assert (found.loss <= loss) is reached


def test_out_of_reach_says_how_near(busbridge):
    """A student's loss on all the tokens that the search may choose, Equation 1."""
    for bounds, most in ((Bounds(), 4e13), (PAPER, 1e17)):
        limit = independent.supervised_loss(1e9, most)
        asked = Scenario(compute=1.0, law=busbridge, student_params=1e9, bounds=bounds)
        with pytest.raises(InfeasibleError, match=f"nearest is {limit:.4f}"):
            target(asked, loss=1.9)
    with pytest.raises(InfeasibleError, match=r"no student reaches 1.5 nats with 1.00e21 FLOPs"):
        target(Scenario(compute=1e21, law=busbridge), loss=1.5, minimize=Goal.STUDENT)


def test_one_way_out_of_reach_is_no_error(busbridge):
    weak = Teacher(loss=2.6)
    found = target(
        Scenario(
            compute=1.0, law=busbridge, student_params=1e9, teacher=weak, logits=Logits.CACHED
        ),
        loss=2.3,
    )
    alone, free = found.ways
    assert alone.option is not None
    assert free.option is None
    assert free.nearest_loss > 2.3
    assert "cannot" in found.headline


@pytest.mark.parametrize(
    ("goal", "says"),
    [
        ({}, "give either"),
        ({"loss": 2.2, "match": MATCH}, "give either"),
        ({"loss": -1.0}, "not a positive number"),
        ({"loss": float("nan")}, "not a positive number"),
        ({"loss": 2.2, "minimize": Goal.STUDENT}, "leave it out"),
    ],
)
def test_goals_that_are_none(busbridge, goal, says):
    with pytest.raises(InputError, match=says):
        target(Scenario(compute=1.0, law=busbridge, student_params=1e9), **goal)


@pytest.mark.parametrize("goal", ["compute", "student"])
def test_a_way_and_its_option_agree_on_what_is_recommended(goal):
    words = ["--compute", "1e21"] if goal == "student" else ["--student", "1B"]
    at = ["target", *words, "--loss", "2.3", "--teacher", "7B:2T", "--minimize", goal]
    found = json.loads(run(*at, "-o", "json").stdout)
    assert found["minimize"] == found["minimise"] == goal
    ways = [one for one in found["ways"] if one["option"] is not None]
    assert sum(one["recommended"] for one in ways) == 1
    for one in ways:
        assert one["option"]["recommended"] == one["recommended"]
