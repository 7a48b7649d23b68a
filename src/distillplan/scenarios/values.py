"""From what people write as the value of a word of a scenario to what it means.

Each takes the value, as a file or an option has it, and the word, and raises InputError where it
is none.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from distillplan.errors import InputError
from distillplan.laws import law_catalog
from distillplan.laws.loss_units import LossUnit, parse_loss_unit
from distillplan.units import Budget, parse_budget, parse_bytes, parse_count, parse_hours


def count(value: Any, key: str) -> float:
    """A positive number."""
    return parse_count(_scalar(value, key, "7B"), key)


def budget(value: Any, key: str) -> Budget:
    """FLOPs, GPUs for a time, GPU-hours or dollars."""
    return value if isinstance(value, Budget) else parse_budget(_scalar(value, key, "1e21"))


def gpu_hours(value: Any, key: str) -> Budget:
    """A budget in GPU-hours."""
    return Budget(gpu_hours=count(value, key))


class InBits(NamedTuple):
    """A loss in bits per byte, whose unit is in its key."""

    value: float


def bits_per_byte(value: Any, key: str) -> InBits:
    """A loss in bits per byte."""
    return InBits(count(value, key))


def loss_unit(value: Any, key: str) -> LossUnit:
    """The unit of a loss."""
    return parse_loss_unit(text(value, key))


def hours(value: Any, key: str) -> float:
    """A length of time, in hours."""
    return parse_hours(_scalar(value, key, "'7 days'"), key)


def usd(value: Any, key: str) -> float:
    """Dollars, with or without their sign."""
    scalar = _scalar(value, key, "$20k")
    return parse_count(
        scalar.strip().lstrip("$") if isinstance(scalar, str) else scalar, key, "$20k"
    )


def memory(value: Any, key: str) -> float:
    """A number of bytes."""
    return parse_bytes(_scalar(value, key, "80GB"), key)


def text(value: Any, key: str) -> str:
    """A name."""
    if not isinstance(value, str):
        raise InputError(f"{key}: {str(value)[:40]!r} stands where a name belongs")
    return value


def zero_or_count(value: Any, key: str) -> float:
    """A number, zero or more."""
    scalar = _scalar(value, key, "0.01")
    zero = scalar == 0 or (isinstance(scalar, str) and scalar.strip() in ("0", "0.0"))
    return 0.0 if zero else parse_count(scalar, key, "0.01")


def whole(value: Any, key: str) -> int:
    """A whole number."""
    number = parse_count(_scalar(value, key, "8"), key, "8")
    if number != int(number):
        raise InputError(f"{key}: {value} is not a whole number")
    return int(number)


def _scalar(value: Any, key: str, example: str) -> str | float:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        kinds = {bool: "true or false", dict: "a mapping", list: "a list"}
        kind = kinds.get(type(value), "nothing")
        raise InputError(
            f"{key}: {kind} stands where a number belongs; write for example {example}"
        )
    return value


def law(value: Any, key: str) -> Any:
    """A law by its name or file."""
    if not isinstance(value, str):
        raise InputError(f"{key}: {value!r} is not the name of a law")
    return law_catalog.law(value)


def one_of(kind: Any) -> Callable[[Any, str], Any]:
    """A parser of the words of an enumeration."""

    def parse(value: Any, key: str) -> Any:
        try:
            return kind(value)
        except ValueError:
            known = ", ".join(kind)
            raise InputError(f"{key}: {str(value)[:40]!r} is none of {known}") from None

    return parse


def pair(value: Any, key: str) -> tuple[float, float]:
    """The least and the largest of a size."""
    if not (isinstance(value, list) and len(value) == 2):
        raise InputError(f"{key}: not a pair [least, largest]; write for example [1M, 70B]")
    return count(value[0], key), count(value[1], key)
