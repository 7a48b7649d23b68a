"""Rows of a user's file -> arrays, with all faults in one message. Reads no files itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple

import numpy as np

from distillplan.errors import InputError
from distillplan.laws.formulas import FloatArray
from distillplan.units import parse_count

RunKind = Literal["supervised", "distillation"]

COLUMNS: Final[Mapping[RunKind, tuple[str, ...]]] = {
    "supervised": ("params", "tokens", "loss"),
    "distillation": ("student_params", "student_tokens", "teacher_loss", "loss"),
}
"""Columns of a row: counts of parameters and tokens, losses in nats per token."""

MOST_SHOWN: Final = 20
"""Faults or columns named in one message."""


class _Sense(NamedTuple):
    """The numbers that somebody can have meant."""

    low: float
    high: float
    example: str


_PARAMS: Final = _Sense(low=1e3, high=1e15, example="1B")
_TOKENS: Final = _Sense(low=1e3, high=1e18, example="20B")
_LOSS: Final = _Sense(low=0.0, high=30.0, example="2.31")
"""Nats per token: a uniform guess over 1e13 tokens has 30."""

_SENSES: Final = {
    "params": _PARAMS,
    "student_params": _PARAMS,
    "tokens": _TOKENS,
    "student_tokens": _TOKENS,
    "teacher_loss": _LOSS,
    "loss": _LOSS,
}


@dataclass(frozen=True, kw_only=True)
class Runs:
    """Validated runs; every array has shape (runs,)."""

    kind: RunKind
    """supervised or distillation"""
    params: FloatArray
    """parameters of the trained (student) model, as the law counts them"""
    tokens: FloatArray
    """its training tokens"""
    loss: FloatArray
    """validation loss [nats/token]"""
    teacher_loss: FloatArray | None
    """teacher's validation loss [nats/token]; None for supervised runs"""

    def __len__(self) -> int:
        """Number of runs."""
        return self.loss.size


def parse_columns(text: str, kind: RunKind) -> dict[str, str]:
    """A mapping like ``student_params=NS,loss=LS``; other columns keep their names.

    Raises:
        InputError: when it is not a mapping of these columns.

    >>> parse_columns("params=N", "supervised")
    {'params': 'N', 'tokens': 'tokens', 'loss': 'loss'}
    """
    named = {}
    for part in filter(None, (one.strip() for one in text.split(","))):
        name, equals, column = (one.strip() for one in part.partition("="))
        if not equals or not column or name not in COLUMNS[kind]:
            raise InputError(
                f"columns: {part[:60]!r} is not NAME=COLUMN with NAME one of "
                f"{', '.join(COLUMNS[kind])}; write for example {COLUMNS[kind][0]}=N"
            )
        if name in named:
            raise InputError(f"columns: {name} is named twice; name it once")
        named[name] = column
    return {name: named.get(name, name) for name in COLUMNS[kind]}


def validated_runs(
    rows: Sequence[Mapping[str, Any]],
    kind: RunKind,
    *,
    columns: Mapping[str, str] | None = None,
    lines: Sequence[int] | None = None,
    source: str = "runs",
) -> Runs:
    """Rows of strings or numbers as arrays, or all their faults at once.

    Args:
        rows: one mapping per run, from a CSV or JSON Lines file.
        kind: which columns are expected.
        columns: our name -> the file's name, where they differ.
        lines: line number of each row; None counts from 2, below a header.
        source: the file's name for messages.

    Raises:
        InputError: naming the first faults by line, and how many there are.
    """
    names = COLUMNS[kind]
    wanted = {name: (columns or {}).get(name, name) for name in names}
    numbers = tuple(lines) if lines is not None else tuple(range(2, len(rows) + 2))
    if not rows:
        raise InputError(f"{source}: no runs; give at least one row with {', '.join(names)}")
    _demand_columns(rows[0], wanted, kind, source)
    values: dict[str, list[float]] = {name: [] for name in names}
    faults = []
    for line, row in zip(numbers, rows, strict=True):
        for name, column in wanted.items():
            try:
                values[name].append(_value(row.get(column), name, f"line {line}, {column}"))
            except InputError as error:
                faults.append(str(error))
        if None in row:  # what the csv module calls fields beyond the header
            faults.append(f"line {line}: more fields than the header has")
    if faults:
        raise InputError(_message(source, faults))
    arrays = {name: np.array(values[name]) for name in names}
    return Runs(
        kind=kind,
        params=arrays[names[0]],
        tokens=arrays[names[1]],
        loss=arrays["loss"],
        teacher_loss=arrays.get("teacher_loss"),
    )


def _demand_columns(
    row: Mapping[str, Any], wanted: Mapping[str, str], kind: RunKind, source: str
) -> None:
    missing = [column for column in wanted.values() if column not in row]
    if missing:
        there = ", ".join(str(name) for name in list(row)[:MOST_SHOWN])
        raise InputError(
            f"{source}: column {', '.join(missing)} is missing for {kind} runs, the file has "
            f"{there}; rename it or map it, for example --columns {next(iter(wanted))}=NAME"
        )


def _value(raw: Any, name: str, what: str) -> float:
    """The number in a field; InputError, with ``what`` as its noun, where there is none."""
    sense = _SENSES[name]
    if raw is None or (isinstance(raw, str) and not raw.strip()):
        raise InputError(f"{what}: empty; write for example {sense.example}")
    if not isinstance(raw, (str, int, float)):
        raise InputError(
            f"{what}: {str(raw)[:40]!r} is not a number; write for example {sense.example}"
        )
    value = parse_count(raw, what, sense.example)
    if not sense.low <= value <= sense.high:
        raise InputError(
            f"{what}: {str(raw)[:40]!r} is not between {sense.low:g} and {sense.high:g}; "
            f"write for example {sense.example}"
        )
    return value


def _message(source: str, faults: list[str]) -> str:
    shown = "; ".join(faults[:MOST_SHOWN])
    more = len(faults) - MOST_SHOWN
    rest = f"; and {more} more" if more > 0 else ""
    count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
    return f"{source}: {count}, nothing was used: {shown}{rest}"
