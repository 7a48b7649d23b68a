"""The inverse question: the least compute, hours or cost, or the smallest student, for a loss."""

import math
from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum
from typing import NamedTuple

from distillplan.errors import InfeasibleError, InputError
from distillplan.laws.provenance import PublishedLaw
from distillplan.notices import Notice
from distillplan.planning import evaluate
from distillplan.planning.options import option_from
from distillplan.planning.results import Method, Option
from distillplan.planning.scenario import Scenario
from distillplan.planning.validity import plan_warnings
from distillplan.planning.verdict import format_budget
from distillplan.questions.inverse import Way, least_budgets, optimum, smallest_students, spending
from distillplan.units import Budget, format_count, format_flops, format_usd, parse_pair

ANY_BUDGET = 1e21
"""FLOPs, or GPU-hours, of the scenario where the budget is what is looked for."""


class Goal(StrEnum):
    """What is to be as small as it can."""

    COMPUTE = "compute"
    HOURS = "hours"
    """GPU-hours, on the scenario's machine."""
    COST = "cost"
    """Dollars, for these GPU-hours."""
    STUDENT = "student"


class Reached(NamedTuple):
    """One way to the loss."""

    method: Method
    accounting: Way
    decides: bool
    """Whether it is what the scenario pays."""
    total_flops: float | None
    """Of the whole family; None where this way does not lead there."""
    over_supervised: float | None
    """What is to be small over what supervised training takes of it."""
    option: Option | None
    """The sizes; None where this way does not lead there."""
    nearest_loss: float
    """The least loss that any budget, or any student at the given budget, reaches this way."""


class Target(NamedTuple):
    """All ways to a loss."""

    loss: float
    match: tuple[float, float] | None
    """Parameters and tokens of the supervised model whose loss it is."""
    minimise: Goal
    headline: str
    ways: tuple[Reached, ...]
    warnings: tuple[Notice, ...]
    law: PublishedLaw
    scenario: Scenario


def target(
    scenario: Scenario,
    *,
    loss: float | None = None,
    match: tuple[float, float] | None = None,
    minimise: Goal = Goal.COMPUTE,
) -> Target:
    """The least compute, or the smallest student at the scenario's compute, that reaches a loss.

    Args:
        scenario: the question; its budget is looked at only where the student is minimised.
        loss: nats per token.
        match: instead of a loss, parameters and tokens of a supervised model that has it.
        minimise: what is to be as small as it can.

    Raises:
        InputError: when no loss is given, or two are, or the student to be chosen is given.
        InfeasibleError: when no way reaches it, with the nearest loss.
    """
    if (loss is None) == (match is None):
        raise InputError("target: give one of --loss and --match, such as --loss 2.2")
    if match is not None:
        loss = scenario.law.supervised.loss(*match)
    if loss is None or not (math.isfinite(loss) and loss > 0):
        raise InputError(f"loss: {loss} is not a positive number of nats")
    if minimise is Goal.STUDENT and scenario.student_params is not None:
        raise InputError("student: it is what --minimise student looks for; leave it out")
    ways: tuple[Way, ...] = (None, *scenario.accountings)
    scenario = _counting(scenario, minimise)
    if minimise is Goal.STUDENT:
        found, nearest = smallest_students(scenario, ways, loss)
        answers = [None if one is None else replace(scenario, student_params=one) for one in found]
    else:
        found, nearest = least_budgets(scenario, ways, loss)
        answers = [None if one is None else spending(scenario, one) for one in found]
    if all(one is None for one in found):
        raise InfeasibleError(_out_of_reach(scenario, loss, minimise, ways, nearest))
    sizes = [
        None if one is None else _option(one, way) for way, one in zip(ways, answers, strict=True)
    ]
    reached = tuple(
        Reached(
            method=Method.SUPERVISED if way is None else Method.DISTILL,
            accounting=way,
            decides=way is not None and way is scenario.pays,
            total_flops=None if option is None else option.total_flops,
            over_supervised=None if one is None or found[0] is None else one / found[0],
            option=option,
            nearest_loss=near,
        )
        for way, one, option, near in zip(ways, found, sizes, nearest, strict=True)
    )
    return Target(
        loss=loss,
        match=match,
        minimise=minimise,
        headline=_headline(loss, minimise, reached),
        ways=reached,
        warnings=_warnings(scenario, reached),
        law=scenario.law,
        scenario=scenario,
    )


