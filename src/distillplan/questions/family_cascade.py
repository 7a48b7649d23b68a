"""A cascade: each student of a family is taught by the next larger one."""

import math
from collections.abc import Sequence

import numpy as np

from distillplan.accounting import Accounting, Flops, Logits, Share
from distillplan.errors import InputError, Word
from distillplan.laws.draws import Draws
from distillplan.laws.formulas import DistillationLaw, FloatArray
from distillplan.optimize.cascades import Chain, best_chain
from distillplan.optimize.family_problems import FamilyOptima
from distillplan.planning import evaluate
from distillplan.planning.results import Option
from distillplan.planning.scenario import Scenario
from distillplan.planning.sizes import Sizes
from distillplan.planning.teacher import loss_by
from distillplan.questions.family_records import Costing, FamilyMember, FamilyMethod, Way
from distillplan.questions.family_ways import SolvedWay, asked, option_of


def check_cascade(base: Scenario, members: Sequence[FamilyMember]) -> None:
    """Refuse a cascade that cannot be.

    Raises:
        InputError: when there are not several sizes, or a teacher is trained or its logits are on
            disk before there is one.
    """
    sizes = {one.params for one in members}
    if len(sizes) < max(len(members), 2):
        raise InputError(
            Word("cascade"), ": give two sizes or more, each once, e.g. --students 300M,1B,3B"
        )
    if base.logits is Logits.CACHED:
        raise InputError(
            Word("cascade"),
            ": the logits of students that are not trained yet are not on disk; leave out ",
            Word("logits", Logits.CACHED.value),
        )
    if base.accounting in (Accounting.TRAIN, Accounting.TRAIN_SHARED):
        raise InputError(
            Word("cascade"),
            ": it trains no teacher beside the students; leave out ",
            Word("accounting", str(base.accounting)),
        )


def solve_cascade(base: Scenario, members: Sequence[FamilyMember]) -> SolvedWay:
    """The best tokens of a cascade, for the least weighted mean loss."""
    order = order_of(members)
    found = best_chain(chain_of(base, members, evaluate.law_of(base), 1, base.teacher_loss))
    back = np.argsort(order)
    optima = FamilyOptima(
        loss=found.loss, member_loss=found.member_loss[:, back], tokens=found.tokens[:, back]
    )
    return cascade_of(base, members, optima)


def cascade_of(base: Scenario, members: Sequence[FamilyMember], optima: FamilyOptima) -> SolvedWay:
    """A cascade with what each member takes; optima of shape (1,)."""
    ways = _ways(base, members)
    options = tuple(_option(base, members, ways, optima, row) for row in range(len(members)))
    feasible = math.isfinite(float(optima.loss[0]))
    flops = bill = None
    if feasible:
        flops = _flops(base, members, options)
        if base.machine is not None:
            from distillplan.planning.option_bill import option_bill  # not for FLOPs alone
            from distillplan.questions.family_hours import together

            shares = _passes(base, members)
            options = tuple(
                option._replace(
                    bill=option_bill(
                        member.scenario,
                        way,
                        Sizes(**{name: getattr(option, name) for name in Sizes._fields}),
                        Share(logits=share / member.number, training=0.0),
                    )
                )
                for member, way, option, share in zip(members, ways, options, shares, strict=True)
            )
            bill = together(options)
    return SolvedWay(
        method=FamilyMethod.CASCADE,
        accounting=None if base.teacher is None else base.pays,
        optima=optima,
        options=options,
        flops=flops,
        bill=bill,
    )


def drawn_cascade(
    base: Scenario, members: Sequence[FamilyMember], known: SolvedWay, draws: Draws
) -> FamilyOptima:
    """A cascade under every drawn law, near the known one."""
    law = draws.law
    if not isinstance(law, DistillationLaw):
        raise TypeError("a law without distillation has no cascade")
    order, teacher = order_of(members), base.teacher
    loss = None if teacher is None else loss_by(teacher, draws.supervised)
    found = best_chain(
        chain_of(base, members, law, draws.size, loss), known.optima.tokens[0][order]
    )
    back = np.argsort(order)
    return FamilyOptima(
        loss=found.loss, member_loss=found.member_loss[:, back], tokens=found.tokens[:, back]
    )


def teacher_of(members: Sequence[FamilyMember], row: int) -> int | None:
    """The place of the member that teaches another; None for the largest."""
    larger = [place for place, one in enumerate(members) if one.params > members[row].params]
    return min(larger, key=lambda place: members[place].params, default=None)


def order_of(members: Sequence[FamilyMember]) -> list[int]:
    """Places of the members, the largest first."""
    return sorted(range(len(members)), key=lambda row: -members[row].params)


def _ways(base: Scenario, members: Sequence[FamilyMember]) -> list[Way]:
    """How each is taught, and who pays for that."""
    first: Way = None if base.teacher is None else base.pays
    return [
        first if teacher_of(members, row) is None else Accounting.EXISTS
        for row in range(len(members))
    ]


