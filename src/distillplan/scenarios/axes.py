"""Axes of a matrix: lists of values, or ranges such as ``1e19:1e24:41``."""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from distillplan.errors import InputError
from distillplan.named_tuples import NamedTuple
from distillplan.planning.budget_text import Budget, parse_budget, parse_compute
from distillplan.scenarios import key_table
from distillplan.scenarios.key import Key
from distillplan.scenarios.layers import STUDENT_PLACES, Fault, Layer, Told, read_layer
from distillplan.scenarios.values import BUDGET, GPU_DAYS, TOKENS, USD, InBits, Value
from distillplan.units.lists import split_list
from distillplan.units.quantities import parse_count, parse_usd
from distillplan.units.times import HOURS

MOST_CELLS = 1_000_000
"""Largest number of cells of a sweep: some minutes."""
MOST_POINTS = 10_000
"""Most values of one axis."""


RANGE_COLONS = 2
"""Of a range such as 1e19:1e24:41."""
FLOPS, HOURS_UNIT, DAYS_UNIT = "FLOPs", "GPU-hours", "GPU-days"
"""Units of a budget in compute."""


class Amount(NamedTuple):
    """A value of an axis as a number, beside which others of its kind can be laid."""

    number: float
    unit: str
    """What it counts; empty where the key says it."""
    machine: str = ""
    """The GPUs that it is a time of, where it names them."""
    in_words: bool = False
    """Whether rows show what was written instead."""


class Point(NamedTuple):
    """One value of an axis."""

    label: Any
    """As the rows of an answer show it: a number, or the words that were written."""
    layer: Layer
    amount: Amount | None
    """None where it is a word, or more than a number."""


class Axis(NamedTuple):
    """One key of scenarios with several values."""

    key: str
    points: tuple[Point, ...]

    @property
    def places(self) -> frozenset[str]:
        """What the axis sets; one place for a student, however it is given."""
        places = {place for point in self.points for place in point.layer.values}
        return frozenset("student_params" if one in STUDENT_PLACES else one for one in places)

    @property
    def numbers(self) -> tuple[float, ...]:
        """The values of the points, in their order; empty where they are not numbers of one kind.

        >>> parse_axis("student", "300M,1B").numbers, parse_axis("teacher", "7B:2T").numbers
        ((300000000.0, 1000000000.0), ())
        """
        amounts = [point.amount for point in self.points if point.amount is not None]
        kinds = {(one.unit, one.machine) for one in amounts}
        alike = len(amounts) == len(self.points) and len(kinds) == 1
        return tuple(one.number for one in amounts) if alike else ()

    @property
    def unit(self) -> str:
        """What `numbers` count; empty where the key says it."""
        amount = self.points[0].amount
        return "" if amount is None else amount.unit


def parse_axis(written: str, values: Any, told: Told = str) -> Axis:
    """An axis from a list, a comma-separated text, or a range ``low:high:count``, log-spaced.

    Args:
        written: the key or an alias of it.
        values: as written.
        told: how a word is named in an error.

    Raises:
        InputError: with each value that the key cannot take.

    >>> [point.label for point in parse_axis("compute", "1e19:1e21:3").points]
    [1e+19, 1e+20, 1e+21]
    >>> [point.label for point in parse_axis("student", "300M,1B").points]
    [300000000.0, 1000000000.0]
    """
    key = key_table.TABLE.find(written)
    name = told(written).strip() or repr(written)
    if isinstance(values, Mapping) and any(isinstance(one, list) for one in values.values()):
        part = next(part for part, one in values.items() if isinstance(one, list))
        raise InputError(f"{name}: a list within a mapping; write the axis {written}.{part}: [...]")
    faults: list[Fault] = []
    points = tuple(
        _point(written, one, faults, told)
        for one in _values(name, None if key is None else key.value, values)
    )
    if faults and isinstance(values, str):
        _refuse_commas(written, values, told)
    if faults:
        first, *others = {str(fault.error): fault.error for fault in faults}.values()
        raise InputError(*first.parts, also=first.also, others=others)
    if not points:
        raise InputError(f"{name}: no values; write for example [300M, 1B] or 1e19:1e24:41")
    return Axis(written if key is None else key.word, points)


def _values(word: str, value: Value | None, values: Any) -> list[Any]:
    if not isinstance(values, str):
        listed = values if isinstance(values, list) else [values]
    elif "," in values:
        listed = split_list(values, word)
        _refuse_decimals(word, value, values)
    elif value is not None and value.is_number and values.count(":") == RANGE_COLONS:
        return _range(word, value, values)
    else:
        ends = values.split(".." if ".." in values else ":")
        if len(ends) == 2 and all(ends) and (value is BUDGET or ".." in values):
            low, high = ends
            raise InputError(
                f"{word}: {values!r} does not say how many values; write e.g. {low}:{high}:5"
            )
        listed = [values.strip()] if values.strip() else []
    if len(listed) > MOST_POINTS:
        raise InputError(f"{word}: {len(listed)} values; the most is {MOST_POINTS}")
    return listed


