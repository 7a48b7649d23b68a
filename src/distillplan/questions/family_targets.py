"""The least compute with which each student of a family reaches a loss of its own."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from distillplan.errors import InfeasibleError, InputError, Word
from distillplan.fields import demand_finite
from distillplan.laws.formulas import FloatArray
from distillplan.optimize.cascades import cheapest_chain
from distillplan.optimize.family_costs import cheapest_distilled, cheapest_supervised
from distillplan.optimize.family_problems import FamilyOptima
from distillplan.planning import evaluate
from distillplan.planning.planner import Decision
from distillplan.planning.scenario import Scenario
from distillplan.planning.verdict import guessing
from distillplan.planning.verdict_records import Verdict
from distillplan.questions.defaults import ANY_BUDGET
from distillplan.questions.family import check_family
from distillplan.questions.family_cascade import (
    cascade_of,
    chain_of,
    check_cascade,
    order_of,
    solve_cascade,
)
from distillplan.questions.family_records import (
    FamilyGoal,
    FamilyMember,
    FamilyMethod,
    FamilyPlan,
    FamilyWay,
    Way,
)
from distillplan.questions.family_told import (
    family_warnings,
    name_of,
    no_family_verdict,
    way_of,
)
from distillplan.questions.family_ways import (
    SolvedWay,
    problems_of,
    solve,
    solved,
    with_teacher,
)
from distillplan.questions.family_weighing import decide_family
from distillplan.units.quantities import format_flops


def family_for_losses(
    scenario: Scenario, members: Sequence[FamilyMember], *, cascade: bool = False
) -> FamilyPlan:
    """The least compute with which every member has at most its loss.

    Args:
        scenario: the question; its own budget is ignored.
        members: the students, each with its loss.
        cascade: weigh each larger student teaching the next smaller one.

    Raises:
        InputError: when a loss is missing, or no better than guessing.
        InfeasibleError: when no way reaches all of them.
    """
    base = replace(scenario, compute=ANY_BUDGET, gpu_hours=None)
    members = [
        one._replace(scenario=replace(one.scenario, compute=ANY_BUDGET, gpu_hours=None))
        for one in members
    ]
    check_family(base, members)
    targets = _targets(base, members)
    if cascade:
        check_cascade(base, members)
    alone = _cheapest(base, members, None, targets)
    ways = [_cheapest(base, members, way, targets) for way in base.accountings]
    deciding = next(one for one in ways if one.accounting is base.pays)
    if cascade:
        deciding = _cascade(base, members, targets)
        ways.append(deciding)
    if alone.loss is None and deciding.loss is None:
        raise InfeasibleError(
            f"no compute brings {_all(members)} to these losses, from data alone or with a teacher"
        )
    decision = _decision(base, members, alone, deciding)
    verdict = decision.verdict
    written = tuple(
        _told(base, members, one, alone, decision, decides=one is deciding)
        for one in (alone, *ways)
    )
    found = FamilyPlan(
        goal=FamilyGoal.COMPUTE,
        verdict=verdict,
        verdict_reason=decision.reason if verdict is None else None,
        headline=_headline(members, decision, written),
        odds=None,
        margin_nats=None,
        ways=written,
        alone=(),
        ladder=(),
        copies=None,
        warnings=family_warnings(members, alone, deciding),
        law=base.law,
        scenario=base,
    )
    demand_finite(found)
    return found


def _targets(base: Scenario, members: Sequence[FamilyMember]) -> FloatArray:
    most = guessing(base)
    for one in members:
        loss = one.target_loss
        if loss is None:
            raise InputError(Word("loss"), f": {name_of(one)} has none; give one for each size")
        if not (0 < loss < most):
            raise InputError(
                Word("loss"),
                f": {loss:g} nats is no loss that {name_of(one)} can have; give one below "
                f"{most:.3f}, which guessing reaches",
            )
    return np.array([one.target_loss for one in members], float)


def _cheapest(
    base: Scenario, members: Sequence[FamilyMember], way: Way, targets: FloatArray
) -> SolvedWay:
    """The least compute of one way."""
    problems = problems_of(base, members, way)
    if way is None:
        _, found = cheapest_supervised(base.law.supervised, problems, targets)
        method = FamilyMethod.SUPERVISED
    else:
        _, found = cheapest_distilled(evaluate.law_of(base), problems, targets)
        found, method = with_teacher(base, way, found), FamilyMethod.DISTILL
    return solved(base, members, method, way, found)


def _cascade(base: Scenario, members: Sequence[FamilyMember], targets: FloatArray) -> SolvedWay:
    """The least compute of a cascade."""
    order = order_of(members)
    chain = chain_of(base, members, evaluate.law_of(base), 1, base.teacher_loss)
    found = cheapest_chain(chain, targets[order])
    back = np.argsort(order)
    problems = problems_of(base, members, None)
    weights = problems.members.counts * problems.members.weights
    losses = found.member_loss[back]
    mean = float((weights * losses).sum()) if math.isfinite(found.cost) else math.inf
    return cascade_of(
        base,
        members,
        FamilyOptima(
            loss=np.array([mean]),
            member_loss=losses[None, :],
            tokens=found.tokens[back][None, :],
        ),
    )


def _decision(
    base: Scenario, members: Sequence[FamilyMember], alone: SolvedWay, other: SolvedWay
) -> Decision:
    """The verdict of a family with the least compute that one of two ways takes."""
    least = min(one.flops.total for one in (alone, other) if one.flops is not None)
    base = replace(base, compute=least)
    members = [one._replace(scenario=replace(one.scenario, compute=least)) for one in members]
    cascade = other.method is FamilyMethod.CASCADE
    taught = solve_cascade(base, members) if cascade else solve(base, members, base.pays)
    return decide_family(base, members, solve(base, members, None), taught)


def _told(
    base: Scenario,
    members: Sequence[FamilyMember],
    one: SolvedWay,
    alone: SolvedWay,
    decision: Decision,
    *,
    decides: bool,
) -> FamilyWay:
    """A way with its compute relative to that of pretraining."""
    way = way_of(base, members, one, alone, decision, None, decides=decides)
    over = None
    if one.flops is not None and alone.flops is not None:
        over = one.flops.total / alone.flops.total
    members_told = tuple(run._replace(gain_nats=None) for run in way.members)
    return way._replace(over_supervised=over, gain_nats=None, members=members_told)


def _all(members: Sequence[FamilyMember]) -> str:
    return ", ".join(name_of(one) for one in members)


def _headline(
    members: Sequence[FamilyMember],
    decision: Decision,
    ways: Sequence[FamilyWay],
) -> str:
    """What takes least, and how much that is; where nobody can tell, why."""
    told = _compared(members, decision.verdict, ways)
    if decision.verdict is None:
        return f"{no_family_verdict(decision.reason)} By the law: {told[0].lower()}{told[1:]}"
    return told


def _compared(
    members: Sequence[FamilyMember], verdict: Verdict | None, ways: Sequence[FamilyWay]
) -> str:
    """What both ways take."""
    alone, deciding = ways[0], next(one for one in ways if one.decides)
    doing = "a cascade" if deciding.method is FamilyMethod.CASCADE else "distilling"
    who = _all(members)
    if alone.total_flops is None:
        takes = format_flops(deciding.total_flops)
        return f"Pretraining cannot bring {who} to these losses; {doing} can, with {takes} FLOPs."
    takes = format_flops(alone.total_flops)
    over = deciding.over_supervised
    if over is None:
        return f"Pretrain {who}: {takes} FLOPs; {doing} cannot reach these losses."
    if verdict in (Verdict.TIE, None):
        start = "Too close to call: pretraining" if verdict is Verdict.TIE else "Pretraining"
        return f"{start} {who} takes {takes} FLOPs, {doing} {over:.2f} times that."
    if verdict is Verdict.DISTILL:
        takes = format_flops(deciding.total_flops)
        what = "Cascade" if deciding.method is FamilyMethod.CASCADE else "Distill"
        return f"{what}: {takes} FLOPs for {who}, {over:.2f} times what pretraining takes."
    return f"Pretrain {who}: {takes} FLOPs; {doing} takes {over:.2f} times that."
