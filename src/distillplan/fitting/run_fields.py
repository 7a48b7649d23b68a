"""Where one thing of a run is found: a column, one value, or some arithmetic of columns."""

import re
from collections.abc import Callable, Sequence
from typing import Any, Final

from distillplan.errors import InputError
from distillplan.fitting.cells import LOSSES, number_in
from distillplan.fitting.tables import TableRow
from distillplan.named_tuples import NamedTuple

_WITHIN: Final = re.compile(
    r"^(?!.*(?:train|teach).* - ).* - (?=\S)"
    r"|^(?:(?:config|summary|_?step)[._/]|(?:model|data|metrics|params)[./])+"
)
"""What trackers put before the names of columns: groups of settings, or a run's name."""

_WORDS: Final = (
    r"(?:in[\s_]+)?(?:(thousand|k|10\^?3|1e3)|(million|m|mn|mio|10\^?6|1e6)"
    r"|(billion|b|bn|10\^?9|1e9)|(trillion{0}|10\^?12|1e12))s?"
)
_UNIT: Final = re.compile(
    rf"\s*[(\[]{_WORDS.format('|t')}[)\]]$|(?<=\w\w\w)[\s_,]+{_WORDS.format('')}$", re.IGNORECASE
)
_NATS: Final = re.compile(r"\s*[(\[](?:in )?nats(?: per token|/tok(?:en)?)?[)\]]$", re.IGNORECASE)
"""Units that a column's name may end with; D_T may be of a teacher."""

_FEW: Final = re.compile(r"\d{1,6}(?:[.,]\d+)*")
"""A number that may be of millions; 1e8 in such a column is a count after all."""

_NAME: Final = re.compile(r"[A-Za-z]{2}")
_NUMBER: Final = r"\d[\d._]*(?:[eE][+-]?\d+)?[kKMBT]?(?!\w)"


class RunField(NamedTuple):
    """Where one thing of a run is found: a column, or one value for all runs."""

    name: str
    """As in `NAMES`."""
    column: str | None
    """Or the arithmetic, as it was written."""
    constant: float | None = None
    taken: bool = False
    """Whether the column has another name, and nobody said that it is meant."""
    parts: tuple[tuple[str, str], ...] = ()
    """Of arithmetic: signs (the first is +), each with its column or number."""
    size_of: Callable[[str], float | None] | None = None
    """The parameters of a model that is named there; None for other texts."""

    def cell(self, row: TableRow, *, decimal_commas: bool = False) -> Any:
        """Its cell in a row, with the suffix that its column's name has: 30 in "N (M)" is 30M.

        Of arithmetic its value; where a cell of it is unknown or no number, that cell.
        """
        if self.parts:
            return self._computed(row, decimal_commas=decimal_commas)
        if self.column is None:
            return self.constant
        cell, suffix = row.cells.get(self.column), _suffix(self.column, self.name)
        if (size := self.named(row)) is not None:
            return size
        return f"{cell}{suffix}" if suffix and _FEW.fullmatch(str(cell).strip()) else cell

    def named(self, row: TableRow) -> float | None:
        """The parameters of a model that its cell names; None where it names none."""
        cell = row.cells.get(self.column or "")
        asked = self.size_of if isinstance(cell, str) and _NAME.search(cell) else None
        return asked and asked(str(cell))

    def cells(self, row: TableRow) -> list[Any]:
        """All cells that it is read from."""
        return [self._part(one).cell(row) for _, one in self.parts] or [self.cell(row)]

    def of(self, row: TableRow) -> str:
        """The noun for a message about its cell in a row."""
        return f"{row.where}, {self.column or self.name}"

    def _part(self, text: str) -> "RunField":
        return RunField(name=self.name, column=text)

    def _computed(self, row: TableRow, *, decimal_commas: bool) -> Any:
        terms = [0.0]
        for sign, text in self.parts:
            cell = self._part(text).cell(row) if text in row.cells else text
            try:
                value = number_in(cell, "part", "", decimal_commas=decimal_commas)
            except InputError:
                return cell
            if sign in "+-":
                terms.append(value if sign == "+" else -value)
            else:
                terms[-1] *= value if sign == "*" else 1 / value
        return sum(terms)


def arithmetic(name: str, text: str, columns: Sequence[str]) -> RunField | None:
    """The field of a text such as ``steps*batch*seq`` or ``flops/6/params``; None for others.

    Args:
        name: what it is, as in `NAMES`.
        text: columns and numbers with ``* / + -`` between them; names of columns may have those.
        columns: of the file.

    >>> arithmetic("tokens", "step*512*seq_len", ("step", "seq_len")).parts
    (('+', 'step'), ('*', '512'), ('*', 'seq_len'))
    """
    names = "|".join(map(re.escape, sorted(filter(None, columns), key=len, reverse=True)))
    one = re.compile(rf"\s*([-*/+])\s*({names}|{_NUMBER})\s*")
    parts, at, whole = [], 0, f"+{text}"
    while found := one.match(whole, at):
        parts.append((found[1], found[2]))
        at = found.end()
    there = any(part in columns for _, part in parts)
    if at < len(whole) or len(parts) < 2 or not there:
        return None
    return RunField(name=name, column=text, parts=tuple(parts))


def _suffix(column: str, name: str) -> str:
    """The suffix of counts in a column whose name ends with a unit.

    >>> _suffix("N (M)", "params"), _suffix("tokens_in_billions", "tokens"), _suffix("N", "params")
    ('M', 'B', '')
    """
    unit = None if name in LOSSES else _UNIT.search(column.strip())
    return "" if unit is None else "kMBT"[((unit.lastindex or 1) - 1) % 4]


def bare_name(column: str, name: str) -> str:
    """The letters of a column's name, without the unit of what it may hold.

    Another unit that is named there makes it another column.

    >>> bare_name("config.Tokens (B)", "tokens"), bare_name("val/loss, bits", "loss")
    ('tokens', 'valloss,bits')
    """
    unit = _NATS if name in LOSSES else _UNIT
    bare = _WITHIN.sub("", unit.sub("", column.strip()).strip().lower())
    return re.sub(r"[\s_./#-]", "", bare)
