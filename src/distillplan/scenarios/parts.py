"""The parts of a scenario file: mappings read by the table of keys, faults with their lines."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from distillplan.errors import InputError
from distillplan.files.tree import Node, parse_tree, read_tree
from distillplan.questions.assertions import Assertion, assertion
from distillplan.scenarios.axes import Axis, parse_axis
from distillplan.scenarios.keys import MOST_FAULTS, Fault, Layer, read_layer, words
from distillplan.suggest import nearest

TOP = ("extends", "base", "scenarios", "matrix", "assert")


class Faults:
    """What is wrong with a file, in the order of its lines."""

    def __init__(self, source: str) -> None:
        """Nothing is wrong yet."""
        self.source, self.found = source, list[tuple[int, str]]()

    def add(self, line: int, message: str) -> None:
        """One more; line 0 is the command line."""
        self.found.append((line, message))

    @property
    def many(self) -> bool:
        """Whether looking for more of them would help nobody."""
        return len(self.found) > MOST_FAULTS

    def raise_any(self) -> None:
        """Tell all of them in one message, if there are any.

        Raises:
            InputError: with each fault on its own line.
        """
        if not self.found:
            return
        lines = [
            f"line {line}, {message}" if line else message
            for line, message in sorted(self.found, key=lambda fault: fault[0])
        ]
        if len(lines) == 1:
            where = f"{self.source}, " if self.found[0][0] else ""
            raise InputError(f"{where}{lines[0]}")
        told = lines[:MOST_FAULTS]
        count = str(len(lines)) if len(lines) <= MOST_FAULTS else f"more than {MOST_FAULTS}"
        raise InputError(f"{self.source}: {count} faults\n  " + "\n  ".join(told))


class Part(NamedTuple):
    """One mapping of scenario keys."""

    name: str
    layer: Layer = Layer()
    assertions: Mapping[str, Assertion] = {}
    lines: Mapping[str, int] = {}
    """From words to the lines they stand on."""
    line: int = 0
    sound: bool = True
    """Whether nothing is wrong with it on its own, so that contradictions can be looked for."""


def read_top(source: str, faults: Faults) -> dict[str, Node]:
    """The parts of a file by their names."""
    tree = read_tree(source)
    for line, message in tree.faults:
        faults.add(line, message)
    if not isinstance(tree.root.value, dict):
        raise InputError(
            f"{source}: not a scenario file; it has base, scenarios, matrix, extends or assert"
        )
    for key, node in tree.root.value.items():
        if key not in TOP and not faults.many:
            right = "it belongs under base" if key in words() else nearest(key, TOP)
            faults.add(node.line, f"the key {key[:60]!r} is unknown here; {right}")
    if not (tree.root.value.keys() & {"base", "scenarios", "matrix", "extends"}):
        faults.add(tree.root.line, "no scenario: neither base nor scenarios is there")
    return tree.root.value


def extended_base(source: str, node: Node | None, faults: Faults) -> Part:
    """The base of the file that this one extends."""
    if node is None:
        return Part("base")
    if not isinstance(node.value, str) or Path(node.value).is_absolute():
        faults.add(node.line, "extends: not the relative path of a file")
        return Part("base")
    folder = Path() if source == "-" else Path(source).parent
    other = str(folder / node.value)
    theirs = Faults(other)
    top = read_top(other, theirs)
    if "extends" in top:
        theirs.add(top["extends"].line, "extends: an extended file cannot extend another")
    found = read_part("base", top.get("base"), theirs)
    shared = read_assertions("all scenarios", top.get("assert"), theirs)
    theirs.raise_any()
    return found._replace(assertions={**found.assertions, **shared})


def mapping_of(node: Node | None, what: str, faults: Faults) -> dict[str, Node]:
    """The entries of a mapping; none where it is absent."""
    if node is None or node.value is None:
        return {}
    if not isinstance(node.value, dict):
        faults.add(node.line, f"{what}: not a mapping")
        return {}
    return node.value


def read_part(name: str, node: Node | None, faults: Faults) -> Part:
    """One mapping of scenario keys, its faults told with their lines."""
    if node is None or faults.many:
        return Part(name)
    where = name if name == "base" else f"scenario {name}"
    entries = mapping_of(node, where, faults)
    demands = read_assertions(where, entries.get("assert"), faults)
    wrong: list[Fault] = []
    plain = ((key, one.plain()) for key, one in entries.items() if key != "assert")
    layer = read_layer(plain, wrong)
    for key, message in wrong:
        faults.add(_line_within(entries[key], message), f"{where}: {message}")
    lines = {key: one.line for key, one in entries.items()}
    return Part(name, layer, demands, lines, node.line, sound=not wrong)


def _line_within(node: Node, message: str) -> int:
    """The line of the key that a message is about, where the value is a mapping."""
    if isinstance(node.value, dict):
        for key, one in node.value.items():
            if f".{key}:" in message or f"'{key}'" in message:
                return one.line
    return node.line


def read_assertions(where: str, node: Node | None, faults: Faults) -> dict[str, Assertion]:
    """The demands under ``assert``, by key."""
    found = {}
    for key, one in mapping_of(node, f"{where}: assert", faults).items():
        if faults.many:
            break
        try:
            found[key] = assertion(key, one.plain())
        except InputError as error:
            faults.add(one.line, f"{where}: {error}")
    return found


def layer_of_sets(sets: Sequence[str]) -> Layer:
    """The layer of ``--set key=value`` alone.

    Raises:
        InputError: with every fault.
    """
    faults = Faults("--set")
    layer = command_line(sets, faults)
    faults.raise_any()
    return layer


def command_line(sets: Sequence[str], faults: Faults) -> Layer:
    """What ``--set key=value`` says, the value as a file would have it."""
    entries = []
    for text in sets:
        key, sign, value = text.partition("=")
        if not sign or not key.strip():
            raise InputError(f"--set {text!r}: not KEY=VALUE; write for example compute=1e22")
        tree = parse_tree(value, f"--set {key}")
        for _, message in tree.faults:
            raise InputError(f"--set {key}: {message}")
        entries.append((key.strip(), tree.root.plain()))
    wrong: list[Fault] = []
    layer = read_layer(entries, wrong)
    for _, message in wrong:
        faults.add(0, f"--set: {message}")
    return layer


def file_axes(node: Node | None, parts: Mapping[str, Part], faults: Faults) -> list[Axis]:
    """The axes under ``matrix``, which no scenario may give as well."""
    found: list[Axis] = []
    for key, one in mapping_of(node, "matrix", faults).items():
        if faults.many:
            break
        try:
            axis = parse_axis(key, one.plain())
        except InputError as error:
            faults.add(one.line, f"matrix: {error}")
            continue
        for part in parts.values():
            if axis.places & part.layer.values.keys():
                faults.add(one.line, f"matrix: {key} is also given by scenario {part.name}")
        if any(axis.places & other.places for other in found):
            faults.add(one.line, f"matrix: {key} is also given by another axis")
        found.append(axis)
    return found
