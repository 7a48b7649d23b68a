"""An answer on terminals of several widths."""

import os
from collections.abc import Iterable
from functools import cache
from typing import Any, NamedTuple
from unittest import mock

from distillplan.render import show, sweep_rows
from distillplan.render.blocks import Block
from tests.documentation import workbench
from tests.reports import reported
from tests.shell import run

WIDTHS = (60, 80, 120)


class Asked(NamedTuple):
    """What a command says, asked once."""

    words: tuple[str, ...]
    said: list[str]
    """Its lines at 80 columns."""
    answers: list[object]
    """What it shows."""
    shown: list[list[Block]]
    """How, where it is for people."""

    @property
    def document(self) -> str:
        """The answer as `-o json` gives it."""
        (answer,) = self.answers
        return show.rendered(answer, "json")

    def at(self, width: int) -> list[str]:
        """Its lines on a terminal of a width."""
        if width == 80:
            return self.said
        if not self.shown:
            found = run(*self.words, folder=workbench(), COLUMNS=str(width))
            return found.stdout.splitlines()
        with mock.patch.dict(os.environ, {"COLUMNS": str(width)}):
            return "".join(show.as_text(each, "table") for each in self.shown).splitlines()


@cache
def asked(*words: str) -> Asked:
    """The answer of a command, for terminals of any width and as a document."""
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
    return Asked(words, done.stdout.splitlines(), answers, blocks_of)


@cache
def screens(*words: str) -> dict[int, list[str]]:
    """The lines of an answer by the width of the terminal."""
    found = asked(*words)
    return {width: found.at(width) for width in WIDTHS}
