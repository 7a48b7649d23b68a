"""Scenario files: `base`, `scenarios`, `matrix`, `extends`, `assert`, with all faults at once.

Precedence: command line (``--set``) > scenario > base > the base of the extended file > default.
A value replaces the whole value below it; mappings such as `teacher` merge key by key.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from os import PathLike, fspath
from pathlib import Path
from typing import NamedTuple

from distillplan.errors import InputError
from distillplan.files.tree import Node
from distillplan.planning.scenario import Scenario
from distillplan.planning.start import refuse_start
from distillplan.questions.assertions import Assertion, parse_assertion
from distillplan.scenarios.axes import MOST_CELLS
from distillplan.scenarios.contradictions import ScenarioFile, coordinates, sound_cells
from distillplan.scenarios.demands import Demands, demand_lines, read_demands
from distillplan.scenarios.faults import Faults
from distillplan.scenarios.grid import CellGrid
from distillplan.scenarios.layers import Layer, Values
from distillplan.scenarios.parts import (
    Part,
    command_line,
    extended_base,
    mapping_of,
    read_axes,
    read_part,
    read_top,
)
from distillplan.scenarios.shards import WHOLE, Shard

MOST_SCENARIOS = 1_000
MOST_MADE = 50_000
"""Cells that are kept from their check to their answer, at about 1 kB each."""
LONGEST_NAME = 100


class Named(NamedTuple):
    """A scenario of a file."""

    name: str
    scenario: Scenario
    assertions: tuple[Assertion, ...] = ()


def read_scenarios(
    source: str | PathLike[str], sets: Iterable[str] = (), asserts: Iterable[str] = ()
) -> tuple[Named, ...]:
    """All scenarios of a file, those of its matrix written out.

    Args:
        source: a path, or ``-`` for standard input.
        sets: ``key=value`` of the command line, which take precedence over the file.
        asserts: assertions on every scenario, besides its own.

    Raises:
        InputError: with every fault of the file.
    """
    source = fspath(source)
    faults = Faults(source)
    file = _read(source, list(sets), {}, faults)
    demands = _demands(list(asserts), faults)
    grid = file.grid
    if grid.size > MOST_SCENARIOS:
        faults.add(
            0, f"{source}: {grid.size} scenarios are too many to compare; use distillplan sweep"
        )
        faults.raise_any()
    found = []
    for name, cell, scenario in sound_cells(file, faults):
        at = coordinates(grid, cell)
        label = ", ".join([*([name] if grid.named or not at else []), *at])
        merged = {one.key: one for one in file.assertions(file.parts[name])} | demands
        found.append(Named(name=label, scenario=scenario, assertions=tuple(merged.values())))
    faults.raise_any()
    return tuple(found)


def read_several(
    sources: Sequence[str], sets: Sequence[str] = (), asserts: Sequence[str] = ()
) -> tuple[Named, ...]:
    """The scenarios of several files, named by their files where there are several.

    Args:
        sources: paths, of which one may be ``-`` for standard input.
        sets: as for `read_scenarios`.
        asserts: the same.

    Raises:
        InputError: with every fault of the first file that has any.
    """
    if len(sources) == 1:
        return read_scenarios(sources[0], sets, asserts)
    files = {source: read_scenarios(source, sets, asserts) for source in dict.fromkeys(sources)}
    stems = [Path(source).stem for source in files]
    found = []
    for source, scenarios in files.items():
        stem = Path(source).stem
        title = stem if stems.count(stem) == 1 else source
        for one in scenarios:
            alone = len(scenarios) == 1 and one.name == "base"
            found.append(one._replace(name=title if alone else f"{title}: {one.name}"))
    return tuple(found)


def _demands(asserts: Sequence[str], faults: Faults) -> dict[str, Assertion]:
    """The demands of ``--assert``, by key."""
    found = {}
    for text in asserts:
        try:
            one = parse_assertion(text)
            found[one.key] = one
        except InputError as error:
            faults.add_error(0, "--assert: ", error)
    return found


def read_grid(
    source: str,
    sets: Sequence[str] = (),
    axes: Mapping[str, str] | None = None,
    told: Callable[[str], str] = str,
    shard: Shard | None = None,
    *,
    weighed: bool = False,
    unchecked: bool = False,
) -> CellGrid:
    """The scenarios and axes of a file, to be swept.

    Args:
        source: a path, ``-`` for standard input, or nothing for no file.
        sets: ``key=value`` of the command line, which take precedence over the file.
        axes: axes of the command line by key; they take the place of the file's.
        told: how an axis of the command line is named in an error.
        shard: the part of the cells that will be asked for, which alone is looked into; None for
            all.
        weighed: whether each cell needs a verdict, which starts from an open model have not.
        unchecked: whether nobody checks assertions, so that a file with some is refused.

    Raises:
        InputError: with every fault of the file.
    """
    faults = Faults(source)
    file = _read(source, sets, axes or {}, faults, told)
    if unchecked and any(map(file.assertions, file.parts.values())):
        faults.add(
            0,
            f"{source}: assert: only distillplan compare, plot compare and report check "
            "assertions; use one of them, or take assert out",
        )
    shard = shard or WHOLE
    cells = len(shard.of(file.grid.size))
    if cells > MOST_CELLS:
        least = shard.shards * -(-cells // MOST_CELLS)
        many = (
            f"{cells} cells are too many; the most is {MOST_CELLS}, so sweep a part at a time, "
            f"e.g. with --shard 1/{least}"
        )
        faults.add(0, f"{source}: {many}" if source else many)
        faults.raise_any()
    # contradictions are found before the first row is written
    wanted, made = shard.solved(file.grid.size), []
    for name, cell, scenario in sound_cells(file, faults, wanted, asserted=not unchecked):
        if len(wanted) <= MOST_MADE:
            made.append((cell.at, scenario))
        try:
            if weighed:
                refuse_start(scenario)
        except InputError as error:
            faults.add_error(0, "", error, scenario=name)
            break
    faults.raise_any()
    return file.grid._replace(made=tuple(made), made_from=wanted.start)


def axes_of(texts: Sequence[str], given: Mapping[str, str]) -> dict[str, str]:
    """The axes of options and of ``--axis KEY=VALUES``.

    Args:
        texts: of ``--axis``.
        given: of options, by keys.

    Raises:
        InputError: when one is not of that form, or given twice.
    """
    found = dict(given)
    for text in texts:
        key, sign, values = text.partition("=")
        if not sign or not key.strip():
            raise InputError(
                f"--axis {text!r}: not KEY=VALUES; write for example vocab=32000,128000"
            )
        if key.strip() in found:
            raise InputError(f"--axis: {key.strip()} is given twice; leave one out")
        found[key.strip()] = values
    return found


def _read(
    source: str,
    sets: Sequence[str],
    typed: Mapping[str, str],
    faults: Faults,
    told: Callable[[str], str] = str,
) -> ScenarioFile:
    """A file with the command line on top."""
    top: dict[str, Node] = read_top(source, faults) if source else {}
    below = extended_base(source, top.get("extends"), faults)
    base = read_part("base", top.get("base"), faults)
    base = base._replace(
        demands=read_demands("all scenarios", top, faults).over(base.demands),
        demand_lines={**base.demand_lines, **demand_lines(top.get("assert"))},
    )
    over = command_line(sets, faults)
    parts = _read_parts(top.get("scenarios"), faults)
    named = bool(parts)
    if parts is not None and not parts:
        parts = {"base": base._replace(layer=Layer(), demands=Demands(), lines={}, demand_lines={})}
    axes = read_axes(top.get("matrix"), parts or {}, typed, faults, base=base, told=told)
    for axis in axes.axes:
        if axis.key not in axes.lines:
            given = {"--set": set(filter(over.replaces, axis.places))}
            faults.add_clash(0, "", told(axis.key), axis.places, given)
    kept = (axis for axis in axes.axes if not any(map(over.replaces, axis.places)))
    scenarios = []
    for name, part in (parts or {}).items():
        values: Values = {}
        for layer in (below.layer, base.layer, part.layer, over):
            values = layer.over(values)
        scenarios.append((name, values))
    grid = CellGrid(
        source=source,
        scenarios=tuple(scenarios),
        axes=tuple(kept),
        named=named,
        said={name: over.over(part.layer.values) for name, part in (parts or {}).items()},
    )
    return ScenarioFile(below=below, base=base, parts=parts or {}, axes=axes, over=over, grid=grid)


def _read_parts(node: Node | None, faults: Faults) -> dict[str, Part] | None:
    """The scenarios by name; None where some are there, and none can be read."""
    before = len(faults.found)
    entries = mapping_of(node, "scenarios", faults)
    parts = {}
    for name, one in entries.items():
        if name.isprintable() and 0 < len(name) <= LONGEST_NAME:
            parts[name] = read_part(name, one, faults)
        else:
            faults.add(
                one.line,
                f"scenarios: {name[:60]!r} is not a name of up to {LONGEST_NAME} printable "
                "characters",
            )
    return parts if parts or len(faults.found) == before else None
