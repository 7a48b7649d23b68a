"""Scenarios side by side: `plot compare`."""

from collections.abc import Callable, Sequence
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from distillplan.planning.results import Band, Option, Plan, Reason
from distillplan.planning.verdict_records import Odds, Verdict
from distillplan.questions.comparison_records import Comparison
from distillplan.render.comparison_details import best_in_words
from distillplan.render.figures.house_style import (
    ALONE,
    GAIN,
    INK,
    NAMED,
    NAMES,
    PALE,
    QUIET,
    STUDENT_LOSS,
    TAUGHT,
    Stroke,
    finish,
    law_source,
    legend,
    panels,
)
from distillplan.render.odds_view import percent
from distillplan.render.plan_words import verdict_in_a_table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH, FRAME = 3.9, 1.9
"""Of a panel, and what the height of the picture takes beside the rows; inches."""
ROW, LINE = 0.42, 0.15
"""Least height of a scenario, and that of a line of its name; inches."""
NAME_WIDTH = 32
"""Characters of a name on one line."""
LANE = 0.19
"""How far the two losses of a scenario are from its middle, in rows."""
LEAST_NAMED = 0.1
"""Odds that have room for their number in the bar."""
PALER = 0.45
"""Opacity of a guess."""
SIDES = {
    Verdict.DISTILL: (TAUGHT.color, "///", "white"),
    Verdict.TIE: (PALE, "", INK),
    Verdict.SUPERVISED: (ALONE.color, "", "white"),
}
"""Color, pattern and color of the number of each part of the odds."""
NOT_WEIGHED = {
    Reason.DISTILLATION_OVER_BUDGET: "the budget is too small to distill",
    Reason.ONLY_ONE_POSSIBLE: "only one is possible",
    Reason.NOTHING_POSSIBLE: "neither is possible",
    Reason.LAW_HAS_NO_DISTILLATION: "the law has no distillation",
    Reason.FAR_OUTSIDE_FIT: "too far outside the law's runs",
    Reason.WORSE_THAN_GUESSING: "guessing would be better",
    Reason.START_HAS_NO_LAW: "no law knows its start",
}
"""Why there are no odds."""


def comparison_figure(found: Comparison) -> "Figure":
    """The picture: a row for each scenario, the first on top."""
    names = [_name(found, one.name) for one in found.plans]
    row = max(ROW, LINE * (1 + max(one.count("\n") + 1 for one in names)))
    figure, every = panels(3, width=WIDTH, height=FRAME + row * len(names))
    losses, gains, odds = every[0]
    for axes in every[0]:
        axes.set_ylim(len(names) - 0.5, -0.5)
        axes.set_yticks(range(len(names)), names if axes is losses else [])
        axes.tick_params(axis="y", length=0)
        for place in range(1, len(names)):
            axes.axhline(place - 0.5, color=PALE, linewidth=0.8, zorder=0)
    for label, one in zip(losses.get_yticklabels(), found.plans, strict=True):
        label.set_fontweight("bold" if one.name == found.winner else "normal")
    _losses(losses, found)
    _gains(gains, found)
    _odds(odds, found)
    return finish(figure, best_in_words(found), _source(found))


def _name(found: Comparison, name: str) -> str:
    """The whole name of a scenario, on as many lines as it takes."""
    marks = " (best)" * (name == found.winner) + " (baseline)" * (name == found.baseline)
    return "\n".join(wrap(f"{name}{marks}", NAME_WIDTH))


def _losses(axes: "Axes", found: Comparison) -> None:
    for place, one in enumerate(found.plans):
        if one.plan.start is not None:  # its options start from scratch
            continue
        for option, stroke, lane in (
            (one.plan.supervised, ALONE, place - LANE),
            (one.plan.deciding, TAUGHT, place + LANE),
        ):
            if option is not None and option.loss is not None:
                _span(axes, lane, option.loss, option.loss_band, stroke, option, "{:.3f}")
    _keys(axes, ALONE, TAUGHT)
    _across(axes, STUDENT_LOSS)
    _baseline(axes, found, _loss_of)


def _loss_of(plan: Plan) -> float | None:
    """Loss of what the verdict says; None for a start from an open model."""
    return None if plan.start is not None else (plan.recommended or plan.supervised).loss


def _gains(axes: "Axes", found: Comparison) -> None:
    ties = {one.plan.scenario.tie_nats for one in found.plans}
    for place, one in enumerate(found.plans):
        gain, option = one.plan.margin_nats, one.plan.deciding
        if gain is not None and option is not None:
            _span(axes, place, gain, option.gain_band, TAUGHT, option, "{:+.3f}")
    if len(ties) == 1:
        (tie,) = ties
        axes.axvspan(-tie, tie, color=PALE, zorder=0, linewidth=0, label=f"a tie (±{tie:g} nats)")
        legend(axes, loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0.2)
    axes.axvline(0, color=QUIET, linewidth=0.8)
    _across(axes, GAIN)
    _baseline(axes, found, lambda plan: plan.margin_nats)


