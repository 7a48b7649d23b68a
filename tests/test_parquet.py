"""Rows as Parquet, read by DuckDB, which does not read them with the library that wrote them."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from unittest import mock

import pytest

from distillplan.errors import InputError
from distillplan.render import parquet_rows
from tests.shell import run

EXAMPLES = Path(__file__).parents[1] / "examples"
AXES = ("--compute", "1e19:1e24:5", "--student", "300M,3B", "--teacher", "7B:2T,13B:1T", "--odds")
written = pytest.mark.skipif(
    importlib.util.find_spec("pyarrow") is None, reason="needs the extra parquet (pyarrow)"
)


def parquet(path, *words):
    """What a process writes to its standard output, as a file."""
    with path.open("wb") as file:
        subprocess.run(
            [sys.executable, "-m", "distillplan", "sweep", *words, "-o", "parquet"],
            stdout=file,
            check=True,
            cwd=EXAMPLES,
        )
    return path


def read(path):
    """The types of the columns, and the rows."""
    duckdb = pytest.importorskip("duckdb", reason="not the test extra")
    with duckdb.connect() as database:
        table = database.sql(f"select * from read_parquet('{path}')")  # noqa: S608 - our own
        types = dict(zip(table.columns, map(str, table.types), strict=True))
        return types, [dict(zip(table.columns, row, strict=True)) for row in table.fetchall()]


def lines(*words):
    return [
        *map(json.loads, run("sweep", *words, "-o", "jsonl", folder=EXAMPLES).stdout.splitlines())
    ]


@written
@pytest.mark.parametrize(
    "words", [AXES, ("grid.yaml", "--axis", "gpus=8,16", "--axis", "gpu=h100-sxm")], ids=len
)
def test_the_rows_are_those_of_json_lines(tmp_path, words):
    types, rows = read(parquet(tmp_path / "rows.parquet", *words))
    wanted = lines(*words)
    assert rows == wanted
    assert list(rows[0]) == list(wanted[0])
    assert types["compute"] == types["student_params"] == types["margin_nats"] == "DOUBLE"
    assert types["verdict"] == "VARCHAR"
    assert types["warnings"] == "VARCHAR[]"


@written
def test_shards_have_the_same_columns_and_are_the_whole_together(tmp_path):
    found = [
        read(parquet(tmp_path / f"{one}.parquet", *AXES, "--shard", f"{one}/23"))
        for one in (1, 12, 20, 21, 23)
    ]
    whole, rows = read(parquet(tmp_path / "whole.parquet", *AXES, "--jobs", "2"))
    assert all(list(types.items()) == list(whole.items()) for types, _ in found)
    assert [part for _, part in found] == [[rows[0]], [rows[11]], [rows[19]], [], []]


@written
def test_an_axis_of_words_and_numbers_is_words(tmp_path):
    words = ("--compute", "1e21", "--student", "1B,llama-3.2-1b", "--axis", "gpu=h100-sxm,null")
    words = (*words[:4], "--axis", "students=1,8")
    types, rows = read(parquet(tmp_path / "rows.parquet", *words))
    assert types["student_params"] == "VARCHAR"
    assert [row["student_params"] for row in rows][::2] == ["1000000000.0", "llama-3.2-1b"]
    assert [row["students"] for row in rows] == [1, 8, 1, 8]


@written
def test_an_error_writes_no_part_of_a_file():
    from distillplan.questions import sweep

    broken = mock.patch.object(sweep, "solve", side_effect=InputError("no"))
    with broken:
        found = run("sweep", *AXES, "-o", "parquet")
    assert (found.returncode, found.stdout, found.stderr) == (2, "", "error: no\n")


def test_without_the_library_one_sentence_says_what_to_install():
    with mock.patch.object(importlib.util, "find_spec", return_value=None):
        found = run("sweep", *AXES, "-o", "parquet")
    assert (found.returncode, found.stdout) == (2, "")
    assert found.stderr == (
        "error: -o parquet needs pyarrow; install it with: pip install 'distillplan[parquet]'\n"
    )


def test_a_terminal_gets_no_parquet():
    with (
        mock.patch.object(importlib.util, "find_spec", return_value=object()),
        mock.patch.object(parquet_rows.sys, "stdout") as terminal,
    ):
        terminal.isatty.return_value = True
        with pytest.raises(InputError, match=r"write it to a file: -o parquet > FILE\.parquet"):
            parquet_rows.demand_parquet()
