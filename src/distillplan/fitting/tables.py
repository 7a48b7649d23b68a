"""The only reader of files of runs: CSV with any separator, or JSON; knows no columns.

JSON is JSON Lines, or the `trainer_state.json` of Hugging Face's Trainer, whose rows are its log.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from distillplan.errors import InputError
from distillplan.files.bounds import MOST_CELLS
from distillplan.files.csv_reader import (
    BEYOND,
    FileRow,
    demand_table,
    parse_separated,
    separator_of,
)
from distillplan.files.json_reader import parse_json
from distillplan.files.text_reader import read_text
from distillplan.fitting.cells import is_unknown
from distillplan.units.numerals import is_number

MOST_SHOWN: Final = 12
"""Faults named in one message."""

_LOG: Final = "log_history"
"""Where a `trainer_state.json` has its rows."""


class TableRow(NamedTuple):
    """One row of a table."""

    where: str
    """For messages: ``line 7``, or ``b.csv, line 7`` where there are several files; of a
    `trainer_state.json` ``log_history entry 7``."""
    cells: Mapping[str, Any]
    """By column: strings of a CSV file, values of JSON."""


class RunTable(NamedTuple):
    """The rows of a file, not yet checked."""

    source: str
    """Its name, for messages."""
    columns: tuple[str, ...]
    rows: tuple[TableRow, ...]


def read_tables(paths: Sequence[str]) -> list[RunTable]:
    """The rows of each file.

    Args:
        paths: CSV files with a header or files of JSON Lines; ``-`` is standard input.

    Raises:
        InputError: when a file cannot be read, is neither CSV nor JSON Lines, or is named twice.
    """
    places = [_place(path) for path in paths]
    for path, place in zip(paths, places, strict=True):
        if places.count(place) > 1:
            raise InputError(f"{path}: named twice; name each file of runs once")
    names = ["standard input" if path == "-" else Path(path).name for path in paths]
    if len(set(names)) < len(names):  # of different folders
        names = ["standard input" if path == "-" else path for path in paths]
    return [
        parse_table(read_text(path), name, prefix=f"{name}, " if len(paths) > 1 else "")
        for path, name in zip(paths, names, strict=True)
    ]


def _place(path: str) -> str:
    """Where a file is, however it is named."""
    if path == "-":
        return path
    try:
        return str(Path(path).resolve())
    except (OSError, RuntimeError, ValueError):  # not a file name; its reader says so
        return path


def parse_table(text: str, source: str, *, prefix: str = "") -> RunTable:
    """The rows of a text, without the columns that have no name.

    Args:
        text: CSV with a header, separated by commas, semicolons or tabs; JSON Lines; or a
            `trainer_state.json`.
        source: name of its file, for messages.
        prefix: what each row's place starts with, where there are several files.

    Raises:
        InputError: when it is neither CSV nor JSON Lines, or a row has more or fewer fields than
            the header.
    """
    start, word = text.lstrip()[:1], "line"
    whole = _whole(text) if start in ("{", "[") else None
    if isinstance(whole, dict) and isinstance(whole.get(_LOG), list):
        word = f"{_LOG} entry"
        columns, rows = _objects(enumerate(whole[_LOG], 1), source, word, [])
    elif isinstance(whole, list) or (isinstance(whole, dict) and "\n" in text.strip()):
        what = "array" if isinstance(whole, list) else "document"
        raise InputError(f"{source}: one JSON {what}; write JSON Lines, one object per line")
    else:
        columns, rows = _json_lines(text, source) if start == "{" else _csv(text, source)
    names = {column: _one_line(column) for column in columns if column.strip()}
    return RunTable(
        source=source,
        columns=tuple(names.values()),
        rows=tuple(
            TableRow(
                where=f"{prefix}{word} {row.line}",
                cells={name: row.values[column] for column, name in names.items()},
            )
            for row in rows
        ),
    )


def told(source: str, faults: Sequence[str]) -> InputError:
    """All faults of the rows of a file in one error."""
    shown = "; ".join(faults[:MOST_SHOWN])
    more = len(faults) - MOST_SHOWN
    rest = f"; and {more} more" if more > 0 else ""
    count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
    return InputError(f"{source}: {count}, nothing was used: {shown}{rest}")


def _csv(text: str, source: str) -> tuple[tuple[str, ...], list[FileRow]]:
    found = parse_separated(_with_header(text, source), source)
    rows = [row for row in found if any(_filled(cell) for cell in row.values.values())]
    faults = [
        f"line {row.line}: {'more' if BEYOND in row.values else 'fewer'} fields than the header has"
        for row in rows
        if _filled(row.values.get(BEYOND)) or None in row.values.values()
    ]
    if faults:
        raise told(source, faults)
    columns = tuple(name for name in rows[0].values if name != BEYOND) if rows else ()
    return columns, rows


def _one_line(name: str) -> str:
    """The name of a column as it can stand in a sentence."""
    return " ".join("".join(one if one.isprintable() else " " for one in name).split())


def _filled(cell: Any) -> bool:
    """Whether a field, or one of the fields beyond the header, holds anything."""
    return any(map(_filled, cell)) if isinstance(cell, list) else bool(cell and cell.strip())


def _with_header(text: str, source: str) -> str:
    """The text with its header as one, where a # stands before it, as numpy.savetxt writes it.

    Raises:
        InputError: when it is one line of numbers.
    """
    lines = [line for line in text.splitlines() if line.strip()]
    at = next((i for i, line in enumerate(lines) if not line.startswith("#")), None)
    if at is None:
        return text
    separator = separator_of(text)
    cells = lines[at].split(separator)
    if not all(is_unknown(cell) or is_number(cell) for cell in cells):
        return text
    above = lines[at - 1] if at else ""
    names = above.lstrip("#").split(separator)
    if above and len(names) == len(cells) and not any(map(is_number, names)):
        return text.replace(above, above.replace("#", " "), 1)
    if at == len(lines) - 1:
        raise InputError(f"{source}: the first line has numbers only; put a header above it")
    return text


def _whole(text: str) -> Any:
    """The value of a text that is one of JSON; None for any other text."""
    try:
        return parse_json(text, "", most_values=MOST_CELLS, not_a_number=True)
    except InputError:
        return None


def _json_lines(text: str, source: str) -> tuple[tuple[str, ...], list[FileRow]]:
    """One object a line; all lines that are none in one message."""
    found = []
    faults = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            found.append((number, parse_json(line, source, line=number, not_a_number=True)))
        except InputError as error:
            faults.append(str(error).removeprefix(f"{source}, "))  # told once
    return _objects(found, source, "line", faults)


def _objects(
    values: Iterable[tuple[int, Any]], source: str, word: str, faults: list[str]
) -> tuple[tuple[str, ...], list[FileRow]]:
    """The columns and rows of numbered objects; those that are none in one message."""
    found: list[FileRow] = []
    for number, value in values:
        if isinstance(value, dict):
            found.append(FileRow(line=number, values=value))
        else:
            faults.append(f"{word} {number}: not a JSON object")
    if faults:
        raise InputError(f"{told(source, faults)}; write one object per {word}")
    # a column that only some rows have is empty in the others
    every: dict[str, Any] = {}
    for row in found:
        every |= dict.fromkeys(row.values)
        demand_table(len(found), len(every), f"{source}, {word} {row.line}")
    rows = [FileRow(line=row.line, values={**every, **row.values}) for row in found]
    return tuple(every), rows
