"""Seconds per token over sizes, as the optimiser takes them; and exactly at one size."""

import math
from typing import Any, NamedTuple

import numpy as np

from distillplan.hardware.machine import (
    Machine,
    student_step_seconds,
    supervised_seconds,
    teacher_alone_seconds,
    teacher_pass_seconds,
    training_seconds,
)
from distillplan.models.architecture import Family, FixedAspect
from distillplan.models.costs import TabulatedCosts

LOG_SIZES = np.log(np.geomspace(1e6, 1e17, 89))
"""Eight sizes per decade over the search range; the speed changes slowly in between."""


class TokenSeconds(NamedTuple):
    """Allocated GPU-seconds per token at given sizes, best guess."""

    student_training: float
    teacher_forward: float
    teacher_training: float


def tabulated_costs(
    machine: Machine, family: Family, *, distilling: bool, beside: bool
) -> TabulatedCosts:
    """GPU-seconds per token over the search range.

    Args:
        machine: what all runs on.
        family: how the law counts parameters.
        distilling: whether the student's step carries a distillation loss.
        beside: whether the teacher runs beside the student, not before it.
    """
    rows = [
        token_seconds(machine, family, size, size, distilling=distilling, beside=beside)
        for size in np.exp(LOG_SIZES)
    ]
    logs = np.log(np.array(rows)).T
    # a bigger model never costs less; where a layout's steps say so, by a hair more
    growing = [np.maximum.accumulate(row) + 1e-12 * np.arange(row.size) for row in logs]
    return TabulatedCosts(LOG_SIZES, *growing)


def token_seconds(
    machine: Machine,
    family: Family,
    student: float,
    teacher: float | None,
    *,
    distilling: bool,
    beside: bool,
) -> TokenSeconds:
    """GPU-seconds per token at these sizes; nothing for a teacher that is none."""
    step = student_step_seconds if distilling else supervised_seconds
    forward = teacher_pass_seconds if beside else teacher_alone_seconds
    own = step(machine, non_embedding(family, student)).mid
    if teacher is None:
        return TokenSeconds(own, 0.0, 0.0)
    size = non_embedding(family, teacher)
    return TokenSeconds(own, forward(machine, size).mid, training_seconds(machine, size).mid)


def non_embedding(family: Family, params: Any) -> float:
    """Parameters without the embedding, of a count as the law makes it."""
    if isinstance(family, FixedAspect):
        return float(params)
    return math.exp(float(family.family.log_params_of_total(params)))
