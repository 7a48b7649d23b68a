"""`-o csv` and `-o jsonl`: rows have what the JSON has."""

import csv
import io
import json
from pathlib import Path

import pytest

from distillplan.render.answers import ANSWERS
from distillplan.render.row_forms import OPTION_ROW, PLAN_ROW, WAY_ROW
from tests.shell import run

EXAMPLES = Path(__file__).parents[1] / "examples"
QUESTIONS = [
    ["budget", "1e21", "--student", "1B"],
    ["budget", "1e21", "--student", "1B", "--teacher", "llama-3.1-8b", "--quick"],
    ["budget", "64 h100-sxm for 7 days", "--student", "1B", "--teacher", "7B:2T"],
]
ENSEMBLE = ["budget", "1e21", "--student", "1B", "--laws", "all"]
BILL = ("gpu_hours", "cost_usd", "wall_seconds", "memory_bytes_per_gpu")


def rows_of(words):
    text = run(*words, "-o", "csv").stdout
    lines = [json.loads(line) for line in run(*words, "-o", "jsonl").stdout.splitlines()]
    return list(csv.DictReader(io.StringIO(text))), lines


@pytest.mark.parametrize("words", QUESTIONS, ids=" ".join)
def test_rows_are_the_options_of_the_json(words):
    rows, lines = rows_of(words)
    options = json.loads(run(*words, "-o", "json").stdout)["options"]
    assert len(rows) == len(lines) == len(options)
    for row, line, option in zip(rows, lines, options, strict=True):
        assert list(row) == list(line)
        for name, value in line.items():
            if name in BILL:
                whole = option[name]
                assert value == (None if whole is None else whole["mid"])
            elif name.startswith("odds_"):
                whole = option["odds"]
                assert value == (None if whole is None else whole[name.removeprefix("odds_")])
            elif name == "loss_error":
                band = option["loss_band"]
                assert value == (band and max(abs(end - option["loss"]) for end in band))
            else:
                assert value == option[name]
            shown = {None: "", True: "true", False: "false"}.get(value, str(value))
            assert row[name] == shown
    assert sum(line["recommended"] for line in lines) == 1


def test_columns_are_named_as_elsewhere():
    of_options = {*OPTION_ROW.only, *OPTION_ROW.lifted}
    assert {*WAY_ROW.lifted} <= of_options
    assert {*PLAN_ROW.lifted} & of_options >= {"loss", "total_flops", *BILL, "odds_distill"}


def test_rows_of_several_laws_are_what_each_says():
    rows, lines = rows_of(ENSEMBLE)
    said = json.loads(run(*ENSEMBLE, "-o", "json").stdout)["said"]
    assert lines == said
    assert [row["law"] for row in rows] == [one["law"] for one in said]
    assert len(rows) > 10


def test_a_scenario_without_a_plan_has_a_row_that_says_why(tmp_path):
    """Read by a spreadsheet, a row that is missing is missed by nobody."""
    file = tmp_path / "some.yaml"
    file.write_text(
        "base: {student: 1B}\nscenarios: {poor: {compute: 1e15}, fine: {compute: 1e21}}"
    )
    rows, lines = rows_of(["compare", file, "--quick"])
    assert [row["name"] for row in rows] == [line["name"] for line in lines] == ["fine", "poor"]
    assert "cannot train a student of 1.00B" in rows[1]["why"]
    assert rows[1]["why"] == lines[1]["why"]
    assert {value for key, value in rows[1].items() if key not in ("name", "why")} == {""}
    assert (rows[0]["why"], rows[0]["verdict"]) == ("", "supervised")


