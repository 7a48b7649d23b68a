"""Students of several sizes on one budget: one teacher for all, each from data, or a cascade."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from distillplan.errors import InfeasibleError, InputError, Word
from distillplan.fields import demand_finite
from distillplan.laws import law_catalog
from distillplan.laws.provenance import ParameterCount
from distillplan.models.open_models import open_models
from distillplan.notices import Notice, Severity, warning
from distillplan.optimize.family_optima import distilled_family
from distillplan.optimize.problems import GivenTeacher
from distillplan.planning import evaluate
from distillplan.planning.headline import TEACHERS, format_budget
from distillplan.planning.open_teacher import taught_by
from distillplan.planning.planner import Decision
from distillplan.planning.possible import in_words
from distillplan.planning.results import Option, Reason, Verdict
from distillplan.planning.scenario import Scenario
from distillplan.planning.sizes import SearchStatus
from distillplan.planning.validity import plan_warnings
from distillplan.planning.verdict import guessing, is_guess
from distillplan.accounting import Accounting
from distillplan.questions.family_cascade import check_cascade, solve_cascade
from distillplan.questions.family_ladder import alone_verdicts, copies_flip, ladder_of
from distillplan.questions.family_records import (
    FamilyGoal,
    FamilyMember,
    FamilyMethod,
    FamilyPlan,
    FamilyWay,
    MemberRun,
)
from distillplan.questions.family_ways import Solved, paying, problems_of, solve
from distillplan.questions.family_weighing import (
    STRIDE,
    Sure,
    decide_family,
    drawn_family,
    sure_of,
)
from distillplan.units import format_count

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
    shown = [alone, *ways, *_open_teacher(scenario, members, deciding)]
    sure = {}
    if not quick:
        drawn = drawn_family(scenario, members, alone, law_catalog.draws(scenario.law))
        if drawn is not None:
            sure = {
                row: sure_of(_base(scenario, one), members, alone, one, part)
                for row, one in enumerate(shown)
                for part in [drawn if one is alone or one is deciding else drawn.every(STRIDE)]
            }
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
        headline=_headline(scenario, members, decision, written),
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
        InputError: when the law has no distillation, or there is nobody to train.
    """
    if scenario.law.distillation is None:
        raise InputError(Word("law"), f": {scenario.law.name} says nothing about distillation")
    if not 1 <= len(members) <= MOST_SIZES:
        raise InputError(
            Word("students"), f": {len(members)} sizes; give 1 to {MOST_SIZES}, e.g. 300M,1B,3B"
        )


def _base(scenario: Scenario, way: Solved) -> Scenario:
    """The question whose teacher a way has."""
    if way.teacher_name is None:
        return scenario
    first = way.options[0]
    return taught_by(scenario, first.teacher_params or 0.0, first.teacher_tokens or 0.0)


def _open_teacher(
    scenario: Scenario, members: Sequence[FamilyMember], deciding: Solved
) -> Iterator[Solved]:
    """The open model that is best for the family, run beside it, where no teacher is named."""
    law = scenario.law
    if scenario.teacher is not None or law.counts is not ParameterCount.NON_EMBEDDING:
        return
    models = open_models()
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
    found = distilled_family(evaluate.law_of(scenario), paying(problems, scenario, Accounting.EXISTS))
    best = int(np.argmin(found.loss))
    if not found.loss[best] < guessing(scenario):
        return
    taught = taught_by(scenario, float(params[best]), float(tokens[best]))
    taught = replace(taught, logits=scenario.logits)
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


def way_of(
    scenario: Scenario,
    members: Sequence[FamilyMember],
    one: Solved,
    alone: Solved,
    decision: Decision,
    sure: Sure | None,
    *,
    decides: bool,
) -> FamilyWay:
    """A way as it is told."""
    options = one.options if sure is None else sure.options
    nonsense = any(option.loss is not None and option.loss >= guessing(scenario) for option in options)
    beside = any(
        option.loss is not None and option.loss >= guessing(scenario) for option in alone.options
    )
    loss = None if nonsense else one.loss
    gain = None
    if one is not alone and loss is not None and alone.loss is not None and not beside:
        gain = alone.loss - loss
    supervised = one.method is FamilyMethod.SUPERVISED
    chosen = Verdict.DISTILL if decides else Verdict.SUPERVISED if supervised else None
    recommended = chosen is not None and decision.verdict in (
        (chosen, Verdict.TIE) if supervised else (chosen,)
    )
    model = None if scenario.teacher is None else scenario.teacher.model
    named = model.name if model is not None and not supervised else None
    teacher = _teacher(scenario, one)
    return FamilyWay(
        method=one.method,
        accounting=one.accounting,
        decides=decides,
        recommended=recommended,
        status=SearchStatus.WORSE_THAN_GUESSING if nonsense else _status(options),
        loss=loss,
        gain_nats=gain,
        gain_band=None if sure is None or gain is None else sure.gain_band,
        odds=None if sure is None else sure.odds,
        teacher_name=one.teacher_name or named,
        teacher_params=teacher.params,
        teacher_tokens=teacher.tokens,
        teacher_loss=teacher.loss,
        members=tuple(
            _member(member, option, beside=before, one=one, told=loss is not None)
            for member, option, before in zip(members, options, alone.options, strict=True)
        ),
        total_flops=None if one.flops is None else one.flops.total,
        over_supervised=None,
        flops=one.flops,
        is_guess=any(is_guess(member.scenario, o) for member, o in zip(members, options, strict=True)),
        bill=one.bill,
    )


class _OneTeacher(NamedTuple):
    """The teacher of a whole family, as far as it is known."""

    params: float | None = None
    tokens: float | None = None
    loss: float | None = None


