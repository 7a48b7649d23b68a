"""Lengths of time as people write them."""

import re
from typing import Final

from distillplan.errors import InputError
from distillplan.units.numerals import MOST_LETTERS, NUMBER, plain, positive, shown, split_number
from distillplan.units.quantities import (
    MANY,
    MULTIPLIERS,
    any_of,
    parse_count,
    plain_count,
    refuse_grouped,
)

_EXAMPLE: Final = "'7 days'"
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
_WITHIN: Final = r"(?i)^\s*(?:in|within)\s+(?=\S)"
_HALF: Final = r"half an?\s+"
_CLOCK: Final = r"(?:(\d+)-)?(\d+):([0-5]\d):([0-5]\d)"
"""A time limit as Slurm writes it: hours, minutes and seconds, with days before them."""
_CLOCK_ALONE: Final = r"(?:\d+-)?\d+:[0-5]\d:[0-5]\d"
_PART: Final = rf"{MANY}\s*-?\s*{TIMES}"
_PARTS: Final = rf"{_PART}(?:\s*,?\s*(?:and\s+)?{NUMBER}\s*-?\s*{TIMES}(?![a-z-]))*"
LENGTH: Final = rf"(?:{_PARTS}|{_HALF}{TIMES}|{_CLOCK_ALONE})"
"""Regular expression of a length of time, in any case, without groups."""
_POINT: Final = (
    r"(?ia)(?:.*\b)?(?:\d{4}-\d\d?-\d\d?|\d\d?([./])\d\d?\1(?:\d\d){0,2}|by|until|before|noon|"
    r"midnight|tonight|to(?:day|morrow)|(?:end|middle|beginning) of|(?:mon|tues|wednes|thurs|fri|"
    r"satur|sun)day|jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|"
    r"sep(?:t(?:ember)?)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?|q[1-4])\b.*"
)
"""A day or an hour, which is no length of time."""


def parse_hours(text: str | float, what: str = "time") -> float:
    """A time in hours, with its unit; what is no text is hours.

    Raises:
        InputError: when it is not a positive finite time, or has no unit.

    >>> parse_hours("7 days"), parse_hours("36h"), parse_hours(12), parse_hours("10k hours")
    (168.0, 36.0, 12.0, 10000.0)
    >>> parse_hours("604800s"), parse_hours("90 sec"), parse_hours("2-12:00:00")
    (168.0, 0.025, 60.0)
    >>> parse_hours("2 days 12 hours"), parse_hours("1d12h"), parse_hours("half a day")
    (60.0, 36.0, 12.0)
    """
    if not isinstance(text, str):
        return parse_count(text, what, _EXAMPLE)
    if len(text) > MOST_LETTERS:
        return _hours(text, what)
    length = re.sub(rf"(?i)^\s*{_HALF}", "0.5 ", re.sub(_WITHIN, "", plain(text))).strip()
    clock = re.fullmatch(rf"(?a){_CLOCK}", length)
    if clock is not None:
        days, hours, minutes, seconds = (float(part or 0) for part in clock.groups())
        value = days * 24 + hours + minutes / 60 + seconds / 3600
        return positive(value, text, what, _EXAMPLE)
    if re.fullmatch(rf"(?ia){_PARTS}", length) is not None:
        return sum(_hours(part, what) for part in re.findall(rf"(?ia){_PART}", length))
    if re.fullmatch(_POINT, length) is not None:
        told = "is a point in time; write how long there is until then, e.g."
        raise InputError(f"{what}: {shown(text)} {told} {_EXAMPLE}")
    return _hours(length, what)


def _hours(text: str, what: str) -> float:
    """The hours of one number with its unit."""
    value, unit = split_number(text, what, _EXAMPLE)
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
        raise InputError(f"{what}: {shown(text)} is not a time; write e.g. {_EXAMPLE}")
    return positive(float(f"{value * HOURS[unit]:.15g}"), text, what, _EXAMPLE)
