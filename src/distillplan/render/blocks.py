"""What tables and Markdown are both made of."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from textwrap import wrap
from typing import Literal, TypeAlias

from distillplan.named_tuples import NamedTuple
from distillplan.render.map_marks import Mark
from distillplan.render.printable import printable, printable_lines
from distillplan.units.quantities import format_count

MOST_ROWS = 200
"""Of a table for people."""

Tone: TypeAlias = Literal["plain", "verdict", "warning", "quiet"]


@dataclass(frozen=True)
class Text:
    """A paragraph."""

    text: str
    tone: Tone = "plain"
    tight: bool = False
    """Whether it follows what is before it without an empty line."""


@dataclass(frozen=True)
class Headline:
    """The answer in a sentence, and beside it how sure that is."""

    text: str
    aside: str = ""
    """On the same line where there is room for it."""


@dataclass(frozen=True)
class Section:
    """Short remarks of one kind."""

    heading: str
    items: tuple[str, ...]
    mark: str = ""
    """What each item begins with."""
    tone: Tone = "plain"


@dataclass(frozen=True)
class Sections:
    """Remarks with their headings in the margin; nothing is shown of those that are empty."""

    parts: tuple[Section, ...]
    margin: int = 0
    """Least columns of the headings, so that several of these line up."""


@dataclass(frozen=True)
class CommandLine:
    """A command to copy, under what is said of it; where it is broken a shell reads on."""

    text: str
    """As a shell takes it."""


@dataclass(frozen=True)
class Bullets:
    """A titled list; nothing is shown where it is empty."""

    title: str
    items: tuple[str, ...]
    tone: Tone = "plain"


@dataclass(frozen=True)
class TableBlock:
    """A table: the first column is text, the others are aligned to the right unless they say so."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    marked: int | None = None
    """The row that the verdict is drawn from."""
    text_columns: tuple[int, ...] = (0,)
    tight: bool = False
    """One space between columns instead of two, for tables that fill 80 columns."""
    spare: tuple[int, ...] = ()
    """Columns to leave out where the terminal is too narrow, the first first."""

    def without(self, dropped: Collection[int]) -> "TableBlock":
        """The table without some of its columns."""
        kept = [index for index in range(len(self.columns)) if index not in dropped]
        return replace(
            self,
            columns=tuple(self.columns[index] for index in kept),
            rows=tuple(tuple(row[index] for index in kept) for row in self.rows),
            text_columns=tuple(
                place for place, index in enumerate(kept) if index in self.text_columns
            ),
            spare=(),
        )


class MapAxis(NamedTuple):
    """One side of a map."""

    name: str
    """What runs along it, with its unit."""
    ticks: tuple[str, ...]
    """A short text for each of its values."""


@dataclass(frozen=True)
class MapBlock:
    """A mark for each cell of a plane; as wide as there is room for."""

    title: str
    legend: tuple[Mark, ...]
    """The marks to explain above it."""
    up: MapAxis
    """The vertical side, the uppermost first."""
    across: MapAxis
    """The horizontal side, from left to right."""
    rows: tuple[tuple[Mark, ...], ...]
    """From the top."""


@dataclass(frozen=True)
class ChartBlock:
    """Two curves over one axis, whose middle is the question itself."""

    title: str
    """What runs up, with its unit."""
    words: tuple[str, str, str]
    """What the letters of the first curve, of the second, and of both in one place stand for."""
    alone: tuple[float | None, ...]
    taught: tuple[float | None, ...]
    """Values from left to right, as many as of the first curve; None where there is none."""
    inside: tuple[bool, ...]
    """Whether each is inside the range that the curves come from."""
    ticks: tuple[str, str, str]
    """What stands below the left end, the middle and the right end."""


Block: TypeAlias = (
    Text | Headline | Sections | CommandLine | Bullets | TableBlock | MapBlock | ChartBlock
)

GAP = "    "
"""Between an answer and what stands beside it."""
WIDTH = 80
"""Columns for which screens are made."""
LINES = 22
"""Of a screen: 24 less the command and the next prompt."""


def cell(value: float | None, form: Callable[[float], str] | str = format_count) -> str:
    """A number in a table; empty where there is none.

    Args:
        value: the number.
        form: how it is written, as a function or as a format.
    """
    if value is None:
        return ""
    return format(value, form) if isinstance(form, str) else form(value)


def lines_of(text: str, indent: int = 0) -> int:
    """Lines that a text takes at `WIDTH` columns, of which each leaves some free."""
    return len(wrap(text, WIDTH - indent))


def short(items: Iterable[str], lines: int, *, indent: int = 0) -> tuple[str, ...]:
    """The first of some remarks, as many as fit into so many lines of `WIDTH` columns.

    Args:
        items: the remarks, the most important first.
        lines: how many lines there are.
        indent: columns that each line leaves free.
    """
    kept = []
    for one in items:
        lines -= lines_of(one, indent)
        if lines < 0:
            break
        kept.append(one)
    return tuple(kept)


class Room:
    """The lines that are left on a screen while it is filled."""

    def __init__(self, frame: int, indent: int) -> None:
        """A screen.

        Args:
            frame: lines of it that are always taken, empty ones among them.
            indent: columns that the headings and marks of remarks take.
        """
        self.left, self.indent = LINES - frame, indent

    def take(self, *texts: str, rows: int = 0) -> None:
        """Give room to texts of the full width, and to rows of tables."""
        self.left -= rows + sum(map(lines_of, texts))

    def keep(self, items: Iterable[str]) -> tuple[str, ...]:
        """Give room to all of some remarks."""
        kept = tuple(items)
        self.left -= sum(lines_of(one, self.indent) for one in kept)
        return kept

    def fill(self, items: Iterable[str], most: int | None = None) -> tuple[str, ...]:
        """Give room to as many of some remarks as fit into so many lines; None: those left."""
        return self.keep(short(items, self.left if most is None else most, indent=self.indent))


def printable_block(block: Block) -> Block:  # noqa: PLR0911  (one for each kind of block)
    """A block whose texts are safe to print."""
    match block:
        case Text():
            return replace(block, text=printable_lines(block.text))
        case Headline():
            return Headline(printable_lines(block.text), printable(block.aside))
        case Sections():
            parts = (
                replace(
                    part,
                    heading=printable(part.heading),
                    items=tuple(map(printable, part.items)),
                )
                for part in block.parts
            )
            return replace(block, parts=tuple(parts))
        case CommandLine():
            return CommandLine(printable(block.text))
        case Bullets():
            items = tuple(map(printable, block.items))
            return replace(block, title=printable(block.title), items=items)
        case TableBlock():
            rows = tuple(tuple(map(printable, row)) for row in block.rows)
            columns = tuple(map(printable, block.columns))
            return replace(block, title=printable(block.title), columns=columns, rows=rows)
        case MapBlock() | ChartBlock():
            return replace(block, title=printable(block.title))
