"""Scenario files: `base`, `scenarios`, `matrix`, `extends`, `assert`, with all faults at once.

Precedence: command line (``--set``) > scenario > base > the base of the extended file > default.
A value replaces the whole value below it; `teacher`, `bounds` and `architecture` merge key by key.
"""

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from distillplan.errors import InputError
from distillplan.files.tree import Node
from distillplan.planning.scenario import Scenario
from distillplan.questions.assertions import Assertion, parse_assertion
from distillplan.scenarios.axes import MOST_CELLS, Axis, parse_axis
from distillplan.scenarios.keys import Layer, Values, scenario_of
from distillplan.scenarios.parts import (
    Faults,
    Part,
    command_line,
    extended_base,
    file_axes,
    mapping_of,
    read_assertions,
    read_part,
    read_top,
)

MOST_SCENARIOS = 1_000
LONGEST_NAME = 100


class Named(NamedTuple):
    """A scenario of a file."""

    name: str
    scenario: Scenario
    assertions: tuple[Assertion, ...] = ()


class CellGrid(NamedTuple):
    """Scenarios of a file times the product of its axes, built one by one as they are asked for."""

    source: str
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
        """How many cells there are."""
        return len(self.scenarios) * math.prod(len(axis.points) for axis in self.axes)

    @property
    def summary(self) -> str:
        """What there is, in words."""
        count = len(self.scenarios)
        scenarios = "1 scenario" if count == 1 else f"{count} scenarios"
        axes = ", ".join(f"{len(axis.points)} {axis.key}" for axis in self.axes)
        return f"{scenarios}, {self.size} cells ({axes})" if axes else scenarios

    def cells(self) -> Iterator[tuple[dict[str, Any], Scenario]]:
        """The coordinates and the scenario of each cell, the last axis fastest.

        Raises:
            InputError: naming the cell whose values contradict each other.
        """
        for name, values in self.scenarios:
            for points in itertools.product(*(axis.points for axis in self.axes)):
                at: dict[str, Any] = {"scenario": name} if self.named else {}
                cell: Mapping[str, Any] = values
                for axis, point in zip(self.axes, points, strict=True):
                    at[axis.key] = point.label
                    cell = point.layer.over(cell)
                try:
                    yield at, scenario_of(cell)
                except InputError as error:
                    where = ", ".join(f"{key} {value}" for key, value in at.items())
                    raise InputError(f"{self.source}: {where or 'the scenario'}: {error}") from None


def read_scenarios(
    source: str, sets: Sequence[str] = (), asserts: Sequence[str] = ()
) -> tuple[Named, ...]:
    """All scenarios of a file, those of its matrix written out.

    Args:
        source: a path, or ``-`` for standard input.
        sets: ``key=value`` of the command line, above all else.
        asserts: demands that every scenario must meet, beside its own.

    Raises:
        InputError: with every fault of the file.
    """
    grid, parts, faults = _read(source, sets, {})
    demands = {one.key: one for one in map(parse_assertion, asserts)}
    if grid.size > MOST_SCENARIOS:
        raise InputError(
            f"{source}: {grid.size} scenarios are too many to compare; use distillplan sweep"
        )
    found = []
    for name, values in grid.scenarios:
        part = parts[name]
        if not part.sound:
            continue
        for at, scenario in _cells_of(grid, name, values, part, faults):
            label = ", ".join([*([name] if grid.named or not at else []), *at])
            found.append(Named(label, scenario, (*part.assertions.values(), *demands.values())))
    faults.raise_any()
    return tuple(found)


def read_grid(
    source: str, sets: Sequence[str] = (), axes: Mapping[str, str] | None = None
) -> CellGrid:
    """The scenarios and axes of a file, to be swept.

    Args:
        source: a path, ``-`` for standard input, or nothing for no file.
        sets: ``key=value`` of the command line, above all else.
        axes: axes of the command line by key; they take the place of the file's.

    Raises:
        InputError: with every fault of the file.
    """
    grid, parts, faults = _read(source, sets, axes or {})
    if grid.size > MOST_CELLS:
        raise InputError(f"{source or 'sweep'}: {grid.size} cells; the most is {MOST_CELLS}")
    for name, values in grid.scenarios:
        if parts[name].sound:  # contradictions are found before the first row is written
            for _ in _cells_of(grid, name, values, parts[name], faults):
                pass
    faults.raise_any()
    return grid


def axes_of(texts: Sequence[str]) -> dict[str, str]:
    """The axes of ``--axis KEY=VALUES``.

    Raises:
        InputError: when one is not of that form.
    """
    found = {}
    for text in texts:
        key, sign, values = text.partition("=")
        if not sign or not key.strip():
            raise InputError(
                f"--axis {text!r}: not KEY=VALUES; write for example vocab=32000,128000"
            )
        found[key.strip()] = values
    return found


def _cells_of(
    grid: CellGrid, name: str, values: Values, part: Part, faults: Faults
) -> Iterator[tuple[list[str], Scenario]]:
    """The cells of one scenario, each with its place on the axes in words."""
    try:
        for at, scenario in grid._replace(scenarios=((name, values),), named=False).cells():
            yield [f"{key} {_shown(value)}" for key, value in at.items()], scenario
    except InputError as error:
        message = str(error).removeprefix(f"{grid.source}: ").removeprefix("the scenario: ")
        word = message.partition(":")[0].split(" ")[-1]
        faults.add(part.lines.get(word, part.line), f"scenario {name}: {message}")


def _shown(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _read(
    source: str, sets: Sequence[str], axes: Mapping[str, str]
) -> tuple[CellGrid, dict[str, Part], Faults]:
    """A file with the command line on top."""
    faults = Faults(source or "sweep")
    top: dict[str, Node] = {}
    if source:
        top = read_top(source, faults)
    below = extended_base(source, top.get("extends"), faults)
    base = read_part("base", top.get("base"), faults)
    shared = read_assertions("all scenarios", top.get("assert"), faults)
    over = command_line(sets, faults)
    sound = not faults.found
    parts = {}
    for name, node in mapping_of(top.get("scenarios"), "scenarios", faults).items():
        if not (name.isprintable() and 0 < len(name) <= LONGEST_NAME):
            faults.add(
                node.line, f"scenarios: {name[:60]!r} is no name of up to {LONGEST_NAME} letters"
            )
            continue
        parts[name] = read_part(name, node, faults)
    named = bool(parts)
    parts = parts or {"base": base._replace(layer=Layer(), assertions={})}
    before = len(faults.found)
    found = file_axes(top.get("matrix"), parts, faults)
    sound = sound and len(faults.found) == before
    for key, text in axes.items():
        axis = parse_axis(key, text)
        found = [one for one in found if one.key != axis.key] + [axis]
    found = [one for one in found if not (one.places & (over.values.keys() | over.cleared))]
    faults_of_all = not sound or faults.many
    scenarios = []
    for name, part in parts.items():
        if faults_of_all:
            parts[name] = part._replace(sound=False)
            continue
        values: Values = {}
        for layer in (below.layer, base.layer, part.layer, over):
            values = layer.over(values)
        merged = {**below.assertions, **base.assertions, **shared, **part.assertions}
        lines = {**base.lines, **part.lines}
        parts[name] = part._replace(assertions=merged, lines=lines, line=part.line or base.line)
        scenarios.append((name, values))
    return CellGrid(source or "sweep", tuple(scenarios), tuple(found), named), parts, faults
