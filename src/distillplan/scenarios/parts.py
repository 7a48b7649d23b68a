"""The parts of a scenario file: mappings read by the table of keys, faults with their lines."""

import json
from collections.abc import Callable, Container, Mapping, Sequence
from pathlib import Path
from typing import Any

from distillplan.errors import InputError
from distillplan.files.tree import Node, Tree, parse_tree, read_tree
from distillplan.named_tuples import NamedTuple
from distillplan.scenarios import key_table
from distillplan.scenarios.axes import Axis, parse_axis
from distillplan.scenarios.demands import Demands, demand_lines, read_demands
from distillplan.scenarios.faults import Faults
from distillplan.scenarios.layers import Fault, Layer, read_layer, roots
from distillplan.schemas.reader import OURS
from distillplan.suggest import nearest

PARTS = ("extends", "base", "scenarios", "matrix")
TOP = (*PARTS, "assert")
NOTED = "x-"
"""Start of keys that nobody reads: a place for anchors, as in files of Docker Compose."""
_WRITE = {
    "scenarios": "each name with its keys below it, e.g. alone: {teacher: null}",
    "matrix": "each key with its values, e.g. student: [1B, 3B]",
}
_KEYS = "its keys below it, e.g. student: 1B"


class Part(NamedTuple):
    """One mapping of scenario keys."""

    name: str
    layer: Layer = Layer()
    demands: Demands = Demands()
    lines: Mapping[str, int] = {}
    """From keys of the table to the lines that they are on."""
    line: int = 0
    demand_lines: Mapping[str, int] = {}
    """From keys of its demands to the lines that they are on."""


def read_top(source: str, faults: Faults, said: Mapping[str, Any] | None = None) -> dict[str, Node]:
    """The parts of a file by their names; of a file with keys of a scenario alone, its base.

    Args:
        source: the file.
        faults: of it, to which those found are added.
        said: what a program says in place of the file.

    Raises:
        InputError: when it cannot be read, or is not a scenario file at all.
    """
    tree = read_tree(source) if said is None else _tree_of(said, source)
    for line, message in tree.faults:
        faults.add(line, message)
    if not isinstance(tree.root.value, dict):
        what = "an empty file" if tree.root.value is None else "not a scenario file"
        raise InputError(f"{source}: {what}; write e.g. compute: 1e21, and below it student: 1B")
    read = {key: one for key, one in tree.root.value.items() if not key.startswith(NOTED)}
    root = tree.root._replace(value=read)
    schema = root.value.get("schema")
    if schema is not None and str(schema.value).startswith(OURS):
        raise InputError(
            f"{source}: an answer ({str(schema.value)[:60]}), not a scenario file; write the "
            "question that it answers under base"
        )
    if _is_one_scenario(root.value):
        return {"base": root}
    for key, node in root.value.items():
        if key not in TOP and not faults.many:
            right = "put it under base" if key_table.TABLE.find(key) else nearest(key, TOP)
            unknown = f"unknown key {key[:60]!r} at the top of the file; {right}"
            faults.add(node.line, unknown, key=key)
    if root.value.keys().isdisjoint(PARTS):
        faults.add(root.line, "no scenario: add base or scenarios")
    return root.value


def _tree_of(said: Mapping[str, Any], name: str) -> Tree:
    """What a program says in place of a file, as the file would; JSON is YAML."""
    try:
        return parse_tree(json.dumps(said, default=float), name)
    except (TypeError, ValueError) as error:
        raise InputError(f"{name}: not what a file can say: {error}") from None


def _is_one_scenario(entries: Mapping[str, Node]) -> bool:
    """Whether a file has keys of a scenario at its top, and no parts to put them into."""
    return entries.keys().isdisjoint(PARTS) and any(map(key_table.TABLE.find, entries))


def extended_base(source: str, node: Node | None, faults: Faults) -> Part:
    """The base of the file that this one extends; its faults join those of this one."""
    if node is None:
        return Part("base")
    if not isinstance(node.value, str) or Path(node.value).is_absolute():
        faults.add(node.line, "extends: not the relative path of a file")
        return Part("base")
    folder = Path() if source == "-" else Path(source).parent
    other = str(folder / node.value)
    theirs = Faults(other)
    try:
        top = read_top(other, theirs)
    except InputError as error:
        faults.add_error(node.line, "extends: ", error)
        return Part("base", Layer(unread=every_root()))
    if "extends" in top:
        theirs.add(top["extends"].line, "extends: an extended file cannot extend another")
    found = read_part("base", top.get("base"), theirs)
    shared = read_demands("all scenarios", top, theirs)
    faults.found += theirs.found
    return found._replace(demands=shared.over(found.demands))


def every_root() -> frozenset[str]:
    """Beginnings of all places, for a part of which nothing could be read."""
    return frozenset(root for word in key_table.TABLE.keys for root in roots((word,)))


def mapping_of(
    node: Node | None, what: str, faults: Faults, scenario: str | None = None
) -> dict[str, Node]:
    """The entries of a mapping; none where it is absent."""
    if node is None or node.value is None:
        return {}
    if not isinstance(node.value, dict):
        faults.add(
            node.line, f"{what}: not a mapping; write {_WRITE.get(what, _KEYS)}", scenario=scenario
        )
        return {}
    return node.value


