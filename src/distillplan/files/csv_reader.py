"""The reader of CSV with a header, which remembers each row's line."""

import csv
import io
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from distillplan.errors import InputError
from distillplan.files.bounds import MOST_CELLS, MOST_COLUMNS, MOST_LETTERS, MOST_ROWS, shown
from distillplan.files.text_reader import read_text
from distillplan.named_tuples import NamedTuple

BEYOND: Final = "(beyond the header)"
"""Where a row has its fields beyond the header, as a list."""
SEPARATORS: Final = {"\t": "tabs", ";": "semicolons", ",": "commas"}
"""Of columns; where two of them are in a header equally often, the first."""

_TOLD: Final = 8
"""Columns of a header that an error names."""
_HINT: Final = re.compile(r"sep=([,;\t])\s*?(?:\n|\Z)")
"""Spreadsheets may write a first line that names the separator."""
_QUOTED: Final = re.compile(r'"[^"]*"')


class FileRow(NamedTuple):
    """One row of a file."""

    line: int
    """Where it ends; the first line of a file is 1."""
    values: Mapping[str, Any]
    """By column, None where the row is too short; fields beyond the header are under `BEYOND`."""


def read_csv(source: str | Path, needed: tuple[str, ...] = ()) -> list[FileRow]:
    """The rows of a CSV file, whatever separates its columns.

    Args:
        source: its path; ``-`` is standard input.
        needed: columns that the header must have.

    Raises:
        InputError: when it cannot be read, or as for `parse_separated`.
    """
    return parse_separated(read_text(source), str(source), needed)


def parse_separated(text: str, name: str, needed: tuple[str, ...] = ()) -> list[FileRow]:
    """The rows of a CSV text whose columns are separated by commas, semicolons or tabs.

    Args:
        text: a header and rows.
        name: of the file, for error messages.
        needed: columns that the header must have.

    Raises:
        InputError: as for `parse_csv`.
    """
    separator = separator_of(text)
    hinted = f"# {text}" if _HINT.match(text) else text
    return parse_csv(hinted, name, needed, separator=separator)


def separator_of(text: str) -> str:
    """What separates the columns of a CSV text: what it says, or what makes most of its header.

    >>> separator_of("gpu;usd_per_hour"), separator_of("a, b")
    (';', ',')
    """
    hint = _HINT.match(text)
    if hint is not None:
        return hint[1]
    lines = (line for line in text.splitlines() if line.strip() and not line.startswith("#"))
    header = _QUOTED.sub("", next(lines, ""))
    return max(SEPARATORS, key=header.count) if any(map(header.count, SEPARATORS)) else ","


def parse_csv(
    text: str, name: str, needed: tuple[str, ...] = (), *, separator: str = ","
) -> list[FileRow]:
    r"""The rows of a CSV text; empty lines and lines that start with # are skipped.

    Args:
        text: a header and rows.
        name: of the file, for error messages.
        needed: columns that the header must have.
        separator: the character between two columns.

    Raises:
        InputError: when it is not CSV or too large a table, or its header repeats a column or lacks
            one.

    >>> parse_csv("a, b\n# a note\n1, 2", "t.csv")
    [FileRow(line=3, values={'a': '1', 'b': '2'})]
    """
    lines = _records(text, name, separator)
    _, header = next(lines, (1, []))
    header = [column.strip() for column in header]
    demand_table(0, len(header), name)
    for column in header:
        if column and header.count(column) > 1:  # spreadsheets leave several without a name
            raise InputError(f"{name}: duplicate column {shown(column)}")
    for column in needed:
        if column not in header:
            has = ", ".join(map(shown, filter(None, header[:_TOLD]))) or "none with a name"
            raise InputError(f"{name}: the header has no column {column!r}; it has {has}")
    rows = []
    for line, fields in lines:
        values: dict[str, Any] = dict(zip(header, fields, strict=False))
        if len(fields) > len(header):
            values[BEYOND] = fields[len(header) :]
        for column in header[len(fields) :]:
            values[column] = None
        rows.append(FileRow(line=line, values=values))
        demand_table(len(rows), len(header), f"{name}, line {line}")
    return rows


def demand_table(rows: int, columns: int, where: str) -> None:
    """Refuse a table that is larger than any that is meant well.

    Raises:
        InputError: with the bound that it passes.
    """
    for count, most, what in (
        (columns, MOST_COLUMNS, "columns"),
        (rows, MOST_ROWS, "rows"),
        (rows * columns, MOST_CELLS, "cells"),
    ):
        if count > most:
            raise InputError(f"{where}: more than {most:,} {what}; is it the right file?")


def _records(text: str, name: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    """The fields of each row, the header's included, with the line on which it ends."""
    begun = at = 0

    def kept() -> Iterator[str]:
        nonlocal at, begun
        for line, content in enumerate(io.StringIO(text), 1):
            if content.strip() and not content.startswith("#"):
                begun, at = begun or line, line
                yield content

    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise InputError(f"{name}, line {line}: a NUL character")
    try:
        for fields in csv.reader(kept(), delimiter=separator, skipinitialspace=True, strict=True):
            if max(map(len, fields), default=0) > MOST_LETTERS:
                raise InputError(
                    f"{name}, line {begun}: a field longer than {MOST_LETTERS:,} characters"
                )
            if fields:
                yield at, fields
            begun = 0
    except csv.Error as error:
        raise InputError(f"{name}, line {begun}: not readable as CSV: {error}") from None
