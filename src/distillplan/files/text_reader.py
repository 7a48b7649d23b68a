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
        raise InputError(f"{name}: not UTF-8 text") from None


def _encoding(content: bytes) -> str:
    """UTF-8, or the UTF-16 of spreadsheets ("Unicode text"), which begins with its mark."""
    marked = content.startswith((BOM_UTF16_LE, BOM_UTF16_BE)) and len(content) > len(BOM_UTF16_LE)
    return "utf-16" if marked else "utf-8"
