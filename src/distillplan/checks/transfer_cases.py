"""Published comparisons with training from data alone, and what a law says of each."""

import math
from enum import StrEnum
from typing import Final

import numpy as np

from distillplan.errors import InputError
from distillplan.files.entries import Entry, read_shipped
from distillplan.laws.draws import Draws
from distillplan.laws.formulas import DistillationLaw, FloatArray
from distillplan.laws.provenance import PublishedLaw
from distillplan.laws.transfer import Beyond, beyond_range
from distillplan.named_tuples import NamedTuple


class CaseQuality(StrEnum):
    """Where the numbers of a comparison were read."""

    PRIMARY = "primary"
    """In the paper, its tables or its repository."""
    SECONDARY = "secondary"
    """In somebody's summary or quotation."""


class CaseMatch(StrEnum):
    """What the two students have in common."""

    TOKENS = "tokens"
    COMPUTE = "compute"


class Span(NamedTuple):
    """A size that is known, or anything between two ends where it is not."""

    low: float
    high: float

    def spread(self, count: int, turn: float) -> FloatArray:
        """Sizes of shape (count,), even in the logarithm, in an order of their own for each turn.

        Multiples of an irrational number modulo one fall evenly, whatever the order of the others.
        """
        share = (np.arange(count) * turn + 0.5) % 1
        return np.asarray(self.low * (self.high / self.low) ** share)


class Seen(NamedTuple):
    """What the authors saw."""

    gain_nats: float | None
    """Loss from data alone minus that of distilling; None where losses are not given."""
    gain_points: float | None
    """Accuracy gained, in points; None where accuracies are not what is given."""
    gain_error: float | None
    """Standard deviation of the gain, in its unit."""
    chance_better: float
    """Probability that distilling was better: of the gain, or as the source says."""


class MatchedCase(NamedTuple):
    """One student distilled and trained from data alone by another laboratory than the law's."""

    name: str
    study: str
    match: CaseMatch
    student_params: Span
    student_tokens: Span
    supervised_tokens: Span
    """Tokens from data alone."""
    teacher_params: Span
    teacher_tokens: Span
    seen: Seen
    quality: CaseQuality
    source: str
    assumed: str
    """What the source does not state; empty for nothing."""


class CaseGains(NamedTuple):
    """What a law says of cases, arrays of shape (cases, draws)."""

    gains: FloatArray
    """Supervised minus distilled loss under every drawn law, nats."""
    beyond: Beyond
    """How far each lies beyond the law's fitted range."""

    def thinned(self, every: int) -> "CaseGains":
        """One in so many draws, arrays of shape (cases, fewer draws)."""
        fields = {name: one[:, ::every] for name, one in self.beyond._asdict().items()}
        return CaseGains(gains=self.gains[:, ::every], beyond=Beyond(**fields))


_TURNS: Final = (2**0.5, 3**0.5, 3**0.5, 5**0.5, 7**0.5)
"""Of the five sizes of a case, so that no two unknown ones rise together but the arms' tokens."""


def shipped_cases() -> tuple[MatchedCase, ...]:
    """The comparisons that ship.

    Raises:
        InputError: when their file is missing or not of its form.
    """
    cases = Entry(read_shipped("transfer_cases.yaml"), "transfer_cases").entries("cases")
    return tuple(case_from_entry(one) for one in cases)


def case_from_entry(entry: Entry) -> MatchedCase:
    """A comparison from the mapping of its file.

    Raises:
        InputError: naming what is missing, unknown or not positive.
    """
    student, teacher = entry.mapping("student"), entry.mapping("teacher")
    tokens = _span(student, "tokens")
    found = MatchedCase(
        name=entry.text("name"),
        study=entry.text("study"),
        match=entry.member("match", CaseMatch),
        student_params=_span(student, "params"),
        student_tokens=tokens,
        supervised_tokens=_span(student, "supervised_tokens")
        if "supervised_tokens" in student
        else tokens,
        teacher_params=_span(teacher, "params"),
        teacher_tokens=_span(teacher, "tokens"),
        seen=seen_from_entry(entry.mapping("seen")),
        quality=entry.member("quality", CaseQuality),
        source=entry.text("source"),
        assumed=entry.text("assumed", ""),
    )
    for one in (student, teacher, entry):
        one.finish()
    return found


def case_gains(law: PublishedLaw, draws: Draws, cases: tuple[MatchedCase, ...]) -> CaseGains:
    """The gains that drawn laws predict for cases, and how far those lie beyond the law's range.

    The teacher's loss is each drawn law's own at the teacher's size and tokens.

    Args:
        law: the law, for its range.
        draws: joint draws of its coefficients.
        cases: the comparisons.

    Returns:
        Arrays of shape (cases, draws).

    Raises:
        InputError: when the draws are of a law without distillation.
    """
    drawn = draws.law
    if not isinstance(drawn, DistillationLaw):
        raise InputError(f"{law.name}: published comparisons need a law of distillation")
    sizes = np.array([_sizes(one, draws.size) for one in cases])  # (cases, sizes, draws)
    params, tokens, supervised_tokens, teacher_params, teacher_tokens = sizes.swapaxes(0, 1)
    teacher_loss = drawn.supervised.loss(teacher_params, teacher_tokens)
    alone = drawn.supervised.loss(params, supervised_tokens)
    return CaseGains(
        gains=alone - drawn.loss(params, tokens, teacher_loss),
        beyond=beyond_range(
            law.valid,
            student_params=params,
            student_tokens=tokens,
            supervised_tokens=supervised_tokens,
            teacher_loss=teacher_loss,
        ),
    )


def _sizes(case: MatchedCase, count: int) -> list[FloatArray]:
    """The five sizes of a case in every draw."""
    spans = (
        *(case.student_params, case.student_tokens, case.supervised_tokens),
        *(case.teacher_params, case.teacher_tokens),
    )
    return [span.spread(count, turn) for span, turn in zip(spans, _TURNS, strict=True)]


def _span(entry: Entry, key: str) -> Span:
    """A size, or the ends of what it may be."""
    if isinstance(entry.data.get(key), list):
        low, high = entry.pair(key)
        if low <= 0:
            raise InputError(f"{entry.where}.{key}: [{low:g}, {high:g}] is not a range of sizes")
        return Span(low=low, high=high)
    size = entry.positive(key)
    return Span(low=size, high=size)


def seen_from_entry(entry: Entry) -> Seen:
    """What was seen, in one of its three forms.

    Raises:
        InputError: when it is of no form, or not a number.
    """
    if "chance_better" in entry:
        chance = entry.positive("chance_better")
        gain = error = None
    else:
        gain = entry.number("gain_nats" if "gain_nats" in entry else "gain_points")
        error = entry.positive("gain_error")
        chance = 0.5 * math.erfc(-gain / error * math.sqrt(0.5))
    entry.finish()
    return Seen(
        gain_nats=gain if "gain_nats" in entry else None,
        gain_points=gain if "gain_points" in entry else None,
        gain_error=error,
        chance_better=chance,
    )
