"""A stage of on-policy distillation, for people."""

from collections.abc import Iterator

from distillplan.hardware.range import Range
from distillplan.questions.onpolicy_records import (
    ExpectedPeak,
    OnPolicy,
    ScoreBasis,
    StageTeacher,
    StageTime,
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
    under_headline,
    watch_section,
)
from distillplan.units.articles import with_article
from distillplan.units.quantities import (
    format_bytes,
    format_count,
    format_duration,
    format_usd,
)

_INDENT = 9
"""Columns that the headings in the margin take."""
_WATCH = 2
"""Least lines of what to watch."""
_FRAME = 6
"""Empty lines, the head of the table, and the last line."""
_MARKS = {ScoreBasis.MEASURED: "", ScoreBasis.INTERPOLATED: "~", ScoreBasis.GIVEN: "*"}
"""Marks of a teacher's score."""
_LEGEND = "Score used: of a teacher of the smaller of both sizes (~ between two sizes, * yours)"
_WORDS = (
    "Vanilla: trained on the divergence from the teacher; delta: on what RL changed in it; "
    "sqrt(KL): how far the student has moved."
)


def onpolicy_view(found: OnPolicy) -> Iterator[Block]:
    """A stage of on-policy distillation, on one screen."""
    first = first_in_words(found.warnings)
    yield Headline(found.headline)
    yield from under_headline(first)
    yield _table(found)
    room = Room(_FRAME, _INDENT)
    room.take(found.headline, first, rows=len(found.teachers))
    why = room.keep(_why(found))
    cost = room.keep((*_cost(found), *_serving(found)))
    cost += room.fill([_reference(found)], room.left - _WATCH)
    watch = watch_section(found.warnings, room, least=_WATCH)
    yield Sections((Section("Why", why), Section("Cost", cost), watch))
    yield Text("More: --details  -o csv  -o markdown; words: distillplan explain delta", "quiet")


def onpolicy_details(found: OnPolicy) -> Iterator[Block]:
    """A stage of on-policy distillation: every number."""
    yield Text(found.headline, "verdict")
    yield _table(found)
    if found.covered:
        yield Text(f"{_LEGEND}; ranges: 90%. {_WORDS}", "quiet", tight=True)
    slopes = tuple(
        (one.teacher, f"{one.vanilla.slope:.2f}", f"{one.delta.slope:.2f}")
        for one in found.teachers
        if one.vanilla is not None and one.delta is not None
    )
    if slopes:
        yield TableBlock(
            "Score gained at first for each unit of sqrt(KL) (roughly)",
            ("teacher", "vanilla", "delta"),
            slopes,
        )
    times = tuple(_time_row(one.teacher, one.time) for one in found.teachers if one.time)
    if times:
        yield TableBlock(
            "GPU-hours",
            ("teacher", "answers", "scoring", "training", "all", "time", "cost"),
            times,
        )
        yield Text("With delta a second model scores: twice the scoring.", "quiet", tight=True)
    apart = tuple(_serving_row(one) for one in found.teachers if one.serving is not None)
    if apart:
        yield TableBlock(
            "GPUs of the teacher's own",
            ("teacher", "hold it", "memory on each", "keep up", "in whole copies"),
            apart,
        )
        beside = f"They keep up with the {found.gpus} that write and train"
        yield Text(f"{beside}; with delta twice as many do.", "quiet", tight=True)
    yield Bullets("Why", tuple(_why(found)))
    yield Bullets("Cost", (*_cost(found), *_serving(found), _reference(found)))
    yield Bullets("The study also found", found.findings)
    yield from notice_blocks(found.warnings)
    yield Bullets("Sources", found.sources)


def _table(found: OnPolicy) -> TableBlock:
    hours = ("GPU-hours",) if found.stage is not None else ()
    return TableBlock(
        f"{with_article(found.student, begins=True)} student, on-policy"
        + (f" ({found.scope})" if found.covered else ""),
        ("teacher", "score used", "vanilla", "90% range", "delta", "90% range", *hours),
        tuple(_row(one, timed=bool(hours)) for one in found.teachers),
        marked=found.best,
    )


def _row(one: StageTeacher, *, timed: bool) -> tuple[str, ...]:
    own = "not known"
    if one.teacher_score is not None and one.score_basis is not None:
        own = f"{_points(one.teacher_score)}{_MARKS[one.score_basis]}"
    hours = "" if one.time is None else _count(one.time.gpu_hours.mid)
    return (one.teacher, own, *_peak(one.vanilla), *_peak(one.delta), *((hours,) if timed else ()))


