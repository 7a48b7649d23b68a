"""YAML that people write: values remember their lines, all is bounded, and all faults are told."""

import re
from collections.abc import Iterator
from typing import Any

import yaml

from distillplan.errors import InputError
from distillplan.files.bounds import (
    LARGEST,
    MOST_DEPTH,
    MOST_TREE_BYTES,
    MOST_VALUES,
    shown,
    text_fault,
)
from distillplan.files.text_reader import read_text
from distillplan.files.yaml_reader import NumberLoader
from distillplan.named_tuples import NamedTuple

_TAG = "tag:yaml.org,2002:"
SCALAR_TAGS = {f"{_TAG}{kind}" for kind in ("null", "bool", "int", "float", "str")}
"""What a value may be."""
_TEXT_TAGS = {f"{_TAG}{kind}" for kind in ("timestamp", "merge", "value")}
"""What YAML 1.1 makes of texts such as 2026-01-01, and people do not."""


class Node(NamedTuple):
    """A value in a file, which remembers its line."""

    value: Any
    """A scalar, a list of nodes, or a dict from texts to nodes."""
    line: int

    def plain(self) -> Any:
        """The value without the lines, as a YAML reader would return it."""
        if isinstance(self.value, dict):
            return {key: one.plain() for key, one in self.value.items()}
        if isinstance(self.value, list):
            return [one.plain() for one in self.value]
        return self.value


class Tree(NamedTuple):
    """The contents of a file, and what is wrong with it as YAML."""

    root: Node
    faults: tuple[tuple[int, str], ...]
    """The line and a sentence, for each."""


def read_foreign_yaml(source: str, most: int = MOST_TREE_BYTES) -> Any:
    """The plain value of a user's data file, read within the bounds of `read_tree`.

    Args:
        source: its path.
        most: the largest size in bytes.

    Raises:
        InputError: when it cannot be read, and with the first fault that was found in it.
    """
    return parse_foreign_yaml(read_text(source, most), source)


def parse_foreign_yaml(text: str, name: str) -> Any:
    """The same of its text.

    Raises:
        InputError: with the first fault that was found in it.
    """
    tree = parse_tree(text, name)
    for line, message in tree.faults:
        raise InputError(f"{name}, line {line}: {message}")
    return tree.root.plain()


def read_tree(source: str) -> Tree:
    """The values of a file, or of standard input for ``-``, with their lines.

    Faults that do not stop the reader are collected.

    Raises:
        InputError: when it is missing, too large, or not YAML text.
    """
    return parse_tree(read_text(source, MOST_TREE_BYTES), source)


def parse_tree(text: str, name: str) -> Tree:
    r"""The values of a YAML text with their lines.

    Raises:
        InputError: with the file's name, the line and what is wrong.

    >>> parse_tree("base:\n  compute: 1e21", "s.yaml").root.value["base"].value["compute"]
    Node(value=1e+21, line=2)
    """
    try:
        return _Builder(text, name).tree()
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise InputError(f"{name}{line}: {_in_words(error, text)}") from None
    except (yaml.YAMLError, UnicodeError) as error:
        raise InputError(f"{name}: not readable as YAML: {_first_line(error)}") from None


