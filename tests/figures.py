"""What tests look at in a figure: its texts where they stand, and the files that it is saved as."""

from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text

from tests.shell import run

BEGINNINGS = {".svg": b"<?xml", ".png": b"\x89PNG", ".pdf": b"%PDF"}
"""Of a file of each kind."""
TOUCH = 0.5
"""Pixels that two boxes of text may share."""


def texts(figure: Any) -> list[str]:
    """Every text that can be seen, the title first."""
    return [one.get_text() for one in _seen(figure)]


def overlapping(figure: Any) -> list[tuple[str, str]]:
    """Pairs of texts that stand on each other, as the figure is drawn in pixels."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    boxes = [
        (one.get_text(), one.get_window_extent(canvas.get_renderer())) for one in _seen(figure)
    ]
    return [
        (name, other)
        for (name, box), (other, its) in combinations(boxes, 2)
        if min(box.x1, its.x1) - max(box.x0, its.x0) > TOUCH
        and min(box.y1, its.y1) - max(box.y0, its.y0) > TOUCH
    ]


def _seen(figure: Any) -> Iterator[Any]:
    beyond = set(_beyond(figure))
    for one in figure.findobj(Text):
        if one.get_visible() and one.get_text().strip() and one not in beyond:
            yield one


def _beyond(figure: Any) -> Iterator[Any]:
    """Labels of ticks beyond the ends of an axis, which matplotlib keeps and does not draw."""
    for axis in (axis for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)):
        low, high = sorted(axis.get_view_interval())
        for tick in axis.get_major_ticks():
            if not low <= tick.get_loc() <= high:
                yield from (tick.label1, tick.label2)


def saved_as_each(*words: object, folder: Path) -> None:
    """Draw with a command, in every format, and see that each file is one of its kind."""
    for ending, beginning in BEGINNINGS.items():
        path = folder / f"picture{ending}"
        found = run(*words, "-o", path)
        assert (found.returncode, found.stderr) == (0, ""), found.stderr
        assert found.stdout == f"Wrote {path}.\n"
        content = path.read_bytes()
        assert content.startswith(beginning)
        assert len(content) > 5_000
