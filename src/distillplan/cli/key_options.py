"""Options from the table of keys, for the commands that have them."""

import functools
import inspect
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Annotated, Any, TypeVar, get_args

import typer
from typer.models import ArgumentInfo

from distillplan.errors import InputError, Word
from distillplan.scenarios import key_table
from distillplan.scenarios.key import Key

Command = TypeVar("Command", bound=Callable[..., None])

VALUES = "VALUES"
"""What an option takes that is an axis: a list or a range."""


def options(
    command: str,
    *,
    required: Collection[str] = (),
    axes: bool = False,
    without: Collection[str] = (),
    of: Callable[..., Any] | None = None,
) -> Callable[[Command], Command]:
    """Give a command the options of its keys, which it receives as ``**given``.

    They come as they were written, by the words of the table, without those that were not given.
    Its positional parameters are shown before them, its keyword-only ones after them. The errors
    that it raises name the options.

    Args:
        command: its name.
        required: words of keys that must be given.
        axes: whether the options take several values.
        without: words of keys of the command that it does without.
        of: a function whose parameters are options as well; the command receives them among
            ``given``, which is what to call it with.
    """
    found = [key for key in key_table.TABLE.options(command) if key.word not in without]
    keys = {_identifier(key): key for key in found}

    def decorate(function: Command) -> Command:
        own = dict(inspect.signature(function).parameters)
        own.pop("given")
        if of is not None:
            lent = dict(inspect.signature(of).parameters)
            lent.pop("given")
            own = lent | own
        name = naming(command, own)

        @functools.wraps(function)
        def wrapper(**arguments: Any) -> None:
            given = {
                key.word: arguments[one] for one, key in keys.items() if arguments[one] is not None
            }
            try:
                function(**{one: arguments[one] for one in own}, **given)
            except InputError as error:
                raise error.told(functools.partial(_named, name, given, arguments)) from None

        before = [one for one in own.values() if one.kind is one.POSITIONAL_OR_KEYWORD]
        after = [one for one in own.values() if one.kind is one.KEYWORD_ONLY]
        shown = [
            _parameter(
                one,
                key,
                required=key.word in required,
                axis=axes,
                hidden=function.__name__ in key.refused.split(),
            )
            for one, key in keys.items()
        ]
        first = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in before]
        keyword = [*first, *shown, *after]
        wrapper.__signature__ = inspect.Signature(keyword)  # type: ignore[attr-defined]  # Typer's source
        wrapper.__annotations__ = {}  # they stand in the signature, and Typer reads both
        wrapper.keys_of = command  # type: ignore[attr-defined]  # for the help
        return wrapper  # type: ignore[return-value]  # it takes what its signature says

    return decorate


def _named(
    name: Callable[[Word], str], given: Mapping[str, Any], arguments: Mapping[str, Any], word: Word
) -> str:
    """The name of a key; of another one that gives the same, where that was typed instead."""
    key = key_table.TABLE.find(word.key)
    if key is None or word.value or key.word in given or arguments.get(_identifier(key)):
        return name(word)
    places = {one: key_table.TABLE.keys[one].place for one in given}
    return name(next((Word(one) for one in given if places[one] == key.place), word))


def naming(
    command: str, own: Mapping[str, inspect.Parameter] | None = None
) -> Callable[[Word], str]:
    """How to name a key to somebody who typed a command.

    Args:
        command: its name.
        own: its parameters beside the options of keys.
    """
    own = own or {}

    def name(word: Word) -> str:
        key = key_table.TABLE.find(word.key)
        if key is None:
            flag = f"--{word.key.replace('_', '-')}"
            return f"{flag} {word.value}".rstrip() if word.key in own else str(word)
        parameter = own.get(_identifier(key))
        if parameter is not None and _is_argument(parameter):
            return word.value or parameter.name.upper()
        if parameter is not None or key.known_to(command):
            return f"{key.flags[0]} {word.value}".rstrip()
        if "sets" in own:
            return f"--set {word.key}={word.value}" if word.value else f"--set {word.key}"
        return str(word)

    return name


def _is_argument(parameter: inspect.Parameter) -> bool:
    """Whether a parameter is typed without an option."""
    return any(isinstance(one, ArgumentInfo) for one in get_args(parameter.annotation))


def told_as(command: str, behind: str = "") -> Callable[[str], str]:
    """How to name a word of the table to somebody who typed it in a command.

    Args:
        command: its name.
        behind: the option that takes words which are no options of the command; empty: they stood
            without one.
    """
    name = naming(command)

    def told(word: str) -> str:
        key = key_table.TABLE.find(word)
        if behind and (key is None or not key.known_to(command)):
            return f"{behind} {word}"
        bare = key is not None and key.flags and not key.known_to(command)
        return key.metavar if key is not None and bare else name(Word(word))

    return told


def as_typed(
    compute: str | None, given: Mapping[str, str], command: str, sets: Sequence[str] = ()
) -> str:
    """A question as a shell takes it: the budget where it is given, then the options of keys.

    Args:
        compute: the budget, as written.
        given: the other keys, as written, by their words.
        command: that takes it; the options that it only refuses are left out.
        sets: as `--set` has them.

    >>> as_typed("$20k", {"student": "1B", "logit_format": "full"}, "pilot")
    "'$20k' --student 1B"
    """
    import shlex  # not for every start

    words = [] if compute is None else [compute]
    for word, value in given.items():
        key = key_table.TABLE.find(word)
        if key is not None and command not in key.refused.split():
            words += [key.flags[0], value]
    for one in sets:
        words += ["--set", one]
    return shlex.join(words)


def _identifier(key: Key) -> str:
    """The name of the parameter of a command."""
    return key.flags[0].lstrip("-").replace("-", "_") if key.flags else ""


def _parameter(
    name: str, key: Key, *, required: bool, axis: bool, hidden: bool
) -> inspect.Parameter:
    option = typer.Option(
        *key.flags,
        metavar=VALUES if axis else key.metavar or None,
        rich_help_panel=key.panel or None,
        help=key.help,
        hidden=hidden,
    )
    kind = inspect.Parameter.KEYWORD_ONLY
    if required:
        return inspect.Parameter(name, kind, annotation=Annotated[str, option])
    return inspect.Parameter(name, kind, default=None, annotation=Annotated[str | None, option])