def _passes(base: Scenario, members: Sequence[FamilyMember]) -> list[float]:
    """How often each member's teacher reads its tokens, and the budget pays for it."""
    often = [1.0 if base.logits is Logits.STORED else float(one.number) for one in members]
    return [
        times if way in (Accounting.EXISTS, Accounting.TRAIN) else 0.0
        for times, way in zip(often, _ways(base, members), strict=True)
    ]


def chain_of(
    base: Scenario,
    members: Sequence[FamilyMember],
    law: DistillationLaw,
    problems: int,
    teacher_loss: float | FloatArray | None,
) -> Chain:
    """The members as the optimizer takes them, the largest first.

    Args:
        base: the question.
        members: of the family.
        law: its coefficients are numbers, or arrays of shape (problems,).
        problems: how many budgets, all of them the scenario's.
        teacher_loss: of the largest member's teacher, a number or an array of shape (problems,).
    """
    order = order_of(members)
    family = asked(base, members, Costing(np.zeros(len(members))))
    weights = family.members.counts * family.members.weights
    training, passes = _per_token(base, members)
    return Chain(
        law=law,
        log_params=family.members.log_params[order],
        weights=weights[order],
        training=training[order],
        passes=passes[order],
        budget=np.full(problems, max(base.budget - family.members.served, 1e-300)),
        bounds=base.bounds,
        unique_tokens=base.unique_tokens,
        most_passed=base.most_passed,
        teacher_loss=None if teacher_loss is None else np.full(problems, teacher_loss),
    )


def _per_token(base: Scenario, members: Sequence[FamilyMember]) -> tuple[FloatArray, FloatArray]:
    """Cost of a token of each size: training of all its students, and the passes for them."""
    ways, passes = _ways(base, members), _passes(base, members)
    each = [_costs(base, members, row, way) for row, way in enumerate(ways)]
    numbers = np.array([float(one.number) for one in members])
    training, forward = (np.array(column) for column in zip(*each, strict=True))
    return numbers * training, np.array(passes) * forward


def _costs(
    base: Scenario, members: Sequence[FamilyMember], row: int, way: Way
) -> tuple[float, float]:
    """Of a token: training one student, and its teacher's pass; in the budget's unit."""
    member, teacher = members[row], teacher_of(members, row)
    params = members[teacher].params if teacher is not None else None
    if teacher is None and base.teacher is not None:
        params = base.teacher.params
    if base.gpu_hours is not None:
        from distillplan.planning.option_bill import seconds_of  # not for budgets in FLOPs

        sizes = Sizes(student_params=member.params, student_tokens=1.0, teacher_params=params)
        seconds = seconds_of(member.scenario, way, sizes)
        return seconds.student_training, 0.0 if params is None else seconds.teacher_forward
    scenario = member.scenario
    costs = scenario.supervised_costs if way is None else scenario.distillation_costs
    training = float(costs.student_training(math.log(member.params)))
    if teacher is not None:
        return training, members[teacher].scenario.student_forward(members[teacher].params)
    return training, 0.0 if params is None else base.teacher_forward(params)


def _option(
    base: Scenario,
    members: Sequence[FamilyMember],
    ways: Sequence[Way],
    optima: FamilyOptima,
    row: int,
) -> Option:
    """A member with the teacher that it has in the cascade."""
    teacher = teacher_of(members, row)
    if teacher is not None:
        taught = optima._replace(
            teacher_loss=optima.member_loss[:, teacher],
            teacher_params=np.array([members[teacher].params]),
            teacher_tokens=optima.tokens[:, teacher],
        )
    elif base.teacher is not None:
        taught = optima._replace(
            teacher_loss=np.array([base.teacher_loss], float),
            teacher_params=np.array([base.teacher.params], float),
            teacher_tokens=np.array([base.teacher.tokens], float),
        )
    else:
        taught = optima
    return option_of(members[row].scenario, ways[row], taught, row)


def _flops(base: Scenario, members: Sequence[FamilyMember], options: Sequence[Option]) -> Flops:
    """What the whole cascade takes."""
    passes = _passes(base, members)
    training = logits = served = 0.0
    for row, (member, option) in enumerate(zip(members, options, strict=True)):
        forward = member.scenario.student_forward(member.params)
        tokens = option.student_tokens or 0.0
        read = min(tokens, base.most_passed)
        training += 3.0 * member.number * forward * tokens
        served += member.number * forward * base.inference_tokens
        teacher = teacher_of(members, row)
        if teacher is not None:
            one = members[teacher]
            logits += passes[row] * one.scenario.student_forward(one.params) * read
        elif base.teacher is not None and base.teacher.params is not None:
            logits += passes[row] * base.teacher_forward(base.teacher.params) * read
    return Flops(student_training=training, teacher_logits=logits, student_serving=served)
