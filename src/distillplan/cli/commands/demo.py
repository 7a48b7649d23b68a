"""`distillplan demo`: what the paper shows on small problems, shown again."""

from typing import Annotated

import typer

from distillplan.demos.claims import DemoName
from distillplan.render.progress import progress


def demo(
    name: Annotated[
        DemoName, typer.Argument(metavar="NAME", help="kernel, mapping or calibration.")
    ],
    *,
    seed: Annotated[int, typer.Option(min=0, help="Seed of all that is random.")] = 0,
    full: Annotated[
        bool,
        typer.Option("--full", help="Large sizes; for mapping the paper's, in an hour or two."),
    ] = False,
    output: Annotated[
        list[str] | None,
        typer.Option(
            "--output",
            "-o",
            help="Output format (table, json, jsonl, csv, markdown), or a picture to draw "
            "(FILE.svg, .png or .pdf); may be given for both.",
            show_default="table",
        ),
    ] = None,
) -> None:
    """Show on small problems that a teacher can be too good, and what targets do to calibration.

    kernel: a closed form, at once. calibration: a few seconds. mapping: a minute.

    The sentence that a demonstration supports is printed only where its own numbers support it.

    Examples:
    distillplan demo kernel

    distillplan demo mapping -o mapping.svg

    distillplan demo calibration --seed 1 -o csv
    """
    from distillplan.cli.picture_options import give, places  # numpy comes with these
    from distillplan.demos.demonstrations import demonstrate, steps

    where = places(output or (), usual="table")
    with progress("Steps", steps(name, full=full)) as advance:
        found = demonstrate(name, seed=seed, full=full, advance=advance)
    give(found, where)
