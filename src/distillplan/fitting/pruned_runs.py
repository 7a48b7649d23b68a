"""A table of cut models that were trained on -> checked runs, for the P2 form."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from distillplan.errors import InputError
from distillplan.fitting.cells import is_missing, number_in, uses_decimal_commas
from distillplan.fitting.columns import parse_columns, rows_where
from distillplan.fitting.drafts import first_of, rows_left_out
from distillplan.fitting.json_rows import told
from distillplan.fitting.rows import IndexArray
from distillplan.fitting.run_fields import RunField
from distillplan.fitting.selection import parse_selection
from distillplan.fitting.tables import RunTable, TableRow, read_tables
from distillplan.laws.formulas import FloatArray
from distillplan.notices import Notice
from distillplan.suggest import nearest
from distillplan.units.numerals import is_number

COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "parent_params": ("parent_params", "parent_size"),
    "kept": ("kept", "kept_share"),
    "tokens": ("tokens", "recovery_tokens"),
    "parent_loss": ("parent_loss",),
    "loss": ("loss", "student_loss"),
    "taught": ("taught",),
}
"""What a run is described by, and the names that a column of it may have."""
_CANONICAL: Final = {name: key for key, names in COLUMNS.items() for name in names}
_TAUGHT: Final = "taught"
_NEEDED: Final = tuple(name for name in COLUMNS if name != _TAUGHT)
_LIKE: Final = {"parent_params": "params", "parent_loss": "loss"}
"""What is read as what else."""
_YES, _NO = ("yes", "true", "1", "1.0"), ("no", "false", "0", "0.0")
LEAST_RATIOS: Final = 2
LEAST_LENGTHS: Final = 3
"""Kept shares and token counts that a fit needs."""


@dataclass(frozen=True, kw_only=True)
class PrunedRuns:
    """Runs of cut models, in logarithms; every array has shape (runs,)."""

    log_parent: FloatArray
    """log of the parent's parameters"""
    log_kept: FloatArray
    """log of the share of them that is kept"""
    log_tokens: FloatArray
    """log of the tokens of recovery"""
    parent_loss: FloatArray
    """of the parent [nats/token]"""
    log_loss: FloatArray
    """log of the cut model's loss after them [nats/token]"""
    source: str
    """name of the file, or of the files"""
    taught: bool | None
    """whether the parent taught; None: the runs do not say"""
    notices: tuple[Notice, ...] = ()
    """which rows were left out"""

    def __len__(self) -> int:
        """Number of runs."""
        return self.log_loss.size

    def groups(self) -> IndexArray:
        """Number of the (parent, kept share) of each run, from 0, shape (runs,).

        Points of one recovery err together.
        """
        keys = np.round(np.column_stack([self.log_parent, self.log_kept]), 9)
        _, number = np.unique(keys, axis=0, return_inverse=True)
        return np.asarray(number, dtype=np.intp).reshape(-1)

    @property
    def parents(self) -> int:
        """Number of sizes of parents."""
        return np.unique(np.round(self.log_parent, 6)).size


def read_pruned_runs(
    paths: Sequence[str], columns: str = "", where: Sequence[str] = ()
) -> PrunedRuns:
    """The runs of some files, checked.

    Args:
        paths: CSV files with a header or files of JSON Lines; ``-`` is standard input.
        columns: a mapping such as ``kept=rho,parent_params=8B``.
        where: conditions such as ``taught = yes``; a row is used where all hold.

    Raises:
        InputError: with all faults of the rows at once; or when they are too few or too much alike
            for the form.
    """
    named = parse_columns(columns, _CANONICAL)
    tables = [_chosen(table, where) for table in read_tables(paths)]
    source = " and ".join(table.source for table in tables)
    if not any(table.rows for table in tables):
        raise InputError(f"{source}: no runs; give at least one row with {', '.join(_NEEDED)}")
    found: dict[str, list[float]] = {name: [] for name in COLUMNS}
    faults: list[str] = []
    empty: list[str] = []
    for table in tables:
        for values in _rows(table, _place(table, named), empty, faults):
            for name, value in values.items():
                found[name].append(value)
    if faults:
        raise told(source, faults)
    if not found["loss"]:
        raise InputError(f"{source}: no row has every number: {first_of(empty)}")
    notices = (rows_left_out(empty),) if empty else ()
    runs = _checked({name: np.array(one, float) for name, one in found.items()}, source, notices)
    _demand_enough(runs)
    return runs


def _chosen(table: RunTable, where: Sequence[str]) -> RunTable:
    """The rows for which all conditions hold."""
    for text in where:
        (table,) = rows_where([table], parse_selection(text, "where"), [{}])
    return table


