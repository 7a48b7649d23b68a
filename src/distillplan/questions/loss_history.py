"""The losses of one run under way: rows of a table -> tokens and losses in order."""

import math
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

import numpy as np

from distillplan.errors import InputError
from distillplan.fitting.reported_units import in_nats, refuse_other_units
from distillplan.fitting.rows import IndexArray
from distillplan.fitting.tables import RunTable
from distillplan.laws.formulas import FloatArray
from distillplan.laws.loss_units import LEAST_NATS, LossUnit
from distillplan.notices import Notice, information
from distillplan.suggest import nearest
from distillplan.units.quantities import parse_count

USUAL: Final[Mapping[str, tuple[str, ...]]] = {
    "tokens": ("tokens", "tokensseen", "ntokens", "numtokens", "traintokens", "totaltokens"),
    "step": ("step", "steps", "globalstep", "iteration", "iter", "update"),
    "loss": ("valloss", "validationloss", "evalloss", "validloss", "testloss", "loss"),
}
"""What columns are called, in small letters without signs; validation losses before others."""

RESTARTS: Final = 1 / 20
"""Share of rows that may go back in tokens, as a restarted run does; more is a file in no order."""

MOST_NATS: Final = 1e3
"""Beyond what any model of a text has, a diverged one included."""

_PART: Final = re.compile(r"""\s*(\w+)\s*=\s*("[^"]*"|'[^']*'|[^,"']*?)\s*(?:,|\Z)""")


class LossHistory(NamedTuple):
    """Losses of one run; arrays of shape (rows,)."""

    source: str
    tokens: FloatArray
    """In increasing order."""
    loss: FloatArray
    """Nats per token."""
    notices: tuple[Notice, ...]
    """What was done to the rows."""


def parse_history_columns(text: str) -> dict[str, str]:
    """A mapping like ``step=_step,loss="val/loss"``.

    Raises:
        InputError: when it is not a mapping of these names.

    >>> parse_history_columns("tokens=seen, loss=val_loss")
    {'tokens': 'seen', 'loss': 'val_loss'}
    """
    found: dict[str, str] = {}
    position = 0
    while position < len(text):
        match = _PART.match(text, position)
        column = "" if match is None else match[2].strip("\"'")
        if match is None or not column or match[1] not in USUAL or match[1] in found:
            raise InputError(
                f"columns: {text[position:].strip()[:60]!r} is not NAME=COLUMN with NAME one of "
                f"{', '.join(USUAL)}, each once; write for example loss=val_loss"
            )
        found[match[1]] = column
        position = match.end()
    return found


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
    is replaced. A row that is repeated counts once, its last value.

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
    loss_column = _column(table, columns, "loss")
    at, per = _place(table, columns, batch_tokens)
    read = [(_number(row.cells.get(at)), _number(row.cells.get(loss_column))) for row in table.rows]
    least = 1.0 if unit is LossUnit.PERPLEXITY else 0.0
    rows = [
        (tokens * per, loss)
        for tokens, loss in read
        if 1 <= tokens * per < math.inf and loss > least
    ]
    if not rows:
        raise InputError(
            f"{table.source}: no row has a positive number in {at} and in {loss_column}; name "
            "other columns with --columns"
        )
    tokens, raw = np.array(rows).T
    if unit is None:
        refuse_other_units(raw, (loss_column,), table.source)
    loss = in_nats(raw, unit, bytes_per_token, f"{table.source}, {loss_column}")
    possible = (loss > LEAST_NATS) & (loss < MOST_NATS)
    if not possible.any():
        raise InputError(
            f"{table.source}: no row of {loss_column} has a loss between {LEAST_NATS:g} and "
            f"{MOST_NATS:g} nats per token; name its unit with --loss-unit, or another "
            "column with --columns"
        )
    tokens, loss = tokens[possible], loss[possible]
    ordered, replaced, shuffled = _in_order(tokens)
    return LossHistory(
        source=table.source,
        tokens=tokens[ordered],
        loss=loss[ordered],
        notices=tuple(_notices(len(table.rows) - loss.size, replaced, shuffled=shuffled)),
    )


def _place(
    table: RunTable, columns: Mapping[str, str], batch_tokens: float | None
) -> tuple[str, float]:
    """The column that says where in the run a row is, and the tokens of one unit of it."""
    tokens = None if "step" in columns else _usual(table, columns, "tokens")
    if tokens is not None:
        return tokens, 1.0
    step = _usual(table, columns, "step")
    if step is None:
        raise _missing(table, "tokens")
    if batch_tokens is None:
        raise InputError(
            f"{table.source}: it has steps ({step}) and no tokens; say how many tokens a step has, "
            "for example --batch-tokens 524288"
        )
    return step, batch_tokens


def _column(table: RunTable, columns: Mapping[str, str], name: str) -> str:
    found = _usual(table, columns, name)
    if found is None:
        raise _missing(table, name)
    return found


def _usual(table: RunTable, columns: Mapping[str, str], name: str) -> str | None:
    """The column that was named, or the first with a usual name."""
    asked = columns.get(name)
    if asked is not None:
        if asked not in table.columns:
            raise InputError(
                f"columns: {table.source} has no column {asked[:40]!r}; "
                f"{nearest(asked, table.columns)}"
            )
        return asked
    plain = {re.sub(r"[^a-z]", "", column.lower()): column for column in reversed(table.columns)}
    return next((plain[one] for one in USUAL[name] if one in plain), None)


def _missing(table: RunTable, name: str) -> InputError:
    there = ", ".join(column[:40] for column in table.columns[:8]) or "none"
    what = "no column of tokens or steps" if name == "tokens" else f"no column of the {name}"
    return InputError(
        f"{table.source}: {what}, the file has {there}; name it, for example --columns "
        f"{name}=COLUMN"
    )


def _number(cell: Any) -> float:
    """A positive number; not-a-number for anything else."""
    if isinstance(cell, (bool, type(None))) or not isinstance(cell, (int, float, str)):
        return math.nan
    try:
        value = float(cell) if not isinstance(cell, str) else parse_count(cell)
    except (InputError, OverflowError):
        return math.nan
    return value if math.isfinite(value) else math.nan


def _in_order(tokens: FloatArray) -> tuple[IndexArray, int, bool]:
    """Indices of the rows to use in increasing tokens, how many were replaced, whether sorted."""
    back = int((np.diff(tokens) < 0).sum())
    shuffled = back > max(2, tokens.size * RESTARTS)
    order = np.argsort(tokens, kind="stable") if shuffled else np.arange(tokens.size)
    # from the end: a row counts if nothing after it is as early or earlier
    after = np.minimum.accumulate(tokens[order][::-1])[::-1]
    last = np.append(tokens[order][:-1] < after[1:], True)
    return order[last], int((~last).sum()), shuffled


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
