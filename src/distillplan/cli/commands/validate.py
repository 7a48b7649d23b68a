"""`distillplan validate`: what is wrong with a scenario file."""

import typer

from distillplan.cli import flags
from distillplan.errors import InputError
from distillplan.render.progress import progress
from distillplan.render.show import show


def validate(file: flags.File, sets: flags.Sets = None, output: flags.Show = "table") -> None:
    """Check a scenario file: every fault at once, each with its line, scenario and key.

    Examples:
    distillplan validate compare.yaml

    distillplan validate compare.yaml -o json
    """
    from distillplan.scenarios import scenario_file, validation  # not at every start

    try:
        with progress("Reading the cells"):
            grid = scenario_file.read_grid(file, sets or ())
        found = validation.sound(file, grid)
    except InputError as error:
        if output != "json":
            raise
        found = validation.faulty(file, error)
    show(found, output)
    if found.faults:
        raise typer.Exit(InputError.exit_code)
