"""Blocks as Markdown, for reports and pull requests."""

from collections.abc import Iterable
from typing import assert_never

from distillplan.render.blocks import (
    WIDTH,
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
from distillplan.render.map_lines import Line, map_lines
from distillplan.render.streams import takes_unicode


def as_markdown(blocks: Iterable[Block]) -> str:
    """The blocks as one Markdown text."""
    return "\n\n".join(filter(None, (_one(block) for block in blocks)))


def _one(block: Block) -> str:  # noqa: PLR0911  (one for each kind of block)
    match block:
        case Text():
            return (
                f"**{_escaped(block.text)}**" if block.tone == "verdict" else _escaped(block.text)
            )
        case Headline():
            aside = f"\n\n{_escaped(block.aside)}" if block.aside else ""
            return f"**{_escaped(block.text)}**{aside}"
        case Sections():
            return "\n\n".join(
                _list(part.heading, part.items) for part in block.parts if part.items
            )
        case CommandLine():
            return f"```\n{block.text}\n```"
        case Bullets():
            return _list(block.title, block.items)
        case TableBlock():
            return _grid(block)
        case MapBlock():
            return _drawn(map_lines(block, WIDTH, ascii_only=not takes_unicode()))
        case ChartBlock():
            return _drawn(chart_lines(block, WIDTH))
        case _:
            assert_never(block)


def _drawn(drawn: Iterable[Line]) -> str:
    """Lines of a drawing as code, whose characters stand below each other."""
    lines = ("".join(piece.text for piece in line).rstrip() for line in drawn)
    return "\n".join(("```text", *lines, "```"))


def _list(title: str, items: Iterable[str]) -> str:
    listed = "\n".join(f"- {_escaped(item)}" for item in items)
    return f"**{_escaped(title)}**\n\n{listed}" if title else listed


def _grid(block: TableBlock) -> str:
    rules = (":--" if index in block.text_columns else "--:" for index in range(len(block.columns)))
    lines = [_row(map(_escaped, block.columns)), _row(rules)]
    for index, row in enumerate(block.rows):
        marked = index == block.marked
        lines.append(
            _row(f"**{cell}**" if marked and cell else cell for cell in map(_escaped, row))
        )
    table = "\n".join(lines)
    return f"**{_escaped(block.title)}**\n\n{table}" if block.title else table


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _escaped(text: str) -> str:
    """Text that Markdown leaves alone."""
    for mark in ("\\", "|", "*", "_", "<", "`", "["):
        text = text.replace(mark, "\\" + mark)
    return text
