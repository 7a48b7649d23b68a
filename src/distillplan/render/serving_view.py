"""Which model to serve, for people: the models at one loss, and from which amount on each pays."""

from collections.abc import Iterator

from distillplan.accounting import in_a_table
from distillplan.hardware.range import Range
from distillplan.questions.serving_measure import (
    better_smaller,
    measure_of,
    saved_share,
    teacher_share,
    training_ratio,
)
from distillplan.questions.serving_records import (
    BreakEven,
    ServedModel,
    ServedRole,
    ServedStatus,
    Serving,
)
from distillplan.render.blocks import (
    Block,
    Bullets,
    Headline,
    Room,
    Section,
    Sections,
    TableBlock,
    Text,
)
from distillplan.render.notice_blocks import (
    first_in_words,
    notice_blocks,
    other_doubts,
    under_headline,
    watching,
)
from distillplan.render.odds_view import percent
from distillplan.units.quantities import format_count, format_flops, format_usd

_INDENT = 9
"""Columns that the headings in the margin take."""
_REMARKS = 3
"""Lines of reasons at most."""
_FRAME = 6
"""Empty lines, the head of the table, and the last line."""
_HEADS = ("larger", "smaller", "cheapest")


def serving_view(found: Serving) -> Iterator[Block]:
    """A question about serving, on one screen."""
    shown = tuple(one for one in found.models if one.accounting is None or one.decides)
    timed = any(one.hours is not None for one in shown)
    question, room = f"{_question(found)}.", Room(_FRAME, _INDENT)
    first = first_in_words(found.warnings)
    room.take(found.headline, first, question, rows=len(shown))
    odds = room.keep(_odds(found))
    why = room.fill(_reasons(found), _REMARKS)
    watch = other_doubts(found.warnings)
    yield Headline(found.headline)
    yield from under_headline(first)
    yield _costs(found, shown, ranges=False) if timed else _table(found, shown)
    yield Sections(
        (
            Section("Odds", odds),
            Section("Why", why),
            watching(room.fill(watch, max(room.left, 1))),
        )
    )
    yield Text(question, "quiet")
    yield Text(f"Law {found.law.name}. More: --details  -o markdown", "quiet", tight=True)


def serving_details(found: Serving) -> Iterator[Block]:
    """A question about serving: every way to pay for the teacher."""
    yield Text(found.headline, "verdict")
    yield Text(f"Inputs: {_question(found)}.", "quiet")
    yield _table(found, found.models)
    yield Text(
        "FLOPs a token: of serving. From: tokens a day from which on it takes less compute in all "
        "than the larger model.",
        "quiet",
    )
    if any(one.hours is not None for one in found.models):
        yield _costs(found, found.models, ranges=True)
    yield Bullets("Why", (*_odds(found), *_reasons(found), *_earlier(found)))
    if found.quantization is not None:
        yield TableBlock(
            f"What {found.quantization.weights} costs, nats per token",
            ("model", "penalty", "range"),
            tuple((_name(one), *_penalty(one)) for one in found.models),
        )
        yield Text(f"{found.quantization.source}.", "quiet")
    yield from notice_blocks(found.warnings)
    yield Text(f"Law: {found.law.name}. {found.law.source}.", "quiet")


def _table(found: Serving, shown: tuple[ServedModel, ...]) -> TableBlock:
    amount = found.tokens_per_day is not None
    heads = ("", "size", "tokens", "training", "FLOPs a token")
    rows = tuple(
        (
            _marked(one, amount=amount),
            *_sizes(one),
            *((format_flops(one.lifetime_flops),) if amount else ()),
            *(_from(found, one.break_even) if one.break_even is not None else _no_start(one)),
        )
        for one in shown
    )
    return TableBlock(
        "",
        (*heads, *(("its life",) if amount else ()), "from, a day", "90%"),
        rows,
        marked=next((row for row, one in enumerate(shown) if one.recommended), None),
        spare=(4, 2),
    )


def _name(one: ServedModel) -> str:
    role = _HEADS[list(ServedRole).index(one.role)]
    return f"{role}, {in_a_table(one.accounting)}"


def _marked(one: ServedModel, *, amount: bool) -> str:
    mark = ("→ " if one.recommended else "  ") if amount else ""
    return f"{mark}{_name(one)}"


def _sizes(one: ServedModel) -> tuple[str, ...]:
    option = one.option
    per_token = format_flops(one.flops_per_token)
    if option is None:
        return "", "", "", per_token
    return (
        format_count(option.student_params),
        format_count(option.student_tokens),
        format_flops(one.training_flops),
        per_token,
    )


def _from(found: Serving, even: BreakEven) -> tuple[str, str]:
    days = found.days
    start = format_count(even.tokens_per_day) if even.tokens > 0 else "any"
    if even.low_tokens is None:
        return start, ""
    high = "never" if even.high_tokens is None else format_count(even.high_tokens / days)
    return start, f"{format_count(even.low_tokens / days)} to {high}"


