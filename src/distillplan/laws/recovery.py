"""How far cut models come back: published scores over the tokens of their recovery, and the rules.

No law gives the loss of a model that was cut out of a larger one; what is published are curves of
benchmark scores. They are shown as shares of the parent's score, from coefficients/recovery.yaml.
"""

from collections.abc import Iterator
from enum import StrEnum
from functools import cache
from typing import Final

from distillplan.files.entries import Entry, shipped
from distillplan.named_tuples import NamedTuple

FILE: Final = "recovery.yaml"
NEAR: Final = 0.1
"""Published cuts that remove this much more or less are like one's own."""


class RecoveryPoint(NamedTuple):
    """A score on the way back."""

    tokens: float
    """Of recovery; 0: just cut."""
    score: float
    parent_share: float
    """Of the parent's score; above 1: better than the parent."""


class RecoveryCurve(NamedTuple):
    """One cut model and one benchmark."""

    parent: str
    student: str
    """Its size, as published."""
    method: str
    removed: float
    """Share of all parameters that were removed."""
    taught: bool
    """Whether the parent taught it; false: text alone."""
    metric: str
    points: tuple[RecoveryPoint, ...]
    read: str
    """primary or secondary."""
    source: str

    def after(self, tokens: float) -> RecoveryPoint:
        """The last point within so many tokens; its first where it has none as early."""
        within = [one for one in self.points if one.tokens <= tokens]
        return within[-1] if within else self.points[0]


class RecoveryUse(NamedTuple):
    """Tokens that a published model was recovered with."""

    what: str
    removed: float | None
    """None: not one cut."""
    tokens: float
    source: str


class ContinuedRun(NamedTuple):
    """A run from an official checkpoint beside one from scratch."""

    student: str
    tokens: float
    taught: bool
    loss: float
    """Nats per token."""
    scratch_loss: float
    source: str


class Practice(NamedTuple):
    """A rule of those who did it."""

    name: str
    of: tuple[str, ...]
    """Kinds of start that it is of."""
    says: str
    unit: str
    low: float | None
    high: float | None
    sure: str
    """high, medium or low."""
    source: str


class Recovery(NamedTuple):
    """All that is published of starts from an open model."""

    curves: tuple[RecoveryCurve, ...]
    scratch: tuple[RecoveryCurve, ...]
    """Students of some curves, from random weights; `removed` is what the cut ones lost."""
    uses: tuple[RecoveryUse, ...]
    continued: tuple[ContinuedRun, ...]
    practice: tuple[Practice, ...]


class CutSize(StrEnum):
    """How much a published cut removed, beside one's own."""

    ALIKE = "like_cut"
    """As much, within `NEAR`."""
    SMALLER = "smaller_cut"
    """Less."""
    LARGER = "larger_cut"
    """More."""


class RecoveryRange(NamedTuple):
    """What published cuts of one kind reached on one benchmark."""

    cut: CutSize
    """Beside one's own."""
    removed_low: float
    """Least share of all parameters that these cuts removed."""
    removed_high: float
    taught: bool
    """Whether the parent taught them; false: text alone."""
    metric: str
    curves: int
    low: float
    """Least share of the parent's score."""
    high: float
    least_tokens: float
    """Of recovery, behind these shares."""
    most_tokens: float
    scratch_low: float | None
    """Share of the parent's score that the same students reached from random weights on as many
    tokens; None where that is not published."""
    scratch_high: float | None
    read: str
    """primary, or secondary where a number is only known from a summary."""
    sources: tuple[str, ...]


@cache
def recovery() -> Recovery:
    """What is published.

    Raises:
        InputError: when the file is not what it should be.

    >>> curve = recovery().curves[0]
    >>> round(curve.after(1e12).parent_share, 3)
    0.988
    """
    entry = shipped(FILE)
    curves = tuple(_curve(one, one.items("points")) for one in entry.entries("curves"))
    return Recovery(
        curves=curves,
        scratch=tuple(_scratch(entry, curves)),
        uses=tuple(one.record(RecoveryUse) for one in entry.entries("uses")),
        continued=tuple(one.record(ContinuedRun) for one in entry.entries("continued")),
        practice=tuple(_practices(entry.mapping("practice"))),
    )


def _curve(one: Entry, points: list[list[float]], removed: float | None = None) -> RecoveryCurve:
    whole = one.positive("parent_score")
    return one.record(
        RecoveryCurve,
        method=one.text("method", "random weights"),
        removed=one.positive("removed") if removed is None else removed,
        points=tuple(
            RecoveryPoint(tokens=float(tokens), score=float(score), parent_share=score / whole)
            for tokens, score in points
        ),
        read=one.choice("read", ("primary", "secondary"), ""),
    )


def _scratch(entry: Entry, curves: tuple[RecoveryCurve, ...]) -> Iterator[RecoveryCurve]:
    for one in entry.entries("scratch"):
        names = one.text("parent"), one.text("student")
        cut = next(curve for curve in curves if (curve.parent, curve.student) == names)
        yield _curve(one, [[one.positive("tokens"), one.positive("score")]], cut.removed)


def _practices(entry: Entry) -> Iterator[Practice]:
    for name in entry.data:
        one = entry.mapping(name)
        sure = one.choice("sure", ("high", "medium", "low"), "")
        yield one.record(Practice, name=name, sure=sure)


def beside(removed: float, own: float) -> CutSize:
    """How a cut compares with one's own; both as shares of all parameters.

    >>> beside(0.22, 0.25).value, beside(0.22, 0.5).value, beside(0.71, 0.5).value
    ('like_cut', 'smaller_cut', 'larger_cut')
    """
    if abs(removed - own) <= NEAR:
        return CutSize.ALIKE
    return CutSize.SMALLER if removed < own else CutSize.LARGER


def recovered(removed: float, tokens: float, *, taught: bool) -> tuple[RecoveryRange, ...]:
    """What published cut models reached, by benchmark, the cuts most like one's own first.

    Nothing is read off between cuts or beyond the last point of a curve: a range has the score that
    each curve had after at most so many tokens, or its first one where that is later.

    Args:
        removed: share of all parameters that one's own cut removes.
        tokens: of one's own recovery.
        taught: whether the parent teaches.
    """
    known = recovery()
    found: dict[tuple[CutSize, str], list[RecoveryCurve]] = {}
    for size in CutSize:
        for one in known.curves:
            if one.taught is taught and beside(one.removed, removed) is size:
                found.setdefault((size, one.metric), []).append(one)
    return tuple(_range(size, curves, tokens, known) for (size, _), curves in found.items())


def _range(
    size: CutSize, curves: list[RecoveryCurve], tokens: float, known: Recovery
) -> RecoveryRange:
    points = [one.after(tokens) for one in curves]
    students = {(one.parent, one.student, one.metric) for one in curves}
    scratch = [
        one.after(tokens).parent_share
        for one in known.scratch
        if (one.parent, one.student, one.metric) in students and one.taught is curves[0].taught
    ]
    shares = [one.parent_share for one in points]
    secondary = any(one.read == "secondary" for one in curves)
    return RecoveryRange(
        cut=size,
        removed_low=min(one.removed for one in curves),
        removed_high=max(one.removed for one in curves),
        taught=curves[0].taught,
        metric=curves[0].metric,
        curves=len(curves),
        low=min(shares),
        high=max(shares),
        least_tokens=min(one.tokens for one in points),
        most_tokens=max(one.tokens for one in points),
        scratch_low=min(scratch, default=None),
        scratch_high=max(scratch, default=None),
        read="secondary" if secondary else "primary",
        sources=tuple(dict.fromkeys(one.source for one in curves)),
    )
