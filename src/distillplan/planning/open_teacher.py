"""The best open model to teach a student, where no teacher is named."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from distillplan.accounting import Accounting, Logits
from distillplan.laws.formulas import FloatArray
from distillplan.laws.provenance import ParameterCount
from distillplan.models.architecture import FixedAspect
from distillplan.models.known_model import KnownModel, model_of_catalog, with_vocabulary
from distillplan.models.open_models import OpenModel, model_of_table, open_models
from distillplan.named_tuples import NamedTuple
from distillplan.optimize.problems import GivenTeacher
from distillplan.planning import evaluate
from distillplan.planning.evaluate import cells
from distillplan.planning.kept_limits import within_limits
from distillplan.planning.multipliers import with_multipliers
from distillplan.planning.options import option_of, without_nonsense
from distillplan.planning.results import Option
from distillplan.planning.scenario import Scenario
from distillplan.planning.teacher import Teacher
from distillplan.planning.verdict import guessing, is_guess

MOST_TRIED = 4
"""Models of which the best is taken where their order is not exact."""


def beside_open_teacher(scenario: Scenario, alone: Option) -> tuple[Option, ...]:
    """Distillation from the open model that is best for this student, run beside it.

    It is what a plan with this teacher named would weigh: the student has its vocabulary, and the
    gain is over training from data alone with that vocabulary. The best has the largest gain. None
    where a teacher is named, where the law cannot place the models, where none of them has the
    student's tokenizer, and where the best is not affordable.

    Args:
        scenario: the question.
        alone: supervised training, within budget.
    """
    law, models = scenario.law, offered(scenario, scenario.models.reads_like)
    if scenario.teacher is not None or law.distillation is None or not models:
        return ()
    if law.counts is not ParameterCount.NON_EMBEDDING or alone.student_params is None:
        return ()
    ranked = _ranked(scenario, models, alone.student_params)
    # the size of a student that is chosen differs with each
    named = ranked[: 1 if scenario.student_params is not None else MOST_TRIED]
    found = [one for one in (_from(scenario, model.name) for model in named) if one is not None]
    if not found:
        return ()
    best = max(found, key=lambda one: -math.inf if one.gain_nats is None else one.gain_nats)
    if best.gain_nats is None or best.teacher_name is None:
        return (best,)
    return with_multipliers(taught_by(scenario, best.teacher_name), [best])


def offered(scenario: Scenario, *readers: KnownModel | None) -> list[OpenModel]:
    """Open models of a size that is considered, which read like the named students, none itself."""
    least, largest = scenario.bounds.teacher_params
    found = (one for one in open_models(*readers) if least <= one.params <= largest)
    return [one for one in found if not is_student(scenario, one.name)]


def is_student(scenario: Scenario, name: str) -> bool:
    """Whether a model is the student that the question names, trained already."""
    return scenario.student_model is not None and scenario.student_model.name == name


def _from(scenario: Scenario, name: str) -> Option | None:
    """Distillation from a model; None where it cannot be done, or the law gives nonsense."""
    taught = taught_by(scenario, name)
    alone = option_of(taught, None)
    option = option_of(taught, Accounting.EXISTS, alone.loss)
    if alone.loss is None or option.loss is None or option.loss >= guessing(taught):
        return None
    if option.bill is not None:
        from distillplan.planning.possible import possible  # on machines only

        if not possible(taught, option):
            return None
    option = option._replace(
        decides=False,
        teacher_name=name,
        pretrained_loss=alone.loss,
        is_guess=is_guess(taught, option),
    )
    return without_nonsense(option, alone, guessing(taught))


def taught_by(scenario: Scenario, name: str) -> Scenario:
    """The scenario with a named model as its teacher, which is run for the student.

    Args:
        scenario: the question, without a teacher.
        name: of a model whose training tokens are known.
    """
    found = _known(name) if _needs_shape(scenario) else model_of_table(name)
    taught = replace(
        _run_beside(scenario),
        teacher=Teacher(params=found.params, tokens=found.trained_tokens, model=found),
        architecture=family_taught_by(scenario, found),
    )
    return within_limits(taught)


def _needs_shape(scenario: Scenario) -> bool:
    """Whether what a model costs is not in the table of open models."""
    return scenario.machine is not None or scenario.architecture.context != FixedAspect().context


def _known(name: str) -> KnownModel:
    from distillplan.models.model_catalog import exact_model  # which takes a tenth of a plan

    return model_of_catalog(exact_model(name))


def family_taught_by(scenario: Scenario, teacher: KnownModel) -> FixedAspect:
    """The models of the scenario with the vocabulary of a teacher, unless one was given."""
    family = scenario.architecture
    return with_vocabulary(family, teacher) if _takes_vocabulary(scenario) else family


def _takes_vocabulary(scenario: Scenario) -> bool:
    """Whether a teacher's vocabulary is the student's: none was given, but with its name."""
    own = with_vocabulary(FixedAspect(), scenario.student_model).vocab
    return scenario.architecture.vocab in (FixedAspect().vocab, own)


class Candidates(NamedTuple):
    """Open models beside a student that would have the vocabulary of each; shape (models,)."""

    teacher: GivenTeacher
    """Their costs are in units of the student's own, with its vocabulary."""
    dearer: FloatArray
    """What a token costs a student with the vocabulary of each, over what it costs in the plan."""


