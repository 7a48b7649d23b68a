"""The GPUs of a teacher of its own, against counts of bytes and FLOPs, and limits."""

import math

import pytest

from distillplan.hardware.gpu_catalog import gpu
from distillplan.hardware.memory_fit import usable_bytes
from distillplan.models.model_catalog import model
from tests.shell import answer, codes, run

H100 = gpu("h100-sxm")
STAGE = ("--gpu", "h100-sxm", "--answer-tokens", "4000")


def serving(student, teacher, *words):
    found = answer("onpolicy", "--student", student, "--teacher", teacher, *STAGE, *words)
    (one,) = found["teachers"]
    return one["serving"], one["time"], found


@pytest.mark.parametrize(
    ("teacher", "gpus"),
    [("qwen3-8b", 1), ("qwen3-32b", 2), ("llama-3.1-70b", 4)],
)
def test_it_fits_on_as_many_as_its_weights_in_16_bits_need(teacher, gpus):
    """Half as many leave too little beside two bytes a parameter, within the error of 15%.

    A seventh of the memory is for all else: context, workspace, what the allocator holds, the
    activations and logits of one answer.
    """
    found, _, _ = serving("qwen3-1.7b", teacher)
    weights, memory = 2.0 * model(teacher).shape.total_params, usable_bytes(H100) * 6 / 7
    assert found["gpus_to_fit"] == gpus
    assert 1.15 * weights <= gpus * usable_bytes(H100)
    assert gpus == 1 or 1.15 * weights > gpus / 2 * memory
    assert weights / gpus < found["memory_bytes_per_gpu"]["mid"]


@pytest.mark.parametrize("gpus", ["8", "64"])
def test_it_keeps_up_where_its_part_of_the_work_is_done_in_the_time_of_the_rest(gpus):
    """On one GPU for a copy its passes cost what they cost in turn with the student's."""
    found, time, _ = serving("qwen3-1.7b", "qwen3-8b", "--gpus", gpus)
    rest = time["generation_gpu_hours"]["mid"] + time["training_gpu_hours"]["mid"]
    share = time["scoring_gpu_hours"]["mid"] / rest
    # in turn its weights are spread over all of them, and gathered for each block
    assert 0.85 * int(gpus) * share < found["gpus_to_keep_up"]["mid"] <= int(gpus) * share
    for end in ("low", "mid", "high"):
        assert found["gpus"][end] == math.ceil(found["gpus_to_keep_up"][end])


def test_its_passes_are_no_faster_than_the_peak_of_its_gpus():
    """2 N FLOPs for each token, and 3 times that of the student's in training."""
    found, time, whole = serving("qwen3-8b", "qwen3-32b")
    seconds = found["gpus_to_keep_up"]["low"] / 8 * time["wall_seconds"]["high"]
    flops = 2.0 * model("qwen3-32b").shape.params * whole["stage"]["tokens"]
    assert 8 * seconds > flops / H100.peak_flops_per_s["bf16"]


def test_whole_copies_are_asked_for():
    found, _, _ = serving("qwen3-8b", "qwen3-32b", "--gpus", "32")
    copies = {end: found["gpus"][end] / found["gpus_to_fit"] for end in ("low", "mid", "high")}
    assert all(one == int(one) >= 1 for one in copies.values())
    for end, many in copies.items():
        assert (many - 1) * found["gpus_to_fit"] < found["gpus_to_keep_up"][end]


def test_the_screen_says_it_with_its_range_and_what_is_not_known():
    words = ("onpolicy", "--student", "qwen3-8b", "--teacher", "qwen3-32b", *STAGE)
    screen = " ".join(run(*words).stdout.split())
    assert "qwen3-32b on GPUs of its own: 2 hold it" in screen
    assert "keep up with the 8 that write and train" in screen
    assert "onpolicy_teacher_gpus" in codes(answer(*words))
    alone = " ".join(run("onpolicy", "--student", "7B").stdout.split())
    assert "the teacher's GPUs: --gpu" in alone


def test_one_that_is_larger_than_a_node_takes_whole_nodes():
    """810 GB of weights, and a node has 680 GB."""
    found, _, _ = serving("qwen3-8b", "llama-3.1-405b")
    node = H100.gpus_per_node
    assert found["gpus_to_fit"] > node
    assert found["gpus_to_fit"] % node == found["gpus"]["mid"] % node == 0


def test_a_teacher_that_no_number_holds():
    """Each GPU has two gathered blocks of 405B parameters, 13 GB, and the logits of an answer."""
    words = ("onpolicy", "--student", "qwen3-0.6b", "--teacher", "llama-3.1-405b")
    stage = ("--gpu", "rtx-4090", "--answer-tokens", "100k")
    found = answer(*words, *stage)
    (one,) = found["teachers"]
    assert one["serving"]["gpus_to_fit"] is one["serving"]["gpus"] is None
    assert "no number of rtx-4090 holds it" in " ".join(run(*words, *stage).stdout.split())
