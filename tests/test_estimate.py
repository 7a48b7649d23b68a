"""`distillplan estimate`: published cases, sums, and every option in the right direction."""

import csv
import json
import statistics
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distillplan.checks import hardware_checks
from distillplan.cli.app import app
from distillplan.errors import InputError
from distillplan.hardware.machine import machine
from distillplan.laws.logit_formats import LogitKind
from distillplan.models.architecture import FixedAspect
from distillplan.scenarios import key_table
from tests.shell import overridden, run, told_in_one_sentence

DATA = Path(__file__).parent / "data"
TRAIN = ["--model", "7B", "--tokens", "140B", "--gpu", "h100-sxm", "--gpus", "64"]
DISTILL = [
    *("--model", "llama-3.2-1b", "--teacher", "llama-3.1-8b", "--tokens", "100B"),
    *("--gpu", "h100-sxm", "--gpus", "16"),
]


@pytest.fixture
def ask(capsys):
    """An estimate's document, asked for as a shell would, in this process."""

    def document(*words: str) -> dict[str, Any]:
        capsys.readouterr()
        assert not app(["estimate", *overridden(*words), "-o", "json"], standalone_mode=False)
        return json.loads(capsys.readouterr().out, parse_constant=pytest.fail)

    return document


def mid(answer, *path):
    for name in path:
        answer = answer[name]
    return answer["mid"]


# published cases


@pytest.mark.parametrize(("logits", "seconds"), [("online", 25.9), ("cached", 18.4)])
def test_a_step_on_one_h200_takes_its_published_time(ask, logits, seconds):
    """arXiv 2608.03796: 8B to 3.2B at 8192 tokens, 262144 tokens a step; a factor of 1.3."""
    answer = ask(
        *("--model", "llama-3.2-3b", "--teacher", "llama-3.1-8b", "--tokens", "1B"),
        *("--gpu", "h200-sxm", "--gpus", "1", "--seq-len", "8192", "--batch-tokens", "262144"),
        *("--logits", logits),
    )
    step = mid(answer, "distillation", f"{logits}_step_seconds")
    assert seconds / 1.3 < step < seconds * 1.3


@pytest.mark.parametrize(
    ("tokens", "hours", "goodput"), [("6.3B", 600, ["--goodput", "1"]), ("80B", 9000, [])]
)
def test_a_9b_to_7b_distillation_on_768_h100_takes_its_published_hours(ask, tokens, hours, goodput):
    """NVIDIA Model-Optimizer, Nemotron Nano v2: 600 GPU-hours per 6.3B tokens, 9000 for 80B.

    A hybrid with four attention blocks, here a transformer of its non-embedding size; tensor
    parallel 8, micro-batch 4, 768 sequences of 8192 tokens as its command says; a factor of 1.3.
    State-space blocks and a loss of its own are not what the vendor tunes: compiled.
    """
    answer = ask(
        *("--model", "5.9B", "--teacher", "7.7B", "--vocab", "131072", "--tokens", tokens),
        *("--gpu", "h100-sxm", "--gpus", "768", "--seq-len", "8192", "--micro-batch", "4"),
        *("--tp", "8", "--sharding", "zero1", "--batch-tokens", "6291456"),
        *("--stack", "compiled"),
        *goodput,
    )
    assert hours / 1.3 < mid(answer, "gpu_hours") < hours * 1.3


def test_a_14b_teacher_and_a_7b_student_do_not_fit_on_two_80_gb_cards(ask):
    """Their weights and the student's Adam states are more than the naive 84 GB of two models."""
    answer = ask(
        *("--model", "qwen2.5-7b", "--teacher", "qwen2.5-14b", "--tokens", "10B"),
        *("--gpu", "a100-80gb", "--gpus", "2"),
    )
    assert answer["fits"] == "no"
    assert answer["memory"]["steps_to_fit"]
    assert answer["memory"]["smallest_layout"]["gpus"] > 2
    assert any(one["code"] == "does_not_fit" for one in answer["warnings"])


