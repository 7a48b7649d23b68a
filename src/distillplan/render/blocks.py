"""What tables and Markdown are both made of."""

from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from distillplan.render.printable import printable, printable_lines

MOST_ROWS = 200
"""Of a table for people."""

Tone: TypeAlias = Literal["plain", "verdict", "warning", "quiet"]


@dataclass(frozen=True)
class Text:
    """A paragraph."""

    text: str
    tone: Tone = "plain"


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


Block: TypeAlias = Text | Bullets | TableBlock


def printable_block(block: Block) -> Block:
    """A block whose texts are safe to print."""
    match block:
        case Text():
            return replace(block, text=printable_lines(block.text))
        case Bullets():
            items = tuple(map(printable, block.items))
            return replace(block, title=printable(block.title), items=items)
        case TableBlock():
            rows = tuple(tuple(map(printable, row)) for row in block.rows)
            columns = tuple(map(printable, block.columns))
            return replace(block, title=printable(block.title), columns=columns, rows=rows)
