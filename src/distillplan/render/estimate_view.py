"""An estimate for people, on one screen: the answer, does it fit, why so fast, what to watch."""

from collections.abc import Callable, Iterator

from distillplan.accounting import Logits
from distillplan.estimate.records import DistillationStep, Estimate
from distillplan.hardware.bill import Phase
from distillplan.hardware.memory_fit import FITS_SHOWN, Fits, options_to_fit
from distillplan.hardware.range import Range
from distillplan.hardware.throughput import RateBasis
from distillplan.notices import worst_first
from distillplan.render.blocks import (
    Block,
    CommandLine,
    Headline,
    Room,
    Section,
    Sections,
    TableBlock,
    Text,
)
from distillplan.render.estimate_details import BASIS, estimate_details
from distillplan.render.notice_blocks import (
    ON_TOP,
    first_in_words,
    under_headline,
    watching,
)
from distillplan.units.quantities import format_bytes, format_count, format_duration, format_usd

EFFECTS = {
    "sustained": "matrix products",
    "elementwise": "elementwise work",
    "recomputation": "recomputed activations",
    "tensor_parallel": "tensor-parallel traffic",
    "data_parallel": "data-parallel traffic",
    "overhead": "waits in each layer",
    "pipeline": "pipeline bubbles",
    "scale_out": "waits for other nodes",
    "mixture": "routing to experts",
}
"""What a factor of the speed stands for, where its name does not say it."""
_ABOUT_FIT = frozenset(("fits_nowhere", "does_not_fit", "fit_uncertain", "teacher_does_not_fit"))
"""Codes of notices that say in other words whether it fits."""
_ABOUT_TEACHER = "one_side_waits"
"""Code of a notice that is said where the teacher is."""
_NAMED = 3
"""Of the effects that slow a run, the largest."""
_SLOW_LOSS = 0.1
"""Share of a step from which the time of the loss is worth a word."""
_INDENT = 11
"""Columns that the headings and marks in the margin take."""
_FRAME = 4
"""Empty lines and the one at the end."""


def estimate_view(
    found: Estimate, *, details: bool = False, asked: str = "", note: str = ""
) -> Iterator[Block]:
    """The blocks of one estimate.

    Args:
        found: the answer.
        details: show every number instead of one screen.
        asked: the machine and the models as the options of `budget` take them, for the command to
            go on with; empty where they cannot be named there.
        note: what that command leaves out or asks for.
    """
    return estimate_details(found) if details else _screen(found, asked, note)


def _screen(found: Estimate, asked: str, note: str) -> Iterator[Block]:
    answer = _answer(found)
    first = first_in_words(found.warnings)
    yield Headline(found.headline)
    yield from under_headline(first)
    yield answer
    parts = [Section("To fit", tuple(_to_fit(found)), "-"), Section("Speed", (_speed(found),))]
    if found.distillation is not None:
        parts.append(Section("Teacher", tuple(_teacher(found, found.distillation)), "-"))
    then = _next(found, asked)
    with_hours = f"With the same hours, distill or not{f' ({note})' if note else ''}:"
    room = Room(_FRAME, _INDENT)
    room.take(found.headline, first, rows=len(answer.rows) + 1)
    room.keep(item for part in parts for item in part.items)
    if then:
        room.take(with_hours, rows=1)
        room.keep((then,))
    watch = watching(room.fill(_watch(found)))
    yield Sections((*parts, watch))
    if then:
        yield Text(with_hours)
        yield CommandLine(then)
    yield Text("More: --details  -o markdown", "quiet")


def _answer(found: Estimate) -> TableBlock:
    """Time, hours, money and memory, each with its range."""
    rows = [
        _row("time", found.wall_seconds, format_duration),
        _row("GPU-hours", found.gpu_hours, format_count),
    ]
    if found.cost_usd is not None:
        price = found.bill.price
        rate = "" if price is None else f"{format_usd(price.usd_per_hour)} per GPU-hour"
        rows.append((*_row("cost", found.cost_usd, format_usd)[:3], rate))
    usable = format_bytes(found.memory.usable_bytes_per_gpu)
    fits = f"fits {usable}: {FITS_SHOWN[found.memory.fits]}"
    rows.append((*_row("memory per GPU", found.memory_bytes_per_gpu, format_bytes)[:3], fits))
    if found.distillation is not None and found.distillation.apart is not None:
        apart = found.distillation.apart
        fits = f"fits {usable}: {FITS_SHOWN[apart.fits]}; tp {apart.tp}"
        memory = _row("per teacher GPU", apart.memory_bytes_per_gpu, format_bytes)
        rows.append((*memory[:3], fits))
    alone = found.memory.teacher_pass
    if alone is not None:
        memory = _row("teacher's pass", alone.memory_bytes_per_gpu, format_bytes)
        rows.append((*memory[:3], f"fits {usable}: {FITS_SHOWN[alone.fits]}"))
    return TableBlock("", ("", "median", "range", ""), tuple(rows), text_columns=(0, 2, 3))


