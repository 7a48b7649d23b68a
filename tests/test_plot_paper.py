"""`plot paper` and `plot transfer`: what is drawn is what the checks compute, misses included."""

import csv
import io
import json
import math
from collections import Counter
from functools import cache

import pytest
from scipy.optimize import brentq, minimize_scalar

from distillplan.checks.check_records import report
from distillplan.checks.law_checks import check_group, check_groups
from distillplan.checks.paper_figures import FIGURES, paper_figure
from distillplan.checks.paper_records import PaperAxis, PaperPart
from distillplan.checks.transfer_checks import CaseOutcome
from distillplan.laws.law_catalog import law
from distillplan.units.quantities import parse_count
from tests.figures import in_each_others_way, saved_as_each, texts_of
from tests.reports import reported, transfer_report
from tests.schemas import validate
from tests.shell import run

LAWS = ("busbridge2025", "busbridge2025_printed")
EVERY = [(figure, name) for figure in FIGURES for name in LAWS]


@cache
def found_of(figure, name):
    return paper_figure(figure, law(name))


@cache
def drawn(figure, name):
    pytest.importorskip("matplotlib", reason="the plot extra")
    from distillplan.render.figures.redrawn_figure import redrawn_figure

    return redrawn_figure(found_of(figure, name))


@cache
def drawn_transfer():
    pytest.importorskip("matplotlib", reason="the plot extra")
    from distillplan.render.figures.transfer_figure import transfer_figure

    return transfer_figure(transfer_report())


def curve(found, panel, line):
    """The points of a line, by their places across."""
    rows = found.of(PaperPart.CURVE, panel)
    return {one.across: one.up for one in rows if one.line == line}


def checked(figure, name):
    """The rows of the check of a figure under a law."""
    return [
        row
        for _, group in check_groups()
        if group.where.partition(",")[0] == f"Figure {figure}"
        for row in check_group(law(name), group)
    ]


@pytest.mark.parametrize(("figure", "name"), EVERY)
def test_a_line_goes_through_what_the_check_computes(figure, name):
    """Figures 8 and 9 are checked by whole plans, and drawn from arrays of the optimizer."""
    found = found_of(figure, name)
    for one in found.of(PaperPart.READ_OFF):
        line = curve(found, one.panel, one.line)
        if one.along is PaperAxis.ACROSS:  # the budget of the largest teacher
            up = max(value for place, value in line.items() if 5e20 <= place <= 5e22)
            assert line[one.computed] == pytest.approx(up, rel=1e-5)
        elif (figure, one.across) != (9, 5e21):  # the largest teacher, which is at that budget
            assert line[one.across] == pytest.approx(one.computed, rel=1e-6)


@pytest.mark.parametrize(("figure", "name"), EVERY)
def test_what_was_read_off_is_that_of_the_check(figure, name):
    """The same numbers, verdicts and differences, under any law."""
    found, rows = found_of(figure, name), checked(figure, name)
    reads = found.of(PaperPart.READ_OFF)
    assert [(one.computed, one.difference, one.passed) for one in reads] == [
        (row.computed, row.difference, row.passed) for row in rows
    ]
    for one, row in zip(reads, rows, strict=True):
        published = one.across if one.along is PaperAxis.ACROSS else one.up
        assert published == row.published
        assert (one.low <= row.computed <= one.high) == one.passed
    counted = report(rows)
    assert (found.numbers, found.passed) == (len(rows), counted.passed)
    assert sum(one.numbers for one in found.misses) == len(rows) - counted.passed


@pytest.mark.parametrize("figure", FIGURES)
def test_misses_are_counted_as_the_command_counts_them(figure):
    said = json.loads(run("check", f"Figure {figure}", "-o", "json").stdout)
    found = found_of(figure, LAWS[0])
    assert (found.numbers, found.passed) == (len(said["rows"]), said["passed"])
    assert sum(one.numbers for one in found.misses if one.known) == said["known"]
    known = {one["where"] for one in said["rows"] if not one["passed"]}
    assert {one.where for one in found.misses} == known


def test_the_misprint_of_the_paper_misses_more():
    """Reasons for misses were written for another law, so it has none."""
    for figure in FIGURES:
        right, wrong = (found_of(figure, name) for name in LAWS)
        assert wrong.passed < right.passed
        assert [one.known for one in wrong.misses] == [None] * len(wrong.misses)


@pytest.mark.parametrize(("figure", "name"), EVERY)
def test_a_miss_is_drawn_hollow(figure, name):
    """Every number has a mark at its place, and a hollow one where the law misses it."""
    found = found_of(figure, name)
    marks = Counter()
    for axes in drawn(figure, name).axes:
        if not axes.get_ylabel().startswith("law minus"):
            for line in axes.lines:
                if line.get_linestyle() == "None":
                    (across,), (up,) = line.get_data()
                    marks[across, up, line.get_markerfacecolor() != "white"] += 1
    reads = found.of(PaperPart.READ_OFF)
    assert marks == Counter((one.across, one.up, one.passed) for one in reads)


