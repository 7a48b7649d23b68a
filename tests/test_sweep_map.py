"""The map of a sweep says of each cell what its row says, at every width and in every encoding."""

import csv
import io
import re
from pathlib import Path
from typing import NamedTuple

import pytest

from distillplan.laws import law_catalog
from distillplan.units.quantities import parse_count
from tests.shell import run
from tests.stream_matrix import Case, outcome

EXAMPLES = Path(__file__).parents[1] / "examples"
WIDTHS = (60, 80, 120)
HOLLOW = {"□": "distill", "░": "tie", "◦": "supervised"}
MEANT = {"█": "distill", "▒": "tie", "·": "supervised", "?": "", "x": "", **HOLLOW}
"""The verdict of a row that each glyph stands for."""
ASCII = str.maketrans("█▒·□░◦", "#+.o-'")
SIDES = ("distill", "supervised")
STYLE = re.compile(r"\x1b\[[0-9;]*m")
GRID = ("compute", "student_params")
CACHED = ("--logits", "cached")
ONE = ("--compute", "1e21")
MANY = ("--compute", "1e20:1e22:13", "--student", "1B:3B:13")
FIRST = ("--compute", "1e19:1e23:9", "--student", "300M,1B,3B,10B", "--teacher", "7B:2T")
FIRST = (*FIRST, *CACHED)
SWEEPS = {
    "a teacher at hand": (("compute", "student_params"), FIRST),
    "many budgets": (
        ("compute", "student_params"),
        ("--compute", "1e19:1e24:41", "--student", "100M:30B:15", "--teacher", "3B:300B"),
    ),
    "neither in order nor once": (
        ("student_params", "students"),
        ("--students", "8,1,8", "--student", "3B,300M,10B,1B", "--compute", "1e21"),
    ),
    "measured teachers": (
        ("teacher.loss", "student_params"),
        ("--axis", "teacher.loss=1.7,1.85,1.9,2,2.4", "--student", "1B,3B", *CACHED, *ONE),
    ),
    "serving": (
        ("inference_tokens", "compute"),
        ("--axis", "inference_tokens=0,10B,1T", "--compute", "1e20,1e21", "--student", "1B"),
    ),
    "hours, and a student that does not fit": (
        ("gpu_hours", "student_params"),
        ("--axis", "gpu_hours=100,1k,10k", "--student", "1B,70B", "--gpu", "h100-sxm"),
    ),
    "over budget": (
        ("compute", "students"),
        ("--compute", "1e12,1e13,1e20,1e21", "--students", "1,8", "--student", "1B"),
    ),
}
"""Of each the axis along the width, the other, and the words."""


class Drawn(NamedTuple):
    """What a reader sees of one map."""

    cells: list[list[str]]
    """One glyph each, the lowest row first."""
    ticks: dict[int, str]
    """Of the horizontal side, by the cell that each begins under."""
    sides: list[str]
    """The texts left of the rows, the lowest first."""
    legend: list[str]


def drawn(screen: str, width: int, across: int) -> Drawn:
    """Read the one map of a screen, whose cells take all columns that there are, up to 12 each.

    Args:
        screen: all of it.
        width: columns of the terminal.
        across: number of values along the width.
    """
    lines = screen.splitlines()
    rows = [place for place, line in enumerate(lines) if is_row(line)]
    assert rows == list(range(rows[0], rows[-1] + 1))
    ticks = lines[rows[-1] + 1]
    margin = len(ticks) - len(ticks.lstrip())
    cell = min((width - margin) // across, 12)
    cells = []
    for place in reversed(rows):
        body = lines[place][margin:].ljust(across * cell)
        cut = [body[one * cell : (one + 1) * cell].strip() for one in range(across)]
        assert all(len(set(one)) == 1 for one in cut)
        assert "".join(cut) == body.replace(" ", "")
        cells.append([one[0] for one in cut])
    starts = {found.start() - margin: found[0] for found in re.finditer(r"\S+", ticks)}
    assert all(start % cell == 0 for start in starts)
    return Drawn(
        cells=cells,
        ticks={start // cell: text for start, text in starts.items()},
        sides=[lines[place][:margin].strip() for place in reversed(rows)],
        legend=lines[: rows[0]],
    )


def is_row(line: str) -> bool:
    first, *words = line.split() or [""]
    return bool(words) and first not in MEANT and {*"".join(words)} <= {*MEANT}


def rows_of(words) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(run("sweep", *words, "-o", "csv").stdout)))


