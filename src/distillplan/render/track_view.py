"""A run under way, for people."""

from collections.abc import Iterator

from distillplan.planning.verdict_records import Verdict
from distillplan.questions.track_records import Cause, Doubt, Status, Track, VerdictThen
from distillplan.render.blocks import (
    Block,
    Headline,
    Room,
    Section,
    Sections,
    TableBlock,
    Text,
    cell,
)
from distillplan.render.notice_blocks import notice_blocks, watch_section
from distillplan.render.odds_view import nats_band, percent
from distillplan.units.quantities import format_count

_STATUS = {
    Status.ON_COURSE: "On course",
    Status.ABOVE: "Above its plan",
    Status.BELOW: "Below its plan",
}
_DOUBTS = {
    Doubt.TOO_EARLY: "Too early to tell",
    Doubt.WIDE: "Too early to tell: the plan and a run off it are both within the band",
    Doubt.OTHER_SCALE: "Not on the scale of its plan",
    Doubt.DIVERGED: "Diverged",
}
_DO: dict[Status | Doubt, str] = {
    Status.ON_COURSE: "go on",
    Status.ABOVE: "look at data and learning rate first; if all your runs end higher, `fit` them "
    "and plan again",
    Status.BELOW: "go on; if all your runs end lower, `fit` them and plan again",
    Doubt.TOO_EARLY: "go on, and ask again later in the run",
    Doubt.WIDE: "go on, and ask again later in the run",
    Doubt.OTHER_SCALE: "compare unit, tokenizer and validation text with those of the law "
    "(--loss-unit, --bytes-per-token)",
    Doubt.DIVERGED: "go back to a checkpoint from before that, and change the learning rate or "
    "skip the data; go on only if the next losses come back",
}
"""What follows for the run."""
_CAUSES = {
    Cause.THIS_RUN: "this run alone",
    Cause.ALL_RUNS: "data or recipe, all runs alike",
}
_MOST_POINTS = 8
"""Lines of the table of points in full; the documents have all."""
_FEW_POINTS = 4
"""The same on one screen."""
_INDENT = 8
"""Columns that the headings and marks in the margin take."""
_FRAME = 6
"""Empty lines, the line at the end, and the head of a table."""


def track_view(found: Track) -> Iterator[Block]:
    """A run under way, on one screen."""
    said, verdict = _headline(found), _verdict(found)
    yield Headline(said)
    yield Text(verdict, tight=True)
    rows = [*_points(found, _FEW_POINTS), *_ends(found)]
    yield TableBlock("", ("tokens", "progress", "loss", "on course", "90% band"), tuple(rows))
    room = Room(_FRAME, _INDENT)
    room.take(said, verdict, rows=len(rows))
    what = room.keep((_DO[found.doubt or found.status],))
    yield Sections((Section("Do", what), watch_section(found.warnings, room)))
    yield Text("More: --details  -o csv  -o markdown", "quiet")


def _points(found: Track, most: int) -> Iterator[tuple[str, ...]]:
    """Some of the run's points, the last among them."""
    step = max(1, -(-len(found.points) // most))
    for one in found.points[::-1][::step][::-1]:
        expected = cell(one.expected_loss, ".4f")
        yield (
            format_count(one.tokens),
            f"{one.progress:.0%}",
            f"{one.loss:.4f}",
            expected,
            "",
        )


def _ends(found: Track) -> Iterator[tuple[str, ...]]:
    """The last line: what is forecast beside what was planned."""
    end = format_count(found.student_tokens)
    if found.forecast_loss is None:
        yield end, "planned", "", f"{found.planned_loss:.4f}", nats_band(found.planned_band)
    else:
        forecast, planned = f"{found.forecast_loss:.4f}", f"{found.planned_loss:.4f}"
        yield end, "forecast", forecast, planned, nats_band(found.forecast_band)


def track_details(found: Track) -> Iterator[Block]:
    """A run under way: every number."""
    yield Text(_headline(found), "verdict")
    yield Text(_verdict(found), "plain")
    how = str(found.accounting or found.method)
    yield Text(
        f"{found.source} at {format_count(found.tokens)} of {format_count(found.student_tokens)} "
        f"tokens ({found.progress:.0%}); {found.plan}, option {how}, "
        f"{format_count(found.student_params)} parameters.",
        "quiet",
    )
    rows = [("planned", f"{found.planned_loss:.4f}", nats_band(found.planned_band))]
    if found.forecast_loss is not None:
        rows.append(("forecast", f"{found.forecast_loss:.4f}", nats_band(found.forecast_band)))
    yield TableBlock("Loss at the end", ("", "nats per token", "90% band"), tuple(rows))
    if found.readings:
        yield TableBlock(
            "The verdict then",
            ("if the difference is", "gain", "verdict", *(side.shown for side in Verdict)),
            tuple(
                (
                    _CAUSES[one.cause],
                    f"{one.gain_nats:+.4f}",
                    one.verdict.shown,
                    *(percent(one.odds.of(side)) for side in Verdict),
                )
                for one in found.readings
            ),
            text_columns=(0, 2),
        )
    points = tuple(
        (tokens, share, loss, expected)
        for tokens, share, loss, expected, _ in _points(found, _MOST_POINTS)
    )
    if points:
        yield TableBlock("The run", ("tokens", "progress", "loss", "on course"), points)
    yield from notice_blocks(found.warnings)


def _headline(found: Track) -> str:
    state = _STATUS[found.status] if found.doubt is None else _DOUBTS[found.doubt]
    will = "it will"
    if found.doubt is Doubt.DIVERGED:
        state += f" after {format_count(found.diverged_after)} tokens"
        will = "by its losses before that, it would"
    if found.forecast_loss is None or found.forecast_band is None:
        return f"{state}."
    low, high = found.forecast_band
    end = f"{will} end at {found.forecast_loss:.3f} nats ({low:.3f} to {high:.3f})"
    return f"{state}: {end}; {_apart(found)}."


def _apart(found: Track) -> str:
    share = found.difference or 0.0
    side = "above" if share > 0 else "below"
    return f"planned {found.planned_loss:.3f}, so {abs(share):.1%} {side}"


def _verdict(found: Track) -> str:
    if found.planned_verdict is None:
        return "The plan has no verdict."
    plan = f"The plan's verdict: {found.planned_verdict.shown}"
    if found.doubt is not None or not found.readings:
        return f"{plan}; this run does not tell more of it."
    if found.verdict is found.planned_verdict:
        return f"{plan}, and it stands whatever the difference comes from."
    if found.verdict is not None:
        return f"{plan}; now it is {found.verdict.shown}, whatever the difference comes from."
    alone, alike = (_named(found.readings, cause) for cause in Cause)
    return f"{plan}; now {alone} if only this run is off, {alike} if all runs are."


def _named(readings: tuple[VerdictThen, ...], cause: Cause) -> str:
    return next(one.verdict.shown for one in readings if one.cause is cause)
