"""Commands in this process, quickly: the streams of `tests.shell`, commands that are built once.

Warnings of libraries are errors. What takes very long is stopped.
"""

import io
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn
from unittest import mock

from distillplan.cli import app as app_module
from distillplan.render import show as show_module
from distillplan.render.streams import HANDLER
from tests.built import built_once
from tests.fuzz.case import Case, Fault, Result
from tests.small_demos import tiny

SOURCES = str(Path(app_module.__file__).parents[1])
HUNG = 30.0
"""Seconds of the processor after which a case is stopped."""
_shown: list[tuple[Any, Mapping[str, bool]]] = []
rendered = show_module.rendered
"""An answer in a form, as the commands write it."""


class TooLongError(BaseException):
    """A case did not end; no handler of ours catches it."""


def _remembered(answer: object, output: Any, **how: bool) -> str:
    _shown.append((answer, how))
    return rendered(answer, output, **how)


@contextmanager
def prepared() -> Iterator[Path]:
    """A folder of its own, commands that are built once, and answers that are remembered."""
    before = Path.cwd()
    with (
        tempfile.TemporaryDirectory() as folder,
        warnings.catch_warnings(),
        mock.patch.dict(os.environ, {"NO_COLOR": "1", "COLUMNS": "80"}),
        built_once(),
        mock.patch.object(show_module, "rendered", _remembered),
        tiny(),
    ):
        warnings.simplefilter("error")
        os.chdir(folder)
        handler = signal.signal(signal.SIGVTALRM, _stop)
        try:
            yield Path(folder)
        finally:
            signal.signal(signal.SIGVTALRM, handler)
            os.chdir(before)


def _stop(*_: object) -> NoReturn:
    raise TooLongError(f"more than {HUNG:g} s")


@contextmanager
def files_of(case: Case) -> Iterator[dict[str, bytes]]:
    """The files of a case in the current folder, for as long as it runs; then what it left."""
    left: dict[str, bytes] = {}
    for name, content in case.files.items():
        with open(name, "wb") as file:  # noqa: PTH123  (half the time of a Path)
            file.write(content)
    try:
        yield left
    finally:
        with os.scandir() as found:
            for one in found:
                if one.is_file(follow_symlinks=False):
                    path = Path(one.name)
                    if one.name not in case.files:
                        left[one.name] = path.read_bytes()
                    path.unlink()
                elif one.is_dir(follow_symlinks=False):  # the files of an export
                    folder = Path(one.name)
                    left |= {str(path): path.read_bytes() for path in folder.iterdir()}
                    shutil.rmtree(folder)


@contextmanager
def watched() -> Iterator[list[float]]:
    """Seconds of the processor and growth in bytes; what does not end is stopped."""
    found: list[float] = []
    signal.setitimer(signal.ITIMER_VIRTUAL, HUNG)
    size, start = _largest(), time.process_time()
    try:
        yield found
    finally:
        found += [time.process_time() - start, _largest() - size]
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)


def _largest() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024.0


def run(case: Case) -> Result:
    """Run the command line of a case in its folder."""
    _shown.clear()
    code, error, out, err = None, None, _stream(), _stream()
    names = (sys.argv, sys.stdin, sys.stdout, sys.stderr)
    with files_of(case) as saved, watched() as cost:
        sys.argv = ["distillplan", *(word.replace("\0", "") for word in case.words)]  # none has one
        sys.stdin, sys.stdout, sys.stderr = _stream(case.stdin), out, err
        try:
            code = app_module.run()
        except KeyboardInterrupt:
            raise
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else 1
        except BaseException as found:
            error = found
        finally:
            sys.argv, sys.stdin, sys.stdout, sys.stderr = names
    return Result(
        code=code,
        out=_text(out),
        err=_text(err),
        error=error,
        seconds=cost[0],
        growth=cost[1],
        answers=tuple(_shown),
        saved=saved,
        raw=out.buffer.getvalue(),  # type: ignore[attr-defined]  # flushed just above
    )


def _stream(content: bytes = b"") -> io.TextIOWrapper:
    """A stream as `prepare_streams` leaves it."""
    return io.TextIOWrapper(io.BytesIO(content), encoding="utf-8", errors=HANDLER)


def _text(stream: io.TextIOWrapper) -> str:
    stream.flush()
    written: bytes = stream.buffer.getvalue()  # type: ignore[attr-defined]  # a TextIOWrapper
    return written.decode("utf-8", "backslashreplace" if written[:4] == b"PAR1" else "strict")


def fault_of(error: BaseException) -> Fault:
    """An exception as a fault: its type, and the innermost place in our sources."""
    place = "outside"
    for frame in traceback.extract_tb(error.__traceback__):
        if frame.filename.startswith(SOURCES):
            place = f"{frame.filename[len(SOURCES) + 1 :]}:{frame.lineno} {frame.name}"
    text = f"{type(error).__name__}: {str(error)[:200]} at {place}"
    return Fault(kind=type(error).__name__, place=place, text=text)


def load(names: tuple[str, ...]) -> None:
    """Import commands before their time is measured."""
    for name in names:
        import_module(f"distillplan.cli.commands.{name}")
