"""What no machine can be, refused where one is made rather than where its speed is asked for."""

import math
from typing import TYPE_CHECKING

from distillplan.errors import InputError, Word
from distillplan.hardware.gpu import Gpu, Precision
from distillplan.hardware.strategy import refuse_odd_groups

if TYPE_CHECKING:
    from distillplan.hardware.machine import Machine


def refuse_impossible(machine: "Machine") -> None:
    """Check that a machine is possible.

    Raises:
        InputError: for less than one GPU, groups that do not divide the GPUs or a sequence, a
            precision that the GPU does not have, a share outside 0 to 1, or a PUE below 1.
    """
    gpus, allocated = machine.cluster.gpus, machine.allocated_share
    if gpus < 1:
        raise InputError(Word("gpus"), f": {gpus} is too few; give at least 1")
    if machine.teacher_gpus is not None and machine.teacher_gpus < 1:
        raise InputError(
            Word("teacher_gpus"), f": {machine.teacher_gpus} is too few; give at least 1"
        )
    refuse_odd_groups(machine.strategy, gpus)
    if machine.strategy.cp > machine.strategy.seq_len:
        raise InputError(
            Word("cp"),
            f": {machine.strategy.cp} GPUs cannot share a sequence of "
            f"{machine.strategy.seq_len} tokens; use fewer",
        )
    refuse_precision(machine.cluster.gpu, machine.strategy.precision)
    if not (allocated.low > 0 and allocated.high <= 1):
        raise InputError(
            Word("goodput"),
            f": {allocated.low:g} to {allocated.high:g} is not a share of allocated time; "
            "give 0 < goodput <= 1",
        )
    for name in ("mfu", "teacher_mfu"):
        share = getattr(machine, name)
        if share is not None and not 0 < share <= 1:
            raise InputError(
                Word(name), f": {share:g} is not a share of the dense peak; give 0 < mfu <= 1"
            )
    if not (math.isfinite(machine.pue) and machine.pue >= 1):
        raise InputError(Word("pue"), f": {machine.pue:g}; it must be at least 1")


def refuse_precision(gpu: Gpu, precision: Precision) -> None:
    """Check that a GPU has a precision; where it has no bf16, fp16 is as fast.

    Raises:
        InputError: when it does not.
    """
    if precision is Precision.FP8 and "fp8" not in gpu.peak_flops_per_s:
        raise InputError(
            Word("precision"),
            f": GPU {gpu.name} has no fp8; use bf16, fp16 or another GPU",
            also=("gpu",),
        )
