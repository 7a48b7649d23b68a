"""What to switch on, the cheapest first, until a run fits into the memory of its GPUs."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import reduce
from typing import Any, Final, NamedTuple

from distillplan.errors import InputError
from distillplan.files.entries import read_shipped
from distillplan.hardware.gpu import Gpu
from distillplan.hardware.memory import Run, needed, pass_estimate
from distillplan.hardware.memory_fit import Fits, fits
from distillplan.hardware.range import Range
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
    steps, before = list[Step](), needed(run).mid
    for change in chosen:
        run = change.apply(run)
        after = needed(run)
        step = Step(
            name=change.name,
            option=change.option,
            price=change.price,
            saved_bytes=before - after.mid,
            fits=fits(after, capacity_bytes),
        )
        steps.append(step)
        before = after.mid
    return tuple(steps)


def options_to_fit(steps: Sequence[Step], without: Sequence[str] = ()) -> str:
    """The options that make a run fit, without those for words of the strategy that are chosen.

    Empty where the steps, in their order, are not enough, or there are none.
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
    how, tp = run.strategy, 2 * run.strategy.tp
    changes = [*_listed(run, capacity_bytes)]
    if tp <= min(USUAL_TP, gpu.gpus_per_node):  # which would change the usual sharding
        to = {"tp": tp, "sharding": how.sharding}
        changes.append(_Change(f"tensor parallel {tp}", "traffic inside a node", to=to))
    for change in changes:
        if change.name not in tried:
            with suppress(InputError):
                yield change, needed(change.apply(run))


def _listed(run: Run, capacity_bytes: float) -> Iterator[_Change]:
    """What coefficients/memory.yaml lists, as far as it changes anything, the cheapest first."""
    for row in read_shipped("memory.yaml")["steps"]:
        of = row.get("of", "strategy")
        changed, ((name, word),) = getattr(run, of), row["to"].items()
        apart = of == "teacher" and (changed is None or changed.apart)
        if apart or (name == "sharding" and run.gpus == 1):
            continue
        now = getattr(changed, name)
        to = word if now is None else type(now)(word)
        if now == to or now not in row.get("from", [now]):
            continue
        if name == "logits":  # the pass in advance has to fit as well
            alone = pass_estimate(changed, run.strategy, run.gpus).total
            if fits(alone, capacity_bytes) is not Fits.YES:
                continue
        yield _Change(row["name"], row["price"], to={name: to}, of=of)
