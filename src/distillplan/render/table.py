"""Blocks on a terminal; the only place that imports rich."""

from collections.abc import Iterable
from typing import assert_never

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text as RichText

from distillplan.render.blocks import GAP, Block, Bullets, Headline, Sections, TableBlock, Text
from distillplan.render.streams import marked

STYLES = {"plain": "", "verdict": "bold", "warning": "yellow", "quiet": "dim"}


def as_table(blocks: Iterable[Block]) -> str:
    """The blocks as standard output shows them: as wide as the terminal, 80 columns elsewhere."""
    console = Console(highlight=False, soft_wrap=False, markup=False, emoji=False)
    with console.capture() as capture:
        for index, block in enumerate(blocks):
            if index and not (isinstance(block, Text) and block.tight):
                console.print()
            match block:
                case Text():
                    console.print(_rich(console, block.text, STYLES[block.tone]))
                case Headline():
                    _print_headline(console, block)
                case Sections():
                    _print_sections(console, block)
                case Bullets():
                    _print_bullets(console, block)
                case TableBlock():
                    _print_grid(console, block)
                case _:
                    assert_never(block)
    return "".join(f"{line.rstrip()}\n" for line in capture.get().splitlines())


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
    """The table without the spare columns for which there is no room."""
    widths = [
        max(
            cell_len(marked(line[index], console.encoding)) for line in (block.columns, *block.rows)
        )
        + _apart(block)
        for index in range(len(block.columns))
    ]
    dropped: list[int] = []
    for index in block.spare:
        if sum(widths) - _apart(block) <= console.width:
            break
        widths[index] = 0
        dropped.append(index)
    return block.without(dropped)


def _apart(block: TableBlock) -> int:
    """Spaces between columns."""
    return 1 if block.tight else 2
