"""Seconds per token: tabulated over sizes for the optimizer, and exact at one size."""

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from distillplan.hardware.machine import (
    Machine,
    student_seconds,
    teacher_seconds,
    training_seconds,
)
from distillplan.hardware.range import Range
from distillplan.models.architecture import Family, FixedAspect
from distillplan.models.costs import CostCurve, Costs, OneStudent, TabulatedCosts
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
    student_params: float | None = None,
) -> Costs:
    """GPU-seconds per token over the search range.

    The only student may have an exact shape, and a size as the law counts parameters; else it is of
    the family, as the teacher is. Whether
    the student is `distilling`, and whether the teacher runs `beside` it, not before it.
    """
    found = _tabulated(machine, family, distilling=distilling, beside=beside)
    if student is None or student_params is None:
        return found
    usual = found.student_training(math.log(student_params))
    exact = student_seconds(machine, student, distilling=distilling).mid
    return OneStudent(found, exact / float(usual))


@lru_cache(maxsize=8)
def _tabulated(
    machine: Machine, family: Family, *, distilling: bool, beside: bool
) -> TabulatedCosts:
    """The tables, which scenarios that differ in student or teacher share."""

    def curve(seconds: Callable[..., Range], **how: bool) -> CostCurve:
        return CostCurve(
            LOG_SIZES, lambda size: seconds(machine, non_embedding(family, size), **how).mid
        )

    return TabulatedCosts(
        student=curve(student_seconds, distilling=distilling),
        forward=curve(teacher_seconds, beside=beside),
        training=curve(training_seconds),
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
    size = None if teacher is None else non_embedding(family, teacher)
    own = student_seconds(machine, non_embedding(family, student), distilling=distilling)
    return TokenSeconds(
        student_training=own.mid,
        teacher_forward=0.0 if size is None else teacher_seconds(machine, size, beside=beside).mid,
        teacher_training=0.0 if size is None else training_seconds(machine, size).mid,
    )


def non_embedding(family: Family, params: Any) -> Model:
    """Non-embedding parameters, from a count of the kind that the law uses; a shape as it is."""
    if isinstance(params, ModelShape):
        return params
    if isinstance(family, FixedAspect):
        return float(params)
    return math.exp(float(family.family.log_params_of_total(params)))
