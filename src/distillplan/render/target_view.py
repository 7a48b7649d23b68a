"""Ways to a loss, for people: which takes least, what the other takes, and what decides."""

from collections.abc import Iterator

from distillplan.accounting import Accounting, in_a_table, way_in_words
from distillplan.hardware.memory_fit import FITS_SHOWN
from distillplan.notices import doubts
from distillplan.planning.headline import format_budget
from distillplan.planning.results import Option
from distillplan.planning.verdict_records import Verdict
from distillplan.questions.target import Reached, Target, amount
from distillplan.questions.target_goals import Goal
from distillplan.render.blocks import (
    Block,
    Headline,
    Section,
    Sections,
    TableBlock,
    Text,
    cell,
    short,
)
from distillplan.render.notice_blocks import (
    first_in_words,
    notice_blocks,
    other_doubts,
    under_headline,
    watching,
)
from distillplan.render.plan_words import TAKES, storing_in_words, teacher_in_words
from distillplan.units.quantities import format_count, format_duration, format_flops, format_usd

_UNITS = {Goal.HOURS: "GPU-hours", Goal.COST: "cost"}
"""Heads of the column that is to be small, where that is not FLOPs."""
_INDENT = 11
"""Columns that the headings and marks in the margin take."""
_SPARE = ("GPU-hours", "fits", "teacher")
"""Columns that narrow terminals do without, the first first."""
_REMARKS = 4
"""Lines of each kind of remark at most."""


def target_view(found: Target) -> Iterator[Block]:
    """A target, on one screen."""
    yield Headline(found.headline)
    yield from under_headline(first_in_words(found.warnings))
    yield _choices(found)
    watch = other_doubts(found.warnings)
    yield Sections(
        (
            Section("Why", short(_reasons(found), _REMARKS, indent=_INDENT)),
            Section("Decides", short(_decides(found), _REMARKS, indent=_INDENT), "-"),
            watching(short(watch, _REMARKS, indent=_INDENT)),
        )
    )
    guessed = any(one.option is not None and one.option.is_guess for one in _shown(found))
    yield Text(f"{_question(found)}{'; ? is a guess' * guessed}.", "quiet")
    more = f"Law {found.law.name}. More: --details  -o markdown"
    odds = "" if found.law.distillation is None else "; odds: distillplan budget"
    yield Text(f"{more}{odds}", "quiet", tight=True)


def _shown(found: Target) -> list[Reached]:
    return [one for one in found.ways if one.accounting is None or one.decides]


def _choices(found: Target) -> TableBlock:
    """Training from data alone, and the way that the scenario pays for."""
    shown = _shown(found)
    heads = _heads(found, taught=len(shown) > 1)
    rows = []
    for one in shown:
        cells = _cells(found, one, heads[0])
        rows.append((_marked(one), *(cells.get(head, "") for head in heads)))
    columns = ("", *heads)
    return TableBlock(
        "",
        columns,
        tuple(rows),
        marked=next((row for row, one in enumerate(shown) if one.recommended), None),
        text_columns=(0, *_at(columns, "teacher"), *_at(columns, "fits")),
        spare=tuple(place for head in _SPARE if head != heads[0] for place in _at(columns, head)),
    )


def _heads(found: Target, *, taught: bool) -> list[str]:
    """Heads of the columns: what is to be small, then the rest, each once."""
    first = "student" if found.minimise is Goal.STUDENT else _UNITS.get(found.minimise, "FLOPs")
    searched, billed = found.scenario.student_params is None, found.scenario.machine is not None
    wanted = (
        (first, True),
        ("times", taught),
        ("student", searched),
        ("tokens", True),
        ("teacher", taught),
        *((head, billed) for head in ("time", "GPU-hours", "cost", "fits")),
    )
    return list(dict.fromkeys(head for head, is_shown in wanted if is_shown))


def _at(columns: tuple[str, ...], head: str) -> tuple[int, ...]:
    return (columns.index(head),) if head in columns else ()


def _marked(one: Reached) -> str:
    return f"{'→' if one.recommended else ' '} {in_a_table(one.accounting)}"


