"""Whether a run fits into its GPUs, and what to switch on first when it does not."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from enum import StrEnum
from typing import Final, NamedTuple

from distillplan.errors import InputError
from distillplan.hardware.gpu import GIB, Gpu
from distillplan.hardware.gpu_values import GIGA
from distillplan.hardware.memory import MemoryEstimate, Run, WeightFormat, memory_estimate
from distillplan.hardware.strategy import Checkpointing, Loss, Optimizer, Sharding
from distillplan.models.named_models import USUAL_TP

DRIVER_SHARE: Final = 0.99
"""Usable share of the printed memory, taken in GiB: an 80 GB H100 reports 81559 MiB."""

WORTH_WHILE: Final = 0.01
"""Least share of the memory that a change must save to be proposed."""

_SHARDINGS: Final = tuple(Sharding)


class Fits(StrEnum):
    """Whether a run fits into a GPU's memory."""

    YES = "yes"
    NO = "no"
    UNCERTAIN = "uncertain"
    """The margin is smaller than the known error of the estimate."""


class Step(NamedTuple):
    """One thing to switch on, after the steps before it."""

    name: str
    price: str
    """What it costs."""
    saved_bytes: float
    fits: Fits
    """Whether the run fits with it."""
    run: Run
    """The run with it."""


def usable_bytes(gpu: Gpu) -> float:
    """The memory that a run can use of a GPU, in bytes.

    Vendors print GB and build GiB, of which the driver keeps a little (`DRIVER_SHARE`), unless the
    catalog has what the driver reports.
    """
    if gpu.usable_bytes is not None:
        return gpu.usable_bytes
    return gpu.memory_bytes / GIGA * GIB * DRIVER_SHARE


def fits(memory: MemoryEstimate, capacity_bytes: float) -> Fits:
    """Whether an estimate is below a capacity by more than its known error.

    Args:
        memory: of the run's fullest GPU.
        capacity_bytes: memory that a run can use (`usable_bytes`).
    """
    if memory.total.high <= capacity_bytes:
        return Fits.YES
    return Fits.NO if memory.total.low > capacity_bytes else Fits.UNCERTAIN


def steps_to_fit(run: Run, capacity_bytes: float) -> tuple[Step, ...]:
    """Changes to make one after the other until a run fits on its GPUs, the cheapest first.

    None when it fits already. When all of them are not enough, the last does not fit either.

    Args:
        run: the run as it is.
        capacity_bytes: memory of one GPU that a run can use.
    """
    steps: list[Step] = []
    memory, tried = memory_estimate(run), set[str]()
    while fits(memory, capacity_bytes) is not Fits.YES:
        change = next(_possible(run, tried), None)
        if change is None:
            break
        name, price, changed, after = change
        tried.add(name)
        saved = memory.total.mid - after.total.mid
        if saved >= WORTH_WHILE * memory.total.mid:
            run, memory = changed, after
            steps.append(
                Step(
                    name=name,
                    price=price,
                    saved_bytes=saved,
                    fits=fits(after, capacity_bytes),
                    run=changed,
                )
            )
    return tuple(steps)


def _possible(run: Run, tried: set[str]) -> Iterator[tuple[str, str, Run, MemoryEstimate]]:
    """Changes that a launcher would accept, without some, each with the memory that it makes."""
    for name, price, changed in (*_free(run), *_slower(run), *_without_teacher(run), *_last(run)):
        if name in tried:
            continue
        with suppress(InputError):
            yield name, price, changed, memory_estimate(changed)


def _with(run: Run, name: str, price: str, **what: object) -> tuple[str, str, Run]:
    """A change of the strategy: what to switch on, what it costs, and the run with it."""
    strategy = replace(run.strategy, **what)  # type: ignore[arg-type]  # names of its own fields
    return name, price, replace(run, strategy=strategy)


def _free(run: Run) -> Iterator[tuple[str, str, Run]]:
    """Changes that cost traffic at most."""
    strategy, traffic = run.strategy, "traffic between GPUs"
    if strategy.loss is not Loss.CHUNKED:
        yield _with(run, "chunked loss", "next to nothing", loss=Loss.CHUNKED)
    if run.gpus == 1:
        return
    for sharding in _SHARDINGS[_SHARDINGS.index(strategy.sharding) + 1 :]:
        yield _with(run, f"sharding {sharding}", traffic, sharding=sharding)
    if run.teacher is not None and not run.teacher.sharded:
        yield "sharded teacher", traffic, replace(run, teacher=replace(run.teacher, sharded=True))


def _slower(run: Run) -> Iterator[tuple[str, str, Run]]:
    """Changes that make the student slower."""
    how = Checkpointing
    if run.strategy.checkpointing is how.NONE:
        price = "a few percent of speed"
        yield _with(run, "selective checkpointing", price, checkpointing=how.SELECTIVE)
    if run.strategy.micro_batch > 1:
        yield _with(run, "micro-batch 1", "some speed", micro_batch=1)
    if run.strategy.checkpointing is not how.FULL:
        price = "up to a quarter of the speed"
        yield _with(run, "full checkpointing", price, checkpointing=how.FULL)


def _without_teacher(run: Run) -> Iterator[tuple[str, str, Run]]:
    """Changes that make the teacher smaller, or remove it."""
    if run.teacher is None:
        return
    price = "a pass of the teacher in advance, and storage"
    yield "stored logits", price, replace(run, teacher=None)
    if run.teacher.weights is WeightFormat.BF16 and not run.teacher.apart:
        for weights in (WeightFormat.FP8, WeightFormat.INT4):
            smaller = replace(run, teacher=replace(run.teacher, weights=weights))
            yield f"{weights} teacher", "a slightly worse teacher", smaller


def _last(run: Run) -> Iterator[tuple[str, str, Run]]:
    """Changes of the numerics, and of what a node is used for."""
    if run.strategy.optimizer is Optimizer.ADAM:
        yield _with(run, "8-bit Adam", "rounded moments", optimizer=Optimizer.ADAM_8BIT)
    tp = 2 * run.strategy.tp
    if tp <= USUAL_TP:
        yield _with(run, f"tensor parallel {tp}", "traffic inside a node", tp=tp)
