"""A check against published numbers for people."""

import math
from collections.abc import Iterable, Iterator

from distillplan.checks.check_records import CheckReport, CheckRow
from distillplan.checks.hardware_checks import TOPICS
from distillplan.laws.law_catalog import DEFAULT_LAW
from distillplan.render.blocks import Block, Bullets, TableBlock, Text
from distillplan.units.quantities import format_count

MOST_ROWS = 60
"""Of a check, before it is summed up by place."""


APPENDICES = dict.fromkeys(("Appendix D.5", "Appendix E.4"), "Appendices")
"""Places that share a line of the screen."""
_WORST = 3
"""Rows of a screen that are furthest off."""
_ERRORS = 7
"""Kinds of runs of a screen: the first, which were left out of the calibration."""


def check_view(report: CheckReport, *, details: bool = False) -> Iterator[Block]:
    """The blocks of a check.

    Args:
        report: the answer.
        details: show every number instead of one screen.
    """
    yield Text(_headline(report), "verdict")
    if report.errors:
        yield _summary_of_errors(report, None if details else _ERRORS)
    if not details and len(report.rows) > MOST_ROWS:
        yield from _screen(report)
        return
    by_place: dict[str, list[CheckRow]] = {}
    for row in report.rows:
        by_place.setdefault(f"{row.law}: {row.where.split(',')[0]}", []).append(row)
    if len(report.rows) > MOST_ROWS:
        yield _check_summary(by_place)
    for place, rows in by_place.items():
        yield from _of_place(place, rows)


def _screen(report: CheckReport) -> Iterator[Block]:
    """Each group in a line, or the speeds that are furthest off; what failed in full."""
    failed = [row for row in report.rows if row.failed]
    if report.errors:
        yield _rows_of("Furthest off", sorted(report.rows, key=_misfit, reverse=True)[:_WORST])
    else:
        yield _groups(report.rows)
    if failed:
        yield _rows_of("Failed", failed)
    place = max(report.rows, key=_misfit).where.split(",")[0]
    yield Text(f'Each number: --details; of one place: distillplan check "{place}"', "quiet")


def _groups(rows: Iterable[CheckRow]) -> TableBlock:
    """A line for each place of the default law or of a single topic, and for all else of a kind."""
    kinds = {row.law for row in rows}
    groups: dict[str, list[CheckRow]] = {}
    for row in rows:
        if len(kinds) == 1 or row.law == DEFAULT_LAW:
            name = row.where.split(",")[0]
            name = APPENDICES.get(name, name)
        else:
            name = row.law if row.law in TOPICS else "other laws"
        groups.setdefault(name, []).append(row)
    lines = []
    for name, found in groups.items():
        worst = max(found, key=_misfit)
        allowed = "" if worst.low is None else f"{_bound(worst, worst.low)} to "
        lines.append(
            (
                name,
                str(len(found)),
                str(sum(not row.passed for row in found)),
                "–" if worst.difference is None else _difference(worst, worst.difference),
                "" if worst.high is None else f"{allowed}{_bound(worst, worst.high)}",
                worst.what,
            )
        )
    return TableBlock(
        "",
        ("", "numbers", "missed", "furthest off", "allowed", "which is"),
        tuple(lines),
        text_columns=(0, 5),
        spare=(5,),
    )


def _misfit(row: CheckRow) -> float:
    """How far a number is off, in what is allowed on that side; a statement that fails is first."""
    if row.difference is None:
        return 0.0 if row.passed else math.inf
    allowed = abs((row.high if row.difference > 0 else row.low) or 0.0)
    return abs(row.difference) / allowed if allowed else 0.0


def _rows_of(title: str, rows: Iterable[CheckRow]) -> TableBlock:
    """Some numbers, wherever they are from."""
    columns = ("", "published", "computed", "difference")
    return TableBlock(title, columns, tuple(map(_numbers, rows)), tight=True)


