"""The only reader of files of runs: tables of text, JSON, or logs; knows few columns."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from distillplan.errors import InputError
from distillplan.files.csv_reader import (
    BEYOND,
    SEPARATORS,
    demand_table,
    parse_separated,
    separator_of,
)
from distillplan.files.text_reader import read_text
from distillplan.fitting.cells import is_unknown
from distillplan.fitting.json_rows import FoundRows, json_rows, told
from distillplan.fitting.log_lines import log_rows
from distillplan.named_tuples import NamedTuple
from distillplan.units.numerals import is_number

LEAST_LOGGED: Final = 2
"""Lines of a log from which a text that is no table is one."""
_METRIC: Final = ("key", "metric", "tag")
"""Where a table with a row for each metric names it, beside its ``value``."""


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
        text: a table with a header, separated by commas, semicolons, tabs, spaces or pipes;
            JSON, as `json_rows` reads it; or a log of training.
        source: name of its file, for messages.
        prefix: what each row's place starts with, where there are several files.

    Raises:
        InputError: when it is none of these, or a row has more or fewer fields than the header.
    """
    found = _pivoted(_rows(text, source), source)
    names = {column: _one_line(column) for column in found.columns if column.strip()}
    return RunTable(
        source=source,
        columns=tuple(names.values()),
        rows=tuple(
            TableRow(
                where=f"{prefix}{found.word} {row.line}",
                cells={name: row.values[column] for column, name in names.items()},
            )
            for row in found.rows
        ),
    )


def _rows(text: str, source: str) -> FoundRows:
    logged, lines = log_rows(text), [line for line in text.splitlines() if line.strip()]
    if 2 * len(logged) <= len(lines):  # a table may have notes that read like a log
        try:
            return (
                json_rows(text, source) if text.lstrip()[:1] in ("{", "[") else _csv(text, source)
            )
        except InputError:
            if len(logged) < LEAST_LOGGED:
                raise
    columns = dict.fromkeys(name for row in logged for name in row.values)
    demand_table(len(logged), len(columns), source)
    rows = [row._replace(values={**columns, **row.values}) for row in logged]
    return FoundRows(columns=tuple(columns), rows=rows)


def _pivoted(found: FoundRows, source: str) -> FoundRows:
    """A table with a row for each metric, as MLflow has, with a column for each instead."""
    keys = [one for one in found.columns if one.strip().lower() in _METRIC]
    if len(keys) != 1 or "value" not in found.columns:
        return found
    named = [(str(row.values[keys[0]]).strip(), row) for row in found.rows]
    columns = dict.fromkeys((*found.columns, *(name for name, _ in named)))
    del columns["value"]
    demand_table(len(named), len(columns), source)
    rows = [
        row._replace(values={**columns, **row.values, name: row.values["value"]})
        for name, row in named
    ]
    return found._replace(columns=tuple(columns), rows=rows)


def _csv(text: str, source: str) -> FoundRows:
    found = parse_separated(_with_header(_with_tabs(_without_pipes(text)), source), source)
    rows = [row for row in found if any(_filled(cell) for cell in row.values.values())]
    faults = [
        f"line {row.line}: {'more' if BEYOND in row.values else 'fewer'} fields than the header has"
        for row in rows
        if _filled(row.values.get(BEYOND)) or None in row.values.values()
    ]
    if faults:
        raise told(source, faults)
    columns = tuple(name for name in rows[0].values if name != BEYOND) if rows else ()
    return FoundRows(columns=columns, rows=rows)


def _with_tabs(text: str) -> str:
    """A table that is separated by spaces with tabs; any other as it is."""
    lines = text.splitlines()
    header = next((one for one in lines if one.strip() and not one.startswith("#")), "")
    words = [one.split() for one in lines[lines.index(header) :]] if header else []
    sizes = [len(one) for one in words if one]
    alike = len(sizes) > 1 and min(sizes) == max(sizes) > 1
    if not alike or any(one in header for one in SEPARATORS):
        return text
    above = ("#" + "\t".join(one.strip("#").split()) for one in lines[: lines.index(header)])
    return "\n".join((*above, *map("\t".join, words)))


def _without_pipes(text: str) -> str:
    """A table of Markdown with tabs; any other as it is."""
    if not text.lstrip().startswith("|"):
        return text
    lines = (one.strip() if one.strip("-: |") else "" for one in text.splitlines())
    return "\n".join(one.removeprefix("|").removesuffix("|").replace("|", "\t") for one in lines)


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
