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
    return (f"{as_json(row)}\n" for row in rows)


def _csv_lines(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> Iterator[str]:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    keys: list[str] = []
    for row in rows:
        if not keys:
            keys = list(row)
            writer.writerow(keys)
        writer.writerow([_cell(row[key]) for key in keys])
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()
    if not keys and columns:
        writer.writerow(columns)
        yield buffer.getvalue()


def _cell(value: Any) -> Any:
    """A value in a comma-separated file: nothing for None, words with spaces between for a list."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return printable(" ".join(map(str, value)))
    return printable(value) if isinstance(value, str) else value


def as_document(head: Mapping[str, Any], rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """One JSON document whose last key, `rows`, is written as the rows come."""
    yield f'{as_json(head)[:-1]}, "rows": ['
    mark = "\n"
    for row in rows:
        yield f"{mark}{as_json(row)}"
        mark = ",\n"
    yield "\n]}\n"
