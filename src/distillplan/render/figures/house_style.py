"""The one style of all pictures: colors, lines, names, ranges, and where a picture comes from.

The colors are those of Okabe and Ito, which color-blind readers tell apart; lines and marks differ
as well, so that a picture can be read in gray.
"""

import textwrap
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from distillplan.accounting import SUPERVISED_SHOWN, WHO_PAYS
from distillplan.laws.provenance import PublishedLaw
from distillplan.named_tuples import NamedTuple
from distillplan.planning.scenario import Scenario
from distillplan.questions.budget_losses import BudgetUnit
from distillplan.units.articles import with_article
from distillplan.units.quantities import format_count, format_flops

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Text

INK, QUIET, PALE = "#222222", "#666666", "#e9e9e9"
"""Text and axes; what is said beside; what lies outside the fitted range."""


class Stroke(NamedTuple):
    """How one kind of thing is drawn, everywhere."""

    color: str
    dash: str | tuple[int, tuple[int, ...]]
    mark: str


ALONE = Stroke(color="#0072B2", dash="-", mark="o")
"""Training from data alone."""
TAUGHT = Stroke(color="#D55E00", dash="--", mark="s")
"""Distilling."""
TEACHER = Stroke(color="#009E73", dash=":", mark="^")
"""The teacher."""
OTHER = Stroke(color="#CC79A7", dash="-.", mark="D")
STROKES = (
    *(ALONE, TAUGHT, TEACHER, OTHER),
    Stroke(color="#E69F00", dash=(0, (5, 1, 1, 1, 1, 1)), mark="v"),
    Stroke(color="#56B4E9", dash=(0, (1, 1)), mark="P"),
)
"""Of several things of one kind, in their order."""
NAMES = {ALONE: SUPERVISED_SHOWN, TAUGHT: "distill"}
STUDENT_LOSS, GAIN = "loss of the student (nats per token)", "gain of distilling (nats per token)"
"""What axes show."""
NOTHING = float("nan")
"""Where a line is broken."""
PANEL_WIDTH, PANEL_HEIGHT = 5.2, 4.4
"""Inches."""
GAP = 0.1
"""Beside each panel, so that the ends of its axis are apart from those of the next; inches."""
LETTERS_AN_INCH = 18
"""Of the source below a figure."""
AT_EDGE = 0.22
"""Share of the panel's width or height from an edge, within which words stand on the other side."""
LEAST_STRIP = 0.04
"""Width of a strip that words stand in, as a share of the panel's."""
NAMED: dict[str, Any] = {
    "textcoords": "offset points",
    "fontsize": 8,
    "color": INK,
    "annotation_clip": False,
}
"""How names stand in a picture."""
BEHIND: dict[str, Any] = {"facecolor": "white", "alpha": 0.7, "linewidth": 0, "pad": 1.5}
"""Behind words on colors."""


def panels(
    columns: int, rows: int = 1, *, width: float = PANEL_WIDTH, height: float = PANEL_HEIGHT
) -> "tuple[Figure, Any]":
    """An empty figure and its panels of a size in inches, an array of shape (rows, columns)."""
    from matplotlib.figure import Figure  # only for those who draw
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    size = (0.8 + width * columns, height * rows)
    figure = Figure(figsize=size, layout=ConstrainedLayoutEngine(w_pad=GAP))
    every = figure.subplots(rows, columns, squeeze=False)
    for axes in every.flat:
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(colors=INK, labelsize=8)
        axes.xaxis.label.set_size(9)
        axes.yaxis.label.set_size(9)
    return figure, every


def finish(figure: "Figure", title: str, source: str) -> "Figure":
    """The figure with what it shows above it, and where it comes from below."""
    figure.suptitle(title, fontsize=10.5, color=INK, wrap=True)
    figure.supxlabel(source, fontsize=7, color=QUIET, x=0.01, ha="left", wrap=True)
    return figure


def notes_below(figure: "Figure", *notes: str) -> str:
    """Notes in lines that the figure is wide enough for, each beginning its own."""
    width = int(LETTERS_AN_INCH * figure.get_figwidth())
    return "\n".join(line for note in notes for line in textwrap.wrap(note, width))


def asked(scenario: Scenario) -> str:
    """The student, its teacher and who pays for it, in words."""
    student = scenario.student_params
    who = "The best student"
    if student is not None:
        who = with_article(f"{format_count(student, 2)} student", begins=True)
    return f"{who} and {_teacher(scenario)} ({WHO_PAYS[scenario.pays]})"


def _teacher(scenario: Scenario) -> str:
    """Who teaches, in words: by its name, its sizes, or its loss."""
    teacher = scenario.teacher
    if teacher is None:
        return "the best teacher"
    if teacher.model is not None:
        return teacher.model.name
    if teacher.loss is not None or teacher.params is None or teacher.tokens is None:
        return f"a teacher of {scenario.teacher_loss:.3f} nats"
    sizes = f"{format_count(teacher.params, 2)}:{format_count(teacher.tokens, 2)}"
    return with_article(f"{sizes} teacher")


def teaching(scenario: Scenario, whom: str = "") -> str:
    """Who teaches and who pays for it, in words.

    Args:
        scenario: the question.
        whom: the student in words; empty where that is clear.
    """
    who = _teacher(scenario)
    return f"Distilling {whom}{' ' * bool(whom)}from {who} ({WHO_PAYS[scenario.pays]})"


def law_source(law: PublishedLaw) -> str:
    """Where the numbers of a law come from."""
    return f"law {law.name}: {law.source}"


def flops_axis(axes: "Axes", words: str = "budget (FLOPs)") -> None:
    """A logarithmic horizontal axis of FLOPs."""
    _log_axis(axes.xaxis, words, format_flops)


