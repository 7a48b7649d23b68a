"""Files of runs -> checked runs: which rows, which columns, which unit, and what is left out."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np

from distillplan.errors import InputError
from distillplan.fitting.cells import (
    LOSSES,
    MOST_NATS,
    is_missing,
    is_unknown,
)
from distillplan.fitting.columns import (
    counts_named,
    parse_columns,
    place_columns,
    row_numbers,
    rows_where,
    taken_columns,
)
from distillplan.fitting.doubtful_columns import named_sizes, unlike_runs
from distillplan.fitting.drafts import (
    Draft,
    Replicates,
    first_of,
    last_of_each,
    of_kind,
    rows_left_out,
    unfinished,
    without_histories,
    without_repeats,
    without_replicates,
)
from distillplan.fitting.json_rows import told
from distillplan.fitting.missing_columns import listed
from distillplan.fitting.reported_units import (
    demand_bytes,
    in_nats,
    refuse_other_units,
    refuse_teachers_in_nats,
)
from distillplan.fitting.run_fields import RunField
from distillplan.fitting.runs import NAMES, TEACHER, RunKind, Runs
from distillplan.fitting.selection import parse_selection
from distillplan.fitting.tables import RunTable, TableRow, read_tables
from distillplan.fitting.untold_teachers import without_untold
from distillplan.laws.formulas import FloatArray
from distillplan.laws.loss_units import LEAST_NATS, LossUnit
from distillplan.laws.provenance import ParameterCount
from distillplan.named_tuples import NamedTuple
from distillplan.notices import warning

Histories = Literal["drop", "keep"]


class Reading(NamedTuple):
    """How to read files of runs."""

    form: RunKind | None = None
    """Which runs to use; None uses both kinds."""
    columns: str = ""
    """A mapping such as ``params=N,loss=val/loss,tokens=20B``."""
    where: tuple[str, ...] = ()
    """Conditions such as ``State = finished``; a row is used where all hold."""
    last_of: str | None = None
    """A column; only the last row of each of its values is used."""
    histories: Histories = "drop"
    """Whether intermediate points of a run are used."""
    replicates: Replicates | None = None
    """Which runs of one size and length are used; None lets their spread decide."""
    unit: LossUnit | None = None
    """Unit of the losses; None is nats per token, where they can be."""
    bytes_per_token: float | None = None
    """Of the tokenizer of the runs."""
    counts: ParameterCount | None = None
    """What the parameters are said to count; None: what the name of their column says."""
    size_of: Callable[[str], float | None] | None = None
    """The parameters of a model that is named where its size should be; None for other texts."""


def read_runs(paths: Sequence[str], reading: Reading = Reading()) -> Runs:  # noqa: B008  (immutable)
    """The runs of some files, checked.

    Args:
        paths: CSV files with a header or files of JSON Lines; ``-`` is standard input.
        reading: which columns and rows of them are runs.

    Raises:
        InputError: with all faults of the rows at once; or when no run is left.
    """
    demand_bytes(reading.unit, reading.bytes_per_token)
    named = parse_columns(reading.columns)
    wheres = [parse_selection(text, "where") for text in reading.where]
    tables = read_tables(paths)
    source = _source([table.source for table in tables])
    if not any(table.rows for table in tables):
        raise InputError(f"{source}: no runs; give at least one row with params, tokens, loss")
    tables = [table for table in tables if table.rows]
    rows = sum(len(table.rows) for table in tables)
    teacher = {None: None, "distillation": True, "supervised": None}[reading.form]
    places = place_columns(tables, named, teacher=teacher)
    for place in places:
        place["params"] = place["params"]._replace(size_of=reading.size_of)
    taken, counts = taken_columns(tables, places), counts_named(tables, places, reading.counts)
    for where in wheres:
        tables = rows_where(tables, where, places)
    draft = without_untold(_draft(tables, places, reading, source), places, reading.form, source)
    draft = of_kind(draft, reading.form, source)
    draft = unfinished(without_repeats(draft))
    if reading.last_of is not None:
        draft = last_of_each(draft, tables, reading.last_of)
    if reading.histories == "drop":
        draft = without_histories(draft)
    draft = without_replicates(draft, reading.replicates)
    notices = (
        *((warning("columns_taken", taken),) if taken else ()),
        *named_sizes(draft.rows, places),
        *draft.notices,
        *unlike_runs(draft.rows),
    )
    draft = draft._replace(notices=notices)
    return replace(_runs(draft, reading, source), rows=rows, counts=counts)


def _source(names: Sequence[str]) -> str:
    if len(names) > 3:
        return f"{names[0]} and {len(names) - 1} more files"
    return listed(names)


def _draft(
    tables: Sequence[RunTable],
    places: Sequence[Mapping[str, RunField]],
    reading: Reading,
    source: str,
) -> Draft:
    """The rows that have every number; those without one are left out, all faults are told."""
    empty: list[str] = []
    faults: list[str] = []
    found = [
        (file, row, values)
        for file, (table, place) in enumerate(zip(tables, places, strict=True))
        for row, values in _whole_rows(table, place, reading, empty, faults)
    ]
    files, rows = [file for file, _, _ in found], [row for _, row, _ in found]
    arrays = {name: np.array([values[name] for _, _, values in found]) for name in NAMES}
    if reading.unit is None:
        _demand_nats(arrays, places, source)
    faults += _impossible(arrays, rows, reading)
    if faults:
        raise told(source, faults)
    if not rows:
        raise InputError(f"{source}: no row has every number: {first_of(empty)}")
    taught = [place[TEACHER].column or "" for place in places if TEACHER in place]
    refuse_teachers_in_nats(
        arrays["loss"], arrays[TEACHER], reading.unit, reading.bytes_per_token, source, taught
    )
    notices = () if not empty else (rows_left_out(empty),)
    return Draft(values=arrays, files=np.array(files, dtype=np.intp), rows=rows, notices=notices)


def _demand_nats(
    arrays: Mapping[str, FloatArray], places: Sequence[Mapping[str, RunField]], source: str
) -> None:
    """Refuse losses that are in another unit by the names of their columns, or by their size."""
    for name in LOSSES:
        fields = [place[name] for place in places if name in place]
        columns = [one.column for one in fields if one.column is not None]
        losses = arrays[name][~np.isnan(arrays[name])]
        refuse_other_units(losses, columns, source, teachers=name == TEACHER)


def _whole_rows(
    table: RunTable,
    place: Mapping[str, RunField],
    reading: Reading,
    empty: list[str],
    faults: list[str],
) -> Iterator[tuple[TableRow, dict[str, float]]]:
    """Rows with their numbers; what others lack goes to `empty`, what is wrong to `faults`."""
    perplexity = reading.unit is LossUnit.PERPLEXITY
    for row, values, wrong in row_numbers(table, place, perplexity=perplexity):
        lacking = _lacking(row, place, reading.last_of)
        if lacking is not None:
            empty.append(_emptiness(lacking, row))
            continue
        faults += wrong
        if not wrong:
            yield row, {TEACHER: np.nan, **values}


def _lacking(row: TableRow, place: Mapping[str, RunField], last_of: str | None) -> RunField | None:
    """What a row should have and has not; a teacher's loss may be unknown."""
    for one in place.values():
        cell = one.cell(row)
        if is_missing(cell) and not (one.name == TEACHER and is_unknown(cell)):
            return one
    if last_of is not None and is_unknown(row.cells.get(last_of, "there")):
        return RunField(name=last_of, column=last_of)
    return None