@pytest.mark.parametrize(
    ("form", "vocab", "terabytes"),
    [
        # arXiv 2410.16215 over 100B tokens: 58.6 PB in fp32; 15 TB top-p
        (["full-fp32"], "151552", 58_600),
        (["top-p"], "151552", 15),
        # DistillKit's README: about 300 bytes per token
        (["distillkit"], "151552", 30),
        # eullm: 700M positions with the top 64 took 268 GB
        (["top-k", "--logit-k", "64"], "151552", 0.268 * 100 / 0.7),
    ],
)
def test_stored_logits_take_their_published_bytes(ask, form, vocab, terabytes):
    answer = ask(
        *("--model", "1B", "--teacher", "9B", "--tokens", "100B", "--gpu", "h100-sxm"),
        *("--vocab", vocab, "--logit-format", *form),
    )
    assert answer["distillation"]["stored_bytes"] == pytest.approx(terabytes * 1e12, rel=0.05)


def test_whole_runs_are_within_a_factor_of_their_hours(ask):
    """Runs of known shape on NVIDIA GPUs: within a factor of 1.5 for 80% of them."""
    names = {
        "A100-80GB-SXM": "a100-80gb",
        "A100-40GB-SXM": "a100-40gb",
        "H100-80GB-SXM": "h100-sxm",
    }
    within = []
    text = (DATA / "training_runs.csv").read_text(encoding="utf-8")
    for row in csv.DictReader(text.splitlines()):
        if not row["ffn_size"] or row["gpu"] not in names:
            continue
        measured_steps = any(word in row["gpu_hours_kind"] for word in ("iteration", "step"))
        sizes = {"layers": "n_layers", "width": "hidden", "ffn": "ffn_size", "heads": "n_heads"}
        sizes |= {"kv-heads": "n_kv_heads", "vocab": "vocab", "gpus": "n_gpus"}
        words = [
            word
            for option, column in sizes.items()
            if row[column]
            for word in (f"--{option}", str(int(float(row[column]))))
        ]
        words += ["--seq-len", str(min(int(float(row["context"])), 8192))]
        words += ["--tokens", row["train_tokens"], "--gpu", names[row["gpu"]]]
        if measured_steps:
            words += ["--goodput", "1"]
        if "pre-Flash" in row["notes"]:
            words += ["--attention", "unfused"]
        if "recompute" in row["notes"]:
            words += ["--checkpointing", "full"]
        if row["ffn_matrices"]:
            words += ["--ffn-matrices", str(int(float(row["ffn_matrices"])))]
        hours = mid(ask(*words), "gpu_hours")
        within.append(1 / 1.5 <= hours / float(row["gpu_hours"]) <= 1.5)
    assert len(within) >= 12
    assert statistics.fmean(within) >= 0.8


def test_memory_is_within_its_bar_on_published_layouts():
    """Median error at most 15 % over what SimuMax and torchtitan measured."""
    rows = [row for row in hardware_checks.hardware_rows() if row.law == "memory"]
    assert len(rows) >= 20
    assert statistics.median(abs(row.difference or 0.0) for row in rows) < 0.15


# sums


@pytest.mark.parametrize(
    "more",
    [
        [],
        ["--logits", "stored"],
        ["--logits", "cached"],
        ["--teacher-tokens", "2T", "--students", "4", "--country", "FRA"],
        ["--logits", "stored", "--students", "3", "--logit-months", "2"],
    ],
    ids=" ".join,
)
def test_parts_sum_to_totals(ask, more):
    answer = ask(*DISTILL, *more)
    lines, total = answer["bill"]["lines"], answer["bill"]["total"]
    assert total["flops"] == pytest.approx(sum(line["flops"] for line in lines), rel=1e-12)
    for name in ("gpu_hours", "wall_seconds", "cost_usd", "energy_kwh"):
        for end in ("low", "mid", "high"):
            parts = sum(line[name][end] for line in lines)
            assert answer[name][end] == pytest.approx(parts, rel=1e-12)
    assert sum(answer["memory"]["parts"].values()) == pytest.approx(
        mid(answer, "memory_bytes_per_gpu"), rel=1e-12
    )
    assert answer["total_flops"] == total["flops"]


@pytest.mark.parametrize("words", [TRAIN, DISTILL], ids=["training", "distillation"])
def test_hours_at_the_rate_are_the_tokens(ask, words):
    answer = ask(*words)
    productive = mid(answer, "gpu_hours") * 3600 * mid(answer, "speed", "goodput")
    tokens = answer["question"]["tokens"]
    assert productive * mid(answer, "tokens_per_s_per_gpu") == pytest.approx(tokens, rel=1e-9)


