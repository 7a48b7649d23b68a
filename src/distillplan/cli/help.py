"""What only the help of a command shows: defaults and choices, which take imports to know."""

from typing import Any

from distillplan.cli.key_options import VALUES
from distillplan.scenarios import key_table
from distillplan.scenarios.block import default_of

HIDDEN = ("--minimise",)
"""Old spellings that still work."""


def complete(command: Any) -> None:
    """Add to the options of a command what its help shows and its start does without.

    Args:
        command: of Typer's.
    """
    named = getattr(command.callback, "keys_of", command.name)
    shown = {key.flags[0]: key for key in key_table.TABLE.options(named)}
    for option in command.params:
        option.opts = [flag for flag in option.opts if flag not in HIDDEN]
        usual = option.show_default() if callable(option.show_default) else option.show_default
        if isinstance(usual, str):  # which would be put into parentheses
            option.default, option.show_default = usual, True
        key = shown.get(option.opts[0])
        if key is None or option.help != key.help:
            continue
        if option.metavar is None and key.value.choices is not None:
            option.metavar = f"<{'|'.join(key.value.choices())}>"
        default = default_of(key)
        if default and option.metavar != VALUES and not option.required:
            option.default, option.show_default = default, True
