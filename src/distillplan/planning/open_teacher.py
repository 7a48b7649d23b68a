"""The best open model to teach a student, where no teacher is named."""

from dataclasses import replace

import numpy as np

from distillplan.accounting import Accounting, Logits
from distillplan.laws.provenance import ParameterCount
from distillplan.models.open_models import open_models
from distillplan.optimize.optimizer import optima_with_teacher
from distillplan.optimize.problems import GivenTeacher
from distillplan.planning import evaluate
from distillplan.planning.evaluate import cells
from distillplan.planning.options import option_of
from distillplan.planning.results import Option
from distillplan.planning.scenario import Scenario
from distillplan.planning.teacher import Teacher
from distillplan.planning.verdict import guessing


def beside_open_teacher(scenario: Scenario, alone: float) -> tuple[Option, ...]:
    """Distillation from the open model that is best for this student, run beside it.

    Its loss is what the law gives a model of its size and tokens. None where a teacher is named,
    where the law cannot place the models, and where none of them is affordable.

    Args:
        scenario: the question.
        alone: loss of supervised training, nats per token.
    """
    law = scenario.law
    if scenario.teacher is not None or law.distillation is None:
        return ()
    if law.counts is not ParameterCount.NON_EMBEDDING:
        return ()
    models, costs = open_models(), scenario.distillation_costs
    params = np.array([float(one.params) for one in models])
    tokens = np.array([one.tokens for one in models])
    teacher = GivenTeacher(
        loss=law.supervised.loss(params, tokens), forward_cost=costs.teacher_forward(np.log(params))
    )
    at = cells(scenario, Accounting.EXISTS).each(lambda one: np.repeat(one, len(models)))
    found = optima_with_teacher(
        evaluate.law_of(scenario), evaluate.problems_of(scenario, at), teacher
    )
    best = int(np.argmin(found.loss))
    if not found.loss[best] < guessing(scenario):
        return ()
    taught = taught_by(scenario, params[best].item(), tokens[best].item())
    option = option_of(taught, Accounting.EXISTS, alone)
    return (option._replace(decides=False, teacher_name=models[best].name),)


def taught_by(scenario: Scenario, params: float, tokens: float) -> Scenario:
    """The scenario with a teacher of these sizes that runs beside the student."""
    teacher = Teacher(params=params, tokens=tokens)
    return replace(
        scenario, teacher=teacher, logits=Logits.ONLINE, stored=None, accounting=Accounting.EXISTS
    )
