"""The only reader of files of runs: CSV or JSON Lines, from a file or from standard input."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from distillplan.errors import InputError
from distillplan.files.csv_reader import FileRow, parse_csv
from distillplan.files.text_reader import read_text
from distillplan.fitting.runs import (
    COLUMNS,
    MOST_SHOWN,
    RunKind,
    Runs,
    parse_columns,
    validated_runs,
)

TEACHER = "teacher_loss"
"""The column that tells runs of distilled students from others."""


class RunsFile(NamedTuple):
    """The rows of a file, not yet checked."""

    source: str
    """Its name, for messages."""
    rows: tuple[Mapping[str, Any], ...]
    lines: tuple[int, ...]
    digest: str
    """Hash of its content."""


def read_runs(path: str, kind: RunKind | None = None, columns: str = "") -> tuple[Runs, RunsFile]:
    """The runs of a file, checked.

    Args:
        path: a CSV file with a header or a file of JSON Lines; ``-`` is standard input.
        kind: supervised or distillation; None is distillation where there is a teacher's loss.
        columns: a mapping such as ``student_params=NS,loss=LS``.

    Raises:
        InputError: with all faults at once.
    """
    file = read_rows(path)
    if kind is None:
        # a mapping names the column of the teacher only for runs of distilled students
        mapped = {part.partition("=")[0].strip() for part in columns.split(",")}
        there = TEACHER in mapped or any(TEACHER in row for row in file.rows[:1])
        kind = "distillation" if there else "supervised"
    mapping = parse_columns(columns, kind)
    runs = validated_runs(file.rows, kind, columns=mapping, lines=file.lines, source=file.source)
    return runs, file


def read_rows(path: str) -> RunsFile:
    """The rows of a file and their lines.

    Raises:
        InputError: when it cannot be read, or is neither CSV nor JSON Lines.
    """
    source = "standard input" if path == "-" else Path(path).name
    text = read_text(path)
    found = (_json_lines if text.lstrip()[:1] == "{" else parse_csv)(text, source)
    return RunsFile(
        source=source,
        rows=tuple(row.values for row in found),
        lines=tuple(row.line for row in found),
        digest=hashlib.sha256(text.encode()).hexdigest()[:16],
    )


def _json_lines(text: str, source: str) -> list[FileRow]:
    """One object a line; all lines that are none in one message."""
    found: list[FileRow] = []
    faults = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            value = None
        if isinstance(value, dict):
            found.append(FileRow(line=number, values=value))
        else:
            faults.append(f"line {number}")
    if faults:
        names = ", ".join(COLUMNS["supervised"])
        more = " and more" if len(faults) > MOST_SHOWN else ""
        raise InputError(
            f"{source}: {', '.join(faults[:MOST_SHOWN])}{more}: not a JSON object, nothing was "
            f"used; write one object per line with {names}"
        )
    # a column that only some rows have is a fault of those rows, not of the file
    every: dict[str, Any] = {key: None for row in found for key in row.values}
    return [FileRow(line=row.line, values={**every, **row.values}) for row in found]
