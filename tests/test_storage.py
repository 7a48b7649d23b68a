"""Stored logits against the figures that papers and projects give."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from distillplan.errors import InputError
from distillplan.hardware.range import Range
from distillplan.hardware.storage import (
    DISTILLKIT,
    STORAGE_USD_PER_TB_MONTH,
    LogitFormat,
    StoredLogits,
    format_of,
    online_or_cached,
    read_bytes_per_s,
    stored_bytes,
)
from distillplan.laws.logit_formats import LogitKind

ROWS = 128256
"""Llama 3's vocabulary, where it does not matter."""


def full(vocab: int, bits: int = 16) -> LogitFormat:
    return format_of(LogitKind.FULL_FP32 if bits == 32 else LogitKind.FULL, vocab)


def top_k(k: int) -> LogitFormat:
    return format_of(LogitKind.TOP_K, ROWS, k)


def top_p() -> LogitFormat:
    return format_of(LogitKind.TOP_P, ROWS)


def sampled(unique: float) -> LogitFormat:
    return format_of(LogitKind.SAMPLED, ROWS, unique)


TOKENS = 100e9
"""The corpus of arXiv 2410.16215, and of all figures below but where they say otherwise."""


@pytest.mark.parametrize(
    ("logits", "terabytes"),
    [
        # arXiv 2410.16215: GLM-4-9B, about 150k rows; 151552 in its config.json
        (full(151552, 32), 58_600),
        (full(150_000, 32), 58_600),
        (top_p(), 15),
        # 26, 30 and 52 PB in bf16: Llama 3, Qwen2.5, Gemma 3
        (full(128256), 26_000),
        (full(151936), 30_000),
        (full(262144), 52_000),
        (top_k(128), 77),
        (DISTILLKIT, 30),
        (sampled(12), 6),
        # Gemma 3 keeps 256 sampled logits
        (top_k(256), 154),
    ],
)
def test_published_storage_figures_come_out(logits: LogitFormat, terabytes: float) -> None:
    assert stored_bytes(logits, TOKENS) == pytest.approx(terabytes * 1e12, rel=0.05)


def test_bytes_per_entry_are_those_of_a_measured_cache() -> None:
    """700M positions with the top 64 took 268 GB (eullm)."""
    assert stored_bytes(top_k(64), 700e6) == pytest.approx(268e9, rel=0.005)


def test_a_read_rate_is_the_token_rate_times_the_bytes() -> None:
    """1M tokens/s at 768 bytes are 0.77 GB/s, 10M are 7.7 GB/s."""
    assert read_bytes_per_s(top_k(128), 1e6) == pytest.approx(0.77e9, rel=0.005)
    assert read_bytes_per_s(top_k(128), 1e7) == pytest.approx(7.7e9, rel=0.005)


@given(
    vocab=st.integers(1000, 300_000),
    k=st.integers(1, 512),
    tokens=st.floats(1e6, 1e14),
)
def test_bytes_grow_with_what_is_kept(vocab: int, k: int, tokens: float) -> None:
    assert full(vocab, 32).bytes_per_token == 2 * full(vocab).bytes_per_token
    assert top_k(k + 1).bytes_per_token > top_k(k).bytes_per_token
    assert stored_bytes(top_k(k), 2 * tokens) == 2 * stored_bytes(top_k(k), tokens)


def test_only_sampled_and_full_are_unbiased() -> None:
    assert full(100).unbiased
    assert sampled(12).unbiased
    assert not any(f.unbiased for f in (top_k(8), top_p(), DISTILLKIT))


HOURS = Range(800.0, 1000.0, 1250.0)


def test_online_and_cached_cost_the_same_at_break_even() -> None:
    """p T = T + S."""
    kept = StoredLogits(format=top_k(128), months=3)
    choice = online_or_cached(kept, TOKENS, HOURS, 2.0)
    passes = choice.break_even_passes.mid
    again = online_or_cached(kept, TOKENS, HOURS, 2.0, passes=passes)
    assert again.online_usd.mid == pytest.approx(again.cached_usd.mid, rel=1e-12)
    assert choice.storage_usd == pytest.approx(76.8 * STORAGE_USD_PER_TB_MONTH * 3)
    # a quick teacher is dear to replace by disks
    ends = choice.break_even_passes
    assert 1 < ends.low < ends.mid < ends.high


def test_storage_tips_the_choice_the_right_way() -> None:
    kept = StoredLogits(format=DISTILLKIT)
    small = online_or_cached(kept, TOKENS, HOURS, 2.0)
    large = online_or_cached(StoredLogits(format=full(128256)), TOKENS, HOURS, 2.0)
    assert small.break_even_passes.mid == pytest.approx(1 + 30 * 23 / 2000)  # 1 + S / T
    assert large.break_even_passes.mid > 100
    longer = online_or_cached(replace(kept, months=12), TOKENS, HOURS, 2.0)
    dearer = online_or_cached(replace(kept, usd_per_tb_month=46), TOKENS, HOURS, 2.0)
    assert longer.storage_usd == pytest.approx(12 * small.storage_usd)
    assert dearer.storage_usd == pytest.approx(2 * small.storage_usd)
    twice = online_or_cached(kept, TOKENS, HOURS, 2.0, passes=2)
    assert twice.online_usd.mid == 2 * small.online_usd.mid
    assert twice.cached_usd == small.cached_usd


@pytest.mark.parametrize("entries", [0, -1, float("nan"), float("inf")])
def test_impossible_counts_are_refused(entries: float) -> None:
    with pytest.raises(InputError, match="entries"):
        sampled(entries)


@pytest.mark.parametrize("size", [0.0, -2.0, float("nan")])
def test_impossible_sizes_are_refused(size: float) -> None:
    with pytest.raises(InputError, match="tokens is"):
        online_or_cached(StoredLogits(format=top_k(1)), size, HOURS, 2.0)
