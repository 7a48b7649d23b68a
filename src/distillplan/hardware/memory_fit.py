"""Whether a run fits into its GPUs, on which layout, and what to switch on until it does."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from enum import StrEnum
from functools import reduce
from itertools import pairwise, product
from typing import TYPE_CHECKING, Any, Final

from distillplan.errors import InfeasibleError, InputError
from distillplan.files.entries import read_shipped
from distillplan.hardware.gpu import GIB, GIGA, Gpu
from distillplan.hardware.memory import MemoryEstimate, Run, memory_estimate, needed, pass_estimate
from distillplan.hardware.range import Range
from distillplan.hardware.strategy import Checkpointing, Loss, Sharding, Strategy
from distillplan.models.named_models import USUAL_TP
from distillplan.named_tuples import NamedTuple
from distillplan.units.articles import so_many
from distillplan.units.quantities import format_bytes

if TYPE_CHECKING:
    from distillplan.hardware.machine import Machine

DRIVER_SHARE: Final = 0.99
"""Usable share of the printed memory, taken in GiB: an 80 GB H100 reports 81559 MiB."""

MOST_STAGES: Final = 16
MOST_SEQUENCES: Final = 8
LEAST_PART: Final = 4096
"""Pipeline stages, sequences per pass and tokens of a part of a sequence that are tried."""

MAX_GPUS: Final = 16384
"""Most GPUs that a search tries: the largest cluster of the calibration (Llama 3 405B)."""
EVERY_NODE: Final = 16
"""Nodes up to which it tries every number of them."""
WORTH_WHILE: Final = 0.01
"""Least share of the memory that a change must save to be proposed."""


class Fits(StrEnum):
    """Whether a run fits into a GPU's memory."""

    YES = "yes"
    NO = "no"
    UNCERTAIN = "uncertain"
    """The margin is smaller than the known error of the estimate."""

    @classmethod
    def worst(cls, sides: Iterable["Fits"]) -> "Fits":
        """Whether all sides fit, so the worst of them."""
        return min(sides, key=[cls.NO, cls.UNCERTAIN, cls.YES].index)


FITS_SHOWN = {Fits.YES: "yes", Fits.NO: "no", Fits.UNCERTAIN: "tight"}
"""The words of screens for whether a run fits."""


class Layout(NamedTuple):
    """A run as it is laid out, and the memory that it needs."""

    run: Run
    memory: MemoryEstimate


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


def usable_bytes(gpu: Gpu) -> float:
    """The bytes that a run can use of a GPU: what its driver reports, else `DRIVER_SHARE`.

    Vendors print GB and build GiB.
    """
    return gpu.usable_bytes or gpu.memory_bytes / GIGA * GIB * DRIVER_SHARE


def fits(total: Range, capacity_bytes: float) -> Fits:
    """Whether the bytes that a run takes are below a capacity by more than their known error."""
    if total.high <= capacity_bytes:
        return Fits.YES
    return Fits.NO if total.low > capacity_bytes else Fits.UNCERTAIN


def with_open_loss(run: Run, machine: "Machine", capacity_bytes: float) -> Run:
    """A run with a chunked loss, about as fast, where nobody chose one and its own does not fit."""
    if not machine.loss_is_open or fits(memory_estimate(run).total, capacity_bytes) is Fits.YES:
        return run
    return replace(run, strategy=replace(run.strategy, loss=Loss.CHUNKED))


