"""A family of students for people: the verdict, the ways, each student, how many make it pay."""

from collections.abc import Iterator, Sequence

from distillplan.accounting import SUPERVISED_SHOWN, Accounting, in_a_table
from distillplan.planning.results import Reason
from distillplan.planning.validity import OUTSIDE_FIT_CODES, TEACHER_FROM_LAW
from distillplan.planning.verdict import verdict_of
from distillplan.planning.verdict_records import Verdict
from distillplan.questions.family_records import (
    FamilyGoal,
    FamilyMethod,
    FamilyPlan,
    FamilyWay,
    MemberRun,
)
from distillplan.questions.family_told import name_of
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
from distillplan.render.family_phrases import (
    loss_shown,
    question_asked,
    teacher_shown,
    who_shown,
)
from distillplan.render.notice_blocks import (
    first_in_words,
    other_doubts,
    under_headline,
    watching,
)
from distillplan.render.odds_view import in_brackets, odds_in_words
from distillplan.render.plan_words import (
    TAKES,
    bill_in_words,
    law_guess_in_words,
    side_in_words,
    verdict_in_a_table,
)
from distillplan.units.quantities import format_count, format_flops

_INDENT = 11
"""Columns that the headings and marks in the margin take."""
_FRAME = 7
"""Lines of a screen that are empty, heads of tables, or its last."""
_REMARKS = 4
"""Lines that the members leave for remarks; all members are in the details."""
_WHY, _WATCH = 3, 2
"""Lines of each at most; what decides takes the rest."""


