"""Whether a run fits into its GPUs, what makes it fit, and on which layout it is fastest."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from enum import StrEnum
from itertools import product
from typing import Any, Final, NamedTuple

from distillplan.errors import InfeasibleError, InputError
from distillplan.hardware.gpu import GIB, GIGA, Gpu
from distillplan.hardware.memory import (
    MemoryEstimate,
    Run,
    WeightFormat,
    memory_estimate,
    pass_estimate,
)
from distillplan.hardware.strategy import Checkpointing, Loss, Optimizer, Sharding, Strategy
from distillplan.models.named_models import USUAL_TP
from distillplan.units.quantities import format_bytes

DRIVER_SHARE: Final = 0.99
"""Usable share of the printed memory, taken in GiB: an 80 GB H100 reports 81559 MiB."""

WORTH_WHILE: Final = 0.01
"""Least share of the memory that a change must save to be proposed."""

MOST_STAGES: Final = 16
MOST_SEQUENCES: Final = 8
LEAST_PART: Final = 4096
"""Pipeline stages, sequences per pass and tokens of a part of a sequence that are tried."""

MAX_GPUS: Final = 16384
"""Largest number of GPUs that the search tries."""

EVERY_NODE: Final = 16
"""Nodes up to which it tries every number of them."""


class Fits(StrEnum):
    """Whether a run fits into a GPU's memory."""

    YES = "yes"
    NO = "no"
    UNCERTAIN = "uncertain"
    """The margin is smaller than the known error of the estimate."""


class Step(NamedTuple):
    """One thing to switch on, after the steps before it."""

    name: str
    option: str
    """What switches it on, such as `--loss chunked`."""
    price: str
    """What it costs."""
    saved_bytes: float
    fits: Fits
    """Whether the run fits with it."""
    run: Run
    """The run with it."""


class Layout(NamedTuple):
    """A run as it is laid out, and the memory that it needs."""

    run: Run
    memory: MemoryEstimate


def usable_bytes(gpu: Gpu) -> float:
    """The memory that a run can use of a GPU, in bytes.

    Vendors print GB and build GiB, of which the driver keeps a little (`DRIVER_SHARE`), unless the
    catalog has what the driver reports.
    """
    if gpu.usable_bytes is not None:
        return gpu.usable_bytes
    return gpu.memory_bytes / GIGA * GIB * DRIVER_SHARE


def fits(memory: MemoryEstimate, capacity_bytes: float) -> Fits:
    """Whether an estimate is below a capacity by more than its known error."""
    if memory.total.high <= capacity_bytes:
        return Fits.YES
    return Fits.NO if memory.total.low > capacity_bytes else Fits.UNCERTAIN


def steps_to_fit(run: Run, capacity_bytes: float) -> tuple[Step, ...]:
    """Changes to make one after the other until a run fits on its GPUs, the cheapest first.

    None when it fits already. When all of them are not enough, the last does not fit either.
    """
    steps: list[Step] = []
    memory, tried = memory_estimate(run), set[str]()
    while fits(memory, capacity_bytes) is not Fits.YES:
        found = next(_possible(run, tried, capacity_bytes), None)
        if found is None:
            break
        change, after = found
        tried.add(change.name)
        saved = memory.total.mid - after.total.mid
        if saved >= WORTH_WHILE * memory.total.mid:
            run, memory, now = change.run, after, fits(after, capacity_bytes)
            steps.append(change._replace(saved_bytes=saved, fits=now))
    return tuple(steps)


def options_to_fit(steps: Sequence[Step], without: Sequence[str] = ()) -> str:
    """The options that make a run fit; empty where its steps are not enough, or it has none.

    Args:
        steps: to make it fit, in order.
        without: words of the strategy that are chosen anyway.
    """
    if not steps or steps[-1].fits is not Fits.YES:
        return ""
    last = {one.option.partition(" ")[0]: one.option for one in steps}  # of what goes in steps
    left_out = {f"--{name.replace('_', '-')}" for name in without}
    return " ".join(option for flag, option in last.items() if flag not in left_out)


def with_open_loss(run: Run, capacity_bytes: float) -> Run:
    """A run whose loss nobody chose: a chunked one, about as fast, where its own does not fit."""
    if fits(memory_estimate(run), capacity_bytes) is Fits.YES:
        return run
    return replace(run, strategy=replace(run.strategy, loss=Loss.CHUNKED))


def _possible(
    run: Run, tried: set[str], capacity_bytes: float
) -> Iterator[tuple[Step, MemoryEstimate]]:
    """Changes that a launcher would accept, without some, each with the memory that it makes."""
    for change in (*_cheap(run), *_dear(run, capacity_bytes)):
        if change.name not in tried:
            with suppress(InputError):
                yield change, memory_estimate(change.run)


def _step(run: Run, name: str, option: str, price: str) -> Step:
    """A change, before its memory is known."""
    return Step(name=name, option=option, price=price, saved_bytes=0.0, fits=Fits.NO, run=run)


def _with(run: Run, name: str, price: str, **what: Any) -> Step:
    """A change of the strategy, which has one word for it."""
    ((key, value),) = what.items()
    option = f"--{key.replace('_', '-')} {value}"
    return _step(replace(run, strategy=replace(run.strategy, **what)), name, option, price)


