"""What a demonstration is to show, and whether its own numbers show it."""

from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import Literal, TypeAlias

from distillplan.named_tuples import NamedTuple

DemoName: TypeAlias = Literal["kernel", "mapping", "calibration"]
Advance = Callable[[int], None]
"""Is told how many steps of a demonstration are done."""


class Shown(StrEnum):
    """What can be claimed, one by one; each demonstration has a few of these."""

    FALLS_BELOW = "falls_below"
    """The student's error falls with every dimension of the teacher up to the student's own."""
    NEVER_FALLS_ABOVE = "never_falls_above"
    """It never falls again beyond."""
    ENDS_HIGHER = "ends_higher"
    """It ends above its least for every student that the largest teacher leaves room to shrink."""
    TEACHERS_IMPROVE = "teachers_improve"
    """Every teacher is better than the one of shorter training, or the narrower one, before it."""
    BEST_IS_INTERMEDIATE = "best_is_intermediate"
    """The student is best with a teacher between the weakest and the strongest."""
    STRONGEST_IS_WORSE = "strongest_is_worse"
    """In every trial it is worse with the strongest teacher than with the best one."""
    LARGE_STUDENT_FOLLOWS = "large_student_follows"
    """A larger student loses a smaller share, or nothing, by the strongest teacher."""
    FULL_IS_CALIBRATED = "full_is_calibrated"
    """Full and sampled targets leave next to no calibration error, and less than cut-off ones."""
    CUT_IS_OVERCONFIDENT = "cut_is_overconfident"
    """Targets that are cut off make the student more sure than right, the more the fewer are
    kept."""
    ORDER_TURNS = "order_turns"
    """Against the teacher's first choice instead of the text the order is the other way round."""
    SCORES_AGREE = "scores_agree"
    """The log score and the Brier score both rank full and sampled targets before every one that
    is cut off, and those by how much is kept."""


class Claim(NamedTuple):
    """One thing that the numbers of a demonstration show or do not show."""

    shown: Shown
    held: bool
    margin: float
    """By how much, in the unit of the compared numbers; below zero where it did not hold."""


def claim(shown: Shown, margins: Iterable[float], *, least: float = 0.0) -> Claim:
    """A claim that holds where the smallest of its margins is more than `least`.

    >>> claim(Shown.FALLS_BELOW, [0.5, -0.1])
    Claim(shown=<Shown.FALLS_BELOW: 'falls_below'>, held=False, margin=-0.1)
    """
    margin = min(margins)
    return Claim(shown=shown, held=margin > least, margin=margin)


def all_hold(claims: Iterable[Claim]) -> bool:
    """Whether a demonstration shows all that it is to show."""
    return all(one.held for one in claims)
