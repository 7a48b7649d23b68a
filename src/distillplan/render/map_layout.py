"""How the cells of a sweep lie on maps: which axis runs along which side, with which ticks."""

import math
from collections.abc import Sequence

from distillplan.named_tuples import NamedTuple
from distillplan.render.blocks import MapAxis
from distillplan.render.map_lines import margin_of
from distillplan.scenarios import key_table
from distillplan.scenarios.axes import FLOPS, Axis
from distillplan.scenarios.grid import CellGrid
from distillplan.units.quantities import format_count, format_flops

MOST_CELLS = 5_000
"""Of all maps of a sweep, which are in memory together."""
MOST_MAPS = 12
"""Of a sweep with further axes."""
EXAMPLE = "--compute 1e19:1e23:9 --student 300M,1B,3B"
_OR = "or write -o csv"
"""What helps a sweep that is too large for maps."""


class Side(NamedTuple):
    """An axis along a side of the maps."""

    place: int
    """Its index among the axes of the sweep."""
    axis: MapAxis
    """Its values in ascending order."""
    points: tuple[int, ...]
    """Index of a point of the axis for each of them."""
    name: str
    """The axis without its unit."""
    unit: str

    def value(self, tick: int) -> str:
        """One of its values where a sentence first names it."""
        words = self.axis.ticks[tick]
        return f"{words} {self.unit}" if self.unit else f"{self.name} {words}"


class SweepMaps(NamedTuple):
    """How a sweep lies on maps: the longer side along the width."""

    grid: CellGrid
    up: Side
    across: Side

    @property
    def others(self) -> tuple[int, ...]:
        """Indices of the axes that have a map for each of their values."""
        return tuple(
            place
            for place, axis in enumerate(self.grid.axes)
            if place not in (self.up.place, self.across.place) and len(axis.points) > 1
        )

    @property
    def maps(self) -> int:
        """Number of maps."""
        axes = (len(self.grid.axes[place].points) for place in self.others)
        return len(self.grid.scenarios) * math.prod(axes)

    def misfit(self, width: int) -> str:
        """Why the maps cannot be shown at a width, and what to do; empty where they can."""
        room, points = width - margin_of(self.up.axis.ticks), len(self.across.points)
        if points > room:
            return (
                f"{points} values of {self.across.name} do not fit into {width} columns; "
                f"take at most {max(room, 0)}, {_OR}"
            )
        for many, most, what in (
            (self.maps, MOST_MAPS, "maps"),
            (self.grid.size, MOST_CELLS, "cells of maps"),
        ):
            if many > most:
                return f"{many} {what} are too many; the most is {most}: take fewer values, {_OR}"
        return ""

    @property
    def fixed(self) -> str:
        """The axes with one value, in words."""
        return ", ".join(
            f"{axis_name(axis)} {value_of(axis, 0)}"
            for axis in self.grid.axes
            if len(axis.points) == 1
        )


def maps_of(grid: CellGrid) -> SweepMaps | None:
    """How a sweep lies on maps; None where it has no two axes of at least two numbers."""
    sides = [
        _side(place, axis, grid)
        for place, axis in enumerate(grid.axes)
        if len(set(axis.numbers)) > 1
    ]
    if len(sides) < 2:
        return None
    across, up, *_ = sorted(sides, key=lambda side: -len(side.points))  # of equals the first
    return SweepMaps(grid=grid, up=up, across=across)


def no_maps(grid: CellGrid) -> str:
    """What to say to somebody who asked for a map where there can be none."""
    found = [axis_name(axis) for axis in grid.axes if len(set(axis.numbers)) > 1]
    there = f"there is only one, {found[0]}" if found else "there is none"
    return f"a map needs two axes of at least two numbers each, and {there}; write e.g. {EXAMPLE}"


def _side(place: int, axis: Axis, grid: CellGrid) -> Side:
    """An axis with its values in ascending order, each once."""
    first = {number: index for index, number in reversed(list(enumerate(axis.numbers)))}
    numbers, unit = sorted(first), _unit(axis, grid)
    ticks = _ticks(numbers, in_flops=unit == FLOPS)
    return Side(
        place=place,
        axis=MapAxis(name=_titled(axis_name(axis), unit), ticks=ticks),
        points=tuple(first[number] for number in numbers),
        name=axis_name(axis),
        unit=unit,
    )


def axis_name(axis: Axis) -> str:
    """What an axis is called on a map, such as `student`."""
    key = key_table.TABLE.keys[axis.key]
    return key.short.replace("_", " ").replace(".", " ")


def _unit(axis: Axis, grid: CellGrid) -> str:
    """What the numbers of an axis count; a loss is in nats unless somebody says otherwise."""
    unit = "teacher.unit"
    said = any(unit in values for _, values in grid.scenarios)
    said = said or any(unit in one.places for one in grid.axes)
    if axis.places == {"teacher.loss"} and not axis.unit and not said:
        return "nats"
    return axis.unit


def _titled(name: str, unit: str) -> str:
    """A name with its unit, where it does not say it itself."""
    plain = unit.lower().replace("-", " ")
    if plain == name:
        return unit
    return f"{name} ({unit})" if plain not in name else name


def _ticks(numbers: Sequence[float], *, in_flops: bool) -> tuple[str, ...]:
    """Numbers as short as they are different."""
    write = format_flops if in_flops else format_count
    for digits in range(3, 8):
        ticks = tuple(_short(write(number, digits)) for number in numbers)
        if len(set(ticks)) == len(ticks):
            break
    return ticks


def _short(text: str) -> str:
    """A number without zeros that say nothing.

    >>> _short("1.00e21"), _short("1.50B"), _short("10B"), _short("3.0")
    ('1e21', '1.5B', '10B', '3')
    """
    digits = text.rstrip("kMBT") if "e" not in text else text.partition("e")[0]
    rest = text[len(digits) :]
    return f"{digits.rstrip('0').rstrip('.') if '.' in digits else digits}{rest}"


def value_of(axis: Axis, point: int) -> str:
    """One value of an axis that is not along a side."""
    if not axis.numbers:
        return str(axis.points[point].label)
    return _ticks(axis.numbers, in_flops=axis.unit == FLOPS)[point]
