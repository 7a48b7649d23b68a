"""The paper's Figures 6 to 9, redrawn: `plot paper`."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from distillplan.accounting import SUPERVISED_SHOWN, WHO_PAYS
from distillplan.checks.paper_records import PaperAxis, PaperFigure, PaperPart, PaperRow
from distillplan.render.figures.house_style import (
    GAIN,
    INK,
    NAMED,
    PALE,
    QUIET,
    STROKES,
    STUDENT_LOSS,
    Stroke,
    counts_axis,
    curve,
    finish,
    flops_axis,
    law_source,
    legend,
    notes_below,
    or_nothing,
    panels,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

GAINS = 0.18
"""Ends of the colors of gains, as the paper's Figure 6 has them, nats."""
LEVELS = 19
"""Of these colors."""
DODGE = 0.09
"""Between differences at one place, in decades."""
CONTOUR = Stroke(color=INK, dash="-", mark="o")
"""Where a teacher gains nothing."""
READ_OFF: Mapping[int, str] = {
    6: "where a teacher stops helping, over student and tokens",
    7: "the loss of the best teacher",
    8: "the student's loss, by who pays for the teacher",
    9: "the best sizes, where the teacher is trained as well",
}
"""What a figure shows."""
SIZES: Mapping[str, str] = {
    "teacher_params": "teacher (parameters)",
    "student_tokens": "tokens of the student",
    "teacher_tokens": "tokens of the teacher",
}
WAYS = {"supervised": SUPERVISED_SHOWN} | {way.value: words for way, words in WHO_PAYS.items()}


def redrawn_figure(found: PaperFigure) -> "Figure":
    """The picture."""
    figure = _DRAWN[found.figure](found)
    near = f"{found.reading_error:.0%}" if found.relative else f"{found.reading_error:g} nats"
    title = (
        f"Figure {found.figure} of the paper from {found.law.name}: {READ_OFF[found.figure]}\n"
        f"{found.passed} of {found.numbers} numbers within the reading error ({near})"
        f"{'' if found.passed == found.numbers else '; the others are hollow'}"
    )
    return finish(figure, title, _source(found, figure))


def _source(found: PaperFigure, figure: "Figure") -> str:
    """Where the law and the numbers are from, and why some are missed."""
    marks = "read off the paper's figure, with the reading error where it is larger than a mark"
    aside = "" if found.figure == 6 else "differences at one place stand side by side; "
    notes = [f"{law_source(found.law)}; marks: {marks}; {aside}thin lines: outside the law's runs"]
    notes += [
        f"{one.numbers} missed ({one.where}): {one.known}" for one in found.misses if one.known
    ]
    return notes_below(figure, *notes)


