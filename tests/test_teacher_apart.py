"""A teacher on GPUs of its own: closed forms of both sides, limits, and what is refused."""

import datetime as dt
import json
from dataclasses import replace

import pytest

from distillplan.hardware import gpu_catalog
from distillplan.hardware.machine import Machine
from distillplan.hardware.memory import LoadedTeacher, Run, memory_estimate, serving_estimate
from distillplan.hardware.memory_fit import Fits
from distillplan.hardware.range import Range
from distillplan.hardware.strategy import Sharding, Strategy
from distillplan.hardware.teacher_apart import own_machine, teacher_apart
from distillplan.hardware.throughput import throughput_model
from distillplan.models.model_catalog import model
from distillplan.models.named_models import named_pair
from tests.shell import run

PAIR = named_pair("llama-3.2-1b", "llama-3.1-8b")
STUDENT, TEACHER = PAIR.model.model, PAIR.teacher
MACHINE = Machine(
    gpu=gpu_catalog.gpu("h100-sxm"),
    gpus=8,
    model=throughput_model(),
    today=dt.date(2026, 11, 1),
)
ASKED = (
    *("estimate", "--model", "llama-3.2-1b", "--teacher", "llama-3.1-8b", "--tokens", "100B"),
    *("--gpu", "h100-sxm", "--gpus", "8"),
)


def answer(*words):
    finished = run(*ASKED, *words, "-o", "json")
    assert not finished.returncode, finished.stderr
    return json.loads(finished.stdout)


def test_each_side_is_its_work_over_its_gpus():
    """GPU-seconds of the step with the loss over 8, of the forward pass over 4."""
    found = teacher_apart(MACHINE, STUDENT, TEACHER, 4)
    own = MACHINE.student_seconds(STUDENT, distilling=True)
    own += MACHINE.divergence_seconds(TEACHER.model)
    forward = own_machine(MACHINE, 4, found.tp).teacher_seconds(TEACHER.model, beside=False)
    assert found.student_seconds == own.scale(1 / 8)
    assert found.teacher_seconds == forward.scale(1 / 4)
    assert found.pace.mid == max(found.student_seconds.mid, found.teacher_seconds.mid)


def test_logits_take_their_bytes_over_the_network():
    """2 bytes for each of 128256 rows, over the 4 network cards of the side that has fewer."""
    gpu = replace(MACHINE.gpu, inter_node_bytes_per_s=1e9)
    slow = replace(MACHINE, gpu=gpu, gpus=8, goodput=Range.exact(1.0))
    found = teacher_apart(slow, STUDENT, TEACHER, 4)
    assert found.link_seconds.mid == pytest.approx(2 * 128256 / 4e9)
    assert found.pace.mid == found.link_seconds.mid
    inside = teacher_apart(replace(slow, gpu=gpu, gpus=4), STUDENT, TEACHER, 4)
    assert inside.link_seconds.mid == pytest.approx(2 * 128256 / 4 / gpu.intra_node_bytes_per_s)


def test_many_gpus_of_the_teacher_leave_the_time_of_the_student():
    """In that limit a step takes as long as with stored logits, and the loss."""
    found = answer("--teacher-gpus", "64")
    step = found["distillation"]
    alone = step["cached_step_seconds"]["mid"] + step["loss_step_seconds"]["mid"]
    assert step["online_step_seconds"]["mid"] == pytest.approx(alone)


def test_both_sides_are_paid_for_all_the_time():
    found = answer("--teacher-gpus", "4")
    hours = {one["phase"]: one["gpu_hours"]["mid"] for one in found["bill"]["lines"]}
    wall = found["wall_seconds"]["mid"] / 3600
    assert hours["student_training"] == pytest.approx(8 * wall)
    assert hours["teacher_logits"] == pytest.approx(4 * wall)
    assert found["gpu_hours"]["mid"] == pytest.approx(12 * wall)
    pace = found["distillation"]["apart"]["teacher_seconds"]["mid"]
    assert found["wall_seconds"]["mid"] == pytest.approx(100e9 * pace)
    # 12 GPUs in productive time, of which the bill's goodput is a share
    rate = 12 * found["tokens_per_s_per_gpu"]["mid"] * found["speed"]["goodput"]["mid"]
    assert rate * found["wall_seconds"]["mid"] == pytest.approx(100e9)


