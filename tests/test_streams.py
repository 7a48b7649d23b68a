"""Standard output and error as shells have them: readers that leave, encodings that lack marks."""

import atexit
import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from tests.starts import CLOSED, starts

EXAMPLES = Path(__file__).parents[1] / "examples"
BUDGET = ("budget", "1e21", "--student", "1B")
ASSERTED = (*BUDGET, "--quick", "--assert", "verdict = distill")


def start(*words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **environment):
    return subprocess.Popen(
        [sys.executable, "-m", "distillplan", *words],
        stdout=stdout,
        stderr=stderr,
        cwd=EXAMPLES,
        env={**os.environ, **environment},
    )


@cache
def copies(**environment):
    """Starts under some environment, for as long as the tests run."""
    opened = starts(EXAMPLES, **environment)
    atexit.register(opened.__exit__, None, None, None)
    return opened.__enter__()


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize(
    ("code", "words"),
    [
        *((3, (*ASSERTED, "-o", form)) for form in ("table", "json", "markdown")),
        *(
            (3, ("compare", "compare.yaml", "--quick", "--assert", "loss <= 1", "-o", form))
            for form in ("csv", "jsonl")
        ),
        (0, ("budget", "--help")),
        (0, ("laws", "-o", "json")),
        (0, ("schema", "plan")),
        (0, ("validate", "compare.yaml")),
    ],
    ids=lambda value: value if isinstance(value, int) else " ".join(value),
)
def test_a_reader_who_leaves_changes_no_exit_code(code, words, unbuffered):
    left = copies(PYTHONUNBUFFERED=unbuffered).run(*words, stdout=CLOSED)
    assert left.returncode == code
    assert b"Traceback" not in left.stderr
    assert b"BrokenPipe" not in left.stderr


@pytest.mark.parametrize("words", [("budget", "much"), ("budget",), ("bdget",)], ids=" ".join)
def test_a_reader_of_errors_may_leave_too(words):
    assert copies().run(*words, stdout=CLOSED, stderr=CLOSED).returncode == 2


def test_no_reader_at_all():
    """As `distillplan ... >&-` in a shell."""
    words = " ".join(f"'{word}'" for word in ASSERTED)
    command = f"'{sys.executable}' -m distillplan {words} >&- 2>&-"
    assert subprocess.run(["/bin/sh", "-c", command], check=False).returncode == 3


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_is_one_line():
    with Path("/dev/full").open("w") as full:
        process = start(*BUDGET, "--quick", stdout=full)
        _, error = process.communicate(timeout=60)
    assert process.returncode == 1
    assert error.startswith(b"error: standard output: cannot write: ")
    assert len(error.splitlines()) == 1


C_LOCALE = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": ""}
ENCODINGS = {
    **{name: {"PYTHONIOENCODING": name} for name in ("cp1252", "cp437", "ascii")},
    "the C locale": C_LOCALE,
}


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("words", [BUDGET, ("check", "Figure 8"), ("fit", "--help")], ids=" ".join)
def test_marks_stand_where_an_encoding_lacks_the_character(encoding, words):
    code, output, error = copies(COLUMNS="80", **ENCODINGS[encoding]).run(*words)
    assert code in {0, 3}
    assert error == b""
    name = "ascii" if encoding == "the C locale" else encoding
    lines = output.decode(name).splitlines()
    assert max(map(len, lines)) <= 80
    if words == BUDGET and name in {"ascii", "cp1252"}:  # neither has an arrow
        assert any(line.startswith("->") for line in lines)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_json_is_the_same_in_every_encoding(encoding):
    words = ("laws", "busbridge2025", "-o", "json")
    expected = copies(PYTHONIOENCODING="utf-8").run(*words).stdout
    found = copies(COLUMNS="80", **ENCODINGS[encoding]).run(*words).stdout
    name = "ascii" if encoding == "the C locale" else encoding
    assert json.loads(found.decode(name)) == json.loads(expected.decode("utf-8"))
