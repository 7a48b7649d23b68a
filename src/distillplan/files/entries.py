"""The data that ships, and mappings that are read key by key."""

import json
import math
from collections.abc import Callable, Mapping
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeVar

from distillplan.errors import InputError
from distillplan.files.bounds import LARGEST, shown
from distillplan.files.text_reader import read_text
from distillplan.suggest import nearest

_Member = TypeVar("_Member", bound=StrEnum)
_Record = TypeVar("_Record")


def shipped_folder(name: str) -> Path:
    """A folder that ships: inside an installed package, beside ``src`` in a checkout."""
    # importlib.resources costs 10 ms at every start; a wheel is unpacked, so a path will do
    packaged = Path(__file__).parents[1] / name
    return packaged if packaged.is_dir() else Path(__file__).parents[3] / name


def coefficients_dir() -> Path:
    """The folder of the data."""
    return shipped_folder("coefficients")


@cache
def read_shipped(name: str) -> Any:
    """The value of a YAML file in the folder of the data, read once.

    A wheel has its values as JSON beside it (hatch_build.py), which need no reader of YAML.

    Raises:
        InputError: when it is missing or not YAML.
    """
    path = coefficients_dir() / name
    values = path.with_suffix(".json")
    if values.is_file():
        return json.loads(read_text(values))
    from distillplan.files.yaml_reader import read_yaml  # only in a checkout

    return read_yaml(path)


LONGEST_NAME: Final = 100
"""Characters of a name that stands in tables."""


def demand_name(name: str, where: str) -> str:
    """A name that people gave, as it is.

    Raises:
        InputError: when it is empty or too long for a table, or cannot be printed.
    """
    if not (name.isprintable() and 0 < len(name) <= LONGEST_NAME):
        raise InputError(
            f"{where}: {shown(name)} is not a name of up to {LONGEST_NAME} printable characters"
        )
    return name


