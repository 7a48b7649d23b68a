"""What is wrong with a scenario file, as a record: the answer of ``distillplan validate``."""

from typing import NamedTuple

from distillplan.errors import InputError
from distillplan.scenarios.faults import FaultyFileError, FileFault
from distillplan.scenarios.grid import CellGrid


class Validation(NamedTuple):
    """A scenario file that was read, or all that is wrong with it."""

    source: str
    """The file, as it was named."""
    summary: str | None
    """What is in it; None where something is wrong."""
    cells: int | None
    """Scenarios, with those of the matrix written out; None where something is wrong."""
    faults: tuple[FileFault, ...]
    """All that is wrong, in the order of the lines; of very many the first ones."""


def sound(source: str, grid: CellGrid) -> Validation:
    """A file with which nothing is wrong."""
    return Validation(source=source, summary=grid.summary, cells=grid.size, faults=())


def faulty(source: str, error: InputError) -> Validation:
    """A file with faults, or one that cannot be read as a scenario file at all."""
    whole = FileFault(source=source, line=None, scenario=None, key=None, message=str(error))
    found = error.faults if isinstance(error, FaultyFileError) else (whole,)
    return Validation(source=source, summary=None, cells=None, faults=found)
