"""One run has one memory and one speed, whoever asks: a plan, an estimate, or a search."""

import math
from dataclasses import replace

import pytest

from distillplan.hardware.gpu_catalog import gpu
from distillplan.hardware.machine import machine
from distillplan.laws.law_catalog import law, law_names
from distillplan.laws.provenance import ParameterCount
from distillplan.models.architecture import FixedAspect
from distillplan.models.model_catalog import model
from tests.plans import scenario_from_options
from tests.shell import answer, run, told_in_one_sentence

EIGHT = ("--gpu", "h100-sxm", "--gpus", "8")
PAIRS = [
    ("llama-3.2-3b", "llama-3.3-70b", ("--tp", "2", "--micro-batch", "1")),
    ("qwen3-8b", "qwen3-32b", ("--pp", "4", "--checkpointing", "none", "--sharding", "zero1")),
    ("qwen3-1.7b", "qwen3-8b", ("--sharding", "none")),
    ("qwen3-1.7b", "qwen3-8b", ("--logits", "stored", "--logit-format", "full-fp32")),
    ("qwen3-1.7b", "qwen3-8b", ()),
]


@pytest.mark.parametrize(("student", "teacher", "layout"), PAIRS, ids=str)
def test_a_plan_and_an_estimate_need_the_same_memory(student, teacher, layout):
    words = (*EIGHT, "--teacher", teacher, *layout)
    planned = answer("budget", "2k GPU-hours", "--student", student, *words, "--quick")
    (taught,) = [one for one in planned["options"] if one["decides"]]
    asked = answer("estimate", "--model", student, "--tokens", "2B", *words)
    needs = [asked["memory_bytes_per_gpu"]["mid"]]
    if asked["memory"]["teacher_pass"] is not None:
        needs.append(asked["memory"]["teacher_pass"]["memory_bytes_per_gpu"]["mid"])
    assert taught["memory_bytes_per_gpu"]["mid"] == pytest.approx(max(needs))
    assert taught["fits"] == asked["fits"]


CLUSTERS = [
    ("--model", "qwen3-8b", "--teacher", "qwen3-32b", *EIGHT),
    *(
        ("--model", "qwen3-1.7b", "--teacher", "qwen3-8b", "--gpu", "rtx-4090", "--gpus", gpus)
        for gpus in ("8", "16", "32")
    ),
    ("--model", "1B", "--teacher", "llama-3.1-8b", "--gpu", "a100-40gb", "--gpus", "8"),
    ("--model", "3B", "--gpu", "rtx-4090", "--gpus", "4", "--batch-tokens", "32768"),
    ("--model", "7B", *EIGHT, "--batch-tokens", "65536"),
]


@pytest.mark.parametrize("words", CLUSTERS, ids=" ".join)
def test_the_layout_that_is_found_fits(words):
    found = answer("estimate", *words, "--tokens", "5B", "--layout", "auto")
    assert found["fits"] == "yes"


@pytest.mark.parametrize("words", CLUSTERS, ids=" ".join)
def test_the_smallest_layout_fits_when_asked_for(words):
    least = answer("estimate", *words, "--tokens", "5B")["memory"]["smallest_layout"]
    kept = [word for word in words if word != "--gpus"]
    kept.remove(words[words.index("--gpus") + 1])
    names = ("tp", "pp", "micro_batch", "checkpointing", "sharding")
    told = [f"--{name.replace('_', '-')}={least[name]}" for name in names]
    found = answer("estimate", *kept, "--tokens", "5B", f"--gpus={least['gpus']}", *told)
    assert found["fits"] == "yes"
    assert found["memory_bytes_per_gpu"]["mid"] == pytest.approx(
        least["memory_bytes_per_gpu"]["mid"]
    )


def test_advice_to_divide_a_model_keeps_its_sharding():
    """Megatron's usual sharding comes with --tp, and would undo what was promised."""
    words = ("--model", "llama-3.1-8b", "--gpu", "l4", "--gpus", "8", "--tokens", "1B")
    words += ("--seq-len", "32768")
    steps = answer("estimate", *words)["memory"]["steps_to_fit"]
    assert [one["name"] for one in steps][-1] == "tensor parallel 2"
    told = " ".join(one["option"] for one in steps).split()
    assert answer("estimate", *words, *told)["fits"] == "yes"


def test_where_a_layout_is_searched_advice_leaves_it_to_the_search():
    """Weights, gradients and fp32 states of 8B, 18 bytes each, are more than 4 cards of 24 GB."""
    words = ("10k GPU-hours", "--student", "8B", "--gpu", "rtx-4090", "--gpus", "4")
    found = run("budget", *words, "--layout", "auto", "--quick")
    assert found.returncode == 1
    assert "fits with --optimizer adam8bit" in found.stderr
    followed = run("budget", *words, "--layout", "auto", "--quick", "--optimizer", "adam8bit")
    assert followed.returncode == 0


def speed(card, params, layout, **change):
    words = {"gpu": "h100-sxm", "gpus": 8, **layout}
    found = machine(words, FixedAspect(vocab=151_936, context=4096))
    return replace(found, gpu=replace(card, **change)).training_speed(params).tokens_per_s_per_gpu


@pytest.mark.parametrize("name", ["rtx-a6000", "h100-nvl", "h200-nvl", "mi210"])
@pytest.mark.parametrize("layout", [{}, {"tp": 2}, {"tp": 4}, {"tp": 8}], ids=str)
def test_a_bridge_between_cards_never_makes_them_slower(name, layout):
    """A limit: the same cards without their bridges, all on PCIe."""
    card = gpu(name)
    without = {"link_domain_gpus": None, "intra_node_bytes_per_s": card.pcie_bytes_per_s}
    bridged, bare = (speed(card, 1.5e9, layout, **change).mid for change in ({}, without))
    assert bridged >= bare


def test_an_unknown_network_is_no_faster_than_its_default():
    card = gpu("a100-80gb")
    unknown, known = (
        speed(card, 7e10, {"gpus": 64, "tp": 16}, inter_node_bytes_per_s=rate).mid
        for rate in (None, card.intra_node_bytes_per_s / 12)
    )
    assert unknown == pytest.approx(known)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--gpus", "64", "--pp", "8", "--interleave", "100"), "800 stages are more than"),
        (("--gpus", "64", "--batch-tokens", "1000"), "fewer than one pass of 64 GPUs"),
    ],
)
def test_what_no_launcher_would_take_is_refused(words, says):
    found = run("estimate", "--model", "1B", "--tokens", "10B", "--gpu", "h100-sxm", *words)
    told_in_one_sentence(found, 2, says)


def test_a_short_run_is_judged_on_the_layout_that_is_found():
    words = ("--model", "llama-3.1-70b", "--tokens", "6M", "--gpu", "h100-sxm", "--gpus", "1024")
    assert answer("estimate", *words, "--layout", "auto")["fits"] == "yes"


@pytest.mark.parametrize("name", law_names())
def test_a_named_student_costs_what_its_shape_does_under_every_law(name):
    """However a law counts parameters, hours are those of the exact shape."""
    found = scenario_from_options(
        compute="1k GPU-hours", gpu="h100-sxm", student="qwen3-0.6b", law=name
    )
    at = found.supervised_costs.student_training(math.log(found.student_params))
    shape = model("qwen3-0.6b").shape
    alone = found.machine.student_seconds(shape, distilling=False).mid
    assert float(at) == pytest.approx(alone)


def test_laws_count_both_ways():
    counts = {law(name).counts for name in law_names()}
    assert {ParameterCount.NON_EMBEDDING, ParameterCount.TOTAL} <= counts
