"""Axes of a matrix: lists of values, or ranges such as ``1e19:1e24:41``."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from distillplan.errors import InputError
from distillplan.scenarios.keys import ALIASES, KEYS, Fault, Layer, read_layer
from distillplan.scenarios.values import whole
from distillplan.units import Budget, parse_compute, parse_count

MOST_CELLS = 1_000_000
"""Of a whole product: some minutes."""
MOST_POINTS = 10_000
"""Of one axis."""


class Point(NamedTuple):
    """One value of an axis."""

    label: Any
    """As the rows of an answer show it: a number, or the words that were written."""
    layer: Layer


class Axis(NamedTuple):
    """One key of scenarios with several values."""

    key: str
    points: tuple[Point, ...]

    @property
    def places(self) -> frozenset[str]:
        """What the axis sets."""
        return frozenset(place for point in self.points for place in point.layer.values)


def parse_axis(written: str, values: Any) -> Axis:
    """An axis from a list, a comma-separated text, or a range ``low:high:count``, log-spaced.

    Raises:
        InputError: naming the values that the key cannot take.

    >>> [point.label for point in parse_axis("compute", "1e19:1e21:3").points]
    [1e+19, 1e+20, 1e+21]
    >>> [point.label for point in parse_axis("student", "300M,1B").points]
    [300000000.0, 1000000000.0]
    """
    key = ALIASES.get(written, written)
    points = tuple(_point(written, one) for one in _values(written, key, values))
    if not points:
        raise InputError(f"{written}: no values; write for example [300M, 1B] or 1e19:1e24:41")
    return Axis(key, points)


def _values(written: str, key: str, values: Any) -> list[Any]:
    if isinstance(values, str):
        known = KEYS.get(key)
        if known is not None and known.is_number and values.count(":") == 2:
            return _range(written, values, is_whole=known.parse is whole)
        values = [one.strip() for one in values.split(",") if one.strip()]
    values = values if isinstance(values, list) else [values]
    if len(values) > MOST_POINTS:
        raise InputError(f"{written}: {len(values)} values; the most is {MOST_POINTS}")
    return values


def _range(written: str, text: str, *, is_whole: bool) -> list[float]:
    """So many values from low to high, each the same factor above the one before."""
    ends, count_text = text.split(":")[:2], text.split(":")[2]
    parse = parse_compute if written == "compute" else lambda end: parse_count(end, written)
    low, high = (parse(end) for end in ends)
    count = parse_count(count_text, f"{written}: the number of values", "41")
    if count != int(count) or count > MOST_POINTS:
        raise InputError(
            f"{written}: {count_text!r} is not a number of values from 1 to {MOST_POINTS}"
        )
    # by powers, so that whole exponents give the very numbers that people write
    logs = np.linspace(np.log10(low), np.log10(high), int(count))
    found = [float(f"{10**log:.15g}") for log in logs]
    if found:
        found[0], found[-1] = low, high if count > 1 else low
    return sorted({round(one) for one in found}) if is_whole else found


def _point(written: str, value: Any) -> Point:
    faults: list[Fault] = []
    layer = read_layer([(written, value)], faults)
    for _, message in faults:
        raise InputError(message)
    if len(layer.values) == 1 and not isinstance(value, Mapping):
        only = next(iter(layer.values.values()))
        if isinstance(only, Budget) and only.usd is None and only.gpu is None:
            only = only.gpu_hours if only.flops is None else only.flops
        if isinstance(only, float | int):
            return Point(only, layer)
    label = ", ".join(f"{k} {v}" for k, v in value.items()) if isinstance(value, Mapping) else value
    return Point(label, layer)
