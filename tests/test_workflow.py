"""The commands inside a workflow: programs that were not written here read what they print."""

import csv
import io
import json
import os
import pty
import shutil
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
import yaml

from distillplan.laws.law_catalog import law
from distillplan.optimize.problems import LONGEST_TRAINING
from distillplan.planning.verdict_records import Verdict
from tests.schemas import validate
from tests.shell import run, told_in_one_sentence

EXAMPLES = Path(__file__).parents[1] / "examples"
COMPARE = ["compare", str(EXAMPLES / "compare.yaml")]
GRID = ["sweep", str(EXAMPLES / "grid.yaml")]
AXES = ["sweep", "--compute", "1e19:1e24:6", "--student", "300M,1B", "--teacher", "7B:2T,13B:1T"]
TARGET = ["target", "--loss", "2.2", "--student", "1B"]
CROSSOVER = ["crossover", "--student", "300M,3B"]
COMMANDS = {
    "comparison": COMPARE,
    "sweep": GRID,
    "target": TARGET,
    "crossover": CROSSOVER,
}


VERDICTS = ("distill", "tie", "supervised")


def through(program, text):
    """What another program makes of a text; skipped where it is not installed."""
    if shutil.which(program[0]) is None:
        pytest.skip(f"{program[0]} is not installed")
    found = subprocess.run(program, input=text, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
    return found.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_json_is_one_document_of_its_schema(name):
    found = run(*COMMANDS[name], "-o", "json")
    assert found.returncode == 0
    assert found.stderr == ""
    through([sys.executable, "-m", "json.tool"], found.stdout)
    validate(json.loads(found.stdout, parse_constant=pytest.fail), name)


def test_schemas_of_comparisons_look_into_their_plans():
    answer = json.loads(run(*COMPARE, "-o", "json").stdout)
    answer["plans"][0]["options"][0]["loss"] = "low"
    with pytest.raises(jsonschema.ValidationError):
        validate(answer, "comparison")


def test_jq_reads_the_verdicts():
    answer = run(*COMPARE, "-o", "json").stdout
    verdicts = through(["jq", "-r", ".plans[].verdict"], answer).split()
    assert verdicts == ["supervised", "tie", "distill"]


def test_jq_reads_json_lines():
    text = run(*AXES, "-o", "jsonl").stdout
    verdicts = through(["jq", "-r", ".verdict"], text).split()
    assert len(verdicts) == 24
    assert set(verdicts) <= {"distill", "supervised", "tie", "null"}
    reasons = through(["jq", "-r", "select(.verdict == null).verdict_reason"], text).split()
    assert len(reasons) == verdicts.count("null")
    assert set(reasons) <= {"far_outside_fit", "worse_than_guessing"}


@pytest.mark.parametrize("words", [COMPARE, AXES, TARGET, CROSSOVER], ids=lambda words: words[0])
def test_csv_and_json_lines_have_the_same_rows(words):
    """Read by the standard library: numbers to the last digit, empty for null."""
    rows = list(csv.DictReader(io.StringIO(run(*words, "-o", "csv").stdout)))
    lines = [json.loads(line) for line in run(*words, "-o", "jsonl").stdout.splitlines()]
    assert len(rows) == len(lines) >= 3
    if words is COMPARE:  # its lines are whole plans
        assert [row["name"] for row in rows] == [line["name"] for line in lines]
        assert [float(row["margin_nats"]) for row in rows] == [
            line["margin_nats"] for line in lines
        ]
        return
    for row, line in zip(rows, lines, strict=True):
        assert list(row) == list(line)
        for key, value in line.items():
            if isinstance(value, float):
                assert float(row[key]) == value
            elif value is None:
                assert row[key] == ""
            elif isinstance(value, list):
                assert row[key].split() == value
            elif not isinstance(value, bool):
                assert row[key] == str(value)


def test_pandas_reads_a_sweep():
    pandas = pytest.importorskip("pandas", reason="heavy; DuckDB is in the test extra")
    frame = pandas.read_csv(io.StringIO(run(*AXES, "-o", "csv").stdout))
    lines = pandas.read_json(io.StringIO(run(*AXES, "-o", "jsonl").stdout), lines=True)
    assert frame.shape[0] == lines.shape[0] == 24
    assert frame["margin_nats"].dtype == float
    best = frame.groupby("student_params")["margin_nats"].max()
    assert best.index.tolist() == [3e8, 1e9]


def test_duckdb_reads_a_sweep(tmp_path):
    duckdb = pytest.importorskip("duckdb", reason="not the test extra")
    for form in ("csv", "jsonl"):
        (tmp_path / f"s.{form}").write_text(run(*AXES, "-o", form).stdout, encoding="utf-8")
    with duckdb.connect() as database:
        query = "select count(*), sum(margin_nats) from read_{}('{}')"
        (one,) = database.sql(query.format("csv_auto", tmp_path / "s.csv")).fetchall()
        (other,) = database.sql(query.format("json_auto", tmp_path / "s.jsonl")).fetchall()
    assert one[0] == other[0] == 24
    assert one[1] == pytest.approx(other[1], rel=1e-12)


@pytest.mark.parametrize(
    "options",
    [
        {"student": "1B"},
        {"student": "1B", "teacher": "7B:2T"},
        {"student": "3B", "students": 8, "logits": "stored"},
        {"student": "1B", "inference-tokens": "100B", "max-unique-tokens": "30B"},
        {"law": "besiroglu2024"},
    ],
    ids=str,
)
def test_compare_of_one_scenario_is_budget(tmp_path, options):
    """To the last digit, in every key."""
    block = {"compute": 1e21} | {key.replace("-", "_"): value for key, value in options.items()}
    path = tmp_path / "one.yaml"
    path.write_text(yaml.safe_dump({"scenarios": {"it": block}}), encoding="utf-8")
    words = [str(word) for key, value in options.items() for word in (f"--{key}", value)]
    alone = json.loads(run("budget", "1e21", *words, "-o", "json").stdout)
    (compared,) = json.loads(run("compare", str(path), "-o", "json").stdout)["plans"]
    assert compared.pop("name") == "it"
    assert compared == alone


def test_a_pipeline_of_files(tmp_path):
    """cat s.yaml | distillplan compare - -o csv"""
    text = (EXAMPLES / "compare.yaml").read_text(encoding="utf-8")
    found = run("compare", "-", "-o", "csv", stdin=text, folder=tmp_path)
    assert found.returncode == 0
    assert found.stdout == run(*COMPARE, "-o", "csv").stdout


def test_gates_name_what_failed_and_the_answer_stands():
    demands = ["--assert", "verdict = distill", "--assert", "loss <= 3"]
    found = run(*COMPARE, *demands, "-o", "json")
    assert found.returncode == 3
    assert len(json.loads(found.stdout)["plans"]) == 3
    assert found.stderr.splitlines() == [
        "assertion failed: alone: verdict = distill, but it is supervised",
        "assertion failed: online: verdict = distill, but it is tie",
    ]
    found = run("budget", "1e21", "--student", "1B", *demands, "-o", "json")
    assert found.returncode == 3
    assert json.loads(found.stdout)["verdict"] == "supervised"
    assert found.stderr == "assertion failed: verdict = distill, but it is supervised\n"


def test_a_broken_file_is_2_and_a_gate_is_3(tmp_path):
    path = tmp_path / "s.yaml"
    path.write_text("base: {compute: 1e21, studnt: 1B}\nassert: {verdict: distill}")
    for command in ("compare", "sweep", "validate"):
        found = run(command, str(path))
        assert (found.returncode, found.stdout) == (2, "")
        assert "did you mean 'student'" in found.stderr
    path.write_text("base: {compute: 1e21, student: 1B}\nassert: {verdict: distill}")
    assert run("compare", str(path)).returncode == 3
    assert run("validate", str(path)).returncode == 0
    assert run("plot", "compare", str(path), "-o", "json").returncode == 3


@pytest.mark.parametrize("at", ["top", "base", "scenario", "extended"])
@pytest.mark.parametrize("words", [("sweep",), ("family", "--students", "1B,3B", "--file")])
def test_a_command_that_checks_no_assertion_does_not_pass_over_one(tmp_path, words, at):
    """Wherever the file, or the one that it extends, has it."""
    demand = {"assert": {"verdict": "distill"}}
    within = {"base": {"compute": 1e21}, "scenarios": {"it": {"teacher": "7B:2T"}}}
    (tmp_path / "below.yaml").write_text(yaml.safe_dump({"base": {"vocab": 32_000} | demand}))
    places = {"top": within, "base": within["base"], "scenario": within["scenarios"]["it"]}
    places.get(at, {}).update(demand)
    if at == "extended":
        within["extends"] = "below.yaml"
    path = tmp_path / "s.yaml"
    path.write_text(yaml.safe_dump(within), encoding="utf-8")
    told_in_one_sentence(run(*words, path), 2, "only distillplan compare, plot compare and report")


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["compare", "gone.yaml"], 2, "gone.yaml: cannot be read"),
        (["compare"], 2, "missing argument"),
        ([*COMPARE, "--set", "compute"], 2, "not KEY=VALUE"),
        ([*COMPARE, "--set", "computer=1e21"], 2, "did you mean 'compute'"),
        ([*COMPARE, "--set", "compute=1e10"], 2, "cannot train"),
        ([*COMPARE, "--baseline", "alon"], 2, "did you mean 'alone'"),
        ([*COMPARE, "--assert", "verdict"], 2, "not a key"),
        (["sweep", "--student", "1B"], 2, "the budget is missing"),
        (["sweep", "--compute", "1e19:1e24"], 2, "does not say how many values"),
        (["sweep", "--compute", "1e19:1e24:3", "--axis", "vocb=1,2"], 2, "did you mean 'vocab'"),
        (["sweep", "--compute", "1e21", "--logits", "cached"], 2, "no teacher has written"),
        (["sweep", "--compute", "1e21", "--student", "1B", "-o", "html"], 2, "none of"),
        (
            ["target", "--loss", "1.9", "--student", "1B"],
            1,
            f"the nearest is {law().supervised.loss(1e9, LONGEST_TRAINING):.4f}, pretraining",
        ),
        (["target", "--student", "1B"], 2, "give either --loss or --match"),
        (["target", "--match", "3B", "--student", "1B"], 2, "has no tokens"),
        (["target", "--loss", "2", "--minimise", "student"], 2, "add --compute"),
        (["target", "--loss", "2", "--compute", "1e21"], 2, "leave it out"),
        (["target", "--loss", "2", "--minimize", "cost"], 2, "needs a GPU"),
        (["crossover"], 2, "missing option"),
        (["crossover", "--student", "1B", "--accounting", "fre"], 2, "none of free"),
        (["crossover", "--student", "1B", "--gain", "0.01,x"], 2, "not a list of gains"),
        (["crossover", "--student", "1B", "--gain", "nan"], 2, "not a list of gains"),
        (["crossover", "--student", "1B", "--law", "besiroglu2024"], 2, "nothing about"),
        (["validate", "gone.yaml"], 2, "cannot be read"),
        (["budget", "1e21", "--assert", "los <= 2"], 2, "did you mean 'loss'"),
        (["budget", "1e21", "--quick", "--assert", "odds.distill > 0"], 2, "leave out --quick"),
        (["budget", "1e21", "--assert", "fits = yes"], 2, "add --gpu h100-sxm"),
        (["budget", "1e21", "--gpu", "h20", "--assert", "cost_usd < 9"], 2, "add --price 2.5"),
        (["budget", "1e21", "--gpu", "h20", "--assert", "co2_kg < 9"], 2, "add --country FRA"),
        ([*COMPARE, "--assert", "supervised.fits = yes"], 2, "alone: assertion supervised.fits"),
        ([*COMPARE, "--quick", "--assert", "distill.loss_band.low < 9"], 2, "leave out --quick"),
        (["budget", "1e21", "--inference-tokens", "-1"], 2, "--inference-tokens: '-1'"),
    ],
    ids=lambda value: " ".join(value[:4]) if isinstance(value, list) else None,
)
def test_mistakes_get_one_sentence(words, code, says):
    told_in_one_sentence(run(*words), code, says)