def _numbers(row: CheckRow) -> tuple[str, str, str, str]:
    published = row.published if isinstance(row.published, str) else _number(float(row.published))
    computed = _number(row.computed) if isinstance(row.computed, float) else str(row.computed)
    place, _, _ = row.where.partition(",")
    return f"{place}: {_what(row)}", published, computed, _difference(row, row.difference)


def _headline(report: CheckReport) -> str:
    """How many numbers are reproduced, and how many are missed."""
    parts = [f"{report.passed} of {len(report.rows)} published numbers reproduced"]
    if report.known:
        parts.append(f"{report.known} known {'miss' if report.known == 1 else 'misses'}")
    if report.failed:
        parts.append(f"{report.failed} failed")
    return "; ".join(parts) + "."


def _of_place(place: str, rows: list[CheckRow]) -> Iterator[Block]:
    """The numbers and statements of one table or figure, and why those known to miss do."""
    numbers = tuple(_check_row(row) for row in rows if not isinstance(row.published, str))
    words = tuple(
        (_what(row), str(row.published), str(row.computed))
        for row in rows
        if isinstance(row.published, str)
    )
    if numbers:
        columns = ("what", "published", "computed", "difference", "allowed")
        yield TableBlock(place, columns, numbers)
    if words:
        yield TableBlock(place, ("what", "published", "computed"), words, text_columns=(0, 1, 2))
    known = (f"{row.where}: {row.known}" for row in rows if row.known and not row.passed)
    if reasons := tuple(dict.fromkeys(known)):
        yield Bullets("Known misses", reasons)
    mended = tuple(row.what for row in rows if row.known and row.passed)
    if mended:
        yield Bullets("Marked as known misses, but reproduced", mended)


def _summary_of_errors(report: CheckReport, most: int | None) -> TableBlock:
    """How near the computed speeds are, by class of run left out and by source."""
    return TableBlock(
        "Errors of tokens/s per GPU, sources left out (range: 80%)",
        ("", "runs", "sources", "median", "90%", "in range", "alike", "ratio"),
        tuple(
            (
                one.group,
                str(one.runs),
                str(one.sources),
                f"{one.median_error:.1%}",
                f"{one.p90_error:.1%}",
                f"{one.coverage:.0%}",
                f"{one.source_coverage:.0%}",
                f"{one.median_ratio:.2f}",
            )
            for one in report.errors[:most]
        ),
        tight=True,
    )


def _check_summary(by_place: dict[str, list[CheckRow]]) -> TableBlock:
    """One row per table or figure."""
    return TableBlock(
        "",
        ("place", "numbers", "reproduced", "known misses", "failed"),
        tuple(
            (
                place,
                str(len(rows)),
                str(sum(row.passed for row in rows)),
                str(sum(not row.passed and not row.failed for row in rows)),
                str(sum(row.failed for row in rows)),
            )
            for place, rows in by_place.items()
        ),
    )


def _check_row(row: CheckRow) -> tuple[str, ...]:
    computed = _number(row.computed) if isinstance(row.computed, float) else "–"
    return (
        _what(row),
        _number(float(row.published)),
        computed,
        _difference(row, row.difference),
        f"{_bound(row, row.low)} to {_bound(row, row.high)}",
    )


def _what(row: CheckRow) -> str:
    """What was compared, with a mark where it is missed."""
    if row.passed:
        return row.what
    return f"✗ {row.what} (not known)" if row.failed else f"✗ {row.what}"


def _number(value: float) -> str:
    return format_count(value, 4) if value >= 1e3 else f"{value:.4g}"


def _difference(row: CheckRow, value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:+.2%}" if row.relative else f"{value:+.4f}"


def _bound(row: CheckRow, value: float | None) -> str:
    """A difference that is allowed; a percentage without digits that say nothing."""
    text = _difference(row, value)
    return text[:-1].rstrip("0").rstrip(".") + "%" if text.endswith("%") else text
