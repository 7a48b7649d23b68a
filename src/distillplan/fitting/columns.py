"""Which column of a table holds what: usual names, ``--columns``, and the nearest where none is."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from distillplan.errors import InputError
from distillplan.fitting.cells import LOSSES, is_unknown, number_in, uses_decimal_commas
from distillplan.fitting.missing_columns import (
    column_option,
    listed,
    missing_columns,
    unknown_column,
)
from distillplan.fitting.runs import CANONICAL, NAMES, TEACHER
from distillplan.fitting.selection import Selection
from distillplan.fitting.tables import RunTable, TableRow
from distillplan.laws.provenance import ParameterCount
from distillplan.units.numerals import is_number

_PART: Final = re.compile(r"""\s*(\w+)\s*=\s*("[^"]*"|'[^']*'|[^,"']*?)\s*(?:,|\Z)""")


SURE: Final[Mapping[str, str]] = {
    "params": r"n|n?params|numparams|n?parameters|numparameters|modelsize|modelparams|"
    r"(non|no)emb(ed(ding)?)?(params|parameters)|(params|parameters)nonemb(ed(ding)?)?",
    "tokens": r"d|n?tokens|numtokens|(num)?(input)?tokensseen|(train|training)(num)?tokens|"
    r"train(num)?(input)?tokensseen|tokens(trained|seen)",
    "loss": r"l|loss|(final|best|student)?(val|eval|valid|validation|test|heldout)?loss",
    "teacher_loss": r"lt|teacher(val|eval|valid|validation|test)?loss|loss(of)?teacher",
}
"""Columns that can only mean one thing, as `bare_name` has them; they are taken where a file has
one of them."""
_COUNTED: Final = (
    (ParameterCount.TOTAL, re.compile(r"total")),
    (ParameterCount.NON_EMBEDDING, re.compile(r"(non|no)emb")),
)
"""What parameters count by the plain name of their column."""
_WITHIN: Final = re.compile(r"^(config|summary|_?step)[._/]")
"""What trackers put before the names of columns."""

_UNIT: Final = re.compile(
    r"\s*[(\[](?:in )?(?:(thousand|k)|(million|m)|(billion|b)|(trillion|t))s?[)\]]$", re.IGNORECASE
)
_NATS: Final = re.compile(r"\s*[(\[](?:in )?nats(?: per token|/tok(?:en)?)?[)\]]$", re.IGNORECASE)
"""Units that a column's name may end with."""
_FEW: Final = re.compile(r"\d{1,6}(?:[.,]\d+)*")
"""A number that may be of millions; 1e8 in such a column is a count after all."""


class RunField(NamedTuple):
    """Where one thing of a run is found: a column, or one value for all runs."""

    name: str
    """As in `NAMES`."""
    column: str | None
    constant: float | None = None
    taken: bool = False
    """Whether the column has another name, and nobody said that it is meant."""

    def cell(self, row: TableRow) -> Any:
        """Its cell in a row, with the suffix that its column's name has: 30 in "N (M)" is 30M."""
        if self.column is None:
            return self.constant
        cell, suffix = row.cells.get(self.column), _suffix(self.column)
        return f"{cell}{suffix}" if suffix and _FEW.fullmatch(str(cell).strip()) else cell

    def of(self, row: TableRow) -> str:
        """The noun for a message about its cell in a row."""
        return f"{row.where}, {self.column or self.name}"


def parse_columns(
    text: str, canonical: Mapping[str, str] = CANONICAL
) -> dict[str, tuple[str, ...]]:
    """A mapping like ``params=N,loss="val/loss",tokens=20B``: columns, or values, by name.

    A name may be given more than once, for files that differ; quotes hold commas together.

    Args:
        text: as written.
        canonical: the names that there are, and what each of them means.

    Raises:
        InputError: when it is not a mapping of these names.

    >>> parse_columns('student_params=N, loss="loss, nats"')
    {'params': ('N',), 'loss': ('loss, nats',)}
    """
    named: dict[str, tuple[str, ...]] = {}
    position = 0
    while position < len(text):
        match = _PART.match(text, position)
        column = "" if match is None else match[2].strip("\"'")
        if match is None or not column or match[1] not in canonical:
            raise InputError(
                f"columns: {text[position:].strip()[:60]!r} is not NAME=COLUMN with "
                f"NAME one of {', '.join(canonical)}; write for example {next(iter(canonical))}=N"
            )
        name = canonical[match[1]]
        if column in named.get(name, ()):
            raise InputError(f"columns: {name}={column} is given twice; give it once")
        named[name] = (*named.get(name, ()), column)
        position = match.end()
    return named


