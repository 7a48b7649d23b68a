"""Teacher logits on disk: bytes per token by format, read rate, cost, and online against cached.

Sources of the formats: Peng et al. 2024 (arXiv 2410.16215: full fp32 and top-p then top-k),
Anshumann et al. 2025 (arXiv 2503.16870: sampled), the Gemma 3 report (256 sampled), DistillKit's
README (polynomial and bit packing).
"""

import math
from dataclasses import dataclass
from typing import Final, TypeVar

from distillplan.errors import InputError
from distillplan.hardware.range import Range
from distillplan.laws.logit_formats import DISTILLKIT_K, TOP_P_ENTRIES

N = TypeVar("N", int, float)

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


def full(vocab: int, bytes_per_value: float = 2.0) -> LogitFormat:
    """All logits.

    Args:
        vocab: rows of the output projection.
        bytes_per_value: 2 for bf16, 4 for fp32.

    >>> full(128256).bytes_per_token
    256512.0
    """
    return _format(
        f"full, {bytes_per_value:g} bytes", _at_least_one(vocab) * bytes_per_value, unbiased=True
    )


def top_k(k: int, bytes_per_entry: float = ENTRY_BYTES) -> LogitFormat:
    """The k largest logits.

    >>> top_k(128).bytes_per_token
    768.0
    """
    return _format(f"top-{k}", _at_least_one(k) * bytes_per_entry, unbiased=False)


def top_p(
    average_entries: float = TOP_P_ENTRIES, bytes_per_entry: float = ENTRY_BYTES
) -> LogitFormat:
    """The largest logits that hold a share p of the probability; few at most positions.

    Args:
        average_entries: logits kept per token; depends on the data, so measure it on a sample.
        bytes_per_entry: of token and value.

    >>> top_p().bytes_per_token
    150.0
    """
    return _format("top-p", _at_least_one(average_entries) * bytes_per_entry, unbiased=False)


def top_k_and_label(k: int, bytes_per_entry: float = ENTRY_BYTES) -> LogitFormat:
    """The k largest logits and, for the rest of the probability, the true token of the text.

    The text is there anyway, so it takes no more room than the k alone.

    >>> top_k_and_label(20).bytes_per_token
    120.0
    """
    return _format(f"top-{k}+label", _at_least_one(k) * bytes_per_entry, unbiased=False)


def sampled(unique_tokens: float, bytes_per_entry: float = SAMPLED_ENTRY_BYTES) -> LogitFormat:
    """Tokens sampled from the teacher, each stored once with its count; unbiased.

    Args:
        unique_tokens: different tokens per position; about 12 in 50 draws in arXiv 2503.16870.
        bytes_per_entry: of token and count.

    >>> sampled(12).bytes_per_token
    60.0
    """
    return _format("sampled", _at_least_one(unique_tokens) * bytes_per_entry, unbiased=True)


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

    >>> read_bytes_per_s(top_k(128), 1e6)
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


def _format(name: str, bytes_per_token: float, *, unbiased: bool) -> LogitFormat:
    """A format, with its size checked."""
    if not (math.isfinite(bytes_per_token) and bytes_per_token > 0):
        raise InputError(
            f"logit format {name}: {bytes_per_token} bytes per token; it must be positive"
        )
    return LogitFormat(name=name, bytes_per_token=float(bytes_per_token), unbiased=unbiased)


def _at_least_one(count: N) -> N:
    """A number of entries or rows, checked."""
    if not (math.isfinite(count) and count >= 1):
        raise InputError(f"logit format: {count} entries; it must be at least 1")
    return count
