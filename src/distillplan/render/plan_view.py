"""A plan for people: the verdict, the options side by side, what would flip it, what to doubt."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from distillplan.accounting import WHO_PAYS, Accounting, in_a_table
from distillplan.planning.flips import DECADES
from distillplan.planning.options import FLAT_NATS
from distillplan.planning.results import (
    BudgetFlip,
    Confidence,
    Flips,
    FlipShares,
    Near,
    Option,
    Plan,
)
from distillplan.planning.verdict import format_budget
from distillplan.render.blocks import Block, Bullets, TableBlock, Text
from distillplan.render.confidence_view import confidence_bands, confidence_line, flip_share
from distillplan.render.notice_blocks import notice_blocks
from distillplan.units import (
    format_bytes,
    format_count,
    format_duration,
    format_flops,
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
_PAID = {
    Accounting.FREE: "at no cost",
    Accounting.EXISTS: "with the same inference cost",
    Accounting.TRAIN_SHARED: "with the same training cost",
    Accounting.TRAIN: "with the same training and inference cost",
}


def plan_view(plan: Plan) -> Iterator[Block]:
    """The blocks of a plan."""
    yield Text(plan.headline, "verdict")
    if plan.confidence is not None and plan.confidence.agree is not None:
        yield Text(confidence_line(plan.confidence), "plain")
    yield Text(_question(plan), "quiet")
    yield _options(plan)
    if plan.confidence is not None:
        yield confidence_bands(plan.confidence)
    yield _flops(plan)
    if plan.scenario.machine is not None:
        yield _bills(plan)
    if any(one.accounting for one in plan.options):
        yield Text(_who_pays(), "quiet")
    near = tuple(
        f"{in_a_table(one.accounting)}: {_near(one.near)}"
        for one in plan.options
        if one.near and (one.decides or one.accounting is None) and _near(one.near)
    )
    if near:
        yield Bullets(f"Nearly as good (within {FLAT_NATS:g} nats)", near)
    if plan.verdict is not None:
        yield Bullets("What would change the verdict", _flips(plan.flips, plan.confidence))
    yield from notice_blocks(plan.warnings)
    yield Text(f"Law: {plan.law.name}. {plan.law.source}.", "quiet")


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
    if plan.verdict is not None:
        parts.append(f"{WHO_PAYS[scenario.pays]}, logits {scenario.logits}")
        parts.append(f"differences under {scenario.tie_nats:g} nats count as a tie")
    return "Inputs: " + "; ".join(parts) + "."


def _row_name(option: Option) -> str:
    """The name, with an arrow at the option that the verdict weighs against supervised."""
    return f"{'→' if option.decides else ' '} {in_a_table(option.accounting)}"


def _options(plan: Plan) -> TableBlock:
    return TableBlock(
        "",
        ("option", "loss", "gain", "student", "tokens", "teacher", "its tokens", "its loss"),
        tuple(
            (
                _row_name(one),
                "over budget" if one.loss is None else f"{one.loss:.3f}",
                "" if one.gain_nats is None else f"{one.gain_nats:+.3f}",
                _count(one.student_params),
                _count(one.student_tokens),
                _count(one.teacher_params) + _mark(one, "teacher_params"),
                _count(one.teacher_tokens) + _mark(one, "teacher_tokens"),
                "" if one.teacher_loss is None else f"{one.teacher_loss:.3f}",
            )
            for one in plan.options
        ),
        marked=_marked(plan),
        tight=True,
    )


def _flops(plan: Plan) -> TableBlock:
    """Of the family: where the FLOPs go, and what more of them would bring."""
    title = "Where the FLOPs go" + (" (all students)" if plan.scenario.students > 1 else "")
    serving = ("serving",) if plan.scenario.inference_tokens else ()
    return TableBlock(
        title,
        ("option", "students", "logits", "teacher", *serving, "10% more"),
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
        marked=_marked(plan),
    )


def _bills(plan: Plan) -> TableBlock:
    """Hours, money and memory, as ranges; the middle alone where both ends read the same."""
    machine = plan.scenario.machine
    title = "" if machine is None else f"On {machine.cluster.gpus} {machine.cluster.gpu.name}"
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
                bill.fits,
            )
        )
    columns = ("option", "GPU-hours", "time", "cost", "memory", "fits")
    return TableBlock(title, columns, tuple(rows), marked=_marked(plan), tight=True)


def _range(value: "Range", text: Callable[[float], str]) -> str:
    low, high = text(value.low), text(value.high)
    return low if low == high else f"{low}–{high}"


def _marked(plan: Plan) -> int | None:
    """The row that the verdict is drawn from."""
    rows = [index for index, one in enumerate(plan.options) if one.decides]
    return rows[0] if rows else None


def _count(value: float | None) -> str:
    return "" if value is None else format_count(value)


def _mark(option: Option, size: str) -> str:
    """An arrow on a size that stands at a bound of the search."""
    if size not in option.at_bounds:
        return ""
    return " ↑" if option.status == "at_upper_bound" else " ↓"


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


def _amount(flip: BudgetFlip) -> str:
    if flip.gpu_hours is not None:
        return f"{format_count(flip.gpu_hours)} GPU-hours"
    return f"{format_flops(flip.total_flops)} FLOPs"


def _flips(flips: Flips, confidence: Confidence | None) -> tuple[str, ...]:
    shares = FlipShares() if confidence is None else confidence.flips
    found = []
    for name, side in (("budget_down", "below"), ("budget_up", "above")):
        flip = getattr(flips, name)
        if flip is not None:
            sure = flip_share(getattr(shares, name), name)
            found.append(f"a budget {side} {_amount(flip)}: {flip.verdict}{sure}")
    if flips.budget_down is None and flips.budget_up is None:
        found.append(f"no budget from 1/{10**DECADES:,} to {10**DECADES:,} times this one")
    if flips.students is not None:
        found.append(
            f"{flips.students.students} students sharing the budget: {flips.students.verdict}"
            f"{flip_share(shares.students)}"
        )
    if flips.teacher_loss is not None:
        one = flips.teacher_loss
        found.append(
            f"a teacher of {one.low:.3f} to {one.high:.3f} nats (best {one.best:.3f}), "
            f"{_PAID[one.accounting]}: distill{flip_share(shares.teacher_loss, 'teacher_loss')}"
        )
    if flips.logits is not None:
        sure = flip_share(shares.logits)
        found.append(f"logits {flips.logits.logits}: {flips.logits.verdict}{sure}")
    if flips.accounting is not None:
        sure = flip_share(shares.accounting)
        found.append(
            f"another way to pay ({WHO_PAYS[flips.accounting.accounting]}): "
            f"{flips.accounting.verdict}{sure}"
        )
    return tuple(found)
