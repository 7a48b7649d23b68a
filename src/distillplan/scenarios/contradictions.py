"""What contradicts itself in the scenarios of a file: found in every cell, each reported once."""

from collections.abc import Container, Iterator, Mapping
from typing import Any

from distillplan.errors import InputError
from distillplan.named_tuples import NamedTuple
from distillplan.planning.scenario import Scenario
from distillplan.questions.assertions import Assertion, unanswerable
from distillplan.scenarios.faults import Faults
from distillplan.scenarios.grid import CellGrid, GridCell
from distillplan.scenarios.key_table import TABLE
from distillplan.scenarios.keys import make
from distillplan.scenarios.layers import Layer, roots
from distillplan.scenarios.parts import Matrix, Part
from distillplan.units.quantities import plain_count

MOST_FAULTY_CELLS = 1_000
"""Most faulty cells looked at per scenario; more would hardly differ."""


class ScenarioFile(NamedTuple):
    """A file with the command line on top, as far as it could be read."""

    below: Part
    """The base of the file that it extends."""
    base: Part
    parts: Mapping[str, Part]
    """Its scenarios; the base alone where there are none."""
    axes: Matrix
    over: Layer
    """What the command line says."""
    grid: CellGrid

    def unread(self, part: Part) -> frozenset[str]:
        """Beginnings of places that a scenario has words of that could not be read."""
        layers = (self.below.layer, self.base.layer, part.layer, self.over)
        return self.axes.unread.union(*(layer.unread for layer in layers))

    def assertions(self, part: Part) -> tuple[Assertion, ...]:
        """The demands on a scenario, its own before those of all."""
        return part.demands.over(self.base.demands.over(self.below.demands)).all


def sound_cells(
    file: ScenarioFile, faults: Faults, wanted: range | None = None, *, asserted: bool = True
) -> Iterator[tuple[str, GridCell, Scenario]]:
    """The cells without contradictions, with the names of their scenarios.

    Args:
        file: what was read.
        faults: grows by the contradictions of the others, each reported once, and by assertions
            about what no plan of a scenario can have.
        wanted: numbers of the cells to look at, from 0; None for all.
        asserted: whether the assertions are looked at.
    """
    told = _Told(file, faults)
    for name, values, within in file.grid.by_scenario(wanted):
        part = file.parts[name]
        unread, faulty = file.unread(part), 0
        demands = file.assertions(part) if asserted else ()
        for cell in file.grid.product(name, values, within):
            made = make(cell.values, unread)
            if made.scenario is not None:
                for one, error in unanswerable(demands, made.scenario):
                    told.add_demand(part, one.key, error)
                yield name, cell, made.scenario
            faulty += bool(made.found)
            for error in made.found:
                told.add(part, cell, error)
            if faulty > MOST_FAULTY_CELLS or faults.many:
                break
    told.tell_shared()


class _Shared(NamedTuple):
    """A contradiction in which no word of a single scenario has a part."""

    error: InputError
    at: str
    where: str
    """The part of the file that it is in."""
    line: int
    scenarios: list[str]


class _Told:
    """Contradictions on their way to the faults."""

    def __init__(self, file: ScenarioFile, faults: Faults) -> None:
        self.file, self.faults = file, faults
        self.own = set[tuple[str, str]]()
        self.shared: dict[str, _Shared] = {}

    def add(self, part: Part, cell: GridCell, error: InputError) -> None:
        """Take one in: at once where a word of the scenario has a part in it."""
        involved = {root for word in error.about for root in roots((word,))}
        at = "".join(f"{one}: " for one in coordinates(self.file.grid, cell, involved))
        text = at + str(error)
        own = line_about(error, part.lines)
        if own is not None and self.file.grid.named:
            if (part.name, text) not in self.own:
                self.own.add((part.name, text))
                where = f"scenario {part.name}: {at}"
                key = next(iter(error.about), None)
                self.faults.add(own, where, *error.parts, scenario=part.name, key=key)
            return
        if text not in self.shared:
            where, line = self._place(part, error)
            self.shared[text] = _Shared(error=error, at=at, where=where, line=line, scenarios=[])
        names = self.shared[text].scenarios
        if part.name not in names:
            names.append(part.name)

    def add_demand(self, part: Part, key: str, error: InputError) -> None:
        """Take in an assertion about what no plan of a scenario can have, by its key."""
        own = key in part.demand_lines
        line = (part if own else self.file.base).demand_lines.get(key, part.line)
        where = f"scenario {part.name}" if own else "base"
        new = _Shared(error=error, at="", where=where, line=line, scenarios=[])
        names = self.shared.setdefault(f"{line}: {error}", new).scenarios
        if part.name not in names:
            names.append(part.name)

    def _place(self, part: Part, error: InputError) -> tuple[str, int]:
        """The part of the file, and the line, of what scenarios share."""
        file = self.file
        in_matrix = line_about(error, file.axes.lines)
        if in_matrix is not None:
            return "matrix", in_matrix
        if line_about(error, dict.fromkeys(file.over.words, 0)) is not None:
            return "", 0
        in_base = line_about(error, file.base.lines)
        return "base", in_base or file.base.line or part.line

    def tell_shared(self) -> None:
        """Report what scenarios share, once for all of them."""
        for one in self.shared.values():
            where = one.where
            if len(one.scenarios) < len(self.file.parts):
                several = "s" if len(one.scenarios) > 1 else ""
                where = f"scenario{several} {', '.join(one.scenarios)}"
            if not self.file.grid.source:
                where = ""
            label = f"{where}: " if where else ""
            named = one.scenarios[0] if len(one.scenarios) == 1 else None
            key = next(iter(one.error.about), None)
            self.faults.add(one.line, label + one.at, *one.error.parts, scenario=named, key=key)


def coordinates(grid: CellGrid, cell: GridCell, among: Container[str] | None = None) -> list[str]:
    """Where a cell is on the axes, in words.

    Args:
        grid: that it is of.
        cell: one of its cells.
        among: beginnings of places; axes that set none of them are left out. Empty or None: all.
    """
    return [
        f"{_short(axis.key)} {_shown(cell.at[axis.key])}"
        for axis in grid.axes
        if not among or any(root in among for root in roots((axis.key,)))
    ]


def line_about(error: InputError, lines: Mapping[str, int]) -> int | None:
    """The line of the first key that an error is about; None where none of them is there.

    Args:
        error: with its keys.
        lines: by the keys of the table.
    """
    for word in error.about:
        if word in lines:
            return lines[word]
    for word in error.about:
        for key, line in lines.items():
            if roots((key,)) & roots((word,)):
                return line
    return None


def _short(key: str) -> str:
    known = TABLE.find(key)
    return key if known is None else known.short


def _shown(value: Any) -> str:
    if value is None:
        return "null"
    number = isinstance(value, float | int) and not isinstance(value, bool)
    return plain_count(value) if number else str(value)
