"""The chart of `budget --plot`: its letters stand where plans say, in 80 columns and in ASCII."""

import re

import pytest

from distillplan.cli.key_options import told_as
from distillplan.errors import InfeasibleError
from distillplan.planning.planner import plan
from distillplan.questions.budget_losses import BudgetUnit, with_budget
from distillplan.questions.loss_chart import POINTS, loss_chart
from distillplan.render.chart_lines import ROWS
from distillplan.scenarios.keys import scenario_of
from distillplan.scenarios.layers import values_of_options
from tests.shell import run
from tests.stream_matrix import Case, outcome

CASES = {
    "no teacher": ("1e21", "--student", "1B"),
    "cached": ("1e21", "--student", "1B", "--teacher", "7B:2T", "--logits", "cached"),
    "any student": ("1e22", "--teacher-loss", "1.9", "--logits", "cached"),
    "tiny": ("1e18", "--student", "1B", "--teacher", "7B:2T"),
    "hours": ("64 h100-sxm for 7 days", "--student", "1B", "--teacher", "7B:2T"),
    "dollars": ("$20k", "--gpu", "h100-sxm", "--student", "1B"),
    "given tokens": ("--student", "1B:300B", "--teacher", "7B:2T"),
    "supervised law": ("1e21", "--law", "kaplan2020"),
    "a family": ("1e22", "--student", "3B", "--students", "8"),
    "served": ("1e21", "--inference-tokens", "1T"),
}
ROW = re.compile(r"^ *(\d+\.\d\d)? │(.*)$")


def asked(compute="1e21", **words):
    """The question of options of `budget`."""
    given = {"compute": compute, "student": "1B", **words}
    return scenario_of(values_of_options(given, told_as("budget")))


def plane_of(screen):
    """The numbers and the cells of each row of the plane."""
    return [found.groups() for found in map(ROW.match, screen.splitlines()) if found]


def test_the_curves_are_those_of_plans():
    """Every tenth budget, solved alone by the planner with all that it does."""
    scenario = asked()
    found = loss_chart(plan(scenario, quick=True))
    assert found.unit is BudgetUnit.FLOPS
    assert (found.budgets[0], found.budgets[-1]) == pytest.approx((1e19, 1e23))
    for place in range(0, POINTS, 10):
        said = plan(with_budget(scenario, found.unit, found.budgets[place]), quick=True)
        assert found.supervised[place] == pytest.approx(said.supervised.loss, rel=1e-6)
        assert found.distilled[place] == pytest.approx(said.deciding.loss, rel=1e-6)