@pytest.mark.parametrize("columns", ["80", "60"])
def test_the_difference_that_was_asked_for_is_shown_on_a_narrow_screen(columns):
    """Other columns are left out first. It is the loss minus the baseline's, to three digits."""
    plans = json.loads(run(*COMPARE, "-o", "json").stdout)["plans"]
    losses = [next(way["loss"] for way in one["options"] if way["recommended"]) for one in plans]
    text = run(*COMPARE, "--baseline", "alone", COLUMNS=columns).stdout
    header, _, *rows = text[text.index("   verdict") :].splitlines()[:4]
    assert "difference" in header
    for row, loss in zip(rows, losses[1:], strict=True):
        assert f"{loss - losses[0]:+.3f}" in row.split()


@pytest.mark.parametrize("words", [*COMMANDS.values(), AXES], ids=lambda words: " ".join(words[:2]))
def test_tables_fit_80_columns(words):
    found = run(*words, COLUMNS="80", NO_COLOR="1")
    assert found.returncode == 0
    assert max(map(len, found.stdout.splitlines())) <= 80
    assert "\x1b" not in found.stdout


@pytest.mark.parametrize("words", [COMPARE, TARGET, CROSSOVER], ids=lambda words: words[0])
def test_markdown_has_a_table(words):
    lines = run(*words, "-o", "markdown").stdout.splitlines()
    assert any(set(line) <= set("|-: ") and "--" in line for line in lines)


