"""A config.json of an unknown kind is read as Llama's, and every command says so first.

The file here is Llama 3.1 8B's, with 8.03B parameters by its model card, under another name.
"""

import json
from pathlib import Path

import pytest

from tests.shell import codes, run

SIZES = {
    "hidden_size": 4096,
    "num_hidden_layers": 32,
    "intermediate_size": 14336,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "vocab_size": 128256,
}
TOLD = "model_type 'newcomer' is unknown here and was read as if it were Llama: compare 8.03B"
TEACHER, STUDENT = ("--student", "1B", "--teacher", "new.json:2T"), ("--student", "new.json")
H100 = ("--gpu", "h100-sxm", "--gpus", "8")
ASKED = [
    ("models", "new.json"),
    ("budget", "1e22", *TEACHER, "--quick"),
    ("budget", "1e22", *STUDENT, "--quick"),
    ("budget", "1e22", "--student", "300M", "--teacher", "new.json:300B"),  # full of other doubts
    ("budget", "1e22", *TEACHER, "--quick", "--why"),
    ("budget", "1e22", *TEACHER, "--quick", "--laws", "all"),
    (
        "budget",
        "1e22",
        "--student",
        "4B",
        "--start",
        "pruned",
        "--parent",
        "new.json",
        "--parent-loss",
        "2.1",
    ),
    ("target", "--loss", "2.2", *TEACHER),
    ("target", "--match", "new.json:100B", "--student", "3B"),
    ("crossover", *TEACHER),
    ("family", "1e22", "--students", "1B,3B", *TEACHER[2:], "--quick"),
    ("family", "1e22", "--students", "new.json,3B", "--quick"),
    ("predict", "--tokens", "100B", *TEACHER),
    ("predict", "--tokens", "100B", *STUDENT),
    ("teachers", "1e22", *STUDENT),
    ("serve", "--match", "new.json:100B", "--student", "6B"),
    ("serve", "--loss", "2.3", *TEACHER),
    ("pilot", "1e21", *TEACHER),
    ("onpolicy", *STUDENT),
    ("onpolicy", "--student", "qwen2.5-1.5b", "--teacher", "new.json"),
    ("estimate", "--model", "new.json", "--tokens", "10B", *H100),
    ("estimate", "--model", "1B", "--teacher", "new.json", "--tokens", "10B", *H100),
    ("compare", "plans.yaml", "--quick"),
]
SWEPT = ("sweep", "--compute", "1e21,1e22", *TEACHER)
DRAWN = ("plot", "losses", *STUDENT, "-o", "drawn.svg")


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    config = json.dumps({"model_type": "newcomer", **SIZES})
    (tmp_path / "new.json").write_text(config, encoding="utf-8")
    plans = "base: {compute: 1e22, student: 1B}\nscenarios: {a: {}, b: {teacher: 'new.json:2T'}}\n"
    (tmp_path / "plans.yaml").write_text(plans, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("words", ASKED, ids=" ".join)
def test_every_screen_says_it_under_its_answer(words: tuple[str, ...]) -> None:
    """Before any table, whatever else there is to doubt, and once."""
    found = run(*words)
    before_tables, *_ = found.stdout.split("\n\n")
    assert TOLD in " ".join(before_tables.split()), found
    assert " ".join(found.stdout.split()).count(TOLD) == 1


@pytest.mark.parametrize("words", [one for one in ASKED if "--why" not in one], ids=" ".join)
def test_every_document_has_the_warning_once(words: tuple[str, ...]) -> None:
    found = json.loads(run(*words, "-o", "json").stdout)
    told = found if "warnings" in found else found["plans"][1]
    assert "unknown_architecture" in codes(told)
    assert sum(one["code"] == "unknown_architecture" for one in told["warnings"]) == 1


def test_two_files_are_both_named(tmp_path: Path) -> None:
    other = json.dumps({"model_type": "stranger", **SIZES, "num_hidden_layers": 16})
    (tmp_path / "other.json").write_text(other, encoding="utf-8")
    words = ("--student", "other.json", "--teacher", "new.json:2T", "--quick")
    found = " ".join(run("budget", "1e22", *words).stdout.split("\n\n")[0].split())
    assert TOLD in found
    assert "model_type 'stranger' is unknown here" in found


def test_a_sweep_says_in_how_many_cells() -> None:
    first, *_ = run(*SWEPT).stdout.split("\n\n")
    told = "cells a config.json of an unknown architecture was read as if it were Llama's"
    assert f"In all {told}" in " ".join(first.split())
    some = run(*SWEPT[:-1], "new.json:2T,7B:2T").stdout
    assert f"In 2 of 4 {told}" in " ".join(some.split())


def test_a_picture_which_has_no_words_is_written_with_them() -> None:
    assert TOLD in run(*DRAWN).stdout


def test_a_report_says_it_under_the_verdict(tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    run("report", "plans.yaml", "-o", page)
    assert TOLD in page.read_text(encoding="utf-8").replace("&#x27;", "'")
