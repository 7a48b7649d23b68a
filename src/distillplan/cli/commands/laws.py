"""`distillplan laws`: what ships."""

from typing import Annotated

import typer

from distillplan.cli import flags
from distillplan.laws import law_catalog
from distillplan.render.show import show


def laws(
    name: Annotated[
        str | None, typer.Argument(help="Name or file of one law to show in full.")
    ] = None,
    output: flags.ShowRows = "table",
) -> None:
    """List the laws that ship, or show one in full: values, intervals, source, range, errata.

    Example:
    distillplan laws busbridge2025
    """
    show(
        law_catalog.LawList(law_catalog.all_laws()) if name is None else law_catalog.law(name),
        output,
    )
