"""Blocks on a terminal; the only place that imports rich."""

from collections.abc import Iterable
from typing import assert_never

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text as RichText

from distillplan.render.blocks import Block, Bullets, TableBlock, Text
from distillplan.render.streams import marked

STYLES = {"plain": "", "verdict": "bold", "warning": "yellow", "quiet": "dim"}


def as_table(blocks: Iterable[Block]) -> str:
    """The blocks as standard output shows them: as wide as the terminal, 80 columns elsewhere."""
    console = Console(highlight=False, soft_wrap=False, markup=False, emoji=False)
    with console.capture() as capture:
        for index, block in enumerate(blocks):
            if index:
                console.print()
            match block:
                case Text():
                    console.print(_rich(console, block.text, STYLES[block.tone]))
                case Bullets():
                    _print_bullets(console, block)
                case TableBlock():
                    _print_grid(console, block)
                case _:
                    assert_never(block)
    return capture.get()


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


def _print_grid(console: Console, block: TableBlock) -> None:
    padding = (0, 0) if block.tight else (0, 1, 0, 0)
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=padding)
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
