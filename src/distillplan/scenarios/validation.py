"""What is wrong with a scenario file, as a record: the answer of ``distillplan validate``."""

from collections.abc import Sequence

from distillplan.errors import InputError
from distillplan.named_tuples import NamedTuple
from distillplan.scenarios.faults import FaultyFileError, FileFault
from distillplan.scenarios.scenario_file import read_grid


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


def checked(source: str, sets: Sequence[str], *, listed: bool) -> Validation:
    """A scenario file, checked.

    Args:
        source: a path, or ``-`` for standard input.
        sets: ``key=value`` of the command line, which take precedence over the file.
        listed: whether faults are listed in the answer, and not raised.

    Raises:
        InputError: with every fault of the file, unless they are listed.
    """
    try:
        grid = read_grid(source, sets)
    except InputError as error:
        if not listed:
            raise
        whole = FileFault(source=source, line=None, scenario=None, key=None, message=str(error))
        found = error.faults if isinstance(error, FaultyFileError) else (whole,)
        return Validation(source=source, summary=None, cells=None, faults=found)
    return Validation(source=source, summary=grid.summary, cells=grid.size, faults=())