def smallest_layout(run: Run, gpu: Gpu) -> Layout:
    """The layout on the fewest GPUs on which a run fits for certain, at the least loss of speed.

    Numbers of GPUs are multiples of the run's pipeline, context and expert groups: all up to a
    node, then whole nodes, beyond `EVERY_NODE` by halving a doubling. Sharding, checkpointing,
    micro-batch and tensor parallelism (up to a node) are free, all else stays. On the same GPUs a
    layout is preferred with less recomputation, then less tensor parallelism, a larger micro-batch,
    less sharding.

    Raises:
        InfeasibleError: when nothing fits, with the reason.
    """
    capacity_bytes, group = usable_bytes(gpu), run.strategy.pp
    group *= math.lcm(run.strategy.cp, run.strategy.ep)
    unit = math.lcm(group, gpu.gpus_per_node)
    counts = {gpus for gpus in range(1, gpu.gpus_per_node + 1) if gpus % group == 0}
    counts |= {unit * nodes for nodes in range(1, EVERY_NODE + 1) if unit * nodes <= MAX_GPUS}
    counts |= {group * power for power in _powers(max(MAX_GPUS // group, 1))}

    def first(gpus: int) -> Layout | None:
        layouts = _layouts(run, gpus, gpu.gpus_per_node)
        fitting = (one for one in layouts if fits(needed(one.run), capacity_bytes) is Fits.YES)
        return next(fitting, None)

    for few, gpus in pairwise((0, *sorted(counts))):
        found = first(gpus)
        if found is not None:
            low, high = few // unit, gpus // unit
            while high - low > 1:
                between = (low + high) // 2
                middle = first(unit * between)
                low, high = (low, between) if middle else (between, high)
                found = middle or found
            return found
    most = _layouts(run, max(counts), gpu.gpus_per_node)
    smallest = min(most, key=lambda layout: layout.memory.total.mid, default=None)
    if smallest is None:
        odd = "the model cannot be divided over GPUs like this; reduce pp, cp or ep"
        raise InfeasibleError(f"layout: {odd}")
    parts, ways = vars(smallest.memory.parts), read_shipped("memory.yaml")["shrinks"]
    largest = max(parts, key=lambda name: parts[name])
    raise InfeasibleError(
        f"layout: even {so_many(smallest.run.gpus, 'GPU')} may need "
        f"{format_bytes(smallest.memory.total.high)} each, with {format_bytes(capacity_bytes)}; "
        f"{largest.replace('_', ' ')} take {format_bytes(parts[largest])}, which more GPUs do not "
        f"reduce: {ways.get(largest, ways['other'])}"
    )


def fastest_layout(
    run: Run, machine: "Machine", seconds: Callable[[Strategy], float], capacity_bytes: float
) -> Strategy:
    """The fastest layout of a run on its machine that fits into so many bytes of each GPU.

    `FREE` is chosen by the seconds per token under a strategy (an InputError where it is
    impossible), tensor parallelism within a node. Where nobody chose the loss a chunked one may
    make room, as `with_open_loss` has it; where nobody chose the stack all are compared on one, and
    the best gets its usual one.

    Raises:
        InfeasibleError: when no layout fits on these GPUs.
        InputError: when none is possible, for another reason than its memory.
    """
    best, least, timed = None, math.inf, False
    gpus, own = run.gpus, run.strategy.loss
    if machine.loss_is_open:
        run = replace(run, strategy=replace(run.strategy, loss=Loss.CHUNKED))
    choices: dict[str, Iterable[Any]] = {
        "pp": _powers(min(gpus, run.shape.layers, MOST_STAGES)),
        "tp": _powers(min(gpus, machine.gpu.gpus_per_node)),
        "cp": _powers(min(gpus, max(run.strategy.seq_len // LEAST_PART, 1))),
        "ep": _powers(min(gpus, max(run.shape.experts, 1))),
        "micro_batch": _powers(MOST_SEQUENCES),
        "checkpointing": Checkpointing,
        "sharding": (Sharding.ZERO1, Sharding.ZERO3) if gpus > 1 else (Sharding.NONE,),
    }
    usual = _laid_out(run, gpus, {})  # which no search should end below
    refused: InputError | None = None
    for candidate in (*usual, *_laid_out(run, gpus, choices)):
        strategy, taken = candidate.strategy, math.inf
        try:
            taken = seconds(strategy)
            if taken < least and fits(needed(candidate), capacity_bytes) is Fits.YES:
                best, least = strategy, taken
        except InputError as error:  # where it does not divide over these GPUs
            refused = refused or error
        timed = timed or taken < math.inf
    if best is None:
        if not timed:  # it is not the memory
            machine.refuse_small_step()
            raise refused or InputError("layout: none divides over these GPUs")
        raise InfeasibleError(
            f"layout: no layout fits on {so_many(gpus, 'GPU')}; use more of them, or a smaller "
            "optimizer or loss"
        )
    return replace(best, loss=own, stack=best.usual_stack if machine.stack_is_open else best.stack)


def _powers(limit: int) -> list[int]:
    """Powers of two up to a limit."""
    return [2**k for k in range(limit.bit_length())]


def _laid_out(run: Run, gpus: int, choices: Mapping[str, Iterable[Any]]) -> Iterator[Run]:
    """A run on so many GPUs, in each layout of some choices whose groups divide them, in order.

    A pass is no longer than a step.
    """
    step = run.global_tokens or math.inf
    for values in product(*choices.values()):
        layout = vars(run.strategy) | dict(zip(choices, values, strict=True))
        if gpus % (layout["pp"] * layout["tp"] * layout["cp"]) == 0:
            strategy = Strategy(**layout)
            if strategy.pass_tokens(gpus) <= step:
                yield replace(run, gpus=gpus, strategy=strategy)


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


def steps_to_fit(run: Run, gpu: Gpu, capacity_bytes: float) -> tuple[Step, ...]:
    """Changes to make one after the other until a run fits on its GPUs, the cheapest first.

    None when it fits already, and none that the others make needless. When all of them are not
    enough, the last does not fit either.
    """
    chosen, now, tried = list[_Change](), run, set[str]()
    memory = needed(run)
    while fits(memory, capacity_bytes) is not Fits.YES:
        untried = (one for one in _changes(now, gpu, capacity_bytes) if one.name not in tried)
        change = next(untried, None)
        if change is None:
            break
        tried.add(change.name)
        with suppress(InputError):  # what no launcher would accept
            after = needed(change.apply(now))
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


def _changes(run: Run, gpu: Gpu, capacity_bytes: float) -> Iterator[_Change]:
    """What coefficients/memory.yaml lists, as far as it changes anything, the cheapest first.

    Then wider tensor parallelism, which must not change the usual sharding.
    """
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
    tp = 2 * run.strategy.tp
    if tp <= min(USUAL_TP, gpu.gpus_per_node):
        to = {"tp": tp, "sharding": run.strategy.sharding}
        yield _Change(f"tensor parallel {tp}", "traffic inside a node", to=to)
