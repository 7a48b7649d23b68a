"""`distillplan laws`: what ships."""

from typing import Annotated

import typer

from distillplan.cli import flags
from distillplan.laws import law_catalog
from distillplan.render.show import show


def laws(
    name: Annotated[
        str | None, typer.Argument(help="One law in full; absent: all in a table.")
    ] = None,
    output: flags.Show = "table",
) -> None:
    """The laws that ship: values, intervals, source, fitted range, errata.

    Example:
    distillplan laws busbridge2025
    """
    show(
        law_catalog.LawList(law_catalog.all_laws()) if name is None else law_catalog.law(name),
        output,
    )
