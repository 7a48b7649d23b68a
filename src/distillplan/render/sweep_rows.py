"""A sweep as it is found: rows or maps on standard output, a progress bar on a terminal."""

import math
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, Protocol, TypeVar, assert_never

from distillplan.accounting import SUPERVISED_SHOWN
from distillplan.errors import InputError
from distillplan.fields import demand_finite
from distillplan.named_tuples import NamedTuple
from distillplan.notices import UNKNOWN_ARCHITECTURE
from distillplan.planning.model_warnings import TOKENIZERS_DIFFER
from distillplan.planning.verdict_records import Verdict
from distillplan.questions.sweep import Cell
from distillplan.render.answers import blocks_of
from distillplan.render.blocks import MOST_ROWS, WIDTH, Block, TableBlock, Text
from distillplan.render.document_forms import FORMS, written
from distillplan.render.map_layout import SweepMaps, maps_of, no_maps
from distillplan.render.odds_view import percent
from distillplan.render.progress import watched
from distillplan.render.row_streams import as_document, csv_header, csv_line, jsonl_line
from distillplan.render.show import SweepOutput, as_text
from distillplan.render.streams import write, write_all
from distillplan.scenarios.grid import CellGrid
from distillplan.scenarios.shards import WHOLE, Shard
from distillplan.schemas.reader import schema_id
from distillplan.units.quantities import format_count

ODDS = "odds"
"""The column of the table that no key of a row holds."""

Row = Mapping[str, Any]
Written = TypeVar("Written")


class Swept(NamedTuple):
    """A sweep as its document has it; the rows are never all in memory."""

    axes: tuple[str, ...]
    """Keys of the coordinates."""
    cells: int
    """Number of rows."""
    rows: tuple[Cell, ...]
    """One cell each: its coordinates, then its answer; also the lines of JSON Lines and CSV."""


class CellAnswers(Protocol):
    """What gives the answers of cells, each through a function that is called where it is found."""

    def __call__(self, then: Callable[[Cell], Written], /) -> Iterator[Written]:
        """The answers of all cells, in the order of the grid."""


def demand_rows(output: SweepOutput | None) -> None:
    """Refuse a form of which parts cannot be put together.

    Raises:
        InputError: for any but rows.
    """
    if output not in ("csv", "jsonl", "parquet"):
        given = "" if output is None else f", not {output}"
        raise InputError(
            f"--shard: a shard is written as rows, so give -o csv, jsonl or parquet{given}"
        )


def show_sweep(
    answers: CellAnswers,
    grid: CellGrid,
    output: SweepOutput | None,
    *,
    shard: Shard = WHOLE,
    odds: bool = False,
) -> None:
    """Write a sweep: rows as they come, a table or maps when they are whole.

    Args:
        answers: gives what is found in the cells of the shard.
        grid: where they lie.
        output: the form; None for maps of two numeric axes on a terminal, and a table otherwise.
        shard: the part of the cells; a CSV file of another than the first has no header.
        odds: whether the cells have odds.

    Raises:
        InputError: where maps are asked for and there can be none.
    """
    cells = len(shard.of(grid.size))

    def found(then: Callable[[Cell], Written]) -> Iterator[Written]:
        ones = answers(then)  # before there is a bar, which is a thread beside the processes
        if output in ("csv", "jsonl", "json") and sys.stdout.isatty():
            return ones  # the rows themselves show how far it is
        return watched(ones, "Cells", cells)

    match output:
        case "csv":
            header = [csv_header(_columns(grid))] if shard.number == 1 else []
            write_all(chain(header, found(_csv)))
        case "jsonl":
            write_all(found(_jsonl))
        case "json":
            head = {"schema": schema_id("sweep"), "axes": list(grid.columns), "cells": cells}
            write_all(as_document(head, found(_jsonl)))
        case "parquet":
            from distillplan.render.parquet_rows import write_parquet  # only for those who ask

            write_parquet(found(_row), grid)
        case "map" | "table" | "markdown" | None:
            blocks = _for_people(found, grid, output, odds=odds)
            text = as_text(blocks, "markdown" if output == "markdown" else "table")
            write(f"{text.rstrip()}\n")
        case _:
            assert_never(output)


def _columns(grid: CellGrid) -> tuple[str, ...]:
    """The keys of each row."""
    return (*grid.columns, *FORMS[Cell.__name__].lifted)


def _csv(cell: Cell) -> str:
    return csv_line(_row(cell))


def _jsonl(cell: Cell) -> str:
    return jsonl_line(_row(cell))


