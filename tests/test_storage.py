"""Stored logits against the figures that papers and projects give."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from distillplan.errors import InputError
from distillplan.hardware.storage import LogitFormat, stored_logits
from distillplan.laws.logit_formats import LogitKind, StoredFormat
from tests.shell import run

ROWS = 128256
"""Llama 3's vocabulary, where it does not matter."""


def format_of(kind: LogitKind, vocab: int, entries: Any = None) -> LogitFormat:
    return stored_logits(StoredFormat(kind=kind, entries=entries), vocab)


def full(vocab: int, bits: int = 16) -> LogitFormat:
    return format_of(LogitKind.FULL_FP32 if bits == 32 else LogitKind.FULL, vocab)


def top_k(k: int) -> LogitFormat:
    return format_of(LogitKind.TOP_K, ROWS, k)


def top_p() -> LogitFormat:
    return format_of(LogitKind.TOP_P, ROWS)


def sampled(unique: int) -> LogitFormat:
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
        (format_of(LogitKind.DISTILLKIT, ROWS), 30),
        (sampled(12), 6),
        # Gemma 3 keeps 256 sampled logits
        (top_k(256), 154),
    ],
)
def test_published_storage_figures_come_out(logits: LogitFormat, terabytes: float) -> None:
    assert logits.bytes_per_token * TOKENS == pytest.approx(terabytes * 1e12, rel=0.05)


def test_bytes_per_entry_are_those_of_a_measured_cache() -> None:
    """700M positions with the top 64 took 268 GB (eullm)."""
    assert top_k(64).bytes_per_token * 700e6 == pytest.approx(268e9, rel=0.005)


@given(
    vocab=st.integers(1000, 300_000),
    k=st.integers(1, 512),
)
def test_bytes_grow_with_what_is_kept(vocab: int, k: int) -> None:
    assert full(vocab, 32).bytes_per_token == 2 * full(vocab).bytes_per_token
    assert top_k(k + 1).bytes_per_token > top_k(k).bytes_per_token


def test_only_sampled_and_full_are_unbiased() -> None:
    assert full(100).unbiased
    assert sampled(12).unbiased
    assert not any(f.unbiased for f in (top_k(8), top_p(), format_of(LogitKind.DISTILLKIT, ROWS)))


ASKED = (
    *("estimate", "--model", "llama-3.2-1b", "--teacher", "llama-3.1-8b", "--tokens", "100B"),
    *("--gpu", "h100-sxm", "--price", "2", "--logits", "stored", "-o", "json"),
)


def step(*words: str) -> dict:
    """Online and cached logits side by side."""
    finished = run(*ASKED, *words)
    assert not finished.returncode, finished.stderr
    return json.loads(finished.stdout)["distillation"]


def test_online_and_cached_cost_the_same_at_break_even() -> None:
    """p A = T + S, with A for a teacher beside one student, T for its pass alone, S for storage."""
    found = step("--logit-format", "top-k", "--logit-k", "128", "--logit-months", "3")
    beside, passes = found["online_usd"]["mid"], found["break_even_passes"]
    once = 2 * found["teacher_pass_gpu_hours"]["mid"]
    assert passes["mid"] * beside == pytest.approx(found["cached_usd"]["mid"], rel=1e-12)
    assert found["cached_usd"]["mid"] == pytest.approx(once + found["storage_usd"])
    assert found["storage_usd"] == pytest.approx(76.8 * 23 * 3)  # TB, USD per TB and month
    # a quick teacher is dear to replace by disks
    assert 1 < passes["low"] < passes["mid"] < passes["high"]


def test_storage_tips_the_choice_the_right_way() -> None:
    small, large = (step("--logit-format", one) for one in ("distillkit", "full"))
    added = small["online_usd"]["mid"]
    more = large["break_even_passes"]["mid"] - small["break_even_passes"]["mid"]
    assert more == pytest.approx((2 * 128256 - 300) / 10 * 23 / added)  # of S / A; TB for 100B
    longer = step("--logit-format", "distillkit", "--logit-months", "12")
    assert longer["storage_usd"] == pytest.approx(12 * small["storage_usd"])
    twice = step("--logit-format", "distillkit", "--students", "2")
    assert twice["online_usd"]["mid"] == pytest.approx(2 * small["online_usd"]["mid"])
    assert twice["cached_usd"] == small["cached_usd"]


@pytest.mark.parametrize("entries", [0, -1, float("nan"), float("inf")])
def test_impossible_counts_are_refused(entries: float) -> None:
    with pytest.raises(InputError, match=r"logit_(k|entries)"):
        format_of(LogitKind.SAMPLED, ROWS, entries)


def test_no_logits_are_kept_for_less_than_no_time() -> None:
    with pytest.raises(InputError, match="logit_months: -1 is negative"):
        StoredFormat(months=-1)
