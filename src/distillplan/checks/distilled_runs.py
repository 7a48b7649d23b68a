"""Published distillation runs and losses: their time and memory, for `distillplan check`.

Time is what an estimate gives, with its 80% range, computed without what the authors of the run
taught the distillation factor; memory is the middle of an estimate.
"""

import statistics
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from typing import Any, Final

import numpy as np

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
from distillplan.files.entries import read_shipped
from distillplan.hardware import gpu_catalog as catalog
from distillplan.hardware.gpu import GIB
from distillplan.hardware.losses import LOSSES, loss_rate
from distillplan.hardware.machine import Machine, student_step_seconds, teacher_pass_seconds
from distillplan.hardware.memory import ERROR, LoadedTeacher, Run, memory_estimate
from distillplan.hardware.range import Range
from distillplan.hardware.step_time import matmul_ceiling
from distillplan.hardware.strategy import Loss
from distillplan.models.model_catalog import model
from distillplan.units import SECONDS_PER_HOUR

TOPIC: Final = "distillation"
"""The word to ask for them."""
HOURS, SECONDS, LOSS_TIME = "gpu_hours", "seconds", "us_per_token"
"""Measures of time: allocated GPU-hours of a run, seconds of a step, microseconds of a loss."""
MEMORY, LOSS_BYTES = "gib", "bytes_per_logit"
"""Measures of memory: GiB of the fullest GPU, and bytes that a loss holds."""
MEDIAN: Final = 0.15
"""Most that memory may be off in the median."""
CENTRAL: Final = (0.1, 0.5, 0.9)
"""Quantiles of the middle 80%, and its middle."""


def distilled_run_rows(groups: Iterable[Mapping[str, Any]]) -> Iterator[CheckRow]:
    """Each run and loss; the shares of times that ranges hold, and the median error of memory.

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
            if group["measure"] in {MEMORY, LOSS_BYTES}:
                memory.append(abs(found.difference or 0.0))
            else:
                times.append(found)
                by_family.setdefault(group["family"], []).append(found.passed)
    where = "all distillation"
    yield held_share(TOPIC, where, "times", statistics.fmean(row.passed for row in times))
    alike = statistics.fmean(map(statistics.fmean, by_family.values()))
    yield held_share(TOPIC, where, "times, each family alike,", alike)
    off = statistics.median(memory)
    yield compared(TOPIC, where, "median error of memory", 0.0, off, low=0.0, high=MEDIAN)


def gib_of(group: Mapping[str, Any], row: Mapping[str, Any]) -> float:
    """GiB on the fullest GPU of a described run."""
    gpus = int(row.get("gpus", group.get("gpus", 1)))
    taught = [LoadedTeacher(shape=model(name).shape) for name in row.get("teachers", ())]
    run = Run(
        shape=described_shape(row),
        strategy=described_strategy(group, row),
        gpus=gpus,
        teacher=taught[0] if taught else None,
        accumulates=bool(row.get("accumulates", group.get("accumulates", True))),
    )
    parts = memory_estimate(run).parts
    return (parts.allocated if group["allocated"] else parts.total) / GIB


def distillation_factor(without: str | None = None) -> Range:
    """Speed of a distillation step over that of its passes, from what each family published.

    Each family has the median of its runs. The middle is the median of families, and the range
    holds the middle 80% of them, but that nothing is faster than its passes.

    Args:
        without: a family that is left out.
    """
    shares = [share for family, share in _family_shares().items() if family != without]
    low, mid, high = (min(float(one), 1.0) for one in np.quantile(shares, CENTRAL))
    return Range(low=low, mid=mid, high=high)


@cache
def _family_shares() -> Mapping[str, float]:
    """The median of computed over published time by family, with nothing lost in distilling."""
    shares: dict[str, list[float]] = {}
    for group in read_shipped("hardware_checks.yaml")["groups"]:
        if group["topic"] == TOPIC and group["measure"] in {HOURS, SECONDS}:
            for row in group["rows"]:
                passes = _run_time(group, row, Range.exact(1.0)).mid
                shares.setdefault(group["family"], []).append(passes / float(row["published"]))
    return {family: statistics.median(found) for family, found in shares.items()}


def _computed(group: Mapping[str, Any], row: Mapping[str, Any]) -> Range:
    measure = group["measure"]
    if measure in {HOURS, SECONDS}:
        return _run_time(group, row, distillation_factor(group["family"]))
    if measure == LOSS_TIME:
        return _loss_microseconds(row)
    mid = gib_of(group, row) if measure == MEMORY else _bytes_per_logit(row)
    return Range(low=mid * (1 - ERROR), mid=mid, high=mid * (1 + ERROR))


def _run_time(group: Mapping[str, Any], row: Mapping[str, Any], factor: Range) -> Range:
    """GPU-hours of a run, or seconds of a step, of which nothing but the step is counted."""
    machine = described_machine(
        group, row, replace(catalog.throughput_model(), distillation=factor)
    )
    if group["measure"] == SECONDS:
        machine = replace(machine, goodput=Range.exact(1.0))
    each = _seconds_per_token(machine, row)
    over = machine.gpus if group["measure"] == SECONDS else SECONDS_PER_HOUR
    return each.scale(float(row["tokens"]) / over)


def _seconds_per_token(machine: Machine, row: Mapping[str, Any]) -> Range:
    """GPU-seconds of the student's step, and of the passes of its online teachers."""
    teachers = [model(name).shape for name in row.get("teachers", ())]
    passes = (teacher_pass_seconds(machine, shape) for shape in teachers)
    return Range.total((student_step_seconds(machine, described_shape(row)), *passes))


def _loss_microseconds(row: Mapping[str, Any]) -> Range:
    """Microseconds per token of a loss, forward and backward, with the projections before it.

    The student's takes three passes, the teacher's one, at the rate of the best matrix product.
    """
    gpu, vocab = catalog.gpu(row["gpu"]), float(row["vocab"])
    widths = TRAINING_PASSES * row.get("student_width", 0) + row.get("teacher_width", 0)
    products = 2 * widths * vocab / matmul_ceiling(gpu, catalog.throughput_model())
    loss = Loss(row["loss"])
    moved = LOSSES[loss].moved + LOSSES[loss].moved_by_teacher * row.get("taught", True)
    moved += LOSSES[loss].moved * row.get("with_cross_entropy", False)
    seconds = loss_rate(moved, vocab, gpu).divide(1.0)
    return (seconds + Range.exact(products)).scale(1e6)


def _bytes_per_logit(row: Mapping[str, Any]) -> float:
    held = LOSSES[Loss(row["loss"])]
    return held.held + held.held_by_teacher * row.get("taught", True)
