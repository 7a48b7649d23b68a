"""What a person sees of each answer, as blocks; every number is taken from the answer."""

import importlib
from collections.abc import Callable, Iterator
from typing import Any

from distillplan.checks.check_records import CheckReport, CheckRow
from distillplan.laws.provenance import LawStatus, PublishedLaw
from distillplan.planning.results import Prediction
from distillplan.render.blocks import Block, Bullets, TableBlock, Text
from distillplan.render.documents import Answer
from distillplan.render.plan_view import plan_view
from distillplan.units import format_count

MOST_ROWS = 60
"""Of a check, before it is summed up by place."""


def view(answer: Answer) -> Iterator[Block]:
    """The blocks of any answer."""
    found: Any = answer
    name = type(found).__name__
    if name in _VIEWS:
        return _VIEWS[name](found)
    if name in _ELSEWHERE:
        module, function = _ELSEWHERE[name]
        blocks: Iterator[Block] = getattr(importlib.import_module(module), function)(found)
        return blocks
    return _laws(found)


def _prediction(found: Prediction) -> Iterator[Block]:
    student = f"{format_count(found.student_params)} parameters"
    tokens = f"{format_count(found.student_tokens)} tokens"
    if found.distilled_loss is None or found.gain_nats is None:
        yield Text(
            f"{found.supervised_loss:.4f} nats supervised: {student} on {tokens}.", "verdict"
        )
    else:
        side = "better" if found.gain_nats > 0 else "worse"
        yield Text(
            f"{found.distilled_loss:.4f} nats distilled, {abs(found.gain_nats):.4f} {side} than "
            f"supervised: {student} on {tokens}, teacher of {found.teacher_loss:.3f} nats.",
            "verdict",
        )
    rows = [("supervised loss", f"{found.supervised_loss:.4f}")]
    if found.distilled_loss is not None:
        rows += [
            ("distilled loss", f"{found.distilled_loss:.4f}"),
            ("gain over supervised", f"{found.gain_nats:+.4f}"),
            ("supervised tokens worth as much", _tokens(found.supervised_equivalent_tokens)),
            ("best teacher loss for this student", f"{found.best_teacher_loss:.4f}"),
            ("distilled loss with that teacher", f"{found.loss_with_best_teacher:.4f}"),
        ]
    for name, change in found.by_10_percent.items():
        rows.append((f"10 % more {name.replace('_', ' ')}", f"{change:+.4f}"))
    yield TableBlock("", ("", "nats per token"), tuple(rows))
    if found.warnings:
        warnings = tuple(f"{one.message} ({one.code})" for one in found.warnings)
        yield Bullets("Before you trust this", warnings, "warning")
    yield Text(f"Law: {found.law.name}. {found.law.source}.", "quiet")


def _tokens(tokens: float | None) -> str:
    return "no number" if tokens is None else format_count(tokens)


def _laws(laws: tuple[PublishedLaw, ...]) -> Iterator[Block]:
    yield TableBlock(
        "",
        ("name", "form", "status", "N counts", "corpus"),
        tuple(
            (
                law.name,
                "supervised" if law.distillation is None else "distillation",
                law.status,
                law.counts.removesuffix(" parameters").split(",")[0],
                law.corpus.split(",")[0].split(";")[0],
            )
            for law in laws
        ),
        text_columns=(0, 1, 2, 3, 4),
        tight=True,
    )
    yield Text("One of them in full, with its source: distillplan laws NAME", "quiet")


def _law(law: PublishedLaw) -> Iterator[Block]:
    yield Text(f"{law.name}: {law.title}", "verdict")
    yield Bullets(
        "",
        (
            f"source: {law.source}",
            f"N counts: {law.counts}",
            f"loss: {law.loss_unit}",
            f"corpus: {law.corpus}",
            f"tokenizer: {law.tokenizer}",
            f"status: {law.status}",
        ),
    )
    rows = []
    for name, one in law.coefficients.items():
        interval = level = "–"
        if one.low is not None and one.high is not None and one.level is not None:
            interval, level = f"{one.low:.6g} to {one.high:.6g}", f"{one.level:.0%}"
        rows.append((name, f"{one.value:.8g}", interval, level))
    yield TableBlock("Coefficients", ("", "value", "interval", "level"), tuple(rows))
    yield TableBlock(
        "Fitted range",
        ("input", "from", "to"),
        tuple(
            (name, _size(name, low), _size(name, high)) for name, (low, high) in law.valid.items()
        ),
    )
    if law.accuracy:
        yield Bullets("Accuracy", law.accuracy)
    if law.errata:
        yield Bullets("Errata", law.errata, "warning")
    if law.notes:
        yield Bullets(
            "Notes", law.notes, "warning" if law.status is not LawStatus.DEFAULT else "plain"
        )


