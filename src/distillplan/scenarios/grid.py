"""The scenarios of a file times the product of its axes."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

from distillplan.named_tuples import NamedTuple
from distillplan.planning.scenario import Scenario
from distillplan.scenarios.axes import Axis
from distillplan.scenarios.keys import scenario_of
from distillplan.scenarios.layers import Values


class GridCell(NamedTuple):
    """One cell of a grid."""

    at: dict[str, Any]
    """What distinguishes it, by columns."""
    values: Mapping[str, Any]


class CellGrid(NamedTuple):
    """Scenarios of a file times the product of its axes, built one by one as they are asked for."""

    source: str
    """The file; empty for the command line alone."""
    scenarios: tuple[tuple[str, Values], ...]
    axes: tuple[Axis, ...]
    named: bool
    """Whether the scenarios have names of their own."""
    said: Mapping[str, Values] = {}
    """What no axis takes back, by scenarios: their own values and those of the command line."""
    made: tuple[tuple[dict[str, Any], Scenario], ...] = ()
    """Cells that were made to be checked, one after the other; none where they are many."""
    made_from: int = 0
    """The number of the first of them."""

    @property
    def columns(self) -> tuple[str, ...]:
        """What distinguishes the cells."""
        return (*(("scenario",) if self.named else ()), *(axis.key for axis in self.axes))

    @property
    def size(self) -> int:
        """Number of cells."""
        return len(self.scenarios) * math.prod(len(axis.points) for axis in self.axes)

    @property
    def summary(self) -> str:
        """What it has, in words."""
        count = len(self.scenarios)
        scenarios = "1 scenario" if count == 1 else f"{count} scenarios"
        axes = ", ".join(f"{len(axis.points)} {axis.key}" for axis in self.axes)
        return f"{scenarios}, {self.size} cells ({axes})" if axes else scenarios

    def cells(self, wanted: range | None = None) -> Iterator[tuple[dict[str, Any], Scenario]]:
        """The coordinates and the scenario of each cell, the last axis fastest.

        Args:
            wanted: numbers of cells, from 0; None for all.

        Raises:
            InputError: when the values of a cell contradict each other.
        """
        wanted = range(self.size) if wanted is None else wanted
        first, last = wanted.start - self.made_from, wanted.stop - self.made_from
        if first >= 0 and last <= len(self.made):
            yield from self.made[first:last]
            return
        for name, values, within in self.by_scenario(wanted):
            for cell in self.product(name, values, within):
                yield cell.at, scenario_of(cell.values)

    def by_scenario(self, wanted: range | None = None) -> Iterator[tuple[str, Values, range]]:
        """Each scenario with its values and the numbers of its own cells that are wanted."""
        wanted = range(self.size) if wanted is None else wanted
        each = self.size // max(len(self.scenarios), 1)
        for place, (name, values) in enumerate(self.scenarios):
            within = _within(wanted, place, each)
            if within:
                yield name, values, within

    def product(self, name: str, values: Values, wanted: range) -> Iterator[GridCell]:
        """The cells of one scenario that are wanted, the last axis fastest."""
        at: dict[str, Any] = {"scenario": name} if self.named else {}
        if not self.axes:
            yield GridCell(at, values)
        yield from _along(self.axes, GridCell(at, values), self.said.get(name, {}), wanted)


def _along(
    axes: tuple[Axis, ...], cell: GridCell, said: Values, wanted: range
) -> Iterator[GridCell]:
    """Cells of some axes, at a place on those before them, whose values they share.

    A value that replaces a whole mapping leaves what the scenario, the command line and other axes
    say of it.
    Cells that are not wanted are not counted through, as there may be very many.
    """
    for axis in axes[:1]:
        each = math.prod(len(one.points) for one in axes[1:])
        for place in range(wanted.start // each, -(-wanted.stop // each)):
            label, layer, _ = axis.points[place]
            there = {**cell.at, axis.key: label}
            found = GridCell(there, {**layer.over(cell.values), **said})
            if axes[1:]:
                within = _within(wanted, place, each)
                yield from _along(axes[1:], found, {**said, **layer.values}, within)
            else:
                yield found


def _within(wanted: range, place: int, each: int) -> range:
    """The part of a range that lies in a block of so many, counted from the block's start."""
    first = place * each
    return range(max(wanted.start - first, 0), max(min(wanted.stop - first, each), 0))