def test_the_odds_of_a_sweep_stand_beside_its_verdicts():
    words = ["sweep", "--compute", "1e19,1e21", "--student", "300M,3B", "--teacher", "7B:2T"]
    words += ["--logits", "cached"]
    rows = list(csv.DictReader(io.StringIO(run(*words, "--odds", "-o", "csv").stdout)))
    table = run(*words, "--odds").stdout.splitlines()[1:]
    for row, line in zip(rows, table, strict=True):
        verdict, odds = row["verdict"], [row[f"odds_{name}"] for name in VERDICTS]
        assert sum(map(float, filter(None, odds))) == pytest.approx(1 if verdict else 0)
        shown = ["none"]
        if verdict:
            shown = [Verdict(verdict).shown, f"{float(row[f'odds_{verdict}']):.0%}"]
        assert line.split()[4 : 4 + len(shown)] == shown
    assert {row["verdict"] for row in rows} >= {"distill", ""}
    assert "odds" not in run(*words).stdout


def test_scenarios_are_rows_and_the_best_is_marked(tmp_path):
    path = tmp_path / "many.yaml"
    path.write_text("base: {compute: 1e21}\nmatrix: {student: [300M, 1B, 3B, 10B]}")
    table = run("compare", str(path), COLUMNS="100").stdout
    rows = [line for line in table.splitlines() if line[2:].startswith("student ")]
    assert len(rows) == 4
    path.write_text(
        "base: {compute: 1e21, student: 3B, logits: cached}\n"
        "scenarios: {weak: {teacher: 1B:20B}, strong: {teacher: 7B:1T}}"
    )
    (marked,) = (line for line in run("compare", str(path)).stdout.splitlines() if "→" in line)
    assert marked.split()[:3] == ["→", "strong", "distill"]


