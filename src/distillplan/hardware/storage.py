"""Teacher logits on disk: bytes per token by format, the read rate, the cost, online or cached.

Sources of the formats: Peng et al. 2024 (arXiv 2410.16215: full fp32 and top-p then top-k),
Anshumann et al. 2025 (arXiv 2503.16870: sampled), the Gemma 3 report (256 sampled), DistillKit's
README (polynomial and bit packing).
"""

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeVar

from distillplan.errors import InputError
from distillplan.hardware.range import Range

N = TypeVar("N", int, float)

ENTRY_BYTES: Final = 6.0
"""A kept logit: a 4-byte token and a 2-byte value (700M positions x 64 in 268 GB are 6.0 each)."""

SAMPLED_ENTRY_BYTES: Final = 5.0
"""A sampled token: a 4-byte token and how often it was drawn in one byte."""

TOP_P_ENTRIES: Final = 25.0
"""Entries that top-p 0.95 and then top-k 100 keep on average: 15 TB for 100B tokens at 6 bytes."""

TB: Final = 1e12

STORAGE_USD_PER_TB_MONTH: Final = 23.0
"""Default price: AWS S3 Standard, us-east-1, first 50 TB, price list of 2025-10-28."""

STORAGE_PRICE_DATE: Final = "2025-10-28"
"""Day of the default price."""


@dataclass(frozen=True, kw_only=True)
class LogitFormat:
    """How the teacher's distribution at one token is written."""

    name: str
    bytes_per_token: float
    """On average, before general-purpose compression."""
    unbiased: bool
    """Whether a student sees the teacher's distribution right on average; cut tails are biased."""
    source: str = "arithmetic"


DISTILLKIT: Final = LogitFormat(
    name="distillkit",
    bytes_per_token=300.0,
    unbiased=False,
    source="github.com/arcee-ai/DistillKit README: recommended configuration, top 128",
)
"""As its README states; `polynomial` gives 312 with 16-bit and 328 with 17-bit tokens."""

DISTILLKIT_BUDGET: Final = LogitFormat(
    name="distillkit-budget",
    bytes_per_token=114.0,
    unbiased=False,
    source="github.com/arcee-ai/DistillKit README: budget configuration, top 50",
)
"""As its README states; `polynomial` gives 114 with 16-bit and 120 with 17-bit tokens."""


def full(vocab: int, bytes_per_value: float = 2.0) -> LogitFormat:
    """Every logit.

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
    """The k largest.

    >>> top_k(128).bytes_per_token
    768.0
    """
    return _format(f"top-{k}", _at_least_one(k) * bytes_per_entry, unbiased=False)


def top_p(
    average_entries: float = TOP_P_ENTRIES, bytes_per_entry: float = ENTRY_BYTES
) -> LogitFormat:
    """The largest that hold a share p of the mass, so few at most positions.

    Args:
        average_entries: kept per token; measure it on a sample, since it depends on the data.
        bytes_per_entry: token and value.

    >>> top_p().bytes_per_token
    150.0
    """
    return _format("top-p", _at_least_one(average_entries) * bytes_per_entry, unbiased=False)


def sampled(unique_tokens: float, bytes_per_entry: float = SAMPLED_ENTRY_BYTES) -> LogitFormat:
    """Tokens drawn from the teacher, each kept once with its count: unbiased.

    Args:
        unique_tokens: different tokens per position; about 12 of 50 draws in arXiv 2503.16870.
        bytes_per_entry: token and count.

    >>> sampled(12).bytes_per_token
    60.0
    """
    return _format("sampled", _at_least_one(unique_tokens) * bytes_per_entry, unbiased=True)


def polynomial(
    vocab: int,
    k: int,
    *,
    exact: int,
    terms: int,
    exact_bytes: float = 2.0,
    term_bytes: float = 4.0,
) -> LogitFormat:
    """The k largest: bit-packed tokens, a few exact values, a curve through the rest (DistillKit).

    Args:
        vocab: rows of the output projection; sets the bits of a token.
        k: entries kept.
        exact: values kept as they are.
        terms: coefficients of the curve.
        exact_bytes: of one exact value.
        term_bytes: of one coefficient.

    >>> polynomial(65536, 50, exact=1, terms=3).bytes_per_token
    114.0
    """
    bits = _at_least_one(k) * token_bits(vocab)
    size = math.ceil(bits / 8) + exact * exact_bytes + terms * term_bytes
    return _format(f"polynomial top-{k}", size, unbiased=False)


class LogitKind(StrEnum):
    """Formats by the name that a user gives."""

    FULL = "full"
    """Every logit in 16 bits."""
    FULL_FP32 = "full-fp32"
    TOP_K = "top-k"
    TOP_P = "top-p"
    SAMPLED = "sampled"
    DISTILLKIT = "distillkit"


USUAL_ENTRIES: Final = {LogitKind.TOP_K: 128, LogitKind.TOP_P: TOP_P_ENTRIES, LogitKind.SAMPLED: 12}
"""Entries per token where nobody says: DistillKit's k, and what the papers above measured."""


