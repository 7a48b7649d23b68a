"""What plans run on: bills that add up, and parts that agree with the throughput model."""

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from distillplan.accounting import Accounting, Logits, run_flops, share
from distillplan.errors import InputError
from distillplan.hardware.bill import Phase, bill_of
from distillplan.hardware.gpu import Gpu, Price, gpu_from_entry, listed_price
from distillplan.hardware.machine import Machine
from distillplan.hardware.memory import WeightFormat
from distillplan.hardware.range import Range
from distillplan.hardware.storage import stored_logits
from distillplan.hardware.throughput import throughput_model
from distillplan.laws.logit_formats import LogitKind, StoredFormat
from distillplan.models.model_catalog import model as catalog_model
from tests.shipped import shipped

GPUS: dict[str, Gpu] = {n: gpu_from_entry(n, e) for n, e in shipped("gpus.yaml")["gpus"].items()}
MODEL = throughput_model(shipped("throughput.yaml"))
SHAPE = catalog_model("llama-3.1-8b").shape
MIXTURE = catalog_model("qwen3-30b-a3b").shape
MACHINE = Machine(gpu=GPUS["h100-sxm"], gpus=64, model=MODEL, today=dt.date(2026, 3, 1))
sizes = st.floats(1e8, 1e11)


@pytest.mark.parametrize("teacher", [7e9, SHAPE, MIXTURE])
def test_the_parts_of_a_distillation_step_are_its_throughput(teacher: Any) -> None:
    exact = replace(MACHINE, goodput=Range.exact(1.0))
    parts = exact.student_seconds(1e9, distilling=True) + exact.teacher_seconds(
        teacher, beside=True
    )
    whole = Range.total(
        one.seconds(MODEL.distillation)
        for one in (exact.training_speed(1e9), exact.teacher_speed(teacher))
    )
    whole += exact.divergence_seconds(teacher)
    for end in ("low", "mid", "high"):
        assert getattr(parts, end) == pytest.approx(getattr(whole, end), rel=1e-12)


@pytest.mark.parametrize(
    ("loss", "microseconds"),
    # PyTorch 2.11 on one H100, 128256 rows, beyond the 2.4 of cross-entropy: our own measurement
    [("dense", 5.7 - 2.4), ("jsd", 23.4 - 2.4), ("jsd16", 12.5 - 2.4)],
)
def test_the_loss_takes_its_measured_time(loss: str, microseconds: float) -> None:
    strategy = replace(MACHINE.strategy, loss=loss)
    exact = replace(MACHINE, strategy=strategy, goodput=Range.exact(1.0))
    taken = exact.divergence_seconds(SHAPE)
    assert taken.mid * 1e6 == pytest.approx(microseconds, rel=0.15)
    assert taken.low * 1e6 < microseconds < taken.high * 1e6


def test_the_time_of_the_loss_goes_with_vocabulary_and_bandwidth() -> None:
    """Bytes over bandwidth: twice the rows take twice as long; an H200 is 4.8 / 3.35 as fast."""
    large = replace(MACHINE, family=replace(MACHINE.family, vocab=2 * MACHINE.family.vocab))
    once, twice = (one.divergence_seconds(7e9).mid for one in (MACHINE, large))
    assert twice == pytest.approx(2 * once)
    faster = replace(MACHINE, gpu=GPUS["h200-sxm"], gpus=64)
    assert once / faster.divergence_seconds(7e9).mid == pytest.approx(4.8 / 3.35, rel=0.01)


@given(sizes, st.floats(1e8, 1e13))
def test_hours_times_rate_are_the_tokens(size: float, tokens: float) -> None:
    bill = bill_of(MACHINE, student=size, student_tokens=tokens)
    rate = MACHINE.training_speed(size).tokens_per_s_per_gpu.mid
    productive = bill.total.gpu_hours.mid * 3600 * MODEL.goodput.mid
    assert productive * rate == pytest.approx(tokens, rel=1e-9)
    assert bill.total.wall_seconds.mid * 64 == pytest.approx(bill.total.gpu_hours.mid * 3600)


