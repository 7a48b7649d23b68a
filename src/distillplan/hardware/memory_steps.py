"""What to switch on, the cheapest first, until a run fits into the memory of its GPUs."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import reduce
from typing import Any, Final, NamedTuple

from distillplan.accounting import Logits
from distillplan.errors import InputError
from distillplan.hardware.gpu import Gpu
from distillplan.hardware.memory import Run, WeightFormat, needed, pass_estimate
from distillplan.hardware.memory_fit import Fits, fits
from distillplan.hardware.range import Range
from distillplan.hardware.strategy import Checkpointing, Loss, Optimizer, Sharding
from distillplan.models.named_models import USUAL_TP

WORTH_WHILE: Final = 0.01
"""Least share of the memory that a change must save to be proposed."""


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


class _Change(NamedTuple):
    """Something that saves memory, whatever else is switched on."""

    name: str
    price: str
    to: dict[str, Any]
    """New values of fields of the strategy, or of the teacher."""
    of: str = "strategy"

    @property
    def option(self) -> str:
        words = {"weights": "teacher-precision"}
        said = {words.get(name, name.replace("_", "-")): value for name, value in self.to.items()}
        return " ".join(f"--{name} {value}" for name, value in said.items())

    def apply(self, run: Run) -> Run:
        changed: dict[str, Any] = {self.of: replace(getattr(run, self.of), **self.to)}
        return replace(run, **changed)


def steps_to_fit(run: Run, gpu: Gpu, capacity_bytes: float) -> tuple[Step, ...]:
    """Changes to make one after the other until a run fits on its GPUs, the cheapest first.

    None when it fits already, and none that the others make needless. When all of them are not
    enough, the last does not fit either.
    """
    chosen, now, tried = list[_Change](), run, set[str]()
    memory = needed(run)
    while fits(memory, capacity_bytes) is not Fits.YES:
        found = next(_possible(now, gpu, tried, capacity_bytes), None)
        if found is None:
            break
        change, after = found
        tried.add(change.name)
        if memory.mid - after.mid >= WORTH_WHILE * memory.mid:
            now, memory = change.apply(now), after
            chosen.append(change)
    else:
        for change in chosen[-2::-1]:  # the dearest first; the last is needed
            others = [one for one in chosen if one is not change]
            with suppress(InputError):
                without = reduce(lambda done, one: one.apply(done), others, run)
                if fits(needed(without), capacity_bytes) is Fits.YES:
                    chosen = others
    return tuple(_taken(run, chosen, capacity_bytes))


def _taken(run: Run, changes: Sequence[_Change], capacity_bytes: float) -> Iterator[Step]:
    """Changes in their order, with what each saves."""
    before = needed(run).mid
    for change in changes:
        run = change.apply(run)
        after = needed(run)
        yield Step(
            name=change.name,
            option=change.option,
            price=change.price,
            saved_bytes=before - after.mid,
            fits=fits(after, capacity_bytes),
            run=run,
        )
        before = after.mid


def options_to_fit(steps: Sequence[Step], without: Sequence[str] = ()) -> str:
    """The options that make a run fit; empty where its steps are not enough, or it has none.

    Args:
        steps: to make it fit, in order.
        without: words of the strategy that are chosen anyway.
    """
    if not steps or steps[-1].fits is not Fits.YES:
        return ""
    words = " ".join(one.option for one in steps).split()
    last = dict(zip(words[::2], words[1::2], strict=True))  # of what goes in steps
    left_out = {f"--{name.replace('_', '-')}" for name in without}
    return " ".join(f"{flag} {word}" for flag, word in last.items() if flag not in left_out)


def _possible(
    run: Run, gpu: Gpu, tried: set[str], capacity_bytes: float
) -> Iterator[tuple[_Change, Range]]:
    """Changes that a launcher would accept, without some, each with the memory that it makes."""
    for change in (*_cheap(run), *_dear(run, gpu, capacity_bytes)):
        if change.name not in tried:
            with suppress(InputError):
                yield change, needed(change.apply(run))


def _cheap(run: Run) -> Iterator[_Change]:
    """Changes that cost traffic and speed."""
    how, kinds = run.strategy, Checkpointing
    traffic, slower = "traffic between GPUs", "up to a quarter of the speed"
    if how.loss is not Loss.CHUNKED:
        yield _Change("chunked loss", "next to nothing", to={"loss": Loss.CHUNKED})
    if run.gpus > 1:
        for sharding in tuple(Sharding)[[*Sharding].index(how.sharding) + 1 :]:
            yield _Change(f"sharding {sharding}", traffic, to={"sharding": sharding})
    if how.checkpointing is kinds.NONE:
        name, price = "selective checkpointing", "a few percent of speed"
        yield _Change(name, price, to={"checkpointing": kinds.SELECTIVE})
    if how.micro_batch > 1:
        yield _Change("micro-batch 1", "some speed", to={"micro_batch": 1})
    if how.checkpointing is not kinds.FULL:
        yield _Change("full checkpointing", slower, to={"checkpointing": kinds.FULL})


def _dear(run: Run, gpu: Gpu, capacity_bytes: float) -> Iterator[_Change]:
    """Changes of the teacher, of the numerics, and of what a node is used for."""
    how, teacher, tp = run.strategy, run.teacher, 2 * run.strategy.tp
    if teacher is not None and not teacher.apart:
        alone = pass_estimate(teacher, how, run.gpus).total
        if run.online and fits(alone, capacity_bytes) is Fits.YES:
            price = "a pass of the teacher in advance, and storage"
            yield _Change("stored logits", price, to={"logits": Logits.STORED}, of="teacher")
        for weights in tuple(WeightFormat)[[*WeightFormat].index(teacher.weights) + 1 :]:
            name, price = f"{weights} teacher", "a slightly worse teacher"
            yield _Change(name, price, to={"weights": weights}, of="teacher")
    if how.optimizer is Optimizer.ADAM:
        yield _Change("8-bit Adam", "rounded moments", to={"optimizer": Optimizer.ADAM_8BIT})
    if tp <= min(USUAL_TP, gpu.gpus_per_node):  # which would change the usual sharding
        name, price = f"tensor parallel {tp}", "traffic inside a node"
        yield _Change(name, price, to={"tp": tp, "sharding": how.sharding})
