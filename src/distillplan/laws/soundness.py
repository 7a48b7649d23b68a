"""Whether coefficients, one set or many draws, can be those of a loss law at all."""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from distillplan.errors import InputError
from distillplan.laws.formulas import DistillationLaw, LossLaw, SupervisedLaw
from distillplan.laws.loss_units import LEAST_NATS

NOT_NEGATIVE: Final = frozenset(("E", "c1"))
"""Letters that may be zero: without a floor (Kaplan et al. 2020), and without a capacity gap."""
ANY_SIGN: Final = frozenset(("c0",))
"""Letters that a fit leaves free; all others must be positive, or more training would harm."""
CORNERS: Final = np.log([(params, tokens) for params in (1e5, 1e15) for tokens in (1e3, 1e18)])
"""Least and most parameters and tokens that a law is asked for, shape (corners, 2)."""
TEACHER_LOSSES: Final = np.log([LEAST_NATS, 12.0])
"""The same for a teacher's loss: the least, and guessing among 160,000 tokens."""
LARGEST_LETTER: Final = 1e100
"""Far beyond any fit; what is larger, or smaller than its inverse, overflows in products."""
MOST_LOSS: Final = 1e100
"""Nats per token at a corner; its square is still a number."""


def demand_sound(law: LossLaw, where: str) -> None:
    """Refuse coefficients that no fit could have given.

    Args:
        law: coefficients are numbers, or arrays of shape (draws,).
        where: what comes before the letter in an error; draws are counted from 1.

    Raises:
        InputError: for one that is not finite or has an impossible sign, and for coefficients that
            together give no finite loss.
    """
    for letter, values in law._asdict().items():
        if isinstance(values, SupervisedLaw):
            demand_sound(values, f"{where}supervised.")
            continue
        found = np.atleast_1d(values)
        _refuse(~np.isfinite(found), found, f"{where}{letter}", "finite")
        if letter in NOT_NEGATIVE:
            _refuse(found < 0, found, f"{where}{letter}", "zero or more")
        elif letter not in ANY_SIGN:
            _refuse(found <= 0, found, f"{where}{letter}", "positive")
        size = np.abs(found)
        wild = (size > LARGEST_LETTER) | ((size > 0) & (size < 1 / LARGEST_LETTER))
        _refuse(wild, found, f"{where}{letter}", "of a size that any fit gives")
    with np.errstate(all="ignore"):  # what overflows is what is looked for
        losses = np.array([np.atleast_1d(one) for one in _losses(law)])
    wild = ~(losses < MOST_LOSS).all(axis=0)
    if wild.any():
        draw = f"draw {int(np.flatnonzero(wild)[0]) + 1}, " if wild.size > 1 else ""
        low, high = np.exp(CORNERS.min(axis=0)), np.exp(CORNERS.max(axis=0))
        raise InputError(
            f"{where.rstrip(' .:')}: {draw}no finite loss everywhere from {low[0]:g} parameters on "
            f"{low[1]:g} tokens to {high[0]:g} on {high[1]:g}; check the exponents"
        )


def _losses(law: LossLaw) -> Iterator[Any]:
    """At each corner."""
    if isinstance(law, DistillationLaw):
        yield from (law.loss_at_logs(n, d, x) for n, d in CORNERS for x in TEACHER_LOSSES)
    else:
        yield from (law.loss_at_logs(n, d) for n, d in CORNERS)


def _refuse(bad: Any, values: Any, where: str, wanted: str) -> None:
    """Name the first bad value."""
    for place in np.flatnonzero(bad)[:1]:
        draw = f", draw {place + 1}" if values.size > 1 else ""
        raise InputError(f"{where}{draw}: {values[place]:g} is not {wanted}")
