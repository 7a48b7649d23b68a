"""Where the time, the memory and the money of one run go: an estimate by its parts."""

from collections.abc import Iterator
from enum import StrEnum

from distillplan.accounting import Logits
from distillplan.estimate.notes import SPEED_SOURCE, price_source
from distillplan.estimate.records import Estimate
from distillplan.hardware.bill import Phase
from distillplan.hardware.memory_fit import Fits
from distillplan.hardware.range import Range
from distillplan.hardware.throughput import RateBasis, ThroughputEstimate
from distillplan.named_tuples import NamedTuple
from distillplan.notices import Notice

TEACHERS_PHASES = (Phase.TEACHER_TRAINING, Phase.TEACHER_LOGITS, Phase.LOGIT_STORAGE)
TEACHERS_MEMORY = ("teacher_weights", "teacher_activations", "stored_logits")
"""What is there for the teacher's sake."""
EFFECTS = {
    "matrix products and attention": ("sustained", "precision", "attention"),
    "elementwise work and logits": ("elementwise",),
    "recomputed activations": ("recomputation",),
    "communication": ("tensor_parallel", "expert_parallel", "data_parallel", "scale_out"),
    "launches and the optimizer": ("overhead",),
    "pipeline bubbles": ("pipeline",),
    "routing to experts": ("mixture",),
}
"""Parts of a step, and the effects of the speed model that each is made of; what the first takes at
the highest speed of the GPU counts as its own."""

SLOWDOWN = "slowdown of a distillation step"
ROUNDING = 1e-9
"""Of a step, what is left of it by the rounding of its parts."""


class PartOf(StrEnum):
    """What a part is a part of, with its unit."""

    STEP_SECONDS = "step_seconds"
    """One step in productive time."""
    MEMORY_BYTES = "memory_bytes"
    """The fullest GPU at its fullest moment."""
    GPU_HOURS = "gpu_hours"
    """Allocated, in all phases."""
    COST_USD = "cost_usd"


class RunPart(NamedTuple):
    """One part of a run, or the total of its kind."""

    of: PartOf
    name: str
    """In words."""
    is_total: bool
    """Whether it is the sum of those before it."""
    for_teacher: bool
    """Whether it is there for the teacher's sake."""
    low: float | None
    """End of the range; None where only that of the total is known."""
    mid: float
    """Middles of parts sum to that of their total."""
    high: float | None


class RunParts(NamedTuple):
    """One run by its parts."""

    headline: str
    parts: tuple[RunPart, ...]
    usable_bytes_per_gpu: float
    """What the memory of a GPU holds."""
    fits: Fits
    sources: tuple[str, ...]
    beside: tuple[str, ...]
    """Of the sources, those that stand beside a picture."""
    warnings: tuple[Notice, ...] = ()
    """Of the estimate."""

    def kind(self, of: PartOf) -> tuple[RunPart, ...]:
        """The parts of one kind, the total last; empty where nothing is known."""
        return tuple(one for one in self.parts if one.of is of)


def run_parts(found: Estimate) -> RunParts:
    """Where the time of a step, the memory of a GPU, the hours and the money go."""
    return RunParts(
        headline=found.headline,
        parts=(*_step(found), *_memory(found), *_phases(found)),
        usable_bytes_per_gpu=found.memory.usable_bytes_per_gpu,
        fits=found.fits,
        sources=found.sources,
        beside=(SPEED_SOURCE, *price_source(found.bill.price)),
        warnings=found.warnings,
    )


def _step(found: Estimate) -> Iterator[RunPart]:
    """The time of a step: the student's by what takes it, the teacher's, and what comes on top."""
    kind, machine = PartOf.STEP_SECONDS, found.question.machine
    whole = found.tokens_per_s_per_gpu.divide(machine.batch_tokens / machine.all_gpus)
    parts, rest = [*_in_turn(found)], whole.mid
    for name, seconds, for_teacher in parts:
        yield _part(kind, name, seconds, for_teacher=for_teacher)
        rest -= seconds
    if rest > ROUNDING * whole.mid:
        name = "waiting for the logits to arrive" if machine.teacher_gpus else SLOWDOWN
        yield _part(kind, name, rest, for_teacher=True)
    yield _part(kind, "total", whole, is_total=True)


def _in_turn(found: Estimate) -> Iterator[tuple[str, float, bool]]:
    """Names and seconds of what is done one after the other, and whether it is for the teacher.

    Where the teacher has GPUs of its own, only the slower side takes time.
    """
    speed, machine, beside = found.speed, found.question.machine, found.distillation
    tokens = machine.batch_tokens / machine.gpus  # of each GPU
    own = [(name, tokens * each, False) for name, each in _of_training(speed.student)]
    if speed.teacher is None or beside is None or found.question.logits is not Logits.ONLINE:
        yield from own
        return
    teachers = machine.teacher_gpus or machine.gpus
    passed = speed.teacher.tokens_per_s_per_gpu.divide(machine.batch_tokens / teachers).mid
    taught, loss = ("the teacher's pass", passed, True), beside.loss_step_seconds.mid
    lost = ("the loss of the teacher's logits", loss, True)
    if machine.teacher_gpus is None:
        yield from (*own, taught, lost)
        return
    alone, slower = sum(seconds for _, seconds, _ in own), speed.distillation_factor
    given = speed.student.basis is not RateBasis.MODEL
    slowed = 0.0 if given or slower is None else alone / slower.mid - alone
    if passed > alone + slowed + loss:
        yield taught
        return
    yield from (*own, lost)
    if slowed:
        yield SLOWDOWN, slowed, True


def _of_training(part: ThroughputEstimate) -> Iterator[tuple[str, float]]:
    """GPU-seconds of a token in training, by what takes them; whole where the speed was given."""
    if part.ideal_tokens_per_s_per_gpu is None:
        yield "training, at your speed", 1 / part.tokens_per_s_per_gpu.mid
        return
    before, added = 1 / part.ideal_tokens_per_s_per_gpu, {}
    for effect, factor in part.factors.items():
        added[effect] = before / factor - before
        before /= factor
    left = 1 / part.ideal_tokens_per_s_per_gpu
    for name, effects in EFFECTS.items():
        seconds = left + sum(added[one] for one in effects)
        left = 0.0
        if seconds:
            yield name, seconds


def _memory(found: Estimate) -> Iterator[RunPart]:
    kind = PartOf.MEMORY_BYTES
    for name, size in vars(found.memory.parts).items():
        if size > 0:
            yield _part(kind, name.replace("_", " "), size, for_teacher=name in TEACHERS_MEMORY)
    yield _part(kind, "total", found.memory_bytes_per_gpu, is_total=True)


def _phases(found: Estimate) -> Iterator[RunPart]:
    """The bill, in hours and in money where a price is known."""
    for kind in (PartOf.GPU_HOURS, PartOf.COST_USD):
        for line in (*found.bill.lines, found.bill.total):
            values: Range | None = getattr(line, kind)
            if values is not None and getattr(found, kind) is not None:
                total, taught = line.phase is Phase.TOTAL, line.phase in TEACHERS_PHASES
                name = line.phase.replace("_", " ")
                yield _part(kind, name, values, is_total=total, for_teacher=taught)


def _part(of: PartOf, name: str, values: Range | float, **what: bool) -> RunPart:
    """A part, with its range where that is known."""
    what = {"is_total": False, "for_teacher": False, **what}
    if isinstance(values, Range):
        return RunPart(of=of, name=name, low=values.low, mid=values.mid, high=values.high, **what)
    return RunPart(of=of, name=name, low=None, mid=values, high=None, **what)
