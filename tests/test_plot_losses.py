"""`plot losses`: every point is what `plan` says of that budget, whatever machine nobody named."""

import csv
import io
import json
from functools import cache

import pytest

from distillplan.laws.law_catalog import law
from distillplan.planning.planner import plan
from distillplan.planning.scenario import Scenario
from distillplan.planning.teacher import Teacher
from distillplan.questions.budget_losses import BudgetUnit, budget_losses, runs_budgets
from tests.shell import run

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
    assert point.supervised_loss == answer.supervised.loss
    assert (point.supervised_low, point.supervised_high) == answer.supervised.loss_band
    assert point.distilled_loss == answer.deciding.loss
    assert (point.distilled_low, point.distilled_high) == answer.deciding.loss_band
    assert point.verdict is answer.verdict


def test_the_star_is_the_question():
    star = panel_of(found_of(), BudgetUnit.FLOPS).here
    answer = plan(Scenario(compute=1e21, law=law(), **TAUGHT))
    assert (star.budget, star.supervised_loss) == (1e21, answer.supervised.loss)


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
    assert found.panels[0].here.supervised_loss == plan(question, quick=True).supervised.loss


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
