"""A prediction for people."""

from collections.abc import Iterator

from distillplan.questions.prediction import Prediction
from distillplan.render.blocks import Block, TableBlock, Text
from distillplan.render.notice_blocks import notice_blocks
from distillplan.units import format_count


def prediction_view(found: Prediction) -> Iterator[Block]:
    """The blocks of a prediction."""
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
            ("supervised tokens for the same loss", _tokens(found.supervised_equivalent_tokens)),
            ("best teacher loss for this student", f"{found.best_teacher_loss:.4f}"),
            ("distilled loss with that teacher", f"{found.loss_with_best_teacher:.4f}"),
        ]
    for name, change in found.by_10_percent.items():
        rows.append((f"with 10% more {name.replace('_', ' ')}", f"{change:+.4f}"))
    yield TableBlock("", ("", "nats per token"), tuple(rows))
    yield from notice_blocks(found.warnings)
    yield Text(f"Law: {found.law.name}. {found.law.source}.", "quiet")


def _tokens(tokens: float | None) -> str:
    return "none" if tokens is None else format_count(tokens)
