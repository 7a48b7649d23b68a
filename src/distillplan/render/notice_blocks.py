"""The notices of an answer, for people."""

from collections.abc import Iterable, Iterator

from distillplan.notices import Notice, Severity, worst_first
from distillplan.render.blocks import Bullets, Room, Section, Tone

DOUBTS = "Before you trust this"
_HEADINGS: tuple[tuple[Severity, str, Tone], ...] = (
    (Severity.WARNING, DOUBTS, "warning"),
    (Severity.INFO, "Good to know", "plain"),
)


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
        notices: of the answer.
        room: what is left of the screen.
        least: lines that they have in any case.
    """
    messages = (one.message for one in worst_first(notices))
    return watching(room.fill(messages, max(room.left, least)))
