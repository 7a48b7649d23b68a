"""`plot losses`: every point is what `plan` says of that budget, whatever machine nobody named."""

import csv
import io
import json
from functools import cache

import pytest

from distillplan.hardware.machine import machine
from distillplan.laws.law_catalog import law
from distillplan.models.architecture import FixedAspect
from distillplan.planning.planner import plan
from distillplan.planning.scenario import Scenario
from distillplan.planning.teacher import Teacher
from distillplan.questions.budget_losses import ASSUMED, BudgetUnit, budget_losses, runs_budgets
from distillplan.render.figures.house_style import asked
from tests.shell import run

EXACT = 1e-9
"""What the optimizer promises of a loss; many budgets at once may differ in the last digits."""
ASSUMED_MACHINE = machine(ASSUMED, FixedAspect())
TAUGHT = {"student_params": 1e9, "teacher": Teacher(params=7e9, tokens=2e12)}


@cache
def found_of(*, given=True):
    return budget_losses(Scenario(compute=1e21, law=law(), **TAUGHT), given=given)


def panel_of(found, unit):
    return next(one for one in found.panels if one.unit is unit)


@pytest.mark.parametrize("place", [0, 9, 15, 30])
def test_a_point_over_flops_is_the_plan_of_its_budget(place):
    point = panel_of(found_of(), BudgetUnit.FLOPS).points[place]
    answer = plan(Scenario(compute=point.budget, law=law(), **TAUGHT))
    for side, option in (("supervised", answer.supervised), ("distilled", answer.deciding)):
        loss, low, high = (getattr(point, f"{side}_{name}") for name in ("loss", "low", "high"))
        assert loss == pytest.approx(option.loss, abs=EXACT)
        assert (low, high) == pytest.approx(option.loss_band, abs=EXACT)
        assert getattr(point, f"{side}_is_guess") is option.is_guess
    assert point.verdict is answer.verdict


def test_the_star_is_the_question():
    star = panel_of(found_of(), BudgetUnit.FLOPS).here
    answer = plan(Scenario(compute=1e21, law=law(), **TAUGHT))
    assert star.budget == 1e21
    assert star.supervised_loss == pytest.approx(answer.supervised.loss, abs=EXACT)


def test_the_star_over_hours_has_the_loss_of_the_same_tokens():
    """The hours are what those tokens take, so both give training from data alone one loss."""
    stars = [panel_of(found_of(), unit).here for unit in BudgetUnit]
    assert stars[0].supervised_loss == pytest.approx(stars[1].supervised_loss, abs=1e-4)


def test_a_machine_that_nobody_named_does_not_decide_what_flops_buy():
    """600B parameters fit no 64 GPUs of 80 GB, which `budget` does not ask for."""
    question = Scenario(compute=1e25, student_params=6e11, law=law())
    found = budget_losses(question, given=True)
    assert [one.unit for one in found.panels] == [BudgetUnit.FLOPS]
    assert found.machine is None
    alone = plan(question, quick=True).supervised.loss
    assert found.panels[0].here.supervised_loss == pytest.approx(alone, abs=EXACT)


@pytest.mark.parametrize(
    "place", [2, *(pytest.param(one, marks=pytest.mark.slow) for one in (15, 28))]
)
def test_where_sizes_are_free_too_a_point_is_the_plan_of_its_budget(place):
    found = budget_losses(Scenario(compute=1e21, law=law()), given=True)
    for panel in found.panels:
        point = panel.points[place]
        over = panel.unit is BudgetUnit.FLOPS
        spends = {"compute": point.budget} if over else {"gpu_hours": point.budget}
        answer = plan(Scenario(law=law(), machine=None if over else ASSUMED_MACHINE, **spends))
        assert point.supervised_loss == pytest.approx(answer.supervised.loss, abs=1e-8)
        assert point.distilled_loss == pytest.approx(answer.deciding.loss, abs=1e-8)
        assert point.distilled_low == pytest.approx(answer.deciding.loss_band[0], abs=1e-4)
        assert point.verdict is answer.verdict


def test_without_a_budget_the_runs_of_the_law_are_inside():
    panel = panel_of(found_of(given=False), BudgetUnit.FLOPS)
    assert panel.here is None
    low, high = panel.runs
    assert panel.points[0].budget < low < high < panel.points[-1].budget
    assert (low, high) == runs_budgets(Scenario(compute=1.0, law=law(), **TAUGHT))


def test_what_is_written_is_what_is_drawn(tmp_path):
    words = ("1e21", "--student", "1B", "--teacher", "7B:2T")
    files = ("-o", "l.svg", "-o", "json", "--data", "l.csv")
    done = run("plot", "losses", *words, *files, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    points = [one for panel in json.loads(done.stdout)["panels"] for one in panel["points"]]
    rows = list(csv.DictReader(io.StringIO((tmp_path / "l.csv").read_text())))
    assert [float(one["supervised_loss"]) for one in rows] == [
        one["supervised_loss"] for one in points
    ]
    assert (tmp_path / "l.svg").read_text().startswith("<?xml")


@pytest.mark.parametrize(
    ("teacher", "title"),
    [
        (None, "A 1.0B student and the best teacher (train and run the teacher)"),
        ("7B:2T", "A 1.0B student and a 7.0B:2.0T teacher (run the teacher)"),
        ("llama-3.1-8b", "A 1.0B student and llama-3.1-8b (run the teacher)"),
        (Teacher(params=8e9, loss=2.0), "A 1.0B student and a teacher of 2.000 nats (run"),
    ],
)
def test_a_picture_names_the_teacher_as_it_was_given(teacher, title):
    assert asked(Scenario(compute=1e21, student_params=1e9, teacher=teacher)).startswith(title)
