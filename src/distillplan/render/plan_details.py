"""A plan with all its numbers, for people: what --details shows."""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from distillplan.accounting import WHO_PAYS, Accounting, in_a_table
from distillplan.hardware.memory_fit import FITS_SHOWN
from distillplan.planning.headline import format_budget
from distillplan.planning.options import FLAT_NATS
from distillplan.planning.results import Option, Plan, Reason
from distillplan.planning.sizes import Near, SearchStatus
from distillplan.render.blocks import Block, Bullets, TableBlock, Text, cell
from distillplan.render.notice_blocks import notice_blocks
from distillplan.render.odds_view import count_band, nats_band, odds_line
from distillplan.render.plan_flips import flips_in_words
from distillplan.render.plan_words import (
    kept_in_words,
    marked_row,
    rival_in_words,
    vocabulary_in_words,
)
from distillplan.units.quantities import (
    format_bytes,
    format_count,
    format_duration,
    format_flops,
    format_months,
    format_usd,
)

if TYPE_CHECKING:
    from distillplan.hardware.range import Range

_WHAT_THE_BUDGET_COVERS = (
    ("the student's training only", Accounting.FREE),
    ("also the teacher's forward passes", Accounting.EXISTS),
    ("also the teacher's training; its stored logits serve others too", Accounting.TRAIN_SHARED),
    ("all three", Accounting.TRAIN),
)


def plan_details(plan: Plan) -> Iterator[Block]:
    """Every way to pay, every band, where the FLOPs go, and all that is to be known."""
    yield Text(plan.headline, "verdict")
    if plan.odds is not None and plan.confidence is not None:
        yield Text(odds_line(plan.odds, plan.confidence), "plain")
    yield Text(_question(plan), "quiet")
    yield _options(plan.options, given_student=plan.scenario.student_params is not None)
    if any(one.is_guess and one.loss is not None for one in plan.options):
        yield Text("? = a guess: far outside the fitted range of the law.", "quiet")
    if beside := vocabulary_in_words(plan.options):
        yield Text(f"The gain of an open model is over {beside}.", "quiet")
    yield from _costs(plan)
    if plan.scenario.machine is not None:
        yield _bills(plan)
    if any(one.stored for one in plan.options):
        yield _stored(plan.options)
    alone = plan.start is not None or plan.verdict_reason is Reason.ONLY_ONE_POSSIBLE
    if plan.law.distillation is not None and not alone:
        title = "What would change the verdict" if plan.verdict else "Where there is a verdict"
        yield Bullets(title, tuple(flips_in_words(plan)))
    yield from notice_blocks(plan.warnings)
    if plan.rival is not None:
        yield Text(rival_in_words(plan.rival), "quiet")
    yield Text(f"Law: {plan.law.name}. {plan.law.source}.", "quiet")


def _costs(plan: Plan) -> Iterator[Block]:
    """Bands, where the FLOPs go, and how far the sizes may move."""
    if any(one.loss_band for one in plan.options):
        yield _bands(plan)
    yield _flops(plan)
    if any(one.accounting for one in plan.options):
        yield Text(_who_pays(), "quiet")
    near = tuple(
        f"{in_a_table(one.accounting)}: {_near(one.near)}"
        for one in plan.options
        if one.near and (one.decides or one.accounting is None) and _near(one.near)
    )
    if near:
        yield Bullets(f"Nearly as good (within {FLAT_NATS:g} nats)", near)


def _who_pays() -> str:
    """What each way to distill costs, with the word that --accounting takes."""
    ways = "; ".join(
        f"{in_a_table(one)} ({one}): {covers}" for covers, one in _WHAT_THE_BUDGET_COVERS
    )
    return f"Ways to distill, and what the budget covers. {ways}."


def _question(plan: Plan) -> str:
    scenario = plan.scenario
    parts = [format_budget(scenario)]
    if scenario.student_params is None:
        parts.append("student of the best size")
    else:
        parts.append(f"{format_count(scenario.student_params)} student")
    if scenario.students > 1:
        each = plan.options[0].flops_per_student
        of_each = f", {format_flops(each)} FLOPs each" if scenario.gpu_hours is None else ""
        parts.append(f"{scenario.students} students{of_each}")
    if scenario.inference_tokens:
        parts.append(f"{format_count(scenario.inference_tokens)} tokens served by each")
    if scenario.max_unique_tokens is not None:
        parts.append(f"{format_count(scenario.max_unique_tokens)} unique tokens")
    if plan.deciding is not None:
        trained = scenario.pays in (Accounting.TRAIN, Accounting.TRAIN_SHARED)
        parts.append(f"{'teacher: ' if trained else ''}{WHO_PAYS[scenario.pays]}")
        if scenario.pays is not Accounting.FREE:
            parts.append(f"logits {scenario.logits}")
        parts.append(f"differences under {scenario.tie_nats:g} nats count as a tie")
    return "Inputs: " + "; ".join(parts) + "."


def _row_name(option: Option) -> str:
    """The name, with an arrow at what to do."""
    name = in_a_table(option.accounting)
    if option.teacher_name is not None:
        name = f"run {option.teacher_name}"
    return f"{'→' if option.recommended else ' '} {name}"


