"""`distillplan validate`: what is wrong with a scenario file."""

import typer

from distillplan.cli import flags
from distillplan.errors import InputError
from distillplan.render.progress import progress
from distillplan.render.show import show

UNUSABLE = InputError.exit_code
"""The exit code for a file with faults, listed or not."""


def validate(file: flags.File, sets: flags.Sets = None, output: flags.ShowRows = "table") -> None:
    """Check a scenario file: every fault at once, each with its line, scenario and key.

    Examples:
    distillplan validate compare.yaml

    distillplan validate compare.yaml -o json
    """
    from distillplan.scenarios import validation  # not at every start

    with progress("Reading the cells"):
        found = validation.checked(file, sets or (), listed=output in {"json", "jsonl", "csv"})
    show(found, output)
    if found.faults:
        raise typer.Exit(UNUSABLE)
