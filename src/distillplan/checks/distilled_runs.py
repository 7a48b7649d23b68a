"""Published distillation runs and losses: their time and memory, for `distillplan check`.

Time and memory are what an estimate gives, with its range. Shares and medians are of those that
taught the estimator nothing.
"""

import math
import statistics
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from distillplan.accounting import TRAINING_PASSES
from distillplan.checks.check_records import (
    EXPECTED,
    CheckRow,
    compared,
    held_share,
    within_its_range,
)
from distillplan.checks.described_runs import (
    described_machine,
    described_shape,
    described_strategy,
)
from distillplan.hardware import gpu_catalog as catalog
from distillplan.hardware.gpu import GIB
from distillplan.hardware.machine import Machine
from distillplan.hardware.memory import ERROR, LoadedTeacher, Run, memory_estimate
from distillplan.hardware.model_states import bytes_of
from distillplan.hardware.range import Range
from distillplan.hardware.step_time import loss_rate, matmul_ceiling
from distillplan.hardware.throughput import throughput_model
from distillplan.models.model_catalog import model
from distillplan.units.quantities import SECONDS_PER_HOUR

TOPIC: Final = "distillation"
"""The word to ask for them."""
SECONDS: Final = "seconds"
"""The measure of a step; that of a run is gpu_hours, which are allocated ones."""
LOSS_TIME: Final = "us_per_token"
"""The measure of a loss and the projections before it: microseconds."""
GIB_USED: Final = "gib"
"""The measure of the fullest GPU of a run."""
MEMORY_MEASURES: Final = (GIB_USED, "bytes_per_logit")
"""Measures of memory; all others are of time."""
MEDIAN: Final = 0.15
"""Most that memory may be off in the median."""
NEAR: Final = 0.25
"""Most that the median of computed times over published ones may be from 1."""


def distilled_run_rows(groups: Iterable[Mapping[str, Any]]) -> Iterator[CheckRow]:
    """Each run and loss; the share of times that ranges hold, and medians of time and memory.

    Args:
        groups: those of coefficients/hardware_checks.yaml with this topic.
    """
    times: list[CheckRow] = []
    memory: list[float] = []
    by_family: dict[str, list[bool]] = {}
    for group in groups:
        for row in group["rows"]:
            computed = _computed(group, row)
            published, known = float(row["published"]), row.get("known", EXPECTED)
            found = within_its_range(TOPIC, group["where"], row["what"], published, computed, known)
            yield found
            if row.get("seen"):
                continue
            if group["measure"] in MEMORY_MEASURES:
                memory.append(abs(found.difference or 0.0))
            else:
                times.append(found)
                by_family.setdefault(group["family"], []).append(found.passed)
    where = "all distillation that taught nothing"
    yield held_share(TOPIC, where, "times", statistics.fmean(row.passed for row in times))
    alike = statistics.fmean(map(statistics.fmean, by_family.values()))
    yield held_share(TOPIC, where, "times, each family alike,", alike)
    ratio = statistics.median(1 + (row.difference or 0.0) for row in times)
    what = "median of computed over published times"
    yield compared(TOPIC, where, what, 1.0, ratio, low=-NEAR, high=NEAR)
    off = statistics.median(memory)
    yield compared(TOPIC, where, "median error of memory", 0.0, off, low=0.0, high=MEDIAN)


def gib_of(group: Mapping[str, Any], row: Mapping[str, Any]) -> float:
    """GiB on the fullest GPU of a described run."""
    gpus = int(row.get("gpus", group.get("gpus", 1)))
    taught = [LoadedTeacher(shape=model(name).shape) for name in row.get("teachers", ())]
    strategy = described_strategy(group, row)
    accumulates = row.get("accumulates", group.get("accumulates", True))
    run = Run(
        shape=described_shape(row),
        strategy=strategy,
        gpus=gpus,
        teacher=taught[0] if taught else None,
        global_tokens=math.inf if accumulates else strategy.pass_tokens(gpus),
    )
    parts = memory_estimate(run).parts
    return (parts.allocated if group["allocated"] else parts.total) / GIB


def _computed(group: Mapping[str, Any], row: Mapping[str, Any]) -> Range:
    measure = group["measure"]
    if measure == LOSS_TIME:
        return _loss_microseconds(row)
    if measure not in MEMORY_MEASURES:
        return _run_time(group, row)
    mid = gib_of(group, row) if measure == GIB_USED else _bytes_per_logit(row)
    return Range(low=mid * (1 - ERROR), mid=mid, high=mid * (1 + ERROR))


def _run_time(group: Mapping[str, Any], row: Mapping[str, Any]) -> Range:
    """Allocated GPU-hours of a run, or seconds of a step, of which nothing else is counted."""
    machine, step = described_machine(group, row), group["measure"] == SECONDS
    if step:
        machine = replace(machine, goodput=Range.exact(1.0))
    over = machine.gpus if step else SECONDS_PER_HOUR
    return _seconds_per_token(machine, row).scale(float(row["tokens"]) / over)


def _seconds_per_token(machine: Machine, row: Mapping[str, Any]) -> Range:
    """GPU-seconds of the student's step, and of the passes of its online teachers."""
    teachers = [model(name).shape for name in row.get("teachers", ())]
    passes = (machine.teacher_seconds(shape, beside=True) for shape in teachers)
    own = machine.student_seconds(described_shape(row), distilling=True)
    return Range.total((own, *passes))


def _loss_microseconds(row: Mapping[str, Any]) -> Range:
    """Microseconds per token of a loss, forward and backward, with the projections before it.

    The student's takes three passes, the teacher's one, at the rate of the best matrix product.
    """
    gpu, vocab = catalog.gpu(row["gpu"]), float(row["vocab"])
    widths = TRAINING_PASSES * row.get("student_width", 0) + row.get("teacher_width", 0)
    products = 2 * widths * vocab / matmul_ceiling(gpu, throughput_model())
    loss = bytes_of("losses", row["loss"])
    moved = loss["moved"] + loss["moved_by_teacher"] * row.get("taught", True)
    moved += loss["moved"] * row.get("with_cross_entropy", False)
    seconds = loss_rate(moved, vocab, gpu).divide(1.0)
    return (seconds + Range.exact(products)).scale(1e6)


def _bytes_per_logit(row: Mapping[str, Any]) -> float:
    loss = bytes_of("losses", row["loss"])
    return float(loss["held"] + loss["held_by_teacher"] * row.get("taught", True))