class Entry:
    """A mapping in a data file that is read key by key; `finish` refuses what was never read.

    Raises:
        InputError: from every method, with the place in the file, when a key is missing or its
            value is not what was asked for.
    """

    def __init__(self, data: Any, where: str) -> None:
        """Take the mapping at a place in a file.

        Raises:
            InputError: when it is not a mapping.
        """
        if not isinstance(data, Mapping):
            raise InputError(f"{where}: expected a mapping, got {type(data).__name__}")
        self.data, self.where, self.read = data, where, set[str]()

    def __contains__(self, key: str) -> bool:
        return key in self.data

    def has(self, key: str) -> bool:
        """Whether a key is there and not null."""
        self.read.add(key)
        return self.data.get(key) is not None

    def _value(self, key: str) -> Any:
        self.read.add(key)
        if key not in self.data:
            raise InputError(f"{self.where}: missing key {key!r}")
        return self.data[key]

    def mapping(self, key: str) -> "Entry":
        """The mapping under a key."""
        return Entry(self._value(key), f"{self.where}.{key}")

    def text(self, key: str, default: str | None = None) -> str:
        """The text under a key, with runs of white space made single spaces."""
        self.read.add(key)
        if default is not None and self.data.get(key) is None:
            return default
        return self._one_line(key, self._value(key))

    def optional_text(self, key: str) -> str | None:
        """The same; None where it is absent, null or empty."""
        return self.text(key, "") or None

    def _one_line(self, key: str, value: Any) -> str:
        unreadable = isinstance(value, (Mapping, list)) or value is None
        if unreadable or (isinstance(value, float) and not math.isfinite(value)):
            raise InputError(f"{self.where}.{key}: {shown(value)} is not a text")
        return " ".join(str(value).split())

    def name(self, key: str, default: str) -> str:
        """The text under a key, short enough for a table."""
        return demand_name(self.text(key, default), f"{self.where}.{key}")

    def texts(self, key: str) -> tuple[str, ...]:
        """The texts in the list under a key; empty where the key is absent."""
        return tuple(self._one_line(key, one) for one in self.items(key))

    def items(self, key: str) -> list[Any]:
        """The list under a key; empty where the key is absent or null."""
        self.read.add(key)
        value = self.data.get(key)
        if value is None:
            return []
        if not isinstance(value, list):
            raise InputError(f"{self.where}.{key}: {shown(value)} is not a list")
        return value

    def flag(self, key: str) -> bool:
        """The true or false under a key; false where it is absent."""
        self.read.add(key)
        value = self.data.get(key, False)
        value = {"yes": True, "on": True, "no": False, "off": False}.get(str(value).lower(), value)
        if not isinstance(value, bool):
            raise InputError(f"{self.where}.{key}: {shown(value)} is not true or false")
        return value

    def number(self, key: str, default: float | None = None) -> float:
        """The finite number under a key."""
        self.read.add(key)
        value = default if default is not None and key not in self.data else self._value(key)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise InputError(f"{self.where}.{key}: {shown(value)} is not a number")
        if not -LARGEST <= value <= LARGEST:
            raise InputError(f"{self.where}.{key}: {shown(value)} is not finite")
        return float(value)

    def not_negative(self, key: str, default: float | None = None) -> float:
        """The finite number under a key, zero or more."""
        value = self.number(key, default)
        if value < 0:
            raise InputError(f"{self.where}.{key}: {value:g} is negative")
        return value

    def whole(self, key: str, default: int | None = None) -> int:
        """The whole number under a key, zero or more."""
        value = self.not_negative(key, default)
        if not value.is_integer():
            raise InputError(f"{self.where}.{key}: {value:g} is not a whole number")
        return int(value)

    def positive(self, key: str) -> float:
        """The positive number under a key."""
        value = self.optional(key)
        if value is None:
            raise InputError(f"{self.where}: missing key {key!r}; it must be a positive number")
        return value

    def optional(self, key: str) -> float | None:
        """The positive number under a key; None where it is absent or null."""
        self.read.add(key)
        if self.data.get(key) is None:
            return None
        value = self.number(key)
        if value <= 0:
            raise InputError(f"{self.where}.{key}: {value:g} is not positive")
        return value

    def positives(self) -> dict[str, float]:
        """All of the mapping, whose values must be positive numbers."""
        return {str(key): self.positive(key) for key in self.data}

    def entries(self, key: str) -> list["Entry"]:
        """The mappings in the list under a key; empty where it is absent or null."""
        return [
            Entry(one, f"{self.where}.{key}[{number}]")
            for number, one in enumerate(self.items(key), 1)
        ]

    def pair(self, key: str) -> tuple[float, float]:
        """The two numbers under a key, as [low, high], in that order."""
        value = self._value(key)
        where = f"{self.where}.{key}"
        if not (isinstance(value, list) and len(value) == 2):
            raise InputError(f"{where}: {shown(value)} is not a pair [low, high]")
        ends = Entry({"low": value[0], "high": value[1]}, where)
        low, high = ends.number("low"), ends.number("high")
        if low > high:
            raise InputError(f"{where}: {low:g} is above {high:g}; write the lower one first")
        return low, high

    def choice(self, key: str, known: tuple[str, ...], default: str) -> str:
        """The text under a key, which must be a known one."""
        value = self.text(key, default)
        if value not in known:
            raise InputError(f"{self.where}.{key}: {shown(value)} is not one of {', '.join(known)}")
        return value

    def member(self, key: str, kind: type[_Member]) -> _Member:
        """The member of an enumeration whose word is the text under a key."""
        return kind(self.choice(key, tuple(kind), ""))

    def record(self, kind: type[_Record], /, **read: Any) -> _Record:
        """A record whose fields stand under their own names, each read as its type demands.

        Numbers are positive, and words are members of their enumeration. A number or a text that
        may be None is None where its key is absent.

        Args:
            kind: the class, a NamedTuple.
            read: the values of those fields that are read otherwise.
        """
        readers: dict[Any, Callable[[str], Any]] = {
            str: self.text,
            str | None: self.optional_text,
            float: self.positive,
            float | None: self.optional,
            int: self.whole,
            bool: self.flag,
            tuple[str, ...]: self.texts,
        }
        for name, hint in kind.__annotations__.items():
            if name not in read:
                read[name] = readers[hint](name) if hint in readers else self.member(name, hint)
        return kind(**read)

    def finish(self, *also: str) -> None:
        """Check that every key was read.

        Args:
            also: keys that were read in another way.

        Raises:
            InputError: for the first that was not.
        """
        known = {*self.read, *also}
        for key in self.data:
            if key not in known:
                raise InputError(
                    f"{self.where}: unknown key {shown(key)}; {nearest(str(key), sorted(known))}"
                )


def shipped(name: str) -> Entry:
    """The mapping of a YAML file in the folder of the data, read once.

    Raises:
        InputError: when it is missing or no mapping.
    """
    return Entry(read_shipped(name), name)
