"""Both losses over the budget: `plot losses`."""

from typing import TYPE_CHECKING

from distillplan.planning.verdict_records import Verdict
from distillplan.questions.budget_losses import BudgetLosses, LossPanel
from distillplan.render.figures.house_style import (
    ALONE,
    NAMES,
    STUDENT_LOSS,
    TAUGHT,
    asked,
    budget_axis,
    curve,
    finish,
    here,
    law_source,
    legend,
    outside,
    panels,
)
from distillplan.units.quantities import format_flops

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_ABOVE = 4.0
"""Losses this many times as far above the least as the middle of the curve are not shown: where the
law is so steep, all else would be flat."""


def losses_figure(found: BudgetLosses) -> "Figure":
    """The picture."""
    figure, every = panels(len(found.panels))
    for axes, panel in zip(every[0], found.panels, strict=True):
        _losses(axes, found, panel)
    return finish(figure, f"{asked(found.scenario)}: {_where(found.panels[0])}", _source(found))


def _losses(axes: "Axes", found: BudgetLosses, panel: LossPanel) -> None:
    across = [one.budget for one in panel.points]
    budget_axis(axes, panel.unit, found.machine)
    for side, stroke in (("supervised", ALONE), ("distilled", TAUGHT)):
        values = {
            name: [getattr(one, f"{side}_{name}") for one in panel.points]
            for name in ("loss", "low", "high", "is_guess")
        }
        curve(
            axes,
            across,
            values["loss"],
            stroke,
            name=NAMES[stroke],
            band=(values["low"], values["high"]),
            guesses=values["is_guess"],
        )
    axes.set_ylabel(STUDENT_LOSS)
    axes.set_xlim(across[0], across[-1])
    axes.set_ylim(*_losses_shown(panel))
    outside(axes, *panel.runs)
    if panel.here is not None:
        here(axes, (panel.here.budget, panel.here.supervised_loss))
    legend(axes, loc=9)


def _losses_shown(panel: LossPanel) -> tuple[float, float]:
    """Ends of the axis of losses."""
    losses = sorted(
        one
        for point in panel.points
        for one in (point.supervised_loss, point.distilled_loss)
        if one is not None
    )
    least, middle = losses[0], losses[len(losses) // 2]
    high = min(losses[-1], least + MOST_ABOVE * max(middle - least, 0.05))
    room = 0.06 * (high - least)
    return least - room, high + room


def _where(panel: LossPanel) -> str:
    """At which budgets distilling wins, in words."""
    wins = [one.verdict is Verdict.DISTILL for one in panel.points]
    if not any(wins):
        return "distilling is nowhere the clear choice here"
    first, last = wins.index(True), len(wins) - 1 - wins[::-1].index(True)
    low, high = (format_flops(panel.points[place].budget, 2) for place in (first, last))
    if not all(wins[first : last + 1]):
        return f"distilling wins in parts from {low} to {high} FLOPs"
    if first == 0 and last == len(wins) - 1:
        return "distilling wins all along"
    if first == 0 or panel.points[first - 1].verdict is None:
        return f"distilling wins up to about {high} FLOPs"
    if last == len(wins) - 1:
        return f"distilling wins from about {low} FLOPs"
    return f"distilling wins from about {low} to {high} FLOPs"


def _source(found: BudgetLosses) -> str:
    parts = [law_source(found.law), "bands: 90%", "pale: a guess, or outside the law's runs"]
    if found.machine is not None and found.machine_assumed:
        parts.append(f"no GPU was named, so hours are those of {found.machine}")
    return "; ".join(parts)
