"""A plan for people, on one screen: the verdict, the choices, why, what decides, what to watch."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from distillplan.laws.format_notices import OF_STORED
from distillplan.models.known_model import TUNED_MODEL
from distillplan.notices import PRETRAINING_LAYOUT, PRICE_HIGH, doubts
from distillplan.planning.headline import spent_in_words
from distillplan.planning.results import Plan, Reason
from distillplan.planning.validity import OUTSIDE_FIT_CODES, TEACHER_FROM_LAW
from distillplan.render.blocks import (
    GAP,
    Block,
    Headline,
    Room,
    Section,
    Sections,
    TableBlock,
    Text,
    cell,
)
from distillplan.render.notice_blocks import (
    ON_TOP,
    first_in_words,
    under_headline,
    watching,
)
from distillplan.render.odds_view import odds_in_words
from distillplan.render.plan_details import plan_details
from distillplan.render.plan_flips import (
    flips_in_words,
    nearest_in_words,
    open_teacher_in_words,
)
from distillplan.render.plan_memo import Asked, not_typed, plan_memo
from distillplan.render.plan_words import (
    beyond_in_words,
    bill_in_words,
    law_guess_in_words,
    loss_in_words,
    marked_row,
    reasons,
    rival_in_words,
    teacher_in_words,
    verdict_in_words,
    vocabulary_in_words,
    way,
)
from distillplan.units.quantities import format_count, format_usd

if TYPE_CHECKING:
    from distillplan.questions.loss_chart import LossChart

_INDENT = 11
"""Columns that the headings and marks in the margin take."""
_FRAME = 5
"""Of these, empty ones and the two at the end."""
_UNDER_VERDICT = OUTSIDE_FIT_CODES | {*ON_TOP}
"""Codes of the warnings that stand under the verdict."""
_FIRST = {PRICE_HIGH, TUNED_MODEL, *OF_STORED, PRETRAINING_LAYOUT}
"""Codes of those that may turn the verdict around."""
_WHY, _WATCH = 4, 3
"""Lines of each at most; what decides takes the rest."""


def plan_view(
    plan: Plan,
    *,
    details: bool = False,
    why: bool = False,
    asked: Asked = not_typed,
    chart: "LossChart | None" = None,
) -> Iterator[Block]:
    """The blocks of a plan.

    Args:
        plan: the answer.
        details: show every number instead of one screen.
        why: show the reasoning as a page.
        asked: the question as the shell takes it after a command, for those that the page names.
        chart: both losses over the budget, to show instead of the numbers.
    """
    if chart is not None:
        from distillplan.render.loss_chart_view import loss_chart_view  # only for a chart

        return loss_chart_view(plan, chart)
    if plan.start is not None:
        from distillplan.render.start_view import start_view  # only where one is asked for

        return start_view(plan, plan.start, details=details or why)
    if why:
        return plan_memo(plan, asked)
    return plan_details(plan) if details else _screen(plan)


def _screen(plan: Plan) -> Iterator[Block]:
    odds = "" if plan.odds is None else odds_in_words(plan.odds, "  ")
    verdict, outside, choices = verdict_in_words(plan), beyond_in_words(plan), _choices(plan)
    rival, asked, instead = rival_in_words(plan.rival), _asked(plan), _instead(plan)
    first = first_in_words(plan.warnings)
    yield Headline(verdict, odds)
    yield from under_headline(first)
    if instead:
        yield Text(instead, tight=True)
    if outside:
        yield Text(outside, "warning", tight=True)
    yield choices
    room = Room(_FRAME, _INDENT)
    head = f"{verdict}{GAP}{odds}"
    room.take(head, first, outside, rival, instead, asked, rows=len(choices.rows))
    why = room.fill(reasons(plan), _WHY)
    worst = (one.message for one in plan.warnings if one.code in _FIRST)
    watch = room.fill(worst, _WATCH + 1)  # before all else
    decides = room.keep(nearest_in_words(plan))
    watch += room.fill(_watch(plan), min(_WATCH, room.left // 2))
    yield Sections(
        (
            Section("Why", why),
            Section("Decides", decides + room.fill(_decides(plan, decides)), "-"),
            watching(watch),
        )
    )
    yield Text(asked, "quiet")
    if rival:
        yield Text(rival, "quiet", tight=True)
    more = f"Law {plan.law.name}. More: --why  --details  -o markdown"
    if plan.law.distillation is not None and plan.scenario.teacher is None:
        more += "  distillplan teachers"
    yield Text(more, "quiet", tight=True)


def _choices(plan: Plan) -> TableBlock:
    """The options that somebody can act on: the two that are weighed, and an open teacher."""
    shown = [
        one
        for one in plan.options
        if one.accounting is None or one.decides or one.teacher_name is not None
    ]
    machine = plan.scenario.machine is not None
    student = () if plan.scenario.student_params is not None else ("student",)
    columns = ("", "loss", *student, "tokens", "teacher")
    if machine:
        columns = (*columns, "time", "cost", "memory", "fits")
    given = plan.models.teacher
    named = None if given is None else given.name
    rows = []
    for one in shown:
        cells = [f"{'→' if one.recommended else ' '} {way(one)}", loss_in_words(one)]
        cells += [cell(one.student_params) for _ in student]
        cells += [cell(one.student_tokens), teacher_in_words(one, named)]
        rows.append((*cells, *(bill_in_words(one.bill) if machine else ())))
    last = len(columns) - 1
    return TableBlock(
        "",
        columns,
        tuple(rows),
        marked=marked_row(shown),
        text_columns=(0, columns.index("teacher"), last if machine else 0),
        spare=(last - 1, last - 2) if machine else (),
    )


def _decides(plan: Plan, told: tuple[str, ...]) -> Iterator[str]:
    """What would change the verdict, and what to measure first, but for what is told."""
    if plan.law.distillation is None or plan.verdict_reason is Reason.ONLY_ONE_POSSIBLE:
        return
    if TEACHER_FROM_LAW in plan.warning_codes:
        yield law_guess_in_words(plan.scenario)
    others = flips_in_words(plan, open_teacher=not _instead(plan))
    yield from (one for one in others if one not in told)


def _instead(plan: Plan) -> str:
    """What the verdict was against where no teacher is named, and what an open one would do."""
    told = "" if plan.verdict is None else open_teacher_in_words(plan)
    return f"Compared with training a teacher first. With an open model: {told}." if told else ""


def _watch(plan: Plan) -> Iterator[str]:
    """What to doubt or to have ready."""
    best = plan.recommended or plan.supervised
    high = plan.law.valid.get("tokens", (0.0, 0.0))[1]
    if plan.scenario.max_unique_tokens is None and (best.student_tokens or 0.0) > high > 0:
        yield f"have you {format_count(best.student_tokens)} unique tokens? --max-unique-tokens"
    for one in doubts(plan.warnings):
        if one.code not in (*_UNDER_VERDICT, *_FIRST):
            yield one.message


def _asked(plan: Plan) -> str:
    """What the numbers are of."""
    best = plan.recommended or plan.supervised
    spent = spent_in_words(plan.scenario, best)
    bill = best.bill
    if bill is not None and bill.cost_usd is not None:
        spent += f", about {format_usd(bill.cost_usd.mid)}"
    parts = [spent, "loss in nats per token"]
    if plan.supervised.loss_error is not None:
        parts[-1] += " ± 90% if the law holds"
    if any(one.is_guess for one in plan.options):
        parts.append("? is a guess")
    if beside := vocabulary_in_words(plan.options):
        parts.append(beside)
    return f"{'; '.join(parts)}."
