"""`plot map`: what is drawn is what plans say."""

import csv
import io
import json
import math
from dataclasses import replace
from functools import cache

import pytest

from distillplan.errors import InfeasibleError, InputError
from distillplan.planning.planner import plan
from distillplan.planning.results import Reason
from distillplan.planning.validity import OUTSIDE_FIT_CODES
from distillplan.planning.verdict_records import Verdict
from distillplan.questions.budget_losses import BudgetUnit, with_budget
from distillplan.questions.odds_map import TEACHERS, map_size, odds_map
from tests.figures import in_each_others_way, saved_as_each, texts_of
from tests.plans import scenario_from_options
from tests.schemas import validate

QUESTIONS = {
    "teacher": ({"compute": 1e22, "student": "3B", "teacher": "llama-3.1-8b"}, True),
    "train": ({"compute": 1e21}, False),
    "hours": (
        {"compute": "5k gpu-hours", "gpu": "a100-80gb", "student": "3B", "teacher": "7B:1T"},
        True,
    ),
    "small": ({"compute": 1e17, "student": "10M", "teacher": "llama-3.1-8b"}, True),
}
MAPS = list(QUESTIONS)


@cache
def mapped(name):
    words, given = QUESTIONS[name]
    return odds_map(scenario_from_options(**words), given=given)


def rows_of(path):
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))


@pytest.mark.parametrize("name", MAPS)
@pytest.mark.parametrize(
    "place", [0, 160, *(pytest.param(one, marks=pytest.mark.slow) for one in (101, 217, 314))]
)
def test_a_cell_of_the_map_is_a_plan(name, place):
    """The map solves many cells together; a plan solves one, with its odds from its own places."""
    found = mapped(name)
    cell = found.cells[min(place, len(found.cells) - 1)]
    asked = replace(found.scenario, student_params=cell.student_params)
    try:
        answer = plan(with_budget(asked, cell.unit, cell.budget))
    except InfeasibleError:
        assert cell.verdict is None
        return
    assert (cell.verdict, cell.verdict_reason) == (answer.verdict, answer.verdict_reason)
    assert set(cell.warnings) <= set(answer.warning_codes)
    if answer.odds is None:
        assert cell.odds_distill is None
    else:
        odds = (cell.odds_distill, cell.odds_tie, cell.odds_supervised)
        assert odds == pytest.approx(tuple(answer.odds), abs=1e-6)
    if answer.margin_nats is not None:
        assert cell.margin_nats == pytest.approx(answer.margin_nats, abs=1e-6)


@pytest.mark.parametrize("name", MAPS)
def test_the_outline_is_where_no_warning_says_that_a_size_is_outside(name):
    """`plan_warnings` compares each size with the range of the law's file, with a part in 1000."""
    found = mapped(name)
    teachers = {f"{one}_outside_fit" for one in TEACHERS} if found.scenario.teacher else set()
    for one in found.cells:
        outside = OUTSIDE_FIT_CODES & set(one.warnings) - teachers
        if one.room is not None and abs(one.room) > 0.002:
            assert bool(outside) == (one.room < 0)


def test_a_student_without_its_teacher_is_within_the_runs_up_to_a_known_budget():
    """The 143M to 7.75B students of the law read 3.6B to 515B tokens: at 6 N D FLOPs and a little
    for attention, a 1B student leaves that range between 2.2e19 and 3.1e21 FLOPs."""
    found = mapped("train")
    row = min(found.rows, key=lambda one: abs(math.log(one[0].student_params / 1e9)))
    inside = [one.budget for one in row if one.room is not None and one.room >= 0]
    assert 2e19 < min(inside) < max(inside) < 5e21


@pytest.mark.parametrize("name", ["teacher", "hours", "small"])
def test_the_map_is_around_the_question(name):
    found = mapped(name)
    assert found.here_budget == pytest.approx(math.sqrt(found.budgets[0] * found.budgets[-1]))
    assert found.here_budget in found.budgets
    assert found.here_student in found.sizes


