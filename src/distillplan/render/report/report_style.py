"""The style of a report: colors and dashes are those of the pictures that `plot` draws."""

from importlib.resources import files
from string import Template
from typing import Final

from distillplan.render.figures.house_style import ALONE, TAUGHT, Stroke

FILE = "report.css"
"""Beside this module; the house's colors and dashes stand in it as $names."""
WHITE, BLACK = "#ffffff", "#000000"
PALE, BRIGHT, DARK = 0.4, 0.6, 0.7
"""Shares of a color in what is mixed from it: light cells on white, lines and cells on black."""
_DASHES: Final = {"-": "none", "--": "7 4"}
"""Of SVG."""


def report_style() -> str:
    """The style sheet of the page."""
    text = files(__package__).joinpath(FILE).read_text(encoding="utf-8")
    return Template(text).substitute({**_looks("alone", ALONE), **_looks("taught", TAUGHT)})


def _looks(name: str, stroke: Stroke) -> dict[str, str]:
    """The color of one kind of thing, what is mixed from it, and its dash."""
    return {
        name: stroke.color,
        f"{name}_pale": _mixed(stroke.color, WHITE, PALE),
        f"{name}_bright": _mixed(stroke.color, WHITE, BRIGHT),
        f"{name}_dark": _mixed(stroke.color, BLACK, DARK),
        f"{name}_dash": _DASHES[str(stroke.dash)],
    }


def _mixed(color: str, other: str, share: float) -> str:
    """A color with a share of it and the rest of another.

    >>> _mixed("#0072B2", "#ffffff", 0.4)
    '#99c7e0'
    """
    both = [[int(one[at : at + 2], 16) for at in (1, 3, 5)] for one in (color, other)]
    mixed = (round(share * own + (1 - share) * rest) for own, rest in zip(*both, strict=True))
    return "#" + "".join(f"{one:02x}" for one in mixed)