def budget_axis(axes: "Axes", unit: BudgetUnit, machine: str | None) -> None:
    """A logarithmic horizontal axis of budgets, in FLOPs or in GPU-hours of a machine."""
    if unit is BudgetUnit.FLOPS:
        flops_axis(axes)
    else:
        counts_axis(axes.xaxis, f"budget (GPU-hours, {machine})")


def counts_axis(axis: Any, words: str) -> None:
    """A logarithmic axis of sizes, tokens, or hours.

    Args:
        axis: `Axes.xaxis` or `Axes.yaxis`.
        words: what it shows, with the unit.
    """
    _log_axis(axis, words, format_count)


def _log_axis(axis: Any, words: str, shown: Callable[[float, int], str]) -> None:
    from matplotlib.ticker import LogLocator, NullLocator  # only for those who draw

    scale = axis.axes.set_xscale if axis.axis_name == "x" else axis.axes.set_yscale
    scale("log")
    axis.set_major_locator(LogLocator(numticks=7))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(lambda value, _: shown(value, 1))
    axis.set_label_text(words)


def curve(
    axes: "Axes",
    across: Sequence[float],
    values: Sequence[float | None],
    stroke: Stroke,
    *,
    name: str,
    band: tuple[Sequence[float | None], Sequence[float | None]] = ((), ()),
    guesses: Sequence[bool] = (),
) -> None:
    """A line with its band; pale where it is a guess, and broken where nothing is known.

    Args:
        axes: where it is drawn.
        across: places along the axis, shape (points,).
        values: None where nothing is known, shape (points,).
        stroke: how.
        name: what the legend calls it.
        band: low and high ends, each of shape (points,); empty for none.
        guesses: which values are guesses, shape (points,); empty where none is.
    """
    known = _with_gaps(values)
    far = guesses or [False] * len(known)
    sure = [NOTHING if guess else one for one, guess in zip(known, far, strict=True)]
    look: dict[str, Any] = {"color": stroke.color, "linestyle": stroke.dash}
    axes.plot(across, known, linewidth=1, alpha=0.45, **look)
    axes.plot(across, sure, linewidth=2, label=name, **look)
    low, high = map(_with_gaps, band)
    if low:
        axes.fill_between(across, low, high, color=stroke.color, alpha=0.15, linewidth=0)


def _with_gaps(values: Sequence[float | None]) -> list[float]:
    return [*map(or_nothing, values)]


def or_nothing(value: float | None) -> float:
    """A number to draw; what draws nothing where there is none."""
    return NOTHING if value is None else value


def here(axes: "Axes", at: tuple[float, float | None]) -> None:
    """A star at the question as asked, where it has a value; else a line down its budget."""
    across, up = at
    if up is None:
        axes.axvline(across, color=QUIET, linewidth=0.8, linestyle=":")
        return
    axes.plot(across, up, marker="*", markersize=13, color="white", markeredgecolor=INK, zorder=6)
    right, high = axes.transAxes.inverted().transform(axes.transData.transform((across, up)))
    at_left, at_foot = right < AT_EDGE, high < AT_EDGE
    axes.annotate(
        "you are here",
        (across, up),
        xytext=(7 if at_left else -7, 9 if at_foot else -9),
        ha="left" if at_left else "right",
        va="bottom" if at_foot else "top",
        zorder=7,
        fontweight="bold",
        bbox=BEHIND,
        **NAMED,
    )


def outside(
    axes: "Axes",
    low: float,
    high: float,
    *,
    words: str = "outside the law's runs",
    stand: tuple[str, str] = ("bottom", "top"),
) -> None:
    """Shade what lies left and right of the range that the law was fitted on.

    Args:
        axes: with its limits set.
        low: left end of the range.
        high: right end of it.
        words: what to call the rest.
        stand: at which end the words are, on the left and on the right; falling curves leave room
            low on the left and high on the right.
    """
    left, right = axes.get_xlim()
    at_left, at_right = stand
    for start, end, at in ((left, min(low, right), at_left), (max(high, left), right, at_right)):
        if start < end:
            axes.axvspan(start, end, color=PALE, zorder=0, linewidth=0)
            _upright(axes, start, end, words, at)
    axes.set_xlim(left, right)


def _upright(axes: "Axes", start: float, end: float, words: str, at: str) -> None:
    """Words that stand upright at an end of a strip, where it is wide enough for a line."""
    left, first, last, right = (
        axes.transData.transform((one, 1.0))[0]
        for one in (axes.get_xlim()[0], start, end, axes.get_xlim()[1])
    )
    if last - first < LEAST_STRIP * (right - left):
        return
    axes.text(
        ((first + last) / 2 - left) / (right - left),
        0.03 if at == "bottom" else 0.97,
        words,
        transform=axes.transAxes,
        rotation=90,
        ha="center",
        va=at,
        fontsize=7,
        color=QUIET,
    )


def legend(axes: "Axes", **how: Any) -> None:
    """What each line is, without a frame."""
    axes.legend(**{"frameon": False, "fontsize": 8, "loc": "best", **how})


def thin_out(figure: "Figure", names: "Sequence[Text]") -> None:
    """Take names away that would stand on others; those that come first stay.

    Args:
        figure: with all that it shows.
        names: the most important first.
    """
    from matplotlib.text import Text  # only for those who draw

    figure.draw_without_rendering()  # which lays it out
    kept: list[Any] = []
    for one in names:
        box = Text.get_window_extent(one)  # an annotation's own has its line in it
        if any(box.overlaps(other) for other in kept):
            one.remove()
        else:
            kept.append(box)
