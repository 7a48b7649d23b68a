"""Every command in every encoding on every kind of stream: what a shell can connect a command to.

``python -m tests.stream_matrix [COMMAND ...]`` runs all of it, or some commands; the plain tests
take a part. Children are forked from one process that has loaded everything, which takes a tenth of
the time of new ones; each gets its streams as Python opens them at its start.
"""

import io
import json
import os
import pty
import re
import sys
import tempfile
import termios
import tty
from collections.abc import Iterable, Iterator
from importlib import import_module
from itertools import product
from pathlib import Path
from pkgutil import walk_packages
from typing import Any, NamedTuple

import distillplan
from distillplan.cli.app import COMMANDS
from distillplan.cli.main import main

EXAMPLES = Path(__file__).parents[1] / "examples"
ENCODINGS = ("utf-8", "cp1252", "cp437", "latin-1", "ascii", "utf-16")
SINKS = ("terminal", "pipe", "file", "closed", "full")
DATA = Path(__file__).parent / "data"
PLOTTED = ("1e21", "--student", "1B", "--teacher", "7B:2T")
ESTIMATED = ("--model", "7B", "--tokens", "140B", "--gpu", "h100-sxm", "--gpus", "64")


def scratch(name: str) -> str:
    """A file that a command may write."""
    return str(Path(tempfile.gettempdir(), f"distillplan-{name}"))


ANSWERS: dict[str, tuple[str, ...]] = {
    "budget": ("1e21", "--student", "1B", "--quick"),
    "compare": ("compare.yaml", "--quick"),
    "report": ("lifetime.yaml", "-o", scratch("report.html")),
    "sweep": ("--compute", "1e20:1e22:3", "--student", "1B"),
    "target": ("--loss", "2.2", "--student", "1B"),
    "family": ("1e21", "--students", "300M,1B", "--quick"),
    "teachers": ("1e21", "--student", "1B", "--tokenizer", "gemma-2"),
    "crossover": ("--student", "1B", "--accounting", "exists", "--gain", "0"),
    "predict": ("--student", "1B", "--tokens", "100B", "--teacher-loss", "2.0"),
    "estimate": ESTIMATED,
    "serve": ("--match", "2B:40B", "--student", "1B", "--teacher", "3B:100B"),
    "onpolicy": ("--student", "1.5B", "--teacher", "7B"),
    "pilot": ("1e21", "--student", "1B", "--teacher", "7B:2T"),
    "fit": ("supervised_runs.csv", "--resamples", "0"),
    "track": ("plan.json", "losses.csv", "--batch-tokens", "524288", "--schedule", "cosine"),
    "recipe": ("plan.json",),
    "validate": ("compare.yaml",),
    "laws": (),
    "gpus": (),
    "models": (),
    "check": ("Table 3",),
    "plot map": (*PLOTTED, "-o", scratch("map.svg")),
    "plot losses": (*PLOTTED, "-o", scratch("losses.svg")),
    "plot teacher": (*PLOTTED, "-o", scratch("teacher.svg")),
    "plot optimum": (*PLOTTED, "-o", scratch("optimum.svg")),
    "plot compare": ("compare.yaml", "-o", scratch("compare.svg")),
    "plot estimate": (*ESTIMATED, "-o", scratch("estimate.svg")),
    "plot fit": (str(DATA / "own_law.yaml"), "-o", scratch("fit.svg")),
    "plot paper": ("--figure", "7", "-o", scratch("figure7.svg")),
    "plot transfer": ("-o", scratch("transfer.svg")),
    "schema": ("plan",),
    "demo": ("kernel",),
    "explain": ("tie",),
    "example": (),
    "help": ("schema",),
}
"""Words after each command that make it answer."""
WITHOUT_FORMS = ("report", "schema", "example", "help")
"""Commands that take no ``-o``."""
UNUSABLE, NO_ANSWER = 2, 1
WIDTH = 80
PROGRESS = re.compile(r"[\w ]+: (\d+ of \d+|at work)")


class Case(NamedTuple):
    """One run of a command."""

    words: tuple[str, ...]
    encoding: str
    sink: str
    """What its standard output is; for an unusable command line its standard error."""
    fails: bool = False
    """Whether the command line is unusable."""


class Outcome(NamedTuple):
    """What a shell sees of it."""

    code: int
    written: bytes
    """On the sink."""
    other: bytes
    """On the other stream, which is a pipe."""


def cases(
    commands: Iterable[str] = COMMANDS,
    encodings: Iterable[str] = ENCODINGS,
    sinks: Iterable[str] = SINKS,
) -> Iterator[Case]:
    """The answer for people, the one for programs, the help and an error of each command."""
    for command, encoding, sink in product(commands, encodings, sinks):
        words = (*command.split(), *ANSWERS[command])
        yield Case(words, encoding, sink)
        if command not in WITHOUT_FORMS:
            yield Case((*words, "-o", "json"), encoding, sink)
        yield Case((*command.split(), "--help"), encoding, sink)
        yield Case((*command.split(), "--nonsense→"), encoding, sink, fails=True)


