"""Options that are given twice: the second would silently replace the first."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from distillplan.errors import InputError


def refuse_repeated(args: Sequence[str], known: Mapping[str, Any]) -> None:
    """Refuse an option that takes one value and is given twice, or beside its opposite.

    Args:
        args: the words after the command's name.
        known: the options of the command, as Typer has them, by all their names.

    Raises:
        InputError: with both values.
    """
    before: dict[str, str] = {}
    for name, value in _given(iter(args), known):
        option = known[name]
        said = before.get(option.name)
        before[option.name] = value
        if said is None or (option.is_flag and said == value):
            continue
        if option.is_flag:
            raise InputError(f"{said} and {value} contradict each other; leave one out")
        raise InputError(
            f"{option.opts[0]} is given twice, as {said!r} and as {value!r}; leave one out"
        )


def _given(words: Iterator[str], known: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The options that take one value, by a name of theirs, with it; of a flag, its name."""
    for word in words:
        if word == "--":
            return
        name, sign, value = word.partition("=")
        if name not in known and not word.startswith("--") and word[:2] in known:  # -s1B
            name, sign, value = word[:2], word[:2], word[2:]
        option = known.get(name)
        if option is None:
            continue
        if option.is_flag:
            value = name
        elif not sign:
            value = next(words, "")
        if not option.multiple:
            yield name, value
