"""Values of a Hugging Face `config.json`, with errors that name the key."""

from collections.abc import Mapping
from typing import Any, Final

from distillplan.errors import InputError
from distillplan.files.bounds import shown
from distillplan.units.articles import with_article

MOST: Final = 10**9
"""Largest size in a configuration; that of a vocabulary is below a million."""
LAYERS: Final = ("num_hidden_layers", "n_layer")
MOST_LAYERS: Final = 10_000
"""Most blocks; the deepest model that was published has 1,000."""

Config = Mapping[str, Any]
"""The contents of a config.json."""


class ConfigSettings:
    """One configuration that is read key by key.

    What the file leaves out has the value of the architecture's class where that has one; the keys
    of such values are kept in `assumed`, those of the file's in `read`.
    """

    def __init__(
        self,
        config: Config,
        path: str = "",
        defaults: Config | None = None,
        names: Mapping[str, str] | None = None,
    ) -> None:
        """Take a mapping.

        Args:
            config: the contents of a config.json, or of a mapping in it.
            path: where it is in the file, such as "text_config."; empty: it is the file.
            defaults: of the architecture's class.
            names: the file's own names of keys, by the usual ones; errors say the file's.
        """
        self.config, self.path = config, path
        self.defaults: Config = {} if defaults is None else defaults
        self.assumed: dict[str, Any] = {}
        self.read: set[str] = set()
        self._names: Mapping[str, str] = {} if names is None else names

    @property
    def kind(self) -> str:
        """Its `model_type`."""
        return str(self.config.get("model_type"))

    def value(self, key: str) -> Any:
        """The value of a key; None where neither file nor class has one."""
        own = self._names.get(key, key)
        if own in self.config:
            self.read.add(own)
            return self.config[own]
        found = self.defaults.get(key)
        if found is not None:
            self.assumed[own] = found
        return found

    def assume(self, key: str, value: Any) -> None:
        """Give a key a value where neither file nor class has one."""
        self.defaults = {key: value, **self.defaults}

    def has(self, key: str) -> bool:
        """Whether file or class has a value that is not null."""
        return self.value(key) is not None

    def fail(self, key: str, problem: str) -> InputError:
        """The error to raise for a key.

        Args:
            key: what is wrong.
            problem: what is wrong with it, and what would be right.
        """
        return InputError(f"model config: {self.path}{self._names.get(key, key)} {problem}")

    def whole(self, key: str, *, default: int | None = None, least: int = 1) -> int:
        """A whole number.

        Args:
            key: its key.
            default: its value where there is none; None: the file must have one.
            least: the smallest.

        Raises:
            InputError: when it is missing, not a whole number, or out of bounds.
        """
        value = self.value(key)
        what = "a positive whole number" if least else "a whole number that is not negative"
        if value is None:
            if default is None:
                kind = with_article(self.kind)
                raise self.fail(key, f"is missing; it must be {what} in {kind} model")
            return default
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise self.fail(key, f"is {shown(value)}; it must be {what}")
        most = MOST_LAYERS if key in LAYERS else MOST
        if value > most:
            raise self.fail(key, f"is {shown(value)}; it must be at most {most}")
        return value

    def number(self, key: str, default: float) -> float:
        """A positive number.

        Raises:
            InputError: when it is not one.
        """
        value = self.value(key)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < MOST:
            raise self.fail(key, f"is {shown(value)}; it must be a positive number")
        return float(value)

    def flag(self, key: str, *, default: bool = False) -> bool:
        """A true or false.

        Raises:
            InputError: when it is neither.
        """
        value = self.value(key)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise self.fail(key, f"is {shown(value)}; it must be true or false")
        return value

    def listed(self, key: str, kind: type, what: str) -> list[Any] | None:
        """A list of values of one type; None where there is none.

        Args:
            key: its key.
            kind: the type of its values.
            what: its plural, for the error.

        Raises:
            InputError: when it is not a list of them.
        """
        values = self.value(key)
        if values is None:
            return None
        if not isinstance(values, (list, tuple)) or not all(
            isinstance(one, kind) and (kind is bool or not isinstance(one, bool)) for one in values
        ):
            raise self.fail(key, f"is {shown(values)}; it must be a list of {what}")
        return list(values)

    def per_layer(self, key: str, kind: type, what: str) -> list[Any] | None:
        """A list with a value for every block; None where there is none.

        Further values belong to heads that predict further tokens, which some files list too.

        Raises:
            InputError: when it is not a list of them, or too short.
        """
        values = self.listed(key, kind, what)
        layers = self.whole("num_hidden_layers")
        if values is not None and len(values) < layers:
            raise self.fail(
                key, f"has {len(values)} entries for {layers} layers; it must have one for each"
            )
        return None if values is None else values[:layers]

    def inner(self, key: str) -> "ConfigSettings | None":
        """The configuration under a key; None where there is none.

        Raises:
            InputError: when it is not a mapping.
        """
        found = self.value(key)
        if found is None:
            return None
        if not isinstance(found, Mapping):
            raise self.fail(key, f"is {shown(found)}; it must be a mapping of names to values")
        return ConfigSettings(found, f"{self.path}{key}.")
