"""The inverse question: the least compute, hours or cost, or the smallest student, for a loss."""

import math
from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum
from typing import NamedTuple

from distillplan.accounting import WHO_PAYS, way_in_words
from distillplan.errors import InfeasibleError, InputError, Word, needs_gpu
from distillplan.hardware.machine import usd_per_gpu_hour
from distillplan.laws.provenance import PublishedLaw
from distillplan.notices import Notice
from distillplan.planning.budget_text import Budget
from distillplan.planning.headline import format_budget
from distillplan.planning.options import option_of
from distillplan.planning.results import Method, Option
from distillplan.planning.scenario import Scenario
from distillplan.planning.validity import plan_warnings
from distillplan.planning.verdict import guessing
from distillplan.questions.defaults import ANY_BUDGET
from distillplan.questions.inverse import (
    Least,
    Way,
    least_budgets,
    smallest_students,
    spending,
)
from distillplan.questions.matched_model import Match
from distillplan.units.quantities import format_count, format_flops, format_usd


class Goal(StrEnum):
    """What to minimize."""

    COMPUTE = "compute"
    """FLOPs for all students."""
    HOURS = "hours"
    """GPU-hours on the scenario's machine."""
    COST = "cost"
    """US dollars for these GPU-hours."""
    STUDENT = "student"
    """Parameters of the student at the scenario's budget."""


class Reached(NamedTuple):
    """One way to the loss."""

    method: Method
    accounting: Way
    """Teacher costs that the budget covers; None for supervised training."""
    decides: bool
    """Whether the scenario's accounting is this one."""
    recommended: bool
    """Whether it takes least, of supervised training and the scenario's accounting."""
    total_flops: float | None
    """FLOPs for all students; None where this way cannot reach the loss."""
    over_supervised: float | None
    """The minimized amount divided by that of supervised training."""
    option: Option | None
    """The sizes; None where this way cannot reach the loss."""
    nearest_loss: float
    """The lowest loss, nats per token, that any budget (or any student) reaches this way."""


class Target(NamedTuple):
    """All ways to a loss."""

    loss: float
    """Nats per token."""
    match: Match | None
    """The supervised model whose loss it is; None where the loss was given."""
    minimise: Goal  # spelled like its key in the JSON
    """What was minimized."""
    headline: str
    """The answer in one sentence."""
    ways: tuple[Reached, ...]
    """Supervised training first."""
    warnings: tuple[Notice, ...]
    """What to know of supervised training and of the way that the scenario pays for."""
    law: PublishedLaw
    scenario: Scenario

    @property
    def minimize(self) -> Goal:
        """The same under the name of its option."""
        return self.minimise

    @property
    def unasked(self) -> tuple[str, ...]:
        """Keys of the scenario that the question leaves open."""
        return () if self.minimise is Goal.STUDENT else ("compute", "gpu_hours")


def target(
    scenario: Scenario,
    *,
    loss: float | None = None,
    match: Match | None = None,
    minimize: Goal = Goal.COMPUTE,
) -> Target:
    """The least compute, hours or cost, or the smallest student, that reaches a loss.

    Args:
        scenario: the question; its budget counts only where the student is minimized.
        loss: nats per token.
        match: a supervised model whose loss to reach, instead of a loss.
        minimize: what to minimize.

    Raises:
        InputError: when not exactly one loss is given, the student is both given and minimized,
            hours lack a machine or dollars a price.
        InfeasibleError: when no way reaches it; says how near they come.
    """
    wanted = wanted_loss(scenario, loss, match)
    if minimize is Goal.STUDENT and scenario.student_params is not None:
        raise InputError(Word("student_params"), ": it is what is minimized; leave it out")
    ways: tuple[Way, ...] = (None, *scenario.accountings)
    scenario = _counting(scenario, minimize)
    search = smallest_students if minimize is Goal.STUDENT else least_budgets
    found = search(scenario, ways, wanted)
    if all(one is None for one in found.amounts):
        raise InfeasibleError(_out_of_reach(scenario, wanted, minimize, ways, found.nearest))
    reached = _reached(scenario, minimize, ways, found)
    return Target(
        loss=wanted,
        match=match,
        minimise=minimize,
        headline=_headline(scenario, wanted, minimize, reached),
        ways=reached,
        warnings=(*_warnings(scenario, reached), *(() if match is None else match.notices)),
        law=scenario.law,
        scenario=scenario,
    )


def wanted_loss(scenario: Scenario, loss: float | None, match: Match | None) -> float:
    """The loss to reach, nats per token.

    Raises:
        InputError: when not exactly one of both is given, or it is no loss that helps anybody.
    """
    if (loss is None) == (match is None):
        raise InputError("loss: give either --loss or --match, e.g. --loss 2.2")
    if match is not None:
        loss = scenario.law.supervised.loss(match.student_params, match.student_tokens)
    if loss is None or not (math.isfinite(loss) and loss > 0):
        raise InputError(f"loss: {loss} is not a positive number of nats")
    most = guessing(scenario)
    if loss >= most:
        raise InputError(
            f"loss: {loss:g} nats is no better than guessing among "
            f"{scenario.architecture.vocab:,.0f} tokens ({most:.3f} nats); give a lower one"
        )
    return loss


