"""Teacher logits on disk: bytes per token by format, and what storing them costs.

Sources of the formats: Peng et al. 2024 (arXiv 2410.16215: full fp32 and top-p then top-k),
Anshumann et al. 2025 (arXiv 2503.16870: sampled), the Gemma 3 report (256 sampled), DistillKit's
README (polynomial and bit packing).
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from distillplan.errors import InputError, Word
from distillplan.laws.logit_formats import DISTILLKIT_K, USUAL_ENTRIES, LogitKind, StoredFormat

ENTRY_BYTES: Final = 6.0
"""Bytes of a stored logit: 4 for the token, 2 for the value (700M x 64 in 268 GB are 6.0 each)."""

SAMPLED_ENTRY_BYTES: Final = 5.0
"""Bytes of a sampled token: 4 for the token and 1 for the number of times it was drawn."""

TB: Final = 1e12

STORAGE_USD_PER_TB_MONTH: Final = 23.0
"""Price of storage."""

STORAGE_PRICE_SOURCE: Final = "AWS S3 Standard, us-east-1, first 50 TB, price list of 2025-10-28"
"""Source of that price."""


class LogitFormat(NamedTuple):
    """How the teacher's distribution at one token is stored."""

    name: str
    bytes_per_token: float
    """The mean, before general-purpose compression."""
    unbiased: bool
    """Whether it gives the teacher's distribution on average; a cut tail is a bias."""
    source: str = "arithmetic"


class StoredLogits(NamedTuple):
    """Teacher logits that a plan stores."""

    format: LogitFormat
    months: float = 1.0
    """How long they are kept."""

    def usd(self, tokens: float) -> float:
        """The price of storing them for so many unique tokens; epochs read the same bytes."""
        stored = self.format.bytes_per_token * tokens
        return stored / TB * self.months * STORAGE_USD_PER_TB_MONTH


DISTILLKIT: Final = LogitFormat(
    name="distillkit",
    bytes_per_token=300.0,
    unbiased=False,
    source=f"github.com/arcee-ai/DistillKit README: recommended configuration, top {DISTILLKIT_K}",
)
"""Bytes as stated: packed tokens, some exact values and a polynomial for the rest."""

_ENTRIES: Final[Mapping[LogitKind, tuple[str, float]]] = {
    LogitKind.TOP_K: ("top-{}", ENTRY_BYTES),
    # the true token is in the text anyway
    LogitKind.TOP_K_AND_LABEL: ("top-{}+label", ENTRY_BYTES),
    LogitKind.TOP_P: ("top-p", ENTRY_BYTES),
    LogitKind.SAMPLED: ("sampled", SAMPLED_ENTRY_BYTES),
}
"""Names, and bytes of an entry, of formats that keep a number of entries per token."""


def format_of(kind: LogitKind, vocab: int, entries: float | None = None) -> LogitFormat:
    """A format by its name.

    The vocabulary is the rows of the teacher's output projection, and entries are the logits kept
    per token, on average; None: `USUAL_ENTRIES`.

    Raises:
        InputError: when there are more entries than rows, or for a format without a number of them.

    >>> format_of(LogitKind.TOP_K, 128256).name, format_of(LogitKind.FULL, 128256).bytes_per_token
    ('top-128', 256512.0)
    """
    if kind not in _ENTRIES and entries is not None:
        raise InputError(Word("logit_k"), f": {kind} has no k; leave it out, or use top-k")
    if kind is LogitKind.DISTILLKIT:
        return DISTILLKIT
    if kind not in _ENTRIES:
        each = 4.0 if kind is LogitKind.FULL_FP32 else 2.0
        name = f"full, {each:g} bytes"
        return LogitFormat(name=name, bytes_per_token=vocab * each, unbiased=True)
    kept = USUAL_ENTRIES[kind] if entries is None else entries
    if not 1 <= kept <= vocab:
        wrong = f"exceed the vocabulary of {vocab}; give fewer" if kept > vocab else "are too few"
        raise InputError(Word("logit_k"), f": {kept:g} entries {wrong}")
    name, each = _ENTRIES[kind]
    counted = round(kept) if "{}" in name else kept
    stored, unbiased = float(counted * each), kind is LogitKind.SAMPLED
    return LogitFormat(name=name.format(counted), bytes_per_token=stored, unbiased=unbiased)


def stored_logits(stored: StoredFormat, vocab: int) -> StoredLogits:
    """A format for a vocabulary of so many rows, and how long it is stored.

    Raises:
        InputError: as for `format_of`.
    """
    found = format_of(stored.kind, vocab, stored.entries)
    return StoredLogits(format=found, months=stored.months)
