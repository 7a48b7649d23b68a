"""Blocks on a terminal; the only place that imports rich."""

import shlex
from collections.abc import Iterable, Iterator, Sequence
from typing import assert_never

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text as RichText

from distillplan.render.blocks import (
    GAP,
    Block,
    Bullets,
    ChartBlock,
    CommandLine,
    Headline,
    MapBlock,
    Sections,
    TableBlock,
    Text,
)
from distillplan.render.chart_lines import chart_lines
from distillplan.render.map_lines import map_lines
from distillplan.render.map_marks import GLYPHS, HOLLOW, Mark
from distillplan.render.streams import marked

_INDENT = "  "
"""Before a command."""
_READ_ON = " \\"
"""What ends a line of a command that goes on."""
STYLES = {"plain": "", "verdict": "bold", "warning": "yellow", "quiet": "dim"}
_COLORS = {Mark.DISTILL: "green", Mark.TIE: "yellow", Mark.PRETRAIN: "blue"}
MARK_STYLES = _COLORS | {HOLLOW[mark]: color for mark, color in _COLORS.items()}
"""A map is read without them."""


def as_table(blocks: Iterable[Block]) -> str:
    """The blocks as standard output shows them: as wide as the terminal, 80 columns elsewhere."""
    console = Console(highlight=False, soft_wrap=False, markup=False, emoji=False)
    with console.capture() as capture:
        for index, block in enumerate(blocks):
            tight = isinstance(block, CommandLine) or (isinstance(block, Text) and block.tight)
            if index and not tight:
                console.print()
            match block:
                case Text():
                    console.print(_rich(console, block.text, STYLES[block.tone]))
                case Headline():
                    _print_headline(console, block)
                case Sections():
                    _print_sections(console, block)
                case CommandLine():
                    _print_command(console, block)
                case Bullets():
                    _print_bullets(console, block)
                case TableBlock():
                    _print_grid(console, block)
                case MapBlock() | ChartBlock():
                    _print_drawn(console, block)
                case _:
                    assert_never(block)
    return "".join(f"{line.rstrip()}\n" for line in capture.get().splitlines())


def terminal_width() -> int:
    """Columns of the terminal, 80 elsewhere."""
    return Console().width


def _rich(console: Console, text: str, style: str = "") -> RichText:
    """A text that the console's encoding can show."""
    return RichText(marked(text, console.encoding), style=style)


def _print_bullets(console: Console, block: Bullets) -> None:
    if block.title:
        console.print(_rich(console, block.title, "bold"))
    items = Table.grid(padding=(0, 1, 0, 0))  # two columns, so that long items hang
    items.add_column()
    items.add_column(overflow="fold")
    for item in block.items:
        items.add_row(" -", _rich(console, item, STYLES[block.tone]))
    console.print(items)


def _print_command(console: Console, block: CommandLine) -> None:
    """No line of it is wrapped, so that a copy of it runs."""
    for line in _command_lines(shlex.split(block.text), console.width):
        console.print(_rich(console, line), no_wrap=True, overflow="ignore", crop=False)


def _command_lines(words: Sequence[str], width: int) -> Iterator[str]:
    """A command on lines of at most so many columns, each but the last with the sign to read on.

    They break between words. A word that is longer than a line breaks itself, at the margin: a
    shell joins the pieces.
    """
    room = width - len(_READ_ON)
    line = _INDENT
    for word in words:
        rest, quoted = word, shlex.quote(word)
        if line != _INDENT and cell_len(line) + cell_len(quoted) > room:
            yield line.rstrip() + _READ_ON
            line = _INDENT
        while cell_len(line) + cell_len(quoted) > room:
            piece, rest = _split(rest, room - cell_len(line))
            yield line + piece + _READ_ON.strip()
            line, quoted = "", shlex.quote(rest)
        line += f"{quoted} "
    yield line.rstrip()


def _split(word: str, room: int) -> tuple[str, str]:
    """The quoted beginning of a word, as much as there is room for, and the rest of it."""
    size = next(one for one in range(room, 0, -1) if cell_len(shlex.quote(word[:one])) <= room)
    return shlex.quote(word[:size]), word[size:]


def _print_headline(console: Console, block: Headline) -> None:
    """Both on one line where they fit; what is beside the answer begins a line otherwise."""
    text, aside = (marked(one, console.encoding) for one in (block.text, block.aside))
    room = cell_len(text) + cell_len(aside) + len(GAP) <= console.width
    joint = GAP if room else "\n"
    console.print(RichText.assemble((text, STYLES["verdict"]), joint * bool(aside), aside))


def _print_sections(console: Console, block: Sections) -> None:
    parts = [part for part in block.parts if part.items]
    if not parts:
        return
    bare = not any(part.mark for part in parts)
    grid = Table.grid(padding=(0, 1, 0, 0))
    grid.add_column(no_wrap=True, min_width=block.margin or None)
    if not bare:
        grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for part in parts:
        for index, item in enumerate(part.items):
            heading = _rich(console, "" if index else part.heading, "bold")
            mark = () if bare else (_rich(console, part.mark),)
            grid.add_row(heading, *mark, _rich(console, item, STYLES[part.tone]))
    console.print(grid)


def _print_drawn(console: Console, block: MapBlock | ChartBlock) -> None:
    ascii_only = marked(GLYPHS, console.encoding) != GLYPHS
    if isinstance(block, MapBlock):
        lines = map_lines(block, console.width, ascii_only=ascii_only)
    else:
        lines = chart_lines(block, console.width)
    for line in lines:
        pieces = ((marked(one.text, console.encoding), _style(one.mark)) for one in line)
        console.print(RichText.assemble(*pieces), soft_wrap=True)


def _style(mark: Mark | None) -> str:
    return "" if mark is None else MARK_STYLES.get(mark, "")


def _print_grid(console: Console, block: TableBlock) -> None:
    block = _narrowed(console, block)
    padding = (0, _apart(block), 0, 0)
    table = Table(
        box=None, show_edge=False, pad_edge=False, padding=padding, show_header=any(block.columns)
    )
    for index, name in enumerate(block.columns):
        left = index in block.text_columns
        table.add_column(_rich(console, name), justify="left" if left else "right", overflow="fold")
    for index, row in enumerate(block.rows):
        table.add_row(
            *(_rich(console, cell) for cell in row), style="bold" if index == block.marked else None
        )
    if block.title:
        console.print(_rich(console, block.title, "bold"))
    console.print(table)


def _narrowed(console: Console, block: TableBlock) -> TableBlock:
    """The table without the spare columns for which there is no room.

    They go in their order; those for which a wide one makes room come back.
    """
    widths = [
        max(
            cell_len(marked(line[index], console.encoding)) for line in (block.columns, *block.rows)
        )
        + _apart(block)
        for index in range(len(block.columns))
    ]
    room = console.width + _apart(block) - sum(widths)
    dropped: list[int] = []
    for index in block.spare:
        if room >= 0:
            break
        room += widths[index]
        dropped.append(index)
    for index in reversed(tuple(dropped)):
        if widths[index] <= room:
            room -= widths[index]
            dropped.remove(index)
    return block.without(dropped)


def _apart(block: TableBlock) -> int:
    """Spaces between columns."""
    return 1 if block.tight else 2
