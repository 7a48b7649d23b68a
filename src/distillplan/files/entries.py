"""Data that ships, and mappings of data files read key by key."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from distillplan.errors import InputError
from distillplan.files.yaml_reader import read_yaml
from distillplan.suggest import nearest


def coefficients_dir() -> Path:
    """The folder of data: inside an installed package, beside ``src`` in a checkout."""
    # importlib.resources costs 10 ms at every start; a wheel is unpacked, so a path will do
    packaged = Path(__file__).parents[1] / "coefficients"
    return packaged if packaged.is_dir() else Path(__file__).parents[3] / "coefficients"


@cache
def read_shipped(name: str) -> Any:
    """The value of a YAML file of the folder of data, read once."""
    return read_yaml(coefficients_dir() / name)


class Entry:
    """A mapping of a data file that is read key by key; what nobody asked for is a fault."""

    def __init__(self, data: Any, where: str) -> None:
        """Take a mapping; InputError where it is none."""
        if not isinstance(data, Mapping):
            raise InputError(f"{where}: is {type(data).__name__}; it must be a mapping")
        self.data, self.where, self.read = data, where, set[str]()

    def __contains__(self, key: str) -> bool:
        return key in self.data

    def _value(self, key: str) -> Any:
        self.read.add(key)
        if key not in self.data:
            raise InputError(f"{self.where}: the key {key!r} is missing")
        return self.data[key]

    def mapping(self, key: str) -> "Entry":
        """The mapping under a key."""
        return Entry(self._value(key), f"{self.where}.{key}")

    def text(self, key: str, default: str | None = None) -> str:
        """The text under a key, its white space made single blanks."""
        self.read.add(key)
        if default is not None and key not in self.data:
            return default
        return " ".join(str(self._value(key)).split())

    def texts(self, key: str) -> tuple[str, ...]:
        """The texts of the list under a key; none where it is absent."""
        self.read.add(key)
        return tuple(" ".join(str(one).split()) for one in self.data.get(key) or ())

    def items(self, key: str) -> list[Any]:
        """The list under a key."""
        value = self._value(key)
        if not isinstance(value, list):
            raise InputError(f"{self.where}.{key}: {value!r} is not a list")
        return value

    def number(self, key: str) -> float:
        """The number under a key."""
        value = self._value(key)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise InputError(f"{self.where}.{key}: {value!r} is not a number")
        return float(value)

    def pair(self, key: str) -> tuple[float, float]:
        """The two numbers under a key."""
        value = self._value(key)
        where = f"{self.where}.{key}"
        if not (isinstance(value, list) and len(value) == 2):
            raise InputError(f"{where}: {value!r} is not a pair [low, high]")
        ends = Entry({"low": value[0], "high": value[1]}, where)
        return ends.number("low"), ends.number("high")

    def choice(self, key: str, known: tuple[str, ...], default: str) -> str:
        """The text under a key, which must be one of those that are known."""
        value = self.text(key, default)
        if value not in known:
            raise InputError(f"{self.where}.{key}: {value!r} is none of {', '.join(known)}")
        return value

    def finish(self, *also: str) -> None:
        """Refuse keys that nothing read."""
        for key in self.data:
            if key not in self.read and key not in also:
                raise InputError(
                    f"{self.where}: the key {key!r} is unknown; {nearest(str(key), self.read)}"
                )