def _cheap(run: Run) -> Iterator[Step]:
    """Changes that cost traffic and speed."""
    how, teacher, kinds = run.strategy, run.teacher, Checkpointing
    traffic, slower = "traffic between GPUs", "up to a quarter of the speed"
    if how.loss is not Loss.CHUNKED:
        yield _with(run, "chunked loss", "next to nothing", loss=Loss.CHUNKED)
    if run.gpus > 1:
        for sharding in tuple(Sharding)[[*Sharding].index(how.sharding) + 1 :]:
            spread = run
            if teacher is not None and sharding is Sharding.ZERO3:  # as the student's
                spread = replace(run, teacher=replace(teacher, sharded=True))
            yield _with(spread, f"sharding {sharding}", traffic, sharding=sharding)
    if how.checkpointing is kinds.NONE:
        name, price = "selective checkpointing", "a few percent of speed"
        yield _with(run, name, price, checkpointing=kinds.SELECTIVE)
    if how.micro_batch > 1:
        yield _with(run, "micro-batch 1", "some speed", micro_batch=1)
    if how.checkpointing is not kinds.FULL:
        yield _with(run, "full checkpointing", slower, checkpointing=kinds.FULL)


def _dear(run: Run, capacity_bytes: float) -> Iterator[Step]:
    """Changes of the teacher, of the numerics, and of what a node is used for."""
    teacher, tp = run.teacher, 2 * run.strategy.tp
    alone = None if teacher is None else pass_estimate(teacher, run.strategy, run.gpus)
    if alone is not None and fits(alone, capacity_bytes) is Fits.YES:
        price = "a pass of the teacher in advance, and storage"
        yield _step(replace(run, teacher=None), "stored logits", "--logits stored", price)
    if teacher is not None and not teacher.apart:
        for weights in tuple(WeightFormat)[[*WeightFormat].index(teacher.weights) + 1 :]:
            smaller = replace(run, teacher=replace(teacher, weights=weights))
            option = f"--teacher-precision {weights}"
            yield _step(smaller, f"{weights} teacher", option, "a slightly worse teacher")
    if run.strategy.optimizer is Optimizer.ADAM:
        yield _with(run, "8-bit Adam", "rounded moments", optimizer=Optimizer.ADAM_8BIT)
    if tp <= USUAL_TP:
        yield _with(run, f"tensor parallel {tp}", "traffic inside a node", tp=tp)


def smallest_layout(run: Run, gpu: Gpu) -> Layout:
    """The layout on the fewest GPUs on which a run fits for certain, at the least loss of speed.

    Numbers of GPUs are multiples of the run's pipeline, context and expert groups: all up to a
    node, then whole nodes, then powers of two where more than `EVERY_NODE` nodes are needed. Loss,
    optimizer, precision and teacher stay as they are; sharding, checkpointing, micro-batch and
    tensor parallelism (up to a node) are free. On the same number of GPUs a layout is preferred
    with less recomputation, then less tensor parallelism, a larger micro-batch, less sharding.

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


def fastest_layout(
    run: Run,
    gpu: Gpu,
    seconds: Callable[[Strategy], float],
    capacity_bytes: float,
    *,
    loss_is_open: bool = False,
) -> Strategy:
    """The fastest layout on the GPUs of a run that fits into so many bytes of each for certain.

    `FREE` is chosen by the seconds per token under a strategy (an InputError where it is
    impossible); the largest tensor-parallel group is a node. All else stays as it is. Where nobody
    chose the loss a chunked one may make room, as `with_open_loss` has it.

    Raises:
        InfeasibleError: when no layout fits on these GPUs.
    """
    best, least, gpus, own = None, math.inf, run.gpus, run.strategy.loss
    if loss_is_open:
        run = replace(run, strategy=replace(run.strategy, loss=Loss.CHUNKED))
    choices: dict[str, Iterable[Any]] = {
        "pp": _powers(min(gpus, run.shape.layers, MOST_STAGES)),
        "tp": _powers(min(gpus, gpu.gpus_per_node)),
        "cp": _powers(min(gpus, max(run.strategy.seq_len // LEAST_PART, 1))),
        "ep": _powers(min(gpus, max(run.shape.experts, 1))),
        "micro_batch": _powers(MOST_SEQUENCES),
        "checkpointing": Checkpointing,
        "sharding": (Sharding.ZERO1, Sharding.ZERO3) if gpus > 1 else (Sharding.NONE,),
    }
    for candidate in _laid_out(run, gpus, choices):
        with suppress(InputError):  # where it does not divide over these GPUs
            taken = seconds(candidate.strategy)
            if taken < least and fits(memory_estimate(candidate), capacity_bytes) is Fits.YES:
                best, least = candidate.strategy, taken
    if best is None:
        raise InfeasibleError(
            f"layout: no layout fits on {gpus} GPUs; use more of them, or a smaller optimizer "
            "or loss"
        )
    return replace(best, loss=own)


def _powers(limit: int) -> list[int]:
    """Powers of two up to a limit."""
    return [2**k for k in range(limit.bit_length())]


def _laid_out(run: Run, gpus: int, choices: Mapping[str, Iterable[Any]]) -> Iterator[Run]:
    """A run on so many GPUs, in each layout of some choices whose groups divide them, in order."""
    for values in product(*choices.values()):
        layout = vars(run.strategy) | dict(zip(choices, values, strict=True))
        if gpus % (layout["pp"] * layout["tp"] * layout["cp"]) == 0:
            yield replace(run, gpus=gpus, strategy=Strategy(**layout))


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
    choices: dict[str, Iterable[Any]] = {
        "checkpointing": Checkpointing,
        "tp": [tp for tp in _powers(min(gpus, gpus_per_node)) if run.shape.heads % tp == 0],
        "micro_batch": sorted({run.strategy.micro_batch, 1}, reverse=True),
        "sharding": Sharding if gpus > 1 else (Sharding.NONE,),
    }
    for candidate in _laid_out(run, gpus, choices):
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
