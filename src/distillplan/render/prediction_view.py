"""A prediction for people."""

from collections.abc import Iterator

from distillplan.planning.results import Band
from distillplan.questions.prediction import LossesAsMeasured, Prediction
from distillplan.render.blocks import Block, Headline, Section, Sections, TableBlock, Text, short
from distillplan.render.notice_blocks import (
    first_in_words,
    notice_blocks,
    other_doubts,
    under_headline,
    watching,
)
from distillplan.render.odds_view import nats_band
from distillplan.units.quantities import format_count

_INDENT = 10
"""Columns that the headings and marks in the margin take."""
_WATCH = 5
"""Lines of what to watch at most."""


def prediction_view(found: Prediction) -> Iterator[Block]:
    """A prediction, on one screen."""
    gain, ends = found.gain_nats, found.gain_band
    if gain is None:
        answer = f"Pretrained: {found.supervised_loss:.3f} nats."
        if found.teacher_loss is not None:
            answer += f" {found.law.name} says nothing about distillation."
    else:
        side = "better" if gain > 0 else "worse"
        answer = (
            f"Distilled {found.distilled_loss:.3f} nats, pretrained on the same tokens "
            f"{found.supervised_loss:.3f}: {abs(gain):.3f} {side}, before the teacher's cost."
        )
    yield Headline(answer, "" if ends is None else f"gain, 90%: {_ends(ends, '+')}")
    yield from under_headline(first_in_words(found.warnings))
    yield _losses(found)
    watch = (*_may_be_none(found), *other_doubts(found.warnings))
    yield Sections(
        (
            Section("Worth", tuple(_worth(found))),
            Section("Teacher", tuple(_teacher(found))),
            Section("10% more", tuple(_more(found))),
            watching(short(watch, _WATCH, indent=_INDENT)),
        )
    )
    yield Text(_asked(found), "quiet")
    cost = "; costs: distillplan budget" if gain is not None else ""
    yield Text(
        f"Law {found.law.name}. More: --details  -o markdown{cost}",
        "quiet",
        tight=True,
    )


def _may_be_none(found: Prediction) -> Iterator[str]:
    """Where the gain may be on the other side on other data."""
    if found.gain_band is not None and found.gain_nats is not None:
        low, high = found.gain_band
        if low < 0 < high:
            what = "gain" if found.gain_nats > 0 else "disadvantage"
            where = "" if found.law.is_own else "on other data than the law's "
            yield f"{where}the {what} may be none: its 90% band holds 0"


def _losses(found: Prediction) -> TableBlock:
    """Both losses with their bands, also in the unit of the runs behind the law."""
    own = found.as_measured
    rows = [_loss("pretrain", found.supervised_loss, found.supervised_loss_band)]
    if found.distilled_loss is not None:
        rows.append(_loss("distill", found.distilled_loss, found.distilled_loss_band))
    columns: tuple[str, ...] = ("", "nats per token", "90%")
    if own is not None:
        columns = (*columns, own.unit.value, "90%")
        told = [(own.supervised_loss, own.supervised_loss_band)]
        if own.distilled_loss is not None:
            told.append((own.distilled_loss, own.distilled_loss_band))
        rows = [(*row, *_loss("", *one)[1:]) for row, one in zip(rows, told, strict=True)]
    table = TableBlock("", columns, tuple(rows))
    empty = [at for at in range(1, len(columns)) if not any(row[at] for row in rows)]
    return table.without(empty) if empty else table


def _loss(name: str, loss: float, ends: Band | None) -> tuple[str, ...]:
    return (name, f"{loss:.3f}", "" if ends is None else _ends(ends))


def _ends(ends: Band, sign: str = "") -> str:
    low, high = ends
    return f"{low:{sign}.3f} to {high:{sign}.3f}"


def _worth(found: Prediction) -> Iterator[str]:
    """The gain in tokens."""
    if found.gain_nats is None:
        return
    tokens = found.supervised_equivalent_tokens
    if tokens is None:
        yield "No number of tokens brings pretraining to the distilled loss."
        return
    times = tokens / found.student_tokens
    yield (
        f"Distilling on {format_count(found.student_tokens)} tokens is as good as pretraining on "
        f"{format_count(tokens)}, {times:.3g} times as many."
    )


