"""A compute request: the sections that allocation committees ask for, to be completed by hand."""

from collections.abc import Iterator

from distillplan.accounting import Logits
from distillplan.estimate.records import Estimate
from distillplan.hardware.bill import Phase
from distillplan.hardware.memory_fit import FITS_SHOWN
from distillplan.hardware.range import Range
from distillplan.questions.request import INTERRUPTED_HOURS, LOST_SHARE, ComputeRequest
from distillplan.render.blocks import Block, Bullets, Headline, TableBlock
from distillplan.units.articles import so_many
from distillplan.units.quantities import (
    format_bytes,
    format_count,
    format_duration,
    format_months,
    format_usd,
)


def request_view(asked: ComputeRequest) -> Iterator[Block]:
    """The blocks of a request.

    Args:
        asked: the run, and what else is to be said.
    """
    run, gpu = asked.run, asked.run.question.machine.gpu
    yield Headline(f"Compute request: {_hours(run.gpu_hours)} GPU-hours on {gpu.name}")
    yield Bullets("Purpose", ("What for, and what is to be published: to be written by you.",))
    yield Bullets("The run", tuple(_run(run)))
    yield TableBlock("Resources", ("", "median", "range"), tuple(_resources(run)))
    yield Bullets("Jobs", tuple(_jobs(asked)))
    yield TableBlock("Phases", ("phase", "GPU-hours", "wall time"), tuple(_phases(run)))
    yield Bullets("Memory", tuple(_memory(run)))
    yield Bullets("Storage and I/O", tuple(_storage(asked)))
    yield Bullets("Checkpoints and restarts", tuple(_checkpoints(asked)))
    yield Bullets("Expected speed, and the evidence for it", tuple(_evidence(asked)))
    yield TableBlock(
        "Scaling (estimated; committees ask for measurements of your own)",
        ("GPUs", "GPU-hours", "wall time", "efficiency", "fits"),
        tuple(
            (
                str(one.question.machine.all_gpus),
                format_count(one.gpu_hours.mid),
                format_duration(one.wall_seconds.mid),
                f"{run.gpu_hours.mid / one.gpu_hours.mid:.0%}",
                FITS_SHOWN[one.fits],
            )
            for one in asked.scaling
        ),
    )
    yield Bullets("To check before you send it", tuple(one.message for one in run.warnings))
    yield Bullets("Sources", run.sources)


def _hours(hours: Range) -> str:
    """The hours to ask for: enough in nine runs of ten."""
    return f"{format_count(hours.mid)} (up to {format_count(hours.high)})"


def _run(run: Estimate) -> Iterator[str]:
    settings, machine, model = run.question, run.question.machine, run.model
    yield (
        f"train {model.named.name} ({format_count(model.work.stored_params)} parameters) on "
        f"{format_count(settings.tokens)} tokens"
        + (f", {settings.students} times" if settings.students > 1 else "")
    )
    if run.teacher is not None:
        params = format_count(run.teacher.work.stored_params)
        taught = f"teacher {run.teacher.named.name} ({params} parameters)"
        own = (
            f", on {so_many(machine.teacher_gpus, 'GPU')} of its own"
            if machine.teacher_gpus
            else ""
        )
        yield f"{taught}, logits {settings.logits}{own}"
    yield (
        f"sequences of {machine.strategy.seq_len:,} tokens, "
        f"{format_count(machine.batch_tokens)} tokens per optimizer step, optimizer "
        f"{machine.strategy.optimizer}, precision {machine.strategy.precision}"
    )


def _resources(run: Estimate) -> Iterator[tuple[str, str, str]]:
    for name, values, form in (
        ("GPU-hours", run.gpu_hours, format_count),
        ("wall time", run.wall_seconds, format_duration),
        ("cost", run.cost_usd, format_usd),
        ("energy, kWh", run.energy_kwh, format_count),
        ("CO2, kg", run.co2_kg, format_count),
    ):
        if values is not None:
            yield name, form(values.mid), f"{form(values.low)} to {form(values.high)}"


