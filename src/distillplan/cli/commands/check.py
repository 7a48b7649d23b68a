"""`distillplan check`: published results, reproduced."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from distillplan.checks import hardware_checks, topics
from distillplan.cli import flags
from distillplan.cli.exit_codes import FAILED
from distillplan.errors import InputError
from distillplan.laws import law_catalog
from distillplan.render.show import show

if TYPE_CHECKING:
    from distillplan.checks.check_records import CheckRow

TRANSFER = "transfer"
"""The word for the check of the law against other laboratories' runs."""
PRACTICE = "practice"
"""The word for the check of the planner against what laboratories did."""
PEERS = "peers"
"""The topic of other estimators' errors."""


def check(
    where: Annotated[
        str | None,
        typer.Argument(
            help="Part of a source to restrict the check to: 'Figure 9', throughput, memory, runs, "
            "distillation, peers, generation, formats, on-policy; or transfer: other laboratories' "
            "runs; or practice: what they did, and what a plan says of it."
        ),
    ] = None,
    *,
    details: flags.Details = False,
    output: flags.ShowRows = "table",
) -> None:
    """Reproduce published results and show the differences; exit 3 if one fails.

    What is known to miss is shown as a miss, with the reason, and fails nothing.

    Examples:
    distillplan check "Table 13"

    distillplan check throughput

    distillplan check transfer

    distillplan check practice
    """
    answers = {TRANSFER: _transfer, PRACTICE: _practice}
    wanted = re.sub(r"\bfig\w*\.?\s*(?=\d)", "figure ", (where or "").lower())
    wanted = re.sub(r"\btab\w*\.?\s*(?=\d)", "table ", wanted)
    found, passed = answers[wanted]() if wanted in answers else _published(wanted, where)
    show(found, output, details=details)
    if not passed:
        raise typer.Exit(FAILED)


def _transfer() -> tuple[object, bool]:
    """The law against other laboratories' runs, and whether it passed."""
    from distillplan.checks.transfer_checks import transfer_report  # not at every start, as below

    found = transfer_report()
    return found, found.passed


def _practice() -> tuple[object, bool]:
    """Published cases and what the planner says of them, and whether it passed."""
    from distillplan.checks.practice_checks import practice_report
    from distillplan.render.progress import progress

    with progress("Published cases"):
        found = practice_report()
    return found, found.passed


def _published(wanted: str, where: str | None) -> tuple[object, bool]:
    """The published numbers of a part of a source, reproduced, and whether none failed."""
    from distillplan.checks.check_records import report

    rows = list(_rows(wanted))
    if not rows:
        raise _nothing_there(where)
    errors = hardware_checks.error_summaries() if wanted == "throughput" else ()
    found = report(rows, errors)
    return found, not found.failed


def _rows(wanted: str) -> Iterator["CheckRow"]:
    """The checks of a topic, or of the laws and places that have these letters."""
    from distillplan.checks import law_checks

    if wanted not in topics.TOPICS:
        for law in law_catalog.all_laws():
            yield from (row for row in law_checks.check_law(law) if _is_of(row, wanted))
        for law, group in law_checks.check_groups():
            if wanted in f"{law.name} {group.where}".lower():
                yield from law_checks.check_group(law, group)
    for row in topics.topic_rows():
        if _is_of(row, wanted) and (wanted or row.law != PEERS):  # their errors are not ours
            yield row


def _is_of(row: "CheckRow", wanted: str) -> bool:
    return wanted in f"{row.law} {row.where}".lower()


def _nothing_there(where: str | None) -> InputError:
    from distillplan.checks import law_checks

    places = sorted({group.where for _, group in law_checks.check_groups()})
    known = ", ".join([*places, *topics.TOPICS, TRANSFER, PRACTICE])
    return InputError(f"check: no published number in {where!r}; known: {known}")
