"""What laboratories did with small models and what the planner says of it, for people."""

from collections.abc import Iterable, Iterator
from typing import Final

from distillplan.checks.practice_cases import PracticeWay
from distillplan.checks.practice_checks import (
    PracticeAnswer,
    PracticeOutcome,
    PracticeReport,
    PracticeRow,
)
from distillplan.render.blocks import Block, Bullets, TableBlock, Text
from distillplan.render.odds_view import percent
from distillplan.render.plan_words import rival_in_words

WAYS: Final = {
    PracticeWay.SUPERVISED: "pretrain",
    PracticeWay.DISTILL: "distill",
    PracticeWay.TRAINED_START: "trained start",
    PracticeWay.ON_POLICY: "on-policy",
    PracticeWay.NONE: "no stage",
    PracticeWay.TIE: "tie",
}
"""Ways in a word or two."""
_MARKS: Final = {
    PracticeOutcome.HIT: "✓",
    PracticeOutcome.MISS: "✗",
    PracticeOutcome.UNDECIDABLE: "",
}


def practice_view(report: PracticeReport, *, details: bool = False) -> Iterator[Block]:
    """The blocks of the check.

    Args:
        report: the answer.
        details: show every case, its source and the commands instead of one screen.
    """
    now, before = report.now, report.before
    yield Text(
        f"{now.hits} of {now.hits + now.misses} published cases came out as the planner says, "
        f"{now.misses} did not; {now.undecidable} cannot be decided. When it knew one student from "
        f"scratch and one teacher only, it was {before.hits} of {before.hits + before.misses}.",
        "verdict",
    )
    if details:
        yield _table("", report.rows)
        for row in report.rows:
            yield Bullets(row.name, tuple(_about(row)))
        return
    changed = [row for row in report.rows if row.outcome is not row.outcome_before]
    missed = [
        row for row in report.rows if row.outcome is PracticeOutcome.MISS and row not in changed
    ]
    yield _table("Missed", missed)
    yield _table("Changed", changed)
    yield Text(
        "* and names a trained start, which no law weighs: cut from a larger model, or continued "
        "from one. More: --details (every case, its source, the commands)  -o json",
        "quiet",
    )


def _table(title: str, rows: Iterable[PracticeRow]) -> TableBlock:
    return TableBlock(
        title,
        ("", "did better", "said before", "says now"),
        tuple(
            (
                row.name,
                "not known" if row.better is None else WAYS[row.better],
                said_in_words(row.before, row.outcome_before, rival="*"),
                said_in_words(row.now, row.outcome, rival="*"),
            )
            for row in rows
        ),
        text_columns=(0, 1, 2, 3),
        tight=True,
    )


def said_in_words(
    answer: PracticeAnswer, outcome: PracticeOutcome, rival: str | None = None
) -> str:
    """What the planner says, how sure it is, and a mark for a hit or a miss.

    Args:
        answer: what it says.
        outcome: whether that is what was seen.
        rival: what to add where it names a trained start beside what it weighs; None: words.
    """
    if answer.asked is None:
        words = "no question"
    elif answer.says is not None:
        odds = "" if answer.odds is None else f" {percent(answer.odds)}"
        words = f"{WAYS[answer.says]}{odds}"
    elif answer.weighed:
        words = "no verdict"
    else:
        words = "no law"
    if PracticeWay.TRAINED_START in answer.named and answer.weighed:
        model = "" if answer.rival is None else f" ({answer.rival.parent})"
        words += f"; names a trained start{model}" if rival is None else rival
    return f"{_MARKS[outcome]} {words}".strip()


def _about(row: PracticeRow) -> Iterator[str]:
    """What was done and seen, and what was asked."""
    yield f"{row.did}: {row.told}"
    if row.before.asked is not None and row.before.asked != row.now.asked:
        yield f"before: {row.before.asked}"
    if row.now.asked is not None:
        yield row.now.asked
    if row.now.rival is not None:
        yield rival_in_words(row.now.rival)
    if row.assumed:
        yield f"assumed: {row.assumed}"
    yield f"{row.source} ({row.quality})"
