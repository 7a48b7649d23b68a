"""Gains that other laboratories saw beside those predicted: `plot transfer`."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from distillplan.checks.transfer_checks import EVEN, CaseOutcome, TransferReport, TransferRow
from distillplan.render.figures.house_style import (
    ALONE,
    INK,
    OTHER,
    PALE,
    QUIET,
    TAUGHT,
    TEACHER,
    Stroke,
    finish,
    legend,
    notes_below,
    or_nothing,
    panels,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

OUTCOMES: Mapping[CaseOutcome, Stroke] = {
    CaseOutcome.HIT: ALONE,
    CaseOutcome.MISS: TAUGHT,
    CaseOutcome.UNDECIDED: TEACHER,
    CaseOutcome.NO_VERDICT: OTHER,
}
LINEAR = 0.1
"""Gains up to this are drawn to scale, and larger ones by their logarithm, nats."""
TICKS = (-10.0, -3.0, -1.0, -0.3, -0.1, 0.0, 0.1, 0.3, 1.0, 3.0, 10.0)
LINE = 0.21
"""From one name to the next, in inches."""
HEIGHTS = (16, 7)
"""Of the two panels on the right, in names."""


def transfer_figure(found: TransferReport) -> "Figure":
    """The picture: gains in nats, gains in points of accuracy, and what was only said."""
    nats = [row for row in found.rows if row.seen_nats is not None]
    points = [row for row in found.rows if row.seen_nats is None and row.seen_points is not None]
    said = [row for row in found.rows if row.seen_nats is None and row.seen_points is None]
    figure, ((left, above), (gone, below)) = panels(2, 2, width=6.6, height=3.6)
    grid = left.get_gridspec()
    grid.set_height_ratios(HEIGHTS)
    gone.remove()
    left.set_subplotspec(grid[:, 0])
    figure.draw_without_rendering()  # gives panels the heights that names are set apart by
    _gains(left, nats)
    _odds(above, points, [row.seen_points for row in points], middle=0.0)
    _legend(above)
    above.set_ylabel("gain that was seen (points of accuracy)")
    below.set_ylim(0, 100)
    _odds(below, said, [100 * row.seen_better for row in said], middle=100 * EVEN)
    below.set_ylabel("better, as told\n(chance, %)")
    below.set_xlabel("odds that distilling is better (%)")
    title = (
        f"{found.hits} of {found.hits + found.misses} comparisons of other laboratories came out "
        f"as {found.law} says, {found.misses} did not;\n{found.undecided} more do not exceed their "
        f"own noise, and {found.no_verdict} are too far outside the law's runs for a verdict"
    )
    return finish(figure, title, _source(found, figure))


def _source(found: TransferReport, figure: "Figure") -> str:
    scores = found.brier
    how = (
        f"law {found.law}; across on the left: 90% bands, stated without the comparison; up: one "
        "standard deviation of what was seen; hit: seen inside the band, or on the side that the "
        "odds call; gray: the other side; each comparison and its source: distillplan check "
        "transfer --details"
    )
    honest = (
        f"Brier score of the odds (0 is perfect): {scores.left_out_alone:.3f} stated without the "
        f"comparison, {scores.left_out_with_study:.3f} without its study, {scores.even:.3f} always "
        f"50:50, {scores.release_before:.3f} release 0.1.0"
    )
    return notes_below(figure, how, honest)


def _gains(axes: "Axes", rows: Sequence[TransferRow]) -> None:
    """Gains predicted and seen, in nats."""
    places = [(row.predicted_gain, or_nothing(row.seen_nats)) for row in rows]
    bands = [end for row in rows for end in row.gain_band]
    for axis, scale in ((axes.xaxis, axes.set_xscale), (axes.yaxis, axes.set_yscale)):
        scale("symlog", linthresh=LINEAR)
        axis.set_ticks(TICKS, [f"{one:g}" for one in TICKS])
    for row, (across, up) in zip(rows, places, strict=True):
        color, error = OUTCOMES[row.outcome].color, or_nothing(row.seen_error)
        axes.plot(row.gain_band, (up, up), color=color, linewidth=1.2, alpha=0.6)
        axes.plot((across, across), (up - error, up + error), color=INK, linewidth=1.2)
        axes.plot(across, up, **_look(row.outcome))
    low, high = axes.get_ylim()
    diagonal = (min(*bands, low), max(*bands, high))
    axes.plot(diagonal, diagonal, color=QUIET, linewidth=1, zorder=1)
    axes.set_xlim(*diagonal)
    axes.set_ylim(low, high)
    axes.axhline(0, color=QUIET, linewidth=0.5)
    axes.axvline(0, color=QUIET, linewidth=0.5)
    axes.set_xlabel("gain predicted (nats per token)")
    axes.set_ylabel("gain that was seen (nats per token)")
    _names(axes, places, rows)


def _odds(
    axes: "Axes", rows: Sequence[TransferRow], seen: Sequence[float | None], *, middle: float
) -> None:
    """What was seen over the odds.

    Args:
        axes: where it is drawn.
        rows: the comparisons.
        seen: what is drawn of each.
        middle: where neither side is better.
    """
    places = [(100 * row.odds_better, or_nothing(one)) for row, one in zip(rows, seen, strict=True)]
    for row, (across, up) in zip(rows, places, strict=True):
        error = row.seen_error or 0.0
        axes.plot((across, across), (up - error, up + error), color=INK, linewidth=1.2)
        axes.plot(across, up, **_look(row.outcome))
    low, high = axes.get_ylim()
    for ends, other in (((0, 100 * EVEN), high), ((100 * EVEN, 100), low)):
        axes.fill_between(ends, middle, other, color=PALE, linewidth=0, zorder=0)
    axes.set_xlim(0, 100)
    axes.set_ylim(low, high)
    _names(axes, places, rows)


def _look(outcome: CaseOutcome) -> dict[str, Any]:
    """The mark of an outcome: full where the comparison came out as the law says, else hollow."""
    stroke, full = OUTCOMES[outcome], outcome is CaseOutcome.HIT
    return {
        "marker": stroke.mark,
        "markersize": 7,
        "color": stroke.color if full else "white",
        "markeredgecolor": "white" if full else stroke.color,
        "markeredgewidth": 0.6 if full else 1.6,
        "linestyle": "",
        "zorder": 5,
    }


def _legend(axes: "Axes") -> None:
    """The marks, and the line of those that came out exactly as predicted."""
    from matplotlib.lines import Line2D  # only for those who draw

    marks = [Line2D([], [], label=one, **_look(one)) for one in CaseOutcome]
    line = Line2D([], [], color=QUIET, linewidth=1, label="seen as predicted")
    legend(axes, handles=[*marks, line], loc="upper left")


def _names(
    axes: "Axes", places: Sequence[tuple[float, float]], rows: Sequence[TransferRow]
) -> None:
    """Names beside a panel, each with a line to its mark."""
    gap = LINE / axes.bbox.transformed(axes.figure.dpi_scale_trans.inverted()).height
    to_share = axes.transData + axes.transAxes.inverted()
    heights = [to_share.transform(place)[1] for place in places]
    for row, place, height in zip(rows, places, _spread(heights, gap), strict=True):
        axes.annotate(
            f"{row.study}: {row.name}",
            place,
            xytext=(1.03, height),
            textcoords=axes.transAxes,
            va="center",
            fontsize=7,
            color=INK,
            annotation_clip=False,
            arrowprops={
                "arrowstyle": "-",
                "color": QUIET,
                "linewidth": 0.5,
                "alpha": 0.6,
                "relpos": (0, 0.5),
                "shrinkB": 4,
            },
        )


def _spread(places: Sequence[float], least: float) -> list[float]:
    """Places moved apart as little as keeps them apart, in their order.

    >>> _spread([1.0, 1.0, 5.0], 2.0)
    [0.0, 2.0, 5.0]
    """
    order = sorted(range(len(places)), key=places.__getitem__)
    groups: list[tuple[list[int], float]] = []
    for one in order:
        group, middle = [one], places[one]
        while groups:
            others, before = groups[-1]
            if middle - before >= least * (len(group) + len(others)) / 2:
                break
            groups.pop()
            group = others + group
            middle = sum(places[each] for each in group) / len(group)
        groups.append((group, middle))
    found = [0.0] * len(places)
    for group, middle in groups:
        for step, each in enumerate(group):
            found[each] = middle + least * (step - (len(group) - 1) / 2)
    return found