def read_part(name: str, node: Node | None, faults: Faults) -> Part:
    """One mapping of scenario keys, with the line of each fault."""
    if node is None or faults.many:
        return Part(name)
    where = name if name == "base" else f"scenario {name}"
    flawed = faults.lines  # values there are not what was meant
    entries = mapping_of(node, where, faults, name)
    demands = read_demands(where, entries, faults, name)
    wrong: list[Fault] = []
    plain = ((key, one.plain()) for key, one in entries.items() if key != "assert")
    layer = read_layer(plain, wrong)
    for fault in wrong:
        key = ".".join(fault.path)
        line = _line_of(entries, fault.path)
        faults.add_error(line, f"{where}: ", fault.error, scenario=name, key=key)
    lines = _lines(entries)
    unread = {root for key, line in lines.items() if line in flawed for root in roots((key,))}
    layer = layer._replace(unread=layer.unread | unread)
    found = Part(name=name, layer=layer, demands=demands, lines=lines, line=node.line)
    return found._replace(demand_lines=demand_lines(entries.get("assert")))


def _line_of(entries: Mapping[str, Node], path: Sequence[str]) -> int:
    """The line of a word, within mappings where it is in one."""
    line = 0
    for word in path:
        node = entries[word]
        line = node.line
        entries = node.value if isinstance(node.value, dict) else {}
    return line


def _lines(entries: Mapping[str, Node], group: str = "") -> dict[str, int]:
    """From the keys of the table to their lines."""
    found: dict[str, int] = {}
    for word, node in entries.items():
        key = key_table.TABLE.find(group + word)
        if key is None:
            continue
        found[key.word] = node.line
        if key.is_group and isinstance(node.value, dict):
            found |= _lines(node.value, f"{key.word}.")
    return found


def layer_of_sets(sets: Sequence[str]) -> Layer:
    """The layer of ``--set key=value`` alone.

    Raises:
        InputError: with every fault.
    """
    faults = Faults("")
    layer = command_line(sets, faults)
    faults.raise_any()
    return layer


def command_line(sets: Sequence[str], faults: Faults) -> Layer:
    """What ``--set key=value`` says, the value as a file would have it."""
    entries = []
    for text in sets:
        key, sign, value = text.partition("=")
        if not sign or not key.strip():
            faults.add(0, f"--set {text!r}: not KEY=VALUE; write for example compute=1e22")
            continue
        try:
            tree = parse_tree(value, f"--set {key}")
        except InputError as error:
            faults.add_error(0, "", error)
            continue
        for _, message in tree.faults:
            faults.add(0, f"--set {key}: {message}")
        if not tree.faults:
            entries.append((key.strip(), tree.root.plain()))
    wrong: list[Fault] = []
    layer = read_layer(entries, wrong, lambda word: f"--set {word}")
    for fault in wrong:
        key = ".".join(fault.path)
        known = key_table.TABLE.find(key) is not None
        faults.add_error(0, "" if known else "--set: ", fault.error, key=key)
    return layer


class Matrix(NamedTuple):
    """Axes of a file and of the command line."""

    axes: tuple[Axis, ...]
    lines: Mapping[str, int]
    """Of the axes of the file, by their keys."""
    unread: frozenset[str] = frozenset()
    """Beginnings of places whose values could not be read."""


def read_axes(
    node: Node | None,
    parts: Mapping[str, Part],
    typed: Mapping[str, str],
    faults: Faults,
    *,
    base: Part,
    told: Callable[[str], str] = str,
) -> Matrix:
    """The axes under ``matrix``, which no scenario may give as well, and those of the command line.

    Args:
        node: the mapping under ``matrix``.
        parts: the scenarios.
        typed: axes of the command line by key; they take the place of the file's.
        faults: grows by each thing that is wrong.
        base: what the scenarios share: an axis takes the place of its own key there, of no other.
        told: how an axis of the command line is named in an error.
    """
    found: dict[str, Axis] = {}
    lines: dict[str, int] = {}
    unread: set[str] = set()
    for key, one in mapping_of(node, "matrix", faults).items():
        if faults.many:
            break
        try:
            axis = parse_axis(key, one.plain())
        except InputError as error:
            faults.add_error(one.line, "matrix: ", error, key=key)
            unread |= roots((key,))
            continue
        for part in parts.values():
            if any(map(part.layer.replaces, axis.places)):
                both = f"matrix: {key} is also given by scenario {part.name}"
                faults.add(one.line, both, scenario=part.name, key=key)
        others: Mapping[str, Container[str]] = {name: axis.places for name, axis in found.items()}
        if axis.key not in base.layer.words:
            others = {**others, base.name: base.layer.values}
        faults.add_clash(one.line, "matrix: ", key, axis.places, others)
        found[key] = axis
        lines[axis.key] = one.line
    for key, text in typed.items():
        try:
            axis = parse_axis(key, text, told)
        except InputError as error:
            faults.add_error(0, "", error)
            unread |= roots((key,))
            continue
        if lines.pop(axis.key, None) is not None:
            found = {name: other for name, other in found.items() if other.key != axis.key}
        faults.add_clash(0, "", told(key), axis.places, {n: one.places for n, one in found.items()})
        found[told(key)] = axis
    return Matrix(axes=tuple(found.values()), lines=lines, unread=frozenset(unread))
