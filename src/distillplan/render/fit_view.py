"""A fit for people: how well it predicts, what the runs fix, the coefficients."""

from collections.abc import Iterator

from distillplan.fitting.fit_records import FitReport
from distillplan.fitting.holdout import FOLDS
from distillplan.fitting.published_test import DepartureKind, PublishedTest
from distillplan.laws.provenance import Coefficient
from distillplan.notices import worst_first
from distillplan.render.blocks import (
    Block,
    Bullets,
    Headline,
    Section,
    Sections,
    TableBlock,
    Text,
    short,
)
from distillplan.render.notice_blocks import notice_blocks, watching
from distillplan.units.quantities import format_count

_ERRORS = {
    "in_sample": "the runs of the fit",
    "folds": f"left out at random ({FOLDS} folds)",
    "groups": "each size and length, left out",
    "lowest": "the fifth of lowest loss",
    "holdout": "held out by choice",
}

_DEPARTURES = {
    DepartureKind.LEVEL: "on average",
    DepartureKind.PARAMS: "change from the smallest model to the largest",
    DepartureKind.TOKENS: "change from the fewest tokens to the most",
    DepartureKind.TEACHER_LOSS: "change from the best teacher to the worst",
    DepartureKind.PLACE: "where it is worst",
}


_WATCH = 8
"""Lines of warnings on one screen."""
_INDENT = 12
"""Columns that the headings and marks in the margin take."""


def fit_view(report: FitReport, *, details: bool = False) -> Iterator[Block]:
    """The blocks of a fit.

    Args:
        report: the answer.
        details: show coefficients, what the runs fix, and all errors instead of one screen.
    """
    if report.test is not None:
        yield from _test(report, report.test)
    yield from _all(report) if details else _screen(report)


def _screen(report: FitReport) -> Iterator[Block]:
    yield Headline(_headline(report))
    yield from _reach(report)
    messages = (one.message for one in worst_first(report.warnings))
    yield Sections(
        (
            Section("Tested", tuple(_left_out(report))),
            Section("Open", tuple(_open(report))),
            watching(short(messages, _WATCH, indent=_INDENT)),
            Section("Wrote", (", ".join(report.saved),) * bool(report.saved)),
            Section("Next", (_next(report),)),
        )
    )
    yield Text("More: --details (coefficients, what the runs fix)  -o json", "quiet")


def _left_out(report: FitReport) -> Iterator[str]:
    """How well runs that were left out are predicted."""
    for one in report.errors:
        if one.what != "in_sample" and one.mean_relative_error is not None:
            yield (
                f"{_ERRORS[one.what]}: predicted to {_percent(one.mean_relative_error)} on "
                f"average, {_percent(one.worst)} at worst"
            )


def _open(report: FitReport) -> Iterator[str]:
    """Coefficients that the runs do not settle."""
    if not report.resamples:
        yield "without resamples there are no ranges"
        return
    found = [name for name, one in report.law.coefficients.items() if one.no_interval is not None]
    if found:
        yield f"the runs do not settle {', '.join(found)}; predictions far from them stay guesses"


def _next(report: FitReport) -> str:
    law = report.saved[0] if report.saved else "mine.yaml"
    alone = report.law.distillation is None
    if not report.saved:
        verdict = "; for verdicts on distilling also --anchor busbridge2025" if alone else ""
        return f"save the law and plan with it: add --save {law}{verdict}"
    if alone:
        return f"distillplan predict --student 1B --tokens 100B --law {law}"
    return f"distillplan budget 1e21 --student 1B --law {law}"


def _all(report: FitReport) -> Iterator[Block]:
    yield Text(_headline(report), "verdict")
    rows = tuple(
        (
            _ERRORS[one.what],
            str(one.fitted),
            str(one.predicted),
            _percent(one.mean_relative_error),
            _percent(one.bias, "+"),
            _percent(one.worst),
        )
        for one in report.errors
    )
    columns = ("relative error on", "fitted on", "runs", "mean", "bias", "worst")
    yield TableBlock("How well it predicts", columns, rows)
    yield from _reach(report)
    yield from notice_blocks(report.warnings)
    yield from _coefficients(report)
    if report.combinations:
        yield TableBlock(
            "What the runs fix",
            ("combination", "value", "spread of its log", ""),
            tuple(
                (
                    one.what,
                    f"{one.value:.4g}",
                    f"{one.log_sd:.2g}",
                    one.verdict,
                )
                for one in report.combinations
            ),
            text_columns=(0, 3),
        )
    yield Bullets("Notes", report.law.notes)
    if report.saved:
        yield Text(f"Written: {', '.join(report.saved)}. Plan with it: {_next(report)}")
    yield Text(f"Source: {report.law.source}.", "quiet")


