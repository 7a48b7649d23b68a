"""From an answer to what a person or a program reads; nothing is computed here."""

from collections.abc import Iterable
from itertools import chain
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, assert_never

from distillplan.fields import demand_finite
from distillplan.render.answers import blocks_of, registered
from distillplan.render.documents import columns, document, rows
from distillplan.render.streams import as_json, write, write_all

if TYPE_CHECKING:
    from distillplan.render.blocks import Block

RowOutput: TypeAlias = Literal["table", "json", "jsonl", "csv", "markdown"]
EstimateOutput: TypeAlias = Literal[RowOutput, "request"]
"""For a run, for which computer time may be applied."""
SweepOutput: TypeAlias = Literal[RowOutput, "parquet", "map"]
"""For cells that may be many, or lie on a plane."""


def show(answer: object, output: RowOutput, **how: Any) -> None:
    """Write one answer to standard output, once all of it is there.

    Args:
        answer: a registered one.
        output: the form.
        how: what its view for people is told, such as ``details=True``.
    """
    text = rendered(answer, output, **how).rstrip()
    write(f"{text}\n" if text else "")  # no rows are no lines


def show_rows(answers: Iterable[object], output: Literal["csv", "jsonl"]) -> None:
    """Write the rows of answers of one kind as they are found."""
    from distillplan.render.row_streams import as_rows  # only for those who ask

    write_all(as_rows(chain.from_iterable(map(rows, answers)), output))


def rendered(answer: object, output: RowOutput, **how: Any) -> str:
    """One answer in the form that is asked for; arguments as for `show`.

    Raises:
        InfeasibleError: when a number of it is not finite, whatever the form shows of it.
    """
    whole = document(answer)
    demand_finite(whole)
    match output:
        case "csv" | "jsonl":
            from distillplan.render.row_streams import as_rows  # only for those who ask

            known = registered(answer).rows
            if output == "jsonl" and known is not None and known.whole:
                lines = chain.from_iterable(whole[key] for key in known.whole)
                return "".join(as_rows(lines, output))
            found = rows(answer)
            return "".join(as_rows(found, output, () if found else columns(answer)))
        case "json":
            return as_json(whole, indent=2)
        case "table" | "markdown":
            return as_text(blocks_of(answer, **how), output)
        case _:
            assert_never(output)


def as_text(blocks: "Iterable[Block]", output: Literal["table", "markdown"]) -> str:
    """Blocks for people."""
    from distillplan.render.blocks import printable_block  # only for people

    safe = map(printable_block, blocks)
    if output == "markdown":
        from distillplan.render.markdown import as_markdown

        return as_markdown(safe)
    from distillplan.render.table import as_table  # rich takes 30 ms to import

    return as_table(safe)
