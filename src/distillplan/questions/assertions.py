"""What a user's pipeline demands of a plan: ``verdict: distill``, ``loss: "<= 2.3"``."""

import math
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from distillplan.accounting import Accounting, Flops
from distillplan.errors import InputError
from distillplan.planning.results import Option, Plan, SearchStatus, Verdict
from distillplan.suggest import nearest
from distillplan.units import parse_count

_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "!=": operator.ne,
    "==": operator.eq,
    "=": operator.eq,
    "<": operator.lt,
    ">": operator.gt,
}
_WORDS: Mapping[str, tuple[str, ...]] = {
    "verdict": tuple(Verdict),
    "status": tuple(SearchStatus),
    "fits": ("yes", "no", "uncertain"),
}
"""Keys whose values are words, and which."""
_NO_NUMBERS = ("method", "accounting", "decides", "status", "flops", "near", "bill", "at_bounds")
BILL = ("gpu_hours", "wall_seconds", "cost_usd", "energy_kwh", "co2_kg", "memory_bytes_per_gpu")
"""Totals of an option's bill; the middle of each range where no end is named."""
NUMBERS = (
    "margin_nats",
    *(name for name in Option._fields if name not in _NO_NUMBERS),
    *(f"flops.{name}" for name in Flops._fields),
    *BILL,
    *(f"{name}.{end}" for name in BILL for end in ("low", "mid", "high")),
)
"""Keys whose values are numbers."""
PARTS = ("supervised", "distill", *Accounting)
"""Options of a plan that a key may name before a dot; without one, what the verdict recommends."""

_EXPRESSION = re.compile(r"\s*([A-Za-z_][\w.]*)\s*(<=|>=|!=|==|=|<|>|:)\s*(.+?)\s*", re.ASCII)
_CONDITION = re.compile(r"\s*(<=|>=|!=|==|=|<|>)?\s*(.+?)\s*", re.ASCII | re.DOTALL)


class Assertion(NamedTuple):
    """One demand."""

    key: str
    operator: str
    wanted: float | str
    text: str
    """As it was written."""


class Outcome(NamedTuple):
    """What became of a demand."""

    assertion: str
    value: float | str | None
    """What the plan has; None where it has no such number."""
    passed: bool


def parse_assertion(text: str) -> Assertion:
    """A demand as written on a command line.

    Raises:
        InputError: when it is none, or its key or value is unknown.

    >>> parse_assertion("loss <= 2.3").wanted, parse_assertion("verdict=distill").wanted
    (2.3, 'distill')
    """
    match = _EXPRESSION.fullmatch(text) if len(text) <= 200 else None
    if match is None:
        raise InputError(
            f"assertion {text[:60]!r}: not KEY, an operator and a value; "
            "write for example 'loss <= 2.3'"
        )
    key, sign, value = match.groups()
    return assertion(key, value if sign == ":" else f"{sign} {value}")


def assertion(key: str, condition: Any) -> Assertion:
    """A demand from a key and its condition, such as ``"<= 2.3"`` or ``distill``.

    Raises:
        InputError: when the key or the value is unknown.
    """
    part, _, name = key.rpartition(".")
    if part and part.split(".")[0] in PARTS:
        part, _, name = key.partition(".")
    else:
        part, name = "", key
    of_the_plan = name in ("verdict", "margin_nats")
    if (name not in _WORDS and name not in NUMBERS) or (part and of_the_plan):
        known = [*_WORDS, *NUMBERS]
        raise InputError(f"assertion: the key {key!r} is unknown; {nearest(key, known)}")
    if name == "fits" and isinstance(condition, bool):  # YAML reads yes and no so
        condition = "yes" if condition else "no"
    if isinstance(condition, bool) or not isinstance(condition, str | int | float):
        raise InputError(f"assertion {key}: not a condition; write for example {key}: '<= 2.3'")
    match = _CONDITION.fullmatch(str(condition)) if len(str(condition)) <= 200 else None
    if match is None:
        raise InputError(f"assertion {key}: not a condition; write for example {key}: '<= 2.3'")
    sign, value = match[1] or "==", match[2]
    text = f"{key} {sign} {value}"
    if name not in _WORDS:
        return Assertion(key, sign, _number(value, key), text)
    if value not in _WORDS[name] or sign not in ("==", "=", "!="):
        known_words = ", ".join(_WORDS[name])
        raise InputError(f"assertion {key}: {condition!r} is none of {known_words}")
    return Assertion(key, sign, value, text)


def check(assertions: Sequence[Assertion], plan: Plan) -> tuple[Outcome, ...]:
    """What becomes of each demand; a number that the plan does not have fails."""
    found = []
    for one in assertions:
        value = _value(plan, one.key)
        passed = value is not None and _holds(value, one.operator, one.wanted)
        found.append(Outcome(one.text, value, passed))
    return tuple(found)


def _holds(value: float | str, sign: str, wanted: float | str) -> bool:
    """Whether a condition holds; numbers that differ by rounding are equal."""
    if not isinstance(value, str) and not isinstance(wanted, str):
        value = wanted if math.isclose(value, wanted, rel_tol=1e-9) else value
    return _OPERATORS[sign](value, wanted)


def _value(plan: Plan, key: str) -> float | str | None:
    part, _, name = key.partition(".")
    if part not in PARTS:
        part, name = "", key
    if name in ("verdict", "margin_nats"):
        return getattr(plan, name)
    value: Any = _option(plan, part)
    first, _, end = name.partition(".")
    if first in BILL or first == "fits":
        value = value and value.bill
        name = name if end or first == "fits" else f"{name}.mid"
    for step in name.split("."):
        value = None if value is None else getattr(value, step)
    return value


def _option(plan: Plan, part: str) -> Option | None:
    if not part:
        return plan.recommended
    if part == "distill":
        return plan.deciding
    accounting = None if part == "supervised" else part
    return next((one for one in plan.options if one.accounting == accounting), None)


def _number(text: str, key: str) -> float:
    """A number with a sign, zero, or a suffix."""
    sign = -1.0 if text.startswith("-") else 1.0
    digits = text.lstrip("+-").removeprefix("$").strip()
    if re.fullmatch(r"0+(\.0*)?|\.0+", digits):
        return 0.0
    return sign * parse_count(digits, f"assertion {key}", "2.3")
