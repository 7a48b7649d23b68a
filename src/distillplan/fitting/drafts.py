"""Rows on their way to runs: what is left out or merged, each with one notice."""

from collections.abc import Mapping, Sequence
from typing import Final, Literal

import numpy as np

from distillplan.errors import InputError
from distillplan.fitting.cells import is_unknown
from distillplan.fitting.histories import Curve, intermediate_points
from distillplan.fitting.replicates import above_the_lowest, differing, replicate_groups
from distillplan.fitting.rows import IndexArray, Mask
from distillplan.fitting.runs import TEACHER, RunKind
from distillplan.fitting.tables import RunTable, TableRow
from distillplan.laws.formulas import FloatArray
from distillplan.named_tuples import NamedTuple
from distillplan.notices import Notice, information, warning
from distillplan.suggest import nearest
from distillplan.units.quantities import format_count

Replicates = Literal["lowest", "all"]

_RUN_NAMES: Final = ("run", "name", "runname", "runid", "experiment")
"""Columns that name a run, without spaces and signs."""

_OF_RUNS: Final = ("run", "runname", "runid")
"""Those that name nothing else."""

_STATES: Final = ("state", "status")
_UNFINISHED: Final = ("crashed", "failed", "killed", "running", "preempted")
"""What trackers of experiments say of a run without an end."""

_MEASURED: Final = 5
"""Digits of a loss from which two runs do not have the same by chance."""

_SHOWN: Final = 6
"""Rows or sizes named in one notice."""


class Draft(NamedTuple):
    """Rows that have every number; arrays of shape (rows,)."""

    values: Mapping[str, FloatArray]
    """By name; losses in the unit of the file, a teacher's loss NaN where there is none."""
    files: IndexArray
    """Number of each row's file."""
    rows: Sequence[TableRow]
    notices: tuple[Notice, ...]

    def without(self, left_out: Mask, notice: Notice) -> "Draft":
        """The other rows, with a notice about those that this mask of shape (rows,) leaves out."""
        if not left_out.any():
            return self
        kept = np.flatnonzero(~left_out)
        return Draft(
            values={name: values[kept] for name, values in self.values.items()},
            files=self.files[kept],
            rows=[self.rows[row] for row in kept.tolist()],
            notices=(*self.notices, notice),
        )


def of_kind(draft: Draft, form: RunKind | None, source: str) -> Draft:
    """The rows of one kind, where one was asked for.

    Raises:
        InputError: when there are none.
    """
    alone = np.isnan(draft.values[TEACHER])
    if form == "distillation" and alone.all():
        raise InputError(f"{source}: no row has a {TEACHER}; leave --form distillation out")
    if form != "supervised" or alone.all():
        return draft
    if not alone.any():
        raise InputError(
            f"{source}: every row has a {TEACHER}; --form supervised needs runs without a teacher"
        )
    taught = f"{_rows(int((~alone).sum()))} left out for having a {TEACHER}"
    return draft.without(~alone, information("distilled_left_out", taught))


def last_of_each(draft: Draft, tables: Sequence[RunTable], column: str) -> Draft:
    """The last row of each value of a column: most tokens, then last in its file.

    Raises:
        InputError: when a file has no such column.
    """
    for table in tables:
        if column not in table.columns:
            raise InputError(
                f"last-of: {table.source} has no column {column[:40]!r}; "
                f"{nearest(column, table.columns, 'name a column of it')}"
            )
    last: dict[tuple[int, str], int] = {}
    tokens = draft.values["tokens"]
    for index, row in enumerate(draft.rows):
        key = int(draft.files[index]), str(row.cells[column]).strip()
        if key not in last or tokens[index] >= tokens[last[key]]:
            last[key] = index
    left_out = np.ones(len(draft.rows), dtype=bool)
    left_out[list(last.values())] = False
    text = f"the last row of each {column} is used: {len(last)} of {len(draft.rows)} rows"
    return draft.without(left_out, information("last_of_each", text))


