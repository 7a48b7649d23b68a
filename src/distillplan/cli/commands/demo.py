"""`distillplan demo`: what the paper shows on small problems, shown again."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast, get_args

import typer

from distillplan.demos.claims import DemoName
from distillplan.errors import InputError
from distillplan.files.saving import NamedFile
from distillplan.render.figures.picture_files import ENDINGS, demand_drawable, save_figure
from distillplan.render.progress import progress

if TYPE_CHECKING:
    from distillplan.render.show import RowOutput

OUTPUT = "--output"
ONE_THREAD = ("OPENBLAS_NUM_THREADS", "1")
"""What numpy reads when it is imported: on matrices this small several threads are slower than one,
for they wait for each other."""


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
            OUTPUT,
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
    os.environ.setdefault(*ONE_THREAD)
    from distillplan.demos.demonstrations import demonstrate, steps  # after this, as below
    from distillplan.render.show import show

    form, picture = _output(output or ())
    if picture is not None:
        demand_drawable(NamedFile(what=OUTPUT, path=str(picture)))
    with progress("Steps", steps(name, full=full)) as advance:
        found = demonstrate(name, seed=seed, full=full, advance=advance)
    if picture is not None:
        from distillplan.render.figures.demo_figures import demo_figure  # matplotlib is slow

        save_figure(demo_figure(found), picture)
    show(found, form)


def _output(given: Sequence[str]) -> "tuple[RowOutput, Path | None]":
    """The form to show, and the picture to draw: -o takes either, or one of each."""
    from distillplan.render.show import RowOutput  # imports numpy

    known = get_args(RowOutput)
    forms = [one for one in given if one in known]
    files = [one for one in dict.fromkeys(given) if one not in known]
    for one in files:
        if Path(one).suffix.lower() not in ENDINGS:
            raise InputError(
                f"{OUTPUT}: {one!r} is not one of {', '.join(known)}, nor a file that ends in "
                f"{', '.join(ENDINGS)}"
            )
    for several in (forms, files):
        if len(set(several)) > 1:
            raise InputError(f"{OUTPUT}: {' and '.join(several[:2])} are two; leave one out")
    return cast("RowOutput", forms[0] if forms else "table"), Path(files[0]) if files else None