@given(
    size=sizes,
    teacher=sizes,
    students=st.integers(1, 20),
    accounting=st.sampled_from(Accounting),
    logits=st.sampled_from(Logits),
)
def test_flops_of_the_bill_are_those_of_the_accounting(
    size: float, teacher: float, students: int, accounting: Accounting, logits: Logits
) -> None:
    paid = share(accounting, logits, students)
    bill = bill_of(
        MACHINE,
        student=size,
        student_tokens=1e11,
        students=students,
        teacher=teacher,
        teacher_tokens=3e11,
        paid=paid,
        logits=logits,
    )
    flops = run_flops(
        student_forward=MACHINE.family.forward_flops(size),  # 4096 tokens of context, as here
        student_tokens=1e11,
        teacher_forward=MACHINE.family.forward_flops(teacher),
        teacher_tokens=3e11,
        paid=paid,
        students=students,
    )
    assert bill.total.flops == pytest.approx(flops.total, rel=1e-9)
    by_phase = {line.phase.value: line.flops for line in bill.lines}
    for name in ("student_training", "teacher_logits", "teacher_training"):
        assert by_phase.get(name, 0.0) == pytest.approx(getattr(flops, name), rel=1e-9)


def test_a_family_trains_its_teacher_once() -> None:
    def hours(students: int) -> dict[Phase, float]:
        paid = share(Accounting.TRAIN, Logits.STORED, students)
        bill = bill_of(
            MACHINE,
            student=1e9,
            student_tokens=1e11,
            students=students,
            teacher=7e9,
            teacher_tokens=2e11,
            paid=paid,
            logits=Logits.STORED,
            stored=stored_logits(StoredFormat(kind=LogitKind.TOP_K, entries=100), 128256),
        )
        return {line.phase: line.gpu_hours.mid for line in bill.lines}

    one, four = hours(1), hours(4)
    assert four[Phase.STUDENT_TRAINING] == pytest.approx(4 * one[Phase.STUDENT_TRAINING])
    assert four[Phase.TEACHER_TRAINING] == pytest.approx(one[Phase.TEACHER_TRAINING])
    assert four[Phase.TEACHER_LOGITS] == pytest.approx(one[Phase.TEACHER_LOGITS])
    assert Phase.LOGIT_STORAGE in one


def test_stored_logits_cost_what_the_bytes_do() -> None:
    """1e11 tokens x 100 entries x 6 bytes = 60 TB, at 23 USD per TB and month for two months."""
    bill = bill_of(
        MACHINE,
        student=1e9,
        student_tokens=1e11,
        teacher=7e9,
        paid=share(Accounting.EXISTS, Logits.STORED, 1),
        logits=Logits.STORED,
        stored=stored_logits(StoredFormat(kind=LogitKind.TOP_K, entries=100, months=2.0), 128256),
    )
    line = next(one for one in bill.lines if one.phase is Phase.LOGIT_STORAGE)
    assert line.cost_usd is not None
    assert line.cost_usd.mid == pytest.approx(60 * 23 * 2)


def test_measured_rates_are_used_as_they_are() -> None:
    given_rate = replace(MACHINE, tokens_per_s=5000.0, goodput=Range.exact(1.0))
    assert given_rate.student_seconds(7e9, distilling=False) == Range.exact(1 / 5000)
    assert given_rate.student_seconds(7e9, distilling=True).mid == pytest.approx(1 / 5000)
    assert given_rate.training_seconds(7e9).mid != pytest.approx(1 / 5000)
    given_mfu = replace(MACHINE, mfu=0.4, teacher_mfu=0.5, goodput=Range.exact(1.0))
    flops = MACHINE.work_of(7e9).forward_flops
    peak = GPUS["h100-sxm"].peak_flops_per_s["bf16"]
    assert given_mfu.training_seconds(7e9).mid == pytest.approx(3 * flops / (0.4 * peak))
    assert given_mfu.teacher_seconds(7e9, beside=False).mid == pytest.approx(flops / (0.5 * peak))


def test_an_fp8_teacher_is_faster_only_where_the_gpu_can() -> None:
    for gpu, faster in (("h100-sxm", True), ("a100-80gb", False)):
        machine = replace(MACHINE, gpu=GPUS[gpu], gpus=8)
        fp8 = replace(machine, teacher_precision=WeightFormat.FP8)
        ratio = (
            fp8.teacher_seconds(SHAPE, beside=True).mid
            / machine.teacher_seconds(SHAPE, beside=True).mid
        )
        assert (ratio < 1) is faster


def test_the_listed_price_is_the_newest_dated_one() -> None:
    def price(usd: float, date: str) -> Price:
        return Price(usd_per_hour=usd, seller="x", date=date, source="x")

    old, new, dear = price(1, "2024-01"), price(3, "2026-02"), price(4, "2026-02")
    assert listed_price((price(0.5, "unknown"), dear, new, old)) == new
    assert listed_price((price(2, "unknown"), price(1, "unknown"))) == price(1, "unknown")
    assert listed_price(()) is None


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"pue": 0.9}, "pue: 0.9; it must be at least 1"),
        ({"gpus": 0}, "0 GPUs cannot be divided"),
    ],
)
def test_impossible_machines_are_refused(change: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        replace(MACHINE, **change)
