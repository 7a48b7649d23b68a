"""Parts of a sweep: what one of several machines, or one of several processes, computes of it."""

import re
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from functools import partial
from typing import Final, Generic, TypeVar

from distillplan.errors import DistillplanError, InputError
from distillplan.files.processes import in_order
from distillplan.named_tuples import NamedTuple
from distillplan.questions.sweep import CHUNK, Cell, sweep_together
from distillplan.scenarios.grid import CellGrid

Written = TypeVar("Written")

_DIGITS: Final = 9
"""Of the numbers of a shard; a sweep of a billion shards is as good as any larger one."""


class Shard(NamedTuple):
    """One of several parts of the same sweep: neighboring cells, in the order of the rows.

    Parts differ by one cell at most, the larger ones first, and those beyond the cells are empty.
    One after the other they are the whole sweep.

    >>> [len(Shard(one, 4).of(10)) for one in (1, 2, 3, 4)]
    [3, 3, 2, 2]
    >>> Shard(2, 4).of(10), Shard(4, 4).of(3)
    (range(3, 6), range(3, 3))
    """

    number: int
    """Counted from 1."""
    shards: int
    """How many there are."""

    def of(self, cells: int) -> range:
        """Numbers of its cells, from 0."""
        each, more = divmod(cells, self.shards)
        first = (self.number - 1) * each + min(self.number - 1, more)
        return range(first, first + each + (self.number <= more))

    def solved(self, cells: int) -> range:
        """Numbers of the cells that the optimizer takes together with its own."""
        own = self.of(cells)
        if not own:
            return own
        return range(own.start // CHUNK * CHUNK, min(-(-own.stop // CHUNK) * CHUNK, cells))


WHOLE: Final = Shard(1, 1)


def parse_shard(text: str) -> Shard:
    """A shard from a text such as ``3/16``.

    Raises:
        InputError: when it is none.

    >>> parse_shard("3/16")
    Shard(number=3, shards=16)
    """
    found = re.fullmatch(rf"(\d{{1,{_DIGITS}}})/(\d{{1,{_DIGITS}}})", text, re.ASCII)
    if found is None or not int(found[2]):
        raise InputError(
            f"--shard {text!r}: not a shard; write its number and how many there are, e.g. 3/16"
        )
    shard = Shard(int(found[1]), int(found[2]))
    if not 1 <= shard.number <= shard.shards:
        raise InputError(
            f"--shard {text}: no shard {shard.number} of {shard.shards}; they are numbered "
            f"from 1 to {shard.shards}"
        )
    return shard


def swept(
    grid: CellGrid,
    then: Callable[[Cell], Written],
    *,
    shard: Shard = WHOLE,
    odds: bool = False,
    jobs: int = 1,
) -> Iterator[Written]:
    """The answers of a sweep or of a shard of it, in the order of the cells, as they are found.

    They are the same, to the last bit, for any number of shards and processes: the optimizer takes
    the same cells together whoever asks. Processes start at once.

    Args:
        grid: the cells.
        then: what is made of each answer, where it is found; a function that another process can
            import.
        shard: the part to answer.
        odds: say how sure each verdict is, which takes some milliseconds a cell.
        jobs: processes that work side by side.

    Raises:
        DistillplanError: what an answer raises, once all before it are out.
    """
    if jobs > 1:
        grid = grid._replace(made=())  # a process makes its own sooner than it is sent them
    pieces = _pieces(shard.of(grid.size), jobs if odds else 1)
    return _told(in_order(partial(_piece, grid, then, odds=odds), pieces, jobs))


def _pieces(cells: range, jobs: int) -> list[range]:
    """Numbers of cells, in pieces of those that the optimizer takes together.

    Args:
        cells: all of them.
        jobs: pieces that are wanted at least, where parts of a piece are worth a process.
    """
    ends = [*range(cells.start - cells.start % CHUNK + CHUNK, cells.stop, CHUNK), cells.stop]
    pieces, first = [], cells.start
    for end in ends if cells else ():
        pieces.append(range(first, end))
        first = end
    parts = -(-jobs // max(len(pieces), 1))
    split = (
        range(one.start + part.start, one.start + part.stop)
        for one in pieces
        for part in (Shard(number, parts).of(len(one)) for number in range(1, parts + 1))
    )
    return [one for one in split if one]


class _Found(NamedTuple, Generic[Written]):
    """What a process found in a piece: an error is no exception yet, as answers came before it."""

    answers: list[Written]
    error: DistillplanError | None


def _piece(
    grid: CellGrid, then: Callable[[Cell], Written], piece: range, *, odds: bool
) -> _Found[Written]:
    """The answers of one piece."""
    answers: list[Written] = []
    first = piece.start - piece.start % CHUNK
    try:
        together = list(grid.cells(range(first, min(first + CHUNK, grid.size))))
        wanted = range(piece.start - first, piece.stop - first)
        for cell in sweep_together(together, wanted, odds=odds):
            answers.append(then(cell))  # noqa: PERF401 - those before an error are kept
    except DistillplanError as error:
        return _Found(answers=answers, error=error)
    return _Found(answers=answers, error=None)


def _told(pieces: Generator[_Found[Written], None, None]) -> Iterator[Written]:
    """The answers of pieces, then the first error."""
    with closing(pieces):
        for piece in pieces:
            yield from piece.answers
            if piece.error is not None:
                raise piece.error
