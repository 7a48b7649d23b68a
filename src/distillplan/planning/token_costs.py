"""Seconds per token: tabulated over sizes for the optimizer, and exact at one size."""

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from distillplan.hardware.machine import Machine
from distillplan.hardware.range import Range
from distillplan.models.architecture import Family, FixedAspect
from distillplan.models.costs import CostCurve, Costs, OneStudent, TabulatedCosts
from distillplan.models.named_models import Model
from distillplan.models.shapes import ModelShape
from distillplan.named_tuples import NamedTuple

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
    the family, as the teacher is, which runs `beside` it or before.
    """
    found = _tabulated(machine, family, distilling=distilling, beside=beside)
    if student is None or student_params is None:
        return found
    usual = found.student_training(math.log(student_params))
    exact = machine.student_seconds(student, distilling=distilling).mid
    return OneStudent(found, exact / float(usual))


@lru_cache(maxsize=8)
def _tabulated(
    machine: Machine, family: Family, *, distilling: bool, beside: bool
) -> TabulatedCosts:
    """The tables, which scenarios that differ in student or teacher share."""

    def curve(seconds: Callable[..., Range], **how: bool) -> CostCurve:
        return CostCurve(LOG_SIZES, lambda size: seconds(non_embedding(family, size), **how).mid)

    return TabulatedCosts(
        student=curve(machine.student_seconds, distilling=distilling),
        forward=curve(machine.teacher_seconds, beside=beside),
        training=curve(machine.training_seconds),
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
    own = machine.student_seconds(non_embedding(family, student), distilling=distilling).mid
    forward = training = 0.0
    if teacher is not None:
        size = non_embedding(family, teacher)
        forward = machine.teacher_seconds(size, beside=beside).mid
        training = machine.training_seconds(size).mid
    return TokenSeconds(student_training=own, teacher_forward=forward, teacher_training=training)


def non_embedding(family: Family, params: Any) -> Model:
    """Non-embedding parameters, from a count of the kind that the law uses; a shape as it is."""
    if isinstance(params, ModelShape):
        return params
    if isinstance(family, FixedAspect):
        return float(params)
    return math.exp(float(family.family.log_params_of_total(params)))