@pytest.mark.parametrize("hours", [5_000.0, 80_000.0])
def test_the_middle_is_the_question_in_hours_too(hours):
    machine = {"hardware.gpu": "h100-sxm", "hardware.gpus": "64"}
    answer = plan(asked(f"{hours:g} GPU-hours", **machine), quick=True)
    found = loss_chart(answer)
    assert found.unit is BudgetUnit.GPU_HOURS
    assert found.budgets[POINTS // 2] == pytest.approx(hours)
    assert found.supervised[POINTS // 2] == pytest.approx(answer.supervised.loss, rel=1e-6)
    assert found.distilled[POINTS // 2] == pytest.approx(answer.deciding.loss, rel=1e-6)


def test_the_law_s_runs_are_marked_where_they_are():
    """A budget C trains 1B parameters on about C / 6e9 tokens; the runs had 3.6B to 515B."""
    found = loss_chart(plan(asked(), quick=True))
    low, high = found.runs
    assert low == pytest.approx(6e9 * 3.6e9, rel=0.25)
    assert high == pytest.approx(6e9 * 515e9, rel=0.25)


@pytest.mark.parametrize("words", CASES.values(), ids=CASES)
@pytest.mark.parametrize("columns", [80, 60, 40, 20])
def test_it_fits_the_terminal_and_is_ascii_where_it_must_be(words, columns):
    found = run("budget", *words, "--plot", "--quick", COLUMNS=str(columns))
    assert found.returncode == 0, found.stderr
    lines = found.stdout.splitlines()
    assert max(map(len, lines)) <= columns
    rows = plane_of(found.stdout)
    assert len(rows) == ROWS
    drawn = "".join(cells for _, cells in rows)
    assert set(drawn) <= set(" ox*")
    assert "o" in drawn or "*" in drawn
    assert any("↑" in line for line in lines)
    assert "\x1b" not in found.stdout


@pytest.mark.parametrize("words", CASES.values(), ids=CASES)
def test_it_is_one_screen(words):
    assert len(run("budget", *words, "--plot", COLUMNS="80").stdout.splitlines()) <= 23


def test_letters_stand_at_their_losses():
    """Read back from the screen, each column is within half a row of the curve."""
    words = ("1e21", "--student", "1B", "--teacher", "7B:2T", "--logits", "cached")
    rows = plane_of(run("budget", *words, "--plot", "--quick", COLUMNS="80").stdout)
    low, high = float(rows[-1][0]), float(rows[0][0])
    found = loss_chart(plan(asked(teacher="7B:2T", logits="cached"), quick=True))
    step = (high - low) / (ROWS - 1)
    checked = 0
    for place, (_, cells) in enumerate(rows):
        for column, letter in enumerate(cells.ljust(60)):
            at = column + 30 - 60 // 2
            near = [
                values[one]
                for values, letters in ((found.supervised, "o*"), (found.distilled, "x*"))
                if letter in letters
                for one in (max(at - 1, 0), at, min(at + 1, POINTS - 1))
            ]
            if near:
                checked += 1
                value = high - place * step
                assert min(near) - 0.6 * step <= value <= max(near) + 0.6 * step
    assert checked > 60


def test_without_unicode_its_frame_is_ascii():
    case = Case(("budget", *CASES["cached"], "--plot", "--quick"), "ascii", "pipe")
    text = outcome(case).written.decode("ascii")
    assert "^ you are here" in text
    assert " |" in text
    assert re.search(r"\+[.]*-+", text)


def test_color_is_only_added():
    plain = run("budget", *CASES["cached"], "--plot", "--quick").stdout
    terminal = {"NO_COLOR": "", "FORCE_COLOR": "1", "TERM": "xterm", "COLORTERM": ""}
    colored = run("budget", *CASES["cached"], "--plot", "--quick", **terminal).stdout
    assert "\x1b[" in colored
    bare = re.sub(r"\x1b\[[0-9;]*m", "", colored).splitlines()
    assert [line.rstrip() for line in bare] == plain.splitlines()


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("-o", "json"), "a chart is for the terminal, not for -o json"),
        (("-o", "csv"), "a chart is for the terminal, not for -o csv"),
        (("-o", "markdown"), "not for -o markdown"),
        (("--laws", "all"), "--plot: --laws shows something else"),
        (("--why",), "--plot: --why shows something else"),
        (("--details",), "--plot: --details shows something else"),
    ],
)
def test_what_shows_something_else_is_refused(more, said):
    found = run("budget", "1e21", "--student", "1B", "--plot", *more)
    assert (found.returncode, found.stdout) == (2, "")
    assert said in found.stderr
    assert found.stderr.count("\n") == 1


def test_an_assertion_is_checked_beside_it():
    words = ("1e21", "--student", "1B", "--plot", "--quick", "--assert", "loss <= 1")
    found = run("budget", *words)
    assert found.returncode == 3
    assert len(plane_of(found.stdout)) == ROWS


def test_a_law_without_distillation_has_one_curve():
    found = run("budget", *CASES["supervised law"], "--plot")
    assert "o pretrain" in found.stdout
    assert "x distill" not in found.stdout


def test_nothing_to_train_is_no_answer():
    answer = plan(asked(), quick=True)
    nothing = answer.supervised._replace(total_flops=None)
    with pytest.raises(InfeasibleError, match="trains anything"):
        loss_chart(answer._replace(options=(nothing, *answer.options[1:])))


def test_given_tokens_do_not_end_the_curves():
    """What they buy is at one budget only; there the chart agrees with the plan."""
    scenario = scenario_of(
        values_of_options({"student": "1B:300B", "teacher": "7B:2T"}, told_as("budget"))
    )
    answer = plan(scenario, quick=True)
    found = loss_chart(answer)
    assert None not in found.supervised
    assert found.supervised[POINTS // 2] == pytest.approx(answer.supervised.loss, rel=1e-4)
