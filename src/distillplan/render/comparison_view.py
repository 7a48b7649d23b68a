"""Plans side by side on one screen: which is best and why, their odds, what sets them apart."""

from collections.abc import Iterator, Sequence

from distillplan.accounting import in_a_table
from distillplan.hardware.memory_fit import FITS_SHOWN, Fits
from distillplan.notices import UNKNOWN_ARCHITECTURE
from distillplan.planning.headline import format_budget
from distillplan.planning.results import Plan
from distillplan.planning.verdict_records import Verdict
from distillplan.questions.comparison_records import Comparison, NamedPlan
from distillplan.render.blocks import (
    Block,
    Headline,
    Room,
    Section,
    Sections,
    TableBlock,
    Text,
    cell,
    short,
)
from distillplan.render.comparison_details import (
    best_in_words,
    doubted,
    not_planned_in_words,
    outcome_in_words,
)
from distillplan.render.notice_blocks import (
    MISMATCHES,
    ON_TOP,
    first_in_words,
    under_headline,
    watching,
)
from distillplan.render.odds_view import percent
from distillplan.render.plan_words import (
    loss_in_words,
    reasons,
    rival_in_words,
    teacher_in_words,
    verdict_in_a_table,
)
from distillplan.units.quantities import format_duration, format_usd

_INDENT = 11
"""Columns that the headings and marks in the margin take."""
_FRAME = 6
"""Lines around the table and the remarks."""
_LEAST = 3
"""Lines of remarks, however many scenarios there are."""
_SPARE = (
    *("tokens", "time", "fits", "cost", "students", "student", "budget"),
    *("if distilled", "teacher", "pretrain", "distill"),
)
"""Columns that narrow terminals do without, the first first."""
_PLAIN = ("budget", "if distilled")
"""Columns whose cells need no head to be understood."""
_USUAL = {"students": ("1",), "fits": ("", Fits.YES.value)}
"""What need not be said of all plans."""


def comparison_view(found: Comparison) -> Iterator[Block]:
    """A comparison, on one screen."""
    best = best_in_words(found)
    yield Headline(best)
    first = _first(found)
    yield from under_headline(first)
    cells = [_cells(one.plan) for one in found.plans]
    apart, alike = _sorted_out(cells)
    table = _table(found, cells, apart)
    yield table
    said = "" if not alike else f"All: {'; '.join(alike)}."
    if said:
        yield Text(said, "quiet")
    rival = _rival(found)
    room = Room(_FRAME, _INDENT)
    room.take(best, first, said, rival, rows=len(table.rows))
    yield Sections(tuple(_remarks(found, max(room.left, _LEAST))))
    yield Text(_legend(found), "quiet")
    if rival:
        yield Text(rival, "quiet", tight=True)
    laws = ", ".join(dict.fromkeys(one.plan.law.name for one in found.plans))
    yield Text(f"Law {laws}. More: --details  -o csv  -o markdown", "quiet", tight=True)


def _cells(plan: Plan) -> dict[str, str]:
    """What may set a plan apart, by the heads of the columns."""
    best, other = plan.recommended or plan.supervised, plan.deciding
    bill = best.bill
    given = plan.models.teacher
    named = None if given is None else given.name
    has_teacher = plan.scenario.teacher is not None and other is not None
    return {
        "budget": format_budget(plan.scenario),
        "law": plan.law.name,
        "students": str(plan.scenario.students),
        "student": cell(best.student_params),
        "tokens": cell(best.student_tokens),
        "teacher": teacher_in_words(other, named) if has_teacher and other is not None else "–",
        "if distilled": "" if other is None else in_a_table(plan.scenario.pays),
        "time": "" if bill is None else format_duration(bill.wall_seconds.mid),
        "cost": "" if bill is None or bill.cost_usd is None else format_usd(bill.cost_usd.mid),
        "fits": "" if bill is None else FITS_SHOWN[bill.fits],
    }


def _sorted_out(cells: Sequence[dict[str, str]]) -> tuple[list[str], list[str]]:
    """The heads of what sets plans apart, all of them for one plan; and what is the same in all."""
    first, *others = cells
    apart, alike = [], []
    for head, text in first.items():
        if not others or any(one[head] != text for one in others):
            apart.append(head)
        elif head != "law" and text not in _USUAL.get(head, ("", "–")):  # the last line has it
            alike.append(text if head in _PLAIN else f"{head} {text}")
    return [head for head in apart if any(one[head] for one in cells)], alike


