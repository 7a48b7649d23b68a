"""`distillplan check`: published results, reproduced."""

from typing import Annotated

import typer

from distillplan.checks import hardware_checks, topics
from distillplan.cli import flags
from distillplan.cli.exit_codes import FAILED
from distillplan.errors import InputError
from distillplan.laws import law_catalog
from distillplan.render.show import Output, show

TRANSFER = "transfer"
"""The word for the check of the law against other laboratories' runs."""
PRACTICE = "practice"
PEERS = "peers"
"""The word for the check of the planner against what laboratories did."""


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
    output: flags.Show = "table",
) -> None:
    """Reproduce published results and show the differences; exit 3 if one fails.

    What is known to miss is shown as a miss, with the reason, and fails nothing.

    Examples:
    distillplan check "Table 13"

    distillplan check throughput

    distillplan check transfer

    distillplan check practice
    """
    from distillplan.checks import law_checks  # not at every start
    from distillplan.checks.check_records import report

    wanted = (where or "").lower()
    if wanted == TRANSFER:
        from distillplan.checks.transfer_checks import transfer_report  # not at every start

        compared = transfer_report()
        show(compared, output, details=details)
        if not compared.passed:
            raise typer.Exit(FAILED)
        return
    if wanted == PRACTICE:
        _check_practice(output, details=details)
        return
    topic = wanted in topics.TOPICS
    by_law = (row for law in law_catalog.all_laws() for row in law_checks.check_law(law))
    rows = [row for row in by_law if not topic and wanted in f"{row.law} {row.where}".lower()]
    for law, group in law_checks.check_groups():
        if not topic and wanted in f"{law.name} {group.where}".lower():
            rows += law_checks.check_group(law, group)
    rows += [
        row
        for row in topics.topic_rows()
        if wanted in f"{row.law} {row.where}".lower()
        and (wanted or row.law != PEERS)  # errors of others are not ours to reproduce
    ]
    if not rows:
        raise _nothing_there(where)
    errors = hardware_checks.error_summaries() if wanted == "throughput" else ()
    found = report(rows, errors)
    show(found, output, details=details)
    if found.failed:
        raise typer.Exit(FAILED)


def _check_practice(output: Output, *, details: bool) -> None:
    """Published cases, and what the planner says of them."""
    from distillplan.checks.practice_checks import practice_report  # not at every start
    from distillplan.render.progress import progress

    with progress("Published cases"):
        found = practice_report()
    show(found, output, details=details)
    if not found.passed:
        raise typer.Exit(FAILED)


def _nothing_there(where: str | None) -> InputError:
    from distillplan.checks import law_checks  # not at every start

    places = sorted({group.where for _, group in law_checks.check_groups()})
    known = ", ".join([*places, *topics.TOPICS, TRANSFER, PRACTICE])
    return InputError(f"check: no published number in {where!r}; known: {known}")