def _jobs(asked: ComputeRequest) -> Iterator[str]:
    layout, goodput = asked.run.question.machine.strategy, asked.run.speed.goodput
    yield (
        f"{so_many(asked.nodes, 'node')} with {so_many(asked.gpus_per_node, 'GPU')} each, one "
        f"job at a time{_order(asked.run)}"
    )
    yield (
        f"layout: sharding {layout.sharding}, tensor parallel {layout.tp}, pipeline parallel "
        f"{layout.pp}, context parallel {layout.cp}, micro-batch {layout.micro_batch}, "
        f"checkpointing of activations {layout.checkpointing}"
    )
    yield (
        f"{goodput.low:.0%} to {goodput.high:.0%} of allocated time are "
        "productive; the hours above include the rest"
    )


def _order(run: Estimate) -> str:
    """Which phases are at the same time; an online teacher runs within the student's steps."""
    timed = [line.phase for line in run.bill.lines if line.wall_seconds.mid]
    if len(timed) < 2:
        return ""
    if Phase.TEACHER_LOGITS not in timed or run.question.logits is not Logits.ONLINE:
        return ", its phases one after the other"
    first = "the teacher's training first, then " if Phase.TEACHER_TRAINING in timed else ""
    return f", {first}student and teacher at the same time"


def _phases(run: Estimate) -> Iterator[tuple[str, str, str]]:
    for line in run.bill.lines:
        yield (
            line.phase.replace("_", " "),
            format_count(line.gpu_hours.mid),
            format_duration(line.wall_seconds.mid),
        )


def _memory(run: Estimate) -> Iterator[str]:
    apart = None if run.distillation is None else run.distillation.apart
    alone = run.memory.teacher_pass
    sides = [("", run.memory_bytes_per_gpu, run.memory.fits)]
    if alone is not None:
        sides.append(("the teacher's pass before it: ", alone.memory_bytes_per_gpu, alone.fits))
    if apart is not None:
        sides.append(("a GPU of the teacher: ", apart.memory_bytes_per_gpu, apart.fits))
    usable = format_bytes(run.memory.usable_bytes_per_gpu)
    for what, need, fits in sides:
        yield (
            f"{what}{format_bytes(need.mid)} per GPU ({format_bytes(need.low)} to "
            f"{format_bytes(need.high)}) of {usable} usable: fits {FITS_SHOWN[fits]}"
        )
    parts = sorted(vars(run.memory.parts).items(), key=lambda part: -part[1])
    yield "of it: " + ", ".join(
        f"{name.replace('_', ' ')} {format_bytes(size)}" for name, size in parts if size
    )


def _storage(asked: ComputeRequest) -> Iterator[str]:
    yield (
        f"training text: {format_bytes(asked.text_bytes)} of token numbers, read at "
        f"{format_bytes(asked.text_bytes_per_s)} per second by all GPUs together"
    )
    yield f"checkpoints: {format_bytes(asked.checkpoint_bytes)} each (weights, optimizer states)"
    step = asked.run.distillation
    if step is not None and step.stored_bytes:
        yield (
            f"logits, if they are stored: {format_bytes(step.stored_bytes)} for "
            f"{format_months(step.storage_months)}, read at "
            f"{format_bytes(step.read_bytes_per_s)} per second"
        )


def _checkpoints(asked: ComputeRequest) -> Iterator[str]:
    yield (
        f"{asked.interruptions:.2g} unexpected interruptions are to be expected, at one in "
        f"{format_count(INTERRUPTED_HOURS)} GPU-hours (Llama 3 405B; arXiv:2407.21783, Section "
        "3.3.4)"
    )
    between = min(asked.checkpoint_seconds, asked.run.wall_seconds.mid)
    yield (
        f"a checkpoint at least every {format_duration(between)} keeps the work that is done again "
        f"below {LOST_SHARE:.0%}"
    )


def _evidence(asked: ComputeRequest) -> Iterator[str]:
    run = asked.run
    yield (
        f"{run.mfu.mid:.0%} MFU ({run.mfu.low:.0%} to {run.mfu.high:.0%}), "
        f"{format_count(run.tokens_per_s_per_gpu.mid)} tokens/s per GPU"
    )
    if asked.measured_error is None:
        yield "the rate is your own measurement; attach it"
        return
    yield (
        "estimated by a model of the step's time that was fitted on published runs; on like runs "
        f"of sources that were left out its median error is {asked.measured_error:.0%} "
        "(distillplan check throughput)"
    )
    yield "replace it by a measurement of your own: --tokens-per-s or --mfu"
