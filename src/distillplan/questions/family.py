"""Students of several sizes on one budget: one teacher for all, each from data, or a cascade."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from distillplan.accounting import Accounting
from distillplan.errors import InfeasibleError, InputError, Word
from distillplan.fields import demand_finite
from distillplan.laws import law_catalog
from distillplan.laws.provenance import ParameterCount, demand_distillation
from distillplan.models.open_models import open_models
from distillplan.optimize.family_optima import distilled_family
from distillplan.optimize.problems import GivenTeacher
from distillplan.planning import evaluate
from distillplan.planning.headline import format_budget
from distillplan.planning.open_teacher import taught_by
from distillplan.planning.possible import in_words
from distillplan.planning.results import Reason
from distillplan.planning.scenario import Scenario
from distillplan.planning.verdict import guessing
from distillplan.questions.family_cascade import check_cascade, solve_cascade
from distillplan.questions.family_ladder import alone_verdicts, copies_flip, ladder_of
from distillplan.questions.family_records import (
    FamilyGoal,
    FamilyMember,
    FamilyPlan,
)
from distillplan.questions.family_told import family_warnings, headline_of, name_of, way_of
from distillplan.questions.family_ways import SolvedWay, paying, problems_of, solve
from distillplan.questions.family_weighing import (
    STRIDE,
    Sure,
    decide_family,
    drawn_family,
    sure_of,
)
from distillplan.units.quantities import format_count

MOST_SIZES = 16
"""Sizes of one family."""


def family(
    scenario: Scenario,
    members: Sequence[FamilyMember],
    *,
    cascade: bool = False,
    quick: bool = False,
) -> FamilyPlan:
    """The best way to train students of several sizes on one budget.

    Args:
        scenario: the question: budget, teacher, logits, law; it has no student.
        members: the students.
        cascade: weigh each larger student teaching the next smaller one.
        quick: leave out the odds and the bands.

    Returns:
        Every way with its teacher and tokens, the verdict with its odds, and how many students it
        takes.

    Raises:
        InputError: when the law has no distillation, or there is nobody to train.
        InfeasibleError: when the budget cannot train the family, or nothing fits the machine.
    """
    check_family(scenario, members)
    if cascade:
        check_cascade(scenario, members)
    alone = solve(scenario, members, None)
    if alone.loss is None:
        raise InfeasibleError(_cannot_train(scenario, members))
    ways = [solve(scenario, members, way) for way in scenario.accountings]
    deciding = next(one for one in ways if one.accounting is scenario.pays)
    if cascade:
        deciding = solve_cascade(scenario, members)
        ways.append(deciding)
    decision = decide_family(scenario, members, alone, deciding)
    if decision.reason is Reason.NOTHING_POSSIBLE and scenario.machine is not None:
        raise InfeasibleError(
            f"no plan: neither way of training the family works on {in_words(scenario.machine)}; "
            "distillplan budget with one of the students says what is missing"
        )
    shown = [alone, *ways, *_open_teacher(scenario, members)]
    sure = {} if quick else _sureness(scenario, members, shown, deciding)
    written = tuple(
        way_of(scenario, members, one, alone, decision, sure.get(row), decides=one is deciding)
        for row, one in enumerate(shown)
    )
    chosen = next(one for one in written if one.decides)
    weighed = decision.reason in (Reason.LIKELIEST, Reason.TOO_CLOSE)
    found = FamilyPlan(
        goal=FamilyGoal.MEAN_LOSS,
        verdict=decision.verdict,
        verdict_reason=decision.reason,
        headline=headline_of(scenario, members, decision, written),
        odds=chosen.odds if weighed else None,
        margin_nats=chosen.gain_nats,
        ways=written,
        alone=alone_verdicts(scenario, members, alone),
        ladder=ladder_of(scenario, members, (alone, deciding)),
        copies=None if cascade else copies_flip(scenario, members, decision.verdict),
        warnings=family_warnings(members, alone, deciding),
        law=scenario.law,
        scenario=scenario,
    )
    demand_finite(found)
    return found


def check_family(scenario: Scenario, members: Sequence[FamilyMember]) -> None:
    """Refuse what is no question about a family.

    Raises:
        InputError: when the law has no distillation, logits have a format, or there is nobody to
            train.
    """
    demand_distillation(scenario.law)
    if scenario.stored is not None:
        raise InputError(
            Word("logit_format"),
            ": what it costs a family is not modeled, whose logits are whole; leave it out, or ask "
            "about each student with budget",
        )
    if not 1 <= len(members) <= MOST_SIZES:
        raise InputError(
            Word("students"), f": {len(members)} sizes; give 1 to {MOST_SIZES}, e.g. 300M,1B,3B"
        )


def _sureness(
    scenario: Scenario,
    members: Sequence[FamilyMember],
    ways: Sequence[SolvedWay],
    deciding: SolvedWay,
) -> Mapping[int, Sure]:
    """How sure each way is, by its place; the first is from data, and others need fewer draws."""
    alone = ways[0]
    drawn = drawn_family(scenario, members, alone, law_catalog.draws(scenario.law))
    if drawn is None:
        return {}
    fewer = drawn.every(STRIDE)
    parts = [drawn if one is alone or one is deciding else fewer for one in ways]
    return {
        row: sure_of(_base(scenario, one), members, alone, one, part)
        for row, (one, part) in enumerate(zip(ways, parts, strict=True))
    }


def _base(scenario: Scenario, way: SolvedWay) -> Scenario:
    """The question whose teacher a way has."""
    if way.teacher_name is None:
        return scenario
    first = way.options[0]
    return taught_by(scenario, first.teacher_params or 0.0, first.teacher_tokens or 0.0)


def _open_teacher(scenario: Scenario, members: Sequence[FamilyMember]) -> Iterator[SolvedWay]:
    """The open model that is best for the family, run beside it, where no teacher is named."""
    law = scenario.law
    if scenario.teacher is not None or law.counts is not ParameterCount.NON_EMBEDDING:
        return
    models = open_models(*(one.scenario.models.reads_like for one in members))
    if not models:
        return
    params = np.array([float(one.params) for one in models])
    tokens = np.array([one.tokens for one in models])
    problems = problems_of(scenario, members, Accounting.EXISTS)
    problems = problems._replace(
        budget=np.repeat(problems.budget, params.size),
        teacher=GivenTeacher(
            loss=law.supervised.loss(params, tokens),
            forward_cost=scenario.distillation_costs.teacher_forward(np.log(params)),
        ),
    )
    found = distilled_family(
        evaluate.law_of(scenario), paying(problems, scenario, Accounting.EXISTS)
    )
    best = int(np.argmin(found.loss))
    if not found.loss[best] < guessing(scenario):
        return
    taught = taught_by(scenario, float(params[best]), float(tokens[best]))
    own = [one._replace(scenario=_as(taught, one.scenario)) for one in members]
    yield solve(taught, own, Accounting.EXISTS)._replace(teacher_name=models[best].name)


def _as(taught: Scenario, student: Scenario) -> Scenario:
    """A question with the student of another."""
    return replace(
        taught,
        student_params=student.student_params,
        student_model=student.student_model,
        students=student.students,
    )


def _cannot_train(scenario: Scenario, members: Sequence[FamilyMember]) -> str:
    """Why no family can be trained."""
    fewest = scenario.bounds.student_tokens[0]
    sizes = ", ".join(name_of(one) for one in members)
    return (
        f"a budget of {format_budget(scenario)} cannot train {sizes} on even "
        f"{format_count(fewest)} tokens each"
    )
