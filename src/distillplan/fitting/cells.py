"""One cell of a table of runs -> a number: suffixes, separators of thousands, decimal commas."""

import math
import re
from collections.abc import Iterable
from typing import Any, Final

from distillplan.errors import InputError
from distillplan.named_tuples import NamedTuple
from distillplan.units.quantities import PARAMS, TOKENS, parse_count


class _Sense(NamedTuple):
    """The numbers that somebody can have meant."""

    low: float
    high: float
    example: str
    noun: str = ""
    """Regular expression of what may stand behind one."""


_SENSES: Final = {
    "params": _Sense(low=1e3, high=1e15, example="1B", noun=PARAMS),
    "tokens": _Sense(low=1e3, high=1e18, example="20B", noun=TOKENS),
    "step": _Sense(low=1.0, high=1e15, example="1000"),
    "part": _Sense(low=0.0, high=1e40, example="1000"),
    "loss": _Sense(low=0.0, high=math.inf, example="2.31"),
    "teacher_loss": _Sense(low=0.0, high=math.inf, example="2.31"),
}
LOSSES: Final = ("loss", "teacher_loss")
"""What is measured in a unit of loss."""

MOST_NATS: Final = 30.0
"""Highest loss in nats per token: a uniform guess over 1e13 tokens has 30."""

_UNKNOWN: Final = {"", "nan", "null", "none", "na", "n/a", "#n/a", "-", "\N{EN DASH}"}
_INFINITE: Final = {"inf", "infinity"}
_SUFFIX: Final = r"((?:[eE][+-]?\d+)?\s*[A-Za-z]*(?: [A-Za-z]+)?)"
_ONE_COMMA: Final = re.compile(rf"(\d+),(\d+){_SUFFIX}", re.ASCII)
_ONE_POINT: Final = re.compile(rf"\d{{1,3}}\.\d{{3}}{_SUFFIX}", re.ASCII)
_POINTS: Final = re.compile(rf"(\d{{1,3}}(?:\.\d{{3}}){{2,}})(?:,(\d+))?{_SUFFIX}", re.ASCII)
_NOTHING: Final = re.compile(r"-?[0.,]+", re.ASCII)
_GROUP: Final = 3
"""Digits between two separators of thousands."""


def is_unknown(cell: Any) -> bool:
    """Whether a cell says that there is no value: empty, NaN, null.

    >>> is_unknown(" "), is_unknown("NaN"), is_unknown(None), is_unknown("2.31")
    (True, True, True, False)
    """
    if isinstance(cell, float):
        return math.isnan(cell)
    return cell is None or (isinstance(cell, str) and cell.strip().lower() in _UNKNOWN)


def is_missing(cell: Any) -> bool:
    """Whether a cell has no finite value: unknown, or infinite as of a diverged run."""
    if isinstance(cell, float):
        return not math.isfinite(cell)
    return is_unknown(cell) or (
        isinstance(cell, str) and cell.strip().lstrip("+-").lower() in _INFINITE
    )


def uses_decimal_commas(cells: Iterable[tuple[str, Any]], *, perplexity: bool = False) -> bool:
    """Whether the numbers of a table have commas before their decimals.

    A comma before three digits may separate thousands in a count and in a perplexity; in another
    loss, and before another number of digits, it can only be a decimal comma.

    Args:
        cells: what each cell is (a key of `NAMES`), and the cell.
        perplexity: whether losses are perplexities.

    >>> uses_decimal_commas([("params", "1,241"), ("loss", "2,31")])
    True
    >>> uses_decimal_commas([("params", "1,241,505,403"), ("loss", "2.31")])
    False
    """
    for name, cell in cells:
        match = _ONE_COMMA.fullmatch(cell.strip()) if isinstance(cell, str) else None
        if match is not None and (
            len(match[2]) != _GROUP or len(match[1]) > _GROUP or (name in LOSSES and not perplexity)
        ):
            return True
    return False


def number_in(cell: Any, name: str, what: str, *, decimal_commas: bool = False) -> float:
    """The number in a cell that is not missing.

    Args:
        cell: a string, or a value of JSON.
        name: what it is, a key of `NAMES`.
        what: the noun that starts an error message.
        decimal_commas: whether the table has commas before decimals.

    Raises:
        InputError: when it is not a number, or not one that somebody can have meant.

    >>> number_in("190M", "params", "line 2, N"), number_in("2,31", "loss", "", decimal_commas=True)
    (190000000.0, 2.31)
    """
    sense = _SENSES[name]
    if isinstance(cell, bool) or not isinstance(cell, (str, int, float)):
        raise InputError(
            f"{what}: {str(cell)[:40]!r} is not a number; write for example {sense.example}"
        )
    text = (
        _with_point(cell.strip(), name, what) if isinstance(cell, str) and decimal_commas else cell
    )
    if name == "teacher_loss" and _NOTHING.fullmatch(str(cell).strip()):
        raise InputError(f"{what}: {cell}; leave it empty for a run without a teacher")
    value = parse_count(text, what, sense.example, sense.noun)
    if not sense.low <= value <= sense.high:
        raise InputError(
            f"{what}: {str(cell)[:40]!r} is not between {sense.low:g} and {sense.high:g}; "
            f"write for example {sense.example}"
        )
    return value


def _with_point(text: str, name: str, what: str) -> str:
    """A number of a table with decimal commas, with a point instead."""
    points = _POINTS.fullmatch(text)
    if points is not None:  # 1.241.505.403,5
        return f"{points[1].replace('.', '')}.{points[2] or 0}{points[3]}"
    comma = _ONE_COMMA.fullmatch(text)
    grouped = comma is not None and len(comma[2]) == _GROUP and len(comma[1]) <= _GROUP
    if name not in LOSSES and (grouped or _ONE_POINT.fullmatch(text) is not None):
        raise InputError(
            f"{what}: {text[:40]!r} has three digits after its separator, in a table with decimal "
            "commas: thousands or decimals? write it without a separator"
        )
    return text if comma is None else f"{comma[1]}.{comma[2]}{comma[3]}"
