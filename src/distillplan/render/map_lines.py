"""A map as lines of text of a given width."""

from collections.abc import Iterable, Iterator
from itertools import pairwise
from textwrap import wrap
from typing import TypeAlias

from distillplan.named_tuples import NamedTuple
from distillplan.render.blocks import MapBlock
from distillplan.render.map_marks import OUTSIDE, Mark

MARGIN = 2
"""Columns between the ticks of the vertical side and the map."""
WIDEST = 12
"""Columns of a cell, however wide the terminal."""
GAPPED = 3
"""Columns from which a cell leaves one free, so that one can count them."""
_BETWEEN = "  "
"""Between two entries of the legend."""


class Piece(NamedTuple):
    """A part of a line: text, or one mark several times."""

    text: str
    mark: Mark | None = None


Line: TypeAlias = tuple[Piece, ...]


def map_lines(block: MapBlock, width: int, *, ascii_only: bool = False) -> Iterator[Line]:
    """The lines of a map.

    Args:
        block: the map.
        width: columns of the terminal.
        ascii_only: whether to draw it with the marks in ASCII.
    """
    yield from _legend(block.legend, width, ascii_only=ascii_only)
    if block.legend:
        yield ()
    yield from ((Piece(line),) for line in wrap(block.title, width))
    margin = margin_of(block.up.ticks)
    cell = min((width - margin) // len(block.across.ticks), WIDEST)
    yield (Piece(block.up.name),)
    for tick, row in zip(block.up.ticks, block.rows, strict=True):
        left = Piece(f"{tick:>{margin - MARGIN}}{' ' * MARGIN}")
        yield (left, *_cells(row, cell, ascii_only=ascii_only))
    yield (Piece(" " * margin + _ticks(block.across.ticks, cell, width - margin)),)
    yield (Piece(" " * margin + block.across.name),)


def margin_of(ticks: Iterable[str]) -> int:
    """Columns left of a map with these ticks on its vertical side."""
    return max(map(len, ticks)) + MARGIN


def _glyph(mark: Mark, *, ascii_only: bool) -> str:
    return mark.value.ascii if ascii_only else mark.value.glyph


def _cells(row: Iterable[Mark], cell: int, *, ascii_only: bool) -> Iterator[Piece]:
    """The marks of a row, each as wide as a cell."""
    filled = cell - 1 if cell >= GAPPED else cell
    for mark in row:
        glyph = _glyph(mark, ascii_only=ascii_only)
        yield Piece(f"{glyph:^{filled}}" if mark.is_silent else glyph * filled, mark)
        yield Piece(" " * (cell - filled))


def _legend(marks: Iterable[Mark], width: int, *, ascii_only: bool) -> Iterator[Line]:
    """The marks with their words, on one line where it is wide enough."""
    marks = tuple(marks)
    entries: list[Line] = [
        (Piece(_glyph(mark, ascii_only=ascii_only), mark), Piece(f" {mark.value.words}"))
        for mark in marks
        if not mark.is_hollow
    ]
    hollow = [Piece(_glyph(mark, ascii_only=ascii_only), mark) for mark in marks if mark.is_hollow]
    if hollow:
        apart = [piece for one in hollow for piece in (one, Piece(" "))]
        entries.append((*apart, Piece(OUTSIDE)))
    line: list[Piece] = []
    for entry in entries:
        if line and _length(line) + len(_BETWEEN) + _length(entry) > width:
            yield tuple(line)
            line = []
        line += [Piece(_BETWEEN)] if line else []
        line += entry
    if line:
        yield tuple(line)


def _length(line: Iterable[Piece]) -> int:
    return sum(len(piece.text) for piece in line)


def _ticks(ticks: tuple[str, ...], cell: int, room: int) -> str:
    """As many ticks as there is room for, at equal distances; each begins where its cell does."""
    line = ""
    for index in range(0, len(ticks), _step(ticks, cell)):
        if index * cell + len(ticks[index]) <= room:
            line = f"{line:<{index * cell}}{ticks[index]}"
    return line


def _step(ticks: tuple[str, ...], cell: int) -> int:
    """Every how many cells there is a tick: as often as they fit, or at rounder numbers nearby."""
    least = next(step for step in range(1, len(ticks) + 1) if _fits(ticks[::step], step * cell))
    if least == 1:
        return 1
    nearby = (step for step in range(least, 2 * least) if _fits(ticks[::step], step * cell))
    return min(nearby, key=lambda step: (max(map(len, ticks[::step])), step))


def _fits(shown: tuple[str, ...], apart: int) -> bool:
    """Whether ticks at a distance leave a space between each two."""
    return all(len(one) < apart for one, _ in pairwise(shown))
