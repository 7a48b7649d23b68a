"""The format of stored logits as people name it, and what it is with a vocabulary."""

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final

from distillplan.errors import InputError, Word
from distillplan.fields import settle
from distillplan.hardware.storage import (
    DISTILLKIT,
    DISTILLKIT_K,
    TOP_P_ENTRIES,
    LogitFormat,
    StoredLogits,
    full,
    sampled,
    top_k,
    top_k_and_label,
    top_p,
)
from distillplan.laws.logit_formats import FormatPenalty, KeptLogits, format_penalty


class LogitKind(StrEnum):
    """Names of formats."""

    FULL = "full"
    """All logits in 16 bits."""
    FULL_FP32 = "full-fp32"
    """All logits in 32 bits."""
    TOP_K = "top-k"
    TOP_K_AND_LABEL = "top-k-and-label"
    """The largest ones, with the rest of the probability given to the true token."""
    TOP_P = "top-p"
    SAMPLED = "sampled"
    DISTILLKIT = "distillkit"


USUAL_ENTRIES: Final = {
    LogitKind.TOP_K: DISTILLKIT_K,
    LogitKind.TOP_K_AND_LABEL: 20,
    LogitKind.TOP_P: TOP_P_ENTRIES,
    LogitKind.SAMPLED: 12,
}
"""Default entries per token: DistillKit's k, the usual k with the label, and measured means."""


def format_of(kind: LogitKind, vocab: int, entries: int | None = None) -> LogitFormat:
    """A format by its name.

    Args:
        kind: the name.
        vocab: rows of the teacher's output projection.
        entries: logits kept per token, on average; None: `USUAL_ENTRIES`.

    Raises:
        InputError: when there are more entries than rows, or for a format without a number of them.

    >>> format_of(LogitKind.TOP_K, 128256).name, format_of(LogitKind.FULL, 128256).bytes_per_token
    ('top-128', 256512.0)
    """
    whole = {
        LogitKind.FULL: full(vocab),
        LogitKind.FULL_FP32: full(vocab, 4.0),
        LogitKind.DISTILLKIT: DISTILLKIT,
    }
    if kind in whole:
        if entries is not None:
            raise InputError(Word("logit_k"), f": {kind} has no k; leave it out, or use top-k")
        return whole[kind]
    kept = USUAL_ENTRIES[kind] if entries is None else entries
    if kept > vocab:
        raise InputError(
            Word("logit_k"), f": {kept:g} entries exceed the vocabulary of {vocab}; give fewer"
        )
    if kind is LogitKind.TOP_K:
        return top_k(round(kept))
    if kind is LogitKind.TOP_K_AND_LABEL:
        return top_k_and_label(round(kept))
    return top_p(kept) if kind is LogitKind.TOP_P else sampled(kept)


@dataclass(frozen=True, kw_only=True)
class StoredFormat:
    """How logits are stored, before the vocabulary is known.

    Raises:
        InputError: for an unknown word or an impossible number.
    """

    kind: LogitKind = LogitKind.SAMPLED
    """Sampled by default: unbiased, and a few tokens of each position are enough."""
    entries: int | None = None
    """Logits kept per token, on average; None: `USUAL_ENTRIES`."""
    months: float = 1.0
    """How long they are kept."""

    def __post_init__(self) -> None:
        """Check the settings."""
        settle(self, "logit_")
        if self.entries is not None and self.entries < 1:
            raise InputError(Word("logit_k"), f": {self.entries} is too few; give at least 1")

    @property
    def kept(self) -> float | None:
        """Logits kept per token, on average; None where the format has no number of them."""
        return self.entries or USUAL_ENTRIES.get(self.kind)

    def at(self, vocab: int) -> StoredLogits:
        """The format for a vocabulary of so many rows, and how long it is stored.

        Raises:
            InputError: as for `format_of`.

        >>> StoredFormat().at(128256).format.bytes_per_token
        60.0
        """
        return StoredLogits(format=format_of(self.kind, vocab, self.entries), months=self.months)


TRIED: Final = {
    LogitKind.SAMPLED: KeptLogits.SAMPLED,
    LogitKind.TOP_K: KeptLogits.TOP_K,
    LogitKind.TOP_K_AND_LABEL: KeptLogits.TOP_K_AND_LABEL,
}
"""Formats whose cost to a student is published."""
_WHOLE: Final = (LogitKind.FULL, LogitKind.FULL_FP32)
_NOTHING: Final = FormatPenalty(nats=0.0, low=0.0, high=0.0, tried=True)


@lru_cache(64)
def penalty_of(stored: StoredFormat | None) -> FormatPenalty | None:
    """What a format costs a student; nothing without one, None where nobody has measured it."""
    if stored is None or stored.kind in _WHOLE:
        return _NOTHING
    kind = TRIED.get(stored.kind)
    return None if kind is None or stored.kept is None else format_penalty(kind, stored.kept)


def cost_in_words(penalty: FormatPenalty) -> str:
    """What a format costs, with its range."""
    return f"{penalty.nats:.3f} nats ({penalty.low:.3f} to {penalty.high:.3f})"
