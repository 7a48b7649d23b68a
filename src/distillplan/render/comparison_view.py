"""Plans side by side: scenarios as columns when they are few, as rows when they are many."""

from collections.abc import Iterator

from distillplan.accounting import in_a_table
from distillplan.notices import Severity
from distillplan.questions.comparison import Comparison, Difference, NamedPlan
from distillplan.render.blocks import Block, Bullets, TableBlock, Text
from distillplan.render.notice_blocks import DOUBTS
from distillplan.render.odds_view import percent
from distillplan.units import format_bytes, format_count, format_duration, format_flops, format_usd

MOST_COLUMNS = 3
"""Scenarios that fit beside each other."""


def comparison_view(found: Comparison) -> Iterator[Block]:
    """The blocks of a comparison."""
    yield Text(_reason(found), "verdict")
    few = len(found.plans) <= MOST_COLUMNS
    yield _columns(found) if few else _rows(found)
    if found.differences:
        yield _differences(found)
    outcomes = tuple(
        f"{one.name}: {outcome.assertion}: {'yes' if outcome.passed else 'NO'} "
        f"({_value(outcome.value)})"
        for one in found.plans
        for outcome in one.outcomes
    )
    if outcomes:
        yield Bullets("Asserted", outcomes)
    doubts = tuple(_doubts(found))
    if doubts:
        yield Bullets(DOUBTS, doubts, "warning")
    laws = dict.fromkeys(f"{one.plan.law.name}. {one.plan.law.source}." for one in found.plans)
    yield Text(f"Law: {' '.join(laws)}", "quiet")


def _reason(found: Comparison) -> str:
    return f"{'No winner' if found.winner is None else 'Best'}: {found.reason}."


def _cells(one: NamedPlan) -> dict[str, str]:
    """What is shown of each plan, by name."""
    plan = one.plan
    best = plan.recommended or plan.supervised
    bill = best.bill
    return {
        "verdict": plan.verdict or "none",
        "odds": ""
        if plan.odds is None or not plan.verdict
        else percent(plan.odds.of(plan.verdict)),
        "loss": "" if best.loss is None else f"{best.loss:.3f}",
        "gain": "" if plan.margin_nats is None else f"{plan.margin_nats:+.3f}",
        "FLOPs": format_flops(best.total_flops),
        "students": str(plan.scenario.students),
        "student": _count(best.student_params),
        "tokens": _count(best.student_tokens),
        "teacher": _count(best.teacher_params),
        "its tokens": _count(best.teacher_tokens),
        "its loss": "" if best.teacher_loss is None else f"{best.teacher_loss:.3f}",
        "if distilled": "" if plan.verdict is None else in_a_table(plan.scenario.pays),
        "GPU-hours": "" if bill is None else format_count(bill.gpu_hours.mid),
        "time": "" if bill is None else format_duration(bill.wall_seconds.mid),
        "cost": "" if bill is None or bill.cost_usd is None else format_usd(bill.cost_usd.mid),
        "memory": "" if bill is None else format_bytes(bill.memory_bytes_per_gpu.mid),
        "fits": "" if bill is None else bill.fits,
    }


def _columns(found: Comparison) -> TableBlock:
    cells = [_cells(one) for one in found.plans]
    rows = ((name, *(one[name] for one in cells)) for name in cells[0])
    return TableBlock(
        "",
        ("", *(_marked_name(found, one.name) for one in found.plans)),
        tuple(row for row in rows if any(row[1:])),
    )


def _rows(found: Comparison) -> TableBlock:
    shown = ("verdict", "odds", "loss", "gain", "FLOPs", "student", "tokens", "teacher")
    marked = [index for index, one in enumerate(found.plans) if one.name == found.winner]
    return TableBlock(
        "",
        ("scenario", *shown),
        tuple(
            (
                _marked_name(found, one.name),
                *(cell for name, cell in _cells(one).items() if name in shown),
            )
            for one in found.plans
        ),
        marked=marked[0] if marked else None,
        text_columns=(0, 1),
        tight=True,
    )


def _marked_name(found: Comparison, name: str) -> str:
    return f"→ {name}" if name == found.winner else name


def _differences(found: Comparison) -> TableBlock:
    return TableBlock(
        f"Compared with {found.baseline}",
        ("scenario", "loss", "gain", "FLOPs", "student", "tokens"),
        tuple(_difference(one) for one in found.differences),
    )


def _difference(one: Difference) -> tuple[str, ...]:
    nats = tuple(
        "not comparable" if value is None else f"{value:+.3f}"
        for value in (one.loss, one.margin_nats)
    )
    counts = (_signed(value) for value in (one.total_flops, one.student_params, one.student_tokens))
    return (one.name, *nats, *counts)


def _signed(value: float | None) -> str:
    if value is None:
        return ""
    if value == 0:
        return "0"
    return f"{'+' if value > 0 else '-'}{format_count(abs(value))}"


def _doubts(found: Comparison) -> Iterator[str]:
    """Each warning once, with the scenarios that it concerns."""
    concerned: dict[str, list[str]] = {}
    for one in found.plans:
        for warning in one.plan.warnings:
            if warning.severity is Severity.WARNING:
                concerned.setdefault(warning.code, []).append(one.name)
    everyone = len(found.plans)
    for code, names in concerned.items():
        yield f"{code}: {'all' if len(names) == everyone else ', '.join(names)}"


def _count(value: float | None) -> str:
    return "" if value is None else format_count(value)


def _value(value: float | str | None) -> str:
    if value is None:
        return "no value"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