def _place(table: RunTable, named: Mapping[str, tuple[str, ...]]) -> dict[str, RunField]:
    """Where each thing of a run is found."""
    found = {}
    for name, usual in COLUMNS.items():
        there = next((one for one in named.get(name, usual) if one in table.columns), None)
        if there is not None:
            found[name] = RunField(name=name, column=there)
        elif name in named:
            found[name] = _constant(table, name, named[name][0])
    missing = [name for name in _NEEDED if name not in found]
    if missing:
        lacks = "column" if len(missing) == 1 else "columns"
        raise InputError(
            f"{table.source}: {lacks} {', '.join(missing)} missing, the file has "
            f"{', '.join(table.columns) or 'none'}; name a column, or one value for all, with "
            f"--columns {missing[0]}=COLUMN"
        )
    return found


def _constant(table: RunTable, name: str, text: str) -> RunField:
    """One value for all runs."""
    if not is_number(text) and name != _TAUGHT:
        near = nearest(text, table.columns, "name a column of the file")
        raise InputError(f"columns: {table.source} has no column {text!r}; {near}")
    value = _number(text, name, f"columns: {name}", decimal_commas=False)
    return RunField(name=name, column=None, constant=value)


def _rows(
    table: RunTable, places: Mapping[str, RunField], empty: list[str], faults: list[str]
) -> Iterator[dict[str, float]]:
    """The numbers of each row that has all of them; what others lack goes to `empty`.

    What is wrong goes to the faults.
    """
    cells = [
        (_LIKE.get(name, name), one.cell(row)) for row in table.rows for name, one in places.items()
    ]
    commas = uses_decimal_commas(one for one in cells if one[0] in ("params", "tokens", "loss"))
    for row in table.rows:
        lacking = [places[name] for name in _NEEDED if is_missing(places[name].cell(row))]
        if lacking:
            empty.append(f"{row.where} ({lacking[0].column} {lacking[0].cell(row) or 'empty'})")
            continue
        values = {_TAUGHT: np.nan}
        for name, place in places.items():
            try:
                values[name] = _cell(row, name, place, decimal_commas=commas)
            except InputError as error:
                faults.append(str(error))
                break
        else:
            yield values


def _cell(row: TableRow, name: str, place: RunField, *, decimal_commas: bool) -> float:
    cell = place.cell(row)
    if is_missing(cell):
        raise InputError(f"{place.of(row)}: is empty; write yes or no, or leave the row out")
    return _number(cell, name, place.of(row), decimal_commas=decimal_commas)


def _number(cell: Any, name: str, what: str, *, decimal_commas: bool) -> float:
    """What a cell says; whether a run was taught is 1 or 0."""
    if name == _TAUGHT:
        word = str(cell).strip().lower()
        if word not in (*_YES, *_NO):
            raise InputError(f"{what}: {str(cell)[:40]!r} is neither yes nor no")
        return float(word in _YES)
    if name != "kept":
        return number_in(cell, _LIKE.get(name, name), what, decimal_commas=decimal_commas)
    text = str(cell).strip()
    share = text.removesuffix("%").replace(",", "." if decimal_commas else ",")
    try:
        value = float(share) / (100 if text.endswith("%") else 1)
    except ValueError:
        value = np.nan
    if not 0 < value <= 1:
        raise InputError(
            f"{what}: {text[:40]!r} is no share above 0 and at most 1 that was kept; write for "
            "example 0.5"
        )
    return value


def _checked(
    arrays: Mapping[str, FloatArray], source: str, notices: tuple[Notice, ...]
) -> PrunedRuns:
    taught = arrays[_TAUGHT]
    if taught.size and np.unique(taught[~np.isnan(taught)]).size > 1:
        raise InputError(
            f"{source}: some runs were taught and some were not, which the form has no room "
            "for; fit them apart, for example with --where 'taught = yes'"
        )
    known = taught[~np.isnan(taught)]
    return PrunedRuns(
        log_parent=np.log(arrays["parent_params"]),
        log_kept=np.log(arrays["kept"]),
        log_tokens=np.log(arrays["tokens"]),
        parent_loss=arrays["parent_loss"],
        log_loss=np.log(arrays["loss"]),
        source=source,
        taught=bool(known[0]) if known.size else None,
        notices=notices,
    )


def _demand_enough(runs: PrunedRuns) -> None:
    """Refuse runs that cannot show what a cut costs, or what recovery brings back."""
    ratios = np.unique(np.round(runs.log_kept, 6))
    lengths = np.unique(np.round(runs.log_tokens, 6))
    if ratios.size < LEAST_RATIOS:
        raise InputError(
            f"{runs.source}: one kept share in the runs ({np.exp(ratios[0]):.2g}); the form needs "
            f"{LEAST_RATIOS} at least, to tell what a cut costs"
        )
    if lengths.size < LEAST_LENGTHS:
        raise InputError(
            f"{runs.source}: {lengths.size} token counts in the runs; the form needs "
            f"{LEAST_LENGTHS} at least, to tell where recovery ends"
        )
    above = np.exp(runs.log_loss) > runs.parent_loss
    if above.mean() < 0.5:
        raise InputError(
            f"{runs.source}: {int((~above).sum())} of {len(runs)} losses are not above their "
            "parent's; the form describes what a cut loses, so give losses and parent_loss on the "
            "same text"
        )
