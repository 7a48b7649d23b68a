"""`distillplan plot fit`: a fitted law beside its runs."""

from typing import Annotated

import typer

from distillplan.cli.picture_options import Data, Pictured, give, places
from distillplan.laws import law_catalog


def plot_fit(
    file: Annotated[
        str, typer.Argument(metavar="LAW.yaml", help="File of a law, from distillplan fit -o.")
    ],
    output: Pictured = None,
    data: Data = None,
) -> None:
    """Draw the fitted losses of your runs against the measured ones, and what is left over.

    Examples:
    distillplan fit runs.csv supervised_runs.csv -o mine.yaml && distillplan plot fit mine.yaml -o \
fit.svg

    distillplan plot fit mine.yaml -o fit.png --data fitted.csv
    """
    from distillplan.questions.fitted_runs import fitted_runs  # not at every start

    where = places(output or (), data)
    give(fitted_runs(law_catalog.law(file)), where)
