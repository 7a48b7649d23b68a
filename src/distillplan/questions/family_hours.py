"""Hours and money of a family: each member's on the scenario's machine, and their sum."""

from collections.abc import Sequence

import numpy as np

from distillplan.accounting import Accounting, Logits, Share
from distillplan.hardware.bill import total_of
from distillplan.hardware.memory_fit import Fits
from distillplan.hardware.range import Range
from distillplan.optimize.family_problems import FamilyOptima
from distillplan.optimize.problems import GivenTeacher
from distillplan.planning.option_bill import OptionBill, option_bill, seconds_of
from distillplan.planning.results import Option
from distillplan.planning.scenario import Scenario
from distillplan.planning.sizes import Sizes
from distillplan.questions.family_records import Costing, FamilyMember, Way


def exact_costs(
    base: Scenario, members: Sequence[FamilyMember], way: Way, found: FamilyOptima
) -> Costing:
    """GPU-seconds per token at the sizes that were found, of which a table knew about as much.

    Args:
        base: a question whose budget is in GPU-hours.
        members: of the family.
        way: what is paid.
        found: of shape (1,).
    """

    def one(values: object) -> float | None:
        number = float(np.asarray(values, float)[0]) if values is not None else np.nan
        return None if np.isnan(number) else number

    teacher = base.teacher
    params, tokens = one(found.teacher_params), one(found.teacher_tokens)
    if teacher is not None:
        params, tokens = teacher.params, teacher.tokens
    seconds = [
        seconds_of(
            member.scenario,
            way,
            Sizes(
                student_params=member.params,
                student_tokens=float(found.tokens[0, row]),
                teacher_params=None if way is None else params,
                teacher_tokens=None if way is None else tokens,
            ),
        )
        for row, member in enumerate(members)
    ]
    training = np.array([each.student_training for each in seconds])
    if way is None:
        return Costing(training)
    first = seconds[0]
    priced = params is not None
    return Costing(
        training,
        GivenTeacher(
            loss=one(found.teacher_loss),
            forward_cost=first.teacher_forward if priced else 0.0,
            training_cost=first.teacher_training * (tokens or 0.0) if priced else 0.0,
        ),
    )


def billed(
    base: Scenario, members: Sequence[FamilyMember], way: Way, options: Sequence[Option]
) -> tuple[Option, ...]:
    """The members with their bills; what is paid once stands in one of them.

    The teacher's training stands in that of the first, what it wrote for all in that of the one
    that reads longest.
    """
    tokens = [one.student_tokens or 0.0 for one in options]
    longest = tokens.index(max(tokens))
    found = []
    for row, (member, option) in enumerate(zip(members, options, strict=True)):
        paid = Share()
        if way is not None:
            each = 1 / member.number
            online = base.logits is not Logits.STORED
            passes = 1.0 if online else each * (row == longest)
            paid = Share(
                logits=passes if way in (Accounting.EXISTS, Accounting.TRAIN) else 0.0,
                training=each * (row == 0)
                if way in (Accounting.TRAIN_SHARED, Accounting.TRAIN)
                else 0.0,
            )
        sizes = Sizes(**{name: getattr(option, name) for name in Sizes._fields})
        bill = option_bill(member.scenario, way, sizes, paid)
        found.append(option._replace(bill=bill))
    return tuple(found)


def together(options: Sequence[Option]) -> OptionBill:
    """The bill of all members, one after the other."""
    bills = [one.bill for one in options if one.bill is not None]
    lines = [line for bill in bills for line in bill.phases]
    total = total_of(lines)
    fullest = max(bills, key=lambda bill: bill.memory_bytes_per_gpu.mid)
    return fullest._replace(
        gpu_hours=total.gpu_hours,
        wall_seconds=total.wall_seconds,
        cost_usd=total.cost_usd,
        energy_kwh=total.energy_kwh,
        co2_kg=total.co2_kg,
        fits=Fits.worst(bill.fits for bill in bills),
        phases=tuple(
            total_of([line for line in lines if line.phase is phase], phase)
            for phase in dict.fromkeys(line.phase for line in lines)
        ),
        student_tokens=Range.total(one.student_tokens for one in bills),
    )
