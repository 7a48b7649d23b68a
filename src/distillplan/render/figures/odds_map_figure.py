"""Where distilling wins, over budgets and student sizes: `plot map`."""

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby, pairwise
from typing import TYPE_CHECKING, Any

from distillplan.planning.results import Reason
from distillplan.planning.verdict_records import Verdict
from distillplan.questions.budget_losses import BudgetUnit
from distillplan.questions.odds_map import OddsCell, OddsMap
from distillplan.render.figures.house_style import (
    ALONE,
    BEHIND,
    INK,
    NAMES,
    PALE,
    QUIET,
    TAUGHT,
    Stroke,
    budget_axis,
    counts_axis,
    finish,
    here,
    law_source,
    legend,
    or_nothing,
    panels,
    teaching,
    thin_out,
)
from distillplan.units.quantities import format_count, format_flops

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Text

LEVELS = (0.5, 0.9)
"""Odds at which a side has a line."""
HATCH = "////"
SILENT = "no verdict"
WHY_SILENT = {
    Reason.FAR_OUTSIDE_FIT: "too far from the law's runs",
    Reason.WORSE_THAN_GUESSING: "no better than guessing",
    Reason.NOTHING_POSSIBLE: "nothing fits",
    None: "trains no such student",
}
"""Why cells have no verdict."""


def odds_map_figure(found: OddsMap) -> "Figure":
    """The picture."""
    figure, every = panels(1, width=6.4, height=5.6)
    axes = every[0][0]
    budget_axis(axes, found.unit, found.machine)
    counts_axis(axes.yaxis, "student (parameters)")
    shades = _shades(axes, found)
    scale = figure.colorbar(shades, ax=axes, shrink=0.8, aspect=28, pad=0.02)
    scale.set_ticks([-1, -0.5, 0, 0.5, 1], labels=["-100%", "-50%", "even", "+50%", "+100%"])
    scale.ax.tick_params(labelsize=7, colors=INK)
    scale.set_label(f"odds: {NAMES[TAUGHT]} minus {NAMES[ALONE]}", size=8)
    names = [*_here(axes, found), *_regions(axes, found)]
    keys: list[Any] = []
    for side, stroke in (("odds_supervised", ALONE), ("odds_distill", TAUGHT)):
        labels = _odds_lines(axes, found, side, stroke)
        if labels:
            keys.append(_line(stroke.dash, f"{NAMES[stroke]}: odds of 50% (thick), 90% (thin)"))
        names += labels
    keys += [*_runs(axes, found), *_silent(axes, found)]
    legend(axes, handles=keys, loc=9, bbox_to_anchor=(0.5, -0.13), ncols=2)
    finish(figure, _title(found), _source(found))
    thin_out(figure, names)
    return figure


def _shades(axes: "Axes", found: OddsMap) -> Any:
    """The cells, and the limits of the axes with them."""
    from matplotlib.colors import LinearSegmentedColormap  # only for those who draw

    across, up = _edges(found.budgets), _edges(found.sizes)
    shades = axes.pcolormesh(
        across,
        up,
        [[or_nothing(one.shade) for one in row] for row in found.rows],
        cmap=LinearSegmentedColormap.from_list("odds", [ALONE.color, "white", TAUGHT.color]),
        vmin=-1,
        vmax=1,
        edgecolors="face",
        linewidth=0.2,
    )
    axes.set_xlim(across[0], across[-1])
    axes.set_ylim(up[0], up[-1])
    return shades


def _edges(middles: Sequence[float]) -> list[float]:
    """Ends of cells around places on a logarithmic axis."""
    between = [math.sqrt(low * high) for low, high in pairwise(middles)]
    first, last = middles[0] ** 2 / between[0], middles[-1] ** 2 / between[-1]
    return [first, *between, last]


def _odds_lines(axes: "Axes", found: OddsMap, side: str, stroke: Stroke) -> "list[Text]":
    """Lines of equal odds of one side, and their labels."""
    odds = [[or_nothing(getattr(one, side)) for one in row] for row in found.rows]
    if not any(low <= level < high for level in LEVELS for low, high in [_ends(odds)]):
        return []
    lines = axes.contour(
        found.budgets,
        found.sizes,
        odds,
        levels=LEVELS,
        colors=INK,
        linestyles=[stroke.dash],
        linewidths=[1.6, 0.8],
    )
    labels = axes.clabel(lines, inline=False, fmt=lambda level: f"{level:.0%}", fontsize=7)
    for one in labels:
        one.set_bbox(BEHIND)
    return list(labels)


def _ends(rows: Sequence[Sequence[float]]) -> tuple[float, float]:
    known = [one for row in rows for one in row if not math.isnan(one)]
    return (min(known), max(known)) if known else (0.0, 0.0)


def _runs(axes: "Axes", found: OddsMap) -> Iterator[Any]:
    """The outline of the law's runs; the key of its line where it is in the picture."""
    from matplotlib.patheffects import Normal  # only for those who draw
    from matplotlib.patheffects import Stroke as Halo

    rooms = [[or_nothing(one.room) for one in row] for row in found.rows]
    least, most = _ends(rooms)
    if least < 0 <= most:
        line = axes.contour(
            found.budgets,
            found.sizes,
            rooms,
            levels=[0.0],
            colors=INK,
            linestyles=["dotted"],
            linewidths=[2.0],
        )
        line.set_path_effects([Halo(linewidth=3.5, foreground="white", alpha=0.6), Normal()])
        yield _line(":", "outline: within the law's runs", linewidth=2.0)


