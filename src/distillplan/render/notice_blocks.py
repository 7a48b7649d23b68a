"""The notices of an answer, for people."""

from collections.abc import Iterable, Iterator

from distillplan.models.named_models import LICENSE_FORBIDS
from distillplan.notices import UNKNOWN_ARCHITECTURE, Notice, Severity, doubts, worst_first
from distillplan.planning.model_warnings import TOKENIZERS_DIFFER
from distillplan.render.blocks import Bullets, Room, Section, Text, Tone

DOUBTS = "Before you trust this"
_HEADINGS: tuple[tuple[Severity, str, Tone], ...] = (
    (Severity.WARNING, DOUBTS, "warning"),
    (Severity.INFO, "Good to know", "plain"),
)
MISMATCHES = (TOKENIZERS_DIFFER, "tokenizer_differs")
"""Codes of the warnings that nobody can distill as asked; estimates have a code of their own."""


ON_TOP = (UNKNOWN_ARCHITECTURE, *MISMATCHES, LICENSE_FORBIDS)
"""Codes of the warnings that are read first: the models may not be those that were meant, or
nobody may distill so."""


def mismatched(notices: Iterable[Notice]) -> bool:
    """Whether nobody can distill as asked."""
    return any(one.code in MISMATCHES for one in notices)


def first_in_words(notices: Iterable[Notice]) -> str:
    """What to read before all else, each once; empty where there is nothing of the kind."""
    told = dict.fromkeys(one.message for one in notices if one.code in ON_TOP)
    return " ".join(f"{message}." for message in told)


def under_headline(first: str) -> Iterator[Text]:
    """What to read first under the answer, which no lack of room may drop; nothing if empty."""
    if first:
        yield Text(first, "warning", tight=True)


def other_doubts(notices: Iterable[Notice]) -> Iterator[str]:
    """The warnings in words but for those that stand under the answer."""
    return (one.message for one in doubts(notices) if one.code not in ON_TOP)


def notice_blocks(notices: Iterable[Notice]) -> Iterator[Bullets]:
    """The warnings, then what is good to know, each with its code; nothing where there is none."""
    every = list(notices)
    for severity, title, tone in _HEADINGS:
        found = tuple(f"{one.message} ({one.code})" for one in every if one.severity is severity)
        if found:
            yield Bullets(title, found, tone)


def watching(items: Iterable[str]) -> Section:
    """What to watch, in the margin of one screen."""
    return Section("Watch", tuple(items), "!", "warning")


def watch_section(notices: Iterable[Notice], room: Room, least: int = 0) -> Section:
    """What to watch on one screen: as many notices as there is room for, the worst first.

    Args:
        notices: of the answer; those that stand under it are left out.
        room: what is left of the screen.
        least: lines that they have in any case.
    """
    messages = (one.message for one in worst_first(notices) if one.code not in ON_TOP)
    return watching(room.fill(messages, max(room.left, least)))
