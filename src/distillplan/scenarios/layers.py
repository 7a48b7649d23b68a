"""From the words that people write to values, by the table of keys.

Files, ``--set`` and the options of a command all pass through here.
"""

from collections.abc import Callable, Container, Iterable, Mapping
from typing import Any

from distillplan.errors import InputError, Word
from distillplan.models.known_model import Sized
from distillplan.named_tuples import NamedTuple
from distillplan.scenarios import key_table
from distillplan.scenarios.key import Key
from distillplan.scenarios.values import PAIR, STUDENT, SWITCH, StudentSizes
from distillplan.suggest import close_names, nearest

Values = dict[str, Any]
"""From places in a `Scenario`, such as ``teacher.loss``, to what was read."""
Told = Callable[[str], str]
"""How a word is named in an error: as a key, or as the option that was typed."""

SEE = "see distillplan schema scenario"
"""Where all the words are."""
STUDENT_PLACES = {"student_params", "student_model"}
"""Two ways to say the same, of which the one above wins."""
FUNDS = frozenset(("budget", "limits.hours", "limits.usd"))
"""Places of which one at least says what a question may spend."""
MOST_FAULTS = 30
"""Most faults reported of one file; nobody reads more."""


class Fault(NamedTuple):
    """Something that is wrong in a mapping of keys."""

    path: tuple[str, ...]
    """The word as it was written; within a mapping, that mapping's word first."""
    error: InputError


class Layer(NamedTuple):
    """What one mapping says: what it takes back, then what it sets."""

    cleared: frozenset[str] = frozenset()
    """Places, or beginnings of places, whose values of the layers below no longer hold."""
    values: Mapping[str, Any] = {}
    unread: frozenset[str] = frozenset()
    """Beginnings of places that a word belongs to that could not be read."""
    words: frozenset[str] = frozenset()
    """The keys of the table that it has."""

    def over(self, below: Mapping[str, Any]) -> Values:
        """The values of the layers below with this one on top."""
        kept = dict(below)
        if self.cleared:
            for place in below:
                if not self.cleared.isdisjoint((place, root_of(place))):
                    del kept[place]
        kept.update(self.values)
        return kept

    def replaces(self, place: str) -> bool:
        """Whether a value of the layers below does not hold."""
        return place in self.values or not self.cleared.isdisjoint((place, root_of(place)))


def read_layer(entries: Iterable[tuple[str, Any]], faults: list[Fault], told: Told = str) -> Layer:
    """The values of one mapping.

    Args:
        entries: words and plain values: scalars, lists, mappings. None takes a value back.
        faults: grows by each thing that is wrong.
        told: how a word is named in an error.
    """
    reader = _Reader(faults, told)
    for written, value in entries:
        if len(faults) >= MOST_FAULTS:  # a suggestion for each of a million would take minutes
            break
        reader.read((written,), value)
    return Layer(
        cleared=frozenset(reader.cleared),
        values=reader.values,
        unread=frozenset(reader.unread),
        words=frozenset(reader.words),
    )


class _Reader:
    """Reads the entries of one mapping."""

    def __init__(self, faults: list[Fault], told: Told) -> None:
        self.faults, self.told = faults, told
        self.cleared, self.unread, self.words = set[str](), set[str](), set[str]()
        self.values: Values = {}
        self.by: dict[str, str] = {}

    def read(self, path: tuple[str, ...], value: Any) -> None:
        """Take one entry in."""
        key = key_table.TABLE.find(".".join(path))
        try:
            if key is None:
                raise _unknown(path)
            self.words.add(key.word)
            if _is_nothing(key, value):
                self.cleared |= {key.place, f"{key.place}.low", f"{key.place}.high"}
                self.cleared |= STUDENT_PLACES if key.value is STUDENT else set()
            elif key.is_group and isinstance(value, Mapping):
                for name, one in value.items():
                    self.read((key.word, str(name)), one)
            else:
                found = _read(key, value, self.told(".".join(path)))
                self.cleared |= {key.place} if key.is_group else set()
                self.cleared |= STUDENT_PLACES if key.place in STUDENT_PLACES else set()
                for place, one in _placed(key, found).items():
                    self.put(place, one, path)
        except InputError as error:
            self.faults.append(Fault(path, error))
            self.unread |= roots(path)

    def put(self, place: str, value: Any, path: tuple[str, ...]) -> None:
        """Set a value, unless another word has set it, or names a model of another size."""
        written, said = self.told(".".join(path)), self.by.get(place)
        params = place.replace("model", "params")
        other = place.replace("params", "model") if place == params else params
        size, there = (getattr(one, "params", one) for one in (value, self.values.get(other)))
        if said is None and other != place and there not in (None, size):
            said = self.by[other]
        if said is not None:
            raise InputError(f"{said} and {written} both give {params}; leave one out")
        self.by[place], self.values[place] = written, value


