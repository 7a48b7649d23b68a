"""What the configuration of a trainer may hold: keys, types and ranges, as its sources have them.

They stand in coefficients/exports, a file for each trainer, with the release and the commit that
they were read from. Every export is checked against them before it is written.
"""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from functools import cache
from typing import Any, Final

from distillplan.errors import InputError
from distillplan.files.entries import Entry, coefficients_dir, shipped
from distillplan.laws.logit_formats import LogitKind
from distillplan.named_tuples import NamedTuple

FOLDER: Final = "exports"
"""In the folder of the data."""
FILL_IN: Final = "FILL_IN"
"""How a value begins that the user must give."""


class ValueType(StrEnum):
    """What a key holds."""

    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    TEXT = "text"
    TEXTS = "texts"
    LIST = "list"


_TYPES: Final[Mapping[ValueType, tuple[type, ...]]] = {
    ValueType.INTEGER: (int,),
    ValueType.NUMBER: (int, float),
    ValueType.BOOLEAN: (bool,),
    ValueType.TEXT: (str,),
    ValueType.TEXTS: (list,),
    ValueType.LIST: (list,),
}


class ValueOrigin(StrEnum):
    """Where a value that is written comes from."""

    PLAN = "plan"
    """Computed by the plan."""
    RECIPE = "recipe"
    """A setting of the recipe."""
    START = "start"
    """A starting point, from a law of pretraining."""
    TRAINER = "trainer"
    """What the trainer needs."""


class TextForm(StrEnum):
    """How a file is written."""

    YAML = "yaml"
    FLAGS = "flags"
    """The flags of a command, in a script."""


class ExportCase(StrEnum):
    """What a key or a file may depend on."""

    ONLINE = "online"
    """The teacher runs beside the student."""
    STORED = "stored"
    """Its logits are read from a disk."""
    CHUNKED = "chunked"
    """Its memory is that of a loss in chunks."""
    NO_MACHINE = "no_machine"
    """The plan has none, so its layout is open."""
    MACHINE = "machine"
    BATCH_OPEN = "batch_open"
    """The plan has no batch: it is a starting point."""
    BATCH_GIVEN = "batch_given"
    """It was asked for."""
    SIZED = "sized"
    """The student is a size."""
    NAMED = "named"
    """The student is a model that was named."""


class ConfigKey(NamedTuple):
    """One key of a trainer's configuration."""

    path: str
    """Its name, with dots between levels."""
    type: ValueType
    least: float | None
    above: float | None
    most: float | None
    one_of: tuple[str, ...]
    """The texts that it may be; empty: any."""
    length: int | None
    """Of a list; None: any."""
    required: bool
    """Whether every export has it."""
    value: str | None
    """The name of a value of the run."""
    literal: Any
    """What every export writes; None: nothing."""
    fill: str | None
    """What the user fills in, where there is no value."""
    origin: ValueOrigin | None
    when: frozenset[ExportCase]
    note: str

    def fault(self, value: Any) -> str | None:
        """What is wrong with a value; None: nothing, or it is for the user to give."""
        if self.fill is not None and isinstance(value, str) and value.startswith(FILL_IN):
            return None
        right = isinstance(value, _TYPES[self.type])
        if not right or isinstance(value, bool) != (self.type is ValueType.BOOLEAN):
            return f"{value!r} is no {self.type.value}"
        if self.type is ValueType.TEXTS and not all(isinstance(one, str) for one in value):
            return f"{value!r} is no list of texts"
        if self.length is not None and len(value) != self.length:
            return f"{value!r} has not {self.length} parts"
        if self.one_of and value not in self.one_of:
            return f"{value!r} is not one of {', '.join(self.one_of)}"
        return self._range_fault(value)

    def _range_fault(self, value: Any) -> str | None:
        if self.least is not None and value < self.least:
            return f"{value!r} is below {self.least:g}"
        if self.above is not None and value <= self.above:
            return f"{value!r} is not above {self.above:g}"
        if self.most is not None and value > self.most:
            return f"{value!r} is above {self.most:g}"
        return None