def family_view(found: FamilyPlan) -> Iterator[Block]:
    """A family, on one screen."""
    weighed = found.verdict_reason in (Reason.LIKELIEST, Reason.TOO_CLOSE)
    verdict = found.headline
    if weighed and found.verdict is not None:
        verdict = side_in_words(found.verdict, found.warnings)
    first = first_in_words(found.warnings)
    odds = "" if found.odds is None else odds_in_words(found.odds, "  ")
    asked = question_asked(found)
    ways = _ways(found)
    room = Room(_FRAME, _INDENT)
    room.take(f"{verdict}{GAP}{odds}", first, asked, rows=len(ways.rows))
    members = _members(found, room.left - _REMARKS)
    yield Headline(verdict, odds)
    yield from under_headline(first)
    yield ways
    yield members
    cut = len(found.supervised.members) - len(members.rows)
    if cut:
        yield Text(f"{cut} more: --details", "quiet", tight=True)
    room.take(rows=len(members.rows) + bool(cut))
    why = room.fill(_reasons(found), _WHY)
    watch = room.fill(_watch(found), max(min(_WATCH, room.left // 2), 0))
    yield Sections(
        (
            Section("Why", why),
            Section("Decides", room.fill(_decides(found)), "-"),
            watching(watch),
        )
    )
    yield Text(asked, "quiet")
    yield Text(f"Law {found.law.name}. More: --details  -o markdown", "quiet", tight=True)


def way_in_words(way: FamilyWay) -> str:
    """A way to train the family, for the first column of a table."""
    if way.method is FamilyMethod.SUPERVISED:
        return SUPERVISED_SHOWN
    if way.method is FamilyMethod.CASCADE:
        return "cascade"
    if way.accounting in (Accounting.TRAIN, Accounting.TRAIN_SHARED):
        return "train a teacher first"
    return "distill"


def _shown(found: FamilyPlan) -> list[FamilyWay]:
    """The ways that somebody can act on."""
    return [
        one
        for one in found.ways
        if one.method is FamilyMethod.SUPERVISED
        or one.decides
        or (one.teacher_name is not None and found.scenario.teacher is None)
    ]


def _ways(found: FamilyPlan) -> TableBlock:
    shown = _shown(found)
    machine = found.scenario.machine is not None
    seeks = found.goal is FamilyGoal.COMPUTE
    columns: tuple[str, ...] = (
        "",
        *(("FLOPs", "times") if seeks else ("mean loss", "gain")),
        "teacher",
    )
    if machine:
        columns = (*columns, "time", "cost", "memory", "fits")
    rows = []
    for one in shown:
        cells = [f"{'→' if one.recommended else ' '} {way_in_words(one)}"]
        cells += [*(_compute(one) if seeks else _mean_loss(one)), teacher_shown(one)]
        rows.append((*cells, *(bill_in_words(one.bill) if machine else ())))
    last = len(columns) - 1
    return TableBlock(
        "",
        columns,
        tuple(rows),
        marked=next((row for row, one in enumerate(shown) if one.recommended), None),
        text_columns=(0, 3, last if machine else 0),
        spare=(last - 1, last - 2) if machine else (),
    )


def _mean_loss(one: FamilyWay) -> tuple[str, str]:
    return loss_shown(one), cell(one.gain_nats, "+.3f")


def _compute(one: FamilyWay) -> tuple[str, str]:
    """What a way takes to reach the losses, also relative to pretraining."""
    if one.total_flops is None:
        return "out of reach", ""
    over = one.over_supervised
    return format_flops(one.total_flops), cell(over, ".2f")


def _members(found: FamilyPlan, most: int) -> TableBlock:
    """Each student under the two ways that are weighed, and alone; so many at most."""
    alone, other = found.supervised, found.deciding
    columns: tuple[str, ...] = ("student", "pretrain", "tokens")
    taught: Sequence[MemberRun] = () if other is None else other.members
    rows = []
    for row, one in enumerate(alone.members[:most]):
        cells = [who_shown(one), loss_shown(one), format_count(one.student_tokens)]
        if other is not None:
            cells += [loss_shown(taught[row]), cell(taught[row].student_tokens)]
        if found.alone:
            cells.append(verdict_in_a_table(found.alone[row].verdict))
        rows.append(tuple(cells))
    if other is not None:
        columns = (*columns, "cascade" if other.method is FamilyMethod.CASCADE else "distill")
        columns = (*columns, "tokens")
    if found.alone:
        columns = (*columns, "alone")
    last = len(columns) - 1
    return TableBlock("", columns, tuple(rows), text_columns=(0, last) if found.alone else (0,))


def _reasons(found: FamilyPlan) -> Iterator[str]:
    """Why the better choice is better, in compute and students."""
    other = found.deciding
    if found.verdict is None or other is None or other.loss is None:
        return
    if other.method is FamilyMethod.CASCADE or other.accounting is None:
        yield f"Running the teachers takes {other.teacher_share:.0%} of the compute of the cascade."
    elif other.accounting is Accounting.FREE:
        yield "The teacher's logits cost this budget nothing."
    else:
        yield f"{TAKES[other.accounting]} {other.teacher_share:.0%} of the compute of distilling."
    gains = [(one.gain_nats or 0.0, one) for one in other.members if one.gain_nats is not None]
    if len(gains) > 1:
        (most, best), (least, worst) = (choose(gains, key=_gain) for choose in (max, min))
        yield (
            f"It changes the loss of {name_of(best)} by {-most:+.3f} nats and of "
            f"{name_of(worst)} by {-least:+.3f}."
        )


def _gain(pair: tuple[float, MemberRun]) -> float:
    return pair[0]


def _decides(found: FamilyPlan) -> Iterator[str]:
    """What would change the verdict."""
    now = found.verdict
    others = [one for one in found.alone if one.verdict not in (None, now)]
    if others and len(others) == len(found.alone) and len({one.verdict for one in others}) == 1:
        what = verdict_in_a_table(others[0].verdict)
        yield f"each alone, with the compute it has here: {what}"
    if found.copies is not None:
        yield (
            f"{found.copies.copies} such families ({found.copies.students} students) on this "
            f"budget: {verdict_in_a_table(found.copies.verdict)}"
        )
    for one in found.ladder[:-1]:
        if one.verdict not in (None, now):
            who = "student" if one.students == 1 else f"{one.students} students"
            yield f"the whole budget for the smallest {who}: {verdict_in_a_table(one.verdict)}"
            break
    yield from _other_ways(found)
    if any(one.code == TEACHER_FROM_LAW for one in found.warnings):
        yield law_guess_in_words(found.scenario)


def _other_ways(found: FamilyPlan) -> Iterator[str]:
    """Ways to pay for a teacher that would change the verdict."""
    for way in found.ways:
        anyone = found.scenario.teacher is None and way.teacher_name is None
        if way.decides or way.odds is None or (anyone and way.accounting is Accounting.EXISTS):
            continue  # of teachers that exist, the one with a name is enough
        verdict = _side(way)
        if verdict is not found.verdict:
            who = "" if way.teacher_name is None else f" from {way.teacher_name}"
            yield (
                f"{in_a_table(way.accounting)}{who}: {verdict_in_a_table(verdict)}"
                f"{in_brackets(way.odds, verdict)}"
            )


def _side(way: FamilyWay) -> Verdict:
    """What the odds of a way say."""
    if way.odds is None:
        raise ValueError("the way has no odds")
    return verdict_of(way.odds)


def _watch(found: FamilyPlan) -> Iterator[str]:
    """What to doubt."""
    outside = [one for one in found.warnings if one.code in OUTSIDE_FIT_CODES]
    if outside:
        words = ", ".join(
            one.code.removesuffix("_outside_fit").replace("_", " ") for one in outside
        )
        yield f"outside the law's data: {words}"
    yield from other_doubts(one for one in found.warnings if one.code not in OUTSIDE_FIT_CODES)
