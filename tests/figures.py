"""What stands in a drawn picture, and whether its words are in each other's way."""

from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

from distillplan.cli import picture_options
from distillplan.cli.picture_options import give, places
from distillplan.render.figures.picture_files import picture_of
from tests.shell import Finished, run

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BEGINNINGS = {".svg": b"<?xml", ".png": b"\x89PNG", ".pdf": b"%PDF"}
"""Of a picture's file, by the end of its name."""
TOUCHING = 1.0
"""Pixels by which boxes of text may overlap: they have room around their letters."""


def in_each_others_way(figure: "Figure") -> list[tuple[str, ...]]:
    """Words that overlap other words, or reach over the edge of the picture."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw_without_rendering()
    boxes = [(one.get_text(), _box(one, renderer)) for one in _texts(figure)]
    width, height = figure.bbox.width, figure.bbox.height
    wrong: list[tuple[str, ...]] = [
        (text,)
        for text, (left, low, right, high) in boxes
        if left < 0 or low < 0 or right > width or high > height
    ]
    for (text, box), (other, beside) in combinations(boxes, 2):
        across = min(box[2], beside[2]) - max(box[0], beside[0])
        up = min(box[3], beside[3]) - max(box[1], beside[1])
        if across > TOUCHING and up > TOUCHING:
            wrong.append((text, other))
    return wrong


def _box(text: Any, renderer: Any) -> tuple[float, float, float, float]:
    from matplotlib.text import Text

    found = Text.get_window_extent(text, renderer)  # an annotation's own has its line in it
    return found.x0, found.y0, found.x1, found.y1


def _texts(figure: "Figure") -> Iterator[Any]:
    """Every text that is seen."""
    every = [*figure.texts, *(text for one in figure.legends for text in one.get_texts())]
    for axes in figure.axes:
        every += [*axes.texts, axes.title, axes.xaxis.label, axes.yaxis.label]
        if axes.get_legend() is not None:
            every += axes.get_legend().get_texts()
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            for tick in axis.get_major_ticks():
                if low <= tick.get_loc() <= high:
                    every.append(tick.label1)
    yield from (one for one in every if one.get_visible() and one.get_text())


def texts_of(figure: "Figure") -> list[str]:
    """What a reader reads."""
    return [one.get_text() for one in _texts(figure)]


def saved_as_each(*words: object, folder: Path) -> Finished:
    """Draw with a command, in every format, and see that each file is one of its kind.

    The command answers once; its answer is then given in each format as the command gives it.

    Returns:
        What the command said.
    """
    answers = []

    def drawn(answer: object, path: Path) -> bytes:
        answers.append(answer)
        return picture_of(answer, path)

    first, *others = (folder / f"picture{ending}" for ending in BEGINNINGS)
    with mock.patch.object(picture_options, "picture_of", drawn):
        found = run(*words, "-o", first)
    assert (found.returncode, found.stderr) == (0, ""), found.stderr
    (answer,) = answers
    for path in others:
        give(answer, places([str(path)], None))
    for path in (first, *others):
        content = path.read_bytes()
        assert content.startswith(BEGINNINGS[path.suffix])
        assert len(content) > 5_000
    return found
