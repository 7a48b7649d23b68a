"""A sweep over two numeric axes as a map of its verdicts, and what the map says in words."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product
from typing import TYPE_CHECKING

from distillplan.accounting import SUPERVISED_SHOWN
from distillplan.planning.fitted_range import SIZES
from distillplan.planning.results import Reason
from distillplan.planning.validity import OUTSIDE_FIT, OUTSIDE_FIT_CODES
from distillplan.planning.verdict_records import Verdict
from distillplan.questions.sweep import Cell
from distillplan.render.blocks import Block, MapBlock, Text
from distillplan.render.map_layout import Side, SweepMaps, axis_name, value_of
from distillplan.render.map_marks import HOLLOW, Mark
from distillplan.render.odds_view import percent

if TYPE_CHECKING:
    from distillplan.render.sweep_rows import Swept

MOST_TOLD = 6
"""Lines of a map that its sentence takes one by one."""
_MARKS = {
    Verdict.DISTILL: Mark.DISTILL,
    Verdict.TIE: Mark.TIE,
    Verdict.SUPERVISED: Mark.PRETRAIN,
}
_SILENT: Mapping[Reason | None, str] = {
    Reason.FAR_OUTSIDE_FIT: "too far from the law's data to tell",
    Reason.WORSE_THAN_GUESSING: "the law gives a loss that guessing would beat",
    Reason.LAW_HAS_NO_DISTILLATION: "the law says nothing about distillation",
}
"""Why there is no verdict."""
_IMPOSSIBLE: Mapping[Reason | None, str] = {
    None: "over budget",
    Reason.NOTHING_POSSIBLE: "neither fits the machine and keeps to the limits",
}
"""Why no student can be trained."""
_TEACHERS = frozenset(code for size, code in OUTSIDE_FIT.items() if size.startswith("teacher"))
"""Codes of a teacher outside the fitted range."""


def map_view(swept: "Swept", maps: SweepMaps) -> Iterator[Block]:
    """The blocks of a sweep as maps.

    Args:
        swept: the answers, in the order of the grid.
        maps: how they lie.
    """
    cells = swept.rows
    everywhere = _everywhere(cells)
    marks = [_mark(cell, everywhere) for cell in cells]
    legend = tuple(mark for mark in Mark if {mark, HOLLOW.get(mark)} & {*marks})
    if maps.fixed:
        yield Text(maps.fixed)
    for title, plane in _planes(maps):
        rows = tuple(tuple(marks[index] for index in row) for row in plane)
        yield MapBlock(
            title=title,
            legend=legend,
            up=maps.up.axis._replace(ticks=maps.up.axis.ticks[::-1]),
            across=maps.across.axis,
            rows=rows,
        )
        legend = ()
        yield Text(_winning(maps, [[cells[index] for index in row] for row in plane[::-1]]))
    remarks = " ".join(_remarks(cells, marks, everywhere))
    if remarks:
        yield Text(remarks, tight=True)


def _planes(maps: SweepMaps) -> Iterator[tuple[str, list[list[int]]]]:
    """Of each map what it is of, and the indices of its cells, the uppermost row first."""
    axes = maps.grid.axes
    sizes = [len(axis.points) for axis in axes]
    steps = [math.prod(sizes[place + 1 :]) for place in range(len(axes))]
    up, across = maps.up, maps.across
    for number, (name, _) in enumerate(maps.grid.scenarios):
        for chosen in product(*(range(sizes[place]) for place in maps.others)):
            said = [name] if maps.grid.named else []
            start = number * math.prod(sizes)
            for place, point in zip(maps.others, chosen, strict=True):
                start += point * steps[place]
                said.append(f"{axis_name(axes[place])} {value_of(axes[place], point)}")
            yield (
                ", ".join(said),
                [
                    [
                        start + one * steps[up.place] + two * steps[across.place]
                        for two in across.points
                    ]
                    for one in up.points[::-1]
                ],
            )


def _mark(cell: Cell, everywhere: frozenset[str]) -> Mark:
    """What a cell says; hollow where it leaves the fitted range and others do not."""
    if cell.verdict is None:
        return Mark.IMPOSSIBLE if cell.verdict_reason in _IMPOSSIBLE else Mark.NO_VERDICT
    mark = _MARKS[cell.verdict]
    return HOLLOW[mark] if _outside(cell) - everywhere else mark


def _outside(cell: Cell) -> frozenset[str]:
    """The codes of the sizes of a cell outside the fitted range."""
    return OUTSIDE_FIT_CODES & set(cell.warnings)


def _everywhere(cells: Iterable[Cell]) -> frozenset[str]:
    """The codes of a teacher outside the fitted range in every cell, which tell no two apart."""
    trained = [_outside(cell) for cell in cells if cell.supervised.loss is not None]
    return _TEACHERS.intersection(*trained) if trained else frozenset()


def _winning(maps: SweepMaps, rows: Sequence[Sequence[Cell]]) -> str:
    """Where distilling wins on one map; its lowest row first."""
    wins = [[cell.verdict is Verdict.DISTILL for cell in row] for row in rows]
    count, size = sum(map(sum, wins)), len(rows) * len(rows[0])
    if count == size:
        return "Distilling wins in every cell."
    said = f"Distilling wins in {count or 'none'} of {size} cells"
    if not count or len(rows) > MOST_TOLD:
        return f"{said}; {_others(rows)}."
    parts: list[str] = []
    for tick, row in enumerate(wins):
        if any(row):
            first = not parts
            where = f"{maps.up.name} " if first else ""
            parts.append(
                f"{where}{maps.up.axis.ticks[tick]} {_stretch(maps.across, row, first=first)}"
            )
    return f"{said}: {', '.join(parts)}."


def _others(rows: Iterable[Iterable[Cell]]) -> str:
    """How many cells have each other verdict."""
    count = Counter(cell.verdict for row in rows for cell in row)
    words = {Verdict.SUPERVISED: SUPERVISED_SHOWN, Verdict.TIE: "too close", None: "no verdict"}
    return ", ".join(f"{count[one]} {word}" for one, word in words.items() if count[one])


def _stretch(side: Side, row: Sequence[bool], *, first: bool) -> str:
    """Where along a row something holds."""
    places = [place for place, holds in enumerate(row) if holds]
    low, high = places[0], places[-1]
    if len(places) <= high - low:
        return f"in {len(places)} of {len(row)}"
    last = len(row) - 1

    def at(place: int) -> str:
        return side.value(place) if first else side.axis.ticks[place]

    match low == 0, high == last:
        case True, True:
            return "everywhere"
        case True, False:
            return f"up to {at(high)}"
        case False, True:
            return f"from {at(low)}"
    return f"at {at(low)}" if low == high else f"from {side.axis.ticks[low]} to {at(high)}"


def _remarks(
    cells: Sequence[Cell], marks: Sequence[Mark], everywhere: frozenset[str]
) -> Iterator[str]:
    """Where the maps leave the law's data, why there is no verdict, and how sure the others are."""
    drawn = frozenset[str]().union(
        *(_outside(cell) for cell, mark in zip(cells, marks, strict=True) if mark.is_hollow)
    )
    outside = [
        f"{_sizes(codes)} {where}"
        for codes, where in ((drawn - everywhere, "as marked"), (everywhere, "in every cell"))
        if codes
    ]
    if outside:
        yield f"Outside the law's data: {', '.join(outside)}."
    reasons = {cell.verdict_reason for cell in cells}
    for what, table in (("No verdict", _SILENT), ("Impossible", _IMPOSSIBLE)):
        why = [words for reason, words in table.items() if reason in reasons]
        if why:
            yield f"{what}: {' or '.join(why)}."
    sure = [
        cell.odds.of(cell.verdict)
        for cell in cells
        if cell.odds and cell.verdict in (Verdict.DISTILL, Verdict.SUPERVISED)
    ]
    if sure:
        yield f"Odds of the winning side: {percent(min(sure))} to {percent(max(sure))}."


def _sizes(codes: Iterable[str]) -> str:
    """The sizes that some codes are about, in words."""
    return " and ".join(SIZES[size].words for size, code in OUTSIDE_FIT.items() if code in codes)
