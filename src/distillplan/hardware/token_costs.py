"""Seconds per token: tabulated over sizes for the optimizer, and exact at one size."""

import math
from collections import deque
from typing import Any, Final, NamedTuple

import numpy as np

from distillplan.hardware.machine import (
    Machine,
    student_step_seconds,
    supervised_seconds,
    teacher_alone_seconds,
    teacher_pass_seconds,
    training_seconds,
)
from distillplan.laws.formulas import FloatArray
from distillplan.models.architecture import Family, FixedAspect
from distillplan.models.costs import Costs, OneStudent, TabulatedCosts
from distillplan.models.named_models import Model
from distillplan.models.shapes import ModelShape

LOG_SIZES = np.log(np.geomspace(1e6, 1e17, 89))
"""Logarithms of sizes, eight per decade, over the search range; the speed changes slowly."""


class TokenSeconds(NamedTuple):
    """Allocated GPU-seconds per token at given sizes; the middle of their ranges."""

    student_training: float
    teacher_forward: float
    teacher_training: float


def costs_on(
    machine: Machine,
    family: Family,
    *,
    distilling: bool,
    beside: bool,
    student: ModelShape | None = None,
) -> Costs:
    """GPU-seconds per token over the search range.

    Args:
        machine: what everything runs on.
        family: how the law counts parameters.
        distilling: whether the student's step has a distillation loss.
        beside: whether the teacher runs during the student's training, not before it.
        student: the exact shape of the only student; None: it is of the family.
    """
    found = _tabulated(machine, family, distilling=distilling, beside=beside)
    if student is None:
        return found
    step = student_step_seconds if distilling else supervised_seconds
    usual = found.student_training(math.log(student.active_params))
    return OneStudent(found, step(machine, student).mid / float(usual))


class _Tabulated(NamedTuple):
    """A table, and what it is of: scenarios that differ in student or teacher share it."""

    machine: Machine
    family: Family
    distilling: bool
    beside: bool
    costs: TabulatedCosts


_recent: Final = deque[_Tabulated](maxlen=8)
"""The last tables. Machines have mappings and cannot be hashed, so no `lru_cache` keeps them."""


def _tabulated(
    machine: Machine, family: Family, *, distilling: bool, beside: bool
) -> TabulatedCosts:
    asked = (machine, family, distilling, beside)
    for one in _recent:
        if (one.machine, one.family, one.distilling, one.beside) == asked:
            return one.costs
    rows = [
        token_seconds(machine, family, size, size, distilling=distilling, beside=beside)
        for size in np.exp(LOG_SIZES)
    ]
    costs = TabulatedCosts(
        log_params=LOG_SIZES,
        log_student=_growing([row.student_training for row in rows]),
        log_forward=_growing([row.teacher_forward for row in rows]),
        log_training=_growing([row.teacher_training for row in rows]),
    )
    _recent.append(
        _Tabulated(
            machine=machine, family=family, distilling=distilling, beside=beside, costs=costs
        )
    )
    return costs


def _growing(seconds: list[float]) -> FloatArray:
    """Logarithms of costs of rising sizes; where a layout makes one fall, it rises by a hair."""
    return np.maximum.accumulate(np.log(seconds)) + 1e-12 * np.arange(len(seconds))


def token_seconds(
    machine: Machine,
    family: Family,
    student: Model,
    teacher: Model | None,
    *,
    distilling: bool,
    beside: bool,
) -> TokenSeconds:
    """GPU-seconds per token at these sizes; 0 for the teacher where its size is None."""
    step = student_step_seconds if distilling else supervised_seconds
    forward = teacher_pass_seconds if beside else teacher_alone_seconds
    own = step(machine, non_embedding(family, student)).mid
    if teacher is None:
        return TokenSeconds(student_training=own, teacher_forward=0.0, teacher_training=0.0)
    size = non_embedding(family, teacher)
    return TokenSeconds(
        student_training=own,
        teacher_forward=forward(machine, size).mid,
        teacher_training=training_seconds(machine, size).mid,
    )


def non_embedding(family: Family, params: Any) -> Model:
    """Non-embedding parameters, from a count of the kind that the law uses; a shape as it is."""
    if isinstance(params, ModelShape):
        return params
    if isinstance(family, FixedAspect):
        return float(params)
    return math.exp(float(family.family.log_params_of_total(params)))
