"""Published distillation runs and losses: what is printed, what computes, and how many are held."""

import json
import statistics
from typing import Any

import pytest

from distillplan.checks.described_runs import described_shape
from distillplan.checks.distilled_runs import MEMORY_MEASURES, TOPIC, distilled_run_rows
from distillplan.checks.hardware_checks import hardware_check_groups
from distillplan.cli.app import app

GROUPS = [group for group in hardware_check_groups() if group["topic"] == TOPIC]
ROWS = [(group, row) for group in GROUPS for row in group["rows"]]
FOUND = list(distilled_run_rows(GROUPS))
MIB_PER_BYTE_PER_LOGIT = 128256 / 2**20
"""Of one token of Llama 3."""


def published(where: str, what: str) -> float:
    """The one figure of the table at a place."""
    (found,) = (
        row["published"]
        for group, row in ROWS
        if group["where"].startswith(where) and row["what"].startswith(what)
    )
    return float(found)


def test_what_was_asked_for_is_held_by_those_that_taught_nothing() -> None:
    """At least 20 runs and losses; times in their range for 70%, memory within 15% (median)."""
    assert len([row for _, row in ROWS if not row.get("seen")]) >= 20
    groups = {id(row): group for group, row in ROWS}
    times, memory = [], []
    for (_, row), found in zip(ROWS, FOUND, strict=False):
        if row.get("seen"):
            continue
        if groups[id(row)]["measure"] in MEMORY_MEASURES:
            memory.append(abs(float(found.computed or 0.0) / row["published"] - 1))
        else:
            times.append(found.passed)
    assert statistics.fmean(times) >= 0.7
    assert statistics.median(memory) <= 0.15
    shares = {row.what: row.computed for row in FOUND[len(ROWS) :]}
    assert shares["share of times inside their 80% range"] == statistics.fmean(times)
    assert shares["median error of memory"] == pytest.approx(statistics.median(memory))


def test_every_row_says_where_it_is_from_and_what_is_assumed() -> None:
    for group in GROUPS:
        assert group["source"]
        assert group["note"]
        assert group["family"]


@pytest.mark.parametrize(
    ("where", "what", "figure"),
    [
        # tokens of a step over tokens per second (report of July 2026)
        ("Marin", "Qwen3 32B", 16384 / 27906),
        ("Marin", "Qwen3 4B", 16384 / 59960),
        # hours on 8 GPUs (arXiv 2505.12781, Table 10; 2505.03005, Table 3)
        ("Low-Rank", "Llama", 34 * 8),
        ("Low-Rank", "Qwen2.5 3B", 80 * 8),
        ("Low-Rank", "Qwen2.5 7B", 138 * 8),
        ("RADLADS", "Qwen2.5 7B", 5.5 * 8),
        ("RADLADS", "Qwen2.5 32B", 27 * 8),
        ("RADLADS", "Qwen2.5 72B", 54 * 8),
        # days on 8 GPUs (its issue 23, and the README of llama3.2_3B)
        ("The Mamba", "Llama 8B", 3 * 24 * 8),
        ("The Mamba", "Llama 70B to 3B, 6.8B tokens, A100", 8 * 24 * 8),
        ("The Mamba", "Llama 70B to 3B, 6.8B tokens, H100", 4 * 24 * 8),
        # milliseconds of 8192 tokens (Liger Kernel's CSV files, NeMo RL's pull request)
        ("Liger", "torch divergence and", 213.1599 / 8.192),
        ("Liger", "torch divergence, H100", 195.2954 / 8.192),
        ("Liger", "torch divergence, B200", 104.6908 / 8.192),
        ("Liger", "compiled", 60.7063 / 8.192),
        ("Liger", "in 32 chunks, H100", 182.5833 / 8.192),
        ("Liger", "in 32 chunks, B200", 150.0458 / 8.192),
        ("NeMo RL: micro", "top 64", 95.0 / 8.192),
        # MiB at two numbers of tokens, or in all, over the logits between them
        ("Losses", "torch divergence and", (38791.07 - 23713.05) / 2048 / MIB_PER_BYTE_PER_LOGIT),
        ("Losses", "torch divergence, no", (56368.02 - 30220.02) / 4096 / MIB_PER_BYTE_PER_LOGIT),
        (
            "Losses",
            "Liger",
            (10913.54 - 2 * (2048 * 2 + 4096) * MIB_PER_BYTE_PER_LOGIT)
            / 1024
            / MIB_PER_BYTE_PER_LOGIT,
        ),
        ("Losses", "top 64", 16.23 * 2**30 / (8192 * 151936)),
    ],
)
def test_a_figure_follows_from_what_is_printed(where: str, what: str, figure: float) -> None:
    assert published(where, what) == pytest.approx(figure, rel=2e-3)


@pytest.mark.parametrize(
    ("what", "billions"),
    [("Nemotron Nano 9B", 7.00), ("Nemotron 3 Nano", 22.28), ("Qwen3 8B to 6B", 5.99)],
)
def test_a_pruned_student_has_its_printed_size(what: str, billions: float) -> None:
    """Model-Optimizer's logs of the chosen shapes (its two tutorials, and pull request 861)."""
    (row,) = (row for group, row in ROWS if "Model-Opt" in group["where"] and what in row["what"])
    assert described_shape(row).total_params / 1e9 == pytest.approx(billions, abs=0.005)


def test_tokens_of_a_step_follow_from_its_printed_flops() -> None:
    """arXiv 2608.03796: 331 TFLOP/s for 18.5 s, at 6 N and causal attention 6 L d s per token."""
    per_token = 6 * 3.21e9 + 6 * 28 * 3072 * 8192
    assert 331e12 * 18.5 / per_token == pytest.approx(262144, rel=0.02)


def test_a_step_is_that_of_an_estimate(capsys: Any) -> None:
    """4B to 0.6B on 4 GB200: as `distillplan estimate` says, of steps of 16384 tokens."""
    asked = ("--model", "qwen3-0.6b", "--teacher", "qwen3-4b", "--tokens", "100M", "--gpu",
             "gb200", "--gpus", "4", "--batch-tokens", "16384", "--seq-len", "2048", "--tp", "4",
             "--micro-batch", "4", "--stack", "compiled", "--checkpointing", "full",
             "--goodput", "1", "-o", "json")  # fmt: skip
    assert not app(["estimate", *asked], standalone_mode=False)
    seconds = json.loads(capsys.readouterr().out)["wall_seconds"]["mid"]
    (found,) = (row for row in FOUND if row.what == "Qwen3 4B to 0.6B")
    assert found.computed == pytest.approx(seconds * 16384 / 1e8, rel=1e-9)


def test_a_loss_without_projections_is_its_bytes_over_the_bandwidth() -> None:
    """RTX 4090, 1008 GB/s, of which 0.8 are reached; 56 bytes per logit (`hardware.losses`)."""
    (found,) = (row for row in FOUND if row.what == "top 64, RTX 4090")
    assert found.computed == pytest.approx(56 * 151936 / (0.8 * 1008e9) * 1e6, rel=1e-3)
