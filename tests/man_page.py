"""The man page, from the help: `python -m tests.documentation` writes docs/distillplan.1 anew.

It says what each command answers and takes; a wheel puts it where `man distillplan` finds it.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

import typer

from distillplan.cli.app import COMMANDS, app
from distillplan.cli.first_screen import FIRST_SCREEN

EXIT_CODES = {
    0: "answered",
    1: "the question has no answer",
    2: "the input is unusable; one sentence on standard error says why",
    3: "answered, and an assertion, a check or a test failed",
    70: "a bug: its traceback is on standard error; please report it",
    130: "interrupted with Ctrl-C; nothing half written is left",
}


def man_page(version: str, command: Callable[[str], Any]) -> str:
    """The page as troff.

    Args:
        version: of the package.
        command: gives a command as its help shows it.
    """
    about, source = (" ".join(one.split()) for one in str(app.info.help).split("\n\n"))
    lines = [
        f'.TH DISTILLPLAN 1 "" "distillplan {version}" "User Commands"',
        ".SH NAME",
        "distillplan \\- distill a language model, or train it from data alone?",
        ".SH SYNOPSIS",
        ".B distillplan",
        r"\fICOMMAND\fR [\fIARGUMENTS\fR] [\fIOPTIONS\fR]",
        ".SH DESCRIPTION",
        *(_plain(about), _plain(source)),
        *(".PP", ".nf", *map(_plain, FIRST_SCREEN.splitlines()), ".fi"),
        ".SH COMMANDS",
    ]
    for name in COMMANDS:
        lines += _of_command(name, command(name))
    lines.append(".SH EXIT STATUS")
    for code, meaning in EXIT_CODES.items():
        lines += [".TP", str(code), _plain(meaning)]
    return "\n".join([*lines, ""])


def _of_command(name: str, found: Any) -> Iterator[str]:
    """What a command answers, and what it takes."""
    about, *_ = re.split(r"\n\nExamples?:\n", found.help)
    yield f".SS {name}"
    for paragraph in about.split("\n\n"):
        yield from (".PP", _plain(" ".join(paragraph.split())))
    for one in found.params:
        if getattr(one, "hidden", False):
            continue
        metavar = one.make_metavar(typer.Context(found))
        words = [metavar]
        if one.param_type_name == "option":
            words = [*one.opts]
            words[-1] += "" if one.is_flag else f" {metavar}"
        told = f"{one.help or ''}{default_shown(one)}"
        yield from (".TP", rf"\fB{_plain(', '.join(words))}\fR", _plain(told))


def default_shown(param: Any) -> str:
    """The default of an option as its help shows it; empty where it has none."""
    default = param.default
    return "" if default in {None, False, (), ""} or callable(default) else f" [default: {default}]"


def _plain(text: str) -> str:
    """A line that troff shows as it is."""
    text = text.replace("\\", r"\e").replace("-", r"\-")
    return rf"\&{text}" if text.startswith((".", "'")) else text