@pytest.mark.parametrize(("figure", "name"), [one for one in EVERY if one[0] != 6])
def test_every_difference_is_drawn_beside_the_reading_error(figure, name):
    found = found_of(figure, name)
    scale = 100 if found.relative else 1
    ups = []
    for axes in drawn(figure, name).axes:
        if axes.get_ylabel().startswith("law minus"):
            ups += [line.get_ydata()[0] for line in axes.lines if len(line.get_xdata()) == 1]
            (strip,) = axes.patches
            assert (strip.get_y(), strip.get_y() + strip.get_height()) == pytest.approx(
                (-scale * found.reading_error, scale * found.reading_error)
            )
    expected = [one.difference * scale for one in found.of(PaperPart.READ_OFF)]
    assert sorted(ups) == pytest.approx(sorted(expected))


@pytest.mark.parametrize(("figure", "name"), EVERY)
def test_the_title_counts_and_the_source_says_why(figure, name):
    found, texts = found_of(figure, name), texts_of(drawn(figure, name))
    (title,) = [one for one in texts if one.startswith(f"Figure {figure} of the paper")]
    assert f"{found.passed} of {found.numbers} numbers within the reading error" in title
    assert ("hollow" in title) == (found.passed < found.numbers)
    (source,) = [one for one in texts if one.startswith(f"law {name}: ")]
    words = " ".join(source.split())
    assert all(one.known in words for one in found.misses if one.known)


@pytest.mark.parametrize(("figure", "name"), EVERY)
def test_no_words_are_in_each_others_way(figure, name):
    assert in_each_others_way(drawn(figure, name)) == []


def test_words_that_are_in_each_others_way_are_found():
    """So that the test above can fail: words on others, and words over the edge."""
    pytest.importorskip("matplotlib", reason="the plot extra")
    from matplotlib.figure import Figure

    figure = Figure()
    axes = figure.subplots()
    axes.set_axis_off()
    for place, text in ((0.5, "one"), (0.51, "two"), (0.8, "three"), (1.1, "four")):
        axes.text(place, 0.5, text, fontsize=20)
    assert in_each_others_way(figure) == [("four",), ("one", "two")]


def test_the_contour_of_figure_6_is_where_both_losses_meet():
    """By another solver, at students of three teachers."""
    found, ours = found_of(6, LAWS[0]), law()
    teachers = {"546M": (5.4597e8, 1.2094e10), "2.72B": (2.7181e9, 5.638e10)}
    for panel, sizes in teachers.items():
        teacher = ours.supervised.loss(*sizes)
        for student in (1e9, 3e9, 7e9):

            def gain(log_tokens, student=student, teacher=teacher):
                tokens = math.exp(log_tokens)
                alone = ours.supervised.loss(student, tokens)
                return alone - ours.distillation.loss(student, tokens, teacher)

            tokens = math.exp(brentq(gain, math.log(1e9), math.log(1e14)))
            assert curve(found, panel, "")[student] == pytest.approx(tokens, rel=1e-5)


def test_the_map_of_figure_6_is_the_formula():
    """Its sign changes at the line, and its numbers are those of `predict`."""
    found = found_of(6, LAWS[0])
    one = found.of(PaperPart.MAP, "975M")[700]
    words = ("--student", one.across, "--tokens", one.up, "--teacher-loss")
    teacher = law().supervised.loss(9.7549e8, 2.0940e10)
    said = json.loads(run("predict", *words, teacher, "-o", "json").stdout)
    assert one.gain_nats == pytest.approx(said["gain_nats"], abs=1e-9)
    line = {one.across: one.up for one in found.of(PaperPart.CURVE, "975M")}
    known = [one for one in found.of(PaperPart.MAP, "975M") if line.get(one.across)]
    assert known
    assert all((one.up < line[one.across]) == (one.gain_nats > 0) for one in known)


@pytest.mark.parametrize(("student", "tokens"), [(1e9, "250B"), (3e10, "1T"), (1e11, "16T")])
def test_the_teacher_of_figure_7_is_the_best(student, tokens):
    """By another minimizer over the loss of the teacher; the law is flat there."""
    found = curve(found_of(7, LAWS[0]), "", tokens)[student]

    def loss(teacher):
        return float(law().distillation.loss(student, parse_count(tokens), teacher))

    best = minimize_scalar(loss, bounds=(1.2, 2.5), method="bounded", options={"xatol": 1e-9})
    assert loss(found) == pytest.approx(best.fun, abs=1e-7)
    assert found == pytest.approx(best.x, abs=2e-3)


def test_losses_of_figure_8_are_those_of_plans():
    """At a budget between those that were read off."""
    found = found_of(8, LAWS[0])
    at = sorted(curve(found, "1B", "supervised"))[40]
    words = (repr(at), "--student", "1B", "--bounds", "paper", "--quick", "-o", "json")
    losses = {
        one["accounting"] or "supervised": one["loss"]
        for one in json.loads(run("budget", *words).stdout)["options"]
        if one["teacher_name"] is None
    }
    assert losses.keys() == {"supervised", "free", "exists", "train_shared", "train"}
    for name, loss in losses.items():
        assert curve(found, "1B", name)[at] == pytest.approx(loss, abs=1e-6)


