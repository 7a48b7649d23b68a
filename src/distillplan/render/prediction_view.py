"""A prediction for people."""

from collections.abc import Iterator

from distillplan.questions.prediction import LossesAsMeasured, Prediction
from distillplan.render.blocks import Block, TableBlock, Text
from distillplan.render.notice_blocks import notice_blocks
from distillplan.render.odds_view import nats_band
from distillplan.units import format_count


def prediction_view(found: Prediction) -> Iterator[Block]:
    """The blocks of a prediction."""
    student = f"{format_count(found.student_params)} parameters"
    tokens = f"{format_count(found.student_tokens)} tokens"
    if found.distilled_loss is None or found.gain_nats is None:
        own = found.as_measured
        told = "" if own is None else f" ({own.supervised_loss:.4f} {own.unit})"
        yield Text(
            f"{found.supervised_loss:.4f} nats{told} supervised: {student} on {tokens}.", "verdict"
        )
    else:
        side = "better" if found.gain_nats > 0 else "worse"
        yield Text(
            f"{found.distilled_loss:.4f} nats distilled, {abs(found.gain_nats):.4f} {side} than "
            f"supervised: {student} on {tokens}, teacher of {found.teacher_loss:.3f} nats.",
            "verdict",
        )
    rows = [
        ("supervised loss", f"{found.supervised_loss:.4f}", nats_band(found.supervised_loss_band))
    ]
    if found.distilled_loss is not None:
        equivalent = _tokens(found.supervised_equivalent_tokens)
        rows += [
            ("distilled loss", f"{found.distilled_loss:.4f}", nats_band(found.distilled_loss_band)),
            ("gain over supervised", f"{found.gain_nats:+.4f}", nats_band(found.gain_band, "+")),
            ("supervised training with the same loss", equivalent, ""),
            ("best teacher loss for this student", f"{found.best_teacher_loss:.4f}", ""),
            ("distilled loss with that teacher", f"{found.loss_with_best_teacher:.4f}", ""),
        ]
    for name, change in found.by_10_percent.items():
        rows.append((f"change with 10% more {name.replace('_', ' ')}", f"{change:+.4f}", ""))
    yield TableBlock("", ("", "nats per token", "90% band"), tuple(rows))
    if found.as_measured is not None:
        yield TableBlock("", ("", found.as_measured.unit, "90% band"), _measured(found.as_measured))
    if found.gain_band is not None:
        yield Text(
            "90% bands: of losses, on data like the law's; of the gain, on any data.", "quiet"
        )
    yield from notice_blocks(found.warnings)
    yield Text(f"Law: {found.law.name}. {found.law.source}.", "quiet")


def _measured(found: LossesAsMeasured) -> tuple[tuple[str, ...], ...]:
    """The losses in the unit of the runs behind the law."""
    rows = [("supervised loss", found.supervised_loss, found.supervised_loss_band)]
    if found.distilled_loss is not None:
        rows.append(("distilled loss", found.distilled_loss, found.distilled_loss_band))
    return tuple((name, f"{value:.4f}", nats_band(ends)) for name, value, ends in rows)


def _tokens(tokens: float | None) -> str:
    return "none" if tokens is None else f"{format_count(tokens)} tokens"
