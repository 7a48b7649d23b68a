"""What laboratories did with small models, and what came of it: the cases of `check practice`."""

import math
from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from distillplan.checks.transfer_cases import (
    CaseMatch,
    CaseQuality,
    MatchedCase,
    Seen,
    Span,
    seen_from_entry,
    shipped_cases,
)
from distillplan.errors import InputError
from distillplan.files.entries import Entry, shipped
from distillplan.named_tuples import NamedTuple
from distillplan.units.quantities import plain_count

FILE: Final = "practice_cases.yaml"
SURE: Final = 0.85
"""A side is better where this is so probable: just beyond one standard deviation."""

Words = Mapping[str, str]
"""Words of a command with their values."""


class PracticeWay(StrEnum):
    """A way to get a small model."""

    SUPERVISED = "supervised"
    """From scratch, from data alone."""
    DISTILL = "distill"
    """From scratch, taught by a model."""
    TRAINED_START = "trained_start"
    """Cut from a larger model, or continued from a trained one."""
    ON_POLICY = "on_policy"
    """A stage after pretraining, taught on its own answers."""
    NONE = "none"
    """No such stage."""
    TIE = "tie"
    """None of those that were weighed is better by more than a tie."""


class PracticeQuestion(NamedTuple):
    """A question to the planner as a command."""

    command: str
    """Its name: budget, family or onpolicy."""
    words: Words
    """With `compute` for the budget."""


class PracticeCase(NamedTuple):
    """One published case."""

    name: str
    did: str
    """What was done."""
    before: PracticeQuestion | None
    """What could be asked of one student from scratch and one teacher; None: nothing."""
    now: PracticeQuestion | None
    """What can be asked now; None: nothing."""
    way: PracticeWay
    """What the gain is of."""
    against: PracticeWay
    """What it is over."""
    seen: Seen | None
    """None where nobody has published the two side by side."""
    told: str
    """The numbers of what was seen, or what is missing."""
    quality: CaseQuality
    source: str
    assumed: str
    """What the source does not state; empty for nothing."""

    @property
    def better(self) -> PracticeWay | None:
        """The side that did better by more than the error; None where that is not known."""
        if self.seen is None:
            return None
        if self.seen.chance_better >= SURE:
            return self.way
        return self.against if 1 - self.seen.chance_better >= SURE else None


def practice_cases() -> tuple[PracticeCase, ...]:
    """The cases that ship.

    Raises:
        InputError: when their file is missing or not of its form.
    """
    known = {(one.study, one.name): one for one in shipped_cases()}
    entries = shipped(FILE).entries("cases")
    return tuple(case_of_entry(one, known) for one in entries)


def case_of_entry(entry: Entry, known: Mapping[tuple[str, str], MatchedCase]) -> PracticeCase:
    """A case from the mapping of its file.

    Args:
        entry: the mapping.
        known: the comparisons with training from data alone, by study and name.

    Raises:
        InputError: naming what is missing or unknown.
    """
    of = None
    if entry.has("of"):
        named = entry.mapping("of")
        of = known.get((named.text("study"), named.text("name")))
        if of is None:
            raise InputError(f"{named.where}: no comparison of transfer_cases.yaml has these names")
    before = _words(entry, "before") if of is None else _asked_of(of)
    asked = None if before is None else PracticeQuestion("budget", before)
    now = _words(entry, "now")
    question = asked
    if now is not None:
        command = now.pop("command", "budget")
        question = PracticeQuestion(command, now)
    elif before is not None:
        question = PracticeQuestion("budget", {**before, **(_words(entry, "adds") or {})})
    seen = None if of is None else of.seen
    found = PracticeCase(
        name=entry.text("name"),
        did=entry.text("did"),
        before=asked,
        now=question,
        way=_way(entry, "way", PracticeWay.DISTILL),
        against=_way(entry, "against", PracticeWay.SUPERVISED),
        seen=seen_from_entry(entry.mapping("seen")) if entry.has("seen") else seen,
        told=entry.text("told"),
        quality=CaseQuality(
            entry.choice("quality", tuple(CaseQuality), "" if of is None else of.quality)
        ),
        source=entry.text("source", None if of is None else of.source),
        assumed=entry.text("assumed", "" if of is None else of.assumed),
    )
    entry.finish()
    return found


def _way(entry: Entry, key: str, usual: PracticeWay) -> PracticeWay:
    return PracticeWay(entry.choice(key, tuple(PracticeWay), usual))


def _words(entry: Entry, key: str) -> dict[str, str] | None:
    """Words of a command; None where the key is absent."""
    if not entry.has(key):
        return None
    words = entry.mapping(key)
    return {str(word): words.text(word) for word in words.data}


def _asked_of(case: MatchedCase) -> dict[str, str]:
    """The question about a comparison: the student on its tokens, and its teacher.

    Where the two are matched in compute, the teacher runs beside its student, and the budget is
    what the other one takes.
    """
    teacher = f"{_middle(case.teacher_params)}:{_middle(case.teacher_tokens)}"
    words = {"student": _middle(case.student_params), "teacher": teacher}
    if case.match is CaseMatch.COMPUTE:
        return {"compute": f"{_middle(case.supervised_tokens)} tokens", **words}
    return {"compute": f"{_middle(case.student_tokens)} tokens", **words, "logits": "cached"}


def _middle(span: Span) -> str:
    """A size as people write it, in the middle of what it may be."""
    return plain_count(float(f"{math.sqrt(span.low * span.high):.4g}"))
