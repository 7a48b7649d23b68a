"""Which rows, as people write it: ``State = finished and val/loss < 3``."""

import operator
import re
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np

from distillplan.errors import InputError
from distillplan.fitting.cells import LOSSES
from distillplan.fitting.rows import Mask
from distillplan.fitting.runs import CANONICAL, Runs
from distillplan.laws.loss_units import to_nats_per_token
from distillplan.named_tuples import NamedTuple
from distillplan.suggest import nearest
from distillplan.units.numerals import MOST_LETTERS
from distillplan.units.quantities import parse_count

_COMPARE: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_EQUAL: Final = ("=", "!=")
"""Comparisons that words allow too."""

_CONDITION: Final = re.compile(
    r"""\s*("[^"]+"|'[^']+'|[^"'=!<>]+?)\s*  # a column
    (<=|>=|!=|==|=|<|>)\s*
    ("[^"]*"|'[^']*'|[^"'=!<>]+?)\s*  # a value
    (?:\band\b|\Z)""",
    re.VERBOSE | re.IGNORECASE,
)
_MOST: Final = 1000
"""Longest text that is read."""

_SHOWN: Final = 5
"""Values of a column named in one message."""


class Condition(NamedTuple):
    """A column on one side of a value."""

    column: str
    compare: str
    value: str

    def __str__(self) -> str:
        """For example ``loss < 2.3``."""
        return f"{self.column} {self.compare} {self.value}"

    def holds(self, cells: Sequence[Any]) -> Mask:
        """For which cells of its column it holds, shape (rows,).

        Numbers are compared where both sides are numbers, words otherwise; nothing is below or
        above a word.
        """
        compare, bound = _COMPARE[self.compare], _number(self.value)
        return np.array([self._holds(compare, bound, cell) for cell in cells], dtype=bool)

    def _holds(self, compare: Callable[[Any, Any], Any], bound: float | None, cell: Any) -> bool:
        number = None if bound is None else _number(cell)
        if number is not None:
            return bool(compare(number, bound))
        word = "" if cell is None else str(cell).strip()
        return self.compare in _EQUAL and bool(compare(word, self.value))


class Selection(NamedTuple):
    """Rows for which all of some conditions hold."""

    conditions: tuple[Condition, ...]

    def __str__(self) -> str:
        """For example ``loss < 2.3 and params > 1B``."""
        return " and ".join(map(str, self.conditions))

    def of(self, runs: Runs) -> Mask:
        """The runs to hold out, shape (runs,); losses are compared in the unit of their file.

        Raises:
            InputError: when a column is not one of a run, a value is not a number, or it holds
                for no run, or for all.
        """
        chosen = np.ones(len(runs), dtype=bool)
        for one in self.conditions:
            name = CANONICAL.get(one.column)
            if name is None:
                raise InputError(
                    f"holdout: {one.column[:40]!r} is not a column of the runs; "
                    f"{nearest(one.column, CANONICAL)}"
                )
            value = parse_count(one.value, f"holdout: {name}", "2.3")
            if name in LOSSES:
                value = to_nats_per_token(
                    value, runs.unit, bytes_per_token=runs.bytes_per_token, what=f"holdout: {name}"
                )
            values = getattr(runs, name)
            chosen &= np.asarray(_COMPARE[one.compare](values, value)) & ~np.isnan(values)
        if not chosen.any() or chosen.all():
            which = "all" if chosen.all() else "none"
            raise InputError(
                f"holdout: {self} holds for {which} of the {len(runs)} runs; choose a value with "
                "runs on either side"
            )
        return chosen

    def rows(self, column: Callable[[str], Sequence[Any] | None], columns: Sequence[str]) -> Mask:
        """The rows of tables to use, shape (rows,).

        Args:
            column: the cells of a column; None where there is none of that name.
            columns: names of all columns, for a message.

        Raises:
            InputError: when there is no such column, or it holds for no row.
        """
        masks = []
        for one in self.conditions:
            cells = column(one.column)
            if cells is None:
                raise InputError(
                    f"where: there is no column {one.column[:40]!r}; "
                    f"{nearest(one.column, columns, 'name a column of the file')}"
                )
            found = one.holds(cells)
            if not found.any() and one.compare not in _EQUAL and not self._numbers(one, cells):
                raise InputError(
                    f"where: {one}: {one.compare} needs numbers; compare words with = or !="
                )
            if not found.any():
                raise InputError(
                    f"where: {one} holds for none of the {len(cells)} rows; {one.column} has "
                    f"{_values(cells)}"
                )
            masks.append(found)
        chosen: Mask = np.all(masks, axis=0)
        if not chosen.any():
            raise InputError(f"where: {self} holds for none of the {chosen.size} rows")
        return chosen

    @staticmethod
    def _numbers(one: Condition, cells: Sequence[Any]) -> bool:
        return _number(one.value) is not None and any(_number(cell) is not None for cell in cells)


def parse_selection(text: str, option: str = "holdout") -> Selection:
    """The selection that somebody wrote: conditions joined by "and".

    Args:
        text: columns, comparisons and values; quotes hold together what has a sign in it.
        option: the noun that starts an error message.

    Raises:
        InputError: when it is not a column, a comparison and a value.

    >>> str(parse_selection("loss<2.3 and State == finished"))
    'loss < 2.3 and State = finished'
    """
    found: list[Condition] = []
    position = 0
    while position < len(text) or not found:
        match = _CONDITION.match(text, position) if len(text) <= _MOST else None
        if match is None or (match.end() == len(text) and text[match.end(3) :].strip()):
            raise InputError(
                f"{option}: {text[position:].strip()[:40]!r} is not COLUMN < VALUE, nor several of "
                f"them joined by and, with one of {' '.join(_COMPARE)}; write for example "
                "'loss < 2.3'"
            )
        found.append(
            Condition(
                column=match[1].strip("\"'"),
                compare="=" if match[2] == "==" else match[2],
                value=match[3].strip("\"'"),
            )
        )
        position = match.end()
    return Selection(conditions=tuple(found))


def _number(cell: Any) -> float | None:
    """The number in a cell or a value, of either sign; None where it is none."""
    if isinstance(cell, bool) or not isinstance(cell, (str, int, float)):
        return None
    try:
        return float(cell)
    except OverflowError:
        return None
    except ValueError:
        text = str(cell).strip()
    if len(text) > MOST_LETTERS:
        return None
    try:
        return -parse_count(text[1:]) if text[:1] == "-" else parse_count(text)
    except InputError:
        return None


def _values(cells: Sequence[Any]) -> str:
    """The first different values of a column, for a message."""
    words = list(
        dict.fromkeys(" ".join(str(cell or "").split())[:20] or "nothing" for cell in cells)
    )
    more = "" if len(words) <= _SHOWN else f" and {len(words) - _SHOWN} other values"
    return ", ".join(words[:_SHOWN]) + more
