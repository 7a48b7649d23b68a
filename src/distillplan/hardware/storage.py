"""Teacher logits on disk: bytes per token by format, read rate, cost, and online against cached.

Sources of the formats: Peng et al. 2024 (arXiv 2410.16215: full fp32 and top-p then top-k),
Anshumann et al. 2025 (arXiv 2503.16870: sampled), the Gemma 3 report (256 sampled), DistillKit's
README (polynomial and bit packing).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from distillplan.errors import InputError, Word
from distillplan.hardware.range import Range
from distillplan.laws.logit_formats import DISTILLKIT_K, USUAL_ENTRIES, LogitKind, StoredFormat

ENTRY_BYTES: Final = 6.0
"""Bytes of a stored logit: 4 for the token, 2 for the value (700M x 64 in 268 GB are 6.0 each)."""

SAMPLED_ENTRY_BYTES: Final = 5.0
"""Bytes of a sampled token: 4 for the token and 1 for the number of times it was drawn."""

TB: Final = 1e12

STORAGE_USD_PER_TB_MONTH: Final = 23.0
"""Default price of storage."""

STORAGE_PRICE_SOURCE: Final = "AWS S3 Standard, us-east-1, first 50 TB, price list of 2025-10-28"
"""Source of the default price."""


@dataclass(frozen=True, kw_only=True)
class LogitFormat:
    """How the teacher's distribution at one token is stored."""

    name: str
    bytes_per_token: float
    """The mean, before general-purpose compression."""
    unbiased: bool
    """Whether it gives the teacher's distribution on average; a cut tail is a bias."""
    source: str = "arithmetic"


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

    Args:
        kind: the name.
        vocab: rows of the teacher's output projection.
        entries: logits kept per token, on average; None: `USUAL_ENTRIES`.

    Raises:
        InputError: when there are more entries than rows, or for a format without a number of them.

    >>> format_of(LogitKind.TOP_K, 128256).name, format_of(LogitKind.FULL, 128256).bytes_per_token
    ('top-128', 256512.0)
    """
    if kind not in _ENTRIES:
        if entries is not None:
            raise InputError(Word("logit_k"), f": {kind} has no k; leave it out, or use top-k")
        if kind is LogitKind.DISTILLKIT:
            return DISTILLKIT
        each = 4.0 if kind is LogitKind.FULL_FP32 else 2.0
        name = f"full, {each:g} bytes"
        return LogitFormat(name=name, bytes_per_token=vocab * each, unbiased=True)
    kept = USUAL_ENTRIES[kind] if entries is None else entries
    if not 1 <= kept <= vocab:
        wrong = f"exceed the vocabulary of {vocab}; give fewer" if kept > vocab else "are too few"
        raise InputError(Word("logit_k"), f": {kept:g} entries {wrong}")
    name, each = _ENTRIES[kind]
    counted = float(kept) if "{}" not in name else round(kept)
    return LogitFormat(
        name=name.format(counted),
        bytes_per_token=float(counted * each),
        unbiased=kind is LogitKind.SAMPLED,
    )


def stored_logits(stored: StoredFormat, vocab: int) -> "StoredLogits":
    """A format for a vocabulary of so many rows, and how long it is stored.

    Raises:
        InputError: as for `format_of`.

    >>> stored_logits(StoredFormat(), 128256).format.bytes_per_token
    60.0
    """
    found = format_of(stored.kind, vocab, stored.entries)
    return StoredLogits(format=found, months=stored.months)


def stored_bytes(logits: LogitFormat, tokens: float) -> float:
    """Bytes of the logits of a whole corpus.

    Args:
        logits: their format.
        tokens: unique tokens; further epochs read the same bytes.
    """
    return logits.bytes_per_token * tokens


@dataclass(frozen=True, kw_only=True)
class StoredLogits:
    """Teacher logits that a plan stores, and the price of storing them."""

    format: LogitFormat
    months: float = 1.0
    """How long they are kept."""
    usd_per_tb_month: float = STORAGE_USD_PER_TB_MONTH

    def __post_init__(self) -> None:
        """Check the numbers.

        Raises:
            InputError: when one is negative.
        """
        for name in ("months", "usd_per_tb_month"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0):
                raise InputError(f"storage: {name} is {value}; it must be at least 0")

    def usd(self, stored: float) -> float:
        """The price of storing so many bytes."""
        return stored / TB * self.months * self.usd_per_tb_month


def read_bytes_per_s(logits: LogitFormat, tokens_per_s: float) -> float:
    """Bytes per second of logits that all GPUs read together.

    Args:
        logits: their format.
        tokens_per_s: of the whole run.

    >>> read_bytes_per_s(format_of(LogitKind.TOP_K, 128256), 1e6)
    768000000.0
    """
    return logits.bytes_per_token * tokens_per_s


@dataclass(frozen=True, kw_only=True)
class StorageChoice:
    """The cost of online and of cached logits, for several passes over the same tokens."""

    online_usd: Range
    """The teacher runs in every pass."""
    cached_usd: Range
    """The teacher runs once, and its logits are stored."""
    storage_usd: float
    """The part of it that is storage."""
    break_even_passes: Range
    """Passes (students times epochs) beyond which the cache is cheaper."""


def online_or_cached(
    stored: StoredLogits,
    tokens: float,
    teacher_gpu_hours: Range,
    usd_per_gpu_hour: float,
    *,
    passes: float = 1.0,
) -> StorageChoice:
    """The cost of several passes over the same tokens with the teacher online and with a cache.

    One pass of the teacher costs T and storing its logits S: p passes cost p T online and T + S
    cached, which are equal at p = 1 + S / T.

    Args:
        stored: the logits of the cache.
        tokens: unique tokens.
        teacher_gpu_hours: of one forward pass over them.
        usd_per_gpu_hour: price of a GPU-hour.
        passes: students times epochs.

    Raises:
        InputError: when a number is not positive.
    """
    for name, value in {
        "tokens": tokens,
        "usd_per_gpu_hour": usd_per_gpu_hour,
        "passes": passes,
        "teacher GPU-hours": teacher_gpu_hours.low,
    }.items():
        if not (math.isfinite(value) and value > 0):
            raise InputError(f"storage: {name} is {value}; it must be positive")
    storage_usd = stored.usd(stored_bytes(stored.format, tokens))
    teacher_usd = teacher_gpu_hours.scale(usd_per_gpu_hour)
    return StorageChoice(
        online_usd=teacher_usd.scale(passes),
        cached_usd=teacher_usd + Range.exact(storage_usd),
        storage_usd=storage_usd,
        break_even_passes=Range.exact(1.0) + teacher_usd.divide(storage_usd),
    )
