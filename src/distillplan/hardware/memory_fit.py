"""Whether a run fits into its GPUs, and what to switch on first when it does not."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from distillplan.errors import InputError
from distillplan.hardware.gpu import GIB, Gpu
from distillplan.hardware.gpu_values import GIGA
from distillplan.hardware.memory import LoadedTeacher, MemoryEstimate, WeightFormat, memory_estimate
from distillplan.hardware.model_states import refuse_impossible_layout
from distillplan.hardware.strategy import Checkpointing, Loss, Optimizer, Sharding, Strategy
from distillplan.models.named_models import USUAL_TP
from distillplan.models.shapes import ModelShape

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


@dataclass(frozen=True, kw_only=True)
class Run:
    """What has to fit: a model in training, with a teacher or stored logits."""

    shape: ModelShape
    strategy: Strategy
    gpus: int
    teacher: LoadedTeacher | None = None
    stored_bytes_per_token: float = 0.0
    """Of logits that are read from storage instead of a teacher."""
    accumulates: bool = True
    """Whether gradients are summed over several micro-batches."""

    def memory(self) -> MemoryEstimate:
        """Bytes on the fullest GPU.

        Raises:
            InputError: when the layout does not divide the GPUs, or the model.
        """
        return memory_estimate(
            self.shape,
            self.strategy,
            self.gpus,
            teacher=self.teacher,
            stored_bytes_per_token=self.stored_bytes_per_token,
            accumulates=self.accumulates,
        )


@dataclass(frozen=True, kw_only=True)
class Remedy:
    """A change of a run that reduces its memory."""

    name: str
    """What to switch on, in words."""
    price: str
    """What it costs."""
    run: Run
    """The run with this change."""
    saved_bytes: float
    fits: Fits
    """Whether the run fits with this change."""


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


def steps_to_fit(run: Run, capacity_bytes: float) -> tuple[Remedy, ...]:
    """Changes to make one after the other until a run fits on its GPUs, the cheapest first.

    None when it fits already. When all of them are not enough, the last does not fit either.

    Args:
        run: the run as it is.
        capacity_bytes: memory of one GPU that a run can use.
    """
    steps: list[Remedy] = []
    current, tried = run, set[str]()
    while fits(current.memory(), capacity_bytes) is not Fits.YES:
        rest = (c for c in _changes(current) if c.name not in tried and c.run.gpus == run.gpus)
        change = next((c for c in rest if _possible(c.run)), None)
        if change is None:
            break
        tried.add(change.name)
        remedy = _remedy(current, change, capacity_bytes)
        if remedy.saved_bytes >= WORTH_WHILE * current.memory().total.mid:
            steps.append(remedy)
            current = change.run
    return tuple(steps)


@dataclass(frozen=True, kw_only=True)
class _Change:
    """One thing done differently."""

    name: str
    price: str
    run: Run


def _possible(run: Run) -> bool:
    """Whether a launcher would accept a layout."""
    try:
        refuse_impossible_layout(run.shape, run.strategy, run.gpus)
    except InputError:
        return False
    return True


def _remedy(run: Run, change: _Change, capacity_bytes: float) -> Remedy:
    """What a change of a run gains."""
    memory = change.run.memory()
    return Remedy(
        name=change.name,
        price=change.price,
        run=change.run,
        saved_bytes=run.memory().total.mid - memory.total.mid,
        fits=fits(memory, capacity_bytes),
    )


def _changes(run: Run) -> tuple[_Change, ...]:
    """All changes of one thing, the cheapest first."""
    return (
        *_free_changes(run),
        *_speed_changes(run),
        *_teacher_changes(run),
        *_last_changes(run),
    )


def _with(run: Run, name: str, price: str, **what: object) -> _Change:
    """A change of the strategy."""
    strategy = replace(run.strategy, **what)  # type: ignore[arg-type]  # names of its own fields
    return _Change(name=name, price=price, run=replace(run, strategy=strategy))


def _free_changes(run: Run) -> Iterator[_Change]:
    """Changes that cost traffic at most."""
    strategy = run.strategy
    if strategy.loss is not Loss.CHUNKED:
        yield _with(run, "chunked loss", "next to nothing", loss=Loss.CHUNKED)
    for sharding in _SHARDINGS[_SHARDINGS.index(strategy.sharding) + 1 :]:
        if run.gpus > 1:
            yield _with(run, f"sharding {sharding}", "traffic between GPUs", sharding=sharding)
    if run.teacher is not None and not run.teacher.sharded and run.gpus > 1:
        teacher = replace(run.teacher, sharded=True)
        yield _Change(
            name="sharded teacher",
            price="traffic between GPUs",
            run=replace(run, teacher=teacher),
        )


def _speed_changes(run: Run) -> Iterator[_Change]:
    """Changes that make the student slower."""
    strategy = run.strategy
    if strategy.checkpointing is Checkpointing.NONE:
        how, price = Checkpointing.SELECTIVE, "a few percent of speed"
        yield _with(run, "selective checkpointing", price, checkpointing=how)
    if strategy.micro_batch > 1:
        yield _with(run, "micro-batch 1", "some speed", micro_batch=1)
    if strategy.checkpointing is not Checkpointing.FULL:
        how, price = Checkpointing.FULL, "up to a quarter of the speed"
        yield _with(run, "full checkpointing", price, checkpointing=how)


def _teacher_changes(run: Run) -> Iterator[_Change]:
    """Changes that make the teacher smaller, or remove it."""
    if run.teacher is None:
        return
    stored = replace(run, teacher=None)
    price = "a pass of the teacher in advance, and storage"
    yield _Change(name="stored logits", price=price, run=stored)
    if run.teacher.weights is WeightFormat.BF16 and not run.teacher.apart:
        for weights in (WeightFormat.FP8, WeightFormat.INT4):
            smaller = replace(run, teacher=replace(run.teacher, weights=weights))
            yield _Change(name=f"{weights} teacher", price="a slightly worse teacher", run=smaller)


def _last_changes(run: Run) -> Iterator[_Change]:
    """Changes of the numerics or the machine."""
    strategy = run.strategy
    if strategy.optimizer is Optimizer.ADAM:
        yield _with(run, "8-bit Adam", "rounded moments", optimizer=Optimizer.ADAM_8BIT)
    tp = 2 * strategy.tp
    if (
        tp <= USUAL_TP
        and run.shape.heads % tp == 0
        and run.gpus % (tp * strategy.pp * strategy.cp) == 0
    ):
        yield _with(run, f"tensor parallel {tp}", "traffic inside a node", tp=tp)
    doubled = replace(run, gpus=2 * run.gpus)
    yield _Change(name=f"{doubled.gpus} GPUs", price="twice the GPUs", run=doubled)
