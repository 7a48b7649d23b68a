"""A plan of a start from an open model: what it costs, what is published, and what is not."""

from collections.abc import Iterator, Sequence

from distillplan.laws.recovery import CutSize, RecoveryRange
from distillplan.planning.headline import format_budget
from distillplan.planning.results import Option, Plan
from distillplan.planning.start import StartKind
from distillplan.planning.start_records import PracticeCheck, StartPlan
from distillplan.planning.starting import title_of
from distillplan.render.blocks import (
    Block,
    Bullets,
    Headline,
    Room,
    Section,
    Sections,
    TableBlock,
    Text,
    cell,
)
from distillplan.render.notice_blocks import first_in_words, under_headline
from distillplan.render.odds_view import odds_in_words
from distillplan.render.plan_details import plan_details
from distillplan.render.plan_words import (
    bill_in_words,
    loss_in_words,
    verdict_in_a_table,
)
from distillplan.units.quantities import format_count, format_flops

_INDENT = 11
"""Columns that the headings and marks in the margin take."""
_FRAME = 5
"""Empty lines, and the two at the end."""
_KNOWN, _UNKNOWN = 5, 2
"""Lines of each at most; what is practice takes the rest."""
_CUTS = {
    CutSize.ALIKE: "cuts like this one",
    CutSize.SMALLER: "smaller cuts",
    CutSize.LARGER: "larger cuts",
}
_FROM = {StartKind.PRUNED: "cut", StartKind.CONTINUED: "go on", StartKind.SCRATCH: "scratch"}


def start_view(plan: Plan, start: StartPlan, *, details: bool = False) -> Iterator[Block]:
    """The blocks of a plan whose student starts from an open model.

    Args:
        plan: the answer.
        start: what is known of the start.
        details: show every number instead of one screen.
    """
    return _details(plan, start) if details else _screen(plan, start)


