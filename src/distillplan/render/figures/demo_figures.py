"""The pictures of the demonstrations."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from distillplan.demos.calibration import CalibrationDemo, CalibrationRow
from distillplan.demos.demonstrations import Demonstration
from distillplan.demos.kernel_regression import KernelDemo
from distillplan.demos.mapping import MIDDLE, along, best_of
from distillplan.demos.mapping_records import MappingDemo, TeacherAxis
from distillplan.render.demo_views import source, supported, targets_in_words

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Panel: TypeAlias = "Callable[[Axes, Any], None]"

INK, QUIET = "#222222", "#666666"
_SHADES = ("#332288", "#117733", "#CC6677", "#88CCEE", "#DDAA33", "#AA4499")
"""Colors that color-blind readers tell apart (Paul Tol's muted set); marks differ as well."""
_MARKS = ("o", "s", "^", "D", "v", "P")
_LEVELS = (0.0, 1.0)
_BESIDE: dict[str, Any] = {
    "xytext": (6, 0),
    "textcoords": "offset points",
    "va": "center",
    "fontsize": 8,
    "color": INK,
    "annotation_clip": False,
}
"""How a name stands beside the end of its line."""


def demo_figure(found: Demonstration) -> "Figure":
    """The figure of a demonstration; its title is what the numbers support."""
    from matplotlib.figure import Figure  # only for those who draw

    panels: tuple[Panel, ...]
    match found:
        case KernelDemo():
            panels = (_kernel,)
        case MappingDemo():
            panels = (_by_steps, _by_width)
        case CalibrationDemo():
            panels = (_reliability, _errors)
    figure = Figure(figsize=(4.6 + 3.4 * len(panels), 4.6), layout="constrained")
    for panel, axes in zip(panels, figure.subplots(1, len(panels), squeeze=False)[0], strict=True):
        panel(axes, found)
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(colors=INK)
    figure.suptitle(supported(found), fontsize=10, color=INK, wrap=True)
    figure.supxlabel(
        f"{source(found)}; seed {found.seed}", fontsize=7, color=QUIET, x=0.01, ha="left"
    )
    return figure


def _kernel(axes: "Axes", found: KernelDemo) -> None:
    """Errors over the teacher's dimension, as Figure 10 has them."""
    across = [one.teacher_dimension for one in found.points]
    axes.plot(across, [one.teacher_error for one in found.points], color=INK)
    end = found.points[-1]
    axes.annotate("the teacher itself", (across[-1], end.teacher_error), **_BESIDE)
    for at, row in enumerate(found.rows):
        color = _SHADES[at % len(_SHADES)]
        errors = [one.student_errors[at] for one in found.points]
        axes.plot(across, errors, color=color, linestyle="--")
        axes.plot(row.student_dimension, row.least_error, color=color, marker=_mark(at))
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
    axes.plot(across, [one.teacher_loss for one in row], color=INK, linestyle=":")
    axes.annotate("the teacher", (across[-1], row[-1].teacher_loss), **_BESIDE)
    for place, width in enumerate(found.sizes.students):
        color, ones = _SHADES[place], [one.students[place] for one in row]
        axes.plot(across, [one.loss for one in ones], color=color, marker=_mark(place))
        low, high = [one.low for one in ones], [one.high for one in ones]
        axes.fill_between(across, low, high, color=color, alpha=0.2, linewidth=0)
        axes.annotate(f"student {width:,}", (across[-1], ones[-1].loss), **_BESIDE)
    best = best_of(row, MIDDLE)
    at = (across[best], row[best].students[MIDDLE].loss)
    axes.plot(*at, marker="o", markersize=14, fillstyle="none", color=INK)
    axes.annotate("best", at, xytext=(0, -16), textcoords="offset points", ha="center", fontsize=8)


def _reliability(axes: "Axes", found: CalibrationDemo) -> None:
    """How often the first choice is right, over how sure the student is."""
    axes.plot(_LEVELS, _LEVELS, color=QUIET, linewidth=1)
    for at, row in enumerate(found.rows):
        axes.plot(
            [one.confidence for one in row.bins],
            [one.accuracy for one in row.bins],
            color=_SHADES[at % len(_SHADES)],
            marker=_mark(at),
            markersize=4,
            label=targets_in_words(row),
        )
    axes.legend(title="targets", frameon=False, fontsize=8, title_fontsize=8)
    axes.set_xlabel("confidence in the first choice")
    axes.set_ylabel("share of the text in which it comes")


def _errors(axes: "Axes", found: CalibrationDemo) -> None:
    """Calibration errors against the text and against the teacher's first choice."""
    places = range(len(found.rows))
    measures: tuple[tuple[str, str, Callable[[CalibrationRow], float]], ...] = (
        ("the text", _SHADES[0], lambda one: one.ece),
        ("the teacher's first choice", _SHADES[2], lambda one: one.ece_against_teacher),
    )
    for at, (name, color, measure) in enumerate(measures):
        values = [100 * measure(one) for one in found.rows]
        axes.plot(values, places, color=color, marker=_mark(at), linestyle="", label=name)
    axes.set_yticks(places, [targets_in_words(one) for one in found.rows])
    axes.invert_yaxis()
    axes.set_xlim(left=0)
    axes.legend(title="against", frameon=False, fontsize=8, title_fontsize=8)
    axes.set_xlabel("expected calibration error (%)")


def _mark(at: int) -> str:
    return _MARKS[at % len(_MARKS)]