def _is_nothing(key: Key, value: Any) -> bool:
    """Whether a value takes back what is said below: null, or none where there are no choices."""
    return value is None or (key.value.choices is None and str(value).lower() == "none")


def _read(key: Key, value: Any, word: str) -> Any:
    """The value of a key; an error about a word says whose it is."""
    try:
        return key.value.read(value, word)
    except InputError as error:
        if key.value.choices is None:
            raise
        raise InputError(*error.parts, *_of_another(str(value).lower())) from None


def _of_another(typed: str) -> tuple[str | Word, ...]:
    """The only key that has a word among its choices, to add to an error; nothing otherwise."""
    every = (key for key in key_table.TABLE.keys.values() if key.value is not SWITCH)
    choices = {key.word: key.value.choices for key in every}
    keys = [one for one, known in choices.items() if known is not None and typed in known()]
    return ("; for that there is ", Word(keys[0], typed)) if len(keys) == 1 else ()


def _unknown(path: tuple[str, ...]) -> InputError:
    *outer, name = path
    if outer:
        known = [key.name for key in key_table.TABLE.within(outer[0])]
        beside = f"put it beside {outer[0]}, not below it" if key_table.TABLE.find(name) else ""
        advice = beside or nearest(name, known)
        return InputError(f"{outer[0]}: unknown key {name[:60]!r}; {advice}")
    return InputError(f"unknown key {name[:60]!r}; {nearest(name, key_table.TABLE.words(), SEE)}")


def roots(path: tuple[str, ...]) -> set[str]:
    """Beginnings of the places that a word sets; of all that it may stand for if mistyped."""
    known = key_table.TABLE.find(".".join(path))
    if known is not None:
        return {root_of(known.place)}
    if len(path) > 1:
        return {path[0]}
    close = (key_table.TABLE.find(name) for name in close_names(path[0], key_table.TABLE.words()))
    return {root_of(key.place) for key in close if key is not None}


def root_of(place: str) -> str:
    """The beginning of a place, such as ``teacher`` of ``teacher.loss``."""
    return place.partition(".")[0]


def _placed(key: Key, value: Any) -> Values:
    """The places that the value of a key sets."""
    if key.value is PAIR:
        low, high = value
        return {f"{key.place}.low": low, f"{key.place}.high": high}
    if isinstance(value, StudentSizes):
        said = _named_or_sized(value.sized)
        places: Values = {f"student_{name}": one for name, one in said.items()}
        return places if value.budget is None else {**places, "budget": value.budget}
    if isinstance(value, Sized):
        said = {**_named_or_sized(value), "tokens": value.tokens}
        return {f"{key.place}.{name}": one for name, one in said.items() if one is not None}
    return {key.place: value}


def _named_or_sized(value: Sized) -> Values:
    """The parameters, or the model whose own they are, as the law counts them."""
    return {"params": value.params} if value.model is None else {"model": value.model}


def values_of_options(options: Mapping[str, Any], told: Told = str, *above: Layer) -> Values:
    """What a command's options say, by places; those that are None were not given.

    Args:
        options: values by words.
        told: how a word is named in an error.
        above: layers that win over the options.

    Raises:
        InputError: with all that is wrong.
    """
    faults: list[Fault] = []
    given = ((name, value) for name, value in options.items() if value is not None)
    values: Values = {}
    for layer in (read_layer(given, faults, told), *above):
        values = layer.over(values)
    if faults:
        first, *others = (fault.error for fault in faults)
        raise InputError(*first.parts, also=first.also, others=others)
    return values


def refuse_budget(values: Container[str], word: str) -> None:
    """Refuse a budget within another word, such as the tokens of a student, where it is the answer.

    Args:
        values: by places, of that word.
        word: as it was typed.

    Raises:
        InputError: when they have a budget.
    """
    if "budget" in values:
        raise InputError(
            f"{word}: its tokens are a budget, which is the answer here; leave them out"
        )


def refuse_words(layer: Layer, why: Mapping[str, str]) -> None:
    """Refuse words of ``--set`` that have no part in a question.

    Args:
        layer: what they say.
        why: they have none, by beginnings of their places.

    Raises:
        InputError: for the first of them.
    """
    said = {root_of(key_table.TABLE.keys[word].place): word for word in sorted(layer.words)}
    for place in layer.values:
        said.setdefault(root_of(place), "student_params")  # a student may bring its budget along
    for root, word in said.items():
        if root in why:
            raise InputError(f"--set {key_table.TABLE.keys[word].short}: {why[root]}")


def values_within(values: Mapping[str, Any], root: str) -> Values:
    """The values of one part, by their names within it."""
    return {
        place.partition(".")[2]: value
        for place, value in values.items()
        if place.startswith(f"{root}.")
    }
