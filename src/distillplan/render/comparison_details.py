"""Plans side by side with all their numbers: what --details of a comparison shows.

Scenarios are columns when they are few, rows when they are many.
"""

from collections.abc import Collection, Iterator

from distillplan.accounting import in_a_table, way_in_words
from distillplan.hardware.memory_fit import FITS_SHOWN
from distillplan.notices import doubts
from distillplan.planning.results import Option, Plan
from distillplan.planning.validity import LAW_IS_CODES
from distillplan.questions.comparison_records import Comparison, Difference, NamedOutcome, NamedPlan
from distillplan.render.blocks import Block, Bullets, TableBlock, Text, cell
from distillplan.render.notice_blocks import DOUBTS
from distillplan.render.odds_view import percent
from distillplan.render.plan_words import (
    loss_in_words,
    rival_in_words,
    verdict_in_a_table,
    verdict_in_words,
)
from distillplan.units.quantities import (
    format_bytes,
    format_count,
    format_duration,
    format_flops,
    format_usd,
)

MOST_COLUMNS = 3
"""Scenarios that fit beside each other."""


def comparison_details(found: Comparison) -> Iterator[Block]:
    """The blocks of a comparison with all its numbers."""
    yield Text(best_in_words(found), "verdict")
    few = len(found.plans) <= MOST_COLUMNS
    yield _columns(found) if few else _rows(found)
    if found.differences:
        yield _differences(found)
    outcomes = tuple(
        f"{outcome_in_words(one)}: {'yes' if one.outcome.passed else 'NO'}"
        for one in found.assertions
    )
    if outcomes:
        yield Bullets("Asserted", outcomes)
    if found.not_planned:
        yield Bullets("Without a plan", not_planned_in_words(found), "warning")
    doubts = tuple(_doubts(found))
    if doubts:
        yield Bullets(DOUBTS, doubts, "warning")
    rivals = dict.fromkeys(rival_in_words(one.plan.rival) for one in found.plans)
    yield from (Text(one, "quiet", tight=True) for one in rivals if one)
    laws = dict.fromkeys(f"{one.plan.law.name}. {one.plan.law.source}." for one in found.plans)
    yield Text(f"Law: {' '.join(laws)}", "quiet")


def best_in_words(found: Comparison) -> str:
    """Which scenario is best, and why, or why none is; of a single one what its verdict is."""
    if len(found.plans) == 1:
        only, *_ = found.plans
        told = f"{only.name}: {verdict_in_words(only.plan)}"
    else:
        told = f"{'No winner' if found.winner is None else 'Best'}: {found.reason}."
    if found.not_planned:
        told += f" Without a plan: {', '.join(one.name for one in found.not_planned)}."
    return told


def not_planned_in_words(found: Comparison) -> tuple[str, ...]:
    """The scenarios that nothing can be planned for, and why."""
    return tuple(f"{one.name}: {one.why}" for one in found.not_planned)


def _cells(one: NamedPlan) -> dict[str, str]:
    """What is shown of each plan, by name."""
    plan = one.plan
    best = plan.recommended or plan.supervised
    bill = best.bill
    return {
        "verdict": verdict_in_a_table(plan.verdict),
        "odds": ""
        if plan.odds is None or not plan.verdict
        else percent(plan.odds.of(plan.verdict)),
        "loss": _loss(plan, best),
        "gain": cell(plan.margin_nats, "+.3f"),
        "FLOPs": format_flops(best.total_flops),
        "students": str(plan.scenario.students),
        "student": cell(best.student_params),
        "tokens": cell(best.student_tokens),
        "teacher": cell(best.teacher_params),
        "its tokens": cell(best.teacher_tokens),
        "its loss": cell(best.teacher_loss, ".3f"),
        "if distilled": "" if plan.verdict is None else in_a_table(plan.scenario.pays),
        "GPU-hours": "" if bill is None else format_count(bill.gpu_hours.mid),
        "time": "" if bill is None else format_duration(bill.wall_seconds.mid),
        "cost": "" if bill is None or bill.cost_usd is None else format_usd(bill.cost_usd.mid),
        "memory": "" if bill is None else format_bytes(bill.memory_bytes_per_gpu.mid),
        "fits": "" if bill is None else FITS_SHOWN[bill.fits],
    }


def _loss(plan: Plan, best: Option) -> str:
    """The loss of what the verdict says; that of a start from an open model is not known."""
    if plan.start is not None:
        return "not measured" if plan.start.measured is None else loss_in_words(plan.start.measured)
    return cell(best.loss, ".3f")


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
    for code, (names, _) in doubted(found).items():
        yield f"{code}: {names}"


def doubted(found: Comparison) -> dict[str, tuple[str, str]]:
    """The warnings by code: the scenarios that each concerns, and its words with those they are of.

    Those of the law come first, and short, as there is little room. Each scenario has its own way
    to pay for the teacher, which the words leave out.
    """
    concerned: dict[str, dict[str, str]] = {}
    for one in found.plans:
        way = way_in_words(one.plan.scenario.pays)
        for warning in doubts(one.plan.warnings):
            message = warning.message.replace(f"{way}: teacher", "teacher").replace(way, "distill")
            if warning.code in LAW_IS_CODES:
                message, *_ = message.split(": ")
            concerned.setdefault(warning.code, {}).setdefault(one.name, message)
    said = {}
    for code in sorted(concerned, key=lambda code: code not in LAW_IS_CODES):
        told = concerned[code]
        message = next(iter(told.values()))
        same = [name for name, words in told.items() if words == message]
        others = [name for name in told if name not in same]
        similarly = f"; similarly {', '.join(others)}" if others else ""
        said[code] = (_who(found, told), f"{_who(found, same)}: {message}{similarly}")
    return said


def _who(found: Comparison, names: Collection[str]) -> str:
    return "all" if len(names) == len(found.plans) else ", ".join(names)


def outcome_in_words(one: NamedOutcome) -> str:
    """An assertion, with the scenario that it is of and the value that it is about.

    >>> from distillplan.questions.assertions import Outcome
    >>> outcome = Outcome(assertion="loss <= 2.3", value=2.21, passed=True)
    >>> outcome_in_words(NamedOutcome(name="online", outcome=outcome))
    'online: loss <= 2.3 (2.21)'
    """
    return f"{one.name}: {one.outcome.assertion} ({_value(one.outcome.value)})"


def _value(value: float | str | None) -> str:
    if value is None:
        return "no value"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