def test_the_factors_multiply_to_the_rate(ask):
    speed = ask(*TRAIN)["speed"]["student"]
    rate = speed["ideal_tokens_per_s_per_gpu"]
    for factor in speed["factors"].values():
        rate *= factor
    assert rate == pytest.approx(speed["tokens_per_s_per_gpu"]["mid"], rel=1e-12)


def test_mfu_is_model_flops_over_the_dense_peak(ask):
    """989.4 TFLOP/s, NVIDIA's H100 data sheet (half of the sparse 1979)."""
    answer = ask(*TRAIN)
    flops = 3 * answer["model"]["forward_flops_per_token"]
    mfu = flops * mid(answer, "tokens_per_s_per_gpu") / 989.4e12
    assert mid(answer, "mfu") == pytest.approx(mfu, rel=2e-3)


PAIRS = (("qwen3-1.7b", "qwen3-8b"), ("llama-3.2-1b", "llama-3.1-8b"), ("1B", "7B"))
WAYS = ("online_step_seconds", "cached_step_seconds", "online_usd", "cached_usd")


@settings(max_examples=25, deadline=None)
@given(
    pair=st.sampled_from(PAIRS),
    students=st.integers(1, 3),
    gpu=st.sampled_from(("h100-sxm", "a100-80gb", "rtx-4090")),
    more=st.sampled_from(((), ("--loss", "fused"), ("--mfu", "0.4"), ("--goodput", "1"))),
    k=st.sampled_from((12, 64, 300, 1000)),
    apart=st.sampled_from(((), ("--teacher-gpus", "4"), ("--teacher-gpus", "16"))),
)
def test_the_cheaper_way_is_that_of_the_two_bills(pair, students, gpu, more, k, apart):
    """Each asked by itself: their difference, and one student's more or fewer at break-even."""
    asked = (
        *("--model", pair[0], "--teacher", pair[1], "--tokens", "100B", "--gpu", gpu),
        *("--gpus", "16", "--students", str(students), "--logit-format", "top-k"),
        *("--logit-k", str(k), *more),
    )
    online, stored = (
        json.loads(run("estimate", *asked, *words, "-o", "json").stdout)
        for words in (apart, ("--logits", "stored"))
    )
    step = online["distillation"]
    for end in ("low", "mid", "high") if not apart else ("mid",):
        saved = online["cost_usd"][end] - stored["cost_usd"][end]
        added = step["online_usd"][end] - step["cached_usd"][end]
        assert added == pytest.approx(saved, abs=1e-6 * online["cost_usd"][end])
    saved = mid(online, "cost_usd") - mid(stored, "cost_usd")
    assert (students > mid(step, "break_even_passes")) == (saved > 0)
    if not apart:
        other = stored["distillation"]
        assert [mid(step, one) for one in WAYS] == pytest.approx([mid(other, one) for one in WAYS])
    said = run("estimate", *asked, *apart).stdout
    assert ("storing is cheaper: " in said) == (saved > 0)


def test_what_is_known_to_miss_of_the_slowdowns_does(ask):
    """Three laboratories; the steps of an answer are those of the check (4B to 0.6B on GB200)."""
    rows = [row for row in hardware_checks.hardware_rows() if row.law == "slowdowns"]
    groups = [one for one in hardware_checks.hardware_check_groups() if one["topic"] == "slowdowns"]
    known = [row.get("known") for group in groups for row in group["rows"]]
    assert [row.known for row in rows] == known
    assert [row.passed for row in rows] == [one is None for one in known]
    asked = ("--model", "qwen3-0.6b", "--tokens", "100M", "--gpu", "gb200", "--gpus", "4",
             "--batch-tokens", "16384", "--seq-len", "2048", "--micro-batch", "4", "--tp", "4",
             "--stack", "compiled", "--checkpointing", "full", "--goodput", "1")  # fmt: skip
    alone, taught = ask(*asked), ask(*asked, "--teacher", "qwen3-4b")
    slowdown = mid(taught, "wall_seconds") / mid(alone, "wall_seconds")
    (computed,) = (row.computed for row in rows if row.what == "4B to 0.6B")
    assert slowdown == pytest.approx(computed, rel=1e-9)


# directions