def _screen(plan: Plan, start: StartPlan) -> Iterator[Block]:
    title, ways = title_of(plan.scenario, start), _ways(plan, start)
    room = Room(_FRAME, _INDENT)
    first = first_in_words(plan.warnings)
    room.take(title, first, rows=len(ways.rows) + 1)
    yield Headline(title)
    yield from under_headline(first)
    yield ways
    scratch = room.keep((_scratch(start),))
    unknown = room.fill(start.not_measured, _UNKNOWN)
    known = room.fill(_known(start), min(_KNOWN, room.left // 2 + 1))
    practice = room.fill(map(_rule, _first_broken(start.practice)))
    yield Sections(
        (
            Section("Published", known, "-"),
            Section("Practice", practice, "-"),
            Section("Scratch", scratch, "-"),
            Section("Unknown", unknown, "!", "warning"),
        )
    )
    yield Text(f"{format_budget(plan.scenario)}; loss in nats per token.", "quiet")
    yield Text(
        f"Law {plan.law.name}, for starts from scratch. More: --details", "quiet", tight=True
    )


def _ways(plan: Plan, start: StartPlan) -> TableBlock:
    """What can be done with the budget, from the parent and from scratch."""
    scratch = [one for one in plan.options if one.accounting is None or one.decides]
    machine = plan.scenario.machine is not None
    columns: tuple[str, ...] = ("", "loss", "tokens", "teacher")
    if machine:
        columns = (*columns, "time", "cost", "memory", "fits")
    given = plan.models.teacher
    rows = []
    for one in (*start.ways, *scratch):
        taught = one.accounting is not None
        name = f"{_FROM[one.start]}, {'taught' if taught else 'text alone'}"
        cells = [name, loss_in_words(one)]
        cells += [cell(one.student_tokens)]
        cells += [_teacher(one, None if given is None else given.name)]
        rows.append((*cells, *(bill_in_words(one.bill) if machine else ())))
    last = len(columns) - 1
    return TableBlock(
        "",
        columns,
        tuple(rows),
        text_columns=(0, columns.index("teacher"), last if machine else 0),
        spare=(last - 1, last - 2) if machine else (),
    )


def _teacher(option: Option, named: str | None) -> str:
    if option.accounting is None or option.student_params is None:
        return "–"
    if named is not None:
        return named
    if option.teacher_params is None:
        return f"{option.teacher_loss:.3f} nats"
    return format_count(option.teacher_params)


def _known(start: StartPlan) -> Iterator[str]:
    """What is published, the most alike first."""
    if start.law_outside:
        yield f"not your own runs, whose law does not reach this: {start.law_outside}"
    for one in _most_telling(start.recovered):
        yield recovery_in_words(one)
    for run in start.continued:
        taught = "taught" if run.taught else "on text alone"
        yield (
            f"{run.student} {taught} for {format_count(run.tokens)} tokens: {run.loss:.3f} nats "
            f"from its checkpoint, {run.scratch_loss:.3f} from scratch"
        )
    if start.uses:
        used = [one.tokens for one in start.uses]
        yield (
            f"published models were recovered with {format_count(min(used))} to "
            f"{format_count(max(used))} tokens"
        )
    if start.parent_loss is not None:
        yield f"{start.parent.name} itself, as you measured it: {start.parent_loss:.3f} nats"


def _most_telling(found: Sequence[RecoveryRange]) -> Iterator[RecoveryRange]:
    """Of cuts of each size the benchmark that was followed over most tokens; all of cuts alike."""
    for size in CutSize:
        of_size = [one for one in found if one.cut is size and one.taught]
        if size is CutSize.ALIKE:
            yield from of_size
        elif of_size:
            yield max(of_size, key=lambda one: one.most_tokens)


def recovery_in_words(one: RecoveryRange) -> str:
    """What published cuts reached, in a sentence."""
    removed = _range_in_words(one.removed_low, one.removed_high)
    shares = _range_in_words(one.low, one.high)
    few, many = format_count(one.least_tokens), format_count(one.most_tokens)
    tokens = few if few == many else f"{few} to {many}"
    how = "" if one.taught else ", on text alone"
    scratch = ""
    if one.scratch_low is not None and one.scratch_high is not None:
        scratch = f"; {_range_in_words(one.scratch_low, one.scratch_high)} from scratch"
    return (
        f"{_CUTS[one.cut]} ({removed} removed): {shares} of the parent's {one.metric} after "
        f"{tokens} tokens{how}{scratch}"
    )


def _range_in_words(low: float, high: float) -> str:
    least, most = f"{low:.0%}", f"{high:.0%}"
    return least if least == most else f"{least} to {most}"


def _first_broken(rules: Sequence[PracticeCheck]) -> list[PracticeCheck]:
    """The rules that the plan breaks, those that it keeps, and those that it says nothing of."""
    order = (False, True, None)
    return sorted(rules, key=lambda one: order.index(one.holds))


def _rule(one: PracticeCheck) -> str:
    """A rule, and what the plan has."""
    if one.value is None or one.holds is None:
        return one.says
    has = f"{one.value:.0%}" if one.unit == "share" else format_count(one.value)
    return f"{one.says} Here: {has}{'' if one.holds else ', so NOT kept'}."


def _scratch(start: StartPlan) -> str:
    """The verdict between the starts from scratch."""
    found = start.scratch
    if found.odds is None:
        return f"between the two starts from scratch: {verdict_in_a_table(found.verdict)}"
    return f"between the two starts from scratch alone: {odds_in_words(found.odds)}"


def _details(plan: Plan, start: StartPlan) -> Iterator[Block]:
    """Every number: of the start, then of the starts from scratch."""
    yield Text(title_of(plan.scenario, start), "verdict")
    yield Text(_question(plan, start), "quiet")
    yield _ways(plan, start)
    yield _spent(start)
    if start.recovered:
        yield _recoveries(start.recovered)
    if start.uses:
        yield Bullets("Published models were recovered with", tuple(_used(start)))
    if start.continued:
        yield Bullets("Published runs that went on", tuple(_known(start)))
    yield Bullets(
        "Practice", tuple(f"{_rule(one)} ({one.source}; {one.sure})" for one in start.practice)
    )
    yield Bullets("Not measured", start.not_measured, "warning")
    sources = dict.fromkeys(source for one in start.recovered for source in one.sources)
    yield Bullets("Sources", tuple(sources))
    yield Text(f"Scratch: {_scratch(start)}.")
    yield from plan_details(plan)


def _question(plan: Plan, start: StartPlan) -> str:
    whole, left = (
        format_count(one) for one in (start.parent_total_params, start.student_total_params)
    )
    parts = [format_budget(plan.scenario)]
    if start.removed_share is None:
        parts.append(f"{start.parent.name} ({whole} parameters with embeddings) goes on")
    else:
        parts.append(f"{start.parent.name} cut from {whole} to {left} parameters with embeddings")
        steps = "one step" if start.cuts == 1 else f"{start.cuts} steps"
        parts.append(f"{start.removed_share:.0%} removed, in {steps} of at most a third")
    return f"Inputs: {'; '.join(parts)}."


def _spent(start: StartPlan) -> TableBlock:
    """Where the FLOPs of each way go."""
    rows = tuple(
        (
            f"{_FROM[one.start]}, {'text alone' if one.accounting is None else 'taught'}",
            format_flops(one.total_flops),
            *(
                ("", "")
                if one.flops is None
                else (
                    format_flops(one.flops.student_training),
                    format_flops(one.flops.teacher_logits),
                )
            ),
        )
        for one in start.ways
    )
    return TableBlock("Where the FLOPs go", ("way", "all", "student", "teacher"), rows)


def _recoveries(found: Sequence[RecoveryRange]) -> TableBlock:
    """Published recoveries on as many tokens."""
    rows = tuple(
        (
            one.cut.value.partition("_")[0],
            _range_in_words(one.removed_low, one.removed_high),
            one.metric,
            "taught" if one.taught else "text",
            _range_in_words(one.low, one.high),
            " to ".join(dict.fromkeys(map(format_count, (one.least_tokens, one.most_tokens)))),
            ""
            if one.scratch_low is None or one.scratch_high is None
            else _range_in_words(one.scratch_low, one.scratch_high),
            one.read,
        )
        for one in found
    )
    columns = ("cut", "removed", "metric", "", "of parent", "tokens", "scratch", "read")
    return TableBlock(
        "Published: share of the parent's score",
        columns,
        rows,
        text_columns=(0, 2, 3, 7),
        tight=True,
    )


def _used(start: StartPlan) -> Iterator[str]:
    for one in start.uses:
        yield f"{one.what}: {format_count(one.tokens)} tokens ({one.source})"
