"""`distillplan demo`: what the paper shows on small problems, shown again."""

from typing import Annotated

import typer

from distillplan.cli import flags
from distillplan.demos.demonstrations import DemoName, demonstrate, steps
from distillplan.render.progress import progress
from distillplan.render.show import show


def demo(
    name: Annotated[
        DemoName, typer.Argument(metavar="NAME", help="kernel, mapping or calibration.")
    ],
    *,
    seed: Annotated[int, typer.Option(min=0, help="Seed of all that is random.")] = 0,
    full: Annotated[
        bool,
        typer.Option("--full", help="The paper's sizes; mapping takes about an hour."),
    ] = False,
    output: flags.ShowRows = "table",
) -> None:
    """Show on small problems why a teacher can be too good, and what targets do to calibration.

    kernel: a closed form. mapping: small networks, about a minute. calibration: seconds.

    Examples:
    distillplan demo kernel

    distillplan demo mapping --seed 1

    distillplan demo calibration -o csv
    """
    with progress("Steps", steps(name, full=full)) as advance:
        found = demonstrate(name, seed=seed, full=full, advance=advance)
    show(found, output)