HOURS, WALL, RATE = ("gpu_hours",), ("wall_seconds",), ("tokens_per_s_per_gpu",)
MEMORY, COST, ENERGY = ("memory_bytes_per_gpu",), ("cost_usd",), ("energy_kwh",)


@pytest.mark.parametrize(
    ("words", "option", "grows", "shrinks"),
    [
        (TRAIN, ["--gpus", "128"], [HOURS, COST], [WALL, RATE]),
        (TRAIN, ["--tokens", "280B"], [HOURS, WALL, COST, ENERGY], []),
        (TRAIN, ["--model", "13B"], [HOURS, MEMORY], [RATE]),
        (TRAIN, ["--gpu", "a100-80gb"], [HOURS, WALL], [RATE]),
        (TRAIN, ["--vocab", "256000"], [HOURS, MEMORY], [RATE]),
        (TRAIN, ["--students", "2"], [HOURS, WALL, COST], []),
        (TRAIN, ["--seq-len", "32768"], [HOURS, MEMORY], [RATE]),
        (TRAIN, ["--micro-batch", "4"], [MEMORY, RATE], [HOURS]),
        (TRAIN, ["--precision", "fp8"], [RATE], [HOURS]),
        (TRAIN, ["--checkpointing", "full"], [HOURS], [MEMORY, RATE]),
        (TRAIN, ["--checkpointing", "none"], [MEMORY], []),
        (TRAIN, ["--sharding", "none"], [MEMORY], []),
        (TRAIN, ["--sharding", "zero1"], [MEMORY], []),
        (TRAIN, ["--sharding", "zero2"], [MEMORY], []),
        (TRAIN, ["--tp", "8"], [HOURS], [MEMORY, RATE]),
        (
            [*TRAIN, "--stack", "tuned", "--sharding", "zero1"],
            ["--pp", "4", "--batch-tokens", "1M"],
            [HOURS],
            [RATE],
        ),
        ([*TRAIN, "--stack", "compiled"], ["--stack", "eager"], [HOURS], [RATE]),
        ([*TRAIN, "--stack", "compiled"], ["--stack", "tuned"], [RATE], [HOURS]),
        ([*TRAIN, "--attention", "flash2"], ["--attention", "flash3"], [RATE], [HOURS]),
        (TRAIN, ["--cp", "4", "--micro-batch", "2"], [], [MEMORY]),
        ([*TRAIN, "--tp", "8"], ["--sequence-parallel", "off"], [MEMORY], []),
        (TRAIN, ["--attention", "unfused"], [HOURS], [RATE]),
        (TRAIN, ["--attention", "flash2"], [RATE], [HOURS]),
        (TRAIN, ["--optimizer", "adam8bit"], [], [MEMORY]),
        (TRAIN, ["--optimizer", "adam-bf16"], [], [MEMORY]),
        (TRAIN, ["--loss", "chunked"], [], [MEMORY]),
        (TRAIN, ["--loss", "dense16"], [], [MEMORY]),
        (TRAIN, ["--loss", "fused"], [], [MEMORY]),
        (TRAIN, ["--goodput", "1"], [], [HOURS, WALL, COST]),
        (TRAIN, ["--mfu", "0.5"], [RATE], [HOURS]),
        (TRAIN, ["--mfu", "0.2"], [HOURS], [RATE]),
        (TRAIN, ["--tokens-per-s", "12000"], [RATE], [HOURS]),
        (TRAIN, ["--price", "9"], [COST], []),
        (TRAIN, ["--pue", "1.5"], [ENERGY], []),
        (DISTILL, ["--teacher", "llama-3.1-70b"], [HOURS, MEMORY], [RATE]),
        (DISTILL, ["--teacher", "gemma-2-2b"], [RATE], [HOURS]),
        (DISTILL, ["--teacher-tokens", "1T"], [HOURS, COST], []),
        (DISTILL, ["--teacher-precision", "fp8"], [RATE], [HOURS, MEMORY]),
        (DISTILL, ["--teacher-precision", "int4"], [], [MEMORY]),
        (DISTILL, ["--teacher-mfu", "0.1"], [HOURS], [RATE]),
        (DISTILL, ["--logits", "cached"], [RATE], [HOURS, MEMORY]),
        (DISTILL, ["--teacher-gpus", "16"], [], [WALL, RATE]),
        (DISTILL, ["--logits", "stored"], [RATE], [MEMORY]),
        ([*DISTILL, "--logits", "stored"], ["--logit-format", "top-k"], [COST], []),
        (DISTILL, ["--loss", "jsd"], [HOURS, MEMORY], [RATE]),
        (DISTILL, ["--loss", "fused"], [RATE], [HOURS, MEMORY]),
        (DISTILL, ["--batch-tokens", "1M"], [], [("distillation", "online_step_seconds")]),
        (
            [*TRAIN, "--pp", "8", "--gpus", "64", "--interleave", "1"],
            ["--interleave", "4"],
            [RATE],
            [HOURS],
        ),
        (
            ["--model", "qwen3-30b-a3b", *TRAIN[2:], "--sharding", "zero1"],
            ["--ep", "8"],
            [],
            [MEMORY],
        ),
        (["--layers", "32", "--width", "4096", "--ffn", "11008", "--heads", "32", "--vocab",
          "128256", *TRAIN[2:]], ["--tied"], [], [MEMORY]),
        (["--layers", "32", "--width", "4096", "--ffn", "11008", "--heads", "32", "--vocab",
          "128256", *TRAIN[2:]], ["--kv-heads", "8"], [RATE], [HOURS, MEMORY]),
        (["--layers", "32", "--width", "4096", "--ffn", "16384", "--heads", "32", "--vocab",
          "128256", *TRAIN[2:]], ["--ffn-matrices", "2"], [RATE], [HOURS, MEMORY]),
    ],
    ids=lambda value: " ".join(value) if value and isinstance(value[0], str) else "",
)  # fmt: skip
def test_every_option_moves_the_answer_the_right_way(ask, words, option, grows, shrinks):
    before, after = ask(*words), ask(*words, *option)
    for path in grows:
        assert mid(after, *path) > mid(before, *path), path
    for path in shrinks:
        assert mid(after, *path) < mid(before, *path), path


