"""The only reader of files of runs: CSV or JSON Lines, from a file or from standard input."""

import csv
import hashlib
import io
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from distillplan.errors import InputError
from distillplan.files.yaml_reader import MOST_BYTES, decoded, read_text
from distillplan.fitting.runs import COLUMNS, RunKind, Runs, parse_columns, validated_runs

TEACHER = "teacher_loss"
"""The column that tells runs of distilled students from others."""


class RunsFile(NamedTuple):
    """The rows of a file, not yet checked."""

    source: str
    """Its name, for messages."""
    rows: tuple[Mapping[str, Any], ...]
    lines: tuple[int, ...]
    digest: str
    """Of its content, to tell whether another file is the same."""


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
    """The rows of a file and where they stand.

    Raises:
        InputError: when it cannot be read, or is neither CSV nor JSON Lines.
    """
    source = "standard input" if path == "-" else Path(path).name
    if path == "-":
        text = decoded(sys.stdin.buffer.read(MOST_BYTES + 1), source)
    else:
        text = read_text(Path(path))
    found = _json_lines(text, source) if text.lstrip()[:1] == "{" else _csv(text, source)
    rows, lines = tuple(row for row, _ in found), tuple(line for _, line in found)
    return RunsFile(source, rows, lines, hashlib.sha256(text.encode()).hexdigest()[:16])


def _csv(text: str, source: str) -> list[tuple[Mapping[str, Any], int]]:
    """Rows under a header; lines that start with # are left out."""
    numbers: list[int] = []

    def kept() -> Iterator[str]:
        for number, line in enumerate(io.StringIO(text), 1):
            if line.strip() and not line.startswith("#"):
                numbers.append(number)
                yield line

    try:
        reader = csv.DictReader(kept(), skipinitialspace=True, strict=True)
        names = [name.strip() for name in reader.fieldnames or ()]
        reader.fieldnames = names
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise InputError(f"{source}: the column {twice[0]!r} stands twice; name it once")
        return [(row, numbers[-1]) for row in reader]
    except csv.Error as error:
        at = f", line {numbers[-1]}" if numbers else ""
        raise InputError(f"{source}{at}: not readable as CSV: {error}") from None


def _json_lines(text: str, source: str) -> list[tuple[Mapping[str, Any], int]]:
    """One object a line; all lines that are none in one message."""
    found: list[tuple[Mapping[str, Any], int]] = []
    faults = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            value = None
        if isinstance(value, dict):
            found.append((value, number))
        else:
            faults.append(f"line {number}")
    if faults:
        names = ", ".join(COLUMNS["supervised"])
        raise InputError(
            f"{source}: {', '.join(faults[:20])}{' and more' if len(faults) > 20 else ''}: no JSON "
            f"object, nothing was used; write one a line with {names}"
        )
    # a column that only some rows have is a fault of those rows, not of the file
    every: dict[str, Any] = {key: None for row, _ in found for key in row}
    return [({**every, **row}, line) for row, line in found]
