"""An answer on terminals of several widths."""

import os
from collections.abc import Iterable
from functools import cache
from unittest import mock

from distillplan.render import show, sweep_rows
from distillplan.render.blocks import Block
from tests.documentation import workbench
from tests.shell import run

WIDTHS = (60, 80, 120)


@cache
def screens(*words: str) -> dict[int, list[str]]:
    """The lines of an answer by the width of the terminal; it is asked for once."""
    asked: list[list[Block]] = []

    def kept(blocks: Iterable[Block], output: str) -> str:
        asked.append([*blocks])
        return shown(asked[-1], output)

    shown = show.as_text
    with (
        mock.patch.object(show, "as_text", kept),
        mock.patch.object(sweep_rows, "as_text", kept),
    ):
        done = run(*words, folder=workbench(), COLUMNS="80")
    assert (done.returncode, done.stderr) == (0, "")
    found = {80: done.stdout.splitlines()}
    for width in {*WIDTHS} - {80}:
        if asked:
            with mock.patch.dict(os.environ, {"COLUMNS": str(width)}):
                found[width] = "".join(shown(each, "table") for each in asked).splitlines()
        else:
            found[width] = run(*words, folder=workbench(), COLUMNS=str(width)).stdout.splitlines()
    return found
