"""The one verb: `plan(scenario) -> Plan`."""

import math

from distillplan.errors import InfeasibleError
from distillplan.laws.formulas import FloatArray
from distillplan.planning import evaluate
from distillplan.planning.evaluate import cells
from distillplan.planning.flips import find_flips
from distillplan.planning.options import distilled_options, supervised_option
from distillplan.planning.results import Plan
from distillplan.planning.scenario import Scenario
from distillplan.planning.validity import plan_warnings
from distillplan.planning.verdict import format_budget, headline, verdict
from distillplan.units import format_count


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