def _figure_6(found: PaperFigure) -> "Figure":
    names = list(dict.fromkeys(one.panel for one in found.of(PaperPart.MAP)))
    figure, every = panels(3, (len(names) + 2) // 3, width=4.0, height=3.6)
    drawn = [_gains(axes, found, name) for axes, name in zip(every.flat, names, strict=True)]
    figure.colorbar(
        drawn[0],
        ax=every,
        ticks=[-GAINS, -GAINS / 2, 0, GAINS / 2, GAINS],
        shrink=0.6,
    ).set_label(GAIN, fontsize=9)
    return figure


def _gains(axes: "Axes", found: PaperFigure, name: str) -> Any:
    """The map of one teacher."""
    import numpy as np  # with matplotlib

    rows = found.of(PaperPart.MAP, name)
    across = list(dict.fromkeys(one.across for one in rows))
    up = list(dict.fromkeys(one.up for one in rows))
    gains = np.reshape([one.gain_nats for one in rows], (len(across), len(up))).T
    counts_axis(axes.xaxis, "student (parameters)")
    counts_axis(axes.yaxis, "tokens of the student")
    levels = np.linspace(-GAINS, GAINS, LEVELS)
    drawn = axes.contourf(across, up, gains, levels, cmap="cividis", extend="both")
    _lines(axes, found.of(PaperPart.CURVE, name), {"": CONTOUR})
    _marks(axes, found.of(PaperPart.READ_OFF, name), {"": CONTOUR})
    axes.set_xlim(across[0], across[-1])
    axes.set_ylim(up[0], up[-1])
    axes.set_title(f"teacher of {name}", fontsize=9, color=INK)
    return drawn


def _figure_7(found: PaperFigure) -> "Figure":
    figure, ((top, below),) = panels(2)
    strokes = _strokes(found)
    _lines(top, found.of(PaperPart.CURVE), strokes)
    _marks(top, found.of(PaperPart.READ_OFF), strokes)
    _differences(below, found, found.of(PaperPart.READ_OFF), strokes)
    for axes in (top, below):
        counts_axis(axes.xaxis, "student (parameters)")
    top.set_ylabel("loss of the best teacher (nats per token)")
    _legend(top, strokes, {name: f"{name} tokens" for name in strokes}, loc="lower left")
    return figure


def _figure_8(found: PaperFigure) -> "Figure":
    names = list(dict.fromkeys(one.panel for one in found.of(PaperPart.CURVE)))
    figure, every = panels(len(names), 2, width=3.6, height=3.6)
    strokes = _over_budgets(every, found, names)
    for top, name in zip(every[0], names, strict=True):
        top.set_title(f"student of {name}", fontsize=9, color=INK)
    every[0, 0].set_ylabel(STUDENT_LOSS)
    _legend(every[0, 0], strokes, WAYS, loc="upper right")
    return figure


def _figure_9(found: PaperFigure) -> "Figure":
    names = list(dict.fromkeys(one.panel for one in found.of(PaperPart.CURVE)))
    figure, every = panels(len(names), 2, width=4.0, height=3.4)
    strokes = _over_budgets(every, found, names)
    for top, name in zip(every[0], names, strict=True):
        counts_axis(top.yaxis, SIZES[name])
    _legend(
        every[0, 1], strokes, {name: f"student of {name}" for name in strokes}, loc="upper left"
    )
    return figure


def _over_budgets(every: Any, found: PaperFigure, names: Sequence[str]) -> dict[str, Stroke]:
    """A column for each name: its curves over the budget, and below them the differences."""
    _alike(every[1])
    strokes = _strokes(found)
    for (top, below), name in zip(every.T, names, strict=True):
        reads = found.of(PaperPart.READ_OFF, name)
        _lines(top, found.of(PaperPart.CURVE, name), strokes)
        _marks(top, reads, strokes)
        _differences(below, found, reads, strokes)
        for axes in (top, below):
            flops_axis(axes)
    return strokes


def _alike(row: "Sequence[Axes]") -> None:
    """Give panels the same axes, so that their differences can be compared."""
    for axes in row[1:]:
        axes.sharex(row[0])
        axes.sharey(row[0])


def _strokes(found: PaperFigure) -> dict[str, Stroke]:
    """How each line is drawn."""
    lines = dict.fromkeys(one.line for one in found.of(PaperPart.CURVE))
    return dict(zip(lines, STROKES, strict=False))


def _lines(axes: "Axes", rows: Sequence[PaperRow], strokes: Mapping[str, Stroke]) -> None:
    """The lines of a panel."""
    for name in dict.fromkeys(one.line for one in rows):
        points = [one for one in rows if one.line == name]
        curve(
            axes,
            [one.across for one in points],
            [one.up for one in points],
            strokes[name],
            name=name,
            guesses=[bool(one.outside) for one in points],
        )


def _marks(axes: "Axes", rows: Sequence[PaperRow], strokes: Mapping[str, Stroke]) -> None:
    """What was read off, with its reading error."""
    for one in rows:
        low, high, up = map(or_nothing, (one.low, one.high, one.up))
        across = [low, high] if one.along is PaperAxis.ACROSS else [one.across] * 2
        bar = [up] * 2 if one.along is PaperAxis.ACROSS else [low, high]
        axes.plot(across, bar, color=INK, linewidth=1.2, zorder=4)
        axes.plot(one.across, up, **_mark(strokes[one.line], passed=bool(one.passed)))


def _mark(stroke: Stroke, *, passed: bool) -> dict[str, Any]:
    """A full mark, or a hollow one."""
    return {
        "marker": stroke.mark,
        "markersize": 6.5 if passed else 6,
        "color": stroke.color if passed else "white",
        "markeredgecolor": "white" if passed else stroke.color,
        "markeredgewidth": 0.6 if passed else 1.6,
        "linestyle": "",
        "zorder": 5 if passed else 6,
    }


def _differences(
    axes: "Axes", found: PaperFigure, rows: Sequence[PaperRow], strokes: Mapping[str, Stroke]
) -> None:
    """How far the law is from what was read off, beside the reading error."""
    error, scale = found.reading_error, 100 if found.relative else 1
    axes.axhspan(-error * scale, error * scale, color=PALE, zorder=0, linewidth=0)
    axes.axhline(0, color=QUIET, linewidth=0.8)
    names = list(strokes)
    for one in rows:
        if one.difference is None:
            continue
        aside = 10 ** (DODGE * (names.index(one.line) - (len(names) - 1) / 2))
        look = _mark(strokes[one.line], passed=bool(one.passed))
        place = (one.across * aside, one.difference * scale)
        axes.plot(*place, **look)
        if one.along is PaperAxis.ACROSS:
            axes.annotate(
                "budget of the largest teacher", place, xytext=(6, 0), va="center", **NAMED
            )
    axes.set_ylabel(f"law minus read off ({'%' if found.relative else 'nats'})")


def _legend(
    axes: "Axes", strokes: Mapping[str, Stroke], names: Mapping[str, str], **how: Any
) -> None:
    """What each line is."""
    from matplotlib.lines import Line2D  # only for those who draw

    looks: dict[str, dict[str, Any]] = {
        names[name]: {"color": one.color, "linestyle": one.dash, "marker": one.mark}
        for name, one in strokes.items()
    }
    lines = [Line2D([], [], label=name, **look) for name, look in looks.items()]
    legend(axes, handles=lines, handlelength=4, **how)


_DRAWN: Mapping[int, Callable[[PaperFigure], "Figure"]] = {
    6: _figure_6,
    7: _figure_7,
    8: _figure_8,
    9: _figure_9,
}
