"""What only the help of a command shows: defaults and choices, which take imports to know."""

import inspect
from collections.abc import Sequence
from typing import Any

from distillplan.cli.key_options import VALUES
from distillplan.scenarios import key_table
from distillplan.scenarios.block import default_of
from distillplan.scenarios.key import Key

HIDDEN = ("--minimise",)
"""Old spellings that still work."""
WIDEST = 16
"""Of a metavar: wider ones leave too little of 80 columns for the help beside them."""


def complete(command: Any) -> None:
    """Add to a command and its options what its help shows and its start does without.

    Args:
        command: of Typer's.
    """
    command.help = _flowing(command.help or "")
    named = getattr(command.callback, "keys_of", command.name)
    shown = {key.flags[0]: key for key in key_table.TABLE.options(named)}
    for option in command.params:
        option.opts = [flag for flag in option.opts if flag not in HIDDEN]
        key = shown.get(option.opts[0])
        _complete(option, key if key is not None and option.help == key.help else None)


def _complete(option: Any, key: Key | None) -> None:
    """Add its choices and default to an option, which may be that of a key."""
    usual = option.show_default() if callable(option.show_default) else option.show_default
    if isinstance(usual, str):  # which would be put into parentheses
        option.default, option.show_default = usual, True
    choices = getattr(option.type, "choices", ())
    if key is not None and key.value.choices is not None:
        choices = key.value.choices()
    if choices and option.metavar is None:
        _offer(option, choices)
    default = None if key is None else default_of(key)
    if default and option.metavar != VALUES and not option.required:
        option.default, option.show_default = default, True


def _offer(option: Any, choices: Sequence[str]) -> None:
    """Put the choices of an option where there is room for them."""
    listed = f"<{'|'.join(choices)}>"
    if len(listed) <= WIDEST:
        option.metavar = listed
        return
    option.metavar = option.opts[0].rpartition("-")[2].upper()
    if not all(one in option.help for one in choices):
        *others, last = choices
        option.help = f"{option.help} One of {', '.join(others)} or {last}."


def _flowing(text: str) -> str:
    """The description of a command for any width: one line a paragraph, one line an example."""
    prose, heading, examples = inspect.cleandoc(text).partition("Examples:\n")
    paragraphs = [" ".join(one.split()) for one in prose.split("\n\n") if one.strip()]
    if heading:
        paragraphs.append("\n$ ".join([heading.strip(), *filter(None, examples.split("\n"))]))
    return "\n\n".join(paragraphs)