def _table(found: Comparison, cells: Sequence[dict[str, str]], apart: Sequence[str]) -> TableBlock:
    """The scenarios as rows, the best one marked."""
    odds = ("distill", "pretrain") if any(one.plan.odds for one in found.plans) else ()
    difference = () if found.baseline is None else ("difference",)
    columns = ("", "verdict", *odds, "loss", *difference, *apart)
    from_baseline = {one.name: one.loss for one in found.differences}
    rows = []
    for one, texts in zip(found.plans, cells, strict=True):
        less = from_baseline.get(one.name)
        rows.append(
            (
                _marked_name(found, one.name),
                verdict_in_a_table(one.plan.verdict),
                *_odds(one, len(odds)),
                _loss(one.plan),
                *(cell(less, "+.3f") for _ in difference),
                *(texts[head] for head in apart),
            )
        )
    marked = [index for index, one in enumerate(found.plans) if one.name == found.winner]
    text = ("", "verdict", "budget", "law", "teacher", "if distilled", "fits")
    return TableBlock(
        "",
        columns,
        tuple(rows),
        marked=marked[0] if marked else None,
        text_columns=tuple(index for index, head in enumerate(columns) if head in text),
        spare=tuple(columns.index(head) for head in _SPARE if head in columns),
    )


def _marked_name(found: Comparison, name: str) -> str:
    if found.winner is None:
        return name
    return f"{'→' if name == found.winner else ' '} {name}"


def _odds(one: NamedPlan, columns: int) -> tuple[str, ...]:
    """The chances of both sides."""
    odds = one.plan.odds
    if odds is None:
        return ("",) * columns
    return (percent(odds.of(Verdict.DISTILL)), percent(odds.of(Verdict.SUPERVISED)))


def _loss(plan: Plan) -> str:
    best = plan.recommended or plan.supervised
    if plan.start is not None:
        return "not measured" if plan.start.measured is None else loss_in_words(plan.start.measured)
    if best.loss is None:
        return ""
    return f"{best.loss:.3f}{'?' if best.is_guess else ''}"


def _remarks(found: Comparison, room: int) -> Iterator[Section]:
    """Why, what was asserted, and what to watch."""
    winner = next((one.plan for one in found.plans if one.name == found.winner), None)
    if winner is not None:
        yield Section("Why", short(reasons(winner), room // 2, indent=_INDENT))
    held = [one for one in found.assertions if one.outcome.passed]
    failed = [one for one in found.assertions if not one.outcome.passed]
    if found.assertions:
        yield Section("Asserted", (f"{len(held)} of {len(found.assertions)} hold",))
        yield Section("Failed", tuple(map(outcome_in_words, failed)), "!", "warning")
    if found.not_planned:
        yield Section("Left out", not_planned_in_words(found), "!", "warning")
    told = doubted(found).items()
    watch = (said for code, (_, said) in told if code not in ON_TOP)
    yield watching(short(watch, room // 2, indent=_INDENT))


def _first(found: Comparison) -> str:
    """What to read before all else of the plans; empty where there is nothing of the kind."""
    every = [told for one in found.plans for told in one.plan.warnings]
    guessed = first_in_words(one for one in every if one.code == UNKNOWN_ARCHITECTURE)
    other = (f"{said}." for code, (_, said) in doubted(found).items() if code in MISMATCHES)
    return " ".join(filter(None, (guessed, *other)))


def _rival(found: Comparison) -> str:
    """What the plan that is best, or the first one, does not weigh."""
    first, *_ = found.plans
    best = next((one.plan for one in found.plans if one.name == found.winner), first.plan)
    return rival_in_words(best.rival)


def _legend(found: Comparison) -> str:
    """What the columns are."""
    of_each = "" if found.comparable else ", of each plan's own text and tokenizer"
    parts = [f"loss in nats per token of what the verdict says{of_each}"]
    if any(one.plan.odds for one in found.plans):
        parts.insert(0, "distill, pretrain: the odds that it is better")
    if found.baseline is not None:
        parts.append(f"difference: from the loss of {found.baseline}")
    if any((one.plan.recommended or one.plan.supervised).is_guess for one in found.plans):
        parts.append("? is a guess")
    first, *others = parts
    return f"{'; '.join((first[0].upper() + first[1:], *others))}."