def test_without_a_budget_the_map_has_the_budgets_and_sizes_of_the_runs():
    found = mapped("train")
    assert found.here_budget is None
    assert (found.sizes[0], found.sizes[-1]) == pytest.approx((1e8, 3.2e10))
    assert found.budgets[0] < 6 * 1.434e8 * 3.6e9 < 6 * 1.261e10 * 5.15e11 < found.budgets[-1]


def test_the_shade_is_the_difference_of_odds_or_that_of_the_verdict():
    for one in mapped("small").cells:
        if one.verdict is None:
            assert one.shade is None
        elif one.odds_distill is None:
            assert one.verdict_reason is Reason.DISTILLATION_OVER_BUDGET
            assert (one.verdict, one.shade) == (Verdict.SUPERVISED, -1.0)
        else:
            assert one.shade == one.odds_distill - one.odds_supervised


def test_a_map_in_hours_counts_hours():
    found = mapped("hours")
    assert found.unit is BudgetUnit.GPU_HOURS
    assert found.here_budget == pytest.approx(5e3)
    assert found.machine == "8 a100-80gb"


def test_a_map_of_hours_has_no_verdict_where_nothing_fits():
    """A 70B model with its optimizer takes 16 bytes a parameter (ZeRO, Rajbhandari et al. 2020),
    and eight times 80 GB are 640 GB."""
    found = mapped("hours")
    largest = [one for one in found.cells if one.student_params * 16 > 700e9]
    assert largest
    assert all(one.verdict is None for one in largest)


@pytest.mark.parametrize("name", MAPS)
def test_words_of_the_map_do_not_stand_on_each_other(name):
    kind = pytest.importorskip("distillplan.render.figures.picture_files", reason="plot extra")
    figure = kind.figure_of(mapped(name))
    assert not in_each_others_way(figure)


def test_the_title_says_where_distilling_wins():
    pytest.importorskip("matplotlib", reason="the plot extra")
    from distillplan.render.figures.odds_map_figure import odds_map_figure

    found = mapped("teacher")
    title = texts_of(odds_map_figure(found))[0]
    wins = [one for one in found.cells if one.verdict is Verdict.DISTILL]
    assert wins
    assert "Distilling from llama-3.1-8b (run the teacher) wins only in parts of the map" in title
    nowhere = found._replace(cells=tuple(one._replace(verdict=Verdict.TIE) for one in found.cells))
    assert "nowhere the clear choice" in texts_of(odds_map_figure(nowhere))[0]


@pytest.mark.slow
def test_students_with_fewer_layers_than_stages_get_the_layers():
    """A pipeline of 24 stages needs 24 layers; the family's 1B model has 16 (width 128 x depth)."""
    words = {"compute": 1e22, "gpu": "h100-sxm", "gpus": 48, "pp": 24, "student": "10B"}
    words |= {"teacher": "llama-3.1-70b", "logits": "cached"}
    found = odds_map(scenario_from_options(**words), given=True)
    assert found.sizes[0] < 1e9
    assert found.sizes[-1] > 10e9


def test_a_law_without_distillation_has_no_map():
    with pytest.raises(InputError, match="says nothing about distillation"):
        odds_map(scenario_from_options(compute=1e21, law="kaplan2020"), given=True)


def test_the_size_of_the_map_is_known_before():
    words, given = QUESTIONS["small"]
    assert map_size(scenario_from_options(**words), given=given) == len(mapped("small").cells)


@pytest.mark.slow
def test_the_map_is_drawn_as_each_kind_with_its_data(tmp_path):
    pytest.importorskip("matplotlib", reason="the plot extra")
    data = tmp_path / "map.csv"
    words = ["plot", "map", "1e20", "--student", "1B", "--teacher-loss", "2.1"]
    words += ["--logits", "cached"]
    done = saved_as_each(*words, "-o", "json", "--data", data, folder=tmp_path)
    document = json.loads(done.stdout)
    validate(document, "map")
    rows = rows_of(data)
    assert len(rows) == len(document["cells"]) == 21 * 15
    for row, cell in zip(rows, document["cells"], strict=True):
        for key, value in cell.items():
            if isinstance(value, float):
                assert float(row[key]) == value
            elif isinstance(value, str):
                assert row[key] == value
