"""Two curves as lines of characters: the chart of `budget --plot`."""

from collections.abc import Iterator, Sequence

from distillplan.named_tuples import NamedTuple
from distillplan.render.blocks import ChartBlock
from distillplan.render.map_lines import Line, Piece
from distillplan.render.map_marks import Mark

COLUMNS, ROWS = 60, 12
"""Of the plane at most."""
TICKED = 4
"""Rows from one number on the vertical side to the next."""
STEEP = 4.0
"""Values this many times as far above the least as the middle one are left out: the law is so steep
there that all else would be flat."""
LEAST = 1e-3
"""Height of a plane, where all values are alike."""
HERE = "↑ you are here"


class ChartLine(NamedTuple):
    """How a curve is drawn."""

    letter: str
    mark: Mark
    """Whose color it has, where there are colors."""


ALONE, TAUGHT, BOTH = (
    ChartLine("o", Mark.PRETRAIN),
    ChartLine("x", Mark.DISTILL),
    ChartLine("*", Mark.TIE),
)
"""The letters differ without colors, and in every encoding."""


def chart_lines(block: ChartBlock, width: int) -> Iterator[Line]:
    """The lines of a chart.

    Args:
        block: the chart.
        width: columns of the terminal.
    """
    low, high = ends_of((*block.alone, *block.taught))
    ticks = [f"{high - (high - low) * row / (ROWS - 1):.2f}" for row in range(ROWS)]
    margin = max(map(len, ticks)) + 1
    columns = min(COLUMNS, width - margin - 1)
    plane = _plane(block, columns, low, high)
    drawn = set(plane.values())
    yield from _legend(block, [one for one in (ALONE, TAUGHT, BOTH) if one in drawn], width)
    for row in range(ROWS):
        tick = ticks[row] if row % TICKED == 0 or row == ROWS - 1 else ""
        cells = [plane.get((row, column)) for column in range(columns)]
        yield (Piece(f"{tick:>{margin - 1}} │"), *map(_cell, cells))
    inside = [
        block.inside[_nearest(column, columns, len(block.inside))] for column in range(columns)
    ]
    yield (Piece(" " * margin + "└" + "".join("─" if one else "." for one in inside)),)
    yield (Piece(" " * (margin + 1) + _across(block.ticks, columns)),)
    yield (Piece(" " * (margin + 1) + _here(columns)),)


def _plane(
    block: ChartBlock, columns: int, low: float, high: float
) -> dict[tuple[int, int], ChartLine]:
    """The curve that goes through each row and column, from above and from the left."""
    plane: dict[tuple[int, int], ChartLine] = {}
    for curve, values in ((ALONE, block.alone), (TAUGHT, block.taught)):
        for column in range(columns):
            value = values[_nearest(column, columns, len(values))]
            if value is not None and value <= high:
                at = round((high - value) / (high - low) * (ROWS - 1)), column
                plane[at] = BOTH if at in plane else curve
    return plane


def ends_of(values: Sequence[float | None]) -> tuple[float, float]:
    """The least and the largest value that is shown, of some of which one is known."""
    ordered = sorted(one for one in values if one is not None)
    least, middle = ordered[0], ordered[len(ordered) // 2]
    return least, max(min(ordered[-1], least + STEEP * (middle - least)), least + LEAST)


def _nearest(column: int, columns: int, count: int) -> int:
    """The place of the value that a column shows; the middle one has a column of its own."""
    middle = columns // 2
    reach = max(middle, columns - 1 - middle)
    return min(max(round(count // 2 + (column - middle) * (count // 2) / reach), 0), count - 1)


def _cell(curve: ChartLine | None) -> Piece:
    return Piece(" ") if curve is None else Piece(curve.letter, curve.mark)


def _legend(block: ChartBlock, drawn: Sequence[ChartLine], width: int) -> Iterator[Line]:
    """What is shown, and each letter with its words, on as few lines as it takes."""
    entries: list[Line] = [(Piece(block.title),)]
    words = dict(zip((ALONE, TAUGHT, BOTH), block.words, strict=True))
    entries += [(Piece(one.letter, one.mark), Piece(f" {words[one]}")) for one in drawn]
    line: Line = ()
    for entry in entries:
        longer = (*line, Piece("   "), *entry) if line else entry
        if line and sum(len(one.text) for one in longer) > width:
            yield line
            longer = entry
        line = longer
    yield line


def _across(ticks: tuple[str, str, str], columns: int) -> str:
    """The budgets at the left end, in the middle and at the right end, as far as there is room."""
    left, middle, right = ticks
    at = columns // 2 - len(middle) // 2
    if at <= len(left):
        return left[:columns]
    line = f"{left:<{at}}{middle}"
    gap = columns - len(line) - len(right)
    return line if gap < 1 else f"{line}{' ' * gap}{right}"


def _here(columns: int) -> str:
    """An arrow at the middle, and its words where there is room for them."""
    middle = columns // 2
    words = HERE if middle + len(HERE) <= columns else HERE[0]
    return " " * middle + words
