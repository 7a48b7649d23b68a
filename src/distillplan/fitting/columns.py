"""Which column of a table holds what: usual names, ``--columns``, and the nearest where none is."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from distillplan.errors import InputError
from distillplan.fitting.cells import is_unknown, number_in, uses_decimal_commas
from distillplan.fitting.missing_columns import (
    column_option,
    listed,
    missing_columns,
    several_columns,
    unknown_column,
)
from distillplan.fitting.run_fields import RunField, arithmetic, bare_name
from distillplan.fitting.runs import CANONICAL, NAMES, TEACHER
from distillplan.fitting.selection import Selection
from distillplan.fitting.tables import RunTable, TableRow
from distillplan.laws.provenance import ParameterCount
from distillplan.units.numerals import is_number

_PART: Final = re.compile(r"""\s*(\w+)\s*=\s*("[^"]*"|'[^']*'|[^,"']*?)\s*(?:,|\Z)""")

_HELD_OUT: Final = r"(val|eval|valid|validation|test|heldout)"
_CROSS_ENTROPY: Final = r"((lm|ce|nll|crossentropy)?loss|ce|nll|crossentropy)"
_NON_EMBEDDING: Final = (
    r"(non|no)emb(ed(ding)?)?(params|parameters)|(n|params|parameters)\(?nonemb(ed(ding)?)?\)?"
)
_TRAINED: Final = r"(student|n|num|total|train|training)*"
SURE: Final[Mapping[str, str]] = {
    "params": r"n|(student|n|num)*(params|param(eter)?s?count|parameters)|modelsize|modelparams|"
    rf"{_NON_EMBEDDING}",
    "tokens": rf"d|{_TRAINED}tokens|{_TRAINED}(input)?tokens(trained|seen|consumed|processed)",
    "loss": rf"l|(final|best|student)?{_HELD_OUT}?{_CROSS_ENTROPY}",
    "teacher_loss": rf"lt|teacher{_HELD_OUT}?loss|loss(of)?teacher",
}
"""Columns that can only mean one thing, as `bare_name` has them; they are taken where a file has
one of them."""
_RATHER: Final = {
    "params": _NON_EMBEDDING,
    "loss": rf"(final|best|student)?{_HELD_OUT}{_CROSS_ENTROPY}",
}
"""What is meant rather than a plain name where a file has both: the plain loss is the training's,
and plain parameters have embeddings."""
_COUNTED: Final = (
    (ParameterCount.TOTAL, re.compile(r"total")),
    (ParameterCount.NON_EMBEDDING, re.compile(r"(non|no)emb")),
)
"""What parameters count by the plain name of their column."""


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
            if not any(asked_field(table, name, column) for table in tables):
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
    there = [one for one in asked if asked_field(table, name, one)]
    there.sort(key=lambda one: one not in columns)
    if not there and not (asked and alone):
        there = _rather(name, columns) or [one for one in usual if one in columns]
    if len(there) > 1:
        raise several_columns(table, name, there)
    if there:
        found = asked_field(table, name, there[0])
        return found and found._replace(taken=not asked and there[0] not in usual)
    sure = None if asked else _sure(SURE[name], name, columns)
    return None if sure is None else RunField(name, sure, taken=sure.lower() not in usual)


def asked_field(table: RunTable, name: str, text: str) -> RunField | None:
    """A column, a value for all runs, or arithmetic of columns; None where a table has none."""
    if text in table.columns:
        return RunField(name, text)
    return _constant(name, text) if is_number(text) else arithmetic(name, text, table.columns)


def _rather(name: str, columns: Sequence[str]) -> list[str]:
    """The one column that is meant rather than one of a usual name, which is there too."""
    found = _sure(_RATHER[name], name, columns) if name in _RATHER else None
    return [] if found is None or found in NAMES[name] else [found]


def _sure(meant: str, name: str, columns: Sequence[str]) -> str | None:
    """The one column that can only mean this; None where there is none, or more than one.

    >>> _sure(SURE["params"], "params", ("Run", "config.n_params", "Tokens"))
    'config.n_params'
    """
    found = [one for one in columns if re.fullmatch(meant, bare_name(one, name))]
    return found[0] if len(found) == 1 else None


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
        (
            (name, cell)
            for row in table.rows
            for name, one in place.items()
            for cell in one.cells(row)
        ),
        perplexity=perplexity,
    )
    for row in table.rows:
        found: dict[str, float] = {}
        faults: list[str] = []
        for name, one in place.items():
            cell = one.cell(row, decimal_commas=commas)
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
        if (column := place["params"].column)
        and not place["params"].parts
        and (counts := _counted(column))
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
