"""The law against other laboratories' runs, for people."""

from collections.abc import Iterator

from distillplan.checks.transfer_checks import (
    CaseOutcome,
    ReliabilityBin,
    TransferReport,
    TransferRow,
)
from distillplan.render.blocks import Block, Section, Sections, TableBlock, Text


def transfer_view(report: TransferReport, *, details: bool = False) -> Iterator[Block]:
    """The blocks of the check.

    Args:
        report: the answer.
        details: show every comparison instead of one screen.
    """
    yield from _headline(report)
    yield from _all(report) if details else _screen(report)


def _headline(report: TransferReport) -> Iterator[Block]:
    yield Text(
        f"{report.hits} of {report.hits + report.misses} published comparisons came out as "
        f"{report.law} says, {report.misses} did not. {report.undecided} more do not exceed their "
        f"own noise, and {report.no_verdict} are so far outside the fitted range that a plan there "
        "has no verdict.",
        "verdict",
    )


def _screen(report: TransferReport) -> Iterator[Block]:
    missed = [row for row in report.rows if row.outcome is CaseOutcome.MISS]
    yield TableBlock(
        "Came out otherwise",
        ("", "predicted", "90% band", "seen", "odds"),
        tuple((f"{row.study}: {row.name}", *_row(row)[1:5]) for row in missed),
        tight=True,
    )
    scores, error = report.brier, report.error
    honest = (
        f"Brier score {scores.left_out_with_study:.3f} on studies that were left out, against "
        f"{scores.even:.3f} for 50:50 and {scores.release_before:.3f} of the release before (0 is "
        "perfect)"
    )
    carried = (
        f"{error.scale:.3f} nats inside the law's data, and more outside: that is how far other "
        "laboratories came out from the law"
    )
    yield Sections((Section("Odds", (honest,)), Section("Error", (carried,))))
    yield Text("More: --details (every comparison, its source)  -o json", "quiet")


def _all(report: TransferReport) -> Iterator[Block]:
    yield Text(
        "Gains of distilling over training from data alone. Bands and odds are those without "
        "having seen the comparison.",
        "quiet",
    )
    by_study: dict[str, list[TransferRow]] = {}
    for row in report.rows:
        by_study.setdefault(row.study, []).append(row)
    for study, rows in by_study.items():
        yield TableBlock(
            study,
            ("student and teacher", "predicted", "90% band", "seen", "odds", ""),
            tuple(_row(row) for row in rows),
            text_columns=(0, 5),
            tight=True,
        )
        sources = dict.fromkeys(f"{row.source} ({row.quality})" for row in rows)
        yield Text("; ".join(sources), "quiet")
    yield TableBlock(
        "Are the odds honest?",
        ("odds that distilling is better", "comparisons", "stated", "was better"),
        tuple(_bin(one) for one in report.reliability),
    )
    scores = report.brier
    yield TableBlock(
        "Squared error of the odds (Brier score; 0 is perfect)",
        ("odds", "score"),
        (
            ("stated without the comparison", f"{scores.left_out_alone:.3f}"),
            ("stated without its whole study", f"{scores.left_out_with_study:.3f}"),
            ("always 50:50", f"{scores.even:.3f}"),
            ("release 0.1.0", f"{scores.release_before:.3f}"),
        ),
    )
    error, slopes, cases = report.error, report.error.slopes, report.error.cases
    yield TableBlock(
        f"The error that odds carry (Student's t, {report.degrees_of_freedom} degrees of freedom)",
        ("", "scale", "comparisons"),
        (
            ("inside the fitted range", f"{error.scale:.3f} nats", str(cases.scale)),
            *(
                (f"more per {words}", f"{size:.3f} nats", str(count))
                for words, size, count in (
                    ("e-fold of student parameters below", slopes.params_below, cases.params_below),
                    ("e-fold of student tokens below", slopes.tokens_below, cases.tokens_below),
                    ("e-fold of either above", slopes.above, cases.above),
                    ("nat of teacher loss beyond", slopes.teacher_loss, cases.teacher_loss),
                )
            ),
            (
                "more per e-fold of either below",
                f"{slopes.gain_share:.0%} of the gain",
                str(cases.gain_share),
            ),
        ),
    )
    yield Text(
        "Published comparisons are few and mostly successes, so they widen odds and do not move "
        "them. Sources in full, and what was assumed: -o json",
        "quiet",
    )


def _row(row: TransferRow) -> tuple[str, ...]:
    low, high = row.gain_band
    return (
        row.name,
        f"{row.predicted_gain:+.3f}",
        f"{low:+.2f} to {high:+.2f}",
        _seen(row),
        f"{row.odds_better:.0%}",
        row.outcome,
    )


def _seen(row: TransferRow) -> str:
    if row.seen_nats is not None:
        return f"{row.seen_nats:+.3f}"
    if row.seen_points is not None:
        return f"{row.seen_points:+.1f} pts"
    return "better" if row.seen_better > 1 - row.seen_better else "not better"


def _bin(one: ReliabilityBin) -> tuple[str, ...]:
    stated, seen = ("–" if value is None else f"{value:.0%}" for value in (one.stated, one.seen))
    return f"{one.low:.0%} to {one.high:.0%}", str(one.cases), stated, seen
