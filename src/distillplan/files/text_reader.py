"""The bounded reader of text: from a file, or from standard input for ``-``."""

import sys
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from pathlib import Path
from typing import BinaryIO, Final

from distillplan.errors import InputError
from distillplan.files.bounds import MOST_BYTES

MEGABYTE: Final = 1_000_000
YAML_ENDINGS: Final = (".yaml", ".yml")
"""How the names of YAML files end."""
_FORMATS: Final = (
    (b"PAR1", "a Parquet file", "write it as CSV"),
    (b"PK\x03\x04", "a workbook or another archive", "save its table as CSV"),
    (b"\x1f\x8b", "compressed by gzip", "unpack it, or pipe it through gunzip"),
)
"""How files that are no text start, what they are, and what to do."""


def read_text(source: str | Path, most: int = MOST_BYTES) -> str:
    """The text of a file.

    Args:
        source: its path; ``-`` is standard input.
        most: the largest size in bytes.

    Raises:
        InputError: when the file is missing, too large, or not UTF-8 text.
    """
    if source == "-" and sys.stdin is None:
        raise InputError("-: standard input is closed; name a file, or pipe one in")
    name = str(source)
    if name != name.strip():
        name = repr(name)  # its spaces could not be seen
    try:
        if source == "-":
            return _bounded_text(sys.stdin.buffer, source, most)
        with Path(source).open("rb") as file:
            return _bounded_text(file, name, most)
    except OSError as error:
        raise InputError(f"{name}: cannot be read: {error.strerror}") from None
    except ValueError:  # what the operating system's interface says of a NUL
        raise InputError(f"{str(source)!r}: not a file name") from None


def _bounded_text(file: BinaryIO, name: str, most: int) -> str:
    """All of an open file, as text."""
    content = file.read(most + 1)
    if len(content) > most:
        raise InputError(f"{name}: larger than {most // MEGABYTE} MB; is it the right file?")
    try:
        return content.decode(_encoding(content)).removeprefix("\ufeff")
    except UnicodeDecodeError:
        raise InputError(f"{name}: {_no_text(name, content)}") from None


def _no_text(name: str, content: bytes) -> str:
    """What a file is that is not text, and what to do with it."""
    if "tfevents" in name:
        return "not UTF-8 text but events of TensorBoard; download the scalar as CSV there"
    for start, what, advice in _FORMATS:
        if content.startswith(start):
            return f"not UTF-8 text but {what}; {advice}"
    return "not UTF-8 text; save it as UTF-8"


def _encoding(content: bytes) -> str:
    """UTF-8, or the UTF-16 of spreadsheets ("Unicode text"), which begins with its mark."""
    marked = content.startswith((BOM_UTF16_LE, BOM_UTF16_BE)) and len(content) > len(BOM_UTF16_LE)
    return "utf-16" if marked else "utf-8"