def outcome(case: Case) -> Outcome:
    """Run it in a child of this process."""
    with tempfile.TemporaryDirectory() as folder:
        kept = Path(folder, "kept")
        sink, reader = _opened(case.sink, kept)
        other = os.memfd_create("other")
        child = os.fork()
        if child == 0:
            first, second = (other, sink) if case.fails else (sink, other)
            _run(case, first, second)
        if sink is not None:
            os.close(sink)
        written = b"" if reader is None else _all_of(reader)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if case.sink == "file":
            written = kept.read_bytes()
        os.lseek(other, 0, os.SEEK_SET)
        return Outcome(code, written, _all_of(other))


def _opened(sink: str, kept: Path) -> tuple[int | None, int | None]:
    """A sink to write to, and where to read what was written."""
    match sink:
        case "terminal":
            reader, writer = pty.openpty()
            termios.tcsetwinsize(writer, (24, WIDTH))
            tty.setraw(writer)  # or it would put bytes of its own among those of UTF-16
            return writer, reader
        case "pipe":
            reader, writer = os.pipe()
            return writer, reader
        case "file":
            return os.open(kept, os.O_WRONLY | os.O_CREAT), None
        case "full":
            return os.open("/dev/full", os.O_WRONLY), None
        case _:
            return None, None


def _all_of(reader: int) -> bytes:
    found = b""
    try:
        while block := os.read(reader, 65_536):
            found += block
    except OSError:  # a terminal whose other side has gone
        pass
    os.close(reader)
    return found


def _run(case: Case, *descriptors: int | None) -> None:
    """Be the command, on these streams, and end."""
    code: Any = 1
    try:
        sys.stdin = io.TextIOWrapper(io.FileIO(os.open(os.devnull, os.O_RDONLY)))
        sys.stdout = _stream(1, descriptors[0], case.encoding, "strict")
        sys.stderr = _stream(2, descriptors[1], case.encoding, "backslashreplace")
        sys.argv = ["distillplan", *case.words]
        os.chdir(EXAMPLES)
        main()
    except SystemExit as left:  # where it has used processes
        code = left.code
    finally:
        os._exit(code)


def _stream(number: int, descriptor: int | None, encoding: str, errors: str) -> Any:
    """A standard stream as Python opens it; None where the shell closed it."""
    if descriptor is None:
        os.close(number)
        return None
    os.dup2(descriptor, number)
    binary = io.BufferedWriter(io.FileIO(number, "w", closefd=False))
    return io.TextIOWrapper(
        binary, encoding=encoding, errors=errors, line_buffering=os.isatty(number)
    )


def said(error: bytes, encoding: str = "utf-8") -> list[str]:
    """The lines on standard error that are no progress, which only slow machines show."""
    return [one for one in error.decode(encoding).splitlines() if not PROGRESS.fullmatch(one)]


def faults(case: Case, found: Outcome, normal: Outcome) -> list[str]:
    """What is wrong with an outcome, beside that of the same words in UTF-8 on a pipe."""
    wrong = []
    error = found.written if case.fails else found.other
    full = case.sink == "full" and not case.fails
    if found.code != (NO_ANSWER if full else normal.code):
        wrong.append(f"exit code {found.code}")
    if b"Traceback" in error.replace(b"\0", b"") or b"Exception ignored" in error:
        wrong.append("a traceback")
    if case.fails:
        if found.other:
            wrong.append("something on standard output")
    elif full:
        lines = error.decode(case.encoding).splitlines()
        if len(lines) != 1 or not lines[0].startswith("error: standard output: cannot write: "):
            wrong.append("no one sentence about a full disk")
    elif said(error, case.encoding):
        wrong.append("something on standard error")
    if case.sink in {"terminal", "pipe", "file"}:
        wrong += _faults_of_text(case, found, normal)
    return wrong


def _faults_of_text(case: Case, found: Outcome, normal: Outcome) -> list[str]:
    try:
        text = found.written.decode(case.encoding)
    except UnicodeError:
        return [f"not {case.encoding}"]
    if not text.strip():
        return ["nothing written"]
    if case.words[-1] == "json" and case.sink != "terminal" and not case.fails:
        same = json.loads(text) == json.loads(normal.written)
        return [] if same else ["another JSON document"]
    if case.fails or case.words[0] in WITHOUT_FORMS or "json" in case.words:
        return []
    if case.sink != "terminal" and max(map(len, text.splitlines())) > WIDTH:
        return ["a line wider than the terminal"]
    return []


def examine(some: Iterable[Case]) -> tuple[int, list[str]]:
    """Number of runs, and the faults of each that has any."""
    for one in walk_packages(distillplan.__path__, "distillplan."):
        if not one.name.endswith("__main__"):
            import_module(one.name)
    os.environ |= {"COLUMNS": str(WIDTH), "NO_COLOR": "1"}
    normal: dict[tuple[str, ...], Outcome] = {}
    count, found = 0, []
    for case in some:
        if case.words not in normal:
            normal[case.words] = outcome(case._replace(encoding="utf-8", sink="pipe"))
        wrong = faults(case, outcome(case), normal[case.words])
        count += 1
        if wrong:
            name = " ".join(case.words)
            found.append(f"{name} | {case.encoding} | {case.sink}: {', '.join(wrong)}")
    return count, found


if __name__ == "__main__":
    total, bad = examine(cases(sys.argv[1:] or COMMANDS))
    sys.stdout.write("\n".join([*bad, f"{total} runs, {len(bad)} with a fault"]) + "\n")
    sys.exit(1 if bad else 0)