def _peak(found: ExpectedPeak | None) -> tuple[str, str]:
    if found is None:
        return "–", ""
    return _points(found.peak), f"{_points(found.low)} {_points(found.high)}"


def _time_row(teacher: str, time: StageTime) -> tuple[str, ...]:
    cost = "" if time.cost_usd is None else format_usd(time.cost_usd.mid)
    parts = (time.generation_gpu_hours, time.scoring_gpu_hours, time.training_gpu_hours)
    return (
        teacher,
        *(_count(one.mid) for one in parts),
        _hours(time.gpu_hours),
        format_duration(time.wall_seconds.mid),
        cost,
    )


def _serving_row(one: StageTeacher) -> tuple[str, ...]:
    need = one.serving
    if need is None or need.gpus_to_fit is None:
        return (one.teacher, "no number", "", "", "")
    memory, speed, gpus = need.memory_bytes_per_gpu, need.gpus_to_keep_up, need.gpus
    return (
        one.teacher,
        f"{need.gpus_to_fit}",
        "" if memory is None else format_bytes(memory.mid),
        "" if speed is None else f"{speed.mid:.2g} ({speed.low:.2g} to {speed.high:.2g})",
        "" if gpus is None else _whole(gpus),
    )


def _why(found: OnPolicy) -> Iterator[str]:
    if found.start_score is None or found.rl_score is None:
        return
    yield (
        f"The student starts at {_points(found.start_score)}; RL on the student itself reaches "
        f"{_points(found.rl_score)}, so a stage pays where a smaller expert teaches."
    )
    low, middle, high = found.stop_divergence
    yield f"Stop at a sqrt(KL) of about {middle:g} ({low:g} to {high:g}), not after so many steps."


def _shown(found: OnPolicy) -> StageTeacher:
    """The teacher whose cost is told."""
    return found.teachers[found.best or 0]


def _serving(found: OnPolicy) -> Iterator[str]:
    """The GPUs of the teacher, where it has its own."""
    one = _shown(found)
    need = one.serving
    if need is None or found.gpu is None:
        return
    if need.gpus_to_fit is None or need.memory_bytes_per_gpu is None or need.gpus is None:
        yield f"{one.teacher} on GPUs of its own: no number of {found.gpu} holds it."
        return
    memory = need.memory_bytes_per_gpu
    ends = f"{format_bytes(memory.low)} to {format_bytes(memory.high)}"
    yield (
        f"{one.teacher} on GPUs of its own: {_hold(need.gpus_to_fit)} it ("
        f"{format_bytes(memory.mid)} on each, {ends}), {_whole(need.gpus)} keep up with the "
        f"{found.gpus} that write and train."
    )


def _hold(gpus: int) -> str:
    return "one holds" if gpus == 1 else f"{gpus:,} hold"


def _whole(gpus: Range) -> str:
    """Numbers of GPUs, with their range where it is one."""
    low, high = round(gpus.low), round(gpus.high)
    return f"{round(gpus.mid):,}" if low == high else f"{round(gpus.mid):,} ({low:,} to {high:,})"


def _cost(found: OnPolicy) -> Iterator[str]:
    shown = _shown(found).time
    if shown is None or found.stage is None:
        return
    cost = "" if shown.cost_usd is None else f", {format_usd(shown.cost_usd.mid)}"
    yield (
        f"{found.stage.updates:,} updates of {found.stage.answers:,} answers of "
        f"{found.stage.answer_tokens:,} tokens on {found.gpus} {found.gpu}: "
        f"{_hours(shown.gpu_hours)} GPU-hours, {format_duration(shown.wall_seconds.mid)}{cost}."
    )


def _reference(found: OnPolicy) -> str:
    published = found.published
    said = (
        f"For scale: {published.of} took {published.gpu_hours:,.0f} GPU-hours, and RL on it "
        f"{published.rl_gpu_hours:,.0f}"
    )
    first = _shown(found).time
    if first is None:
        return f"{said}. Your hours, and the teacher's GPUs: --gpu and --answer-tokens."
    tokens = format_count(first.tokens_in_published_hours)
    return f"{said}; as many hours here are {tokens} tokens of answers."


def _count(hours: float) -> str:
    return format_count(hours) if hours >= 1 else f"{hours:.2g}"


def _hours(hours: Range) -> str:
    low, high = _count(hours.low), _count(hours.high)
    return f"{_count(hours.mid)} ({low} to {high})"


def _points(share: float) -> str:
    return f"{share:.1%}"
