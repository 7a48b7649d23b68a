"""A pilot for people: the runs in their order, what is known after each, and when to stop."""

from collections.abc import Iterator
from typing import assert_never

from distillplan.accounting import SUPERVISED_SHOWN
from distillplan.planning.headline import format_budget
from distillplan.planning.verdict_records import Verdict
from distillplan.questions.pilot_records import Advice, Pilot, PilotStep
from distillplan.questions.pilot_value import ExcessRange, Narrowed
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
from distillplan.render.notice_blocks import (
    first_in_words,
    notice_blocks,
    other_doubts,
    under_headline,
    watch_section,
    watching,
)
from distillplan.render.odds_view import odds_in_words, percent
from distillplan.units.quantities import format_count, format_flops, format_usd

_DO = {Verdict.DISTILL: "distill", Verdict.SUPERVISED: SUPERVISED_SHOWN}


_INDENT = 9
"""Columns that the headings take."""
_FRAME = 6
"""Empty lines, the table's head and title, and the line at the end."""
_COLUMNS = (
    "gain: expected, pretrain minus distill; with the rows above: share of the budget, chance of "
    "the wrong side, half of the gain's 90% band"
)


def pilot_view(found: Pilot) -> Iterator[Block]:
    """A pilot, on one screen."""
    said, law, first = _headline(found), f"Law {found.law.name}.", first_in_words(found.warnings)
    yield Headline(said)
    yield from under_headline(first)
    if not found.steps:
        now = f"{odds_in_words(found.odds)}; the gain {found.margin_nats:+.3f} nats"
        yield Sections((Section("Now", (now,)), watching(other_doubts(found.warnings))))
        yield Text(f"{law} More: --details  -o markdown", "quiet")
        return
    yield _runs(found)
    room = Room(_FRAME, _INDENT)
    room.take(said, first, rows=len(found.steps))
    stop, columns = room.keep(_rules(found)), room.keep((_COLUMNS,))
    watch = watch_section(found.warnings, room)
    yield Sections((Section("Columns", columns), Section("Stop", stop), watch))
    yield Text(f"{law} More: --details  -o markdown. To fill in for `fit`: -o csv", "quiet")


def pilot_details(found: Pilot) -> Iterator[Block]:
    """A pilot: every number."""
    yield Text(_headline(found), "verdict")
    yield Text(
        f"Before any run: {odds_in_words(found.odds)}; distillation gains "
        f"{found.margin_nats:+.3f} nats, known to {_known(found.before)}.",
        "plain",
    )
    if found.steps:
        yield _runs(found)
        yield Text(
            "pair: one size and length, without and with the teacher. gain: expected, pretrain "
            "minus distill, in nats. share of the budget, chance of the wrong side, and known to "
            "(half of the gain's 90% band): with the rows above.",
            "quiet",
        )
        yield Bullets("Stop rule, fixed before the first run", tuple(_rules(found)))
        yield Bullets("Is it worth it?", (_worth(found), _others(found)))
    yield from notice_blocks(found.warnings)
    more = " To fill in: -o csv; then `distillplan fit`." if found.steps else ""
    yield Text(f"Law: {found.law.name}. {found.law.source}.{more}", "quiet")


def _headline(found: Pilot) -> str:
    before = percent(found.before.wrong)
    match found.advice:
        case Advice.ALREADY_SURE:
            return (
                f"No pilot needed: the chance of picking the wrong side is {before}, and "
                f"{percent(found.risk)} was asked for."
            )
        case Advice.SHARE_TOO_SMALL:
            larger = "no pilot within half of it would"
            if found.useful_share is not None:
                larger = f"{_share(found.useful_share)} would"
            return (
                f"No pilot worth making: no runs within {_share(found.allowed_share)} of "
                f"{format_budget(found.scenario)} say anything of the decision; {larger}."
            )
        case Advice.RUN | Advice.COSTS_MORE:
            last = found.steps[-1]
            after = percent(last.after.wrong)
            fall = f"stays at {after}" if before == after else f"falls from {before} to {after}"
            said = (
                f"{_share(last.share)} of the budget on these {len(found.runs)} runs: the chance "
                f"of picking the wrong side {fall}"
            )
            if found.advice is Advice.RUN:
                return f"Spend {said}."
            return f"Only for certainty spend {said}, and on average that costs more than it saves."
        case _:
            assert_never(found.advice)


