"""What the runs of a pilot cost: in the unit of the budget, in FLOPs, hours and dollars."""

import math
from dataclasses import replace

from distillplan.accounting import TRAINING_PASSES, Accounting, Logits
from distillplan.errors import InputError, Word
from distillplan.models.model_sizes import check_flops
from distillplan.planning.budget_text import parse_budget
from distillplan.planning.results import Method
from distillplan.planning.scenario import Scenario
from distillplan.planning.sizes import Sizes
from distillplan.planning.teacher import Teacher
from distillplan.questions.pilot_records import RunToMake
from distillplan.questions.pilot_worlds import PilotRun, Unit
from distillplan.units.quantities import parse_count


def cost_of(scenario: Scenario, unit: Unit) -> float:
    """What runs cost in the unit of the scenario's budget, FLOPs or GPU-seconds."""
    total = 0.0
    for run in unit:
        n = math.log(run.params)
        if run.teacher is None:
            each = float(scenario.supervised_costs.student_training(n))
        else:
            each = float(scenario.distillation_costs.student_training(n))
            if pays_for(scenario, run.teacher):
                forward = scenario.distillation_costs.teacher_forward
                each += float(forward(math.log(run.teacher.params or 1.0)))
        total += each * run.tokens
    return total


def pays_for(scenario: Scenario, teacher: Teacher) -> bool:
    """Whether a pilot pays for a teacher's forward passes: unless its logits are there already."""
    if teacher.params is None:
        return False
    return teacher != scenario.teacher or scenario.share(scenario.pays).logits > 0


def to_make(scenario: Scenario, run: PilotRun, number: int, expected: float) -> RunToMake:
    """A run with what it costs.

    Args:
        scenario: the decision.
        run: what is trained.
        number: its place in the order, from 1.
        expected: its loss, nats per token.
    """
    teacher = run.teacher
    own_teacher = scenario.teacher is None and teacher is not None
    paid = teacher is not None and pays_for(scenario, teacher)
    forward = scenario.family.forward_flops
    flops = TRAINING_PASSES * forward(run.params) * run.tokens
    if teacher is not None and teacher.params is not None and paid:
        flops += forward(teacher.params) * run.tokens
    hours = usd = None
    if scenario.machine is not None:
        hours, usd = _bill(scenario, run, paid=paid)
    return RunToMake(
        number=number,
        method=Method.SUPERVISED if teacher is None else Method.DISTILL,
        params=run.params,
        tokens=run.tokens,
        teacher_run=1 if own_teacher else None,
        teacher_params=None if teacher is None else teacher.params,
        teacher_loss=None if own_teacher or teacher is None else scenario.teacher_loss,
        expected_loss=expected,
        total_flops=flops,
        gpu_hours=hours,
        cost_usd=usd,
    )


def _bill(scenario: Scenario, run: PilotRun, *, paid: bool) -> tuple[float, float | None]:
    """GPU-hours and dollars of a run on the scenario's machine."""
    from distillplan.planning.option_bill import option_bill  # not for FLOPs alone

    way = None if run.teacher is None else Accounting.EXISTS if paid else Accounting.FREE
    alone = replace(scenario, students=1, logits=Logits.ONLINE, accounting=way, inference_tokens=0)
    sizes = Sizes(
        student_params=run.params,
        student_tokens=run.tokens,
        teacher_params=None if run.teacher is None else run.teacher.params,
    )
    bill = option_bill(alone, way, sizes)
    return bill.gpu_hours.mid, None if bill.cost_usd is None else bill.cost_usd.mid


def parse_share(text: str, word: str) -> float:
    """A share such as 5% or 0.05.

    Args:
        text: as written.
        word: the option, for messages.

    Raises:
        InputError: when it is not a number.

    >>> parse_share("5%", "share"), parse_share("0.05", "share")
    (0.05, 0.05)
    """
    plain = text.strip()
    value = parse_count(plain.removesuffix("%"), f"--{word}", "5%")
    return value / 100 if plain.endswith("%") else value


def _refuse_share(flops: float, amount: str) -> None:
    """Refuse a budget that trains nothing, such as the 20 of 20%."""
    try:
        check_flops(flops, Word("pilot_budget"))
    except InputError as error:
        meant = ("; for a share of the budget add ", Word("share", f"{amount}%"))
        raise InputError(*error.parts, *(meant if flops <= 100 else ())) from None


def share_of(scenario: Scenario, share: str | None, amount: str | None) -> float | None:
    """The part of a scenario's budget that a pilot may take.

    Args:
        scenario: the decision.
        share: the part itself, as written.
        amount: FLOPs for a budget in FLOPs, GPU-hours or dollars for one in GPU-hours; instead.

    Returns:
        The part; None where neither is given.

    Raises:
        InputError: when both are given, or the amount is in another unit than the budget.
    """
    if share is not None and amount is not None:
        raise InputError(Word("share"), ": ", Word("pilot_budget"), " says it too; leave one out")
    if amount is None:
        return None if share is None else parse_share(share, "share")
    budget = parse_budget(amount, "--pilot-budget")
    if scenario.gpu_hours is None:
        if budget.flops is not None and scenario.compute is not None:
            _refuse_share(budget.flops, amount)
            return budget.flops / scenario.compute
        raise InputError(
            Word("pilot_budget", amount), ": the budget is in FLOPs; write FLOPs such as 1e19"
        )
    hours = budget.gpu_hours
    if budget.usd is not None and scenario.machine is not None:
        from distillplan.hardware.machine import usd_per_gpu_hour  # not for FLOPs alone

        hours = budget.usd / usd_per_gpu_hour(scenario.machine)
    if hours is None:
        raise InputError(
            Word("pilot_budget", amount),
            ": the budget is in GPU-hours; write '500 gpu-hours' or $2k",
        )
    return hours / scenario.gpu_hours
