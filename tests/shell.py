"""The command line without a new process: what a shell sees, minus the start of Python.

Tests start one only where a process is the point: start-up, pipes, encodings, limits.
"""

import io
import json
import os
import re
import sys
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from pathlib import Path
from typing import Any, NamedTuple, TextIO
from unittest import mock

from distillplan.cli.app import run as run_app
from tests.built import built_once


class Finished(NamedTuple):
    """What `subprocess.run` tells of a command."""

    returncode: int
    stdout: str
    stderr: str


def run(
    *words: object, stdin: str = "", folder: Path | None = None, **environment: str
) -> Finished:
    """Run `distillplan` with these words; no stream is a terminal, and there is no color.

    A bug is no message to read: its exception reaches the test.

    Args:
        words: what follows `distillplan` on the command line.
        stdin: what standard input holds.
        folder: where to run; the current folder unless given.
        environment: variables beside those of the test's own process; an empty one is taken away.
    """
    variables = {"NO_COLOR": "1", **environment}
    with _stream() as out, _stream() as err, _stream(stdin) as given:
        with (
            mock.patch.dict(os.environ, variables),
            chdir(folder or Path.cwd()),
            mock.patch.object(sys, "argv", ["distillplan", *map(str, words)]),
            mock.patch.multiple(sys, stdin=given, stdout=out, stderr=err),
            built_once(),
        ):
            for name in (name for name, value in variables.items() if not value):
                del os.environ[name]
            code = run_app()
        return Finished(code, _text(out), _text(err))


@contextmanager
def _stream(text: str = "") -> Iterator[TextIO]:
    """A pipe's end as Python opens it, in UTF-8; in memory."""
    with io.TextIOWrapper(io.BytesIO(text.encode()), encoding="utf-8") as stream:
        yield stream


def overridden(*words: str) -> list[str]:
    """Words of a command of which a later option with a value replaces an earlier one."""
    last = {word: place for place, word in enumerate(words) if word.startswith("--")}
    gone = {at for at, word in enumerate(words) if last.get(word, at) != at}
    return [word for at, word in enumerate(words) if not {at, at - 1} & gone]


def answer(*words: object, **how: Any) -> dict[str, Any]:
    """The JSON document with which a command answers."""
    found = run(*words, "-o", "json", **how)
    assert found.returncode == 0, found.stderr
    return json.loads(found.stdout)


def codes(document: dict[str, Any]) -> set[str]:
    """The codes of its warnings."""
    return {one["code"] for one in document["warnings"]}


def told_in_one_sentence(found: Finished, code: int, says: str) -> None:
    """What a mistake leads to: its exit code, one line on standard error, and nothing else."""
    assert found.returncode == code
    assert found.stdout == ""
    assert says in found.stderr
    assert found.stderr.startswith("error: ")
    assert found.stderr.count("\n") == 1
    assert "Traceback" not in found.stderr


PROGRESS = re.compile(r"^[A-Z][a-z ]+: (?:at work|\d+ of \d+)\n", re.MULTILINE)


def without_progress(text: str) -> str:
    """What a process says, but for lines of progress, which only a slow machine shows."""
    return PROGRESS.sub("", text)


def _text(stream: TextIO) -> str:
    stream.flush()
    return stream.buffer.getvalue().decode()
