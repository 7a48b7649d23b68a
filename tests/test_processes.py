"""A command as a process: interrupts, bugs, terminals that are none, workers, every stream."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from functools import cache
from pathlib import Path

import pytest

from distillplan.cli.app import COMMANDS
from distillplan.cli.exit_codes import BUG, INTERRUPTED
from tests.starts import starts
from tests.stream_matrix import said

ROOT = Path(__file__).parents[1]
BUDGET = ("budget", "1e21", "--student", "1B", "--quick")
linux = pytest.mark.skipif(sys.platform != "linux", reason="descriptors and /proc as on Linux")


def python(script, *words, **environment):
    """A process that runs a script and then the command line with these words."""
    paths = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    return subprocess.Popen(
        [sys.executable, "-c", script, *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT / "examples",
        env={**os.environ, "PYTHONPATH": paths, **environment},
        start_new_session=True,
    )


# --- Ctrl-C

STARTED = """
import os, sys
from distillplan.cli.main import main
os.write(1, b".")
main()
"""
"""What comes before is Python's own start, which says what it likes of a Ctrl-C."""
INTERRUPTED_COMMANDS = (
    (*BUDGET, "-o", "json"),
    ("fit", "supervised_runs.csv", "--resamples", "512", "-o", "json"),
    ("sweep", "--compute", "1e19:1e24:400", "--student", "1B", "-o", "json"),
    ("budget", "--help"),
    (
        "sweep",
        "--compute",
        "1e19:1e24:400",
        "--student",
        "1B",
        "--odds",
        "--jobs",
        "2",
        "-o",
        "json",
    ),
)


@pytest.mark.parametrize("moments", [16, pytest.param(200, marks=pytest.mark.exhaustive)])
@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT to send")
def test_an_interrupt_at_any_moment_is_130_and_silent(moments):
    chance = random.Random(moments)  # noqa: S311 - moments, no secrets
    interrupted = 0
    for turn in range(moments):
        words = INTERRUPTED_COMMANDS[turn % len(INTERRUPTED_COMMANDS)]
        process = python(STARTED, *words)
        assert process.stdout.read(1) == b"."
        time.sleep(chance.uniform(0, 0.8))
        process.send_signal(signal.SIGINT)
        output, error = process.communicate(timeout=60)
        assert said(error) == []
        if process.returncode == 0:  # it was ready before
            continue
        assert process.returncode in {INTERRUPTED, -signal.SIGINT}, words  # both are 130 in a shell
        interrupted += 1
        if words[0] in {"budget", "fit"} and words[-1] == "json" and output:
            json.loads(output)  # whole documents only
        if words[0] == "sweep":
            assert not output.endswith(b"]}\n")  # unless it was ready
    assert interrupted > moments / 4


# --- bugs

BROKEN = """
import sys
from distillplan.cli import app
from distillplan.cli.main import main

def broken():
    {}

app.run = broken
main()
"""


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "utf-16"])
@pytest.mark.parametrize(
    ("breaks", "name"),
    [
        ("raise ZeroDivisionError('→ ∞')", "ZeroDivisionError"),
        ("return broken()", "RecursionError"),
        ("return bytearray(1 << 62)", "MemoryError"),
        ("raise OSError(5, 'I/O')", "OSError"),
    ],
)
def test_a_bug_is_70_with_its_traceback_and_what_to_do(breaks, name, encoding):
    process = python(BROKEN.format(breaks), PYTHONIOENCODING=encoding)
    output, error = process.communicate(timeout=60)
    assert process.returncode == BUG
    assert output == b""
    lines = error.decode(encoding).splitlines()
    assert lines[0].startswith("Traceback")
    assert any(line.startswith(name) for line in lines)
    assert lines[-1].startswith("error: a bug in distillplan ")
    assert "please report it" in lines[-1]


@linux
def test_a_bug_that_cannot_be_told_is_70_too():
    script = "import os\nos.dup2(os.open('/dev/full', os.O_WRONLY), 2)\n" + BROKEN.format("1 / 0")
    process = python(script)
    assert process.communicate(timeout=60) == (b"", b"")
    assert process.returncode == BUG


# --- what an environment says of a terminal


@pytest.fixture(scope="module")
def copies():
    """Starts in a locale; the rest of an environment is looked at when something is said."""
    with ExitStack() as opened:
        yield cache(lambda locale: opened.enter_context(starts(ROOT / "examples", LC_ALL=locale)))


