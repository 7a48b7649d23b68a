"""The smallest layout on which a run fits, and the fastest."""

import math
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import product
from typing import Any, Final, NamedTuple

from distillplan.errors import InfeasibleError, InputError
from distillplan.hardware.gpu import Gpu
from distillplan.hardware.memory import MemoryEstimate, Run, memory_estimate
from distillplan.hardware.memory_fit import Fits, fits, usable_bytes
from distillplan.hardware.strategy import Checkpointing, Sharding, Strategy
from distillplan.units import format_bytes

MOST_STAGES: Final = 16
MOST_SEQUENCES: Final = 8
LEAST_PART: Final = 4096
"""Pipeline stages, sequences per pass and tokens of a part of a sequence that are tried."""

MAX_GPUS: Final = 16384
"""Largest number of GPUs that the search tries."""

EVERY_NODE: Final = 16
"""Nodes up to which it tries every number of them."""


class Layout(NamedTuple):
    """A run as it is laid out, and the memory that it needs."""

    run: Run
    memory: MemoryEstimate


def smallest_layout(run: Run, gpu: Gpu) -> Layout:
    """The layout on the fewest GPUs on which a run fits for certain, at the least loss of speed.

    Numbers of GPUs are multiples of the run's pipeline, context and expert groups: all up to a
    node, then whole nodes, then powers of two where more than `EVERY_NODE` nodes are needed. Loss,
    optimizer, precision and teacher stay as they are; sharding, checkpointing, micro-batch and
    tensor parallelism are free. On the same number of GPUs a layout is preferred with less
    recomputation, then less tensor parallelism, a larger micro-batch, less sharding.

    Args:
        run: the run, with the layout to start from.
        gpu: what it runs on; the largest tensor-parallel group is a node of them.

    Raises:
        InfeasibleError: when nothing fits, with the reason.
    """
    counts, capacity_bytes = _gpu_counts(run.strategy, gpu.gpus_per_node), usable_bytes(gpu)
    for gpus in counts:
        for layout in _layouts(run, gpus, gpu.gpus_per_node):
            if fits(layout.memory, capacity_bytes) is Fits.YES:
                return layout
    most = _layouts(run, counts[-1], gpu.gpus_per_node)
    smallest = min(most, key=lambda layout: layout.memory.total.mid, default=None)
    raise InfeasibleError(_why_nothing_fits(smallest, capacity_bytes))


def fastest_layout(run: Run, gpu: Gpu, seconds: Callable[[Strategy], float]) -> Strategy:
    """The fastest layout on the GPUs of a run that fits for certain.

    `FREE` is chosen; loss, optimizer, precision, software and teacher stay as they are.

    Args:
        run: the run, with the strategy to start from.
        gpu: what it runs on; the largest tensor-parallel group is a node of them.
        seconds: time per token under a strategy; an InputError where it is impossible.

    Raises:
        InfeasibleError: when no layout fits on these GPUs.
    """
    best, least, capacity_bytes = None, math.inf, usable_bytes(gpu)
    for strategy in _free_strategies(run, gpu.gpus_per_node):
        candidate = replace(run, strategy=strategy)
        with suppress(InputError):  # where it does not divide over these GPUs
            taken = seconds(strategy)
            if taken < least and fits(memory_estimate(candidate), capacity_bytes) is Fits.YES:
                best, least = strategy, taken
    if best is None:
        raise InfeasibleError(
            f"layout: no layout fits on {run.gpus} GPUs; use more of them, or a smaller optimizer "
            "or loss"
        )
    return best


def _free_strategies(run: Run, gpus_per_node: int) -> Iterator[Strategy]:
    """Every layout of a run on its GPUs, the simplest first, with some that do not divide them."""
    start, gpus, experts = run.strategy, run.gpus, run.shape.experts
    most = {
        "pp": min(gpus, run.shape.layers, MOST_STAGES),
        "tp": min(gpus, gpus_per_node),
        "cp": min(gpus, max(start.seq_len // LEAST_PART, 1)),
        "ep": min(gpus, experts) if experts else 1,
        "micro_batch": MOST_SEQUENCES,
    }
    shardings = (Sharding.ZERO1, Sharding.ZERO3) if gpus > 1 else (Sharding.NONE,)
    for values in product(*map(_powers, most.values())):
        sizes: dict[str, Any] = dict(zip(most, values, strict=True))
        if gpus % (sizes["pp"] * sizes["tp"] * sizes["cp"]):
            continue
        for checkpointing, sharding in product(Checkpointing, shardings):
            yield replace(start, checkpointing=checkpointing, sharding=sharding, **sizes)


def _powers(limit: int) -> list[int]:
    """Powers of two up to a limit."""
    return [2**k for k in range(limit.bit_length())]


def _gpu_counts(strategy: Strategy, gpus_per_node: int) -> tuple[int, ...]:
    """Numbers of GPUs that the fixed groups of a layout divide, in order."""
    group = strategy.pp * math.lcm(strategy.cp, strategy.ep)
    every = {gpus for gpus in range(1, gpus_per_node + 1) if gpus % group == 0}
    node = math.lcm(group, gpus_per_node)
    nodes = {node * count for count in range(1, EVERY_NODE + 1) if node * count <= MAX_GPUS}
    doublings = max((MAX_GPUS // group).bit_length(), 1)
    return tuple(sorted(every | nodes | {group * 2**power for power in range(doublings)}))


def _layouts(run: Run, gpus: int, gpus_per_node: int) -> Iterator[Layout]:
    """Layouts on a number of GPUs, the preferred first."""
    groups = [tp for tp in _powers(min(gpus, gpus_per_node)) if run.shape.heads % tp == 0]
    micro_batches = sorted({run.strategy.micro_batch, 1}, reverse=True)
    shardings = tuple(Sharding) if gpus > 1 else (Sharding.NONE,)
    for checkpointing, tp, micro_batch, sharding in product(
        Checkpointing, groups, micro_batches, shardings
    ):
        strategy = replace(
            run.strategy,
            checkpointing=checkpointing,
            tp=tp,
            micro_batch=micro_batch,
            sharding=sharding,
        )
        candidate = replace(run, strategy=strategy, gpus=gpus)
        with suppress(InputError):  # where it does not divide over these GPUs
            yield Layout(run=candidate, memory=memory_estimate(candidate))


def _why_nothing_fits(smallest: Layout | None, capacity_bytes: float) -> str:
    """One sentence with the smallest layout of all and its largest part."""
    if smallest is None:
        return "layout: the model cannot be divided over GPUs like this; reduce pp, cp or ep"
    parts = vars(smallest.memory.parts)
    largest = max(parts, key=lambda name: parts[name])
    return (
        f"layout: even {smallest.run.gpus} GPUs may need "
        f"{format_bytes(smallest.memory.total.high)} each and have {format_bytes(capacity_bytes)}; "
        f"{largest.replace('_', ' ')} take {format_bytes(parts[largest])}, which more GPUs do not "
        "reduce: shorten the context, raise cp, or use a chunked loss"
    )