@pytest.mark.parametrize(
    ("option", "bytes_per_token"),
    [
        # 4 bytes of token and 2 of value per entry; 4 and 1 where draws are counted
        (["--logit-format", "top-k"], 128 * 6),
        (["--logit-format", "top-k", "--logit-k", "64"], 64 * 6),
        (["--logit-format", "sampled"], 12 * 5),
        (["--logit-format", "full"], 128256 * 2),
        (["--logit-format", "full-fp32"], 128256 * 4),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_logit_formats_take_their_bytes(ask, option, bytes_per_token):
    step = ask(*DISTILL, *option)["distillation"]
    assert step["logit_format"]["bytes_per_token"] == bytes_per_token
    assert step["stored_bytes"] == pytest.approx(100e9 * bytes_per_token)
    assert step["logit_format"]["unbiased"] is (option[1] in {"sampled", "full", "full-fp32"})


def test_more_gpus_are_never_slower_in_wall_clock_nor_cheaper(ask):
    walls, hours = [], []
    for gpus in (8, 16, 64, 256, 1024):
        answer = ask(*TRAIN[:-1], str(gpus))
        walls.append(mid(answer, "wall_seconds"))
        hours.append(mid(answer, "gpu_hours"))
    assert walls == sorted(walls, reverse=True)
    assert hours == sorted(hours)


def test_longer_contexts_cost_more_flops_per_token(ask):
    flops = [
        ask(*TRAIN, "--seq-len", length)["model"]["forward_flops_per_token"]
        for length in ("1024", "4096", "16384", "65536")
    ]
    assert flops == sorted(flops)


def test_the_users_own_numbers_are_used_and_said(ask):
    measured = ask(*TRAIN, "--tokens-per-s", "9000")
    assert measured["tokens_per_s_per_gpu"] == {"low": 9000, "mid": 9000, "high": 9000}
    assert measured["speed"]["student"]["basis"] == "tokens_per_s"
    given = ask(*TRAIN, "--mfu", "0.42", "--goodput", "1", "--price", "2")
    assert mid(given, "mfu") == pytest.approx(0.42)
    assert given["speed"]["student"]["basis"] == "mfu"
    assert mid(given, "cost_usd") == pytest.approx(2 * mid(given, "gpu_hours"), rel=1e-12)
    assert ask(*TRAIN)["speed"]["student"]["basis"] == "model"


def test_energy_and_co2_follow_power_and_grid(ask):
    """700 W x the share that is drawn x 1.2 of the building; grams of the country per kWh."""
    answer = ask(*TRAIN, "--country", "france")
    hours, energy = mid(answer, "gpu_hours"), mid(answer, "energy_kwh")
    assert 0.7 * 0.7 * 1.2 < energy / hours < 0.7 * 1.0 * 1.2
    other = ask(*TRAIN, "--country", "POL")
    assert mid(other, "co2_kg") > 5 * mid(answer, "co2_kg")  # nuclear against coal
    assert ask(*TRAIN)["co2_kg"] is None


# what people give


def test_a_size_takes_the_vocabulary_of_an_exact_teacher(ask):
    """Logits must match."""
    answer = ask("--model", "1B", *DISTILL[2:])
    assert answer["model"]["vocab"] == 128256


def test_models_of_other_vocabularies_are_warned_of(ask):
    answer = ask("--model", "qwen2.5-0.5b", "--teacher", "qwen2.5-14b", *DISTILL[4:])
    assert "vocabulary_differs" in [one["code"] for one in answer["warnings"]]  # 151936, 152064
    answer = ask(*DISTILL)
    assert "vocabulary_differs" not in [one["code"] for one in answer["warnings"]]
    assert "teacher_licence" in [one["code"] for one in answer["warnings"]]


def test_a_config_file_is_its_model(ask, tmp_path):
    """The numbers of meta-llama/Llama-3.1-8B's own config.json."""
    config = {
        "model_type": "llama",
        "hidden_size": 4096,
        "intermediate_size": 14336,
        "num_attention_heads": 32,
        "num_hidden_layers": 32,
        "num_key_value_heads": 8,
        "tie_word_embeddings": False,
        "vocab_size": 128256,
    }
    path = tmp_path / "config.json"
    path.write_text(json.dumps(config), encoding="utf-8")
    ours = ask("--model", str(path), *TRAIN[2:])
    named = ask("--model", "meta-llama/Llama-3.1-8B", *TRAIN[2:])
    assert ours["model"]["total_params"] == named["model"]["total_params"] == 8030261248
    assert ours["gpu_hours"] == named["gpu_hours"]


def test_a_mixture_counts_active_flops_and_whole_memory(ask):
    """Qwen3 30B A3B: 30.5B parameters, 3.3B active (its model card, embeddings included)."""
    words = ["--gpu", "h100-sxm", "--gpus", "64", "--tokens", "100B"]
    mixture = ask("--model", "qwen3-30b-a3b", *words)
    dense = ask("--model", "qwen3-32b", *words)
    assert mixture["model"]["total_params"] == pytest.approx(30.5e9, rel=0.01)
    assert mixture["model"]["active_params"] < 3.3e9
    assert mixture["total_flops"] < dense["total_flops"] / 5
    states = [
        sum(one["memory"]["parts"][part] for part in ("weights", "gradients", "optimizer_states"))
        for one in (mixture, dense)
    ]
    assert states[0] == pytest.approx(states[1] * 30.5 / 32.8, rel=0.05)


def test_a_price_list_replaces_the_prices(ask, tmp_path):
    path = tmp_path / "prices.csv"
    path.write_text(
        "gpu,usd_per_hour,seller,date,source\n"
        "H100-80GB-SXM,1.99,Here,2026-11-01,offer 7\n"
        "h100-sxm,2.49,There,2025-01-01,offer 3\n"
        "a100-80gb,0.99,Here,2026-11-01,offer 8\n",
        encoding="utf-8",
    )
    answer = ask(*TRAIN, "--prices", str(path))
    assert answer["bill"]["price"] == {
        "usd_per_hour": 1.99,
        "seller": "Here",
        "date": "2026-11-01",
        "source": "offer 7",
    }


def test_a_gpu_of_ones_own(ask, tmp_path):
    path = tmp_path / "mine.yaml"
    entry = (
        "gpus:\n  h100-oc:\n    vendor: NVIDIA\n    arch: Hopper\n    dense_bf16_tflops: 1100\n"
        "    memory_gb: 96\n    memory_bw_gb_s: 3350\n    intra_node_gb_s: 450\n"
        "    gpus_per_node: 8\n"
    )
    path.write_text(entry, encoding="utf-8")
    answer = ask(*TRAIN, "--gpu", str(path))
    assert answer["question"]["gpu"] == "h100-oc"
    assert answer["cost_usd"] is None
    assert answer["energy_kwh"] is None
    assert {"price_missing", "gpu_not_calibrated"} <= {one["code"] for one in answer["warnings"]}


def test_a_run_that_fits_nowhere_says_why(ask):
    answer = ask(
        *("--model", "405B", "--tokens", "1T", "--gpu", "t4", "--gpus", "1"),
        *("--seq-len", "131072"),
    )
    assert answer["fits"] == "no"
    assert answer["memory"]["smallest_layout"] is None
    assert "activations" in answer["memory"]["why_no_layout"]
    assert "fits_nowhere" in [one["code"] for one in answer["warnings"]]


def test_the_smallest_layout_fits_when_it_is_asked_for(ask):
    words = ["--model", "llama-3.1-70b", "--tokens", "1T", "--gpu", "h100-sxm"]
    least = ask(*words, "--gpus", "8")["memory"]["smallest_layout"]
    layout = ["--gpus", str(least["gpus"]), "--tp", str(least["tp"]), "--pp", str(least["pp"])]
    layout += ["--sharding", least["sharding"], "--checkpointing", least["checkpointing"]]
    layout += ["--micro-batch", str(least["micro_batch"]), "--loss", least["loss"]]
    answer = ask(*words, *layout)
    assert answer["fits"] == "yes"
    assert answer["memory_bytes_per_gpu"] == least["memory_bytes_per_gpu"]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--gpu", "v100-32gb"], "no_bf16"),
        (["--gpu", "mi300x"], "other_vendor"),
        (["--gpu", "l40s"], "gpu_not_calibrated"),
        (["--gpu", "vr200"], "gpu_announced"),
        (["--model", "qwen3-30b-a3b"], "mixture_of_experts"),
        ([], "size_without_shape"),
    ],
)
def test_doubts_have_codes(ask, words, code):
    assert code in [one["code"] for one in ask(*TRAIN, *words)["warnings"]]