def _span(
    axes: "Axes",
    height: float,
    value: float,
    band: Band | None,
    stroke: Stroke,
    option: Option,
    form: str,
) -> None:
    """A value with its band and its number; hollow and paler where it is a guess."""
    low, high = band or (value, value)
    axes.plot(
        (low, high),
        (height, height),
        color=stroke.color,
        alpha=0.15 if option.is_guess else 0.3,
        linewidth=6,
        solid_capstyle="butt",
    )
    look: dict[str, Any] = {"color": stroke.color, "markersize": 5, "linestyle": ""}
    if option.is_guess:
        look |= {"markerfacecolor": "white", "alpha": PALER}
    axes.plot(value, height, marker=stroke.mark, **look)
    said = f"{form.format(round(value, 3) + 0.0)}{'?' if option.is_guess else ''}"
    axes.annotate(said, (high, height), xytext=(6, 0), va="center", ha="left", **NAMED)


def _keys(axes: "Axes", *strokes: Stroke) -> None:
    """What each mark is, above the panel."""
    for stroke in strokes:
        look: dict[str, Any] = {"color": stroke.color, "marker": stroke.mark, "linestyle": ""}
        axes.plot([], [], label=NAMES[stroke], markersize=5, **look)
    legend(axes, loc="lower left", bbox_to_anchor=(0, 1), ncols=2, borderaxespad=0.2)


def _across(axes: "Axes", words: str) -> None:
    """The axis below, with room for the numbers at the right."""
    axes.set_xlabel(words)
    axes.locator_params(axis="x", nbins=5)
    low, high = axes.get_xlim()
    axes.set_xlim(low, high + 0.2 * (high - low))


def _baseline(axes: "Axes", found: Comparison, value: Callable[[Plan], float | None]) -> None:
    """A line down the value of the baseline."""
    for one in found.plans:
        at = value(one.plan) if one.name == found.baseline else None
        if at is not None:
            axes.axvline(at, color=INK, linewidth=0.8, linestyle=":", zorder=1)


def _odds(axes: "Axes", found: Comparison) -> None:
    look: dict[str, Any] = {"va": "center", "fontsize": 8}
    for place, one in enumerate(found.plans):
        if one.plan.odds is None:
            why = NOT_WEIGHED.get(one.plan.verdict_reason, "")
            axes.text(0.01, place, why, color=QUIET, **look)
        else:
            _stacked(axes, place, one.plan.odds)
        verdict = verdict_in_a_table(one.plan.verdict)
        axes.text(1.02, place, verdict, ha="left", fontweight="bold", color=INK, **look)
    shown = {Verdict.DISTILL: NAMES[TAUGHT], Verdict.TIE: "a tie", Verdict.SUPERVISED: NAMES[ALONE]}
    for side, (color, pattern, _) in SIDES.items():
        axes.barh(0, 0, color=color, hatch=pattern, edgecolor="white", label=shown[side])
    legend(axes, loc="lower left", bbox_to_anchor=(0, 1), ncols=3, borderaxespad=0.2)
    axes.set_xlim(0, 1)
    axes.set_xticks((0, 0.25, 0.5, 0.75, 1), ("0%", "25%", "50%", "75%", "100%"))
    axes.set_xlabel("odds that it is better, and the verdict")


def _stacked(axes: "Axes", place: int, odds: Odds) -> None:
    """The odds of a scenario as one bar, with the number of each part that has room for it."""
    left = 0.0
    for side, (color, pattern, ink) in SIDES.items():
        share = odds.of(side)
        axes.barh(place, share, 0.5, left, color=color, hatch=pattern, edgecolor="white")
        if share >= LEAST_NAMED:
            look: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": 8, "color": ink}
            look["bbox"] = {"facecolor": color, "edgecolor": "none", "pad": 1.2}
            axes.text(left + share / 2, place, percent(share), **look)
        left += share


def _source(found: Comparison) -> str:
    laws: Sequence[str] = list(dict.fromkeys(law_source(one.plan.law) for one in found.plans))
    parts = [*laws, "bars: 90% bands"]
    plans = [one.plan for one in found.plans]
    sides = [side for one in plans for side in (one.supervised, one.deciding)]
    if any(one is not None and one.is_guess for one in sides):
        parts.append("hollow, with ?: a guess, too far outside the law's runs")
    if found.baseline is not None:
        parts.append(f"dotted: {found.baseline}")
    return "; ".join(parts)
