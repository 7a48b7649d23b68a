"""`distillplan validate`: what is wrong with a scenario file."""

from distillplan.cli import flags
from distillplan.render.printable import printable
from distillplan.render.progress import progress
from distillplan.render.streams import write


def validate(file: flags.File, sets: flags.Sets = None) -> None:
    """Check a scenario file: every fault at once, each with its line, scenario and key.

    Example:
    distillplan validate compare.yaml
    """
    from distillplan.scenarios import scenario_file  # not at every start

    with progress("Reading the cells"):
        grid = scenario_file.read_grid(file, sets or ())
    write(f"{printable(file)}: {grid.summary}\n")