def without_repeats(draft: Draft) -> Draft:
    """Each run once: the same size, tokens and loss to many digits are one measurement."""
    numbers = np.column_stack([np.nan_to_num(values) for values in draft.values.values()])
    _, first, number = np.unique(numbers, axis=0, return_index=True, return_inverse=True)
    again = first[number.reshape(-1)] != np.arange(len(numbers))
    exact = [len(f"{loss:.15g}".replace(".", "")) >= _MEASURED for loss in draft.values["loss"]]
    left_out = again & np.array(exact, dtype=bool)
    where = first_of([draft.rows[row].where for row in np.flatnonzero(left_out).tolist()])
    text = f"{_rows(int(left_out.sum()))} left out for repeating another: {where}"
    return draft.without(left_out, information("repeated_rows", text))


def unfinished(draft: Draft) -> Draft:
    """The same rows, with a notice where a column says that some are of unfinished runs."""
    for column in draft.rows[0].cells:
        if "".join(filter(str.isalpha, column.lower())) not in _STATES:
            continue
        states = [str(row.cells.get(column, "")).strip().lower() for row in draft.rows]
        odd = [state for state in states if state in _UNFINISHED]
        if odd and len(odd) < len(states):
            several = "row has" if len(odd) == 1 else "rows have"
            text = (
                f"{len(odd)} {several} {column} {' or '.join(dict.fromkeys(odd))}, and a run that "
                f"did not end is above the law; leave such rows out with --where "
                f"'{column} != {odd[0]}'"
            )
            return draft._replace(notices=(*draft.notices, warning("unfinished_runs", text)))
    return draft


def without_histories(draft: Draft) -> Draft:
    """The rows that are not intermediate points of a run."""
    named = [run_name(row) for row in draft.rows]
    left_out, curves = intermediate_points(
        *(draft.values[name] for name in ("params", "tokens", "loss", TEACHER)),
        files=draft.files,
        names=[name for _, name in named],
        of_runs={column for column, _ in named} <= {*_OF_RUNS},
    )
    return draft.without(left_out, _histories_left_out(curves))


def _histories_left_out(curves: Sequence[Curve]) -> Notice:
    sizes = first_of([f"{one.rows} of {format_count(one.params)}" for one in curves])
    return warning(
        "histories_left_out",
        f"{_rows(sum(one.rows for one in curves))} left out as intermediate points of "
        f"{_count(len(curves), 'run')} ({sizes}): their losses are above those of finished runs "
        "of that length; the last row of each is used, --histories keep uses all",
    )


def run_name(row: TableRow) -> tuple[str, str | None]:
    """The name of a row's run, from the first column that has one, and that column in letters."""
    for column, cell in row.cells.items():
        plain = "".join(filter(str.isalpha, str(column).lower()))
        if plain in _RUN_NAMES and not is_unknown(cell):
            return plain, str(cell)
    return "", None


def without_replicates(draft: Draft, replicates: Replicates | None) -> Draft:
    """The lowest of the runs of one size and length, where they differ by more than seeds do.

    Args:
        draft: the rows.
        replicates: which to use, whatever they differ by; None lets that decide.
    """
    if replicates == "all":
        return draft
    loss = draft.values["loss"]
    groups = replicate_groups(*(draft.values[name] for name in ("params", "tokens", TEACHER)))
    chosen = np.bincount(groups) > 1 if replicates == "lowest" else differing(loss, groups)
    left_out = above_the_lowest(loss, groups, chosen)
    if not left_out.any():
        return draft
    lowest = np.full(chosen.size, np.inf)
    np.minimum.at(lowest, groups, loss)
    most = float((loss / lowest[groups])[left_out].max()) - 1
    text = (
        f"{_count(int(chosen.sum()), 'pair')} of size and tokens have "
        f"{_count(int(chosen[groups].sum()), 'run')} that differ by up to {most:.0%}: the lowest "
        "of each is used, --replicates all uses all"
    )
    return draft.without(left_out, warning("lowest_of_each", text))


def rows_left_out(empty: Sequence[str]) -> Notice:
    """The notice about rows that lack a number, from where each is and what it lacks."""
    return information(
        "rows_left_out", f"{_rows(len(empty))} left out for want of a number: {first_of(empty)}"
    )


def first_of(texts: Sequence[str]) -> str:
    """The first of some texts, and how many more there are."""
    more = f" and {len(texts) - _SHOWN} more" if len(texts) > _SHOWN else ""
    return ", ".join(texts[:_SHOWN]) + more


def _rows(count: int) -> str:
    return _count(count, "row") + (" is" if count == 1 else " are")


def _count(count: int, noun: str) -> str:
    return f"{count} {noun}" + ("" if count == 1 else "s")
