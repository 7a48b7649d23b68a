"""`distillplan plot paper`: the paper's Figures 6 to 9, redrawn from the law."""

from typing import Annotated, Literal

import typer

from distillplan.cli.key_options import naming
from distillplan.cli.picture_options import Data, Pictured, give, places
from distillplan.errors import InputError
from distillplan.laws.law_catalog import DEFAULT_LAW, law
from distillplan.render.progress import progress
from distillplan.scenarios import key_table


def plot_paper(
    figure: Annotated[
        Literal["6", "7", "8", "9"], typer.Option("--figure", help="Its number in the paper.")
    ],
    *,
    drawn_from: Annotated[
        str,
        typer.Option("--law", help=key_table.TABLE.keys["law"].help),
    ] = DEFAULT_LAW,
    output: Pictured = None,
    data: Data = None,
) -> None:
    """Redraw a figure of the paper from the law, with the numbers that were read off the paper's.

    A number that the law misses by more than the reading error is hollow.

    Examples:
    distillplan plot paper --figure 8 -o figure8.svg

    distillplan plot paper --figure 6 --law busbridge2025_printed -o misprint.svg
    """
    from distillplan.checks.paper_figures import paper_figure  # not at every start

    where = places(output or (), data)
    try:
        with progress("Figure"):
            found = paper_figure(int(figure), law(drawn_from))
    except InputError as error:
        raise error.told(naming("budget")) from None
    give(found, where)