def _row(name: str, values: Range, form: Callable[[float], str]) -> tuple[str, ...]:
    return (name, form(values.mid), f"{form(values.low)} to {form(values.high)}", "")


def _to_fit(found: Estimate) -> Iterator[str]:
    """What makes it fit, the cheapest first; nothing where it does."""
    memory = found.memory
    apart = None if found.distillation is None else found.distillation.apart
    if apart is not None and apart.fits is not Fits.YES:
        yield "more --teacher-gpus, or a lower --teacher-precision"
    alone = memory.teacher_pass
    if memory.fits is Fits.YES and (alone is None or alone.fits is Fits.YES):
        return
    if memory.why_no_layout is not None:
        yield memory.why_no_layout
    steps, on = memory.steps_to_fit, _gpus(found.question.machine.gpus)
    if changes := options_to_fit(steps):
        yield f"add {changes}, at a price: --details"
    elif steps:
        tight = ", and all of it together is tight" if steps[-1].fits is Fits.UNCERTAIN else ""
        yield f"nothing to switch on makes it fit on {on}{tight}"
    least = memory.smallest_layout
    if least is not None:
        how = least.run.strategy
        yield (
            f"on {_gpus(least.run.gpus)} it fits with sharding {how.sharding}, checkpointing "
            f"{how.checkpointing}, tp {how.tp}, pp {how.pp}, micro-batch {how.micro_batch}, "
            f"{how.loss} loss"
        )


def _gpus(count: int) -> str:
    return f"{count} GPU{'' if count == 1 else 's'}"


def _speed(found: Estimate) -> str:
    """The rate, where it comes from, and what takes most of it."""
    part = found.speed.student
    rate = f"{format_count(found.tokens_per_s_per_gpu.mid)} tokens/s per GPU"
    said = f"{rate}, {found.mfu.mid:.1%} MFU"
    if part.basis is not RateBasis.MODEL:
        return f"{said}, {BASIS[part.basis]}"
    slow = sorted((factor, name) for name, factor in part.factors.items() if factor < 1)
    effects = ", ".join(
        f"{EFFECTS.get(name, name.replace('_', ' '))} (x {factor:.2f})"
        for factor, name in slow[:_NAMED]
    )
    return f"{said}; training loses most to {effects}"


def _teacher(found: Estimate, step: DistillationStep) -> Iterator[str]:
    """What the teacher adds, and whether to run it or to store its logits."""
    logits = next((one for one in found.bill.lines if one.phase is Phase.TEACHER_LOGITS), None)
    if logits is not None:
        added, of = (format_count(one.mid) for one in (logits.gpu_hours, found.gpu_hours))
        said = f"its passes take {added} of the {of} GPU-hours"
        share = step.loss_step_seconds.mid / step.online_step_seconds.mid
        slow = share >= _SLOW_LOSS and found.question.logits is Logits.ONLINE
        loss = found.question.machine.strategy.loss
        yield f"{said}; the loss ({loss}) is {share:.0%} of a step" if slow else said
    yield from (one.message for one in found.warnings if one.code == _ABOUT_TEACHER)
    if found.question.logits is Logits.CACHED:
        rate = format_bytes(step.read_bytes_per_s)
        yield f"its logits are on disk: {_stored(step)}, read at {rate}/s"
    else:
        yield _beside_or_stored(step)


def _stored(step: DistillationStep) -> str:
    return f"{format_bytes(step.stored_bytes)} of {step.logit_format.name} logits"


def _beside_or_stored(step: DistillationStep) -> str:
    """Which way adds less to the bill, where a price is known."""
    if step.online_usd is None or step.cached_usd is None or step.break_even_passes is None:
        hours = format_count(step.teacher_pass_gpu_hours.mid)
        return f"one pass in advance would take {hours} GPU-hours and store {_stored(step)}"
    online, cached = (format_usd(one.mid) for one in (step.online_usd, step.cached_usd))
    cheaper = "storing is cheaper" if step.cached_usd.mid < step.online_usd.mid else "run it"
    passes = step.break_even_passes.mid
    least = f"{passes:.3g} students or epochs" if passes > 1 else "the first student"
    return (
        f"{cheaper}: beside the student it adds {online} to the bill, one pass in advance and "
        f"storing {_stored(step)} {cached}; storing pays from {least}"
    )


def _watch(found: Estimate) -> Iterator[str]:
    """What to doubt, warnings first; that it may not fit is said above."""
    for one in worst_first(found.warnings):
        if one.code not in (*_ABOUT_FIT, _ABOUT_TEACHER, *ON_TOP):
            yield one.message


def _next(found: Estimate, asked: str) -> str:
    """Whether to distill with the same hours; nothing where the run does not fit."""
    if not asked or found.fits is Fits.NO:
        return ""
    return f"distillplan budget '{format_count(found.gpu_hours.mid)} GPU-hours' {asked}"
