"""Students of several sizes on one budget: one teacher for all, each from data, or a cascade."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from distillplan.accounting import Accounting
from distillplan.errors import InfeasibleError, InputError, Word
from distillplan.fields import demand_finite
from distillplan.laws import law_catalog
from distillplan.laws.formulas import FloatArray
from distillplan.laws.provenance import ParameterCount
from distillplan.named_tuples import NamedTuple
from distillplan.notices import Notice
from distillplan.optimize.family_optima import distilled_family, supervised_family
from distillplan.optimize.family_problems import FamilyProblems
from distillplan.planning import evaluate
from distillplan.planning.headline import format_budget
from distillplan.planning.kept_limits import most_flops, within_limits
from distillplan.planning.open_teacher import by_gain, candidates, offered, taught_by
from distillplan.planning.planner import Decision
from distillplan.planning.possible import in_words
from distillplan.planning.results import Reason
from distillplan.planning.scenario import Scenario
from distillplan.planning.teacher import demand_distillation
from distillplan.planning.verdict import guessing
from distillplan.questions.family_cascade import check_cascade, solve_cascade
from distillplan.questions.family_ladder import alone_verdicts, copies_flip, ladder_of
from distillplan.questions.family_records import (
    FamilyGoal,
    FamilyMember,
    FamilyPlan,
    FamilyWay,
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
    scenario = _within(scenario, members)
    alone = solve(scenario, members, None)
    if alone.loss is None:
        raise InfeasibleError(_cannot_train(scenario, members))
    ways = _distilled_ways(scenario, members, alone)
    deciding = next(one.way for one in ways if one.way.accounting is scenario.pays)
    if cascade:
        ways.append(_cascade_within(scenario, members, alone))
        deciding = ways[-1].way
    decision = decide_family(scenario, members, alone, deciding)
    if decision.reason is Reason.NOTHING_POSSIBLE and scenario.machine is not None:
        raise InfeasibleError(
            f"no plan: neither way of training the family works on {in_words(scenario.machine)}; "
            "distillplan budget with one of the students says what is missing"
        )
    whole = _Weighed(way=alone, alone=alone, base=scenario, members=members)
    shown = (whole, *ways, *_open_teacher(scenario, members))
    sure = {} if quick else _sureness(shown, alone, deciding)
    written = _written(shown, deciding, decision, sure)
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
        warnings=(*_cut(shown), *family_warnings(members, alone, deciding)),
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


class _Weighed(NamedTuple):
    """A way, and what it is weighed against."""

    way: SolvedWay
    alone: SolvedWay
    """Each student from data alone."""
    base: Scenario
    """The question; that of an open model has it as its teacher."""
    members: Sequence[FamilyMember]
    """The students, with its vocabulary."""


def _within(scenario: Scenario, members: Sequence[FamilyMember]) -> Scenario:
    """The question with what limits of time and money leave to each way of the whole family."""
    return within_limits(scenario, lambda one, way: solve(one, members, way).bill)


def _cut(shown: Sequence[_Weighed]) -> tuple[Notice, ...]:
    """What these limits leave to the ways."""
    scenario = shown[0].base
    if scenario.machine is None:
        return ()
    from distillplan.planning.machine_warnings import budget_cut  # on machines only

    return tuple(budget_cut(scenario, [one.way for one in shown if one.base is scenario]))


def _distilled_ways(
    scenario: Scenario, members: Sequence[FamilyMember], alone: SolvedWay
) -> list[_Weighed]:
    """One teacher for all, as each accounting pays for it."""
    ways = (solve(scenario, members, way) for way in scenario.accountings)
    return [_Weighed(way=one, alone=alone, base=scenario, members=members) for one in ways]


def _cascade_within(
    scenario: Scenario, members: Sequence[FamilyMember], alone: SolvedWay
) -> _Weighed:
    """The cascade, on what these limits leave to it."""
    most = most_flops(scenario, lambda one: solve_cascade(one, members).bill)
    if most < scenario.budget:
        scenario = replace(scenario, compute=most)
    way = solve_cascade(scenario, members)
    return _Weighed(way=way, alone=alone, base=scenario, members=members)


def _written(
    shown: Sequence[_Weighed],
    deciding: SolvedWay,
    decision: Decision,
    sure: Mapping[int, Sure],
) -> tuple[FamilyWay, ...]:
    """The ways as they are told."""
    return tuple(
        way_of(
            one.base,
            one.members,
            one.way,
            one.alone,
            decision,
            sure.get(row),
            decides=one.way is deciding,
        )
        for row, one in enumerate(shown)
    )


def _sureness(
    shown: Sequence[_Weighed], alone: SolvedWay, deciding: SolvedWay
) -> Mapping[int, Sure]:
    """How sure each way is, by its place; those that are not weighed need fewer draws."""
    scenario = shown[0].base
    draws = law_catalog.draws(scenario.law)
    drawn = drawn_family(scenario, shown[0].members, alone, draws)
    if drawn is None:
        return {}
    sure = {}
    for row, one in enumerate(shown):
        part = drawn if one.way is alone or one.way is deciding else drawn.every(STRIDE)
        if one.alone is not alone:
            own = drawn_family(one.base, one.members, one.alone, draws)
            part = part if own is None else own.every(STRIDE)
        sure[row] = sure_of(one.base, one.members, one.alone, one.way, part)
    return sure


def _open_teacher(scenario: Scenario, members: Sequence[FamilyMember]) -> Iterator[_Weighed]:
    """The open model that is best for the family, run beside it, where no teacher is named."""
    law = scenario.law
    if scenario.teacher is not None or law.counts is not ParameterCount.NON_EMBEDDING:
        return
    models = offered(scenario, *(one.scenario.models.reads_like for one in members))
    if not models:
        return
    students = {
        one.params: float(one.number) for one in members if one.scenario.student_shape is None
    }
    found = candidates(scenario, models, students)
    problems, alone = (
        _for_each(problems_of(scenario, members, way), found.dearer)
        for way in (Accounting.EXISTS, None)
    )
    problems = paying(problems, scenario, Accounting.EXISTS)._replace(teacher=found.teacher)
    distilled = distilled_family(evaluate.law_of(scenario), problems)
    best, *_ = by_gain(models, supervised_family(law.supervised, alone).loss, distilled.loss)
    taught = taught_by(scenario, best.name)
    own = [one._replace(scenario=_as(taught, one.scenario)) for one in members]
    taught = _within(taught, own)
    way = solve(taught, own, Accounting.EXISTS)._replace(teacher_name=best.name)
    if way.loss is not None and way.loss < guessing(taught):
        yield _Weighed(way=way, alone=solve(taught, own, None), base=taught, members=own)


def _for_each(problems: FamilyProblems, dearer: FloatArray) -> FamilyProblems:
    """A budget for each open model, in units of what students with its vocabulary cost."""
    return problems._replace(budget=problems.budget / dearer)


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
    served = sum(
        one.scenario.students
        * float(one.scenario.supervised_costs.student_forward(math.log(one.params)))
        * one.scenario.inference_tokens
        for one in members
    )
    serves = f" and serve them, which alone takes {format_budget(scenario, served)}"
    return (
        f"a budget of {format_budget(scenario)} cannot train {sizes} on even "
        f"{format_count(fewest)} tokens each{serves if served else ''}"
    )
