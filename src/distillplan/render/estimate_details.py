"""An estimate with all its numbers, for people: what --details shows."""

from collections.abc import Callable, Iterator

from distillplan.estimate.records import DistillationStep, Estimate, Memory
from distillplan.hardware.memory_fit import FITS_SHOWN
from distillplan.hardware.range import Range
from distillplan.hardware.throughput import ThroughputEstimate
from distillplan.render.blocks import Block, Bullets, TableBlock, Text
from distillplan.render.document_forms import lifted
from distillplan.render.notice_blocks import notice_blocks
from distillplan.units.quantities import (
    format_bytes,
    format_count,
    format_duration,
    format_flops,
    format_months,
    format_usd,
)

COLUMNS = ("", "low", "median", "high")
BASIS = {
    "model": "computed",
    "mfu": "from your MFU",
    "tokens_per_s": "from your tokens/s",
}
MOMENTS = {
    "loss": "the loss is computed",
    "block": "a block runs",
    "teacher": "the teacher runs",
}


def estimate_details(found: Estimate) -> Iterator[Block]:
    """The settings, the models, the bill, the speed and memory by parts, notices and sources."""
    yield Text(found.headline, "verdict")
    yield Text(f"Inputs: {_asked(found)}.", "quiet")
    yield _models(found)
    yield TableBlock("", COLUMNS, tuple(_answer_rows(found)))
    yield from _bill(found)
    yield from _speed(found)
    yield from _memory(found.memory, found.memory_bytes_per_gpu)
    if found.distillation is not None:
        yield from _distillation(found.distillation)
    yield from notice_blocks(found.warnings)
    yield Bullets("Sources", found.sources, "quiet")


def _models(found: Estimate) -> TableBlock:
    """The models in numbers."""
    models = [found.model] if found.teacher is None else [found.model, found.teacher]
    return TableBlock(
        "",
        ("", "params", "active", "total", "layers", "width", "vocab", "FLOPs/token"),
        tuple(
            (
                one.named.name,
                format_count(one.params),
                format_count(one.work.block_params),
                format_count(one.work.stored_params),
                f"{one.work.layers:.0f}",
                f"{one.work.width:.0f}",
                f"{one.work.vocab:.0f}",
                format_flops(one.work.forward_flops),
            )
            for one in models
        ),
        tight=True,
    )


def _asked(found: Estimate) -> str:
    """The settings, with their defaults, in the words of the options."""
    words = []
    for name, value in lifted(found.question).items():
        if value is None:
            continue
        if isinstance(value, Range):
            shown = (
                f"{value.low:g} to {value.high:g}" if value.low != value.high else f"{value.mid:g}"
            )
        elif isinstance(value, bool):
            shown = "on" if value else "off"
        elif name.endswith("tokens"):
            shown = format_count(value)
        else:
            shown = str(value)
        words.append(f"{name.replace('_', '-')} {shown}")
    return ", ".join(words)


def _answer_rows(found: Estimate) -> Iterator[tuple[str, ...]]:
    yield _row("tokens/s per GPU", found.tokens_per_s_per_gpu, format_count)
    yield _row("MFU", found.mfu, _percent)
    yield _row("GPU-hours", found.gpu_hours, format_count)
    yield _row("time", found.wall_seconds, format_duration)
    if found.cost_usd is not None:
        yield _row("cost", found.cost_usd, format_usd)
    if found.energy_kwh is not None:
        yield _row("energy, kWh", found.energy_kwh, format_count)
    if found.co2_kg is not None:
        yield _row("CO2, kg", found.co2_kg, format_count)
    yield _row("memory per GPU", found.memory_bytes_per_gpu, format_bytes)


def _bill(found: Estimate) -> Iterator[Block]:
    lines = [*found.bill.lines]
    if len(lines) > 1:
        lines.append(found.bill.total)
    rows = tuple(
        (
            line.phase.replace("_", " "),
            format_flops(line.flops),
            format_count(line.gpu_hours.mid),
            format_duration(line.wall_seconds.mid),
            "–" if line.cost_usd is None else format_usd(line.cost_usd.mid),
            "–" if line.energy_kwh is None else format_count(line.energy_kwh.mid),
        )
        for line in lines
    )
    yield TableBlock("The bill", ("phase", "FLOPs", "GPU-hours", "time", "cost", "kWh"), rows)
    if found.distillation is not None and found.distillation.apart is not None:
        yield Text("Student and teacher run at the same time, which their lines share.", "quiet")
    price = found.bill.price
    if price is not None:
        origin = "as given" if price.given else f"{price.seller}, {price.date}"
        yield Text(f"{format_usd(price.usd_per_hour)} per GPU-hour: {origin}.", "quiet")


