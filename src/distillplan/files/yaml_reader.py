"""The reader of YAML: safe, bounded, and with numbers as people write them."""

import re
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

from distillplan.errors import InputError
from distillplan.files.text_reader import read_text

try:
    from yaml import CSafeLoader as _Loader
except ImportError:  # a PyYAML built without libyaml
    from yaml import SafeLoader as _Loader  # type: ignore[assignment]  # either will do


class NumberLoader(_Loader):
    """Reads 1e21 as the number it is (YAML 1.1 makes it a string), and refuses duplicate keys."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Hashable, Any]:  # noqa: FBT001, FBT002  (PyYAML's signature)
        """The mapping, without duplicate keys."""
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            problem = (
                None if isinstance(key, Hashable) else "a key is a mapping or a list, not a word"
            )
            if problem is None and key in seen:
                problem = f"duplicate key {key!r}"
            if problem is not None:
                raise yaml.constructor.ConstructorError(None, None, problem, key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep=deep)


NumberLoader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)[eE][-+]?[0-9]+$"),
    list("-+0123456789."),
)


def parse_yaml(text: str, name: str) -> Any:
    """The value of a YAML text.

    Raises:
        InputError: with the file's name, the line and what is wrong.

    >>> parse_yaml("compute: 1e21", "scenario.yaml")
    {'compute': 1e+21}
    """
    try:
        return yaml.load(text, Loader=NumberLoader)  # noqa: S506  (a SafeLoader by inheritance)
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise InputError(f"{name}{line}: {error.problem}") from None
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"{name}: not readable as YAML: {reason}") from None


def read_yaml(path: Path) -> Any:
    """The value of a YAML file.

    Raises:
        InputError: when the file is missing, too large, or not YAML text.
    """
    return parse_yaml(read_text(path), str(path))
