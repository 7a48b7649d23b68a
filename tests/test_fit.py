"""Whether a run fits, what helps, and the smallest layout."""

from dataclasses import replace
from typing import Any

import pytest

from distillplan.errors import InfeasibleError
from distillplan.hardware.gpu_catalog import gpu
from distillplan.hardware.memory import LoadedTeacher, Run, WeightFormat, memory_estimate
from distillplan.hardware.memory_fit import Fits, fits, smallest_layout, steps_to_fit, usable_bytes
from distillplan.hardware.strategy import Attention, Checkpointing, Loss, Sharding, Strategy
from distillplan.models.model_catalog import model as catalog_model
from distillplan.models.shapes import ModelShape

CARD_80GB = usable_bytes(gpu("a100-80gb"))


def model(name: str) -> ModelShape:
    return catalog_model(name).shape


RUN = Run(
    shape=model("llama-3.2-3b"),
    strategy=Strategy(
        seq_len=8192,
        micro_batch=2,
        checkpointing=Checkpointing.NONE,
        sharding=Sharding.NONE,
        attention=Attention.UNFUSED,
    ),
    gpus=8,
    teacher=LoadedTeacher(shape=model("llama-3.1-8b")),
)


@pytest.mark.parametrize(
    ("name", "driver_mib"),
    # what nvidia-smi reports
    [
        ("a100-40gb", 40960),
        ("a100-80gb", 81920),
        ("h100-sxm", 81559),
        ("h200-sxm", 143771),
        ("b200-sxm", 183359),
        ("gb200", 189471),
        ("rtx-4090", 24564),
        ("b300-sxm", 268 * 1024),  # catalogs list 262 to 268 GiB
    ],
)
def test_usable_memory_is_just_below_what_the_driver_reports(name: str, driver_mib: float) -> None:
    reported = driver_mib * 2**20
    assert 0.97 * reported < usable_bytes(gpu(name)) <= reported


def test_a_14b_teacher_beside_a_7b_student_does_not_fit_on_two_cards() -> None:
    """Although 2 bytes for each teacher and 8 for each student parameter are 84 GB of 160."""
    student, teacher = model("qwen2.5-7b"), model("qwen2.5-14b")
    naive = 2 * 14e9 + 8 * 7e9
    assert naive == 84e9 < 2 * 80e9
    run = Run(shape=student, strategy=Strategy(), gpus=2, teacher=LoadedTeacher(shape=teacher))
    assert fits(memory_estimate(run).total, CARD_80GB) is Fits.NO
    assert fits(memory_estimate(run).total, 80e9) is Fits.NO
    steps = steps_to_fit(run, gpu("a100-80gb"), CARD_80GB)
    assert steps[-1].fits is Fits.YES
    layout = smallest_layout(run, gpu("a100-80gb"))
    assert layout.run.gpus > 2
    assert fits(layout.memory.total, CARD_80GB) is Fits.YES


def test_fits_says_uncertain_inside_the_error() -> None:
    estimate = memory_estimate(RUN)
    assert fits(estimate.total, estimate.total.high) is Fits.YES
    assert fits(estimate.total, estimate.total.mid) is Fits.UNCERTAIN
    assert fits(estimate.total, estimate.total.low * 0.999) is Fits.NO


def asked(run: Run, option: str) -> Run:
    """The run with the options of a step, as a user would give them."""
    words = option.split()
    for flag, word in zip(words[::2], words[1::2], strict=True):
        name = flag.removeprefix("--").replace("-", "_")
        if name == "teacher_precision":
            assert run.teacher is not None
            run = replace(run, teacher=replace(run.teacher, weights=WeightFormat(word)))
        else:
            value: Any = int(word) if word.isdigit() else word
            run = replace(run, strategy=Strategy(**{**vars(run.strategy), name: value}))
    return run


def test_steps_save_what_they_say_and_come_cheapest_first() -> None:
    steps = steps_to_fit(RUN, gpu("a100-80gb"), 1.0)  # nothing is enough, so all of them
    before = RUN
    for step in steps:
        after = asked(before, step.option)
        assert step.saved_bytes == pytest.approx(
            memory_estimate(before).total.mid - memory_estimate(after).total.mid
        )
        assert step.fits is Fits.NO
        before = after
    names = [step.name for step in steps]
    assert names[0] == "chunked loss"  # which costs nothing
    assert {"sharding zero3", "full checkpointing", "int4 teacher"} <= set(names)
    assert "stored logits" not in names  # no teacher could write them
    assert steps_to_fit(RUN, gpu("a100-80gb"), 1e15) == ()


def test_a_step_that_the_others_make_needless_is_left_out() -> None:
    """Without any one of them, applied alone to the run, it does not fit."""
    for capacity in (20e9, 30e9, 45e9, 60e9):
        steps = steps_to_fit(RUN, gpu("a100-80gb"), capacity)
        assert steps[-1].fits is Fits.YES
        assert all(one.fits is not Fits.YES for one in steps[:-1])


def test_tensor_parallelism_stays_inside_a_node() -> None:
    """A group of four would lie across two nodes of two."""
    small = replace(gpu("a100-80gb"), gpus_per_node=2)
    names = [step.name for step in steps_to_fit(RUN, small, 1.0)]
    assert "tensor parallel 2" in names
    assert "tensor parallel 4" not in names


def test_what_is_proposed_fits_when_asked_for() -> None:
    """A teacher is spread as the student is, and gradients are freed by the layout's own passes."""
    for tokens in (None, 65536.0, 2.0**22):
        run = replace(RUN, global_tokens=tokens)
        found = smallest_layout(run, gpu("rtx-4090"))
        again = Run(
            shape=run.shape,
            strategy=found.run.strategy,
            gpus=found.run.gpus,
            teacher=run.teacher,
            global_tokens=tokens,
        )
        assert memory_estimate(again).total == found.memory.total


def test_the_smallest_layout_is_smallest() -> None:
    run = Run(shape=model("llama-3.1-70b"), strategy=Strategy(micro_batch=4), gpus=1)
    layout = smallest_layout(run, gpu("a100-80gb"))
    assert fits(layout.memory.total, CARD_80GB) is Fits.YES
    assert layout.run.gpus * CARD_80GB > 16 * 70.5e9  # states alone
    bigger = smallest_layout(run, gpu("mi300x"))
    assert bigger.run.gpus < layout.run.gpus


def test_a_model_that_fits_nowhere_says_why() -> None:
    run = Run(shape=model("llama-3.1-8b"), strategy=Strategy(seq_len=20_000_000), gpus=1)
    with pytest.raises(InfeasibleError, match=r"logits take .* shorten the context"):
        smallest_layout(run, gpu("a100-80gb"))


def test_a_pipeline_is_told_to_hold_less_before_whole_blocks_are_computed_again() -> None:
    """DeepSeek-V3 on its own layout (arXiv 2412.19437, Section 3.2), whose GPUs have 80 GB."""
    layout = Strategy(pp=16, ep=64, sharding=Sharding.ZERO1, loss=Loss.FUSED)
    run = Run(shape=catalog_model("deepseek-v3").shape, strategy=layout, gpus=2048)
    steps = steps_to_fit(run, gpu("h800-sxm"), CARD_80GB)
    assert steps[-1].fits is Fits.YES
    assert steps[-1].option == "--interleave 1"
    assert "full checkpointing" not in [one.name for one in steps]
