"""The one verb, `plan(scenario) -> Plan`, and the law at one point, `predict`."""

import math

from distillplan.accounting import TRAINING_PASSES, Accounting
from distillplan.errors import InfeasibleError, InputError
from distillplan.laws.formulas import FloatArray
from distillplan.laws.provenance import PublishedLaw
from distillplan.optimize.problems import Bounds
from distillplan.planning import evaluate
from distillplan.planning.evaluate import cells
from distillplan.planning.flips import find_flips
from distillplan.planning.options import distilled_options, supervised_option
from distillplan.planning.results import Plan, Prediction
from distillplan.planning.scenario import Scenario, check_teacher_loss
from distillplan.planning.validity import plan_warnings, prediction_warnings
from distillplan.planning.verdict import format_budget, headline, verdict
from distillplan.units import format_count

TEN_PERCENT_MORE = 1.1


def plan(scenario: Scenario) -> Plan:
    """The best way to spend a budget, without the confidence that `with_confidence` adds.

    Args:
        scenario: the question.

    Returns:
        Every option with its sizes, the verdict, what would change it, and warnings.

    Raises:
        InfeasibleError: when the budget cannot train even the smallest student.
    """
    alone = supervised_option(scenario)
    if alone.loss is None:
        raise InfeasibleError(_cannot_train(scenario))
    options = (alone, *distilled_options(scenario, alone.loss))
    deciding = next((one for one in options if one.decides), None)
    margin = None if deciding is None else deciding.gain_nats
    found = None if deciding is None else verdict(margin, scenario.tie_nats)
    return Plan(
        verdict=found,
        headline=headline(scenario, alone, deciding, found),
        margin_nats=margin,
        options=options,
        flips=find_flips(scenario, options, found),
        warnings=plan_warnings(scenario, alone, deciding, options, _best_teacher(scenario)),
        law=scenario.law,
        scenario=scenario,
    )


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
    2.375
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


def _best_teacher(scenario: Scenario) -> tuple[float, float] | None:
    """Loss of the best teacher at the given one's price, and of the student with it."""
    if scenario.teacher is None:
        return None
    best = evaluate.best_teacher(scenario, cells(scenario, scenario.pays))
    teacher_loss, loss = _one(best.teacher_loss, 0), _finite(float(best.loss[0]))
    return None if teacher_loss is None or loss is None else (teacher_loss, loss)


def _cannot_train(scenario: Scenario) -> str:
    """Why no student can be trained, and what the smallest one would cost."""
    params = scenario.student_params or scenario.bounds.student_params[0]
    tokens = scenario.bounds.student_tokens[0]
    costs, n = scenario.supervised_costs, math.log(params)
    each = float(costs.student_training(n) * tokens)
    served = float(costs.teacher_forward(n)) * scenario.inference_tokens
    least = format_budget(scenario, scenario.students * (each + served))
    students = "a student" if scenario.students == 1 else f"{scenario.students} students"
    return (
        f"a budget of {format_budget(scenario)} cannot train {students} of "
        f"{format_count(params)} parameters on even {format_count(tokens)} tokens"
        f"{' and serve it' if served else ''}, which takes {least}"
    )


def _one(values: FloatArray | None, row: int) -> float | None:
    return None if values is None else float(values[row])


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
