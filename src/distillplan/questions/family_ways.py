"""The ways to train a family: from a scenario to the optimizer, and back to what each one takes."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from distillplan.accounting import TRAINING_PASSES, Accounting, Flops, Logits
from distillplan.fields import finite
from distillplan.laws.formulas import FloatArray
from distillplan.named_tuples import NamedTuple
from distillplan.optimize.family_optima import distilled_family, supervised_family
from distillplan.optimize.family_problems import FamilyOptima, FamilyProblems, Members
from distillplan.optimize.problems import Optima
from distillplan.planning import evaluate
from distillplan.planning.options import options_from
from distillplan.planning.results import Option
from distillplan.planning.scenario import Limits, Scenario
from distillplan.questions.family_records import Costing, FamilyMember, FamilyMethod, Way

if TYPE_CHECKING:
    from distillplan.planning.option_bill import OptionBill


class SolvedWay(NamedTuple):
    """One way with the best sizes, before it is judged."""

    method: FamilyMethod
    accounting: Way
    optima: FamilyOptima
    """Of shape (1,)."""
    options: tuple[Option, ...]
    """Each member as a plan of its own would show it."""
    flops: Flops | None
    """None where it is over budget."""
    bill: "OptionBill | None"
    teacher_name: str | None = None
    """The open model that teaches, where it is proposed."""

    @property
    def loss(self) -> float | None:
        """Weighted mean, nats per token; None where it is over budget."""
        return finite(float(self.optima.loss[0]))

    @property
    def total_flops(self) -> float | None:
        """Of the whole family; None where it is over budget."""
        return None if self.flops is None else self.flops.total


def weights_of(members: Sequence[FamilyMember]) -> FloatArray:
    """Weights that, times the numbers of students, sum to 1; shape (members,)."""
    counts = np.array([float(one.number) for one in members])
    weights = np.array([one.weight for one in members])
    return np.asarray(weights / (counts * weights).sum())


def asked(base: Scenario, members: Sequence[FamilyMember], costing: Costing) -> FamilyProblems:
    """One budget, for a family whose teacher costs nothing."""
    served = 0.0
    if base.inference_tokens:  # which a budget in GPU-hours has not
        each = [one.number * one.scenario.student_forward(one.params) for one in members]
        served = base.inference_tokens * sum(each)
    return FamilyProblems(
        members=Members(
            log_params=np.log([one.params for one in members]),
            counts=np.array([float(one.number) for one in members]),
            weights=weights_of(members),
            training=costing.training,
            served=served,
        ),
        budget=np.array([base.budget]),
        costs=base.distillation_costs,
        bounds=base.bounds,
        unique_tokens=base.unique_tokens,
        most_passed=base.most_passed,
        teacher=costing.teacher,
    )


def problems_of(base: Scenario, members: Sequence[FamilyMember], way: Way) -> FamilyProblems:
    """The budget as the optimizer takes it, with what a way pays for."""
    most = evaluate.most_spent(base, way)
    if way is None:
        found = asked(base, members, Costing(_trainings(members, distilling=False)))
        return found._replace(budget=np.minimum(found.budget, most))
    teacher = None if base.teacher is None else evaluate.given_teacher(base)
    found = asked(base, members, Costing(_trainings(members, distilling=True), teacher))
    return paying(found._replace(budget=np.minimum(found.budget, most)), base, way)


def paying(problems: FamilyProblems, base: Scenario, way: Accounting) -> FamilyProblems:
    """The same with what a way pays for."""
    passes = way in (Accounting.EXISTS, Accounting.TRAIN)
    stored = base.logits is Logits.STORED
    return problems._replace(
        logits=float(passes and not stored),
        cache=float(passes and stored),
        training=float(way in (Accounting.TRAIN_SHARED, Accounting.TRAIN)),
    )


def _trainings(members: Sequence[FamilyMember], *, distilling: bool) -> FloatArray:
    costs = [
        one.scenario.distillation_costs if distilling else one.scenario.supervised_costs
        for one in members
    ]
    return np.array(
        [
            float(cost.student_training(math.log(one.params)))
            for cost, one in zip(costs, members, strict=True)
        ]
    )


def solve(base: Scenario, members: Sequence[FamilyMember], way: Way) -> SolvedWay:
    """The best sizes of one way, for the least weighted mean loss."""
    problems = problems_of(base, members, way)
    if way is None:
        found = supervised_family(base.law.supervised, problems)
    else:
        found = distilled_family(evaluate.law_of(base), problems)
    found = settled(base, members, way, found)
    method = FamilyMethod.SUPERVISED if way is None else FamilyMethod.DISTILL
    return solved(base, members, method, way, found)


def settled(
    base: Scenario,
    members: Sequence[FamilyMember],
    way: Way,
    found: FamilyOptima,
) -> FamilyOptima:
    """Optima with the sizes of a given teacher; a budget in GPU-hours is split by exact speeds."""
    if base.gpu_hours is not None and math.isfinite(float(found.loss[0])):
        from distillplan.questions.family_hours import exact_costs  # not for budgets in FLOPs

        exact = exact_costs(base, members, way, found)
        again = asked(base, members, exact)
        if way is None:
            return supervised_family(base.law.supervised, again)
        sizes = found.teacher_params, found.teacher_tokens, found.unit
        found = distilled_family(evaluate.law_of(base), paying(again, base, way))
        found = found._replace(teacher_params=sizes[0], teacher_tokens=sizes[1], unit=sizes[2])
    return with_teacher(base, way, found)


def with_teacher(base: Scenario, way: Way, found: FamilyOptima) -> FamilyOptima:
    """Optima with the sizes of the given teacher, where there is one."""
    if way is None or base.teacher is None:
        return found
    return found._replace(
        teacher_params=np.array([base.teacher.params], float),
        teacher_tokens=np.array([base.teacher.tokens], float),
    )


def solved(
    base: Scenario,
    members: Sequence[FamilyMember],
    method: FamilyMethod,
    way: Way,
    found: FamilyOptima,
) -> SolvedWay:
    """One way, with what each member takes."""
    feasible = math.isfinite(float(found.loss[0]))
    options = tuple(option_of(one.scenario, way, found, row) for row, one in enumerate(members))
    bill = None
    if base.machine is not None and feasible:
        from distillplan.questions.family_hours import billed, together  # not for FLOPs alone

        options = billed(base, members, way, options)
        bill = together(options)
    flops = _flops(base, members, way, options) if feasible else None
    return SolvedWay(
        method=method, accounting=way, optima=found, options=options, flops=flops, bill=bill
    )


def option_of(scenario: Scenario, way: Way, found: FamilyOptima, row: int) -> Option:
    """A member of a family as an option of its own."""

    def one(values: FloatArray | None) -> FloatArray | None:
        return None if values is None else np.asarray(values)[:1]

    optima = Optima(
        loss=np.where(np.isfinite(found.loss), found.member_loss[:, row], np.inf)[:1],
        student_params=np.array([scenario.student_params], float),
        student_tokens=found.tokens[:1, row],
        teacher_loss=None if way is None else one(found.teacher_loss),
        teacher_params=None if way is None else one(found.teacher_params),
        teacher_tokens=None if way is None else one(found.teacher_tokens),
    )
    without_bill = replace(scenario, compute=1.0, gpu_hours=None, machine=None, limits=Limits())
    (option,) = options_from([without_bill], [way], optima, None)
    return option


def _flops(
    base: Scenario, members: Sequence[FamilyMember], way: Way, options: Sequence[Option]
) -> Flops:
    """What the whole family takes."""
    pairs = list(zip(members, options, strict=True))
    forwards = [one.scenario.student_forward(one.params) for one in members]
    training = sum(
        TRAINING_PASSES * one.number * forward * (option.student_tokens or 0.0)
        for (one, option), forward in zip(pairs, forwards, strict=True)
    )
    served = base.inference_tokens * sum(
        one.number * forward for one, forward in zip(members, forwards, strict=True)
    )
    first = options[0]
    logits = trained = 0.0
    if way is not None and first.teacher_params is not None:
        forward = base.teacher_forward(first.teacher_params)
        paid = paying(asked(base, members, Costing(np.zeros(len(members)))), base, way)
        tokens = [one.number * (option.student_tokens or 0.0) for one, option in pairs]
        longest = max(option.student_tokens or 0.0 for option in options)
        longest = min(longest, base.most_passed)
        logits = forward * (paid.logits * sum(tokens) + float(paid.cache) * longest)
        once = TRAINING_PASSES * forward * (first.teacher_tokens or 0.0)
        trained = float(paid.training) * once
    return Flops(
        student_training=training,
        teacher_logits=logits,
        teacher_training=trained,
        student_serving=served,
    )