def _size(name: str, value: float) -> str:
    return f"{value:.3f} nats" if name.endswith("loss") else format_count(value)


def _checks(report: CheckReport) -> Iterator[Block]:
    total = report.passed + report.failed
    yield Text(f"{report.passed} of {total} published numbers reproduced.", "verdict")
    if report.errors:
        yield _errors(report)
    by_place: dict[str, list[CheckRow]] = {}
    for row in report.rows:
        by_place.setdefault(f"{row.law}: {row.where.split(',')[0]}", []).append(row)
    if total > MOST_ROWS and not report.errors:
        yield _check_summary(by_place)
        by_place = {
            place: [row for row in rows if not row.passed] for place, rows in by_place.items()
        }
        yield Text('The numbers of one place: distillplan check "Figure 9"; all: -o json', "quiet")
    for place, rows in by_place.items():
        numbers = tuple(_check_row(row) for row in rows if not isinstance(row.published, str))
        words = tuple(
            (row.what, str(row.published), str(row.computed))
            for row in rows
            if isinstance(row.published, str)
        )
        if numbers:
            columns = ("what", "published", "computed", "difference", "allowed")
            yield TableBlock(place, columns, numbers)
        if words:
            yield TableBlock(
                place, ("what", "published", "computed"), words, text_columns=(0, 1, 2)
            )


def _errors(report: CheckReport) -> TableBlock:
    """How near the computed speeds are, by class of run left out and by source."""
    return TableBlock(
        "Errors of tokens/s per GPU",
        ("", "runs", "median", "90 % within", "in 80 % interval", "ours / theirs"),
        tuple(
            (
                one.group,
                str(one.runs),
                f"{one.median_error:.1%}",
                f"{one.p90_error:.1%}",
                f"{one.coverage:.0%}",
                f"{one.median_ratio:.2f}",
            )
            for one in report.errors
        ),
        tight=True,
    )


def _check_summary(by_place: dict[str, list[CheckRow]]) -> TableBlock:
    """One row per table or figure."""
    return TableBlock(
        "",
        ("place", "numbers", "reproduced"),
        tuple(
            (place, str(len(rows)), str(sum(row.passed for row in rows)))
            for place, rows in by_place.items()
        ),
    )


def _check_row(row: CheckRow) -> tuple[str, ...]:
    computed = _number(row.computed) if isinstance(row.computed, float) else "–"
    return (
        row.what if row.passed else f"✗ {row.what}",
        _number(float(row.published)),
        computed,
        _difference(row, row.difference),
        f"{_bound(row, row.low)} to {_bound(row, row.high)}",
    )


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


_VIEWS: dict[str, Callable[[Any], Iterator[Block]]] = {
    "Plan": plan_view,
    "Prediction": _prediction,
    "PublishedLaw": _law,
    "CheckReport": _checks,
}
"""By the name of the answer's type."""
_ELSEWHERE = {
    "Comparison": ("distillplan.render.comparison_view", "comparison_view"),
    "Target": ("distillplan.render.target_view", "target_view"),
    "Crossovers": ("distillplan.render.target_view", "crossover_view"),
    "FitReport": ("distillplan.render.fit_view", "fit_view"),
    "Ensemble": ("distillplan.render.ensemble_view", "ensemble_view"),
    "Estimate": ("distillplan.render.estimate_view", "estimate_view"),
    **dict.fromkeys(
        ("GpuList", "GpuCard", "ModelList", "ModelCard"),
        ("distillplan.render.inventory_view", "inventory_view"),
    ),
}
"""Views of answers whose modules most commands do without."""
