"""Files of runs: CSV and JSON Lines, with all faults at once."""

import io
import json
import sys
from types import SimpleNamespace

import pytest

from distillplan.errors import InputError
from distillplan.fitting.runs_file import read_rows, read_runs

CSV = "params,tokens,loss\n1B,20B,2.4\n2e9,4e10,2.2\n"


def written(tmp_path, text, name="runs.csv"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_csv_with_suffixes_comments_and_blank_lines(tmp_path):
    text = "\ufeff# made up\n\nparams, tokens, loss\n1B, 20B, 2.4\n\n# more\n2e9,4e10,2.2\n"
    runs, file = read_runs(written(tmp_path, text))
    assert runs.kind == "supervised"
    assert runs.params.tolist() == [1e9, 2e9]
    assert file.lines == (4, 7)
    assert file.source == "runs.csv"


def test_json_lines_are_the_same_runs(tmp_path):
    rows = [{"params": "1B", "tokens": 2e10, "loss": 2.4}, {"params": 2e9, "tokens": "40B"}]
    rows[1]["loss"] = 2.2
    text = "\n".join(map(json.dumps, rows))
    found, _ = read_runs(written(tmp_path, text, "runs.jsonl"))
    same, _ = read_runs(written(tmp_path, CSV))
    assert found.params.tolist() == same.params.tolist()
    assert found.loss.tolist() == same.loss.tolist()


def test_a_teacher_makes_a_distillation_run(tmp_path):
    text = "student_params,student_tokens,teacher_loss,loss\n1B,20B,2.1,2.4\n"
    assert read_runs(written(tmp_path, text))[0].kind == "distillation"
    text = "N,D,T,L\n1B,20B,2.1,2.4\n"
    columns = "student_params=N,student_tokens=D,teacher_loss=T,loss=L"
    assert read_runs(written(tmp_path, text), None, columns)[0].kind == "distillation"


def test_a_column_named_after_a_teacher_makes_no_distillation_run(tmp_path):
    """Only the names that are mapped decide, not a column's own name."""
    text = "params,tokens,no_teacher_loss\n1B,20B,2.4\n"
    runs, _ = read_runs(written(tmp_path, text), None, "loss=no_teacher_loss")
    assert runs.kind == "supervised"


def test_standard_input_is_read(monkeypatch):
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(CSV.encode())))
    runs, file = read_runs("-")
    assert (len(runs), file.source) == (2, "standard input")


def test_the_digest_tells_files_apart(tmp_path):
    first = read_rows(written(tmp_path, CSV)).digest
    assert first == read_rows(written(tmp_path, CSV, "copy.csv")).digest
    assert first != read_rows(written(tmp_path, CSV + "3B,60B,2.1\n", "more.csv")).digest


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no runs"),
        ("params,tokens,loss\n", "no runs"),
        ("params,tokens,tokens\n1,2,3\n", "duplicate column 'tokens'"),
        ("params,tokens\n1B,2B\n", "column loss is missing"),
        ("params,tokens,loss\n1B,20B,x\n1B,,2.3\n", "2 faults.*line 2, loss.*line 3, tokens"),
        ("params,tokens,loss\n1B,20B,2.3,9\n", "line 2: more fields"),
        ("params,tokens,loss\n1B,20B,2.3\n1B\n", "line 3, tokens: empty; .*line 3, loss: empty"),
        ('params,tokens,loss\n"1B,20B,2.3\n', "line 2: not readable as CSV"),
        ('{"params": 1}\n[]\nnonsense\n', "line 2, line 3: not a JSON object"),
        ('{"params": "1B", "tokens": "2B"}\n', "column loss is missing"),
        (
            '{"params": "1B", "tokens": "2B"}\n{"params": "1B", "tokens": "2B", "loss": 2}\n',
            "line 1, loss: empty",
        ),
    ],
)
def test_faults_are_told_by_line_all_at_once(tmp_path, text, says):
    with pytest.raises(InputError, match=f"(?s){says}"):
        read_runs(written(tmp_path, text), "supervised")


def test_what_is_no_text_is_refused(tmp_path):
    path = tmp_path / "runs.csv"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="not UTF-8"):
        read_runs(str(path))
    with pytest.raises(InputError, match="cannot be read"):
        read_runs(str(tmp_path / "none.csv"))
