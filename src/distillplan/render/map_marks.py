"""The marks of a verdict map: in characters that every monospaced font has, and in ASCII."""

from enum import Enum

from distillplan.named_tuples import NamedTuple


class Look(NamedTuple):
    """How a mark is drawn."""

    glyph: str
    ascii: str
    words: str
    """What the legend says of it."""


class Mark(Enum):
    """What a cell of a map says; outside the law's fitted range it is hollow."""

    DISTILL = Look(glyph="█", ascii="#", words="distill")
    TIE = Look(glyph="▒", ascii="+", words="too close")
    PRETRAIN = Look(glyph="·", ascii=".", words="pretrain")
    DISTILL_OUTSIDE = Look(glyph="□", ascii="o", words="distill")
    TIE_OUTSIDE = Look(glyph="░", ascii="-", words="too close")
    PRETRAIN_OUTSIDE = Look(glyph="◦", ascii="'", words="pretrain")
    NO_VERDICT = Look(glyph="?", ascii="?", words="no verdict")
    IMPOSSIBLE = Look(glyph="x", ascii="x", words="impossible")

    @property
    def is_hollow(self) -> bool:
        """Whether it says that the cell is outside the law's fitted range."""
        return self in HOLLOW.values()

    @property
    def is_silent(self) -> bool:
        """Whether it stands for no verdict."""
        return self in (Mark.NO_VERDICT, Mark.IMPOSSIBLE)


HOLLOW = {
    Mark.DISTILL: Mark.DISTILL_OUTSIDE,
    Mark.TIE: Mark.TIE_OUTSIDE,
    Mark.PRETRAIN: Mark.PRETRAIN_OUTSIDE,
}
"""From a mark to the one for the same verdict outside the law's fitted range."""
GLYPHS = "".join(mark.value.glyph for mark in Mark)
OUTSIDE = "outside the law's data"
"""What the legend says of the hollow marks."""