def _reach(report: FitReport) -> Iterator[Block]:
    if report.reach:
        yield TableBlock(
            "How far it reaches",
            ("compute of your largest run", "parameters", "tokens", "to within"),
            tuple(
                (
                    f"x {one.times_compute:g}",
                    format_count(one.params),
                    format_count(one.tokens),
                    _percent(one.relative_error),
                )
                for one in report.reach
            ),
        )


def _headline(report: FitReport) -> str:
    plain, taught = report.runs - report.distilled_runs, report.distilled_runs
    kinds = [f"{plain} supervised"] * bool(plain) + [f"{taught} distilled"] * bool(taught)
    runs = "run" if report.runs == 1 else "runs"
    if report.rows is not None and report.rows > report.runs:
        runs += f" of {report.rows} rows"
    more = report.level - 1
    # never better than what is said of the largest run below
    within = report.reach[0].relative_error if report.reach else report.sigma_run
    like = "the largest" if report.reach else "these"
    side = "above" if more > 0 else "below"
    return (
        f"{' and '.join(kinds)} {runs}: predicts one like {like} to within "
        f"{_percent(within)} (1 s.d.). Your losses are {_percent(abs(more))} {side} "
        f"those of {report.like} at the same sizes."
    )


def _coefficients(report: FitReport) -> Iterator[Block]:
    reasons: dict[str, list[str]] = {}
    rows = []
    for name, one in report.law.coefficients.items():
        rows.append((name, f"{one.value:.4g}", _interval(one)))
        if one.no_interval is not None:
            reasons.setdefault(one.no_interval, []).append(name)
    yield TableBlock("Coefficients", ("", "value", "90% interval"), tuple(rows))
    if reasons:
        yield Bullets(
            "No interval",
            tuple(f"{', '.join(names)}: {reason}" for reason, names in reasons.items()),
        )


def _interval(one: Coefficient) -> str:
    if one.low is None or one.high is None:
        return "–"
    return f"{one.low:.3g} to {one.high:.3g}"


def _test(report: FitReport, test: PublishedTest) -> Iterator[Block]:
    verdict = "rejected" if test.rejected else "not rejected"
    side = "distillation" if test.distilled else "supervised"
    yield Text(
        f"{report.tested} is {verdict} by {test.runs} {side} runs: had they come from it, give or "
        f"take {_percent(test.tolerance)} for the rounding of its digits, they would misfit by as "
        f"much with a probability of {test.p_value:.2g}.",
        "verdict",
    )
    yield TableBlock(
        "",
        ("predicted against observed", "", "p"),
        tuple(
            (_DEPARTURES[one.kind], _percent(one.relative_error, "+"), f"{one.p_value:.2g}")
            for one in test.departures
        ),
    )
    worst, suspect = test.worst_group, test.suspect
    where = f"{format_count(worst.params)} parameters on {format_count(worst.tokens)} tokens"
    found = [
        f"mean relative error {_percent(test.mean_relative_error)}",
        f"noise of a run {_percent(test.noise)}",
        f"worst at {where}: {_percent(worst.mean_relative_error, '+')}",
    ]
    if test.left_out:
        runs = (
            "1 run that its neighbors contradict is"
            if test.left_out == 1
            else (f"{test.left_out} runs that their neighbors contradict are")
        )
        found.append(f"{runs} not counted")
    if test.rejected:
        found.append(
            f"scaling {suspect.coefficient} by {suspect.factor:.3g} alone would remove most of the "
            f"misfit ({_percent(suspect.mean_relative_error)} left)"
        )
    yield Bullets("", tuple(found))


def _percent(value: float | None, sign: str = "") -> str:
    return "" if value is None else f"{value:{sign}.2%}"
