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
    where the law cannot place the models, where none of them has the student's tokenizer, and where
    none of these is affordable.

    Args:
        scenario: the question.
        alone: loss of supervised training, nats per token.
    """
    law, models = scenario.law, open_models(scenario.models.reads_like)
    if scenario.teacher is not None or law.distillation is None or not models:
        return ()
    if law.counts is not ParameterCount.NON_EMBEDDING:
        return ()
    beside = _run_beside(scenario)
    params = np.array([float(one.params) for one in models])
    tokens = np.array([one.tokens for one in models])
    teacher = GivenTeacher(
        loss=law.supervised.loss(params, tokens),
        forward_cost=beside.distillation_costs.teacher_forward(np.log(params)),
    )
    at = cells(beside, Accounting.EXISTS).each(lambda one: np.repeat(one, len(models)))
    problems = evaluate.problems_of(beside, at)
    found = optima_with_teacher(evaluate.law_of(beside), problems, teacher)
    loss = evaluate.as_read(beside, problems.logits, found).loss
    best = int(np.argmin(loss))
    if not loss[best] < guessing(scenario):
        return ()
    taught = taught_by(scenario, params[best].item(), tokens[best].item())
    option = option_of(taught, Accounting.EXISTS, alone)
    return (option._replace(decides=False, teacher_name=models[best].name),)


def taught_by(scenario: Scenario, params: float, tokens: float) -> Scenario:
    """The scenario with a teacher of these sizes that exists and is run for the student."""
    return replace(_run_beside(scenario), teacher=Teacher(params=params, tokens=tokens))


def _run_beside(scenario: Scenario) -> Scenario:
    """The scenario whose teacher exists; logits that are not stored come from it as it runs."""
    kept = scenario.logits is Logits.STORED
    return replace(
        scenario,
        logits=Logits.STORED if kept else Logits.ONLINE,
        stored=scenario.stored if kept else None,
        accounting=Accounting.EXISTS,
    )