def candidates(
    scenario: Scenario, models: Sequence[OpenModel], students: Mapping[float, float]
) -> Candidates:
    """Open models as the optimizer takes them.

    Costs per token of other vocabularies and shapes are in proportion to their FLOPs.

    Args:
        scenario: the question.
        models: that may teach.
        students: how many there are of each number of parameters; none of those of exact shape,
            whose vocabulary is their own.
    """
    sizes = np.array([float(one.params) for one in models])
    tokens = np.array([one.tokens for one in models])
    family = scenario.architecture
    forward = _run_beside(scenario).distillation_costs.teacher_forward(np.log(sizes))
    forward = forward * [one.forward_flops for one in models] / family.forward_flops(sizes)
    dearer = np.ones(sizes.size)
    if students and _takes_vocabulary(scenario):

        def passes(of: FixedAspect) -> float:
            return float(sum(n * of.forward_flops(params) for params, n in students.items()))

        dearer = np.array([passes(replace(family, vocab=float(one.vocab))) for one in models])
        dearer /= passes(family)
    loss = scenario.law.supervised.loss(sizes, tokens)
    return Candidates(GivenTeacher(loss=loss, forward_cost=forward / dearer), dearer)


def by_gain(
    models: Sequence[OpenModel], alone: FloatArray, distilled: FloatArray
) -> list[OpenModel]:
    """The models whose gains are largest first; losses in nats per token, shape (models,)."""
    with np.errstate(invalid="ignore"):
        gains = np.nan_to_num(alone - distilled, nan=-np.inf)
    return [models[row] for row in np.argsort(-gains, kind="stable").tolist()]


def _ranked(scenario: Scenario, models: Sequence[OpenModel], params: float) -> list[OpenModel]:
    """The models by what they add to training from data alone, the best first."""
    beside = _run_beside(scenario)
    students = {params: 1.0} if scenario.student_shape is None else {}
    each = candidates(scenario, models, students)
    at = cells(beside, Accounting.EXISTS).each(lambda one: np.repeat(one, len(models)))
    at = at._replace(budget=at.budget / each.dearer, most=at.most / each.dearer)
    problems = evaluate.problems_of(beside, at)
    found = evaluate.with_teacher(evaluate.law_of(beside), problems, each.teacher)
    distilled = evaluate.as_read(beside, problems.logits, found).loss
    return by_gain(models, evaluate.supervised(beside, at).loss, distilled)


def _run_beside(scenario: Scenario) -> Scenario:
    """The scenario whose teacher exists; logits that are not stored come from it as it runs."""
    kept = scenario.logits is Logits.STORED
    return replace(
        scenario,
        logits=Logits.STORED if kept else Logits.ONLINE,
        stored=scenario.stored if kept else None,
        accounting=Accounting.EXISTS,
    )
