"""Seconds per token: tabulated over sizes for the optimizer, and exact at one size."""

import math
from collections import deque
from collections.abc import Callable
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np

from distillplan.hardware.machine import (
    Machine,
    student_step_seconds,
    supervised_seconds,
    teacher_alone_seconds,
    teacher_pass_seconds,
    training_seconds,
)
from distillplan.hardware.range import Range
from distillplan.models.architecture import Family, FixedAspect
from distillplan.models.costs import CostCurve, Costs, OneStudent, TabulatedCosts
from distillplan.models.named_models import Model
from distillplan.models.shapes import ModelShape

LOG_SIZES = np.log(np.geomspace(1e6, 1e17, 89))
"""Logarithms of sizes, eight per decade, over the search range; the speed changes slowly."""


Seconds: TypeAlias = Callable[[Machine, Model], Range]
"""What says how many GPU-seconds a token of a model takes."""


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


_recent: Final = deque[tuple[tuple[object, ...], TabulatedCosts]](maxlen=8)
"""The last tables, each with what it is of: scenarios that differ in student or teacher share it.

Machines have mappings and cannot be hashed, so no `lru_cache` keeps them."""


def _tabulated(
    machine: Machine, family: Family, *, distilling: bool, beside: bool
) -> TabulatedCosts:
    asked = (machine, family, distilling, beside)
    for known, costs in _recent:
        if known == asked:
            return costs

    def curve(seconds: Seconds) -> CostCurve:
        return CostCurve(LOG_SIZES, lambda size: seconds(machine, non_embedding(family, size)).mid)

    step, forward = _passes(distilling=distilling, beside=beside)
    found = TabulatedCosts(
        student=curve(step), forward=curve(forward), training=curve(training_seconds)
    )
    _recent.append((asked, found))
    return found


def _passes(*, distilling: bool, beside: bool) -> tuple[Seconds, Seconds]:
    """What says how long the student's step takes, and the teacher's forward pass."""
    return (
        student_step_seconds if distilling else supervised_seconds,
        teacher_pass_seconds if beside else teacher_alone_seconds,
    )


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
    step, forward = _passes(distilling=distilling, beside=beside)
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