def _silent(axes: "Axes", found: OddsMap) -> Iterator[Any]:
    """The cells without a verdict, hatched; their key where there are any."""
    from matplotlib.collections import PolyCollection  # only for those who draw
    from matplotlib.patches import Patch

    across, up = _edges(found.budgets), _edges(found.sizes)
    boxes = []
    for (low, high), row in zip(pairwise(up), found.rows, strict=True):
        place = 0
        for silent, some in groupby(row, lambda one: one.verdict is None):
            many = len(list(some))
            left, right = across[place], across[place + many]
            place += many
            if silent:
                boxes.append([(left, low), (right, low), (right, high), (left, high)])
    if boxes:
        look: dict[str, Any] = {"facecolor": PALE, "edgecolor": "#aaaaaa", "hatch": HATCH}
        axes.add_collection(PolyCollection(boxes, linewidth=0, zorder=1.5, **look))
        yield Patch(label=SILENT, linewidth=0, **look)


def _line(dash: Any, name: str, *, linewidth: float = 1.6) -> Any:
    from matplotlib.lines import Line2D  # only for those who draw

    return Line2D([], [], color=INK, linestyle=dash, linewidth=linewidth, label=name)


def _here(axes: "Axes", found: OddsMap) -> "list[Text]":
    """The question itself: a star, or a line where it has one of both only."""
    if found.here_budget is not None:
        here(axes, (found.here_budget, found.here_student))
    elif found.here_student is not None:
        axes.axhline(found.here_student, color=QUIET, linewidth=0.8, linestyle=":")
    return list(axes.texts)


def _regions(axes: "Axes", found: OddsMap) -> "Iterator[Text]":
    """A word in the middle of where each verdict is, for who sees no colors."""
    words: dict[Any, str] = {
        Verdict.SUPERVISED: NAMES[ALONE],
        Verdict.DISTILL: NAMES[TAUGHT],
        Verdict.TIE: "too close to call",
        None: SILENT,
    }
    for verdict, word in words.items():
        place = _inmost(found, verdict)
        if place is not None:
            yield axes.text(
                place.budget,
                place.student_params,
                word,
                ha="center",
                va="center",
                fontsize=9,
                color=INK,
                bbox=BEHIND,
                zorder=5,
            )


def _inmost(found: OddsMap, verdict: Verdict | None) -> OddsCell | None:
    """The cell that is farthest from other verdicts and from the edges; None where it is thin."""
    rows = found.rows
    others = [
        (column, row)
        for row in range(-1, len(rows) + 1)
        for column in range(-1, len(found.budgets) + 1)
        if not (0 <= row < len(rows) and 0 <= column < len(found.budgets))
        or rows[row][column].verdict is not verdict
    ]
    best, farthest = None, 1.0
    for row, cells in enumerate(rows):
        for column, cell in enumerate(cells):
            if cell.verdict is not verdict:
                continue
            # words are wider than high, so what is left and right counts as nearer
            room = min(math.hypot((column - x) / 2, row - y) for x, y in others)
            if room > farthest:
                best, farthest = cell, room
    return best


def _title(found: OddsMap) -> str:
    """Where distilling wins, in words."""
    what = teaching(found.scenario)
    wins = [one for one in found.cells if one.verdict is Verdict.DISTILL]
    if not wins:
        return f"{what} is nowhere the clear choice here"
    if all(one.verdict in (Verdict.DISTILL, None) for one in found.cells):
        return f"{what} wins wherever there is a verdict"
    budgets, sizes = ([getattr(one, name) for one in wins] for name in ("budget", "student_params"))
    is_flops = found.unit is BudgetUnit.FLOPS
    unit = "FLOPs" if is_flops else "GPU-hours"
    within = [
        *_within(budgets, found.budgets, format_flops if is_flops else format_count, f" {unit}"),
        *(f"for students {one}" for one in _within(sizes, found.sizes, format_count)),
    ]
    if not within:
        return f"{what} wins in parts of the map"
    return f"{what} wins only in parts of the map, {' and '.join(within)}"


def _within(
    some: Sequence[float], every: Sequence[float], shown: Callable[..., str], unit: str = ""
) -> Iterator[str]:
    """Between which ends some places of an axis are; nothing where they reach all along it."""
    low, high = min(some), max(some)
    if low > every[0] and high < every[-1]:
        yield f"from {shown(low, 2)} to {shown(high, 2)}{unit}"
    elif low > every[0]:
        yield f"from {shown(low, 2)}{unit} on"
    elif high < every[-1]:
        yield f"up to {shown(high, 2)}{unit}"


def _source(found: OddsMap) -> str:
    parts = [law_source(found.law)]
    reasons = [one.verdict_reason for one in found.cells if one.verdict is None]
    if reasons:
        each = sorted({WHY_SILENT[one] for one in reasons if one in WHY_SILENT})
        parts.append(f"{SILENT}: {', or '.join(each)}")
    if found.teacher_outside:
        parts.append("the teacher is outside the law's runs")
    if any(one.odds_distill is None and one.verdict is not None for one in found.cells):
        parts.append("full color without lines: one choice alone is possible, no odds are weighed")
    return "; ".join(parts)
