"""An answer on terminals of several widths."""

import os
from collections.abc import Iterable
from functools import cache
from typing import Any, NamedTuple
from unittest import mock

from distillplan.render import show, sweep_rows
from distillplan.render.blocks import Block
from tests.documentation import workbench
from tests.practice import reported
from tests.shell import run

WIDTHS = (60, 80, 120)


class Asked(NamedTuple):
    """What a command says, asked once."""

    lines: dict[int, list[str]]
    """By the width of the terminal."""
    answers: list[object]
    """What it shows."""

    @property
    def document(self) -> str:
        """The answer as `-o json` gives it."""
        (answer,) = self.answers
        return show.rendered(answer, "json")


@cache
def asked(*words: str) -> Asked:
    """The answer of a command on terminals of several widths, and as a document."""
    answers: list[object] = []
    blocks_of: list[list[Block]] = []

    def remembered(answer: object, output: Any, **how: object) -> str:
        answers.append(answer)
        return rendered(answer, output, **how)

    def kept(blocks: Iterable[Block], output: str) -> str:
        blocks_of.append([*blocks])
        return shown(blocks_of[-1], output)

    shown, rendered = show.as_text, show.rendered
    with (
        reported(),
        mock.patch.object(show, "rendered", remembered),
        mock.patch.object(show, "as_text", kept),
        mock.patch.object(sweep_rows, "as_text", kept),
    ):
        done = run(*words, folder=workbench(), COLUMNS="80")
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    found = {80: done.stdout.splitlines()}
    for width in {*WIDTHS} - {80}:
        if blocks_of:
            with mock.patch.dict(os.environ, {"COLUMNS": str(width)}):
                found[width] = "".join(shown(each, "table") for each in blocks_of).splitlines()
        else:
            found[width] = run(*words, folder=workbench(), COLUMNS=str(width)).stdout.splitlines()
    return Asked(found, answers)


def screens(*words: str) -> dict[int, list[str]]:
    """The lines of an answer by the width of the terminal."""
    return asked(*words).lines