def _speed(found: Estimate) -> Iterator[Block]:
    speed = found.speed
    parts = [("training", speed.student)]
    if speed.teacher is not None:
        parts.append(("teacher forward", speed.teacher))
    rows = [
        (
            name,
            format_count(part.tokens_per_s_per_gpu.mid),
            _percent(part.mfu.mid),
            BASIS[part.basis],
        )
        for name, part in parts
    ]
    yield TableBlock(
        "Speed of each part alone",
        ("", "tokens/s per GPU", "MFU", "basis"),
        tuple(rows),
        text_columns=(0, 3),
    )
    for name, part in parts:
        if part.ideal_tokens_per_s_per_gpu is not None:
            yield Text(f"{name}: {_factors(part)}.", "quiet")
    more = [f"goodput {_span(speed.goodput)} of allocated time"]
    if speed.distillation_factor is not None:
        more.insert(
            0, f"a distillation step {_span(speed.distillation_factor)} of its parts' speed"
        )
    yield Text(f"After that: {'; '.join(more)}.", "quiet")


def _factors(part: ThroughputEstimate) -> str:
    """The ideal and what takes from it; factors of one are left out."""
    shown = [
        f"{name.replace('_', ' ')} {factor:.2f}"
        for name, factor in part.factors.items()
        if f"{factor:.2f}" != "1.00"
    ]
    return f"{format_count(part.ideal_tokens_per_s_per_gpu)} at full speed x {' x '.join(shown)}"


def _memory(memory: Memory, total: Range) -> Iterator[Block]:
    parts = [
        (name.replace("_", " "), format_bytes(size))
        for name, size in vars(memory.parts).items()
        if size > 0
    ]
    parts.append((f"total, while {MOMENTS[memory.moment]}", format_bytes(total.mid)))
    parts.append(("usable on one GPU", format_bytes(memory.usable_bytes_per_gpu)))
    yield TableBlock("Memory of the fullest GPU", ("", "size"), tuple(parts))
    least = memory.smallest_layout
    if least is not None:
        gpus, how = least.run.gpus, least.run.strategy
        yield Text(
            f"Fits with margin on {gpus} GPU{'s' if gpus > 1 else ''}: sharding "
            f"{how.sharding}, checkpointing {how.checkpointing}, tp {how.tp}, pp {how.pp}, "
            f"micro-batch {how.micro_batch}, {how.loss} loss "
            f"({format_bytes(least.memory.total.mid)})."
        )
    if memory.steps_to_fit:
        yield TableBlock(
            "To fit on these GPUs, in this order",
            ("add", "saves", "fits then", "costs"),
            tuple(
                (step.option, format_bytes(step.saved_bytes), FITS_SHOWN[step.fits], step.price)
                for step in memory.steps_to_fit
            ),
            text_columns=(0, 2, 3),
        )


def _distillation(step: DistillationStep) -> Iterator[Block]:
    kind = step.logit_format
    rows = [
        _row("a step online", step.online_step_seconds, format_duration),
        _row("of it, loss of the teacher's logits", step.loss_step_seconds, format_duration),
        _row("a step with cached logits", step.cached_step_seconds, format_duration),
        _row("GPU-hours online", step.online_gpu_hours, format_count),
        _row("GPU-hours cached", step.cached_gpu_hours, format_count),
        _row("teacher pass beforehand", step.teacher_pass_gpu_hours, format_count),
    ]
    if step.online_usd is not None and step.cached_usd is not None:
        rows.append(_row("teacher online", step.online_usd, format_usd))
        rows.append(_row("teacher pass and storage", step.cached_usd, format_usd))
    if step.break_even_passes is not None:
        rows.append(
            _row("cache breaks even after (passes)", step.break_even_passes, "{:.3g}".format)
        )
    yield TableBlock(
        f"Online or cached, per student; a step is {format_count(step.step_tokens)} tokens",
        COLUMNS,
        tuple(rows),
    )
    biased = "unbiased" if kind.unbiased else "biased: the tail is cut"
    yield Text(
        f"Logits as {kind.name} ({biased}): {format_bytes(kind.bytes_per_token)} per token, "
        f"{format_bytes(step.stored_bytes)} in all, read at "
        f"{format_bytes(step.read_bytes_per_s)}/s; {format_usd(step.storage_usd)} for "
        f"{format_months(step.storage_months)}.",
        "quiet",
    )


def _row(name: str, values: Range, form: Callable[[float], str]) -> tuple[str, ...]:
    return (name, form(values.low), form(values.mid), form(values.high))


def _percent(value: float) -> str:
    return f"{value:.1%}"


def _span(values: Range) -> str:
    return f"{values.mid:.2f} ({values.low:.2f} to {values.high:.2f})"
