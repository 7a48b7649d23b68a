"""The picture of `compare`: what is drawn are the plans, and every name can be read."""

import csv
import io
import json

import pytest

from distillplan.planning.planner import plan
from distillplan.questions.comparison import compare
from distillplan.render.figures.picture_files import figure_of
from distillplan.scenarios.scenario_file import read_scenarios
from tests.documentation import EXAMPLES
from tests.figures import in_each_others_way, saved_as_each, texts_of
from tests.shell import run

FILE = EXAMPLES / "compare.yaml"
ODD = """scenarios:
  tiny: {compute: 1e17, student: 10M, teacher: '7B:2T'}
  far outside: {compute: 1e27, student: 400B, teacher: '2T:20T', logits: cached}
  supervised law: {compute: 1e21, student: 1B, law: kaplan2020}
  nothing left: {compute: 1e18, student: 100M, teacher: '70B:2T', accounting: train}
  one in $dollars$: {compute: 1e21, student: 1B}
"""


def drawn(path, *sets, baseline=None):
    """The answer, and its picture."""
    found = compare(read_scenarios(str(path), sets), baseline)
    return found, figure_of(found)


@pytest.mark.slow
def test_it_is_saved_in_every_format(tmp_path):
    found = saved_as_each("plot", "compare", FILE, folder=tmp_path)
    assert found.stdout == f"Wrote {tmp_path / 'picture.svg'}.\n"


def test_marks_and_bars_are_the_plans():
    found, figure = drawn(FILE)
    losses, gains, odds = figure.axes
    plans = [plan(one.scenario) for one in read_scenarios(str(FILE))]
    lines = [line for line in losses.get_lines() if line.get_marker() in {"o", "s"}]
    at = sorted(tuple(line.get_xydata()[0][::-1]) for line in lines if len(line.get_xydata()))
    sides = [side for one in plans for side in (one.supervised, one.deciding)]
    assert [value for _, value in at] == [one.loss for one in sides]
    bands = [tuple(line.get_xdata()) for line in losses.get_lines() if line.get_linewidth() == 6]
    assert bands == [one.loss_band for one in sides]
    shown = [line.get_xdata()[0] for line in gains.get_lines() if line.get_marker() == "s"]
    assert shown == [one.margin_nats for one in plans]
    for place, one in enumerate(plans):
        bars = [bar for bar in odds.patches if bar.get_y() == place - 0.25]
        widths = [bar.get_width() for bar in bars]
        odds_of = [one.odds.distill, one.odds.tie, one.odds.supervised]
        assert widths == pytest.approx(odds_of, abs=1e-12)
        assert sum(widths) == pytest.approx(1)
    assert found.reason in figure.get_suptitle()


def test_data_is_what_is_drawn(tmp_path):
    for ending in ("csv", "json", "jsonl"):
        path = tmp_path / f"data.{ending}"
        assert run("plot", "compare", FILE, "--data", path).returncode == 0
        shown = run("plot", "compare", FILE, "-o", ending).stdout
        assert path.read_text(encoding="utf-8").rstrip() == shown.rstrip()
    rows = list(csv.DictReader(io.StringIO((tmp_path / "data.csv").read_text(encoding="utf-8"))))
    whole = json.loads((tmp_path / "data.json").read_text(encoding="utf-8"))["plans"]
    for row, one in zip(rows, whole, strict=True):
        alone, other = one["options"][0], next(way for way in one["options"] if way["decides"])
        assert float(row["supervised_loss"]) == alone["loss"]
        ends = ("supervised_loss_low", "supervised_loss_high")
        assert [float(row[end]) for end in ends] == alone["loss_band"]
        assert [float(row[f"distill_loss_{end}"]) for end in ("low", "high")] == other["loss_band"]
        assert [float(row[f"gain_{end}"]) for end in ("low", "high")] == other["gain_band"]
        assert float(row["odds_tie"]) == one["odds"]["tie"]


def test_forty_long_names_are_whole_and_apart(tmp_path):
    path = tmp_path / "many.yaml"
    long = "a student of 1B and {}e20 FLOPs that is taught by a teacher of 7B"
    names = [(long if one % 3 else "{}e20").format(one) for one in range(1, 41)]
    lines = [f"  '{name}': {{compute: {one}e20}}" for one, name in enumerate(names, 1)]
    body = "base: {student: 1B, teacher: '7B:2T'}\nscenarios:\n"
    path.write_text(body + "\n".join(lines), encoding="utf-8")
    scenarios = read_scenarios(str(path))
    found = compare(scenarios, names[3], lambda one: plan(one, quick=True))
    figure = figure_of(found)
    shown = [" ".join(one.get_text().split()) for one in figure.axes[0].get_yticklabels()]
    for name, label in zip(names, shown, strict=True):
        assert label.startswith(name)
    assert shown[3] == f"{names[3]} (baseline)"
    assert in_each_others_way(figure) == []


def test_what_has_no_odds_says_why(tmp_path):
    path = tmp_path / "odd.yaml"
    path.write_text(ODD, encoding="utf-8")
    _, figure = drawn(path)
    shown = texts_of(figure)
    for why in (
        "too far outside the law's runs",
        "the law has no distillation",
        "the budget is too small to distill",
    ):
        assert why in shown
    assert "one in $dollars$" in shown
    assert in_each_others_way(figure) == []


def test_the_options_of_compare_are_taken():
    words = ("--set", "compute=1e20", "--baseline", "alone", "-o", "json")
    commands = (("plot", "compare"), ("compare",))
    one, other = (json.loads(run(*command, FILE, *words).stdout) for command in commands)
    assert one["differences"] == other["differences"]
    assert len(one["differences"]) == 2
    _, figure = drawn(FILE, baseline="alone")
    assert "alone (baseline)" in texts_of(figure)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "-o picture.svg"),
        (("-o", "a.gif"), "not one of csv, json, jsonl, nor a file"),
        (("-o", "a.svg", "--baseline", "other"), "no scenario is named 'other'"),
    ],
)
def test_mistakes_are_told_in_a_sentence(words, said, tmp_path):
    found = run("plot", "compare", FILE, *words, folder=tmp_path)
    assert (found.returncode, found.stdout) == (2, "")
    assert said in found.stderr
    assert not list(tmp_path.iterdir())


def test_more_scenarios_than_a_picture_holds_are_refused(tmp_path):
    path = tmp_path / "grid.yaml"
    path.write_text(
        "base: {compute: 1e21, student: 1B}\nmatrix: {compute: '1e20:1e22:101'}\n", encoding="utf-8"
    )
    found = run("plot", "compare", path, "-o", tmp_path / "a.svg")
    assert found.returncode == 2
    assert "101 scenarios; a picture has at most 100" in found.stderr


def test_gains_around_nothing_have_ticks_apart_and_no_minus_zero(tmp_path):
    """Seen on a real file: ticks at every 0.025 ran into each other, and a gain was -0.000."""
    file = tmp_path / "even.yaml"
    file.write_text(
        "base: {student: 1B, teacher: '7B:2T'}\n"
        "scenarios: {run: {compute: 1e21}, even: {compute: 3.99e21, logits: cached}}\n"
    )
    found, figure = drawn(file)
    assert -0.0005 < found.plans[1].plan.margin_nats < 0
    assert not in_each_others_way(figure)
    assert "+0.000" in texts_of(figure)
    assert "-0.000" not in texts_of(figure)