class ConfigFile(NamedTuple):
    """One file of a trainer's configuration."""

    name: str
    form: TextForm
    command: str | None
    """What the flags belong to."""
    when: frozenset[ExportCase]
    keys: tuple[ConfigKey, ...]
    """In the order in which they are written; of one path each at most once in every case."""

    def faults(self, values: Mapping[str, Any], cases: frozenset[ExportCase]) -> Iterator[str]:
        """What is wrong with the values of a file.

        Args:
            values: by the paths of their keys.
            cases: what holds for the export.
        """
        known = {one.path: one for one in self.keys if cases >= one.when}
        recorded = {one.path for one in self.keys}
        for path, value in values.items():
            if path not in known:
                state = "is not for this kind of run" if path in recorded else "is unknown"
                yield f"{self.name}: the key {path} {state}"
                continue
            fault = known[path].fault(value)
            if fault is not None:
                yield f"{self.name}: {path}: {fault}"
        for path, one in known.items():
            if one.required and path not in values:
                yield f"{self.name}: the key {path} is missing"


class Trainer(NamedTuple):
    """A trainer that plans are exported to."""

    name: str
    """As ``--export`` takes it."""
    title: str
    release: str
    commit: str
    """Of its sources."""
    sources: tuple[str, ...]
    from_scratch: bool
    """Whether a student may start from random weights."""
    stored_formats: tuple[LogitKind, ...]
    """Formats of stored logits that it reads; empty: none."""
    most_stored_vocab: float | None
    """Rows of vocabulary of which it reads stored logits; None: any."""
    about: tuple[str, ...]
    """What its files say of themselves."""
    names: Mapping[str, str]
    """Its names of open models."""
    rows: Mapping[str, float]
    """Of the vocabulary that it gives some of them, by our names."""
    files: tuple[ConfigFile, ...]


def trainer_names() -> tuple[str, ...]:
    """Trainers that plans are exported to.

    >>> "maxtext" in trainer_names()
    True
    """
    return tuple(sorted(path.stem for path in (coefficients_dir() / FOLDER).glob("*.yaml")))


@cache
def trainer(name: str) -> Trainer:
    """One of them.

    Raises:
        InputError: when its file is not what it should be.
    """
    entry = shipped(f"{FOLDER}/{name}.yaml")
    starts = entry.choice("starts", ("scratch", "continued"), "")
    names = entry.mapping("names") if entry.has("names") else None
    found = entry.record(
        Trainer,
        name=name,
        from_scratch=starts == "scratch",
        stored_formats=tuple(map(LogitKind, entry.texts("stored"))),
        names={} if names is None else {key: names.text(key) for key in names.data},
        rows=entry.mapping("rows").positives() if entry.has("rows") else {},
        files=tuple(_file(one) for one in entry.entries("files")),
    )
    entry.finish("schema", "wheels")
    return found


def _file(entry: Entry) -> ConfigFile:
    keys = entry.mapping("keys")
    found = ConfigFile(
        name=entry.text("file"),
        form=entry.member("form", TextForm),
        command=entry.optional_text("command"),
        when=_cases(entry),
        keys=tuple(
            _key(path, one)
            for path in keys.data
            for one in (
                keys.entries(path) if isinstance(keys.data[path], list) else [keys.mapping(path)]
            )
        ),
    )
    entry.finish()
    return found


def _key(path: str, entry: Entry) -> ConfigKey:
    found = ConfigKey(
        path=path,
        type=entry.member("type", ValueType),
        least=entry.number("least") if entry.has("least") else None,
        above=entry.number("above") if entry.has("above") else None,
        most=entry.number("most") if entry.has("most") else None,
        one_of=entry.texts("one_of"),
        length=entry.whole("length") if entry.has("length") else None,
        required=entry.flag("required"),
        value=entry.optional_text("value"),
        literal=entry.data.get("literal"),
        fill=entry.optional_text("fill"),
        origin=entry.member("origin", ValueOrigin) if "origin" in entry else None,
        when=_cases(entry),
        note=entry.text("note", ""),
    )
    entry.finish("literal")
    if (found.value or found.literal is not None) and found.origin is None:
        raise InputError(f"{entry.where}: a value that is written needs its origin")
    return found


def _cases(entry: Entry) -> frozenset[ExportCase]:
    return frozenset(ExportCase(one) for one in entry.texts("when"))
