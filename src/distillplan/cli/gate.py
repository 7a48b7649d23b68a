"""Assertions on an answer: failures go to standard error, and the exit code is 3."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import typer

from distillplan.cli.exit_codes import FAILED
from distillplan.planning.results import Plan
from distillplan.render.streams import write_error

if TYPE_CHECKING:
    from distillplan.questions.assertions import Outcome


def outcomes(asserted: Sequence[str] | None, plan: Plan) -> "tuple[Outcome, ...]":
    """The outcome of each assertion.

    Raises:
        InputError: when one cannot be read.
    """
    if not asserted:
        return ()
    from distillplan.questions.assertions import check, parse_assertion  # not at every start

    return check([parse_assertion(text) for text in asserted], plan)


def gate(outcomes: "Iterable[tuple[str, Outcome]]") -> None:
    """Name each assertion that failed, with its scenario, and exit.

    Raises:
        typer.Exit: when one failed.
    """
    failed = [(name, outcome) for name, outcome in outcomes if not outcome.passed]
    for name, outcome in failed:
        where = f"{name}: " if name else ""
        value = "there is none" if outcome.value is None else f"it is {outcome.value}"
        write_error(f"assertion failed: {where}{outcome.assertion}, but {value}")
    if failed:
        raise typer.Exit(FAILED)