def _cells(found: Target, one: Reached, first: str) -> dict[str, str]:
    """What a way takes, by the heads of the columns; the first says so where it cannot."""
    option = one.option
    if option is None:
        return {first: f"not below {one.nearest_loss:.3f}"}
    teacher = found.scenario.teacher
    model = None if teacher is None else teacher.model
    bill = option.bill
    cells = {
        "FLOPs": format_flops(option.total_flops),
        "times": cell(one.over_supervised, ".2f"),
        "student": format_count(option.student_params),
        "tokens": format_count(option.student_tokens),
        "teacher": teacher_in_words(option, None if model is None else model.name),
    }
    if bill is not None:
        cells |= {
            "time": format_duration(bill.wall_seconds.mid),
            "GPU-hours": format_count(bill.gpu_hours.mid),
            "cost": "" if bill.cost_usd is None else format_usd(bill.cost_usd.mid),
            "fits": FITS_SHOWN[bill.fits],
        }
    return cells | {first: f"{cells[first]}{'?' * option.is_guess}"}


def _reasons(found: Target) -> Iterator[str]:
    """Where the compute of distilling goes, and what it saves in tokens."""
    alone, *_ = found.ways
    other = next((one.option for one in found.ways if one.decides), None)
    if other is None or other.accounting is None:
        return
    if other.accounting is Accounting.FREE:
        takes = "The teacher's logits cost this budget nothing"
    else:
        takes = f"{TAKES[other.accounting]} {other.teacher_share:.0%} of the compute of distilling"
        takes += storing_in_words(found.scenario, other)
    yield f"{takes}{_tokens(found, alone.option, other)}."
    gain, tie = found.margin_nats, found.scenario.tie_nats
    if gain is not None and found.verdict is Verdict.TIE:
        yield (
            f"With the least of both the two end {abs(gain):.3f} nats apart; less than "
            f"{tie:g} cannot be told apart."
        )


def _tokens(found: Target, alone: Option | None, other: Option) -> str:
    """What the teacher saves a student of one size."""
    if alone is None or found.scenario.student_params is None:
        return ""
    read, instead = format_count(other.student_tokens), format_count(alone.student_tokens)
    return f"; the student reads {read} tokens, not {instead}" if read != instead else ""


def _decides(found: Target) -> Iterator[str]:
    """Other ways to pay for the teacher that would turn the answer."""
    deciding = next((one for one in found.ways if one.decides), None)
    if deciding is None:
        return
    cheaper = _is_cheaper(deciding)
    for one in found.ways:
        if one.accounting is None or one.decides or one.option is None:
            continue
        if _is_cheaper(one) is not cheaper and one.over_supervised is not None:
            takes = " ".join(amount(found.minimise, one.option)).strip()
            yield (
                f"{way_in_words(one.accounting)}: {takes}, {one.over_supervised:.2f} times "
                "what pretraining takes"
            )


def _is_cheaper(one: Reached) -> bool:
    return one.over_supervised is not None and one.over_supervised < 1


def _question(found: Target) -> str:
    scenario = found.scenario
    parts = [f"{found.loss:.4f} nats"]
    if found.match is not None:
        parts[0] += f", what pretraining {found.match.in_words} reaches"
    if found.minimise is Goal.STUDENT:
        parts.append(f"the smallest student with {format_budget(scenario)}")
    elif scenario.student_params is not None:
        parts.append(f"{format_count(scenario.student_params)} student, least {found.minimise}")
    else:
        parts.append(f"student of the best size, least {found.minimise}")
    if scenario.machine is not None and found.minimise is not Goal.STUDENT:
        machine = scenario.machine
        parts.append(f"on {machine.gpus} {machine.gpu.name}")
    return "; ".join(parts)


def target_details(found: Target) -> Iterator[Block]:
    """A target: every way."""
    yield Text(found.headline, "verdict")
    yield Text(f"Inputs: {_question(found)}.", "quiet")
    unit = _UNITS.get(found.minimise, "FLOPs")
    yield TableBlock(
        "",
        ("way", unit, "times", "student", "tokens", "teacher", "its tokens"),
        tuple(_way(found.minimise, one) for one in found.ways),
        marked=next((row for row, one in enumerate(found.ways) if one.recommended), None),
        tight=True,
    )
    yield Text(
        f"times = relative to pretraining; {unit} = total over all students.",
        "quiet",
    )
    yield from notice_blocks(doubts(found.warnings))
    yield Text(f"Law: {found.law.name}. {found.law.source}.", "quiet")


def _way(goal: Goal, one: Reached) -> tuple[str, ...]:
    if one.option is None:
        return (_marked(one), f"not below {one.nearest_loss:.3f}", "", "", "", "", "")
    option = one.option
    return (
        _marked(one),
        amount(Goal.COMPUTE if goal is Goal.STUDENT else goal, option)[0],
        cell(one.over_supervised, ".2f"),
        cell(option.student_params),
        cell(option.student_tokens),
        cell(option.teacher_params),
        cell(option.teacher_tokens),
    )