def outside(row) -> set[str]:
    return {one for one in row["warnings"].split() if one.endswith("_outside_fit")}


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", SWEEPS)
def test_a_cell_shows_the_verdict_of_its_row(name, width):
    (across, up), words = SWEEPS[name]
    rows = rows_of(words)
    found = run("sweep", *words, "-o", "map", COLUMNS=str(width))
    assert (found.returncode, found.stderr) == (0, "")
    assert max(map(len, found.stdout.splitlines())) <= width
    values, others = (sorted({float(row[axis]) for row in rows}) for axis in (across, up))
    shown = drawn(found.stdout, width, len(values))
    assert len(shown.cells) == len(others)
    everywhere = set.intersection(*(outside(row) for row in rows if row["supervised_loss"]))
    teacher = {one for one in everywhere if one.startswith("teacher")}
    for row in rows:
        place = others.index(float(row[up])), values.index(float(row[across]))
        glyph = shown.cells[place[0]][place[1]]
        assert MEANT[glyph] == row["verdict"]
        assert (glyph in HOLLOW) == bool(row["verdict"] and outside(row) - teacher)
        possible = row["verdict_reason"] not in ("", "nothing_possible")
        assert row["verdict"] or glyph == ("?" if possible else "x")
    for place, tick in shown.ticks.items():
        assert number(tick) == pytest.approx(values[place], rel=0.005)
    assert list(map(number, shown.sides)) == pytest.approx(others, rel=0.005)
    legend = "".join(shown.legend)
    assert all(glyph in legend for row in shown.cells for glyph in row)


def number(tick: str) -> float:
    return 0.0 if tick == "0" else parse_count(tick)


@pytest.mark.parametrize("name", ["a teacher at hand", "many budgets"])
def test_hollow_is_outside_the_range_that_the_law_states(name):
    """Without the codes of the rows: sizes of the students against the law's own file."""
    (across, up), words = SWEEPS[name]
    rows = rows_of(words)
    valid = law_catalog.law().valid
    values, others = (sorted({float(row[axis]) for row in rows}) for axis in (across, up))
    shown = drawn(run("sweep", *words, "-o", "map", COLUMNS="80").stdout, 80, len(values))
    hollow = 0
    for row in rows:
        sizes = {
            "params": row["supervised_student_params"],
            "tokens": row["supervised_student_tokens"],
            "student_params": row["distill_student_params"],
            "student_tokens": row["distill_student_tokens"],
        }
        inside = all(
            valid[name][0] <= float(size) <= valid[name][1] for name, size in sizes.items() if size
        )
        glyph = shown.cells[others.index(float(row[up]))][values.index(float(row[across]))]
        assert not row["verdict"] or (glyph in HOLLOW) is not inside
        hollow += glyph in HOLLOW
    assert 0 < hollow < len(rows)