def _refuse_decimals(word: str, value: Value | None, text: str) -> None:
    """Refuse two whole numbers that may be one, of what has decimals in most cases."""
    ends = re.fullmatch(r"\s*(\d+),(\d+)\s*", text, re.ASCII)
    if ends is not None and value is not None and "." in value.example:
        low, high = ends.groups()
        raise InputError(
            f"{word}: {text!r} may be {low}.{high}, or {low} and {high}; write {low}.{high} or "
            f"{low}.0,{high}.0"
        )


def _refuse_commas(written: str, text: str, told: Told) -> None:
    """Refuse a single value with commas inside, where the values between them are none."""
    if "," not in text:
        return
    faults: list[Fault] = []
    _point(written, text, faults, told)
    if not faults:
        meant = text.replace(",", "")
        raise InputError(f"{told(written)}: commas separate values; write {meant!r}")
    if re.fullmatch(r"\s*\d+,\d+\s*[a-z]*\s*", text, re.ASCII | re.IGNORECASE):
        raise faults[0].error


def _range(word: str, value: Value, text: str) -> list[Any]:
    """So many values from low to high, each the same factor above the one before."""
    *ends, count_text = text.split(":")
    kinds = [_end(one, word, value) for one in ends]
    (low, unit), (high, other) = kinds
    if unit != other:
        raise InputError(f"{word}: {text!r} has two ends of different kinds")
    count = parse_count(count_text, f"{word}: the number of values", "41")
    if count != int(count) or count > MOST_POINTS:
        raise InputError(
            f"{word}: {count_text!r} is not a number of values from 1 to {MOST_POINTS}"
        )
    # by powers, so that whole exponents give the very numbers that people write
    logs = np.linspace(np.log10(low), np.log10(high), int(count))
    found = [float(f"{10**log:.15g}") for log in logs]
    if found:
        found[0], found[-1] = low, high if count > 1 else low
    if unit:
        return [unit.format(f"{one if one < 1 else round(one, 2):.15g}") for one in found]
    return sorted({round(one) for one in found}) if value.is_whole else found


def _end(text: str, word: str, value: Value) -> tuple[float, str]:
    """The number at an end of a range, and how such a number is written where it has a unit."""
    if value is BUDGET:
        budget = parse_budget(text.strip(), word)
        if budget.usd is not None:
            return budget.usd, "${}"
        if budget.gpu_hours is not None and budget.gpu is None:
            return budget.gpu_hours, "{} gpu-hours"
        return parse_compute(text, word), ""
    if value is USD:
        return parse_usd(text, word, value.example), ""
    return parse_count(text, word, value.example), ""


def _point(written: str, value: Any, faults: list[Fault], told: Told) -> Point:
    layer = read_layer([(written, value)], faults, told)
    if isinstance(value, Mapping):
        parts = ", ".join(f"{k} {v}" for k, v in value.items())
        return Point(label=parts, layer=layer, amount=None)
    key, values = key_table.TABLE.find(written), list(layer.values.values())
    if key is None or len(values) != 1:  # it could not be read, or is more than a number
        return Point(label=value, layer=layer, amount=None)
    amount = _amount(key, values[0])
    label = value if amount is None or amount.in_words else amount.number
    return Point(label=label, layer=layer, amount=amount)


def _amount(key: Key, value: Any) -> Amount | None:
    """The value of a key as a number; None where it is none."""
    if isinstance(value, Budget):
        return _of_budget(value, in_days=key.value is GPU_DAYS)
    number = value.value if isinstance(value, InBits) else value
    if isinstance(number, bool) or not isinstance(number, float | int):
        return None
    return Amount(number=number, unit=key.value.unit, in_words=isinstance(value, InBits))


def _of_budget(budget: Budget, *, in_days: bool) -> Amount | None:
    """The number that a budget is, and of what."""
    machine = f"{budget.gpus or ''} {budget.gpu or ''}".strip()
    time, unit = budget.gpu_hours, HOURS_UNIT
    if time is not None and in_days:
        time, unit = float(f"{time / HOURS['day']:.15g}"), DAYS_UNIT
    named = budget.gpu is not None
    for number, of, in_words in (
        (budget.flops, FLOPS, named),
        (time, unit, named),
        (budget.usd, USD.unit, True),
        (budget.tokens, TOKENS.unit, True),
    ):
        if number is not None:
            return Amount(number=number, unit=of, machine=machine, in_words=in_words)
    return None