def test_the_error_of_mixtures_is_the_one_of_the_calibration(ask):
    """The row of coefficients/throughput.yaml, which `check throughput` shows as well."""
    stated = {one.group: one.median_error for one in hardware_checks.stated_errors()}
    answer = ask(*TRAIN, "--model", "qwen3-30b-a3b")
    said = next(one for one in answer["warnings"] if one["code"] == "mixture_of_experts")
    assert f"{stated['mixtures']:.0%}" in said["message"]


def test_wider_doubts_give_wider_intervals(ask):
    def width(*words: str) -> float:
        rate = ask(*TRAIN, *words)["tokens_per_s_per_gpu"]
        return rate["high"] / rate["low"]

    assert width("--gpu", "mi300x") > width() > 1
    assert width("--precision", "fp8") > width()
    assert width("--model", "qwen3-30b-a3b") > width()


def test_a_budget_in_gpu_time_and_an_estimate_are_inverses(ask, capsys):
    """The tokens that 64 GPUs for a week buy take 64 GPUs a week."""
    capsys.readouterr()
    words = ["budget", "64 h100-sxm for 7 days", "--student", "1B", "-o", "json"]
    assert not app(words, standalone_mode=False)
    plan = json.loads(capsys.readouterr().out)
    tokens = plan["options"][0]["student_tokens"]
    answer = ask("--model", "1B", "--tokens", repr(tokens), *TRAIN[4:])
    assert mid(answer, "wall_seconds") == pytest.approx(7 * 86400, rel=1e-9)


