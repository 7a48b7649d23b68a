"""Numbers as files and options have them: from what was written, and the word to name in an error.

Each reader takes an example of what would have been right as well.
"""

import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from distillplan.errors import InputError, Word
from distillplan.laws.loss_units import LossUnit, parse_loss_unit, to_nats_per_token
from distillplan.models.model_sizes import check_least, parse_tokens
from distillplan.units.numerals import positive, shown, split_number
from distillplan.units.quantities import MULTIPLIERS, parse_count, refuse_grouped
from distillplan.units.times import TIMES, parse_hours

_RATE = rf"(?i)(?P<tokens>.*?)\s*(?:/|\bper\b|\ban?\b)\s*(?P<time>{TIMES})\s*"
"""Regular expression of tokens in a time."""


def scalar(value: Any, word: str, example: str) -> str | float:
    """A text or a number.

    Raises:
        InputError: for anything else that a file may have there.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        kinds = {bool: "true or false", dict: "a mapping", list: "a list"}
        kind = kinds.get(type(value), "nothing")
        raise InputError(f"{word}: expected a number, got {kind}; write for example {example}")
    return value


def counted(
    value: Any, word: str, example: str, parse: Callable[..., float] = parse_count
) -> float:
    """A number as a parser reads it.

    Raises:
        InputError: when it is none.
    """
    return parse(scalar(value, word, example), word, example)


def many(value: Any, word: str, example: str, least: float = 0.0, noun: str = "") -> float:
    """A number of things, of which a point before three digits may separate thousands.

    Args:
        value: as written.
        word: that starts an error.
        example: what would be right.
        least: there can be.
        noun: of several, which may stand behind the number.

    Raises:
        InputError: when it is none, may be a thousand times as many, or is below the bound.
    """
    refuse_grouped(value, word)
    found = parse_count(scalar(value, word, example), word, example, noun)
    return check_least(found, word, least, noun)


def zero_or_counted(value: Any, word: str, example: str, noun: str = "") -> float:
    """A number, zero or more.

    Raises:
        InputError: when it is none.
    """
    given = scalar(value, word, example)
    zero = given == 0 or (
        isinstance(given, str) and re.fullmatch(r"0+(\.0*)?", given.strip()) is not None
    )
    return 0.0 if zero else parse_count(given, word, example, noun)


def lost(value: Any, word: str, example: str, unit_key: str = "") -> float:
    """A loss, in nats per token or in the unit of another key.

    Args:
        value: as written.
        word: that starts an error.
        example: what would be right.
        unit_key: the key that has its unit; empty where it is in nats per token.

    Raises:
        InputError: when it is none, or has a unit that is said elsewhere.
    """
    given = scalar(value, word, example)
    if isinstance(given, str):
        number, said = split_number(given, word, example)
        unit = None if said.lower() in MULTIPLIERS else _loss_unit(said)
        if unit is not None and unit_key:
            told = (f"; write {number:g} and ", Word(unit_key, unit.value))
            raise InputError(f"{word}: {shown(given)} has its unit", *told)
        if unit not in (None, LossUnit.NATS):
            per = 1.0 if unit is LossUnit.BITS_PER_BYTE else None
            nats = to_nats_per_token(number, unit, bytes_per_token=per, what=word)
            right = f"{nats:.4g}{' times the bytes per token' if per else ''}"
            wrong = f"{word}: {shown(given)} is in {unit}"
            raise InputError(f"{wrong}; write it in nats per token: {right}")
        if unit is not None:
            return positive(number, given, word, example)
    return parse_count(given, word, example)


def _loss_unit(text: str) -> LossUnit | None:
    with suppress(InputError):
        return parse_loss_unit(text)
    return None


def tokens_per_day(value: Any, word: str, example: str) -> float:
    """Tokens a day, or of another time with its name: ``1B``, ``1B/day``, ``7B a week``.

    Raises:
        InputError: when it is none, or of a month, which has no fixed length.
    """
    given = scalar(value, word, example)
    of = re.fullmatch(_RATE, given) if isinstance(given, str) else None
    if of is None:
        return parse_tokens(given, word, example)
    days = parse_hours(f"1 {of['time']}", word) / 24
    return parse_tokens(parse_count(of["tokens"], word, example, "tokens") / days, word, example)


def days_of(value: Any, word: str, example: str) -> float:
    """Days, or another time with its unit: ``180``, ``26 weeks``, ``2 years``.

    Raises:
        InputError: when it is none, or in months, which have no fixed length.
    """
    given = scalar(value, word, example)
    if isinstance(given, str) and re.search(rf"(?i)\d\s*{TIMES}\s*$", given):
        return parse_hours(given, word) / 24
    return many(value, word, example, 0.0, "days")


def shared(value: Any, word: str, example: str, least: float | None = None) -> float:
    """A share, at most 1, such as 0.4 or 40%; above 0 unless that is given as the least.

    Raises:
        InputError: when it is none.
    """
    given, in_all = scalar(value, word, example), 1
    if isinstance(given, str) and given.rstrip().endswith("%"):
        given, in_all = given.rstrip().removesuffix("%"), 100
    read = parse_count if least is None else zero_or_counted
    found = read(given, word, example) / in_all
    if found > 1:
        meant = f"; did you mean {found:g}%?" if 2 <= found <= 100 else ""
        raise InputError(f"{word}: {value} is above 1{meant}")
    return found


def whole_number(value: Any, word: str, example: str, least: float = 1, noun: str = "") -> int:
    """A positive whole number; as for `many`.

    Raises:
        InputError: when it is none.
    """
    number = many(value, word, example, 0.0, noun)
    if number != int(number):
        raise InputError(f"{word}: {value} is not a whole number")
    return int(check_least(number, word, least, noun))