def _teacher(scenario: Scenario, one: Solved) -> _OneTeacher:
    """The one teacher of a way; in a cascade that of the largest."""
    if one.loss is None or one.method is FamilyMethod.SUPERVISED:
        return _OneTeacher()
    if one.method is FamilyMethod.CASCADE:
        given = scenario.teacher
        if given is None:
            return _OneTeacher()
        return _OneTeacher(given.params, given.tokens, scenario.teacher_loss)
    first = one.options[0]
    return _OneTeacher(first.teacher_params, first.teacher_tokens, first.teacher_loss)


def _status(options: Sequence[Option]) -> SearchStatus:
    """How the search ended, for the family: the first thing to know of a member."""
    found = [one.status for one in options]
    order = (SearchStatus.INFEASIBLE, SearchStatus.AT_UPPER_BOUND, SearchStatus.AT_LOWER_BOUND)
    return next((one for one in order if one in found), found[0])


def _member(
    member: FamilyMember, option: Option, *, beside: Option, one: Solved, told: bool
) -> MemberRun:
    """The students of one size as they are told."""
    model = member.scenario.student_model
    feasible = option.student_tokens is not None
    gain = None
    if told and one.method is not FamilyMethod.SUPERVISED and beside.loss is not None:
        gain = beside.loss - (option.loss or 0.0)
    flops, own = one.flops, option.flops
    share = None
    if flops is not None and own is not None:
        paid = own.student_training
        if one.method is FamilyMethod.CASCADE:
            paid += own.teacher_logits
        share = paid / (flops.total - flops.student_serving)
    return MemberRun(
        student_params=member.params,
        student_model=None if model is None else model.name,
        students=member.count,
        weight=member.weight,
        loss=option.loss if told else None,
        loss_band=option.loss_band if told else None,
        gain_nats=gain,
        student_tokens=option.student_tokens,
        student_tokens_band=option.student_tokens_band,
        tokens_per_param=option.tokens_per_param,
        teacher_params=option.teacher_params if feasible else None,
        teacher_loss=option.teacher_loss if feasible else None,
        share=share,
        is_guess=is_guess(member.scenario, option),
    )


def family_warnings(
    members: Sequence[FamilyMember], alone: Solved, deciding: Solved
) -> tuple[Notice, ...]:
    """What to know of the members, each remark once: with their names where it is not of all."""
    told: dict[tuple[str, Severity], dict[str, list[str]]] = {}
    for member, first, second in zip(members, alone.options, deciding.options, strict=True):
        for one in plan_warnings(member.scenario, first, second, None):
            of = told.setdefault((one.code, one.severity), {})
            of.setdefault(one.message, []).append(name_of(member))
    found = [
        Notice(code=code, severity=severity, message=_merged(of, len(members)))
        for (code, severity), of in told.items()
    ]
    if deciding.method is FamilyMethod.CASCADE:
        found.insert(0, _CASCADE)
    return tuple(sorted(found, key=lambda one: one.severity is Severity.INFO))


_CASCADE = warning(
    "cascade_not_measured",
    "no published run measured a cascade against the law: it knows a teacher by its loss alone, and "
    "all that it was fitted on learned from data; a teacher that was distilled itself may teach "
    "better or worse",
)


def _merged(of: dict[str, list[str]], members: int) -> str:
    return "; ".join(
        message if len(names) == members else f"{', '.join(names)}: {message}"
        for message, names in of.items()
    )


def name_of(member: FamilyMember | MemberRun) -> str:
    """A size as people wrote it: its model's name, or its parameters."""
    if isinstance(member, MemberRun):
        return member.student_model or format_count(member.student_params)
    model = member.scenario.student_model
    return format_count(member.params) if model is None else model.name


def _cannot_train(scenario: Scenario, members: Sequence[FamilyMember]) -> str:
    """Why no family can be trained."""
    fewest = scenario.bounds.student_tokens[0]
    sizes = ", ".join(name_of(one) for one in members)
    return (
        f"a budget of {format_budget(scenario)} cannot train {sizes} on even "
        f"{format_count(fewest)} tokens each"
    )


def _headline(
    scenario: Scenario,
    members: Sequence[FamilyMember],
    decision: Decision,
    ways: Sequence[FamilyWay],
) -> str:
    """The verdict and its reason in one sentence."""
    alone = ways[0]
    deciding = next(one for one in ways if one.decides)
    who = f"all {sum(one.count for one in members)} students"
    teacher = (
        "one another, the larger the smaller"
        if deciding.method is FamilyMethod.CASCADE
        else TEACHERS[scenario.pays]
    )
    gain = deciding.gain_nats
    if decision.reason is Reason.WORSE_THAN_GUESSING:
        return "No verdict: the law gives a loss that guessing would beat, so far is it from its data."
    if decision.reason is Reason.FAR_OUTSIDE_FIT:
        return (
            "No verdict: the family is too far from any run behind the law to tell which is "
            "better; its error there may be larger than the difference."
        )
    if decision.reason is Reason.DISTILLATION_OVER_BUDGET:
        return (
            f"Pretrain {who}: {format_budget(scenario)} is too little to distill them from "
            f"{teacher}."
        )
    if decision.verdict is Verdict.DISTILL:
        better = "" if gain is None else f", {gain:.3f} nats better on average than pretraining each"
        return f"Distill {who} from {teacher}{better}."
    if decision.verdict is Verdict.SUPERVISED:
        better = (
            ""
            if gain is None or alone.loss is None
            else f", {-gain:.3f} nats better on average than distilling them from {teacher}"
        )
        return f"Pretrain {who}{better}."
    return (
        f"Too close to call: distilling {who} from {teacher} and pretraining them differ by "
        f"{abs(gain or 0.0):.3f} nats on average. Pretraining is simpler."
    )
