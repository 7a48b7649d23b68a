"""Which losses of a run under way are used: without spikes, and until it diverged, if it did."""

from typing import Final

import numpy as np

from distillplan.fitting.rows import Mask
from distillplan.laws.formulas import FloatArray
from distillplan.named_tuples import NamedTuple
from distillplan.questions.loss_history import LOST, MOST_NATS, LossHistory

SPIKE: Final = 6.0
"""Robust standard deviations above the losses around it at which a loss is a spike."""
LEAST_SPIKE: Final = 0.01
"""Nor is it one that is less than this share above them."""
LEAST_RISE: Final = 0.05
"""A run that ends this share above its lowest loss, and by as many standard deviations as a spike,
has diverged. A learning rate that goes up again undoes its decay, which is worth 3% +- 1%
(coefficients/curves.yaml)."""
STRETCH: Final = LOST
"""Rows that a run has before it diverges; fewer do not show where it was."""
_AROUND: Final = 11
"""Losses that are the surroundings of one."""
_TO_SD: Final = 1.4826
"""Standard deviation of a Gaussian over the median of its absolute deviations."""


class Rise(NamedTuple):
    """Where a run diverged."""

    tokens: float
    """Of the last row before that."""
    before: float
    """Its loss, nats per token."""
    after: float
    """The median of those since, nats per token; `MOST_NATS` where most are no numbers."""


class UsedRows(NamedTuple):
    """Which rows of a history are used; masks of shape (rows,)."""

    shown: Mask
    """Those that are no spikes and lie within the plan's tokens."""
    lost: Mask
    """Those whose losses are no numbers any more."""
    told: Mask
    """Those of them that tell where the run ends: until it diverged."""
    rise: Rise | None
    """None: it did not diverge."""


def used_rows(history: LossHistory, inside: Mask) -> UsedRows:
    """Which rows are used.

    One loss far above the others at the end of a long file may come back, so it is a spike; in a
    short file it is a tenth of the run.

    Args:
        history: the run's losses so far.
        inside: which of them lie within the plan's tokens, shape (rows,); one at least.
    """
    rows = int(inside.sum())  # which are the first ones: tokens increase
    loss = history.loss[:rows]
    lost = history.loss >= MOST_NATS
    shown = inside & ~lost
    shown[:rows] &= ~_spikes(loss)
    start = _divergence(np.log(loss))
    if start == rows - 1 and rows >= _AROUND:
        shown[start] = False
        start = rows
    if start == rows:
        return UsedRows(shown=shown, lost=lost, told=shown, rise=None)
    before = np.arange(inside.size) < start
    rise = Rise(
        tokens=float(history.tokens[start - 1]),
        before=float(loss[start - 1]),
        after=float(np.median(loss[start:])),
    )
    return UsedRows(shown=shown, lost=lost, told=shown & before, rise=rise)


def _spikes(loss: FloatArray) -> Mask:
    """Which losses jump above those around them, shape (rows,)."""
    if loss.size < _AROUND:
        return np.zeros(loss.size, dtype=bool)
    around = _windows(np.log(loss), _AROUND)
    middle = np.median(around, axis=1)
    spread = _TO_SD * np.median(np.abs(around - middle[:, None]), axis=1)
    return np.asarray(np.log(loss) - middle > np.maximum(SPIKE * spread, LEAST_SPIKE))


def _divergence(logs: FloatArray) -> int:
    """The first of the rows that stay far above the lowest losses to the end; their number if none.

    What is the lowest is asked of medians of three, since one row may be a slip. The scatter is
    that of second differences, whose variance is six times that of a row, so a fall is none.
    """
    if logs.size <= STRETCH:
        return logs.size
    scatter = _TO_SD * float(np.median(np.abs(np.diff(logs, 2)))) / 6**0.5
    lowest = float(np.median(_windows(logs, 3), axis=1).min())
    low = np.flatnonzero(logs <= lowest + max(SPIKE * scatter, LEAST_RISE))
    start = int(low[-1]) + 1
    return start if start >= STRETCH else logs.size


def _windows(values: FloatArray, size: int) -> FloatArray:
    """Each value with those around it, shape (values, size); the ends are repeated."""
    padded = np.pad(values, size // 2, mode="edge")
    return np.lib.stride_tricks.sliding_window_view(padded, size)