def format_of(kind: LogitKind, vocab: int, entries: int | None = None) -> LogitFormat:
    """A format by its name.

    Args:
        kind: which.
        vocab: rows of the teacher's output projection.
        entries: kept per token, on average; None: `USUAL_ENTRIES`.

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
            raise InputError(f"logit format: {kind} has no k; leave --logit-k out, or use top-k")
        return whole[kind]
    kept = USUAL_ENTRIES[kind] if entries is None else entries
    if kept > vocab:
        raise InputError(f"logit format: {kept} entries of a vocabulary of {vocab}; give fewer")
    if kind is LogitKind.TOP_K:
        return top_k(round(kept))
    return top_p(kept) if kind is LogitKind.TOP_P else sampled(kept)


def token_bits(vocab: int) -> int:
    """Bits that name one token of a vocabulary.

    >>> token_bits(128256), token_bits(262144), token_bits(262208)
    (17, 18, 19)
    """
    return max((_at_least_one(vocab) - 1).bit_length(), 1)


def stored_bytes(logits: LogitFormat, tokens: float) -> float:
    """Bytes of a whole corpus of logits.

    Args:
        logits: how they are written.
        tokens: unique tokens; further epochs read the same bytes.
    """
    return logits.bytes_per_token * tokens


def read_bytes_per_s(logits: LogitFormat, tokens_per_s: float) -> float:
    """The rate at which all GPUs together read logits, in bytes per second.

    Args:
        logits: how they are written.
        tokens_per_s: of the whole run.

    >>> read_bytes_per_s(top_k(128), 1e6)
    768000000.0
    """
    return logits.bytes_per_token * tokens_per_s


@dataclass(frozen=True, kw_only=True)
class StorageChoice:
    """Online or cached logits for several passes over the same tokens, in USD."""

    online_usd: Range
    """The teacher runs in every pass."""
    cached_usd: Range
    """The teacher runs once, and what it wrote is kept."""
    storage_usd: float
    """Of which storage."""
    break_even_passes: Range
    """Passes (students times epochs) above which the cache is cheaper."""


def online_or_cached(
    logits: LogitFormat,
    tokens: float,
    teacher_gpu_hours: Range,
    usd_per_gpu_hour: float,
    *,
    passes: float = 1.0,
    months: float = 1.0,
    usd_per_tb_month: float = STORAGE_USD_PER_TB_MONTH,
) -> StorageChoice:
    """What several passes over the same tokens cost with the teacher online and with a cache.

    One pass of the teacher costs T, keeping its logits costs S: online p T, cached T + S, equal at
    p = 1 + S / T.

    Args:
        logits: how they are written.
        tokens: unique tokens.
        teacher_gpu_hours: of one forward pass over them.
        usd_per_gpu_hour: price of a GPU-hour.
        passes: students times epochs.
        months: that the logits are kept.
        usd_per_tb_month: price of storage, per 1e12 bytes.
    """
    for name, value in {
        "tokens": tokens,
        "usd_per_gpu_hour": usd_per_gpu_hour,
        "passes": passes,
        "teacher GPU-hours": teacher_gpu_hours.low,
    }.items():
        if not (math.isfinite(value) and value > 0):
            raise InputError(f"storage: {name} is {value}; it must be positive")
    storage_usd = stored_bytes(logits, tokens) / TB * usd_per_tb_month * months
    teacher_usd = teacher_gpu_hours.scale(usd_per_gpu_hour)
    extra = Range(
        storage_usd / teacher_usd.high,
        storage_usd / teacher_usd.mid,
        storage_usd / teacher_usd.low,
    )
    return StorageChoice(
        online_usd=teacher_usd.scale(passes),
        cached_usd=teacher_usd + Range.exact(storage_usd),
        storage_usd=storage_usd,
        break_even_passes=Range.exact(1.0) + extra,
    )


def _format(name: str, bytes_per_token: float, *, unbiased: bool) -> LogitFormat:
    """A format with a usable size."""
    if not (math.isfinite(bytes_per_token) and bytes_per_token > 0):
        raise InputError(
            f"logit format {name}: {bytes_per_token} bytes per token; it must be positive"
        )
    return LogitFormat(name=name, bytes_per_token=float(bytes_per_token), unbiased=unbiased)


def _at_least_one(count: N) -> N:
    """A count of entries or rows."""
    if not (math.isfinite(count) and count >= 1):
        raise InputError(f"logit format: {count} entries; it must be at least 1")
    return count