def test_options_name_every_choice():
    """The words of the option are those of the enumeration, which a start does not load."""
    assert tuple(key_table.TABLE.keys["logit_format"].value.choices()) == tuple(LogitKind)


def test_the_automatic_layout_is_the_fastest_that_fits(ask):
    """No layout given by hand on the same GPUs that fits for certain is faster."""
    words = ("--model", "qwen3-8b", "--tokens", "100B", "--gpu", "h100-sxm", "--gpus", "16")
    chosen = ask(*words, "--stack", "compiled", "--layout", "auto")
    assert chosen["fits"] == "yes"
    fastest = mid(chosen, "tokens_per_s_per_gpu")
    for layout in (
        ("--sharding", "zero3"),
        ("--sharding", "zero1", "--tp", "2"),
        ("--sharding", "zero3", "--checkpointing", "full", "--micro-batch", "4"),
        ("--pp", "4"),
    ):
        other = ask(*words, "--stack", "compiled", *layout)
        assert other["fits"] != "yes" or mid(other, "tokens_per_s_per_gpu") <= fastest * (1 + 1e-9)


def test_the_automatic_layout_chooses_what_is_not_given():
    words = {"gpu": "h100-sxm", "tp": 2, "layout": "auto"}
    with pytest.raises(InputError, match="layout: auto chooses it"):
        machine(words, FixedAspect())