def _emptiness(place: RunField, row: TableRow) -> str:
    cell = place.cell(row)
    word = "empty" if cell is None or not str(cell).strip() else str(cell).strip()
    return f"{row.where} ({place.column} {word})"


def _impossible(
    arrays: Mapping[str, FloatArray], rows: Sequence[TableRow], reading: Reading
) -> list[str]:
    """Losses that nobody can have meant in their unit."""
    faults = []
    for name in LOSSES:
        for row, value in zip(rows, arrays[name].tolist(), strict=True):
            try:
                nats = in_nats(np.array([value]), reading.unit, reading.bytes_per_token, "")[0]
            except InputError as error:
                faults.append(f"{row.where}, {name}{error}")
                continue
            if nats < LEAST_NATS or nats > MOST_NATS:  # a teacher's may be not-a-number
                faults.append(
                    f"{row.where}, {name}: {value:g} is {nats:.3g} nats/token, not between "
                    f"{LEAST_NATS:g} and {MOST_NATS:g}; write for example 2.31"
                )
    return faults


def _runs(draft: Draft, reading: Reading, source: str) -> Runs:
    losses = {
        name: in_nats(draft.values[name], reading.unit, reading.bytes_per_token, name)
        for name in LOSSES
    }
    arrays = {**draft.values, **losses}
    return Runs(
        params=arrays["params"],
        tokens=arrays["tokens"],
        loss=arrays["loss"],
        teacher_loss=arrays[TEACHER],
        lines=tuple(row.where for row in draft.rows),
        source=source,
        unit=reading.unit or LossUnit.NATS,
        bytes_per_token=reading.bytes_per_token,
        notices=draft.notices,
    )