def test_names_are_shown_as_they_are(tmp_path):
    path = tmp_path / "s.yaml"
    names = ["[/red]", "[bold]x", ":smile:", "a|b", "=1+1", "ü, ß"]
    block = {name: {"compute": 1e21, "student": "1B"} for name in names}
    path.write_text(yaml.safe_dump({"scenarios": block}), encoding="utf-8")
    table = run("compare", str(path), COLUMNS="120").stdout
    rows = csv.DictReader(io.StringIO(run("compare", str(path), "-o", "csv").stdout))
    assert all(name in table for name in names)
    assert sorted(row["name"] for row in rows) == sorted(names)


@pytest.mark.slow
def test_a_reader_may_leave_a_sweep_early():
    """As `distillplan sweep ... -o csv | head -2` does: no traceback, no rows for nobody."""
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "distillplan",
            "sweep",
            "--compute",
            "1e19:1e24:400",
            "--student",
            "100M:10B:400",
            "-o",
            "csv",
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    head = [process.stdout.readline() for _ in range(2)]
    process.stdout.close()
    error = process.stderr.read()
    process.stderr.close()
    assert process.wait(timeout=30) == 0  # 160 000 cells would take longer
    assert head[0].startswith(b"compute,student_params,verdict")
    assert head[1].startswith(b"1e+19,100000000.0,")
    assert b"Traceback" not in error


def test_the_progress_bar_is_for_terminals_only():
    """On a terminal's standard error there is one, elsewhere nothing."""
    assert run(*AXES, "-o", "csv").stderr == ""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "distillplan", *AXES, "-o", "csv"],
        stdout=subprocess.PIPE,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm"},
    )
    rows = process.stdout.read().decode().splitlines()
    process.stdout.close()
    process.wait()
    os.close(theirs)
    shown = os.read(ours, 100_000).decode()
    os.close(ours)
    assert len(rows) == 25
    assert "cells" in shown


@pytest.mark.parametrize("module", ["scipy", "matplotlib", "rich.table"])
def test_rows_import_nothing_slow(module):
    script = (
        "import sys\n"
        "sys.argv = ['distillplan', 'sweep', '--compute', '1e21', '--student', '1B', '-o', 'csv']\n"
        "from distillplan.cli.app import run\n"
        "run()\n"
        f"sys.stderr.write(str({module!r} in sys.modules))"
    )
    found = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert found.stderr.endswith("False")


@pytest.mark.parametrize("output", ["table", "json", "markdown"])
def test_a_reader_who_leaves_early_is_no_error(output):
    process = subprocess.Popen(
        [sys.executable, "-m", "distillplan", "laws", "busbridge2025", "-o", output],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait() == 0


@pytest.mark.parametrize(
    ("words", "shows_hours"),
    [
        (["--compute", "1e21"], False),
        (["--compute", "1e21", "--gpu", "h100-sxm,a100-80gb"], True),
        (["--axis", "gpu_hours=1k,2k", "--gpu", "h100-sxm"], False),
    ],
)
def test_a_sweep_on_machines_shows_hours_where_they_differ(words, shows_hours):
    shown = run("sweep", "--student", "1B", *words).stdout
    assert ("GPU-hours" in shown) is shows_hours
    assert max(map(len, shown.splitlines())) <= 80