def _teacher(found: Prediction) -> Iterator[str]:
    """What the best teacher would bring."""
    if found.best_teacher_loss is not None and found.loss_with_best_teacher is not None:
        yield (
            f"Best for this student: one of {found.best_teacher_loss:.3f} nats, which brings it to "
            f"{found.loss_with_best_teacher:.3f}."
        )


def _more(found: Prediction) -> Iterator[str]:
    """What more of each input changes."""
    changes = (
        f"{name.replace('_', ' ').replace('params', 'parameters')} {change:+.3f}"
        for name, change in found.by_10_percent.items()
    )
    yield f"The loss changes by: {', '.join(changes)}."


def _asked(found: Prediction) -> str:
    """What the numbers are of."""
    sizes = format_count(found.student_params), format_count(found.student_tokens)
    parts = ["Student of {} parameters on {} tokens".format(*sizes)]
    if found.teacher_loss is not None:
        parts.append(f"teacher of {found.teacher_loss:.3f} nats")
    if found.supervised_loss_band is not None:
        parts.append(f"90%: {_bands(found, 'if the law holds')}")
    return f"{'; '.join(parts)}."


def _bands(found: Prediction, alike: str) -> str:
    """What the bands allow for: of the gain other data, unless the law is of one's own runs."""
    if found.gain_band is None:
        return f"of losses {alike}"
    if found.law.is_own:
        return f"of losses and the gain {alike}"
    return f"of losses {alike}, of the gain on any data"


def prediction_details(found: Prediction) -> Iterator[Block]:
    """A prediction: every number."""
    student = f"{format_count(found.student_params)} parameters"
    tokens = f"{format_count(found.student_tokens)} tokens"
    if found.distilled_loss is None or found.gain_nats is None:
        own = found.as_measured
        told = "" if own is None else f" ({own.supervised_loss:.4f} {own.unit})"
        yield Text(
            f"{found.supervised_loss:.4f} nats{told} pretrained: {student} on {tokens}.", "verdict"
        )
    else:
        side = "better" if found.gain_nats > 0 else "worse"
        yield Text(
            f"{found.distilled_loss:.4f} nats distilled, {abs(found.gain_nats):.4f} {side} than "
            f"pretraining: {student} on {tokens}, teacher of {found.teacher_loss:.3f} nats.",
            "verdict",
        )
    rows = [
        ("pretrained loss", f"{found.supervised_loss:.4f}", nats_band(found.supervised_loss_band))
    ]
    if found.distilled_loss is not None:
        equivalent = _tokens(found.supervised_equivalent_tokens)
        rows += [
            ("distilled loss", f"{found.distilled_loss:.4f}", nats_band(found.distilled_loss_band)),
            ("gain over pretraining", f"{found.gain_nats:+.4f}", nats_band(found.gain_band, "+")),
            ("pretraining with the same loss", equivalent, ""),
        ]
    if found.best_teacher_loss is not None:
        rows += [
            ("best teacher loss for this student", f"{found.best_teacher_loss:.4f}", ""),
            ("distilled loss with that teacher", f"{found.loss_with_best_teacher:.4f}", ""),
        ]
    for name, change in found.by_10_percent.items():
        rows.append((f"change with 10% more {name.replace('_', ' ')}", f"{change:+.4f}", ""))
    yield TableBlock("", ("", "nats per token", "90% band"), tuple(rows))
    if found.as_measured is not None:
        yield TableBlock("", ("", found.as_measured.unit, "90% band"), _measured(found.as_measured))
    if found.gain_band is not None:
        of = _bands(found, "on data like the law's")
        yield Text(f"90% bands: {of}.", "quiet")
    yield from notice_blocks(found.warnings)
    yield Text(f"Law: {found.law.name}. {found.law.source}.", "quiet")


def _measured(found: LossesAsMeasured) -> tuple[tuple[str, ...], ...]:
    """The losses in the unit of the runs behind the law."""
    rows = [("pretrained loss", found.supervised_loss, found.supervised_loss_band)]
    if found.distilled_loss is not None:
        rows.append(("distilled loss", found.distilled_loss, found.distilled_loss_band))
    return tuple((name, f"{value:.4f}", nats_band(ends)) for name, value, ends in rows)


def _tokens(tokens: float | None) -> str:
    return "none" if tokens is None else f"{format_count(tokens)} tokens"