def test_lines_outside_the_runs_are_marked():
    """The law's supervised runs had up to 515B tokens, its students up to 7.7B parameters."""
    rows = {
        (one.panel, one.line, one.across): one.outside
        for one in found_of(9, LAWS[0]).of(PaperPart.CURVE)
    }
    for line in ("300M", "1B", "3B"):
        assert rows["student_tokens", line, 1e26]
    assert not rows["student_tokens", "1B", 5e21]
    assert all(outside for (_, line, _), outside in rows.items() if line == "10B")


@pytest.mark.slow
def test_a_picture_and_what_is_drawn(tmp_path):
    pytest.importorskip("matplotlib", reason="the plot extra")
    words = ("plot", "paper", "--figure", "7")
    saved_as_each(*words, "--data", tmp_path / "figure.json", folder=tmp_path)
    whole = json.loads((tmp_path / "figure.json").read_text(encoding="utf-8"))
    validate(whole, "paper")
    assert whole == json.loads(run(*words, "-o", "json").stdout)
    lines = run(*words, "-o", "jsonl").stdout.splitlines()
    assert [json.loads(line) for line in lines] == whole["rows"]
    rows = list(csv.DictReader(io.StringIO(run(*words, "-o", "csv").stdout)))
    assert [float(row["across"]) for row in rows] == [row["across"] for row in whole["rows"]]
    assert Counter(row["part"] for row in rows) == Counter(row["part"] for row in whole["rows"])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--figure", "5"), "--figure: '5' is none of 6, 7, 8, 9"),
        (("--figure", "7", "--law", "kaplan2020"), "--law: kaplan2020 has no distillation side"),
        (("--figure", "7", "--law", "nobody"), "--law: 'nobody' is unknown"),
    ],
)
def test_what_is_not_redrawn_is_one_sentence(words, said, tmp_path):
    done = run("plot", "paper", *words, "-o", "x.svg", folder=tmp_path)
    assert done.returncode == 2
    assert said in done.stderr
    assert not done.stdout
    assert not list(tmp_path.iterdir())


def test_every_comparison_is_in_the_picture():
    """Named once, with the mark of its outcome at what was said and what was seen."""
    texts = Counter(texts_of(drawn_transfer()))
    for row in transfer_report().rows:
        assert texts[f"{row.study}: {row.name}"] == 1
    marks, shapes = Counter(), {}
    for axes in drawn_transfer().axes:
        for line in axes.lines:
            if line.get_linestyle() == "None":
                (across,), (up,) = line.get_data()
                marks[across, up] += 1
                shapes[across, up] = (line.get_marker(), line.get_markerfacecolor() != "white")
    expected = Counter()
    kinds = {one: set() for one in CaseOutcome}
    for row in transfer_report().rows:
        if row.seen_nats is not None:
            place = (row.predicted_gain, row.seen_nats)
        elif row.seen_points is not None:
            place = (100 * row.odds_better, row.seen_points)
        else:
            place = (100 * row.odds_better, 100 * row.seen_better)
        expected[place] += 1
        kinds[row.outcome].add(shapes[place])
    assert marks == expected
    assert [len(one) for one in kinds.values()] == [1, 1, 1, 1]
    assert len(set.union(*kinds.values())) == 4
    assert [full for one in kinds.values() for _, full in one] == [True, False, False, False]


def test_bands_of_the_picture_are_those_of_the_report():
    bands = [tuple(line.get_xdata()) for line in drawn_transfer().axes[0].lines]
    for row in transfer_report().rows:
        assert (row.gain_band in bands) == (row.seen_nats is not None)


def test_the_picture_of_comparisons_counts_and_scores():
    texts, found = texts_of(drawn_transfer()), transfer_report()
    (title,) = [one for one in texts if "came out" in one]
    assert f"{found.hits} of {found.hits + found.misses} comparisons" in title
    assert f"{found.misses} did not" in title
    (source,) = [one for one in texts if "Brier" in one]
    assert all(f"{score:.3f}" in source for score in found.brier)


def test_no_names_of_comparisons_are_in_each_others_way():
    assert in_each_others_way(drawn_transfer()) == []


@pytest.mark.slow
def test_the_picture_of_comparisons_and_its_data(tmp_path):
    pytest.importorskip("matplotlib", reason="the plot extra")
    data = tmp_path / "transfer.csv"
    with reported():
        saved_as_each("plot", "transfer", "--data", data, folder=tmp_path)
    rows = list(csv.DictReader(io.StringIO(data.read_text(encoding="utf-8"))))
    assert [float(row["predicted_gain"]) for row in rows] == [
        row.predicted_gain for row in transfer_report().rows
    ]