RUN = "from distillplan.cli.main import main; main()"


@pytest.mark.parametrize("words", [BUDGET, ("schema", "--help")], ids=" ".join)
@pytest.mark.parametrize(
    "environment",
    [
        *({"COLUMNS": size} for size in ("0", "-5", "abc", "1", "²", "9" * 30, "1000000")),
        {"LINES": "²"},
        {"TERMINAL_WIDTH": "abc"},
        {"LC_ALL": "C", "TERM": "dumb"},
        {"NO_COLOR": "1", "FORCE_COLOR": "1"},
    ],
    ids=str,
)
def test_an_environment_that_makes_no_sense_is_no_bar(copies, words, environment):
    code, output, error = copies(environment.get("LC_ALL", "")).run(*words, environment=environment)
    assert (code, error) == (0, b"")
    assert 500 < len(output) < 100_000
    if "LC_ALL" not in environment:
        assert max(map(len, output.decode().splitlines())) <= 2000


@pytest.mark.parametrize("encoding", ["cp864", "cp037", "shift_jis", "utf-32", "utf-7"])
def test_encodings_that_lack_ascii_or_are_not_like_it(encoding):
    """cp864 has no percent sign, cp037 no ASCII at all."""
    words = (word for word in BUDGET if word != "--quick")  # the odds have percent signs
    output, error = (process := python(RUN, *words, PYTHONIOENCODING=encoding)).communicate()
    assert (process.returncode, error) == (0, b"")
    text = output.decode(encoding)
    assert "Pretrain." in text
    assert ("?" if encoding == "cp864" else "%") in text


@pytest.mark.parametrize(
    ("redirect", "says"),
    [
        ("<&-", b"error: -: standard input is closed"),
        ("0>/dev/null", b"error: -: cannot be read: Bad file descriptor"),
        ("</dev/null", b"error: "),
    ],
)
@pytest.mark.parametrize("words", ["compare -", "fit -"])
@pytest.mark.skipif(os.name == "nt", reason="a POSIX shell")
def test_standard_input_that_cannot_be_read_is_one_sentence(words, redirect, says):
    command = f"'{sys.executable}' -m distillplan {words} {redirect}"
    done = subprocess.run(
        ["/bin/sh", "-c", command], capture_output=True, check=False, cwd=ROOT / "examples"
    )
    assert done.returncode == 2
    assert done.stdout == b""
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith(says)


# --- workers


@linux
@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize(
    "words",
    [
        ("fit", "supervised_runs.csv", "--resamples", "4096"),
        ("sweep", "--compute", "1e19:1e24:2000", "--student", "1B", "--odds", "-o", "csv"),
    ],
    ids=lambda words: words[0],
)
def test_no_worker_outlives_its_command(words, by):
    """Of a plain process pool they wait for ever once their parent is killed."""
    words = (*words, "--jobs", "2")
    process = python(RUN, *words)
    session = process.pid
    deadline = time.monotonic() + 60
    while len(_of_session(session)) < 3 and time.monotonic() < deadline:
        time.sleep(0.02)
    assert len(_of_session(session)) >= 3
    process.send_signal(by)
    _, error = process.communicate(timeout=60)
    assert said(error) == []
    while _of_session(session) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not _of_session(session)


def _of_session(session):
    """Processes of a session."""
    found = []
    for one in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = one.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == session and fields[0] != "Z":
            found.append(int(one.parent.name))
    return found


# --- every command, encoding and stream

EXAMINED = """
import sys
from tests.stream_matrix import cases, examine
count, wrong = examine(cases(sys.argv[1].split(","), sys.argv[2].split(",")))
print(count, *wrong, sep="\\n")
"""


@linux
@pytest.mark.parametrize(
    ("commands", "encodings"),
    [
        (("sweep", "schema"), ("utf-16",)),
        *(
            pytest.param(
                (command,),
                ("utf-8", "cp1252", "cp437", "latin-1", "ascii", "utf-16"),
                marks=pytest.mark.exhaustive,
            )
            for command in COMMANDS
        ),
    ],
    ids=",".join,
)
def test_every_command_answers_on_every_stream(commands, encodings):
    process = python(EXAMINED, ",".join(commands), ",".join(encodings))
    output, error = process.communicate(timeout=300)
    assert error == b""
    count, *wrong = output.decode().splitlines()
    assert wrong == []
    assert int(count) >= len(commands) * len(encodings) * 15
