"""A fitted law beside its runs: `plot fit`."""

from collections.abc import Sequence
from statistics import median
from typing import TYPE_CHECKING, Any

from distillplan.questions.fitted_runs import FittedRun, FittedRuns
from distillplan.render.figures.house_style import (
    ALONE,
    PALE,
    QUIET,
    TAUGHT,
    Stroke,
    finish,
    flops_axis,
    law_source,
    legend,
    panels,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ROOM = 0.06
"""Around the losses, as a share of their range."""
FEW = 60
"""Runs whose marks are of full size."""
SIDES = ((ALONE, "without a teacher", False), (TAUGHT, "distilled", True))


def fitted_figure(found: FittedRuns) -> "Figure":
    """The picture: fitted against measured losses, and residuals over compute."""
    figure, every = panels(2)
    _losses(every[0][0], found)
    _residuals(every[0][1], found)
    return finish(figure, _title(found), law_source(found.law))


def _losses(axes: "Axes", found: FittedRuns) -> None:
    values = [value for one in found.points for value in (one.loss, one.fitted_loss)]
    room = ROOM * (max(values) - min(values)) or ROOM
    ends = (min(values) - room, max(values) + room)
    axes.plot(ends, ends, color=QUIET, linewidth=1, label="as the law says", zorder=1)
    for stroke, name, ones in _sides(found):
        _marks(axes, [(one.loss, one.fitted_loss) for one in ones], stroke, name, found)
    axes.set_xlim(ends)
    axes.set_ylim(ends)
    axes.set_aspect("equal")
    axes.set_xlabel("measured loss (nats per token)")
    axes.set_ylabel("fitted loss (nats per token)")
    legend(axes, loc="upper left")


def _residuals(axes: "Axes", found: FittedRuns) -> None:
    noise = 100 * found.noise
    named = f"noise of a run (±{noise:.2g}%, one standard deviation)"
    axes.axhspan(-noise, noise, color=PALE, linewidth=0, zorder=0, label=named)
    axes.axhline(0, color=QUIET, linewidth=1, zorder=1)
    for stroke, _, ones in _sides(found):
        places = [(one.training_flops, 100 * one.residual) for one in ones]
        _marks(axes, places, stroke, None, found)
    flops_axis(axes, "training compute of the run, 6ND (FLOPs)")
    most = max(noise, *(100 * abs(one.residual) for one in found.points))
    axes.set_ylim(-1.35 * most, 1.35 * most)
    axes.set_ylabel("measured loss above the fitted one (%)")
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:+.3g}" if value else "0")
    legend(axes, loc="upper left")


def _sides(found: FittedRuns) -> list[tuple[Stroke, str, list[FittedRun]]]:
    """The runs of each side that has any."""
    sides = []
    for stroke, name, taught in SIDES:
        ones = [one for one in found.points if (one.teacher_loss is not None) is taught]
        if ones:
            sides.append((stroke, f"{name} ({len(ones)})", ones))
    return sides


def _marks(
    axes: "Axes",
    places: Sequence[tuple[float, float]],
    stroke: Stroke,
    name: str | None,
    found: FittedRuns,
) -> None:
    """One mark for each run, filled for those without a teacher."""
    look: dict[str, Any] = {"marker": stroke.mark, "color": stroke.color, "linestyle": ""}
    if stroke is TAUGHT:
        look["markerfacecolor"] = "none"
    size = 6 if len(found.points) <= FEW else 4
    axes.plot(*zip(*places, strict=True), markersize=size, label=name, alpha=0.85, **look)


def _title(found: FittedRuns) -> str:
    """How near the law is to its runs."""
    away = [abs(one.residual) for one in found.points]
    farthest = max(found.points, key=lambda one: abs(one.residual)).residual
    if len(away) == 1:
        return f"{found.law.title}: the run is {farthest:+.2%} from the law"
    return (
        f"{found.law.title}: half are within {median(away):.2%} of the law, the farthest is "
        f"{farthest:+.2%} from it"
    )
