"""`distillplan explain`: what a warning or a term means."""

from typing import Annotated

import typer

from distillplan.cli import flags
from distillplan.questions.glossary import explanation
from distillplan.render.show import show


def explain(
    word: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[WORD]", help="Code of a warning, word of an answer, or term; any spelling."
        ),
    ] = None,
    output: flags.ShowRows = "table",
) -> None:
    """Explain the code of a warning or a term, or list them: meaning, why, what to do, source.

    Examples:
    distillplan explain teacher_too_strong

    distillplan explain bits per byte
    """
    show(explanation.explain(" ".join(word)) if word else explanation.word_list(), output)
