"""Commands that are built once for many runs of them; Typer builds one longer than it runs it."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache, partial
from importlib import import_module
from typing import Any
from unittest import mock

import typer.main

from distillplan.cli import app as app_module
from distillplan.cli import help as help_module

_load, _group, _complete = app_module._load, app_module._group, help_module.complete


def command(name: str) -> Any:
    """One command as Typer builds it; a module that is loaded anew has it built anew."""
    module = name.replace(" ", "_")
    return _built(name, getattr(import_module(f"distillplan.cli.commands.{module}"), module))


@cache
def _built(name: str, function: object) -> Any:
    """The function is that of the command, and tells one build from the next."""
    del function
    return _load(name)


@cache
def _whole() -> Any:
    return typer.main.get_command(app_module.app)


def _completed(shown: Any) -> None:
    """What the help needs changes the defaults of its command, which is then built anew."""
    _built.cache_clear()
    _complete(shown)


@contextmanager
def built_once() -> Iterator[None]:
    """Runs of the application in here share their commands."""
    whole = partial(_whole().main, prog_name="distillplan")
    with ExitStack() as patches:
        for place, name, ours in (
            (app_module, "app", whole),
            (app_module, "_load", command),
            (app_module, "_group", cache(_group)),
            (help_module, "complete", _completed),
        ):
            patches.enter_context(mock.patch.object(place, name, ours))
        yield