def test_the_sentence_below_says_what_the_cells_say():
    rows = rows_of(FIRST)
    text = " ".join(run("sweep", *FIRST, "-o", "map").stdout.split())
    wins = {(row["student_params"], row["compute"]) for row in rows if row["verdict"] == "distill"}
    said = set()
    stretch = r"(\S+) (?:up to|from (\S+) to) (\S+?)(?: FLOPs)?[,.]"
    told = re.search(r"Distilling wins in (\d+) of (\d+) cells: student (.*?\.) ", text)
    for student, low, high in re.findall(stretch, told[3]):
        said |= {
            (row["student_params"], row["compute"])
            for row in rows
            if float(row["student_params"]) == parse_count(student)
            and parse_count(low or "1") <= float(row["compute"]) * 1.005
            and float(row["compute"]) <= parse_count(high) * 1.005
        }
    assert said == wins
    assert (int(told[1]), int(told[2])) == (len(wins), len(rows))
    assert "teacher tokens and teacher loss in every cell" in text
    everywhere = {"teacher_tokens_outside_fit", "teacher_loss_outside_fit"}
    assert all(everywhere <= outside(row) for row in rows)


def test_the_odds_below_are_those_of_the_rows():
    words = ("--compute", "1e20:1e22:3", "--student", "300M,3B", "--teacher", "7B:2T", "--odds")
    rows = rows_of(words)
    text = " ".join(run("sweep", *words, "-o", "map").stdout.split())
    sides = [float(row[f"odds_{row['verdict']}"]) for row in rows if row["verdict"] in SIDES]
    assert f"Odds of the winning side: {min(sides):.0%} to {max(sides):.0%}." in text
    assert "--odds" not in text
    shown = drawn(run("sweep", *words, "-o", "map").stdout, 80, 3)
    assert [[MEANT[one] for one in row] for row in shown.cells] == [
        [row["verdict"] for row in rows if row["student_params"] == student]
        for student in ("300000000.0", "3000000000.0")
    ]


def test_further_axes_have_a_map_for_each_of_their_values():
    found = run("sweep", EXAMPLES / "grid.yaml", "-o", "map").stdout
    rows = rows_of([EXAMPLES / "grid.yaml"])
    parts = found.split("\nlogits ")[1:]
    assert [part.split()[0] for part in parts] == ["online", "cached"]
    for part in parts:
        shown = drawn(part, 80, 3)
        of = part.split()[0]
        budgets, students = (sorted({float(row[key]) for row in rows}) for key in GRID)
        for row in rows:
            if row["logits"] == of:
                across, up = (float(row[key]) for key in GRID)
                glyph = shown.cells[students.index(up)][budgets.index(across)]
                assert MEANT[glyph] == row["verdict"]
    assert found.count("█ distill") == 1


def test_markdown_has_the_map_and_the_rows():
    found = run("sweep", *FIRST, "-o", "markdown").stdout
    code = re.search(r"```text\n(.*?)\n```", found, re.DOTALL)[1]
    assert code in run("sweep", *FIRST, "-o", "map", COLUMNS="80").stdout
    assert found.count("\n| ") == len(rows_of(FIRST)) + 2


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp437", "cp1252", "ascii"])
def test_a_terminal_shows_the_map_in_its_own_characters(encoding, monkeypatch):
    for name, value in {"NO_COLOR": "1", "TERM": "xterm", "COLUMNS": "80"}.items():
        monkeypatch.setenv(name, value)
    plain = run("sweep", *FIRST, "-o", "map", COLUMNS="80").stdout
    if not encoding.startswith("utf"):
        plain = plain.translate(ASCII)
    found = outcome(Case(("sweep", *FIRST), encoding, "terminal"))
    assert found.code == 0
    assert STYLE.sub("", found.written.decode(encoding)).splitlines() == plain.splitlines()


