"""How many students make distillation pay: each alone, the smallest few, and more of each."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from distillplan.accounting import Accounting
from distillplan.laws.formulas import FloatArray
from distillplan.optimize.family_optima import distilled_family, supervised_family
from distillplan.optimize.family_problems import FamilyOptima, FamilyProblems
from distillplan.planning import evaluate
from distillplan.planning.flips import MOST_STUDENTS
from distillplan.planning.options import option_of
from distillplan.planning.results import Reason
from distillplan.planning.scenario import Limits, Scenario
from distillplan.planning.verdict import Trained, reason_of, weigh_options, word
from distillplan.planning.verdict_records import Verdict
from distillplan.planning.windows import FIRST_LOOK
from distillplan.questions.family_cascade import solve_cascade
from distillplan.questions.family_records import (
    AloneVerdict,
    CopiesFlip,
    FamilyMember,
    FamilyMethod,
    LadderStep,
    Way,
)
from distillplan.questions.family_ways import SolvedWay, problems_of, solve
from distillplan.questions.family_weighing import judge_runs, weigh_family
from distillplan.units.quantities import SECONDS_PER_HOUR

LOOKS = 10
"""Numbers of copies at each closer look; the first looks at every power of two."""


def alone_verdicts(
    base: Scenario, members: Sequence[FamilyMember], supervised: SolvedWay
) -> tuple[AloneVerdict, ...]:
    """The verdict on one student of each size, with what it takes in the supervised family.

    Args:
        base: the question.
        members: of the family.
        supervised: its supervised training.
    """
    found = []
    for member, option in zip(members, supervised.options, strict=True):
        scenario = replace(member.scenario, students=1, limits=Limits())
        cost = float(scenario.supervised_costs.student_training(math.log(member.params)))
        budget = cost * (option.student_tokens or 0.0)
        if base.gpu_hours is None:
            budget += scenario.student_forward(member.params) * base.inference_tokens
            scenario = replace(scenario, compute=budget)
        else:
            budget /= SECONDS_PER_HOUR
            scenario = replace(scenario, gpu_hours=budget)
        alone = option_of(scenario, None)
        taught = option_of(scenario, base.pays, alone.loss)
        verdict, reason, gain = None, Reason.FAR_OUTSIDE_FIT, taught.gain_nats
        if alone.loss is not None:
            weighed = weigh_options(scenario, alone, taught)
            verdict, reason = word(float(weighed.side[0])), reason_of(weighed)
        model = scenario.student_model
        found.append(
            AloneVerdict(
                student_params=member.params,
                student_model=None if model is None else model.name,
                budget=budget,
                verdict=verdict,
                verdict_reason=reason,
                gain_nats=None if reason is Reason.WORSE_THAN_GUESSING else gain,
            )
        )
    return tuple(found)


def ladder_of(
    base: Scenario, members: Sequence[FamilyMember], known: tuple[SolvedWay, SolvedWay]
) -> tuple[LadderStep, ...]:
    """The verdict on the smallest members only, one more at each step, with the whole budget.

    Args:
        base: the question.
        members: of the family.
        known: supervised training of all of them, and the way that is weighed against it.
    """
    cascade = known[1].method is FamilyMethod.CASCADE
    order = sorted(members, key=lambda one: one.params)
    found = []
    for many in range(1 + cascade, len(order) + 1):  # one alone has nobody to teach it
        part = order[:many]
        alone, other = known
        if many < len(order):
            alone = solve(base, part, None)
            other = solve_cascade(base, part) if cascade else solve(base, part, base.pays)
        else:
            part = list(members)  # in the order of what is known
        verdict = gain = None
        if alone.loss is not None:
            weighed = weigh_family(base, part, alone, other)
            verdict = word(float(weighed.side[0]))
            sound = reason_of(weighed) is not Reason.WORSE_THAN_GUESSING
            gain = alone.loss - other.loss if other.loss is not None and sound else None
        found.append(
            LadderStep(
                students=sum(one.number for one in part),
                largest_params=order[many - 1].params,
                verdict=verdict,
                gain_nats=gain,
            )
        )
    return tuple(found)


def copies_flip(
    base: Scenario, members: Sequence[FamilyMember], now: Verdict | None
) -> CopiesFlip | None:
    """The least number of such families on the same budget that turns the verdict.

    Args:
        base: the question.
        members: of one family.
        now: the verdict on one; None where there is none.
    """
    if base.pays not in (Accounting.TRAIN, Accounting.TRAIN_SHARED):
        return None  # nothing is shared by more
    counts = 2.0 ** np.arange(1, math.log2(MOST_STUDENTS) + 1)
    near = 1.0
    while counts.size:
        turned = [
            (row, then)
            for row, one in enumerate(_sides(base, members, counts))
            if (then := word(one)) is not None and then is not now
        ]
        if not turned:
            return None
        row, then = turned[0]
        far = float(counts[row])
        near = float(counts[row - 1]) if row else near
        if far - near <= 1:
            students = int(far) * sum(one.number for one in members)
            return CopiesFlip(copies=int(far), students=students, verdict=then)
        counts = np.unique(np.round(np.linspace(near, far, LOOKS)))[1:]
    return None


def _sides(base: Scenario, members: Sequence[FamilyMember], copies: FloatArray) -> list[float]:
    """Which side wins with so many families on the budget, solved side by side."""
    alone = supervised_family(base.law.supervised, _shared(base, members, None, copies))
    law = evaluate.law_of(base)
    other = distilled_family(law, _shared(base, members, base.pays, copies), finest=FIRST_LOOK)
    runs = [
        (_run(alone, member, row), _run(other, member, row)) for row, member in enumerate(members)
    ]
    found: list[float] = judge_runs(base, members, runs).side.tolist()
    return found


def _shared(
    base: Scenario, members: Sequence[FamilyMember], way: Way, copies: FloatArray
) -> FamilyProblems:
    """Each family's part of the budget, and of what all of them pay once."""
    problems = problems_of(base, members, way)
    return problems._replace(
        budget=problems.budget / copies,
        cache=problems.cache / copies,
        training=problems.training / copies,
    )


def _run(found: FamilyOptima, member: FamilyMember, row: int) -> Trained:
    """One member in every problem."""
    size = found.loss.shape
    return Trained(
        loss=np.where(np.isfinite(found.loss), found.member_loss[:, row], np.inf),
        params=np.full(size, member.params),
        tokens=found.tokens[:, row],
        teacher_loss=found.teacher_loss,
        teacher_params=found.teacher_params,
        teacher_tokens=found.teacher_tokens,
    )
