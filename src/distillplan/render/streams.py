"""Standard output and error: the one place that writes text, whatever the stream can take.

A closed pipe is no error, for the reader has seen enough; it never changes an exit code. Characters
that a stream's encoding lacks are written as ASCII marks.
"""

import codecs
import errno
import io
import json
import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from distillplan.errors import DistillplanError
from distillplan.render.printable import printable_json, printable_lines

MARKS = {
    "→": "->",
    "↑": "^",
    "↓": "v",
    "✗": "x",
    "–": "-",
    "—": "-",
    "−": "-",
    "±": "+-",
    "×": "x",
    "∞": "inf",
    "≤": "<=",
    "≥": ">=",
    "≈": "~",
    "…": "...",
    "·": "*",
    "’": "'",
    "‘": "'",
    "“": '"',
    "”": '"',
    "─": "-",
    "━": "-",
    "│": "|",
    **dict.fromkeys("╭╮╰╯┌┐└┘├┤", "+"),
}
"""What stands for a character where it cannot be written."""
LEAST_SIZE, MOST_SIZE = 20, 2_000
"""Columns or lines of a terminal: what else the environment says of it is not meant."""
MOST_DIGITS = 6
"""Of such a number that are read."""
CHUNK = 8_000
"""Characters that rows wait for, so that each is not a write of its own."""
HANDLER = "distillplan-marks"
"""Name of the error handler that writes `MARKS`."""
_CLOSED = (errno.EPIPE, errno.EINVAL)
"""What a closed pipe says; the second on Windows."""
_OUTPUT = 1
"""Number of standard output, whatever is connected to it."""


class _Pipe(io.FileIO):
    """A stream whose reader may leave; nothing is written after that, nor after an error.

    Standard output that cannot be written is an error, standard error nothing that could be said.
    """

    gone = False

    def write(self, data: Any) -> int:
        """Write bytes, or nothing once the reader has gone."""
        if not self.gone:
            try:
                return super().write(data) or 0
            except OSError as error:
                self.gone = True
                if error.errno not in _CLOSED and self.name == _OUTPUT:
                    raise DistillplanError(
                        f"standard output: cannot write: {error.strerror}"
                    ) from None
        return memoryview(data).nbytes


def prepare_streams() -> None:
    """Let the streams of this process outlive their readers, and write marks where they must."""
    sys.stdout, sys.stderr = _prepared(sys.stdout), _prepared(sys.stderr)
    for name in ("COLUMNS", "LINES", "TERMINAL_WIDTH"):
        size = os.environ.pop(name, "")
        if size.isascii() and size.isdigit() and int(size[:MOST_DIGITS]) > 0:
            os.environ[name] = str(min(max(int(size[:MOST_DIGITS]), LEAST_SIZE), MOST_SIZE))


def _prepared(stream: Any) -> Any:
    """The stream over a `_Pipe`; one that is no file as it is, and none for one that is closed."""
    if stream is None:  # as with >&-
        return Path(os.devnull).open("w", encoding="utf-8")
    binary = getattr(stream, "buffer", None)
    if type(getattr(binary, "raw", binary)) is not io.FileIO:  # without a buffer it is the raw one
        return stream
    return io.TextIOWrapper(
        io.BufferedWriter(_Pipe(stream.fileno(), "w", closefd=False)),
        encoding=stream.encoding,
        errors=HANDLER,
        line_buffering=stream.line_buffering,
    )


def write(text: str) -> bool:
    """Write a text to standard output at once.

    Returns:
        Whether anybody still reads.

    Raises:
        DistillplanError: where it cannot be written, as on a full disk.
    """
    sys.stdout.write(text)
    sys.stdout.flush()
    raw = getattr(getattr(sys.stdout, "buffer", None), "raw", None)
    return not getattr(raw, "gone", False)


def write_bytes(data: bytes) -> None:
    """Write what is no text to standard output, at once.

    Raises:
        DistillplanError: where it cannot be written, as on a full disk.
    """
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def write_all(texts: Iterable[str]) -> None:
    """Write texts as they come, for as long as anybody reads.

    Raises:
        DistillplanError: where they cannot be written, as on a full disk.
    """
    waiting: list[str] = []
    size = 0
    for text in texts:
        waiting.append(text)
        size += len(text)
        if size > CHUNK:
            if not write("".join(waiting)):
                return
            waiting.clear()
            size = 0
    write("".join(waiting))


def as_json(data: Mapping[str, Any], *, indent: int | None = None) -> str:
    """Strict JSON: NaN and infinity are a bug here rather than in the reader's program."""
    text = json.dumps(data, indent=indent, allow_nan=False, ensure_ascii=not takes_unicode())
    return printable_json(text)


def write_error(line: str) -> None:
    """Write a message to standard error."""
    if sys.stderr is not None:
        sys.stderr.write(f"{printable_lines(line)}\n")
        sys.stderr.flush()


def takes_unicode() -> bool:
    """Whether standard output can take any character, so that JSON need not escape it."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"  # a StringIO has none
    return codecs.lookup(encoding).name.startswith("utf")


def marked(text: str, encoding: str) -> str:
    """A text with marks for what an encoding lacks, before it is laid out in columns.

    >>> marked("→ 27 ± 4", "ascii")
    '-> 27 +- 4'
    """
    return text.encode(encoding, HANDLER).decode(encoding)


def _as_marks(error: UnicodeError) -> tuple[str, int]:
    """Marks for the characters of an encoding error, and where to go on."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(_mark, error.object[error.start : error.end])), error.end


def _mark(character: str) -> str:
    """A letter without its accent; what has nothing like it in ASCII is escaped."""
    from unicodedata import normalize  # only where something cannot be written

    if character.isascii():  # which a few encodings lack some of
        return "?"
    bare = normalize("NFD", character).encode("ascii", "ignore").decode()
    return MARKS.get(character) or bare or character.encode("ascii", "backslashreplace").decode()


codecs.register_error(HANDLER, _as_marks)
