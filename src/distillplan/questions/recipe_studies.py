"""What others measured where the law of distillation has no word: mixed losses, and little text."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from distillplan.files.entries import shipped
from distillplan.named_tuples import NamedTuple
from distillplan.units.quantities import format_count

FILE: Final = "recipe_studies.yaml"
"""In the folder of the data."""


class MixResult(StrEnum):
    """What mixing hard labels in did, against distillation alone."""

    BETTER = "better"
    SAME = "same"
    WORSE = "worse"
    NOT_COMPARED = "not_compared"
    """A guide's setting, which nobody compared in public."""


class MixedLoss(NamedTuple):
    """What one source says of a loss of which a part is distillation."""

    setting: str
    start: float | None
    """Part of the loss that is distillation when training begins; None: not stated."""
    end: float | None
    """The same when it ends."""
    result: MixResult
    says: str
    source: str


class LittleTextResult(NamedTuple):
    """A loss on few unique tokens."""

    what: str
    params: float | None
    """Of the model that is left; None: the limit of many sizes."""
    loss: float
    """Nats per token of that corpus."""


class LittleText(NamedTuple):
    """What is measured of distilling where unique text is short."""

    tokens: float
    """Unique ones of the corpus."""
    scale: float
    exponent: float
    floor: float
    """Of the loss of one model, scale / N^exponent + floor with N in billions."""
    results: tuple[LittleTextResult, ...]
    unmeasured: tuple[str, ...]
    source: str


def mixed_losses() -> tuple[MixedLoss, ...]:
    """What is published of mixed losses.

    Raises:
        InputError: when the file is not what it should be.
    """
    return tuple(one.record(MixedLoss) for one in shipped(FILE).entries("mixed_losses"))


def little_text() -> LittleText:
    """What is published of few unique tokens.

    Raises:
        InputError: when the file is not what it should be.
    """
    entry = shipped(FILE).mapping("little_text")
    results = tuple(one.record(LittleTextResult) for one in entry.entries("results"))
    return entry.record(LittleText, exponent=entry.positive("params"), results=results)


def little_numbers() -> Mapping[str, float | str]:
    """Losses on few unique tokens, by the names of the lines."""
    found = little_text()
    one, ensemble, joint, student, before, after = (each.loss for each in found.results)
    return {
        "little_tokens": format_count(found.tokens, 2),
        "little_one": one,
        "little_ensemble": ensemble,
        "little_joint": joint,
        "little_student": student,
        "little_before": before,
        "little_after": after,
        "little_unmeasured": "; ".join(found.unmeasured),
        "little_source": found.source,
    }