def _options(options: Sequence[Option], *, given_student: bool) -> TableBlock:
    """The options; the student's size where it was searched for."""
    student = () if given_student else ("student",)
    return TableBlock(
        "",
        ("option", "loss", "gain", "90% band", *student, "tokens", "teacher", "its loss"),
        tuple(
            (
                _row_name(one),
                _loss(one),
                cell(one.gain_nats, "+.3f"),
                nats_band(one.gain_band, "+"),
                *(cell(one.student_params) + _mark(one, "student_params") for _ in student),
                cell(one.student_tokens) + _mark(one, "student_tokens"),
                _teacher(one),
                cell(one.teacher_loss, ".3f"),
            )
            for one in options
        ),
        marked=marked_row(options),
        tight=True,
    )


def _loss(option: Option) -> str:
    """The loss; a guess is marked as one."""
    if option.loss is None:
        return option.status.replace("_", " ") if option.student_params else "over budget"
    return f"{option.loss:.3f}{'?' if option.is_guess else ''}"


def _teacher(option: Option) -> str:
    """Parameters and tokens of the teacher, as the option that names them is written."""
    if option.teacher_params is None:
        return ""
    tokens = f":{cell(option.teacher_tokens)}" if option.teacher_tokens is not None else ""
    marks = _mark(option, "teacher_params") or _mark(option, "teacher_tokens")
    return f"{cell(option.teacher_params)}{tokens}{marks}"


def _bands(plan: Plan) -> TableBlock:
    alike = "on data like the law's"
    of = f"gains on other data than the law's; losses and sizes {alike}"
    if plan.law.is_own:
        of = alike
    return TableBlock(
        f"90% bands ({of})",
        ("option", "loss", "gain", "tokens", "teacher", "its loss"),
        tuple(
            (
                _row_name(one),
                nats_band(one.loss_band),
                nats_band(one.gain_band, "+"),
                count_band(one.student_tokens_band),
                count_band(one.teacher_params_band),
                nats_band(one.teacher_loss_band),
            )
            for one in plan.options
        ),
        marked=marked_row(plan.options),
        tight=True,
    )


def _flops(plan: Plan) -> TableBlock:
    """Of the family: where the FLOPs go, and what more of them would bring."""
    title = "Where the FLOPs go" + (" (all students)" if plan.scenario.students > 1 else "")
    serving = ("serving",) if plan.scenario.inference_tokens else ()
    return TableBlock(
        title,
        ("option", "students", "logits", "teacher", *serving, "loss with 10% more"),
        tuple(
            (
                _row_name(one),
                *(
                    ("", "", "", *("" for _ in serving))
                    if one.flops is None
                    else (
                        format_flops(one.flops.student_training),
                        format_flops(one.flops.teacher_logits),
                        format_flops(one.flops.teacher_training),
                        *(format_flops(one.flops.student_serving) for _ in serving),
                    )
                ),
                "" if one.gain_from_10_percent is None else f"{-one.gain_from_10_percent:+.4f}",
            )
            for one in plan.options
        ),
        marked=marked_row(plan.options),
    )


def _bills(plan: Plan) -> TableBlock:
    """Hours, money and memory, as ranges; the middle alone where both ends read the same."""
    machine = plan.scenario.machine
    title = "" if machine is None else f"On {machine.gpus} {machine.gpu.name}"
    rows = []
    for one in plan.options:
        bill = one.bill
        if bill is None:
            rows.append((_row_name(one), "", "", "", "", ""))
            continue
        rows.append(
            (
                _row_name(one),
                _range(bill.gpu_hours, format_count),
                format_duration(bill.wall_seconds.mid),
                "" if bill.cost_usd is None else _range(bill.cost_usd, format_usd),
                format_bytes(bill.memory_bytes_per_gpu.mid),
                FITS_SHOWN[bill.fits],
            )
        )
    columns = ("option", "GPU-hours", "time", "cost", "memory", "fits")
    return TableBlock(title, columns, tuple(rows), marked=marked_row(plan.options), tight=True)


def _stored(options: Sequence[Option]) -> TableBlock:
    """What each option reads from disk, and what the format costs it."""
    rows = []
    for one in options:
        found = one.stored
        if found is None:
            continue
        read, cost = found.read_bytes_per_s, "not measured"
        if found.penalty_nats is not None:
            cost = f"{found.penalty_nats:.3f} ({found.penalty_low:.3f} to {found.penalty_high:.3f})"
        rows.append(
            (
                _row_name(one),
                found.format,
                format_bytes(found.bytes_per_token),
                format_bytes(found.total_bytes),
                format_months(found.months),
                format_usd(found.storage_usd),
                "" if read is None else f"{format_bytes(read)}/s",
                cost,
                kept_in_words(found),
            )
        )
    sizes = ("option", "format", "a token", "all", "kept", "storage")
    columns = (*sizes, "read", "costs, nats", "gain kept")
    return TableBlock("Stored logits", columns, tuple(rows), text_columns=(0, 1), tight=True)


def _range(value: "Range", text: Callable[[float], str]) -> str:
    low, high = text(value.low), text(value.high)
    return low if low == high else f"{low}–{high}"


def _mark(option: Option, size: str) -> str:
    """An arrow on a size that stands at a bound of the search."""
    arrows = {SearchStatus.AT_UPPER_BOUND: " ↑", SearchStatus.AT_LOWER_BOUND: " ↓"}
    return arrows.get(option.status, "") if size in option.at_bounds else ""


def _near(near: Near | None) -> str:
    """The ranges of the free sizes in a line."""
    if near is None:
        return ""
    parts = []
    for name in ("student_params", "student_tokens", "teacher_params", "teacher_tokens"):
        ends = getattr(near, name)
        if ends is not None:
            low, high = ends
            parts.append(f"{name.replace('_', ' ')} {format_count(low)} to {format_count(high)}")
    return ", ".join(parts)