def place_columns(
    tables: Sequence[RunTable], named: Mapping[str, tuple[str, ...]], *, teacher: bool | None
) -> list[dict[str, RunField]]:
    """For each table, where each thing of a run is found; the teacher's loss only where there is.

    Args:
        tables: the files.
        named: what `parse_columns` gives.
        teacher: whether a teacher's loss is needed; None uses it where a file has it.

    Raises:
        InputError: when a column is missing, in words that name the nearest; or when a file has
            several columns for one thing. A column that can only mean it is taken.
    """
    for name, columns in named.items():
        for column in columns:
            if not any(column in table.columns for table in tables) and not is_number(column):
                raise unknown_column(tables, name, column)
    return [_place(table, named, alone=len(tables) == 1, teacher=teacher) for table in tables]


def _place(
    table: RunTable, named: Mapping[str, tuple[str, ...]], *, alone: bool, teacher: bool | None
) -> dict[str, RunField]:
    fields = {name: _field(table, name, named.get(name, ()), alone=alone) for name in NAMES}
    found = {name: one for name, one in fields.items() if one is not None}
    missing = [name for name in NAMES if name not in found and (name != TEACHER or teacher)]
    if missing:
        raise missing_columns(table, missing)
    return found


def _field(table: RunTable, name: str, asked: Sequence[str], *, alone: bool) -> RunField | None:
    """Where a table has one thing: a column or value that was asked for, or else a usual column."""
    usual, columns = NAMES[name], table.columns
    there = [one for one in asked if one in columns or is_number(one)]
    there.sort(key=lambda one: one not in columns)
    if not there and not (asked and alone):
        there = [one for one in usual if one in columns]
    if len(there) > 1:
        raise InputError(
            f"{table.source}: {' and '.join(there[:2])} are both given as {name}; say which, for "
            f"example --columns {column_option(name, there[0])}"
        )
    if there:
        return RunField(name, there[0]) if there[0] in columns else _constant(name, there[0])
    sure = None if asked else _sure(name, columns)
    return None if sure is None else RunField(name, sure, taken=sure.lower() not in usual)


def _sure(name: str, columns: Sequence[str]) -> str | None:
    """The one column that can only mean this; None where there is none, or more than one.

    >>> _sure("params", ("Run", "config.n_params", "Tokens")), _sure("loss", ("eval/loss", "L"))
    ('config.n_params', None)
    """
    found = [one for one in columns if re.fullmatch(SURE[name], bare_name(one, name))]
    return found[0] if len(found) == 1 else None


def _suffix(column: str) -> str:
    """The suffix of counts in a column whose name ends with a unit.

    >>> _suffix("N (M)"), _suffix("tokens [billions]"), _suffix("tokens")
    ('M', 'B', '')
    """
    unit = _UNIT.search(column.strip())
    return "" if unit is None else "kMBT"[(unit.lastindex or 1) - 1]


def bare_name(column: str, name: str) -> str:
    """The letters of a column's name, without the unit of what it may hold.

    Another unit that is named there makes it another column.

    >>> bare_name("config.Tokens (B)", "tokens"), bare_name("val/loss, bits", "loss")
    ('tokens', 'valloss,bits')
    """
    unit = _NATS if name in LOSSES else _UNIT
    bare = _WITHIN.sub("", unit.sub("", column.strip()).strip().lower())
    return re.sub(r"[\s_./-]", "", bare)