def _counting(scenario: Scenario, minimise: Goal) -> Scenario:
    """The scenario, its budget in the unit of what is to be small.

    Raises:
        InputError: when hours lack a machine, or dollars a price.
    """
    if minimise is Goal.STUDENT:
        return scenario
    if minimise is Goal.COMPUTE:
        return replace(scenario, compute=ANY_BUDGET, gpu_hours=None)
    if scenario.machine is None:
        raise InputError(f"minimise: {minimise} needs a GPU; give --gpu, such as h100-sxm")
    price = scenario.machine.price
    if minimise is Goal.COST and (price is None or price.usd_per_hour <= 0):
        raise InputError(
            f"minimise: no price of {scenario.machine.cluster.gpu.name} is known; give --price, "
            "the dollars of one GPU-hour"
        )
    return replace(scenario, compute=None, gpu_hours=ANY_BUDGET)


def budget_for(minimise: Goal, budget: Budget | None) -> Budget:
    """The budget of the scenario: the given one for the smallest student, else any of its unit.

    Raises:
        InputError: when one is missing, or given where it is looked for.
    """
    if minimise is Goal.STUDENT:
        if budget is None:
            raise InputError("compute: the smallest student depends on it; add --compute 1e21")
        return budget
    if budget is not None:
        raise InputError("compute: it is what is looked for; leave it out, or --minimise student")
    if minimise is Goal.COMPUTE:
        return Budget(flops=ANY_BUDGET)
    return Budget(gpu_hours=ANY_BUDGET)


def parse_match(text: str) -> tuple[float, float]:
    """Parameters and tokens of the model to match.

    Raises:
        InputError: when the tokens are missing, or either is no count.
    """
    params, tokens = parse_pair(text, "match", "3B:60B")
    if tokens is None:
        raise InputError(f"match: {text!r} has no tokens; write for example 3B:60B")
    return params, tokens


def _option(scenario: Scenario, way: Way) -> Option:
    """The sizes of one way, with its gain over supervised training at the same budget."""
    alone = optimum(scenario, None)
    if way is None or alone.loss is None:
        return alone if way is None else optimum(scenario, way)
    return option_from(
        scenario, way, evaluate.distilled_each([scenario], [way]), 0, alone=alone.loss
    )


def _warnings(scenario: Scenario, ways: Sequence[Reached]) -> tuple[Notice, ...]:
    """What to know of the supervised way and of the one that the scenario pays."""
    shown = [one.option for one in ways if one.option is not None and one.decides]
    alone = next((one.option for one in ways if one.accounting is None and one.option), None)
    compared = tuple(one for one in (alone, *shown) if one is not None)
    if not compared:
        return ()
    deciding = shown[0] if shown else None
    return plan_warnings(scenario, compared[0], deciding, compared, None)


def amount(minimise: Goal, option: Option) -> tuple[str, str]:
    """What a way takes of what is to be small, as a number and its unit in words."""
    bill = option.bill
    if minimise is Goal.STUDENT:
        return format_count(option.student_params), "parameters"
    if minimise is Goal.COMPUTE or bill is None:
        return format_flops(option.total_flops), "FLOPs"
    if minimise is Goal.COST and bill.cost_usd is not None:
        return format_usd(bill.cost_usd.mid), ""
    return format_count(bill.gpu_hours.mid), "GPU-hours"


def _what(way: Way) -> str:
    return "supervised" if way is None else f"distill: {way}"


def _headline(loss: float, minimise: Goal, ways: Sequence[Reached]) -> str:
    alone = ways[0]
    deciding = next((one for one in ways if one.decides), None)
    goal = f"{loss:.3f} nats"
    if alone.option is None or alone.total_flops is None:
        found = next(one for one in ways if one.option is not None)
        return (
            f"Supervised training cannot reach {goal} (nearest {alone.nearest_loss:.3f}); "
            f"{_what(found.accounting)} can."
        )
    start = f"{goal}: supervised with {' '.join(amount(minimise, alone.option)).strip()}"
    if deciding is None:
        return f"{start}."
    if deciding.over_supervised is None:
        return (
            f"{start}; {_what(deciding.accounting)} cannot (nearest {deciding.nearest_loss:.3f})."
        )
    return f"{start}; {_what(deciding.accounting)} takes {deciding.over_supervised:.2f} times that."


def _out_of_reach(
    scenario: Scenario,
    loss: float,
    minimise: Goal,
    ways: Sequence[Way],
    nearest: Sequence[float],
) -> str:
    best = min(range(len(ways)), key=lambda index: nearest[index])
    if minimise is Goal.STUDENT:
        who = f"no student reaches {loss:.4g} nats with {format_budget(scenario)}"
    elif scenario.student_params is None:
        who = f"no budget reaches {loss:.4g} nats within the bounds of the search"
    else:
        student = format_count(scenario.student_params)
        who = f"no budget brings a student of {student} parameters to {loss:.4g} nats"
    if not math.isfinite(nearest[best]):
        return f"{who}; none can be trained at all"
    return f"{who}; the nearest is {nearest[best]:.4f} ({_what(ways[best])})"
