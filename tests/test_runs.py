"""Rows of a file: what is accepted, and how faults are told."""

import csv
import io
import json
import re

import numpy as np
import pytest

from distillplan.errors import InputError
from distillplan.fitting.rows import Rows
from distillplan.fitting.runs import parse_columns, validated_runs

GOOD = "student_params,student_tokens,teacher_loss,loss\n198M,4.8B,2.17,2.67\n1e9,2e10,2.0,2.33\n"


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_suffixes_and_numbers_are_read() -> None:
    runs = validated_runs(table(GOOD), "distillation")
    assert runs.params.tolist() == [198e6, 1e9]
    assert runs.tokens.tolist() == [4.8e9, 2e10]
    assert runs.teacher_loss is not None
    assert runs.teacher_loss.tolist() == [2.17, 2.0]
    assert runs.loss.tolist() == [2.67, 2.33]
    assert len(runs) == 2


def test_json_numbers_are_read() -> None:
    rows = [json.loads('{"params": 1e9, "tokens": "20B", "loss": 2.4}')]
    runs = validated_runs(rows, "supervised", lines=[1])
    assert runs.teacher_loss is None
    assert runs.tokens.tolist() == [2e10]


def test_columns_are_mapped() -> None:
    text = GOOD.replace("student_params", "NS").replace("loss\n", "LS\n", 1)
    columns = parse_columns("student_params=NS, loss=LS", "distillation")
    assert validated_runs(table(text), "distillation", columns=columns).loss.tolist() == [
        2.67,
        2.33,
    ]


@pytest.mark.parametrize("text", ["student_params", "size=NS", "loss=", "loss=a,loss=b"])
def test_a_bad_mapping_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="columns: "):
        parse_columns(text, "distillation")


def test_all_faults_come_in_one_message_by_line() -> None:
    text = (
        "params,tokens,loss\n1B,20B,2.4\n-1,20B,2.4\n1B,twenty,2.4\n1B,20B,\n1B,20B,nan\n"
        "1B,20B,250\n1B,7,2.4\n"
    )
    with pytest.raises(InputError) as caught:
        validated_runs(table(text), "supervised", source="runs.csv")
    message = str(caught.value)
    assert message.startswith("runs.csv: 6 faults, nothing was used: ")
    assert [int(line) for line in re.findall(r"line (\d+)", message)] == [3, 4, 5, 6, 7, 8]
    for part in (
        "'-1' is not positive",
        "'twenty' is not a number",
        "empty",
        "'nan'",
        "'250'",
        "'7'",
    ):
        assert part in message


def test_at_most_twenty_faults_are_shown() -> None:
    text = "params,tokens,loss\n" + "x,20B,2.4\n" * 1000
    with pytest.raises(InputError) as caught:
        validated_runs(table(text), "supervised")
    message = str(caught.value)
    assert message.count("line ") == 20
    assert message.endswith("; and 980 more")
    assert "1000 faults" in message


def test_a_missing_column_names_what_is_there() -> None:
    with pytest.raises(
        InputError, match=r"teacher_loss is missing for distillation runs.*--columns"
    ):
        validated_runs(table("student_params,student_tokens,loss\n1B,2B,2\n"), "distillation")


def test_a_file_without_runs_is_refused() -> None:
    with pytest.raises(InputError, match="no runs"):
        validated_runs([], "supervised")


def test_short_and_long_lines_are_faults() -> None:
    with pytest.raises(InputError, match=r"line 2, loss: empty.*line 3: more fields"):
        validated_runs(table("params,tokens,loss\n1B,20B\n1B,20B,2.4,9\n"), "supervised")


@pytest.mark.parametrize("value", [True, [1], {"a": 1}, None])
def test_json_values_that_are_no_numbers_are_faults(value: object) -> None:
    with pytest.raises(InputError, match="line 1, params"):
        validated_runs([{"params": value, "tokens": 1e9, "loss": 2.0}], "supervised", lines=[1])


def test_runs_become_logarithms() -> None:
    rows = Rows.of(validated_runs(table(GOOD), "distillation"))
    assert rows.log_teacher_loss is not None
    assert np.exp(rows.log_params).tolist() == pytest.approx([198e6, 1e9])
    assert np.exp(rows.log_teacher_loss).tolist() == pytest.approx([2.17, 2.0])
