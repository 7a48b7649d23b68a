"""A sweep as it is found: rows on standard output, a progress bar on a terminal."""

import math
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, assert_never

from distillplan.finite import demand_finite
from distillplan.questions.sweep import Cell
from distillplan.render.blocks import MOST_ROWS, Block, TableBlock, Text
from distillplan.render.document_forms import written
from distillplan.render.odds_view import percent
from distillplan.render.progress import watched
from distillplan.render.row_streams import as_document, as_rows
from distillplan.render.show import RowOutput, as_text
from distillplan.render.streams import write, write_all
from distillplan.schemas.reader import schema_id
from distillplan.units import format_count

ODDS = "odds"
"""The column of the table that no key of a row holds."""

Row = Mapping[str, Any]


class Swept(NamedTuple):
    """A sweep as its document has it; the rows are never all in memory."""

    axes: tuple[str, ...]
    """Keys of the coordinates."""
    cells: int
    """Number of rows."""
    rows: tuple[Cell, ...]
    """One cell each: its coordinates, then its answer; also the lines of JSON Lines and CSV."""


def show_sweep(
    cells: Iterable[Cell], *, columns: Sequence[str], size: int, output: RowOutput
) -> None:
    """Write the rows of a sweep as they come.

    Args:
        cells: the answers.
        columns: what distinguishes them.
        size: how many there will be.
        output: the form; a table is shown when it is whole.
    """
    streams = output in ("csv", "jsonl", "json")
    if not (streams and sys.stdout.isatty()):  # the rows themselves show how far it is
        cells = watched(cells, "Cells", size)
    rows = map(_row, cells)
    match output:
        case "csv" | "jsonl":
            write_all(as_rows(rows, output))
        case "json":
            head = {"schema": schema_id("sweep"), "axes": list(columns), "cells": size}
            write_all(as_document(head, rows))
        case "table" | "markdown":
            write(f"{as_text(_blocks(rows, columns), output).rstrip()}\n")
        case _:
            assert_never(output)


def _row(cell: Cell) -> Row:
    """A cell as a row, all of it finite."""
    row: Row = written(cell)
    demand_finite(row)
    return row


class _Seen(NamedTuple):
    """What a table of many rows needs to know of all of them."""

    first: list[Row]
    """Those that it shows."""
    all: int
    """How many there are."""
    odds: bool
    """Whether any row has odds."""
    hours: bool
    """Whether the hours of any say something."""


def _seen(rows: Iterable[Row]) -> _Seen:
    """One look at each row; a million of them are never in memory together."""
    first: list[Row] = []
    count, odds, hours = 0, False, False
    for row in rows:
        count += 1
        odds = odds or row["odds_distill"] is not None
        hours = hours or _hours_differ(row)
        if count <= MOST_ROWS:
            first.append(row)
    return _Seen(first=first, all=count, odds=odds, hours=hours)


def _blocks(rows: Iterable[Row], columns: Sequence[str]) -> Iterator[Block]:
    seen = _seen(rows)
    shown = {
        "verdict": "verdict",
        "gain": "margin_nats",
        "supervised": "supervised_loss",
        "distill": "distill_loss",
    }
    if seen.odds:
        shown = {"verdict": "verdict", "odds": ODDS, **shown}
    unit = ""
    if seen.hours:
        shown |= {"supervised": "supervised_gpu_hours", "distill": "distill_gpu_hours"}
        unit = "supervised and distill: GPU-hours; losses: -o csv, jsonl or json"
    elif not any(column.startswith("teacher") for column in columns):
        shown["teacher"] = "distill_teacher_params"
    yield TableBlock(
        "",
        (*(_heading(column) for column in columns), *shown),
        tuple(
            tuple(_text(row, name) for name in (*columns, *shown.values())) for row in seen.first
        ),
        tight=True,
    )
    if unit:
        yield Text(unit, "quiet")
    if seen.all > MOST_ROWS:
        yield Text(f"{MOST_ROWS} of {seen.all} cells; all: -o csv, jsonl or json", "quiet")


def _odds(row: Row) -> str:
    """The odds of a cell's own verdict, as a comparison shows them."""
    odds = row["verdict"] and row[f"odds_{row['verdict']}"]
    return "" if odds is None else percent(odds)


def _hours_differ(row: Row) -> bool:
    """Whether hours say something: where the budget is in hours both sides take all of it."""
    alone, distill = row["supervised_gpu_hours"], row["distill_gpu_hours"]
    return alone is not None and distill is not None and not math.isclose(alone, distill)


def _heading(column: str) -> str:
    return column.removeprefix("hardware.").replace("_", " ").replace(".", " ")


def _text(row: Row, name: str) -> str:
    if name == ODDS:
        return _odds(row)
    value = row[name]
    if name == "verdict" and value is None:
        return "none" if row["verdict_reason"] else ""
    if value is None:
        return ""
    if name == "margin_nats":
        return f"{value:+.3f}"
    if name.endswith(("loss", "nats")) and isinstance(value, float):
        return f"{value:.3f}"
    return format_count(value) if isinstance(value, float) else str(value)
