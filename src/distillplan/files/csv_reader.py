"""The reader of CSV with a header, which remembers each row's line."""

import csv
import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from distillplan.errors import InputError
from distillplan.files.text_reader import read_text

BEYOND: Final = "(beyond the header)"
"""Where a row has its fields beyond the header, as a list."""


class FileRow(NamedTuple):
    """One row of a file."""

    line: int
    """Where it ends; the first line of a file is 1."""
    values: Mapping[str, Any]
    """By column, None where the row is too short; fields beyond the header are under `BEYOND`."""


def read_csv(source: str | Path, needed: tuple[str, ...] = ()) -> list[FileRow]:
    """The rows of a CSV file.

    Args:
        source: its path; ``-`` is standard input.
        needed: columns that the header must have.

    Raises:
        InputError: when it cannot be read, or as for `parse_csv`.
    """
    return parse_csv(read_text(source), str(source), needed)


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
        InputError: when it is not CSV, or its header repeats a column or lacks one.

    >>> parse_csv("a, b\n# a note\n1, 2", "t.csv")
    [FileRow(line=3, values={'a': '1', 'b': '2'})]
    """
    lines = [1]

    def kept() -> Iterator[str]:
        for line, content in enumerate(io.StringIO(text), 1):
            if content.strip() and not content.startswith("#"):
                lines.append(line)
                yield content

    try:
        reader = csv.DictReader(
            kept(), restkey=BEYOND, delimiter=separator, skipinitialspace=True, strict=True
        )
        header = [column.strip() for column in reader.fieldnames or ()]
        reader.fieldnames = header
        rows = [FileRow(line=lines[-1], values=row) for row in reader]
    except csv.Error as error:
        raise InputError(f"{name}, line {lines[-1]}: not readable as CSV: {error}") from None
    for column in header:
        if column and header.count(column) > 1:  # spreadsheets leave several without a name
            raise InputError(f"{name}: duplicate column {column!r}")
    for column in needed:
        if column not in header:
            raise InputError(f"{name}: the header has no column {column!r}")
    return rows
