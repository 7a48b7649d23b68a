"""The losses of one run under way: rows of a table -> tokens and losses in order."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

import numpy as np

from distillplan.errors import InputError
from distillplan.fitting.cells import is_unknown, number_in
from distillplan.fitting.columns import SURE, asked_field, parse_columns, row_numbers
from distillplan.fitting.drafts import run_name
from distillplan.fitting.missing_columns import (
    listed,
    missing_columns,
    nearest_column,
    several_columns,
    unknown_column,
)
from distillplan.fitting.reported_units import in_nats, refuse_other_units
from distillplan.fitting.rows import IndexArray, Mask
from distillplan.fitting.run_fields import RunField, bare_name
from distillplan.fitting.tables import RunTable, TableRow
from distillplan.laws.formulas import FloatArray
from distillplan.laws.loss_units import LEAST_NATS, LossUnit
from distillplan.named_tuples import NamedTuple
from distillplan.notices import Notice, information

USUAL: Final[Mapping[str, tuple[str, ...]]] = {
    "tokens": (SURE["tokens"], r"(consumed|processed|cumulative)(train)?tokens"),
    "step": (r"(global|train)?(global)step", r"(train)?steps?", r"iter(ation)?s?|updates?"),
    "loss": (
        *(r"val(lm)?loss", r"validation(lm)?loss(value)?", r"evalloss", r"validloss", r"testloss"),
        *(r"loss|lmloss", r"value"),
    ),
}
"""What columns are called, as `bare_name` has them; validation losses before others."""

RESTARTS: Final = 1 / 20
"""Share of rows that may go back in tokens, as a restarted run does; more is a file in no order."""

_AGAIN: Final = 0.2
"""Share of rows that other rows replace, from which they may be of several runs."""

MOST_NATS: Final = 1e3
"""Beyond what any model of a text has; also stands for losses that are no number any more."""

LOST: Final = 3
"""Rows without a possible loss at the end from which a run has diverged; and those with one that
it must have had before."""


class LossHistory(NamedTuple):
    """Losses of one run; arrays of shape (rows,)."""

    source: str
    tokens: FloatArray
    """In increasing order."""
    loss: FloatArray
    """Nats per token; `MOST_NATS` at the end of a run that lost its loss to NaN or infinity."""
    notices: tuple[Notice, ...]
    """What was done to the rows."""


def parse_history_columns(text: str) -> dict[str, str]:
    """A mapping like ``step=_step,loss="val/loss"``.

    Raises:
        InputError: when it is not a mapping of these names.

    >>> parse_history_columns("tokens=seen, loss=val_loss")
    {'tokens': 'seen', 'loss': 'val_loss'}
    """
    found = parse_columns(text, {name: name for name in USUAL})
    for name, columns in found.items():
        if len(columns) > 1:
            raise InputError(f"columns: {name} is given twice; give it once")
    return {name: columns[0] for name, columns in found.items()}


def history_of(
    table: RunTable,
    *,
    columns: Mapping[str, str],
    batch_tokens: float | None = None,
    unit: LossUnit | None = None,
    bytes_per_token: float | None = None,
) -> LossHistory:
    """The losses of a run in order, without the rows that say nothing.

    A run that was restarted from a checkpoint goes back in tokens: what it had after the checkpoint
    is replaced. A row that is repeated counts once, its last value. Losses that are no number any
    more at the end, as NaN, stay as `MOST_NATS`.

    Args:
        table: the file.
        columns: what `parse_history_columns` gives.
        batch_tokens: tokens of a step, for files that have steps.
        unit: of the losses; None is nats per token.
        bytes_per_token: of the tokenizer, for bits per byte.

    Raises:
        InputError: when a column is missing, steps have no tokens, or no row can be used.
    """
    if not table.rows:
        raise InputError(f"{table.source}: no rows; give a header and a row for each loss")
    where = _usual(table, columns, "loss")
    if where is None:
        raise missing_columns(table, ["loss"])
    loss_column = where.column or ""
    place = {"loss": where} | _place(table, columns, batch_tokens)
    tokens, raw = _numbers(table, place, batch_tokens, unit)
    if unit is None:
        refuse_other_units(raw[np.isfinite(raw)], (loss_column,), table.source)
    loss = in_nats(raw, unit, bytes_per_token, f"{table.source}, {loss_column}")
    possible = (loss > LEAST_NATS) & (loss < MOST_NATS)
    if not possible.any():
        raise InputError(
            f"{table.source}: no row of {loss_column} has a loss between {LEAST_NATS:g} and "
            f"{MOST_NATS:g} nats per token; name its unit with --loss-unit, or another "
            "column with --columns"
        )
    lost = _lost(tokens, possible)
    tokens, loss = tokens[possible], loss[possible]
    ordered, replaced, shuffled = _in_order(tokens)
    _refuse_several_runs(table, again=replaced > tokens.size * _AGAIN)
    ordered = ordered[tokens[ordered] < lost.min(initial=np.inf)]
    return LossHistory(
        source=table.source,
        tokens=np.append(tokens[ordered], lost),
        loss=np.append(loss[ordered], np.full(lost.size, MOST_NATS)),
        notices=tuple(
            _notices(len(table.rows) - loss.size - lost.size, replaced, shuffled=shuffled)
        ),
    )


def _refuse_several_runs(table: RunTable, *, again: bool) -> None:
    """Refuse rows that a column says are of several sizes, or runs over the same tokens."""
    sized = [one for one in table.columns if re.fullmatch(SURE["params"], bare_name(one, "params"))]
    cells = (row.cells[one] for one in sized[:1] for row in table.rows)
    sizes = dict.fromkeys(str(cell) for cell in cells if not is_unknown(cell))
    names = dict.fromkeys(name for _, name in map(run_name, table.rows) if again and name)
    for many, what, over in ((sizes, "sizes", ""), (names, "runs", " over the same tokens")):
        if len(many) > 1:
            some = f"{len(many)} {what} ({listed([*many][:3])})"
            raise InputError(f"{table.source}: its rows are of {some}{over}; give the rows of one")


def _place(
    table: RunTable, columns: Mapping[str, str], batch_tokens: float | None
) -> dict[str, RunField]:
    """The column that says where in the run a row is, by its name: tokens or step."""
    tokens = None if "step" in columns else _usual(table, columns, "tokens")
    if tokens is not None:
        return {"tokens": tokens}
    step = _usual(table, columns, "step")
    if step is None:
        near = [one for one in ("tokens", "step") if nearest_column(one, table.columns)]
        raise missing_columns(table, near[:1] or ["tokens"])
    if batch_tokens is None:
        raise InputError(
            f"{table.source}: it has steps ({step.column}) and no tokens; say how many tokens a "
            "step has, for example --batch-tokens 524288"
        )
    return {"step": step}


def _numbers(
    table: RunTable,
    place: Mapping[str, RunField],
    batch_tokens: float | None,
    unit: LossUnit | None,
) -> tuple[FloatArray, FloatArray]:
    """Tokens and losses of the rows that have both, in the file's order and unit.

    A loss that came out as NaN or infinite is NaN; also 0, which trainers log that skip NaN.
    """
    perplexity = unit is LossUnit.PERPLEXITY
    rows, faults = [], []
    for row, found, wrong in row_numbers(table, place, perplexity=perplexity):
        faults += wrong
        if _has_overflowed(place["loss"].cell(row)):
            found["loss"] = np.nan
        if len(found) < len(place) or found["loss"] <= perplexity:  # a perplexity is above 1
            continue
        try:
            rows.append((_tokens_of(found, place, row, batch_tokens), found["loss"]))
        except InputError as error:
            faults.append(str(error))
    if all(np.isnan(one) for _, one in rows):
        names = " and in ".join(one.column or "" for one in place.values())
        why = faults[0] if faults else f"none has a number in {names}; name others with --columns"
        raise InputError(f"{table.source}: no row can be used: {why}")
    tokens, loss = np.array(rows).T
    return tokens, loss


def _tokens_of(
    found: Mapping[str, float],
    place: Mapping[str, RunField],
    row: TableRow,
    batch_tokens: float | None,
) -> float:
    """Tokens of a row, which may have steps."""
    if "step" not in found or batch_tokens is None:
        return found["tokens"]
    at = f"{place['step'].of(row)} times the tokens of a step"
    return number_in(found["step"] * batch_tokens, "tokens", at)


def _has_overflowed(cell: Any) -> bool:
    """Whether a loss was computed and came out as NaN, infinity or 0; an empty cell is a gap."""
    try:
        return isinstance(cell, (str, int, float)) and not 0 < abs(float(cell)) < np.inf
    except (OverflowError, ValueError):
        return False


def _usual(table: RunTable, columns: Mapping[str, str], name: str) -> RunField | None:
    """What was named, or the first column with a usual name.

    Raises:
        InputError: when the file has no such column, or several that are alike.
    """
    if name in columns:
        found = asked_field(table, name, columns[name])
        if found is None:
            raise unknown_column([table], name, columns[name])
        return found
    bare = {  # a loss needs the group that a tracker has it in
        one: bare_name(one if name == "loss" else one.rsplit("/", 1)[-1], name)
        for one in table.columns
    }
    for usual in USUAL[name]:
        there = [one for one, plain in bare.items() if re.fullmatch(usual, plain)]
        if len(there) > 1:
            raise several_columns(table, name, there)
        if there:
            return RunField(name, there[0])
    return None


def _lost(tokens: FloatArray, possible: Mask) -> FloatArray:
    """Tokens of the rows at a run's end whose losses are no numbers any more, in increasing order.

    Some files write NaN into each row without an evaluation, so the end must have more of them in a
    row than any gap before it.

    Args:
        tokens: in the file's order, shape (rows,).
        possible: which rows have a loss that a model can have, shape (rows,); one at least.
    """
    order = _order(tokens)
    there = order[tokens[order] <= _least_after(tokens[order])]  # not replaced by a restart
    good = np.flatnonzero(possible[there])
    if good.size < LOST or there.size - 1 - good[-1] < LOST + np.diff(good, prepend=-1).max() - 1:
        return np.array([])
    last = there[good[-1]]
    found = np.unique(tokens[there[good[-1] + 1 :]])
    return found[found > tokens[last]]


def _in_order(tokens: FloatArray) -> tuple[IndexArray, int, bool]:
    """Indices of the rows to use in increasing tokens, how many were replaced, whether sorted."""
    order = _order(tokens)
    last = np.append(tokens[order][:-1] < _least_after(tokens[order])[1:], True)
    return order[last], int((~last).sum()), bool((order != np.arange(tokens.size)).any())


def _order(tokens: FloatArray) -> IndexArray:
    """Indices of rows in the order of the run: the file's own, unless it has none."""
    shuffled = int((np.diff(tokens) < 0).sum()) > max(2, tokens.size * RESTARTS)
    return np.argsort(tokens, kind="stable") if shuffled else np.arange(tokens.size)


def _least_after(tokens: FloatArray) -> FloatArray:
    """The fewest tokens of each row and those after it: a row with more of them was replaced."""
    return np.minimum.accumulate(tokens[::-1])[::-1]


def _notices(unusable: int, replaced: int, *, shuffled: bool) -> Iterable[Notice]:
    """One remark on all that was done."""
    said = []
    if unusable:
        said.append(f"{_rows(unusable)} without a usable loss left out")
    if replaced:
        said.append(f"{_rows(replaced)} replaced by later ones of the same tokens or a restart")
    if shuffled:
        said.append("rows put in order")
    if said:
        yield information("rows_cleaned", "; ".join(said))


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count} rows"