def row_numbers(
    table: RunTable, place: Mapping[str, RunField], *, perplexity: bool = False
) -> Iterator[tuple[TableRow, dict[str, float], list[str]]]:
    """The rows of a table with their numbers by name, and what is wrong with other cells.

    An unknown cell has no number, and nothing is wrong with it.

    Args:
        table: the file.
        place: where each thing is found, by names that `number_in` knows.
        perplexity: whether losses are perplexities.
    """
    commas = uses_decimal_commas(
        ((name, one.cell(row)) for row in table.rows for name, one in place.items()),
        perplexity=perplexity,
    )
    for row in table.rows:
        found: dict[str, float] = {}
        faults: list[str] = []
        for name, one in place.items():
            cell = one.cell(row)
            if is_unknown(cell):
                continue
            try:
                found[name] = number_in(cell, name, one.of(row), decimal_commas=commas)
            except InputError as error:
                faults.append(str(error))
        yield row, found, faults


def rows_where(
    tables: Sequence[RunTable], where: Selection, places: Sequence[Mapping[str, RunField]]
) -> list[RunTable]:
    """The rows of each table for which a condition holds.

    Args:
        tables: the files.
        where: the condition; on a column of a file, or on one of the things of a run.
        places: where those are found in each table.

    Raises:
        InputError: when no table has a column of the condition, or it holds for no row.
    """

    def cells(column: str) -> list[Any] | None:
        found: list[Any] = []
        known = False
        for table, place in zip(tables, places, strict=True):
            mapped = place.get(CANONICAL.get(column, ""))
            if column in table.columns:
                found += [row.cells.get(column) for row in table.rows]
            elif mapped is not None:
                found += [mapped.cell(row) for row in table.rows]
            else:  # a file without the column has empty cells in it
                found += [None] * len(table.rows)
                continue
            known = True
        return found if known else None

    columns = list(dict.fromkeys(name for table in tables for name in table.columns))
    chosen = iter(where.rows(cells, columns).tolist())
    return [
        table._replace(rows=tuple(row for row in table.rows if next(chosen))) for table in tables
    ]


def taken_columns(tables: Sequence[RunTable], places: Sequence[Mapping[str, RunField]]) -> str:
    """Which columns were taken without being asked for, in words; empty where there are none."""
    told = {
        f"{one.name} from {one.column}": None
        for place in places
        for one in place.values()
        if one.taken
    }
    return f"{tables[0].source}: read {listed([*told])}; for other columns: --columns" * bool(told)


def counts_named(
    tables: Sequence[RunTable],
    places: Sequence[Mapping[str, RunField]],
    asked: ParameterCount | None = None,
) -> ParameterCount | None:
    """What the parameters count by the names of their columns; None where those do not say.

    Args:
        tables: the files.
        places: where things are found in each.
        asked: what the parameters are said to count; None where nobody says it.

    Raises:
        InputError: when the columns of two files count otherwise, or other than what is asked.
    """
    found = {
        counts: column
        for place in places
        if (column := place["params"].column) and (counts := _counted(column))
    }
    if len(found) > 1:
        raise InputError(
            f"{tables[0].source}: {listed([*found.values()])} count different parameters; give all "
            "runs by one of them"
        )
    named = next(iter(found), None)
    if named is not None and asked not in (None, named):
        columns = (one for table in tables for one in table.columns)
        others = (one for one in columns if _counted(one) is asked and "param" in one.lower())
        take = (f"write --columns '{column_option('params', one)}', or " for one in others)
        raise InputError(
            f"--counts {asked.removesuffix(' parameters')}: the column {found[named]!r} has other "
            f"parameters by its name; {next(take, '')}leave --counts out"
        )
    return named


def _counted(column: str) -> ParameterCount | None:
    """What a column of parameters counts by its name; None where that does not say."""
    bare = bare_name(column, "params")
    return next((counts for counts, name in _COUNTED if name.search(bare)), None)


def _constant(name: str, text: str) -> RunField:
    if name == "loss":
        raise InputError(
            f"columns: loss={text} is one value for all runs, but each run has a loss of its own; "
            "name its column"
        )
    value = number_in(text, name, f"columns: {name}")
    return RunField(name=name, column=None, constant=value)
