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
        return self._along(self.axes, {"scenario": name} if self.named else {}, values)

    def _along(
        self, axes: tuple[Axis, ...], at: dict[str, Any], values: Mapping[str, Any]
    ) -> Iterator[GridCell]:
        """The cells of the axes from here on, which share the places on those before."""
        if not axes:
            yield GridCell(at, values)
            return
        first, *others = axes
        for point in first.points:
            place = {**at, first.key: point.label}
            yield from self._along(tuple(others), place, point.layer.over(values))