def _no_start(one: ServedModel) -> tuple[str, str]:
    if one.status is ServedStatus.NOT_MEASURED:
        return "not measured", ""
    if one.status is ServedStatus.OUT_OF_REACH:
        near = one.nearest_loss
        return ("out of reach" if near is None else f"not below {near:.3f}"), ""
    return "", ""


def _costs(found: Serving, shown: tuple[ServedModel, ...], *, ranges: bool) -> TableBlock:
    """The models on the machine."""
    amount = found.tokens_per_day is not None
    return TableBlock(
        "GPU-hours and cost" if ranges else "",
        (
            *("", "size", "hours to train", "for 1B tokens"),
            "its life" if amount else "cost of 1B",
            "from, a day",
        ),
        tuple(_timed(one, amount=amount, ranges=ranges) for one in shown),
        marked=next((row for row, one in enumerate(shown) if one.recommended), None),
        spare=(3,),
    )


def _timed(one: ServedModel, *, amount: bool, ranges: bool) -> tuple[str, ...]:
    hours, even = one.hours, one.break_even
    name = _marked(one, amount=amount)
    if hours is None:
        return (name, "", "", "", "", _no_start(one)[0])
    start = ""
    if even is not None:
        days = even.hours_tokens_per_day
        start = "never" if days is None else format_count(days) if days else "any"
    each = hours.usd_per_million
    spent = hours.lifetime_cost_usd if amount else None if each is None else each.scale(1000)
    return (
        name,
        _sizes(one)[0],
        _hours(hours.training_gpu_hours, ranges=ranges),
        _hours(hours.gpu_hours_per_billion, ranges=ranges),
        "" if spent is None else format_usd(spent.mid),
        start,
    )


def _hours(value: Range, *, ranges: bool) -> str:
    if not ranges:
        return _count(value.mid)
    return f"{_count(value.mid)} ({_count(value.low)} to {_count(value.high)})"


def _count(value: float) -> str:
    return format_count(value) if value >= 1 else f"{value:.2g}"


def _penalty(one: ServedModel) -> tuple[str, str]:
    if one.penalty is None:
        return "not measured", ""
    return f"{one.penalty.nats:.3f}", f"{one.penalty.low:.3f} to {one.penalty.high:.3f}"


def _odds(found: Serving) -> Iterator[str]:
    odds = found.odds
    if odds is not None:
        yield (
            f"At equal compute over their lives: {percent(odds.distill)} that the distilled model "
            f"has the lower loss, {percent(odds.supervised)} that the larger one has."
        )


def _reasons(found: Serving) -> Iterator[str]:
    """What makes one of the models take less: of the one that is recommended, or could be."""
    larger, smaller, chosen = found.larger, better_smaller(found), found.chosen
    told = smaller if chosen is None or chosen is larger else chosen
    if told is not None:
        takes, saved = measure_of(found.scenario).takes, saved_share(told, larger)
        more, teacher = training_ratio(told, larger), teacher_share(told)
        of_it = f", {teacher:.0%} of it the teacher" if teacher else ""
        yield (
            f"Each token served {takes} {abs(saved):.0%} {'less' if saved >= 0 else 'more'}; "
            f"training {takes} {more:.2f} times as much{of_it}."
        )
    pretrained = [
        one
        for one in found.models
        if one.role is ServedRole.SMALLER and one.accounting is None and one.option is not None
    ]
    if not pretrained and len(found.models) > 1:
        yield "Pretraining alone does not bring the smaller model to this loss."
    yield from _quantized(found)


def _earlier(found: Serving) -> Iterator[str]:
    """Why an amount differs between the table in FLOPs and that of the machine."""
    smaller = better_smaller(found)
    even = None if smaller is None else smaller.break_even
    if even is not None and even.hours_tokens is not None and even.hours_tokens < even.tokens:
        yield (
            "Serving is slower for its FLOPs than training, so by hours and money a smaller model "
            "pays earlier."
        )


def _quantized(found: Serving) -> Iterator[str]:
    """What quantizing both models costs, where it is measured."""
    both = (found.larger, found.deciding)
    known = [one.penalty for one in both if one is not None and one.penalty]
    if found.quantization is not None and found.quantization.measured and len(known) == 2:
        yield (
            f"{found.quantization.weights} costs {known[0].nats:.3f} nats of the larger model and "
            f"{known[1].nats:.3f} of the smaller one."
        )


def _question(found: Serving) -> str:
    unit = ""
    if found.quantization is not None:
        before = "" if found.quantization.measured else "before "
        unit = f", {before}{found.quantization.weights}"
    match = found.match
    of_it = "" if match is None or match.model is None else f", those of {match.in_words}"
    parts = [f"{found.loss:.4f} nats{unit}{of_it}", f"served for {found.days:g} days"]
    if found.tokens_per_day is not None:
        parts.append(f"{format_count(found.tokens_per_day)} tokens a day")
    if found.request is not None:
        asked = found.request
        parts.append(f"prompts of {asked.prompt_tokens:,} and answers of {asked.answer_tokens:,}")
    machine = found.scenario.machine
    if machine is not None:
        parts.append(f"on {machine.gpus} {machine.gpu.name}")
    return "; ".join(parts)
