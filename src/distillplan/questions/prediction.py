"""A law at one point: no budget, no search but for the best teacher."""

import math
from typing import NamedTuple

from distillplan.accounting import TRAINING_PASSES, Accounting
from distillplan.errors import InputError
from distillplan.laws.formulas import FloatArray
from distillplan.laws.provenance import PublishedLaw
from distillplan.notices import Notice
from distillplan.optimize.problems import Bounds
from distillplan.planning import evaluate
from distillplan.planning.evaluate import cells
from distillplan.planning.scenario import Scenario, check_teacher_loss
from distillplan.planning.validity import prediction_warnings

TEN_PERCENT_MORE = 1.1


class Prediction(NamedTuple):
    """A law's losses at one point."""

    student_params: float
    """Parameters as the law counts them."""
    student_tokens: float
    """Training tokens."""
    teacher_loss: float | None
    """Nats per token; None where only the supervised loss was asked for, as is what follows."""
    distilled_loss: float | None
    """Nats per token."""
    supervised_loss: float
    """Nats per token."""
    gain_nats: float | None
    """Supervised minus distilled loss, nats per token."""
    supervised_equivalent_tokens: float | None
    """Tokens at which the student reaches the distilled loss supervised; None if it never does."""
    best_teacher_loss: float | None
    """Loss of the teacher that is best for this student and these tokens, nats per token."""
    loss_with_best_teacher: float | None
    """The student's loss with that teacher, nats per token."""
    by_10_percent: dict[str, float]
    """Change in loss, nats per token, from 10% more of each input."""
    warnings: tuple[Notice, ...]
    law: PublishedLaw


def predict(
    law: PublishedLaw,
    *,
    student_params: float,
    student_tokens: float,
    teacher_loss: float | None = None,
) -> Prediction:
    """A law's losses at one point, and what their difference is worth in tokens.

    Args:
        law: with a distillation side where a teacher's loss is given.
        student_params: parameters as the law counts them.
        student_tokens: training tokens of the student.
        teacher_loss: nats per token; None for the supervised loss only.

    Raises:
        InputError: when a size is not positive, or the law cannot place the teacher.

    >>> from distillplan.laws.law_catalog import law
    >>> round(predict(law(), student_params=1e9, student_tokens=2e10).supervised_loss, 3)
    2.368
    """
    for name, value in {"student_params": student_params, "student_tokens": student_tokens}.items():
        if not (math.isfinite(value) and value > 0):
            raise InputError(f"{name}: {value} is not a positive number")
    alone = law.supervised.loss(student_params, student_tokens)
    # derivatives of the loss by the logarithm of each input
    slopes: tuple[float, ...] = law.supervised.gradient(student_params, student_tokens)
    distilled = equivalent = best = best_loss = None
    if teacher_loss is not None:
        check_teacher_loss(law, teacher_loss)
        at = _at_point(law, student_params, student_tokens)
        point = student_params, student_tokens, teacher_loss
        distilled = evaluate.law_of(at).loss(*point)
        equivalent = _finite(evaluate.law_of(at).supervised_equivalent_tokens(*point))
        optimum = evaluate.distilled(at, cells(at, at.pays))
        best, best_loss = _one(optimum.teacher_loss, 0), _one(optimum.loss, 0)
        slopes = evaluate.law_of(at).gradient(*point)
    names = ("student_params", "student_tokens", "teacher_loss")
    return Prediction(
        student_params=student_params,
        student_tokens=student_tokens,
        teacher_loss=teacher_loss,
        distilled_loss=distilled,
        supervised_loss=alone,
        gain_nats=None if distilled is None else alone - distilled,
        supervised_equivalent_tokens=equivalent,
        best_teacher_loss=best,
        loss_with_best_teacher=best_loss,
        by_10_percent={
            name: slope * math.log(TEN_PERCENT_MORE)
            for name, slope in zip(names, slopes, strict=False)
        },
        warnings=prediction_warnings(law, student_params, student_tokens, teacher_loss),
        law=law,
    )


def _at_point(law: PublishedLaw, params: float, tokens: float) -> Scenario:
    """The scenario whose budget pays for these tokens exactly and whose teacher is free."""
    at = Scenario(compute=1.0, law=law, accounting=Accounting.FREE)
    return Scenario(
        compute=TRAINING_PASSES * at.family.forward_flops(params) * tokens,
        law=law,
        student_params=params,
        accounting=Accounting.FREE,
        bounds=Bounds(student_tokens=(tokens / 2, tokens * 2)),
    )


def _one(values: FloatArray | None, row: int) -> float | None:
    return None if values is None else float(values[row])


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
