"""From an answer to what a person or a program reads; nothing is computed here."""

import json
from typing import Any, Literal, TypeAlias, assert_never

from distillplan.render.documents import Answer, document

Output: TypeAlias = Literal["table", "json", "markdown"]
RowOutput: TypeAlias = Literal["table", "json", "jsonl", "csv", "markdown"]
"""For answers that are several of a kind."""
SweepOutput: TypeAlias = Literal["table", "json", "jsonl", "csv"]


def show(answer: Answer, output: RowOutput) -> None:
    """Write one answer to standard output."""
    match output:
        case "csv" | "jsonl":
            from distillplan.render.row_streams import print_rows  # only for those who ask

            print_rows(answer, output)
        case "json":
            print(as_json(document(answer)))  # noqa: T201  (stdout is where answers go)
        case "table":
            from distillplan.render.table import print_blocks  # rich takes 30 ms to import
            from distillplan.render.views import view

            print_blocks(view(answer))
        case "markdown":
            from distillplan.render.markdown import as_markdown
            from distillplan.render.views import view

            print(as_markdown(view(answer)))  # noqa: T201  (stdout is where answers go)
        case _:
            assert_never(output)


def as_json(data: dict[str, Any]) -> str:
    """One document; strict JSON, so that a number that is none is a bug here and not there."""
    return json.dumps(data, indent=2, allow_nan=False, ensure_ascii=False)
