"""Whether the teachers' losses of some runs are in another unit than their students'.

Bits per token are 1.44 times nats per token, and both are usual sizes of a loss. Two things tell
one beside the other. A student hardly beats its teacher, whose outputs it learns. And where a
better or a worse teacher counts, a law of distillation says how much; which reading it describes
shows under any level of the losses, so that it need not be the law of these runs.
"""

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import numpy as np

from distillplan.fitting.fitter import moved
from distillplan.fitting.rows import Rows, predicted_log_loss
from distillplan.laws.formulas import DistillationLaw, FloatArray
from distillplan.laws.loss_units import LossUnit
from distillplan.notices import Notice, warning

CODE: Final = "teacher_unit"
_LN2: Final = math.log(2)

BEATEN: Final = 1.08
"""A median of teachers' losses over their students' above is of no students of theirs: in Figure 1
of arXiv:2502.08606 it is 0.92, of 0.69 to 1.01."""
MAY_BE_BITS: Final = 0.85
"""Above, the teachers' may be in bits beside students' in nats: in nats it would be 0.59."""
MAY_BE_NATS: Final = 0.75
"""Below, they may be in nats beside students' in bits: in one unit it would be 1.08."""
_BEATEN_RUNS: Final = 3
_TOLD_RUNS: Final = 6
"""Fewest distilled runs from which either is told."""
_CLOSER: Final = 2.0
"""Times that the other reading must be closer to the law: in 100 worlds unlike its own, in which
nothing was wrong, about one was (simulated), of tables with six runs or more."""
_LEAST: Final = 0.02
"""Spread around the law, in log loss, up to which a reading is fine."""
_LEVELS: Final = np.linspace(-0.5, 0.5, 41)
"""Logarithms of the factors by which tokenizers and corpora move all losses."""
_OF_MEDIAN: Final = 1.4826
"""A standard deviation over the median of absolute deviations."""


def unit_doubts(rows: Rows, law: DistillationLaw, unit: LossUnit) -> Iterator[Notice]:
    """The warning that the teachers' losses are in another unit, where the runs show it.

    Args:
        rows: the runs, in nats per token as they were read.
        law: what a teacher does, in some world.
        unit: in which both losses were read; others than nats and bits show otherwise
            (`reported_units`).
    """
    taught = rows.take(rows.distilled)
    if unit not in (LossUnit.NATS, LossUnit.BITS) or taught.log_teacher_loss is None:
        return
    if len(taught) < _BEATEN_RUNS:
        return
    ratio = float(np.exp(np.median(taught.log_teacher_loss - taught.log_loss)))
    if ratio > BEATEN:
        yield _doubt(unit, ratio, _LN2, "no student beats its teacher by so much")
        return
    factor = _LN2 if ratio > MAY_BE_BITS else 1 / _LN2
    if MAY_BE_NATS < ratio <= MAY_BE_BITS or len(taught) < _TOLD_RUNS:
        return
    said, other = (_spread(taught, law, one) for one in (1.0, factor))
    if said > max(_LEAST, _CLOSER * other):
        why = f"a published law is {other:.1%} off the runs then, and {said:.1%} off as they are"
        yield _doubt(unit, ratio, factor, why)


def _spread(rows: Rows, law: DistillationLaw, factor: float) -> float:
    """How far log losses are from a law at its best level, with the teachers' times a factor."""
    if rows.log_teacher_loss is None:
        raise ValueError("the runs have no teachers")
    read = replace(rows, log_teacher_loss=rows.log_teacher_loss + math.log(factor))
    apart: FloatArray = np.abs(
        predicted_log_loss(moved(law, _LEVELS[:, None]), read) - rows.log_loss
    )
    return _OF_MEDIAN * float(np.median(apart, axis=1).min())


def _doubt(unit: LossUnit, ratio: float, factor: float, why: str) -> Notice:
    """The warning, with what to write; a factor below 1 is of teachers' losses in bits."""
    bits, nats = ("teacher_loss", "loss") if factor < 1 else ("loss", "teacher_loss")
    option = " and leave --loss-unit out" if unit is LossUnit.BITS else ""
    return warning(
        CODE,
        f"{bits} looks like bits/token beside {nats} in nats/token: the median teacher_loss is "
        f"{ratio:.2f} times its students' loss, and would be {ratio * factor:.2f} times; {why}; if "
        f"so, multiply {bits} by {_LN2:.4f}{option}",
    )
