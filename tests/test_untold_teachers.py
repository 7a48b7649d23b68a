"""Rows that speak of a teacher and do not say its loss are never taken for runs without one."""

import numpy as np
import pytest

from distillplan.errors import InputError
from distillplan.planning.results import Method
from tests.test_runs_file import codes, read

ROWS = (("60M,600M", "3.47"), ("60M,9.6B", "3.03"), ("250M,2.5B", "2.96"), ("90M,2B", "3.03"))
"""Three runs without a teacher, and one that had one."""


def table(column, alone, taught, *, more="", filled=""):
    """The runs with a column that says which is which."""
    header = f"params,tokens,{column},loss{more and f',{more}'}"
    return "\n".join(
        [
            header,
            *(
                f"{sizes},{taught if last else alone},{loss}"
                + (f",{filled if last else ''}" if more else "")
                for (sizes, loss), last in zip(ROWS, (False, False, False, True), strict=True)
            ),
        ]
    )


@pytest.mark.parametrize(
    ("column", "alone", "taught", "write"),
    [
        ("teacher", "", "llama-3.1-8b", "teacher_loss=COLUMN"),
        ("teacher", "none", "llama-3.1-8b", "teacher_loss=COLUMN"),
        ("teacher_params", "", "8B", "teacher_loss=COLUMN"),
        ("teacher_bpb", "", "0.8", "teacher_loss=teacher_bpb"),
        ("teacher_ppl", "", "9.5", "teacher_loss=teacher_ppl"),
        ("teacher_ce", "", "2.1", "teacher_loss=teacher_ce"),
        ("teacher_nll", "nan", "2.1", "teacher_loss=teacher_nll"),
        ("kd_teacher", "", "2.1", "teacher_loss=kd_teacher"),
        ("config.teacher_model", "-", "qwen3-8b", "teacher_loss=COLUMN"),
        ("method", Method.SUPERVISED.value, Method.DISTILL.value, "= supervised"),
        ("method", "sup", "kd", "'method = sup'"),
        ("kind", "ce", "distilled", "'kind = ce'"),
        ("train_type", "baseline", "logit distillation", "'train_type = baseline'"),
        ("objective", "next-token", "CE+KD", "'objective = next-token'"),
        ("mode", "no_kd", "seq-kd", "'mode = no_kd'"),
        ("role", "teacher", "student", "'role = teacher'"),
        ("distilled", "no", "yes", "'distilled = no'"),
        ("use_kd", "False", "True", "'use_kd = False'"),
    ],
)
def test_a_row_that_speaks_of_a_teacher_needs_its_loss(tmp_path, column, alone, taught, write):
    """As many runs without a teacher as were written, whichever way the rows say it."""
    text = table(column, alone, taught)
    with pytest.raises(InputError) as caught:
        read(tmp_path, text)
    assert f"a row has a teacher by the column {column!r} (line 5: {taught})" in str(caught.value)
    assert write in str(caught.value)
    runs = read(tmp_path, text, form="supervised")
    assert (len(runs), codes(runs)) == (3, ["distilled_left_out"])
    runs = read(tmp_path, table(column, alone, taught, more="teacher_loss", filled="2.4"))
    assert runs.distilled.tolist() == [False, False, False, True]


@pytest.mark.parametrize(
    ("column", "alone", "taught"),
    [
        ("teacher", "", "llama-3.1-8b"),
        ("teacher", "none", "llama-3.1-8b"),
        ("method", "sup", "kd"),
        ("teacher_ce", "", "2.1"),
    ],
)
def test_the_rows_are_left_out_by_the_condition_that_the_error_names(
    tmp_path, column, alone, taught
):
    text = table(column, alone, taught)
    with pytest.raises(InputError) as caught:
        read(tmp_path, text)
    condition = str(caught.value).partition("--where '")[2].partition("', or")[0]
    assert len(read(tmp_path, text, where=(condition,))) == 3


def test_a_mapped_column_is_the_teachers_loss(tmp_path):
    runs = read(tmp_path, table("teacher_ce", "", "2.1"), columns="teacher_loss=teacher_ce")
    assert np.isnan(runs.teacher_loss).tolist() == [True, True, True, False]
    assert runs.teacher_loss[-1] == 2.1


@pytest.mark.parametrize(
    ("column", "alone", "last"),
    [
        ("teacher", "", ""),
        ("taught", "no", "no"),
        ("method", "sup", "sup"),
        ("is_teacher", "no", "yes"),
        ("optimizer_type", "adamw", "muon"),
        ("model", "distilgpt2", "gpt2"),
        ("kd_temperature", "1.0", "1.0"),
        ("teacher_forcing", "yes", "yes"),
        ("config.teacher-forced", "no", "yes"),
        ("teacher_forcing_ratio", "", "1.0"),
    ],
)
def test_what_says_nothing_of_a_teacher_is_no_reason_to_refuse(tmp_path, column, alone, last):
    assert len(read(tmp_path, table(column, alone, last))) == 4


def test_a_row_that_says_it_had_none_is_believed(tmp_path):
    """A tracker fills a teacher's name in for all runs, and the method tells them apart."""
    text = table("method,teacher", "sup,llama-3.1-8b", "sup,llama-3.1-8b")
    assert len(read(tmp_path, text)) == 4


@pytest.mark.parametrize(
    ("column", "cell"),
    [("job_type", "student-run"), ("teacher", "llama-3.1-8b"), ("teacher_model", "ours")],
)
def test_rows_that_all_speak_of_a_teacher_are_supervised_if_that_is_said(tmp_path, column, cell):
    """The inverse: they are the runs of the file without that column."""
    text = table(column, cell, cell)
    with pytest.raises(InputError, match="add --form supervised if they had none"):
        read(tmp_path, text)
    runs = read(tmp_path, text, form="supervised")
    assert codes(runs) == ["taken_as_supervised"]
    plain = read(tmp_path, table("lr", "1", "1"))
    assert (runs.loss.tolist(), runs.kind) == (plain.loss.tolist(), "supervised")


def test_a_column_that_speaks_of_a_teacher_in_some_rows_may_be_renamed(tmp_path):
    text = table("job_type", "sweep", "student-run")
    with pytest.raises(InputError, match="or rename the column if they had none"):
        read(tmp_path, text)
    assert len(read(tmp_path, text.replace("job_type", "job"))) == 4
