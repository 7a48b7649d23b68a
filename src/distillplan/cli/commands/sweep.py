"""`distillplan sweep`: a product of axes, a row for each cell."""

from functools import partial
from typing import Annotated

import typer

from distillplan.cli import flags
from distillplan.cli.key_options import options, told_as
from distillplan.errors import InputError
from distillplan.files.processes import MOST_JOBS
from distillplan.render.show import SweepOutput


@options("sweep", axes=True)
def sweep(
    file: Annotated[
        str, typer.Argument(metavar="[FILE]", help="Scenario file with a matrix; - reads stdin.")
    ] = "",
    *,
    axis: Annotated[
        list[str] | None,
        typer.Option(
            "--axis", metavar="KEY=VALUES", help="Any other key of a scenario; may be repeated."
        ),
    ] = None,
    shard: Annotated[
        str | None,
        typer.Option(
            "--shard",
            metavar="I/N",
            help="Part of the rows to compute, e.g. 3/16: one after the other, the 16 are the "
            "whole; the header of a CSV file is in the first.",
            show_default="all",
        ),
    ] = None,
    jobs: Annotated[
        int,
        typer.Option("--jobs", min=1, max=MOST_JOBS, help="Processes that work side by side."),
    ] = 1,
    odds: Annotated[
        bool, typer.Option("--odds", help="Add the odds of each cell; some milliseconds each.")
    ] = False,
    sets: flags.Sets = None,
    output: Annotated[
        SweepOutput | None,
        typer.Option(
            "--output",
            "-o",
            help="Output format.",
            show_default="map for two numeric axes on a terminal, table otherwise",
        ),
    ] = None,
    **given: str,
) -> None:
    """Compute the verdict in every cell of a product of axes.

    On a terminal two numeric axes give a map of the verdicts.

    VALUES is a list (300M,1B,3B) or a range of numbers spaced by equal factors (1e19:1e24:41).
    Axes of the command line take the place of the file's.

    Examples:
    distillplan sweep --compute 1e19:1e24:41 --student 300M,1B,3B,10B --teacher 7B:2T -o csv

    distillplan sweep grid.yaml -o jsonl

    distillplan sweep grid.yaml --odds --jobs 8 --shard 3/16 -o csv
    """
    from distillplan.render.progress import progress
    from distillplan.render.sweep_rows import demand_rows, show_sweep
    from distillplan.scenarios import scenario_file  # not at every start, as above
    from distillplan.scenarios.shards import WHOLE, parse_shard, swept

    _refuse_budget(file)
    part = WHOLE
    if shard is not None:
        part = parse_shard(shard)
        demand_rows(output)
    if output == "parquet":
        from distillplan.render.parquet_rows import demand_parquet  # only for those who ask

        demand_parquet()
    axes = scenario_file.axes_of(axis or (), given)
    with progress("Reading the cells"):
        grid = scenario_file.read_grid(
            file, sets or (), axes, told_as("sweep", "--axis"), part, weighed=True, unchecked=True
        )
    answers = partial(swept, grid, shard=part, odds=odds, jobs=jobs)
    show_sweep(answers, grid, output, shard=part, odds=odds)


def _refuse_budget(file: str) -> None:
    from distillplan.cli.other_words import is_budget  # not at every start, as above

    if is_budget(file):
        raise InputError(f"{file} is a budget; write --compute {file!r}")
