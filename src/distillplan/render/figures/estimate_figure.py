"""Where the time, memory and money of one run go: `plot estimate`."""

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from distillplan.hardware.memory import ERROR
from distillplan.questions.run_parts import PartOf, RunPart, RunParts
from distillplan.render.figures.house_style import (
    ALONE,
    INK,
    NAMED,
    QUIET,
    TAUGHT,
    TEACHER,
    finish,
    legend,
    notes_below,
    panels,
)
from distillplan.units.quantities import format_bytes, format_count, format_duration, format_usd

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ROW, FRAME = 0.27, 1.1
"""Height of a part, and what a panel takes beside its parts; inches."""
ROOM = 0.3
"""Right of the longest bar, for its number, as a share of the axis."""
SHOWN: dict[PartOf, tuple[str, Callable[[float], str]]] = {
    PartOf.STEP_SECONDS: ("a step, in productive time", format_duration),
    PartOf.MEMORY_BYTES: ("memory of the fullest GPU", format_bytes),
    PartOf.GPU_HOURS: ("GPU-hours, by phase", format_count),
    PartOf.COST_USD: ("cost (US dollars), by phase", format_usd),
}
"""What each panel shows, and how its numbers are written."""


def estimate_figure(found: RunParts) -> "Figure":
    """The picture: a panel for each kind of part; every bar begins where the one above it ended."""
    kinds = [(kind, _shown(found.kind(kind))) for kind in PartOf if found.kind(kind)]
    pairs = [kinds[place : place + 2] for place in range(0, len(kinds), 2)]
    most = [max(len(parts) for _, parts in pair) for pair in pairs]
    heights = [FRAME + ROW * one for one in most]
    figure, every = panels(2, len(pairs), height=sum(heights) / len(pairs))
    every[0, 0].get_gridspec().set_height_ratios(heights)
    for axes in every.flat[len(kinds) :]:
        axes.remove()
    for place, (kind, parts) in enumerate(kinds):
        axes = every[place // 2, place % 2]
        _panel(axes, kind, parts, found.usable_bytes_per_gpu)
        axes.set_ylim(most[place // 2] - 0.5, -0.5)
    return finish(figure, found.headline, notes_below(figure, *_notes(found)))


def _panel(axes: "Axes", kind: PartOf, parts: Sequence[RunPart], usable: float) -> None:
    words, form = SHOWN[kind]
    begin, reach = 0.0, 0.0
    for place, part in enumerate(parts):
        begin = 0.0 if part.is_total else begin
        look: dict[str, Any] = {"color": _color(part), "linewidth": 0.6}
        if part.for_teacher:  # differs without color as well
            look |= {"hatch": "///", "edgecolor": "white"}
        axes.barh(place, part.mid, 0.62, begin, **look)
        low, high = _range(part, begin)
        if high > low:
            axes.plot((low, high), (place, place), color=INK, linewidth=1.2, marker="|")
        end = max(begin + part.mid, high)
        total = parts[-1].mid  # nothing costs anything where GPUs are free
        share = "" if part.is_total or len(parts) == 1 or not total else _share(part.mid / total)
        said = f"{form(part.mid)}{share}"
        axes.annotate(said, (end, place), xytext=(4, 0), va="center", **NAMED)
        begin, reach = begin + part.mid, max(reach, end)
    axes.set_yticks(range(len(parts)), [part.name for part in parts])
    axes.tick_params(axis="y", length=0)
    if kind is PartOf.MEMORY_BYTES:
        name = f"usable: {format_bytes(usable)}"
        axes.axvline(usable, color=TAUGHT.color, linestyle=TAUGHT.dash, label=name, zorder=0)
        reach = max(reach, usable)
        legend(axes, loc="lower right", bbox_to_anchor=(1, 1), borderaxespad=0)
    axes.set_xlim(0, reach * (1 + ROOM))
    axes.xaxis.set_major_locator(_few_ticks())
    axes.xaxis.set_major_formatter(lambda value, _: _plain(form(value)) if value else "0")
    axes.set_xlabel(words)


def _plain(number: str) -> str:
    """A number without the zeros that end its decimals: ``15.0 s`` is ``15 s``."""
    return re.sub(r"\.0+(?!\d)|(\.\d*[1-9])0+(?!\d)", r"\1", number)


def _few_ticks() -> Any:
    from matplotlib.ticker import MaxNLocator  # only for those who draw

    return MaxNLocator(5)


def _shown(parts: Sequence[RunPart]) -> Sequence[RunPart]:
    """The parts; a single one is its own total."""
    return parts[:1] if len(parts) == 2 and parts[0].mid == parts[1].mid else parts


def _range(part: RunPart, begin: float) -> tuple[float, float]:
    """The ends of the range, where the bar of the part stands."""
    low, high = part.low, part.high
    return (begin, begin) if low is None or high is None else (begin + low, begin + high)


def _color(part: RunPart) -> str:
    return QUIET if part.is_total else (TEACHER if part.for_teacher else ALONE).color


def _share(share: float) -> str:
    return " (<1%)" if share < 0.01 else f" ({share:.0%})"


def _notes(found: RunParts) -> Sequence[str]:
    hatched = "; hatched: for the teacher" * any(part.for_teacher for part in found.parts)
    first = f"lines: 80% ranges, of memory ±{ERROR:.0%}{hatched}"
    return [first, *found.beside]
