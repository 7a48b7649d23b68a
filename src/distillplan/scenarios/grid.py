"""The scenarios of a file times the product of its axes."""

import math
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

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

    def cells(self) -> Iterator[tuple[dict[str, Any], Scenario]]:
        """The coordinates and the scenario of each cell, the last axis fastest.

        Raises:
            InputError: when the values of a cell contradict each other.
        """
        for name, values in self.scenarios:
            for cell in self.product(name, values):
                yield cell.at, scenario_of(cell.values)

    def product(self, name: str, values: Values) -> Iterator[GridCell]:
        """The cells of one scenario, the last axis fastest."""
        at: dict[str, Any] = {"scenario": name} if self.named else {}
        if not self.axes:
            yield GridCell(at, values)
        yield from _along(self.axes, at, values)


def _along(
    axes: tuple[Axis, ...], at: dict[str, Any], values: Mapping[str, Any]
) -> Iterator[GridCell]:
    """The cells of some axes, at a place on those before them, whose values they share."""
    for axis in axes[:1]:
        for point in axis.points:
            there, found = {**at, axis.key: point.label}, point.layer.over(values)
            if axes[1:]:
                yield from _along(axes[1:], there, found)
            else:
                yield GridCell(there, found)
