"""Blocks on a terminal; the only place that imports rich."""

from collections.abc import Iterable
from typing import assert_never

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text as RichText

from distillplan.render.blocks import Block, Bullets, TableBlock, Text

STYLES = {"plain": "", "verdict": "bold", "warning": "yellow", "quiet": "dim"}


class _Pipe(Console):
    """A console whose reader may leave early without being an error; see `cli.app`."""

    def on_broken_pipe(self) -> None:
        """Tell the one place that knows what to do."""
        raise BrokenPipeError


def print_blocks(blocks: Iterable[Block]) -> None:
    """Write blocks to standard output, as wide as the terminal, 80 columns elsewhere."""
    console = _Pipe(highlight=False, soft_wrap=False, markup=False, emoji=False)
    first = True
    for block in blocks:
        if not first:
            console.print()
        first = False
        match block:
            case Text():
                console.print(RichText(block.text, style=STYLES[block.tone]))
            case Bullets():
                _print_bullets(console, block)
            case TableBlock():
                _print_grid(console, block)
            case _:
                assert_never(block)


def _print_bullets(console: Console, block: Bullets) -> None:
    if block.title:
        console.print(RichText(block.title, style="bold"))
    items = Table.grid(padding=(0, 1, 0, 0))  # two columns, so that long items hang
    items.add_column()
    items.add_column(overflow="fold")
    for item in block.items:
        items.add_row(" -", RichText(item, style=STYLES[block.tone]))
    console.print(items)


def _print_grid(console: Console, block: TableBlock) -> None:
    padding = (0, 0) if block.tight else (0, 1, 0, 0)
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=padding)
    for index, name in enumerate(block.columns):
        left = index in block.text_columns
        table.add_column(name, justify="left" if left else "right", overflow="fold")
    for index, row in enumerate(block.rows):
        table.add_row(*row, style="bold" if index == block.marked else None)
    if block.title:
        console.print(RichText(block.title, style="bold"))
    console.print(table)
