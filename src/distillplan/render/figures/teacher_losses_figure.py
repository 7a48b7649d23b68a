"""A student's loss over its teacher's: `plot teacher`."""

from typing import TYPE_CHECKING, Any

from distillplan.questions.teacher_losses import TaughtBy, TaughtLoss, TeacherLosses
from distillplan.render.figures.house_style import (
    ALONE,
    BEHIND,
    INK,
    NAMES,
    STUDENT_LOSS,
    TAUGHT,
    TEACHER,
    curve,
    finish,
    here,
    law_source,
    legend,
    outside,
    panels,
    thin_out,
)
from distillplan.units.articles import with_article
from distillplan.units.quantities import format_count

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BELOW = 0.4
"""Room for names below the curve, as a share of what is above."""


def teacher_losses_figure(found: TeacherLosses) -> "Figure":
    """The picture."""
    figure, every = panels(1, width=7.2, height=5.2)
    axes = every[0][0]
    points = found.of(TaughtBy.ANY)
    across = [one.teacher_loss for one in points]
    curve(
        axes,
        across,
        [one.student_loss for one in points],
        TAUGHT,
        name=f"{NAMES[TAUGHT]}, by the teacher's loss",
        band=([one.low for one in points], [one.high for one in points]),
        guesses=[one.is_guess for one in points],
    )
    curve(
        axes,
        [across[0], across[-1]],
        [found.supervised_loss] * 2,
        ALONE,
        name=f"{NAMES[ALONE]}: {found.supervised_loss:.3f} nats",
        band=([found.supervised_low] * 2, [found.supervised_high] * 2),
    )
    _helps(axes, found)
    for best in found.of(TaughtBy.BEST):
        axes.plot(
            best.teacher_loss,
            best.student_loss,
            marker=TEACHER.mark,
            markersize=9,
            color=TEACHER.color,
            markeredgecolor="white",
            linestyle="",
            zorder=5,
            label=f"best teacher: {best.teacher_loss:.3f} nats, student {best.student_loss:.3f}",
        )
    axes.set_xlim(across[0], across[-1])
    axes.set_ylim(*_losses_shown(found))
    axes.set_xlabel("loss of the teacher (nats per token; stronger to the left)")
    axes.set_ylabel(STUDENT_LOSS)
    if found.runs_from is not None and found.runs_to is not None:
        outside(axes, found.runs_from, found.runs_to, stand=("top", "bottom"))
    for given in found.of(TaughtBy.GIVEN):
        here(axes, (given.teacher_loss, given.student_loss))
    names = [*axes.texts, *(_model(axes, one) for one in found.of(TaughtBy.OPEN_MODEL))]
    legend(axes, loc=8, bbox_to_anchor=(0.5, 1.0), ncols=2)
    finish(figure, _title(found), _source(found))
    thin_out(figure, names)
    return figure


def _helps(axes: "Axes", found: TeacherLosses) -> None:
    """Shade the gain where it is more than a tie."""
    if found.helps_from is None or found.helps_to is None:
        return
    inside = [
        one
        for one in found.of(TaughtBy.ANY)
        if found.helps_from <= one.teacher_loss <= found.helps_to
    ]
    axes.fill_between(
        [one.teacher_loss for one in inside],
        [one.student_loss for one in inside],
        found.supervised_loss,
        facecolor=TAUGHT.color,
        alpha=0.3,
        hatch="....",
        edgecolor=TAUGHT.color,
        linewidth=0,
        label=f"better by more than {found.scenario.tie_nats:g} nats",
    )


def _model(axes: "Axes", one: TaughtLoss) -> Any:
    """An open model on the curve, its name below."""
    place = (one.teacher_loss, one.student_loss)
    axes.plot(*place, marker="o", markersize=5, color=INK, markeredgecolor="white", zorder=4)
    return axes.annotate(
        str(one.name),
        place,
        xytext=(0, -7),
        textcoords="offset points",
        rotation=90,
        ha="center",
        va="top",
        fontsize=7.5,
        color=INK,
        bbox=BEHIND,
    )


def _losses_shown(found: TeacherLosses) -> tuple[float, float]:
    """Ends of the axis of losses."""
    points = found.of(TaughtBy.ANY)
    low = min(one.student_loss if one.low is None else one.low for one in points)
    low = min(low, found.supervised_low or found.supervised_loss)
    high = max(one.student_loss for one in points)
    high = max(high, found.supervised_high or found.supervised_loss)
    return low - BELOW * (high - low), high + 0.05 * (high - low)


def _title(found: TeacherLosses) -> str:
    """Which teachers help, in words."""
    size, tokens = (format_count(one, 2) for one in (found.student_params, found.student_tokens))
    student = with_article(f"{size} student", begins=True)
    who = f"{student} on {tokens} tokens, the teacher's costs aside"
    if found.helps_from is None or found.helps_to is None:
        return f"{who}: no teacher is better than none by more than a tie"
    across = [one.teacher_loss for one in found.of(TaughtBy.ANY)]
    if found.helps_from <= across[0]:
        return f"{who}: teachers up to {found.helps_to:.2f} nats help"
    return f"{who}: teachers of {found.helps_from:.2f} to {found.helps_to:.2f} nats help"


def _source(found: TeacherLosses) -> str:
    parts = [law_source(found.law)]
    if found.supervised_low is not None:
        parts.append("bands: 90%")
    if any(one.is_guess for one in found.points):
        parts.append("pale: a guess")
    if found.best_is_bound:
        parts.append("the best teacher is at a bound of the search (see --bounds)")
    if found.of(TaughtBy.OPEN_MODEL):
        parts.append("open models: the law's losses for their sizes, on the student's text")
    return "; ".join(parts)
