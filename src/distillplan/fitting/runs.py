"""Rows of a user's file -> arrays, with all faults in one message. Reads no files."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

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

_SHOWN: Final = 20
_MOST_LOSS: Final = 30.0
"""Nats per token above which a loss is a mistake: a uniform guess over 1e13 tokens has 30."""

_COUNTS: Final = {
    "params": (1e3, 1e15, "1B"),
    "student_params": (1e3, 1e15, "1B"),
    "tokens": (1e3, 1e18, "20B"),
    "student_tokens": (1e3, 1e18, "20B"),
}
"""Range of a count that somebody can have meant, and an example."""


@dataclass(frozen=True, kw_only=True)
class Runs:
    """Validated runs."""

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
    lines: tuple[int, ...]
    """line of each run in the file"""

    def __len__(self) -> int:
        """How many runs."""
        return self.loss.size


def parse_columns(text: str, kind: RunKind) -> dict[str, str]:
    """A mapping like ``student_params=NS,loss=LS``; what it does not name keeps its own name.

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
    """Turn rows of strings or numbers into arrays, or report every fault at once.

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
            value, fault = _value(row.get(column), name)
            values[name].append(value)
            if fault:
                faults.append(f"line {line}, {column}: {fault}")
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
        lines=numbers,
    )


def _demand_columns(
    row: Mapping[str, Any], wanted: Mapping[str, str], kind: RunKind, source: str
) -> None:
    missing = [column for column in wanted.values() if column not in row]
    if missing:
        there = ", ".join(str(name) for name in list(row)[:20])
        raise InputError(
            f"{source}: column {', '.join(missing)} is missing for {kind} runs, the file has "
            f"{there}; rename it or map it, for example --columns {next(iter(wanted))}=NAME"
        )


def _value(raw: Any, name: str) -> tuple[float, str | None]:
    """The number in a field, and what is wrong with it."""
    if raw is None or (isinstance(raw, str) and not raw.strip()):
        return math.nan, f"empty; write for example {_example(name)}"
    if not isinstance(raw, (str, int, float)):
        return math.nan, f"{str(raw)[:40]!r} is not a number; write for example {_example(name)}"
    try:
        value = parse_count(raw, "", _example(name))  # the line already has the noun
    except InputError as error:
        return math.nan, str(error)
    if name in _COUNTS:
        low, high, example = _COUNTS[name]
        if not low <= value <= high:
            return value, (
                f"{str(raw)[:40]!r} is not between {low:g} and {high:g}; "
                f"write a count, for example {example}"
            )
    elif value > _MOST_LOSS:
        return value, (
            f"{str(raw)[:40]!r} is above {_MOST_LOSS:g}, no loss in nats per token; "
            "write for example 2.31"
        )
    return value, None


def _example(name: str) -> str:
    return _COUNTS[name][2] if name in _COUNTS else "2.31"


def _message(source: str, faults: list[str]) -> str:
    shown = "; ".join(faults[:_SHOWN])
    more = len(faults) - _SHOWN
    rest = f"; and {more} more" if more > 0 else ""
    count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
    return f"{source}: {count}, nothing was used: {shown}{rest}"