def _for_people(
    answers: CellAnswers, grid: CellGrid, output: SweepOutput | None, *, odds: bool
) -> Iterator[Block]:
    """Maps where they are wanted and can be, then a table of rows where that is wanted too."""
    maps, misfit = _wanted_maps(grid, output)
    if maps is None or misfit:
        yield from _blocks(answers(_row), grid.columns)
        if misfit and output is None:
            yield Text(f"No map: {misfit}", "quiet")
        return
    cells = tuple(answers(_finite))
    if output == "map" or any(one.verdict for one in cells):
        if output != "markdown":
            every = Counter(code for one in cells for code in one.warnings)
            yield from _read_first(every, len(cells))
        swept = Swept(axes=grid.columns, cells=grid.size, rows=cells)
        yield from blocks_of(swept, maps=maps)
        if output != "markdown":  # where the rows follow
            more = "-o table" if odds else "-o table  --odds"
            yield Text(f"More: {more}  -o csv", "quiet")
            return
    yield from _blocks(map(_row, cells), grid.columns)


def _wanted_maps(grid: CellGrid, output: SweepOutput | None) -> tuple[SweepMaps | None, str]:
    """How a sweep lies on maps, where they are wanted and can be, and why they do not fit."""
    by_default = output is None and sys.stdout.isatty()
    maps = maps_of(grid) if by_default or output in ("map", "markdown") else None
    misfit = "" if maps is None else maps.misfit(WIDTH if output == "markdown" else _width())
    if output == "map" and (maps is None or misfit):
        raise InputError(f"-o map: {misfit or no_maps(grid)}")
    return maps, misfit


def _width() -> int:
    from distillplan.render.table import terminal_width  # rich takes 30 ms to import

    return terminal_width()


def _finite(cell: Cell) -> Cell:
    """The cell itself; an error where a number of it is not finite."""
    _row(cell)
    return cell


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
    warned: Mapping[str, int]
    """In how many there is each warning."""
    odds: bool
    """Whether any row has odds."""
    hours: bool
    """Whether the hours of any say something."""


def _seen(rows: Iterable[Row]) -> _Seen:
    """One look at each row; a million of them are never in memory together."""
    first: list[Row] = []
    count, odds, hours = 0, False, False
    warned = Counter[str]()
    for row in rows:
        count += 1
        warned.update(row["warnings"])
        odds = odds or row["odds_distill"] is not None
        hours = hours or _hours_differ(row)
        if count <= MOST_ROWS:
            first.append(row)
    return _Seen(first=first, all=count, warned=warned, odds=odds, hours=hours)


def _blocks(rows: Iterable[Row], columns: Sequence[str]) -> Iterator[Block]:
    seen = _seen(rows)
    yield from _read_first(seen.warned, seen.all)
    shown = {
        "verdict": "verdict",
        "gain": "margin_nats",
        SUPERVISED_SHOWN: "supervised_loss",
        "distill": "distill_loss",
    }
    if seen.odds:
        shown = {"verdict": "verdict", "odds": ODDS, **shown}
    unit = ""
    if seen.hours:
        shown |= {SUPERVISED_SHOWN: "supervised_gpu_hours", "distill": "distill_gpu_hours"}
        unit = f"{SUPERVISED_SHOWN} and distill: GPU-hours; losses: -o csv, jsonl or json"
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


_FIRST = {
    UNKNOWN_ARCHITECTURE: "a config.json of an unknown architecture was read as if it were "
    "Llama's: compare its parameters (distillplan models FILE) with its model card",
    TOKENIZERS_DIFFER: "student and teacher have different tokenizers, so the student cannot learn "
    "from its logits token by token, and what is said of distilling does not hold as it is",
}
"""What to read before all cells, by the codes of warnings."""


def _read_first(warned: Mapping[str, int], cells: int) -> Iterator[Text]:
    """What to read before all cells, and in how many of them it is so."""
    for code, said in _FIRST.items():
        if warned.get(code, 0):
            which = "all" if warned[code] == cells else f"{warned[code]} of {cells}"
            yield Text(f"In {which} cells {said}.", "warning")


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
    if name == "verdict":
        return Verdict(value).shown if value else "none" if row["verdict_reason"] else ""
    if value is None:
        return ""
    if name == "margin_nats":
        return f"{value:+.3f}"
    if name.endswith(("loss", "nats")) and isinstance(value, float):
        return f"{value:.3f}"
    return format_count(value) if isinstance(value, float) else str(value)
