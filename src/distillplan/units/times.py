"""Lengths of time as people write them."""

from typing import Final

from distillplan.errors import InputError
from distillplan.units.numerals import positive, shown, split_number
from distillplan.units.quantities import (
    MULTIPLIERS,
    any_of,
    parse_count,
    plain_count,
    refuse_grouped,
)

MONTH: Final = "month"
"""A time of no fixed length."""
DAYS_PER_MONTH: Final = 30
"""Of a month in a proposal of what to write instead."""
HOURS: Final = {"h": 1.0, "hr": 1.0, "hour": 1.0, "d": 24.0, "day": 24.0, "week": 168.0} | {
    "wk": 168.0,
    "w": 168.0,
    "min": 1 / 60,
    "minute": 1 / 60,
    "sec": 1 / 3600,
    "second": 1 / 3600,
    "fortnight": 336.0,
    "year": 8760.0,
    "yr": 8760.0,
    "y": 8760.0,
}
"""Hours in a unit of time."""
TIMES: Final = rf"(?:(?:{any_of([*HOURS, MONTH])})s?|s)"
"""Regular expression of a unit of time behind a number, in any case; the last is of seconds."""


def parse_hours(text: str | float, what: str = "time") -> float:
    """A time in hours, with its unit; what is no text is hours.

    Raises:
        InputError: when it is not a positive finite time, or has no unit.

    >>> parse_hours("7 days"), parse_hours("36h"), parse_hours(12), parse_hours("10k hours")
    (168.0, 36.0, 12.0, 10000.0)
    >>> parse_hours("604800s"), parse_hours("90 sec")
    (168.0, 0.025)
    """
    example = "'7 days'"
    if not isinstance(text, str):
        return parse_count(text, what, example)
    value, unit = split_number(text, what, example)
    refuse_grouped(text, what)
    unit = unit.lower()
    many, _, noun = unit.partition(" ")
    if noun and many in MULTIPLIERS:  # 10k hours
        value, unit = value * MULTIPLIERS[many], noun
    unit = "sec" if unit == "s" else unit.removesuffix("s")
    if unit == MONTH:
        days = plain_count(value * DAYS_PER_MONTH)
        raise InputError(
            f"{what}: {shown(text)} counts in months, of 28 to 31 days; write it in days: "
            f"'{days} days'"
        )
    if not unit:
        number = text.strip()
        raise InputError(
            f"{what}: {shown(text)} does not say {number} of what; write e.g. '{number} days' or "
            f"'{number} hours'"
        )
    if unit not in HOURS:
        raise InputError(f"{what}: {shown(text)} is not a time; write e.g. {example}")
    return positive(float(f"{value * HOURS[unit]:.15g}"), text, what, example)
