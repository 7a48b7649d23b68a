"""Rows as text, one at a time: CSV and JSON Lines."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

from distillplan.render.printable import printable
from distillplan.render.streams import as_json


def as_rows(
    rows: Iterable[Mapping[str, Any]],
    output: Literal["csv", "jsonl"],
    columns: Sequence[str] = (),
) -> Iterator[str]:
    """Lines of rows as they come; all have the keys of the first.

    Args:
        rows: by column.
        output: the form.
        columns: for the header of a CSV file without rows.
    """
    if output == "csv":
        return _csv_lines(rows, columns)
    return map(jsonl_line, rows)


def _csv_lines(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> Iterator[str]:
    headed = False
    for row in rows:
        if not headed:
            yield csv_header(row)
            headed = True
        yield csv_line(row)
    if columns and not headed:
        yield csv_header(columns)


def csv_header(columns: Iterable[str]) -> str:
    """The first line of a comma-separated file."""
    return _csv_line(columns)


def csv_line(row: Mapping[str, Any]) -> str:
    """A row as a line of a comma-separated file, in the order of its keys."""
    return _csv_line(
        value if value is None or type(value) is float else cell_text(value)  # most are
        for value in row.values()
    )


def _csv_line(values: Iterable[Any]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerow(values)
    return buffer.getvalue()


def jsonl_line(row: Mapping[str, Any]) -> str:
    """A row as a line of JSON."""
    return f"{as_json(row)}\n"


def cell_text(value: Any) -> Any:
    """A value in a comma-separated file: nothing for None, words with spaces between for a list."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return printable(" ".join(map(str, value)))
    return printable(value) if isinstance(value, str) else value


def as_document(head: Mapping[str, Any], lines: Iterable[str]) -> Iterator[str]:
    """One JSON document whose last key, `rows`, is written as its lines of JSON come."""
    yield f'{as_json(head)[:-1]}, "rows": ['
    mark = "\n"
    for line in lines:
        yield f"{mark}{line.rstrip()}"
        mark = ",\n"
    yield "\n]}\n"
