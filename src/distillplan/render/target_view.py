"""For people: ways to a loss, and budgets up to which distillation wins."""

from collections.abc import Iterator

from distillplan.accounting import in_a_table
from distillplan.notices import Severity
from distillplan.planning.headline import format_budget
from distillplan.questions.crossover import BEYOND, DECADES, CrossingPoint, Crossovers
from distillplan.questions.target import Goal, Reached, Target, amount
from distillplan.render.blocks import MOST_ROWS, Block, TableBlock, Text
from distillplan.render.notice_blocks import notice_blocks
from distillplan.render.odds_view import percent
from distillplan.units import format_count, format_flops

_UNITS = {Goal.HOURS: "GPU-hours", Goal.COST: "cost"}
"""Heads of the column that is to be small, where that is not FLOPs."""


def target_view(found: Target) -> Iterator[Block]:
    """The blocks of a target."""
    yield Text(found.headline, "verdict")
    yield Text(_question(found), "quiet")
    marked = [index for index, one in enumerate(found.ways) if one.recommended]
    yield TableBlock(
        "",
        (
            "way",
            _UNITS.get(found.minimise, "FLOPs"),
            "times",
            "student",
            "tokens",
            "teacher",
            "its tokens",
        ),
        tuple(_way(found.minimise, one) for one in found.ways),
        marked=marked[0] if marked else None,
        tight=True,
    )
    unit = _UNITS.get(found.minimise, "FLOPs")
    yield Text(
        f"times = relative to supervised training; {unit} = total over all students.", "quiet"
    )
    yield from notice_blocks(one for one in found.warnings if one.severity is Severity.WARNING)
    yield Text(f"Law: {found.law.name}. {found.law.source}.", "quiet")


def _question(found: Target) -> str:
    scenario = found.scenario
    parts = [f"{found.loss:.4f} nats"]
    if found.match is not None:
        params = format_count(found.match.student_params)
        tokens = format_count(found.match.student_tokens)
        parts[0] += f", what {params} parameters reach supervised on {tokens} tokens"
    if found.minimise is Goal.STUDENT:
        parts.append(f"the smallest student with {format_budget(scenario)}")
    elif scenario.student_params is not None:
        parts.append(f"{format_count(scenario.student_params)} student, least {found.minimise}")
    else:
        parts.append(f"student of the best size, least {found.minimise}")
    if scenario.machine is not None and found.minimise is not Goal.STUDENT:
        cluster = scenario.machine.cluster
        parts.append(f"on {cluster.gpus} {cluster.gpu.name}")
    return f"Inputs: {'; '.join(parts)}."


def _way(goal: Goal, one: Reached) -> tuple[str, ...]:
    name = f"{'→' if one.recommended else ' '} {in_a_table(one.accounting)}"
    if one.option is None:
        return (name, f"not below {one.nearest_loss:.3f}", "", "", "", "", "")
    option = one.option
    return (
        name,
        amount(Goal.COMPUTE if goal is Goal.STUDENT else goal, option)[0],
        "" if one.over_supervised is None else f"{one.over_supervised:.2f}",
        _count(option.student_params),
        _count(option.student_tokens),
        _count(option.teacher_params),
        _count(option.teacher_tokens),
    )


def _count(value: float | None) -> str:
    return "" if value is None else format_count(value)


def crossover_view(found: Crossovers) -> Iterator[Block]:
    """The blocks of crossovers."""
    yield Text("Budgets, in FLOPs, at which distillation gains at least this many nats.", "verdict")
    yield TableBlock(
        "",
        ("student", "teacher", "gain", "from", "to", "tokens/param", "odds"),
        tuple(_point(one) for one in found.points[:MOST_ROWS]),
        text_columns=(0, 1),
        tight=True,
    )
    if len(found.points) > MOST_ROWS:
        yield Text(f"{MOST_ROWS} of {len(found.points)} rows; all: -o csv, jsonl or json", "quiet")
    yield Text(found.note, "quiet")
    yield Text(
        f"start, end = of the budgets searched, 1 to {format_count(10.0**DECADES)} tokens per "
        "parameter; tokens/param = of supervised training at the larger budget; odds = that "
        f"distillation is better by more than a tie, in the middle of the budgets, or a factor "
        f"{BEYOND:g} inside the one end there is.",
        "quiet",
    )
    yield Text(f"Law: {found.law.name}. {found.law.source}.", "quiet")


def _point(one: CrossingPoint) -> tuple[str, ...]:
    window = one.window
    start = (format_count(one.student_params), in_a_table(one.accounting), f"{one.gain_nats:g}")
    if window is None:
        return (*start, "never", "", "", "")
    return (
        *start,
        "start" if window.from_ is None else format_flops(window.from_),
        "end" if window.to is None else format_flops(window.to),
        "" if window.to_tokens_per_param is None else format_count(window.to_tokens_per_param),
        "" if window.odds is None else percent(window.odds.distill),
    )
