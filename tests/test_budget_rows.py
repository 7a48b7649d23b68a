"""`budget -o csv` and `-o jsonl`: a row for each way to spend the budget, as in the JSON."""

import csv
import io
import json

import pytest

from distillplan.render.document_forms import OPTION_ROW, PLAN_ROW, WAY_ROW
from tests.shell import run

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
