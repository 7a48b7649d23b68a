"""Numbers as files and options have them: from what was written, and the word to name in an error.

Each reader takes an example of what would have been right as well.
"""

from collections.abc import Callable
from typing import Any

from distillplan.errors import InputError
from distillplan.models.model_sizes import check_least
from distillplan.units.quantities import parse_count, refuse_grouped


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
        noun: of several, where there is such a bound.

    Raises:
        InputError: when it is none, may be a thousand times as many, or is below the bound.
    """
    refuse_grouped(value, word)
    return check_least(counted(value, word, example), word, least, noun)


def zero_or_counted(value: Any, word: str, example: str, noun: str = "") -> float:
    """A number, zero or more.

    Raises:
        InputError: when it is none.
    """
    given = scalar(value, word, example)
    zero = given == 0 or (isinstance(given, str) and given.strip() in ("0", "0.0"))
    return 0.0 if zero else parse_count(given, word, example, noun)


def shared(value: Any, word: str, example: str) -> float:
    """A share, above 0 and at most 1, such as 0.4 or 40%.

    Raises:
        InputError: when it is none.
    """
    given, in_all = scalar(value, word, example), 1
    if isinstance(given, str) and given.rstrip().endswith("%"):
        given, in_all = given.rstrip().removesuffix("%"), 100
    found = parse_count(given, word, example) / in_all
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
