"""Axes of the report's figures: from values to places on the page, ticks, and the frame."""

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, pairwise

from distillplan.named_tuples import NamedTuple
from distillplan.render.report.markup import Content, Markup, element

WIDTH, HEIGHT = 420, 300
LEFT, RIGHT, TOP, BOTTOM = 58, 400, 30, 252
"""Ends of the frame, in the units of the drawing."""
MOST_TICKS = 6
LABEL = 5
"""Distance of a label from its tick."""
STEPS = (1.0, 2.0, 5.0)
"""Of a decade, between two ticks."""


class Ruler(NamedTuple):
    """One axis; of a logarithmic one the ends are decades."""

    title: str
    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]
    """Places and labels."""

    def part(self, at: float) -> float:
        """A place as a part of the way from the low to the high end."""
        return (at - self.low) / (self.high - self.low)

    def holds(self, at: float) -> bool:
        """Whether a place is on the axis."""
        return self.low <= at <= self.high


class Frame(NamedTuple):
    """Two axes."""

    across: Ruler
    up: Ruler

    def x(self, at: float) -> float:
        """Units from the left of the drawing."""
        return LEFT + self.across.part(at) * (RIGHT - LEFT)

    def y(self, at: float) -> float:
        """Units from the top of the drawing."""
        return BOTTOM + self.up.part(at) * (TOP - BOTTOM)

    @property
    def scale(self) -> str:
        """Both axes for the page's script: ends of values, then ends of places, of each."""
        across = self.across.low, self.across.high, LEFT, RIGHT
        up = self.up.low, self.up.high, BOTTOM, TOP
        return " ".join(f"{one!r}" for one in (*across, *up))


def linear(title: str, values: Iterable[float], margin: float = 0.06) -> Ruler:
    """An axis that holds some values, with round ticks."""
    every = list(values)
    low, high = min(every), max(every)
    room = margin * (high - low) or 0.05
    low, high = low - room, high + room
    step = _step(high - low)
    first, last = math.ceil(low / step), math.floor(high / step)
    digits = max(0, -math.floor(math.log10(step)))
    ticks = tuple((one * step, f"{one * step:.{digits}f}") for one in range(first, last + 1))
    return Ruler(title=title, low=low, high=high, ticks=ticks)


def _step(width: float) -> float:
    """A round distance between ticks, of which `MOST_TICKS` at the most fit a width."""
    decade = 10.0 ** math.floor(math.log10(width / MOST_TICKS))
    return next(
        one * decade for one in (*STEPS, 10 * STEPS[0]) if width / (one * decade) <= MOST_TICKS
    )


def drawing(frame: Frame, label: str, *content: Content) -> Markup:
    """A figure with its axes.

    Args:
        frame: the axes.
        label: what it shows, in words, for those who cannot see it.
        content: what is drawn in the frame.
    """
    return element(
        "svg",
        *_across(frame),
        *_up(frame),
        content,
        element("path", d=f"M{LEFT} {TOP}V{BOTTOM}H{RIGHT}", class_="axis"),
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        role="img",
        aria_label=label,
    )


def _across(frame: Frame) -> Iterator[Markup]:
    for at, label in frame.across.ticks:
        x = round(frame.x(at), 1)
        yield element("line", x1=x, x2=x, y1=BOTTOM, y2=BOTTOM + LABEL, class_="axis")
        yield element("text", label, x=x, y=BOTTOM + 19, text_anchor="middle")
    middle = (LEFT + RIGHT) / 2
    yield element("text", frame.across.title, x=middle, y=HEIGHT - 8, text_anchor="middle")


def _up(frame: Frame) -> Iterator[Markup]:
    for at, label in frame.up.ticks:
        y = round(frame.y(at), 1)
        yield element("line", x1=LEFT - LABEL, x2=LEFT, y1=y, y2=y, class_="axis")
        yield element("text", label, x=LEFT - 8, y=y + 4, text_anchor="end")
    turned = f"translate(13 {(TOP + BOTTOM) / 2:g}) rotate(-90)"
    yield element("text", frame.up.title, transform=turned, text_anchor="middle")


class CurvePoint(NamedTuple):
    """One point of a curve."""

    at: float
    value: float | None
    """None where there is nothing to draw."""
    is_guess: bool = False


def line(frame: Frame, points: Sequence[CurvePoint], kind: str) -> list[Markup]:
    """A curve, interrupted where it has no value, and paler between points that are guesses.

    Args:
        frame: the axes.
        points: in order.
        kind: its class.
    """

    def kind_of(pair: tuple[CurvePoint, CurvePoint]) -> tuple[bool, bool]:
        drawn = all(one.value is not None and frame.up.holds(one.value) for one in pair)
        return drawn, any(one.is_guess for one in pair)

    found = []
    for (drawn, guess), pairs in groupby(pairwise(points), kind_of):
        if drawn:
            (first, second), *others = pairs
            places = (first, second, *(one for _, one in others))
            at = " ".join(
                f"{frame.x(one.at):.1f},{frame.y(one.value or 0.0):.1f}" for one in places
            )
            said = f"curve {kind}{' guess' if guess else ''}"
            found.append(element("polyline", points=at, class_=said))
    return found


def here(frame: Frame, name: str, at: tuple[float, float | None], kind: str = "") -> Markup:
    """The mark of the settings, which the page's script moves.

    Args:
        frame: the axes.
        name: by which the script finds it.
        at: its place on both axes; without a value it is not seen.
        kind: a further class.
    """
    x, value = at
    y = frame.up.low if value is None else value
    place = f"translate({frame.x(x):.1f} {frame.y(y):.1f})"
    return element(
        "g",
        element("circle", r=6, class_="halo"),
        element("circle", r=4, class_="dot"),
        class_=f"here {kind}".strip(),
        transform=place,
        data_here=name,
        data_scale=frame.scale,
        visibility="hidden" if value is None else "visible",
    )