def _runs(found: Pilot) -> TableBlock:
    bills = found.scenario.machine is not None
    costs = ("GPU-h", "cost") if bills else ("FLOPs",)
    return TableBlock(
        "Runs, in this order",
        (
            *("runs", "size", "tokens", "teacher", *costs),
            *("gain", "share", "wrong side", "known to"),
        ),
        tuple(_step(one, bills=bills) for one in found.steps),
        text_columns=(0, 3),
        tight=True,
    )


def _step(step: PilotStep, *, bills: bool) -> tuple[str, ...]:
    last = step.runs[-1]
    costs: tuple[str, ...] = (format_flops(sum(one.total_flops for one in step.runs)),)
    if bills:
        usd = [one.cost_usd for one in step.runs if one.cost_usd is not None]
        costs = (
            format_count(sum(one.gpu_hours or 0.0 for one in step.runs)),
            format_usd(sum(usd)) if usd else "",
        )
    gain = step.expected_gain_nats
    return (
        _numbers(step),
        format_count(last.params),
        format_count(last.tokens),
        _teacher(step),
        *costs,
        cell(gain, "+.3f"),
        _share(step.share),
        percent(step.after.wrong),
        _known(step.after),
    )


def _numbers(step: PilotStep) -> str:
    """A pair by its two numbers."""
    numbers = ", ".join(str(one.number) for one in step.runs)
    return f"{numbers} pair" if len(step.runs) > 1 else numbers


def _teacher(step: PilotStep) -> str:
    run = step.runs[-1]
    if len(step.runs) == 1:
        return "teaches"
    if run.teacher_run is not None:
        return f"run {run.teacher_run}"
    size = run.teacher_params
    return "yours" if size is None else format_count(size)


def _rules(found: Pilot) -> Iterator[str]:
    """What to do after each pair, in numbers that anybody can compare."""
    yield (
        "excess = measured minus expected gain, averaged over the pairs so far, in nats of the "
        "law's tokenizer"
    )
    *earlier, last = ((step, _stops(step)) for step in found.steps if len(step.runs) > 1)
    for step, stops in (*earlier, *((last,) if last[1] else ())):
        yield f"after run {step.runs[-1].number}: {stops or 'go on, whatever comes out'}"
    even = last[0].stop_rule.even_at
    rest = "follow the plan"
    if even is not None:
        rest = f"distill above {even:+.3f}, else {SUPERVISED_SHOWN}"
    otherwise = "otherwise go on; " if any(stops for _, stops in earlier) else ""
    yield (
        f"{otherwise}after the last run {rest}. To stop, the chance of the wrong side must "
        f"be at most {percent(found.risk)}; {percent(found.steps[-1].after.settled)} of results "
        "reach that"
    )


def _stops(step: PilotStep) -> str:
    """At which excesses to choose after a pair; empty where none would do."""
    rule = step.stop_rule
    sides = ((Verdict.DISTILL, rule.distill), (Verdict.SUPERVISED, rule.supervised))
    return "; ".join(f"{_DO[side]} {_range(where)}" for side, where in sides if where is not None)


def _range(where: ExcessRange) -> str:
    if where.from_ is None and where.to is None:
        return "at any excess"
    if where.from_ is None:
        return f"up to {where.to:+.3f}"
    if where.to is None:
        return f"from {where.from_:+.3f}"
    return f"from {where.from_:+.3f} to {where.to:+.3f}"


def _worth(found: Pilot) -> str:
    """What the runs save and cost in loss."""
    step = found.steps[found.paying_steps - 1] if found.paying_steps else found.steps[-1]
    which = "all of it"
    if 0 < found.paying_steps < len(found.steps):
        which = f"up to run {step.runs[-1].number}"
    return (
        f"{which}: choosing afterwards saves {step.after.saved_nats:.4f} nats on average; the same "
        f"compute in the training itself would save {step.price_nats:.4f}"
    )


def _others(found: Pilot) -> str:
    """What the usual designs would do."""
    each = ", ".join(
        f"{one.name} {percent(one.after.wrong)} (±{one.after.half_width_nats:.3f})"
        for one in found.others
    )
    return f"wrong side with other designs for the same money: {each}"


def _known(narrowed: Narrowed) -> str:
    return f"±{narrowed.half_width_nats:.3f}"


def _share(share: float) -> str:
    return f"{100 * share:.2g}%"