class _Builder:
    """Builds nodes from the parser's events, which come one by one: no bound is passed by much."""

    def __init__(self, text: str, name: str) -> None:
        self.name = name
        self.events = iter(yaml.parse(text, Loader=NumberLoader))
        self.scalars: Any = NumberLoader("")
        self.anchors: dict[str, tuple[Node, int]] = {}
        self.faults: list[tuple[int, str]] = []
        self.size = 0

    def tree(self) -> Tree:
        root, documents = Node(value=None, line=1), 0
        for event in self.events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise InputError(
                        f"{self.name}, line {_line(event)}: a second YAML document starts here; "
                        "put it in a file of its own"
                    )
                root = self.node(next(self.events), 0)
        return Tree(root=root, faults=tuple(self.faults))

    def node(self, event: Any, depth: int) -> Node:
        """The node that begins with an event."""
        line, before = _line(event), self.size
        self.size += 1
        if depth > MOST_DEPTH:
            raise InputError(f"{self.name}, line {line}: nested more than {MOST_DEPTH} levels deep")
        if isinstance(event, yaml.AliasEvent):
            return self.alias(event, line)
        if isinstance(event, yaml.ScalarEvent):
            found = Node(value=self.scalar(event, line), line=line)
        elif isinstance(event, yaml.SequenceStartEvent):
            self.refuse_tag(event, "seq", line)
            found = Node(value=list(self.items(depth)), line=line)
        else:
            self.refuse_tag(event, "map", line)
            found = Node(value=self.mapping(depth), line=line)
        if self.size > MOST_VALUES:
            raise InputError(
                f"{self.name}, line {line}: more than {MOST_VALUES:,} values, "
                "counting those that aliases repeat; is it the right file?"
            )
        if event.anchor:
            self.anchors[event.anchor] = found, self.size - before
        return found

    def items(self, depth: int) -> Iterator[Node]:
        for event in self.events:
            if isinstance(event, yaml.SequenceEndEvent):
                return
            yield self.node(event, depth + 1)

    def mapping(self, depth: int) -> dict[str, Node]:
        """The entries of a mapping; those that ``<<`` brings in only where it has none."""
        found: dict[str, Node] = {}
        merged: list[Node] = []
        for event in self.events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            line = _line(event)
            key = self.node(event, depth + 1).value
            if isinstance(event, yaml.ScalarEvent) and key is not None:
                key = event.value  # as it was written: no is not False, nor 1e3 1000.0
            value = self.node(next(self.events), depth + 1)
            if key == "<<":
                merged += value.value if isinstance(value.value, list) else [value]
            elif isinstance(key, (dict, list)) or key is None:
                self.faults.append((line, "a key must be plain text"))
            elif str(key) in found:
                self.faults.append((line, f"duplicate key {shown(key)}"))
            else:
                found[str(key)] = value
        for one in merged:
            if not isinstance(one.value, dict):
                self.faults.append((one.line, "<< needs a mapping"))
                continue
            found = {**one.value, **found}
            self.size += len(one.value)
        return found

    def scalar(self, event: Any, line: int) -> Any:
        tag, text = event.tag, event.value
        fault = text_fault(text)
        if tag is None:
            tag = self.scalars.resolve(yaml.ScalarNode, text, event.implicit)
            if fault is None and (tag in _TEXT_TAGS or _MISREAD.match(text)):
                return text
        if tag not in SCALAR_TAGS:
            fault = f"unsupported tag {shown(tag)}; write plain values"
        if fault is None:
            try:
                found = self.scalars.construct_object(yaml.ScalarNode(tag, text))
            except (yaml.YAMLError, ValueError, OverflowError, IndexError) as error:
                fault = f"{shown(text)} cannot be read: {_first_line(error)}"
            else:
                if not isinstance(found, int) or abs(found) <= LARGEST:
                    return found
                fault = f"{shown(text)} is larger than {LARGEST:g}"
        self.faults.append((line, fault))
        return None

    def alias(self, event: Any, line: int) -> Node:
        if event.anchor not in self.anchors:
            raise InputError(
                f"{self.name}, line {line}: no anchor for the alias *{event.anchor} is complete "
                "before it"
            )
        found, size = self.anchors[event.anchor]
        self.size += size
        if self.size > MOST_VALUES:
            raise InputError(
                f"{self.name}, line {line}: more than {MOST_VALUES:,} values, "
                "counting those that aliases repeat"
            )
        return found

    def refuse_tag(self, event: Any, kind: str, line: int) -> None:
        if event.tag not in (None, "!", f"{_TAG}{kind}"):
            self.faults.append((line, f"unsupported tag {shown(event.tag)}; write plain values"))


_MISREAD = re.compile(r"[-+]?(?:0[0-9_]|[0-9_.]+:)|(?i:yes|no|on|off)\Z")
"""What YAML 1.1 takes for no text, and people do: 8 for 010, 6610 for 1:50:10, false for NO."""


def _in_words(error: yaml.MarkedYAMLError, text: str) -> str:
    """What is wrong with a YAML text, in the words of people where the reader has its own."""
    what = error.problem or error.context or ""
    if "block scalar" in (error.context or "") and "tab" not in what:
        return "a condition or a value that starts with > or | needs quotes, e.g. '>= 2'"
    if "document start" in what:
        return "something follows where the first value has ended; is the file YAML?"
    if "cannot start any token" in what and error.problem_mark is not None:
        found = text[error.problem_mark.index :][:1]
        tab = "a tab at the start of a value; YAML takes spaces"
        return tab if found == "\t" else f"a value that starts with {found!r} needs quotes"
    return what


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
