"""What codes and terms mean: the answer of ``distillplan explain``, and the glossary of the docs.

All texts stand in the YAML files beside this module, each once.
"""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

from distillplan.errors import InputError
from distillplan.files.entries import Entry
from distillplan.files.yaml_reader import read_yaml
from distillplan.named_tuples import NamedTuple
from distillplan.suggest import nearest
from distillplan.units.numerals import shown


class WordKind(StrEnum):
    """Where a word stands."""

    WARNING = "warning"
    """The code of a warning or remark."""
    ANSWER = "answer"
    """A value in an answer's JSON."""
    TERM = "term"
    """A term of the field, or of our screens."""


_FILES = {
    WordKind.WARNING: "warnings.yaml",
    WordKind.ANSWER: "answers.yaml",
    WordKind.TERM: "terms.yaml",
}


class Explanation(NamedTuple):
    """What a code or a term means."""

    word: str
    """As JSON and screens have it."""
    kind: WordKind
    group: str
    """What it is about."""
    means: str
    """In one or two sentences."""
    why: str | None
    """Why it matters."""
    advice: str | None
    """What to do."""
    command: str | None
    """A command to try, or options to add to the question."""
    source: str
    """Where it comes from: a paper, a file, or a page of the documentation."""
    also: tuple[str, ...]
    """Other names of the same thing."""


class WordGroup(NamedTuple):
    """Words that are about one thing."""

    kind: WordKind
    group: str
    """What they are about."""
    words: tuple[str, ...]


class WordList(NamedTuple):
    """Every word that has an explanation."""

    groups: tuple[WordGroup, ...]

    @property
    def explained(self) -> tuple[Explanation, ...]:
        """Each word with its explanation."""
        return explanations()


def explain(word: str) -> Explanation:
    """What a code or a term means; case, hyphens, underscores and spaces do not matter.

    Raises:
        InputError: for an unknown word, with the nearest ones.

    >>> explain("Teacher-Too Strong").word
    'teacher_too_strong'
    """
    found = _by_letters().get(_letters(word))
    if found is None:
        known = [name.lower() for one in explanations() for name in (one.word, *one.also)]
        near = nearest(word, known, "run distillplan explain for the list")
        raise InputError(f"explain: {shown(word)} is unknown; {near}")
    return found


def word_list() -> WordList:
    """Every word that has an explanation, by what it is about."""
    groups: dict[tuple[WordKind, str], list[str]] = {}
    for one in explanations():
        groups.setdefault((one.kind, one.group), []).append(one.word)
    return WordList(
        groups=tuple(
            WordGroup(kind=kind, group=group, words=tuple(words))
            for (kind, group), words in groups.items()
        )
    )


@cache
def explanations() -> tuple[Explanation, ...]:
    """All explanations, in the order of their files.

    Raises:
        InputError: when a file is not what it should be.
    """
    return tuple(one for kind in WordKind for one in _of_file(kind))


def _of_file(kind: WordKind) -> Iterator[Explanation]:
    groups = read_yaml(Path(__file__).parent / _FILES[kind])
    entries = {word: one for group in groups.values() for word, one in group.items()}
    for group, words in groups.items():
        for word, own in words.items():
            yield _explanation(word, kind, group, {**entries.get(own.get("as"), {}), **own})


def _explanation(word: str, kind: WordKind, group: str, data: Mapping[str, Any]) -> Explanation:
    entry = Entry(data, word)
    found = entry.record(
        Explanation,
        word=word,
        kind=kind,
        group=group,
        advice=entry.optional_text("do"),
        command=entry.optional_text("try"),
    )
    entry.finish("as")
    return found


@cache
def _by_letters() -> Mapping[str, Explanation]:
    """By each name, without what people write differently."""
    return {_letters(name): one for one in explanations() for name in (one.word, *one.also)}


def _letters(word: str) -> str:
    return "".join(filter(str.isalnum, word.lower()))