def test_the_student_holds_the_logits_and_nothing_else_of_the_teacher():
    """Of what a step alone holds it differs by 10 bytes per logit, as `hardware.losses` says."""
    shape, strategy = model("llama-3.2-1b").shape, Strategy(sharding=Sharding.ZERO1)
    loaded = LoadedTeacher(shape=TEACHER.shape, apart=True)
    alone, taught = (
        memory_estimate(Run(shape=shape, strategy=strategy, gpus=8, teacher=one)).parts
        for one in (None, loaded)
    )
    assert taught.teacher_weights == taught.teacher_activations == 0
    assert taught.logits - alone.logits == 10 * 128256 * strategy.seq_len


@pytest.mark.parametrize(("tp", "weights"), [(1, "bf16"), (4, "bf16"), (1, "int4")])
def test_the_teacher_alone_holds_its_weights(tp, weights):
    """8.03B parameters at 2 bytes; 4.5 bits with a 16-bit scale for 64, but not the tables."""
    loaded = LoadedTeacher(shape=TEACHER.shape, weights=weights)
    held = serving_estimate(loaded, Strategy(tp=tp, sharding=Sharding.NONE), 8).parts
    tables = 2 * 128256 * 4096
    each = {"bf16": 2.0, "int4": 0.5 + 2 / 64}[weights]
    assert held.teacher_weights == pytest.approx(
        ((8.03e9 - tables) * each + 2 * tables) / tp, rel=1e-3
    )
    assert held.weights == held.gradients == held.optimizer_states == 0


def test_the_teacher_takes_the_smallest_group_that_fits():
    """70B parameters in 16 bits are 141 GB: two of 80 GB hold them without margin, four with."""
    large = named_pair("llama-3.2-1b", "llama-3.1-70b").teacher
    assert teacher_apart(MACHINE, STUDENT, TEACHER, 8).tp == 1
    assert teacher_apart(MACHINE, STUDENT, large, 8).tp == 4
    assert teacher_apart(MACHINE, STUDENT, large, 1).fits is Fits.NO


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--teacher-gpus", "4"), "the student's 8 GPUs wait"),
        (("--teacher-gpus", "32"), "the teacher's 32 GPUs wait"),
    ],
)
def test_who_waits_for_whom_is_said(words, said):
    """And at the number that it names both are busy, to the rounding of a GPU."""
    message = next(
        one["message"] for one in answer(*words)["warnings"] if one["code"] == "one_side_waits"
    )
    assert message.startswith(said)
    balanced = message.rpartition("about ")[2].split()[0]
    apart = answer("--teacher-gpus", balanced)["distillation"]["apart"]
    assert apart["teacher_seconds"]["mid"] <= apart["student_seconds"]["mid"]
    assert apart["teacher_seconds"]["mid"] > 0.8 * apart["student_seconds"]["mid"]


def test_a_teacher_that_does_not_fit_is_said():
    finished = run(*ASKED[:3], "--teacher", "llama-3.1-70b", *ASKED[5:], "--teacher-gpus", "1",
                   "-o", "json")  # fmt: skip
    found = json.loads(finished.stdout)
    assert found["fits"] == "no"
    assert found["memory"]["fits"] == "yes"
    assert "teacher_does_not_fit" in {one["code"] for one in found["warnings"]}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("estimate", "--model", "1B", "--tokens", "1T"), "--teacher-gpus: there is no teacher"),
        (
            (
                "estimate",
                "--model",
                "1B",
                "--tokens",
                "1T",
                "--teacher",
                "8B",
                "--logits",
                "stored",
            ),
            "--teacher-gpus: no teacher runs beside the student with stored logits",
        ),
    ],
)
def test_gpus_of_no_teacher_are_refused(words, message):
    finished = run(*words, "--gpu", "h100-sxm", "--teacher-gpus", "4")
    assert finished.returncode == 2
    assert message in finished.stderr
    assert not finished.stdout


def test_a_plan_takes_no_teacher_of_its_own(tmp_path):
    file = tmp_path / "s.yaml"
    file.write_text("base: {compute: 1e21, gpu: h100-sxm, teacher_gpus: 4}", encoding="utf-8")
    finished = run("compare", str(file))
    assert finished.returncode == 2
    assert "teacher_gpus is for `estimate`" in finished.stderr