def test_color_is_an_addition(monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    written = outcome(Case(("sweep", *FIRST), "utf-8", "terminal")).written.decode()
    assert len(STYLE.findall(written)) > 36
    plain = run("sweep", *FIRST, "-o", "map").stdout
    assert STYLE.sub("", written).splitlines() == plain.splitlines()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((*FIRST, "-o", "table"), ""),
        (("--compute", "1e20,1e21", "--student", "1B"), ""),
        (("--compute", "1e20,1e21", "--student", "1B,3B", "--law", "besiroglu2024"), ""),
        (("--compute", "1e19:1e23:90", "--student", "1B,3B"), "90 values of compute"),
        ((*MANY, "--students", ",".join(map(str, range(1, 14)))), "13 maps"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_terminal_shows_rows_where_there_is_no_map(words, says, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    written = outcome(Case(("sweep", *words), "utf-8", "terminal")).written.decode()
    lines = STYLE.sub("", written).splitlines()
    assert lines[0].split()[:2] == ["compute", "student"]
    assert not any(map(is_row, lines))
    assert ("No map: " in written) is bool(says)
    assert says in written


def test_a_pipe_gets_rows():
    assert run("sweep", *FIRST).stdout == run("sweep", *FIRST, "-o", "table").stdout
    assert "pretrain" in run("sweep", *FIRST).stdout.splitlines()[0]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--compute", "1e21", "--student", "1B"), "there is none"),
        (("--compute", "1e20,1e21", "--student", "1B"), "there is only one, compute"),
        (("--compute", "1e21,1e21", "--student", "1B,3B"), "there is only one, student"),
        (("--compute", "1e21", "--student", "1B,3B", "--teacher", "7B:2T,3B:1T"), "only one"),
        (
            ("--compute", "1e21,5k gpu-hours", "--student", "1B,3B", "--gpu", "h100-sxm"),
            "there is only one, student",
        ),
        (("--compute", "1e19:1e23:90", "--student", "1B,10B"), "take at most 75, or write -o csv"),
        (("--compute", "1e19:1e23:60", "--student", "1B:9B:60", "--axis", "tie=0,0.1"), "5000"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_cannot_be_a_map_is_one_error(words, says):
    found = run("sweep", *words, "-o", "map", COLUMNS="80")
    assert (found.returncode, found.stdout) == (2, "")
    assert found.stderr.startswith("error: -o map: ")
    assert found.stderr.count("\n") == 1
    assert says in found.stderr


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (("--compute", "1e20,1e21"), "compute (FLOPs)"),
        (("--compute", "1k gpu-hours,2k gpu-hours", "--gpu", "h100-sxm"), "compute (GPU-hours)"),
        (("--compute", "8 h100-sxm for 1 day,8 h100-sxm for 2 days"), "compute (GPU-hours)"),
        (("--compute", "$5k,$9k", "--gpu", "h100-sxm"), "compute (US dollars)"),
        (("--axis", "gpu_days=100,200", "--gpu", "h100-sxm"), "GPU-days"),
        (("--axis", "tokens=100B,200B"), "tokens"),
        (("--axis", "inference_tokens=1B,1T", "--compute", "1e21"), "inference tokens"),
        (("--axis", "teacher_loss=1.8,1.9", "--compute", "1e21", *CACHED), "teacher loss (nats)"),
        (
            ("--axis", "teacher_loss=6.0,7.0", *ONE, *CACHED, "--set", "loss_unit=perplexity"),
            "teacher loss",
        ),
        (
            ("--axis", "teacher_bpb=0.6,0.7", *ONE, *CACHED, "--set", "bytes_per_token=4.3"),
            "teacher bpb (bits per byte)",
        ),
    ],
)
def test_a_side_has_its_name_and_unit(words, name):
    found = run("sweep", *words, "--student", "1B,3B,7B", "-o", "map")
    lines = [line.strip() for line in found.stdout.splitlines()]
    assert name in lines, found.stderr
    assert "student (parameters)" in lines


def test_days_of_gpus_are_rows_in_days():
    rows = rows_of(("--axis", "gpu_days=0.1,1k", "--gpu", "h100-sxm", "--student", "1B"))
    assert [float(row["gpu_days"]) for row in rows] == [0.1, 1000.0]
    hours = rows_of(("--axis", "gpu_hours=2.4,24k", "--gpu", "h100-sxm", "--student", "1B"))
    assert [row["supervised_loss"] for row in rows] == [row["supervised_loss"] for row in hours]
