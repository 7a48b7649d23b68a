"""Starts of the command as from a shell, in copies of a process that has loaded it already.

Most of a start goes into loading, which is the same for all of them. What Python makes of its
environment at its own start, such as its streams, is real: each environment has its own process.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

CLOSED = "closed"
"""A pipe whose reader has left, where a file for a stream may be named."""
COPIES = """
import json, os, sys
from importlib import import_module
from distillplan.cli.main import main

leave = os._exit

def telling(packages):
    def told(code):
        sys.stderr.write(" ".join({*packages} & {*sys.modules}))
        sys.stderr.flush()
        leave(code)
    return told

def opened(place):
    if place != "closed":
        return os.open(place, os.O_WRONLY | os.O_CREAT)
    reader, writer = os.pipe()
    os.close(reader)
    return writer

for name in sys.argv[1:]:
    import_module(name)
with open(0, "rb", buffering=0, closefd=False) as asked:
    for line in asked:
        words, folder, environment, packages, *places = json.loads(line)
        child = os.fork()
        if not child:
            os.chdir(folder)
            os.environ.update(environment)
            for stream, place in enumerate(places, 1):
                os.dup2(opened(place), stream)
            sys.argv = ["distillplan", *words]
            os._exit = telling(packages)
            main()
        os.write(1, b"%d\\n" % os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
FIRST = ("distillplan.cli.app", "distillplan.render.streams")
"""What every start loads before it looks at its words."""
MOST = (
    *FIRST,
    *("distillplan.planning.planner", "distillplan.questions.comparison", "rich.table"),
    *("distillplan.scenarios.scenario_file", "distillplan.cli.commands.budget"),
)
"""And what most commands load then."""


class Left(NamedTuple):
    """What a start leaves."""

    returncode: int
    stdout: bytes
    stderr: bytes


class Starts(NamedTuple):
    """A process that starts the command."""

    process: "subprocess.Popen[bytes]"
    folder: Path
    """Where the command runs."""
    kept: Path
    """Where its streams go."""

    def run(
        self,
        *words: object,
        stdout: str | None = None,
        stderr: str | None = None,
        environment: Mapping[str, str] | None = None,
        packages: Iterable[str] = (),
    ) -> Left:
        """Start it once.

        Args:
            words: what follows `distillplan` on the command line.
            stdout: a file for its standard output, or `CLOSED`; None: one that is read.
            stderr: the same for its standard error.
            environment: variables beside those of the process, which has been started without.
            packages: those of them that it has loaded at its end are named on standard error.
        """
        files = [self.kept / name for name in ("stdout", "stderr")]
        for one in files:
            one.write_bytes(b"")
        places = [str(given or file) for given, file in zip((stdout, stderr), files, strict=True)]
        asked: list[Any] = [[*map(str, words)], str(self.folder), dict(environment or {})]
        asked += [[*packages], *places]
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{json.dumps(asked)}\n".encode())
        self.process.stdin.flush()
        code = int(self.process.stdout.readline())
        return Left(code, *(one.read_bytes() for one in files))


@contextmanager
def starts(folder: Path, *, loaded: tuple[str, ...] = MOST, **environment: str) -> Iterator[Starts]:
    """A process that starts the command in a folder.

    Args:
        folder: where the command runs.
        loaded: modules that it has loaded before.
        environment: variables beside those of this process.
    """
    with (
        tempfile.TemporaryDirectory() as kept,
        subprocess.Popen(
            [sys.executable, "-c", COPIES, *loaded],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **environment},
        ) as process,
    ):
        try:
            yield Starts(process, folder, Path(kept))
        finally:
            assert process.stdin is not None
            process.stdin.close()