def _reached(
    scenario: Scenario, minimize: Goal, ways: Sequence[Way], found: Least
) -> tuple[Reached, ...]:
    supervised, *_ = found.amounts
    weighed = [
        one
        for way, one in zip(ways, found.amounts, strict=True)
        if one is not None and way in (None, scenario.pays)
    ]
    least = min(weighed, default=math.nan)
    reached = []
    for way, amount, nearest in zip(ways, found.amounts, found.nearest, strict=True):
        option = over = None
        if amount is not None:
            if minimize is Goal.STUDENT:
                option = _option(replace(scenario, student_params=amount), way)
            else:
                option = _option(spending(scenario, amount), way)
            over = None if supervised is None else amount / supervised
        recommended = amount == least and way in (None, scenario.pays)
        reached.append(
            Reached(
                method=Method.SUPERVISED if way is None else Method.DISTILL,
                accounting=way,
                decides=way is not None and way is scenario.pays,
                recommended=recommended,
                total_flops=None if option is None else option.total_flops,
                over_supervised=over,
                option=None if option is None else option._replace(recommended=recommended),
                nearest_loss=nearest,
            )
        )
    return tuple(reached)


def _counting(scenario: Scenario, minimize: Goal) -> Scenario:
    """The scenario, its budget in the unit of what is minimized.

    Raises:
        InputError: when hours lack a machine, or dollars a price.
    """
    if minimize is Goal.STUDENT:
        return scenario
    if minimize is Goal.COMPUTE:
        return replace(scenario, compute=ANY_BUDGET, gpu_hours=None)
    if scenario.machine is None:
        raise needs_gpu(Word("minimize", minimize))
    if minimize is Goal.COST:
        usd_per_gpu_hour(scenario.machine)  # or there is none
    in_hours = replace(scenario, compute=None, gpu_hours=ANY_BUDGET)
    return replace(in_hours, pays_storage=minimize is Goal.COST, money_over_budget=1.0)


def budget_for(minimize: Goal, budget: Budget | None) -> Budget:
    """The budget of the scenario: the given one for the smallest student, else any.

    Raises:
        InputError: when the smallest student lacks a budget, or another goal has one.
    """
    if minimize is Goal.STUDENT:
        if budget is None:
            raise InputError(
                "the smallest student depends on the budget; add ", Word("compute", "1e21")
            )
        return budget
    if budget is not None:
        raise InputError(
            Word("compute"),
            ": it is the answer; leave it out, or add ",
            Word("minimize", "student"),
        )
    return Budget(flops=ANY_BUDGET)  # `target` counts it in hours where they are minimized


def _option(scenario: Scenario, way: Way) -> Option:
    """The sizes of one way, with its gain over supervised training at the same budget."""
    alone = option_of(scenario, None)
    return alone if way is None else option_of(scenario, way, alone.loss)


def _warnings(scenario: Scenario, ways: Sequence[Reached]) -> tuple[Notice, ...]:
    """What to know of supervised training and of the way that the scenario pays for."""
    alone, *_ = ways
    deciding = next((one.option for one in ways if one.decides), None)
    compared = tuple(one for one in (alone.option, deciding) if one is not None)
    if not compared:
        return ()
    first, *_ = compared
    return plan_warnings(scenario, first, deciding, None)


def amount(minimize: Goal, option: Option) -> tuple[str, str]:
    """How much of what is minimized an option takes: the number and its unit, in words."""
    bill = option.bill
    if minimize is Goal.STUDENT:
        return format_count(option.student_params), "parameters"
    if minimize is Goal.COMPUTE or bill is None:
        return format_flops(option.total_flops), "FLOPs"
    if minimize is Goal.COST and bill.cost_usd is not None:
        return format_usd(bill.cost_usd.mid), ""
    return format_count(bill.gpu_hours.mid), "GPU-hours"


def _doing(way: Way) -> str:
    return "pretraining" if way is None else f"distilling ({WHO_PAYS[way]})"


def _headline(scenario: Scenario, loss: float, minimize: Goal, ways: Sequence[Reached]) -> str:
    """What takes least, and how much that is; a difference that is a tie is called one."""
    alone, *_ = ways
    deciding = next((one for one in ways if one.decides), None)
    goal = f"{loss:.3f} nats"
    if alone.option is None:
        found = next(one for one in ways if one.option is not None)
        return (
            f"Pretraining cannot reach {goal} (at best {alone.nearest_loss:.3f}); "
            f"{_doing(found.accounting)} can."
        )
    takes = " ".join(amount(minimize, alone.option)).strip()
    if deciding is None:
        return f"Pretrain: {takes} for {goal}."
    doing = _doing(deciding.accounting)
    if deciding.option is None or deciding.over_supervised is None:
        at_best = f"at best {deciding.nearest_loss:.3f}"
        return f"Pretrain: {takes} for {goal}, which {doing} cannot reach ({at_best})."
    over, gain = deciding.over_supervised, deciding.option.gain_nats
    if gain is not None and abs(gain) < scenario.tie_nats:
        start = f"Too close to call: {goal} take {takes} by pretraining"
        return f"{start}, {over:.2f} times that by {doing}."
    if over >= 1:
        return f"Pretrain: {takes} for {goal}; {doing} takes {over:.2f} times that."
    takes = " ".join(amount(minimize, deciding.option)).strip()
    way = way_in_words(deciding.accounting).capitalize()
    return f"{way}: {takes} for {goal}, {over:.2f} times what pretraining takes."


def _out_of_reach(
    scenario: Scenario,
    loss: float,
    minimize: Goal,
    ways: Sequence[Way],
    nearest: Sequence[float],
) -> str:
    best, way = min(zip(nearest, ways, strict=True), key=lambda pair: pair[0])
    if minimize is Goal.STUDENT:
        who = f"no student reaches {loss:.4g} nats with {format_budget(scenario)}"
    elif scenario.student_params is None:
        who = f"no budget reaches {loss:.4g} nats within the bounds of the search"
    else:
        student = format_count(scenario.student_params)
        who = f"no budget brings a student of {student} parameters to {loss:.4g} nats"
    if not math.isfinite(best):
        return f"{who}; none can be trained at all"
    return f"{who}; the nearest is {best:.4f}, {_doing(way)}"
