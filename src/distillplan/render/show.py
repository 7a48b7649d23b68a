"""From an answer to what a person or a program reads; nothing is computed here."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Literal, TypeAlias, assert_never

from distillplan.render.blocks import Block
from distillplan.render.documents import Answer, document
from distillplan.render.streams import takes_unicode, write

Output: TypeAlias = Literal["table", "json", "markdown"]
RowOutput: TypeAlias = Literal["table", "json", "jsonl", "csv", "markdown"]
"""For answers that are several of a kind."""


def show(answer: Answer, output: RowOutput) -> None:
    """Write one answer to standard output, when all of it is there."""
    write(f"{rendered(answer, output).rstrip()}\n")


def rendered(answer: Answer, output: RowOutput) -> str:
    """One answer in the form that is asked for."""
    match output:
        case "csv" | "jsonl":
            from distillplan.render.row_streams import answer_rows  # only for those who ask

            return "".join(answer_rows(answer, output))
        case "json":
            return as_json(document(answer), indent=2)
        case "table" | "markdown":
            from distillplan.render.views import view

            return as_text(view(answer), output)
        case _:
            assert_never(output)


def as_text(blocks: Iterable[Block], output: Literal["table", "markdown"]) -> str:
    """Blocks for people."""
    if output == "markdown":
        from distillplan.render.markdown import as_markdown

        return as_markdown(blocks)
    from distillplan.render.table import as_table  # rich takes 30 ms to import

    return as_table(blocks)


def as_json(data: Mapping[str, Any], *, indent: int | None = None) -> str:
    """Strict JSON, so that a number that is none is a bug here and not there."""
    return json.dumps(data, indent=indent, allow_nan=False, ensure_ascii=not takes_unicode())