def test_experts_are_spread_over_tensor_and_data_parallel_gpus(ask):
    """Megatron Core: 64 of the 64 GPUs of a stage, though tensor parallelism leaves 8 replicas."""
    answer = ask(
        *("--model", "deepseek-v3", "--tokens", "1T", "--gpu", "h100-sxm", "--gpus", "256"),
        *("--pp", "4", "--tp", "8", "--ep", "64"),
    )
    assert answer["question"]["ep"] == 64


def test_a_short_step_is_said(ask):
    few = ask("--model", "1B", "--tokens", "1B", "--gpu", "h100-sxm", "--gpus", "1",
              "--batch-tokens", "16384")  # fmt: skip
    assert "small_batch" in {one["code"] for one in few["warnings"]}


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--gpus", "64", "--tp", "16"), "tensor_parallel_across_nodes"),
        (("--gpus", "1000000"), "few_steps"),
        (("--gpus", "1000000"), "large_step"),
        (("--gpus", "8", "--batch-tokens", "200M"), "large_step"),  # MiniMax-01: 128M
        (("--gpus", "8", "--batch-tokens", "1B"), "few_steps"),
    ],
)
def test_a_layout_that_makes_little_sense_is_said(words, code):
    asked = ("estimate", "--model", "7B", "--tokens", "100B", "--gpu", "h100-sxm")
    codes = {
        one["code"] for one in json.loads(run(*asked, *words, "-o", "json").stdout)["warnings"]
    }
    assert code in codes
    plain = json.loads(run(*asked, "--gpus", "64", "-o", "json").stdout)["warnings"]
    assert code not in {one["code"] for one in plain}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--teacher", "8B", "--teacher", "70B"), "--teacher is given twice"),
        (("--teacher=1B", "--teacher", "2B"), "--teacher is given twice"),
        (
            ("--gpus", "256", "--cp", "256", "--seq-len", "128"),
            "cannot share a sequence of 128 tok",
        ),
        (("--ep", "4"), "is for mixtures of experts; this model is dense"),
    ],
)
def test_what_cannot_be_meant_is_refused(words, message):
    asked = ("estimate", "--model", "7B", "--tokens", "100B", "--gpu", "h100-sxm")
    finished = run(*asked, *words)
    assert finished.returncode == 2
    assert message in finished.stderr


@pytest.mark.parametrize("word", ["--tied", "--untied", "--ffn-matrices=2", "--layers=3"])
def test_a_model_has_a_shape_of_its_own(word):
    found = run("estimate", *TRAIN, word)
    told_in_one_sentence(found, 2, f"--model and {word.split('=')[0]} both give the model")


def test_a_named_model_has_a_vocabulary_of_its_own():
    words = ("--tokens", "1B", "--gpu", "h100-sxm", "--vocab", "1000", "--model", "qwen3-0.6b")
    told_in_one_sentence(run("estimate", *words), 2, "--vocab: qwen3-0.6b has a vocabulary")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((), "one job at a time, student and teacher at the same time"),
        (("--teacher-gpus", "4"), "one job at a time, student and teacher at the same time"),
        (("--teacher-tokens", "1T"), "training first, then student and teacher at the same time"),
        (("--logits", "stored"), "one job at a time, its phases one after the other"),
        (("--logits", "cached"), "one job at a time\n"),
    ],
)
def test_a_request_says_which_phases_run_at_the_same_time(words, says):
    assert (
        says in run("estimate", *TRAIN, "--teacher", "llama-3.1-8b", *words, "-o", "request").stdout
    )
