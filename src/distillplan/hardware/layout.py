"""The smallest layout on which a run fits."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from distillplan.errors import InfeasibleError, InputError
from distillplan.hardware.memory import MemoryEstimate
from distillplan.hardware.memory_fit import Fits, Run, fits
from distillplan.hardware.strategy import Checkpointing, Sharding, Strategy

MAX_GPUS: Final = 16384
"""The most GPUs that the search tries."""


@dataclass(frozen=True, kw_only=True)
class Layout:
    """A layout and the memory that it needs."""

    run: Run
    memory: MemoryEstimate


def smallest_layout(run: Run, capacity_bytes: float, *, gpus_per_node: int = 8) -> Layout:
    """The fewest GPUs on which a run surely fits, laid out to lose as little speed as it must.

    Counts are powers of two times the run's pipeline, context and expert groups.

    The loss, the optimiser, the precision and the teacher stay as asked for; sharding,
    checkpointing, micro-batch and tensor parallelism are free. On one count of GPUs a layout is
    preferred with less recomputation, then less tensor parallelism, a larger micro-batch, less
    sharding.

    Args:
        run: the run; its layout is where the search starts from.
        capacity_bytes: that a run can use of one GPU.
        gpus_per_node: the largest tensor-parallel group.

    Raises:
        InfeasibleError: when nothing fits, with what is in the way.
    """
    for gpus in _gpu_counts(run.strategy):
        for strategy in _strategies(run, gpus, gpus_per_node):
            candidate = replace(run, strategy=strategy, gpus=gpus)
            try:
                memory = candidate.memory()
            except InputError:
                continue  # this layout does not divide over these GPUs
            if fits(memory, capacity_bytes) is Fits.YES:
                return Layout(run=candidate, memory=memory)
    raise InfeasibleError(_why_nothing_fits(run, capacity_bytes, gpus_per_node))


def _gpu_counts(strategy: Strategy) -> tuple[int, ...]:
    """Counts that the fixed groups of a layout divide."""
    group = strategy.pp * math.lcm(strategy.cp, strategy.ep)
    doublings = max((MAX_GPUS // group).bit_length(), 1)
    return tuple(group * 2**power for power in range(doublings))


def _strategies(run: Run, gpus: int, gpus_per_node: int) -> Iterator[Strategy]:
    """Layouts on so many GPUs, in the order of preference."""
    powers = tuple(2**k for k in range(gpus_per_node.bit_length()) if 2**k <= gpus_per_node)
    groups = tuple(tp for tp in powers if tp <= gpus and run.shape.heads % tp == 0)
    micro_batches = sorted({run.strategy.micro_batch, 1}, reverse=True)
    shardings = tuple(Sharding) if gpus > 1 else (Sharding.NONE,)
    for checkpointing in Checkpointing:
        for tp in groups:
            for micro_batch in micro_batches:
                for sharding in shardings:
                    yield replace(
                        run.strategy,
                        checkpointing=checkpointing,
                        tp=tp,
                        micro_batch=micro_batch,
                        sharding=sharding,
                    )


def _why_nothing_fits(run: Run, capacity_bytes: float, gpus_per_node: int) -> str:
    """One sentence: the smallest that the search found, and its largest part."""
    smallest: Layout | None = None
    gpus = _gpu_counts(run.strategy)[-1]
    for strategy in _strategies(run, gpus, gpus_per_node):
        candidate = replace(run, strategy=strategy, gpus=gpus)
        try:
            memory = candidate.memory()
        except InputError:
            continue
        if smallest is None or memory.total.mid < smallest.memory.total.mid:
            smallest = Layout(run=candidate, memory=memory)
    if smallest is None:
        return "layout: no way of dividing the model over GPUs is possible; reduce pp, cp or ep"
    parts = vars(smallest.memory.parts)
    largest = max(parts, key=lambda name: parts[name])
    return (
        f"layout: {smallest.memory.total.high / 1e9:.0f} GB may be needed on each of "
        f"{gpus} GPUs, which have {capacity_bytes / 1e9:.0f} GB; {largest} take "
        f"{parts[largest] / 1e9:.0f} GB, which more GPUs do not reduce: shorten the context, raise "
        "cp, or use a chunked loss"
    )
