"""The pictures of the demonstrations."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from distillplan.demos.calibration import CalibrationDemo, CalibrationRow
from distillplan.demos.demonstrations import Demonstration
from distillplan.demos.kernel_regression import KernelDemo
from distillplan.demos.mapping import MIDDLE, along, best_of
from distillplan.demos.mapping_records import MappingDemo, TeacherAxis
from distillplan.render.demo_views import source, supported, targets_in_words
from distillplan.render.figures.house_style import (
    INK,
    NAMED,
    QUIET,
    STROKES,
    TEACHER,
    Stroke,
    finish,
    legend,
)
from distillplan.render.figures.house_style import panels as empty_panels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Panel: TypeAlias = "Callable[[Axes, Any], None]"

_LEVELS = (0.0, 1.0)
_BESIDE: dict[str, Any] = {"xytext": (6, 0), "va": "center", **NAMED}
"""How a name stands beside the end of its line."""


def demo_figure(found: Demonstration) -> "Figure":
    """The figure of a demonstration; its title is what the numbers support."""
    panels: tuple[Panel, ...]
    match found:
        case KernelDemo():
            panels = (_kernel,)
        case MappingDemo():
            panels = (_by_steps, _by_width)
        case CalibrationDemo():
            panels = (_reliability, _errors)
    figure, every = empty_panels(len(panels))
    for panel, axes in zip(panels, every[0], strict=True):
        panel(axes, found)
    return finish(figure, supported(found), f"{source(found)}; seed {found.seed}")


def _kernel(axes: "Axes", found: KernelDemo) -> None:
    """Errors over the teacher's dimension, as Figure 10 has them."""
    across = [one.teacher_dimension for one in found.points]
    axes.plot(across, [one.teacher_error for one in found.points], color=INK)
    end = found.points[-1]
    axes.annotate("the teacher itself", (across[-1], end.teacher_error), **_BESIDE)
    for at, row in enumerate(found.rows):
        stroke = _stroke(at)
        errors = [one.student_errors[at] for one in found.points]
        axes.plot(across, errors, color=stroke.color, linestyle="--")
        axes.plot(row.student_dimension, row.least_error, color=stroke.color, marker=stroke.mark)
        name = f"student of {row.student_dimension:,}"
        axes.annotate(name, (across[-1], errors[-1]), **_BESIDE)
    axes.set_xlabel("dimension of the teacher (marks: that of the student)")
    axes.set_ylabel("distance from the target")


def _by_steps(axes: "Axes", found: MappingDemo) -> None:
    _students(axes, found, TeacherAxis.STEPS)
    axes.set_xlabel("steps of the teacher's training")
    axes.set_ylabel("cross-entropy of the student (nats)")


def _by_width(axes: "Axes", found: MappingDemo) -> None:
    _students(axes, found, TeacherAxis.WIDTH)
    axes.set_xlabel("width of the teacher")


def _students(axes: "Axes", found: MappingDemo, axis: TeacherAxis) -> None:
    """Students over their teachers, as Figures 11 and 12 have them: medians and quartiles."""
    row = along(found.points, axis)
    steps = axis is TeacherAxis.STEPS
    across = [one.teacher_steps if steps else one.teacher_width for one in row]
    axes.set_xscale("log", base=2)
    axes.set_xticks(across, [f"{one:,}" for one in across])
    axes.minorticks_off()
    axes.plot(
        across, [one.teacher_loss for one in row], color=TEACHER.color, linestyle=TEACHER.dash
    )
    axes.annotate("the teacher", (across[-1], row[-1].teacher_loss), **_BESIDE)
    for place, width in enumerate(found.sizes.students):
        stroke, ones = _stroke(place), [one.students[place] for one in row]
        losses = [one.loss for one in ones]
        axes.plot(across, losses, color=stroke.color, marker=stroke.mark)
        low, high = [one.low for one in ones], [one.high for one in ones]
        axes.fill_between(across, low, high, color=stroke.color, alpha=0.2, linewidth=0)
        axes.annotate(f"student {width:,}", (across[-1], ones[-1].loss), **_BESIDE)
    best = best_of(row, MIDDLE)
    at = (across[best], row[best].students[MIDDLE].loss)
    axes.plot(*at, marker="o", markersize=14, fillstyle="none", color=INK)
    axes.annotate("best", at, xytext=(0, -16), textcoords="offset points", ha="center", fontsize=8)


def _reliability(axes: "Axes", found: CalibrationDemo) -> None:
    """How often the first choice is right, over how sure the student is."""
    axes.plot(_LEVELS, _LEVELS, color=QUIET, linewidth=1)
    for at, row in enumerate(found.rows):
        stroke = _stroke(at)
        axes.plot(
            [one.confidence for one in row.bins],
            [one.accuracy for one in row.bins],
            color=stroke.color,
            marker=stroke.mark,
            markersize=4,
            label=targets_in_words(row),
        )
    legend(axes, title="targets", title_fontsize=8)
    axes.set_xlabel("confidence in the first choice")
    axes.set_ylabel("share of the text in which it comes")


def _errors(axes: "Axes", found: CalibrationDemo) -> None:
    """Calibration errors against the text and against the teacher's first choice."""
    places = range(len(found.rows))
    measures: tuple[tuple[str, Callable[[CalibrationRow], float]], ...] = (
        ("against the text", lambda one: one.ece),
        ("against the teacher's first choice", lambda one: one.ece_against_teacher),
    )
    for at, (name, measure) in enumerate(measures):
        stroke, values = _stroke(at), [100 * measure(one) for one in found.rows]
        look: dict[str, Any] = {"color": stroke.color, "marker": stroke.mark, "linestyle": ""}
        axes.plot(values, places, label=name, **look)
    axes.set_yticks(places, [targets_in_words(one) for one in found.rows])
    axes.invert_yaxis()
    axes.set_xlim(left=0)
    legend(axes, loc="lower left", bbox_to_anchor=(0, 1), ncols=2)
    axes.set_xlabel("expected calibration error (%)")


def _stroke(at: int) -> Stroke:
    return STROKES[at % len(STROKES)]
