"""Assertions on an answer: failures go to standard error, and the exit code is 3."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import typer

from distillplan.cli.exit_codes import FAILED
from distillplan.planning.results import Plan
from distillplan.render.streams import write_error

if TYPE_CHECKING:
    from distillplan.questions.assertions import Outcome


def outcomes(
    asserted: Sequence[str] | None, plan: Plan, *, quick: bool = False
) -> "tuple[Outcome, ...]":
    """The outcome of each assertion.

    Args:
        asserted: as typed.
        plan: that they are about.
        quick: whether its odds and bands are left out.

    Raises:
        InputError: when one cannot be read, or is about what the plan cannot have.
    """
    if not asserted:
        return ()
    from distillplan.questions import assertions  # not at every start

    found = [assertions.parse_assertion(text) for text in asserted]
    assertions.demand_known(found, plan.scenario, quick=quick)
    return assertions.check(found, plan)


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
