"""What an application for computer time must say, beyond the estimate of the run itself."""

import math
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Final

from distillplan.errors import InfeasibleError, InputError
from distillplan.estimate.estimator import estimate
from distillplan.estimate.records import Estimate, Question
from distillplan.hardware.model_states import bytes_of, pipeline_stage, stage_states
from distillplan.hardware.strategy import Optimizer, Sharding, Strategy
from distillplan.hardware.throughput import RateBasis, error_kind
from distillplan.models.shapes import ModelShape
from distillplan.named_tuples import NamedTuple
from distillplan.units.quantities import SECONDS_PER_HOUR

INTERRUPTED_HOURS: Final = 16_384 * 54 * 24 / 419
"""GPU-hours for one unexpected interruption: Llama 3 405B had 419 of them in 54 days on 16,384 H100
(Llama Team 2024, arXiv:2407.21783, Section 3.3.4)."""

LOST_SHARE: Final = 0.01
"""Share of the time that may be lost to work done again after interruptions."""

SCALED: Final = (0.25, 0.5, 1.0, 2.0, 4.0)
"""Numbers of GPUs of the scaling table, over those of the run."""

SHORT_IDS: Final = 2**16
"""Rows of a vocabulary whose token numbers fit into two bytes."""


class ComputeRequest(NamedTuple):
    """A run, and what else is asked of those who apply for the time to do it."""

    run: Estimate
    gpus_per_node: int
    """Of this run: those of a node, or fewer where it needs fewer."""
    nodes: int
    text_bytes: float
    """Token numbers of the training text."""
    text_bytes_per_s: float
    """Read by all GPUs together, at the middle of the speed."""
    checkpoint_bytes: float
    """Weights and optimizer states, from which a run goes on exactly."""
    interruptions: float
    """Unexpected ones in the whole run, at one in `INTERRUPTED_HOURS`."""
    checkpoint_seconds: float
    """Longest time between checkpoints that loses `LOST_SHARE` of the run to interruptions."""
    measured_error: float | None
    """Median error of the speed of like runs that were not fitted; None: the user gave the rate."""
    scaling: tuple[Estimate, ...]
    """The same run on `SCALED` times as many GPUs, where it can be laid out."""


def compute_request(question: Question) -> ComputeRequest:
    """The estimate of a run with what an application asks for.

    Raises:
        InputError: as for `estimate`.
        InfeasibleError: as for `estimate`.
    """
    found = estimate(question)
    machine = question.machine
    gpu, model = machine.gpu, question.model.model
    rows = int(found.model.work.vocab)
    token_bytes = 2.0 if rows <= SHORT_IDS else 4.0
    gpus, per_node = machine.all_gpus, gpu.gpus_per_node
    between = INTERRUPTED_HOURS / gpus * SECONDS_PER_HOUR
    given = found.speed.student.basis is not RateBasis.MODEL
    kind = error_kind(machine.work_of(model), gpu)
    return ComputeRequest(
        run=found,
        gpus_per_node=min(gpus, per_node),
        nodes=math.ceil(gpus / per_node),
        text_bytes=token_bytes * question.tokens,
        text_bytes_per_s=token_bytes * found.tokens_per_s_per_gpu.mid * gpus,
        checkpoint_bytes=_checkpoint_bytes(question.model.shape, machine.strategy.optimizer),
        interruptions=found.gpu_hours.mid / INTERRUPTED_HOURS,
        checkpoint_seconds=2 * LOST_SHARE * between,  # half of it is lost each time
        measured_error=None if given else machine.model.held_out_error[kind],
        scaling=tuple(_scaling(question)),
    )


def _checkpoint_bytes(shape: ModelShape, optimizer: Optimizer) -> float:
    """What the optimizer keeps of a whole model, and its weights."""
    whole = Strategy(optimizer=optimizer, sharding=Sharding.NONE)
    states = stage_states(pipeline_stage(shape, whole, 1, 0), whole)
    master, _ = bytes_of("optimizers", optimizer)
    # 16-bit weights are made from the master weights where there are any
    return states["optimizer_states"] + (0.0 if master else states["weights"])


def _scaling(question: Question) -> Iterator[Estimate]:
    """The run on other numbers of GPUs, without those that cannot be laid out."""
    machine = question.machine
    for factor in SCALED:
        gpus = round(machine.gpus * factor)
        if gpus < 1 or gpus != machine.gpus * factor:
            continue
        apart = machine.teacher_gpus and math.ceil(machine.teacher_gpus * factor)
        with suppress(InputError, InfeasibleError):
            scaled = replace(machine, gpus=gpus, teacher_gpus=apart)
            yield estimate(question._replace(machine=scaled))
