"""What is published of the cost of formats of stored logits: losses of students, by format."""

from collections.abc import Iterator
from enum import StrEnum
from functools import cache
from typing import Final

from distillplan.files.entries import Entry, shipped
from distillplan.named_tuples import NamedTuple

FILE: Final = "logit_formats.yaml"
"""In the folder of the data."""


class KeptLogits(StrEnum):
    """Which of a teacher's logits are stored."""

    SAMPLED = "sampled"
    """Tokens that are drawn from the teacher's distribution."""
    TOP_K = "top_k"
    """The most likely tokens alone."""
    TOP_K_AND_LABEL = "top_k_and_label"
    """The most likely tokens, with the rest of the probability given to the hard label."""


class KeptShare(NamedTuple):
    """How much of the gain of full logits a format keeps, as published."""

    format: KeptLogits
    kept: float
    """Tokens stored of each position, on average."""
    loss: float
    """Nats per token of the student."""
    share: float
    """Of the gain from hard labels to full logits; below 0: worse than hard labels."""
    share_error: float | None
    """Half width of what the rounding of the published losses leaves open; None: the share itself
    is published."""


class FormatSetting(NamedTuple):
    """Formats that were tried on one student."""

    name: str
    student_params: float
    student_tokens: float
    teacher_params: float
    teacher_tokens: float
    hard_labels_loss: float
    """Nats per token, as are all losses."""
    full_logits_loss: float
    shares: tuple[KeptShare, ...]

    @property
    def gain(self) -> float:
        """Of full logits over hard labels."""
        return self.hard_labels_loss - self.full_logits_loss


class OtherPenalty(NamedTuple):
    """What another study or setting found."""

    format: KeptLogits
    kept: float
    nats: float
    source: str


class TopPPenalty(NamedTuple):
    """What top-p cost where it was tried."""

    p: float
    """Probability that was kept."""
    nats: float
    source: str


class FormatStudies(NamedTuple):
    """All that is published of the cost of formats."""

    source: str
    rounding: float
    """Of a loss, either way."""
    settings: tuple[FormatSetting, ...]
    others: tuple[OtherPenalty, ...]
    """Of the further settings too."""
    top_p: "TopPPenalty"


@cache
def format_studies() -> FormatStudies:
    """The published losses.

    Raises:
        InputError: when their file is not what it should be.
    """
    entry = shipped(FILE)
    rounding = entry.positive("rounding")
    settings = tuple(_setting(one, rounding) for one in entry.entries("settings"))
    named = tuple(
        one.record(OtherPenalty, format=_kind(one), nats=one.not_negative("nats"))
        for one in entry.entries("others")
    )
    further = tuple(
        OtherPenalty(
            format=one.format, kept=one.kept, nats=penalty_in(setting, one), source=setting.name
        )
        for setting in settings[1:]
        for one in setting.shares
    )
    return entry.record(
        FormatStudies,
        settings=settings,
        others=(*named, *further),
        top_p=entry.mapping("top_p").record(TopPPenalty),
    )


def _setting(entry: Entry, rounding: float) -> FormatSetting:
    student, teacher = entry.mapping("student"), entry.mapping("teacher")
    hard, full = entry.positive("hard_labels_loss"), entry.positive("full_logits_loss")
    return entry.record(
        FormatSetting,
        student_params=student.positive("params"),
        student_tokens=student.positive("tokens"),
        teacher_params=teacher.positive("params"),
        teacher_tokens=teacher.positive("tokens"),
        shares=tuple(_shares(entry, hard, full, rounding)),
    )


def _shares(entry: Entry, hard: float, full: float, rounding: float) -> Iterator[KeptShare]:
    gain = hard - full
    for one in entry.entries("formats"):
        loss = one.positive("loss")
        printed = one.number("share") if one.has("share") else None
        share = (hard - loss) / gain if printed is None else printed
        yield KeptShare(
            format=_kind(one),
            kept=one.positive("kept"),
            loss=loss,
            share=share,
            share_error=None if printed is not None else 2 * rounding * (1 + abs(share)) / gain,
        )


def _kind(one: Entry) -> KeptLogits:
    return one.member("kind", KeptLogits)


def penalty_in(setting: FormatSetting, one: KeptShare) -> float:
    """The loss above that of full logits; a format that did better has cost nothing."""
    return max((1.0 - one.share) * setting.gain, 0.0)
