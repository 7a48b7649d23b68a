"""What a redrawn figure of the paper holds."""

from enum import StrEnum

from distillplan.laws.provenance import PublishedLaw
from distillplan.named_tuples import NamedTuple


class PaperPart(StrEnum):
    """What a row of a redrawn figure is."""

    MAP = "map"
    """A place of the map of gains of Figure 6."""
    CURVE = "curve"
    """A point of a line of the law."""
    READ_OFF = "read_off"
    """A number that was read off the paper's figure, and what the law says there."""


class PaperAxis(StrEnum):
    """Along which axis a number lies."""

    ACROSS = "across"
    UP = "up"


class PaperRow(NamedTuple):
    """A point of a redrawn figure."""

    part: PaperPart
    panel: str
    """Parameters of the teacher (Figure 6) or of the student (8), or the size that is shown (9);
    empty in Figure 7."""
    line: str
    """Tokens of the student (Figure 7), supervised or who pays for the teacher (8), or parameters
    of the student (9); empty in Figure 6, whose line is where distilling gains nothing."""
    across: float
    """Parameters of the student (Figures 6 and 7), or FLOPs of the budget (8 and 9)."""
    up: float | None
    """Tokens of the student (Figure 6), loss of the best teacher (7) or of the student (8) in nats,
    or parameters or tokens (9); None where the law has none."""
    outside: bool | None = None
    """Of a line: whether a size is outside the range of the law's runs."""
    gain_nats: float | None = None
    """Of the map: supervised minus distilled loss."""
    along: PaperAxis | None = None
    """Of a number that was read off: whether it is the place across or up."""
    computed: float | None = None
    """What the law says in its stead; None where it says nothing."""
    difference: float | None = None
    """Computed minus read off; a share of what was read off in Figures 6 and 9."""
    low: float | None = None
    """Ends of what the number may be, with its reading error."""
    high: float | None = None
    passed: bool | None = None
    """Whether the law's number is within the reading error."""


class PaperMisses(NamedTuple):
    """Numbers of one group that the law misses."""

    where: str
    numbers: int
    known: str | None
    """Why; None where the reasons were written for another law."""


class PaperFigure(NamedTuple):
    """A figure of the paper, drawn from a law, with what was read off the paper's."""

    figure: int
    law: PublishedLaw
    numbers: int
    """That were read off."""
    passed: int
    """Of these, those that the law gives within the reading error."""
    reading_error: float
    """How well the figure can be read, in nats or as a share of the number."""
    relative: bool
    """Whether it is a share."""
    misses: tuple[PaperMisses, ...]
    rows: tuple[PaperRow, ...]

    def of(self, part: PaperPart, panel: str | None = None) -> tuple[PaperRow, ...]:
        """The rows of one kind, of one panel or of all."""
        return tuple(one for one in self.rows if one.part is part and panel in (None, one.panel))