@pytest.mark.parametrize(
    ("words", "one", "key", "columns"),
    [
        (["laws"], "hoffmann2022_a3", "E", {"E": 1.69, "A": 406.4, "B": 410.7, "gamma": 1.0}),
        (["models"], "llama-3.1-8b", "layers", {"layers": 32, "width": 4096, "vocab": 128256}),
        (["gpus"], "a100-80gb", "vendor", {"memory_bytes": 80e9, "dense_flops_per_s": 312e12}),
    ],
)
def test_lists_are_rows_for_a_spreadsheet(words, one, key, columns):
    """Hoffmann et al. 2022, Equation 10; Llama 3.1's config.json; NVIDIA's data sheet."""
    rows, lines = rows_of(words)
    assert len(rows) == len(lines) > 10
    assert all(row[key] for row in rows)
    (found,) = (line for line in lines if line["name"] == one)
    assert {name: found[name] for name in columns} == pytest.approx(columns, rel=1e-3)
    assert rows_of([*words, one])[1] == [found]


def test_a_prediction_is_a_row():
    words = ["predict", "--student", "1B", "--tokens", "5T", "--teacher-loss", "2.0"]
    (row,), (line,) = rows_of(words)
    whole = json.loads(run(*words, "-o", "json").stdout)
    assert row["gain_nats"] == str(whole["gain_nats"])
    assert [line["gain_low"], line["gain_high"]] == whole["gain_band"]
    assert line["warnings"] == [one["code"] for one in whole["warnings"]] != []


def test_every_answer_has_rows():
    assert [name for name, one in ANSWERS.items() if one.rows is None] == ["Swept"]


FITS = {
    "fit": ["fit", EXAMPLES / "few_runs.csv", "--anchor", "busbridge2025", "--resamples", "20"],
    "pruned": ["fit", EXAMPLES / "cut_runs.csv", "--form", "p2", "--resamples", "20"],
}


@pytest.mark.parametrize("words", FITS.values(), ids=list(FITS))
def test_rows_of_a_fit_are_the_coefficients_of_its_document(words):
    rows, lines = rows_of(words)
    whole = json.loads(run(*words, "-o", "json").stdout)
    letters = whole.get("letters") or [
        {"name": name, **one} for name, one in whole["law"]["coefficients"].items()
    ]
    assert lines == letters
    assert [row["name"] for row in rows] == [one["name"] for one in letters]


def test_the_row_of_an_estimate_is_its_document():
    words = ["estimate", "--model", "7B", "--tokens", "140B", "--gpu", "h100-sxm", "--gpus", "64"]
    _, (line,) = rows_of(words)
    whole = json.loads(run(*words, "-o", "json").stdout)
    asked = whole.pop("question")
    assert line["gpus"] == asked["gpus"] == 64
    assert line["goodput"] == asked["goodput"]["mid"]
    for name in ("gpu_hours", "mfu", "cost_usd", "wall_seconds", "memory_bytes_per_gpu"):
        ends = [line[f"{name}{end}"] for end in ("_low", "", "_high")]
        assert ends == [whole[name][part] for part in ("low", "mid", "high")]
    assert line["warnings"] == [one["code"] for one in whole["warnings"]]
    assert not any(isinstance(one, dict) for one in line.values())


@pytest.mark.parametrize(
    ("words", "of"),
    [(["check", "fig9"], "rows"), (["validate", EXAMPLES / "compare.yaml"], "faults")],
)
def test_rows_are_those_of_the_document(words, of):
    _, lines = rows_of(words)
    assert lines == json.loads(run(*words, "-o", "json").stdout)[of]


def test_a_file_without_faults_has_a_header_and_one_with_some_a_row_for_each(tmp_path):
    sound = run("validate", EXAMPLES / "compare.yaml", "-o", "csv").stdout
    assert sound == "source,line,scenario,key,message\n"
    file = tmp_path / "s.yaml"
    file.write_text("base:\n  compute: 1e21\n  studnt: 1B\n", encoding="utf-8")
    done = run("validate", file, "-o", "csv")
    (row,) = csv.DictReader(io.StringIO(done.stdout))
    assert (done.returncode, row["line"], row["key"]) == (2, "3", "studnt")


def test_rows_of_words_are_their_explanations():
    _, lines = rows_of(["explain"])
    groups = json.loads(run("explain", "-o", "json").stdout)["groups"]
    assert sorted(one["word"] for one in lines) == sorted(w for one in groups for w in one["words"])
    _, (one,) = rows_of(["explain", "few_runs"])
    assert one in lines
