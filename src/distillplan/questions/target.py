"""The inverse question: the least compute, hours or cost, or the smallest student, for a loss."""

import math
from collections.abc import Sequence
from dataclasses import replace

from distillplan.accounting import way_in_words
from distillplan.errors import InfeasibleError, InputError, Word, needs_gpu
from distillplan.hardware.machine import usd_per_gpu_hour
from distillplan.laws.provenance import PublishedLaw
from distillplan.named_tuples import NamedTuple
from distillplan.notices import Notice
from distillplan.planning.budget_text import Budget
from distillplan.planning.headline import format_budget
from distillplan.planning.results import Method, Option, Reason
from distillplan.planning.scenario import Scenario
from distillplan.planning.validity import plan_warnings
from distillplan.planning.verdict import guessing, is_guess
from distillplan.planning.verdict_records import Verdict
from distillplan.questions.defaults import ANY_BUDGET
from distillplan.questions.inverse import Least, Way, least_budgets, smallest_students
from distillplan.questions.matched_model import Match
from distillplan.questions.target_goals import Goal
from distillplan.questions.target_weighing import (
    Choice,
    both_ways,
    chosen,
    doing,
    obstacle,
    silence,
)
from distillplan.units.quantities import format_count, format_flops, format_usd

NO_BUDGET = 1e-6
"""Of a scenario whose budget is sought: less than any way spends."""


class Reached(NamedTuple):
    """One way to the loss."""

    method: Method
    accounting: Way
    """Teacher costs that the budget covers; None for supervised training."""
    decides: bool
    """Whether the scenario's accounting is this one."""
    recommended: bool
    """Whether this is what to do; at a tie supervised training, which is simpler."""
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
    verdict: Verdict | None
    """What a plan with the least that supervised training or the scenario's accounting takes says;
    None where it says nothing."""
    verdict_reason: Reason | None
    """Why; None where neither of the two reaches the loss."""
    margin_nats: float | None
    """Supervised minus distilled loss there, nats per token."""
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
    choice = chosen(scenario, ways, found.amounts, students=minimize is Goal.STUDENT)
    reached = _reached(scenario, minimize, ways, found, choice)
    margin = None if choice is None or choice.distilled is None else choice.distilled.gain_nats
    return Target(
        loss=wanted,
        match=match,
        minimise=minimize,
        verdict=None if choice is None else choice.decision.verdict,
        verdict_reason=None if choice is None else choice.decision.reason,
        margin_nats=margin,
        headline=_headline(wanted, minimize, reached, choice),
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
    scenario: Scenario, minimize: Goal, ways: Sequence[Way], found: Least, choice: Choice | None
) -> tuple[Reached, ...]:
    supervised, *_ = found.amounts
    method = None if choice is None else choice.method
    reached = []
    for way, amount, nearest in zip(ways, found.amounts, found.nearest, strict=True):
        option = over = None
        if amount is not None:
            there = scenario.spending(amount)
            if minimize is Goal.STUDENT:
                there = replace(scenario, student_params=amount)
            alone, distilled = both_ways(there, way)
            option = distilled or alone
            option = option._replace(is_guess=is_guess(there, option))
            over = None if supervised is None else amount / supervised
        own = Method.SUPERVISED if way is None else Method.DISTILL
        recommended = option is not None and own is method and way in (None, scenario.pays)
        reached.append(
            Reached(
                method=own,
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
        return replace(scenario, compute=NO_BUDGET, gpu_hours=None)
    if scenario.machine is None:
        raise needs_gpu(Word("minimize", minimize))
    if minimize is Goal.COST:
        usd_per_gpu_hour(scenario.machine)  # or there is none
    in_hours = replace(scenario, compute=None, gpu_hours=NO_BUDGET)
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


def _headline(loss: float, minimize: Goal, ways: Sequence[Reached], choice: Choice | None) -> str:
    """What to do and how much it takes; where nobody can tell, why."""
    goal, (alone, *_) = f"{loss:.3f} nats", ways
    deciding = next((one for one in ways if one.decides), None)
    if choice is None:
        other = next(one for one in ways if one.option is not None)
        return f"{_cannot(alone, goal)}; {doing(other.accounting)} can."
    if deciding is None:
        return f"Pretrain: {_takes(minimize, alone)} for {goal}."
    match choice.decision.verdict:
        case None:
            return f"{silence(choice)} By the law, {_both(goal, minimize, alone, deciding)}."
        case Verdict.TIE:
            return f"Too close to call: {_both(goal, minimize, alone, deciding)}."
        case _:
            why = obstacle(choice)
            end = "" if why is None else f" {why}."
            return f"{_advised(goal, minimize, alone, deciding)}.{end}"


def _takes(minimize: Goal, one: Reached) -> str:
    """How much of what is minimized a way takes that reaches the loss, in words."""
    if one.option is None:
        raise ValueError("a way that does not reach the loss takes nothing")
    return " ".join(amount(minimize, one.option)).strip()


def _cannot(one: Reached, goal: str) -> str:
    who = doing(one.accounting)
    return f"{who[0].upper()}{who[1:]} cannot reach {goal} (at best {one.nearest_loss:.3f})"


def _both(goal: str, minimize: Goal, alone: Reached, deciding: Reached) -> str:
    """What two ways take, side by side."""
    if alone.option is None or deciding.option is None:
        reaching, other = (deciding, alone) if alone.option is None else (alone, deciding)
        takes, by = _takes(minimize, reaching), doing(reaching.accounting)
        at_best = f"{doing(other.accounting)} at best reaches {other.nearest_loss:.3f}"
        return f"{goal} take {takes} by {by}; {at_best}"
    takes, by = _takes(minimize, alone), doing(deciding.accounting)
    return f"{goal} take {takes} by pretraining, {deciding.over_supervised:.2f} times that by {by}"


def _advised(goal: str, minimize: Goal, alone: Reached, deciding: Reached) -> str:
    """What to do, and what the other way takes."""
    if alone.option is None:
        return f"{_cannot(alone, goal)}; {doing(deciding.accounting)} can"
    takes, by, over = _takes(minimize, alone), doing(deciding.accounting), deciding.over_supervised
    if deciding.option is None:
        at_best = f"at best {deciding.nearest_loss:.3f}"
        return f"Pretrain: {takes} for {goal}, which {by} cannot reach ({at_best})"
    if not deciding.recommended:
        return f"Pretrain: {takes} for {goal}; {by} takes {over:.2f} times that"
    way, takes = way_in_words(deciding.accounting).capitalize(), _takes(minimize, deciding)
    return f"{way}: {takes} for {goal}, {over:.2f} times what pretraining takes"


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
    return f"{who}; the nearest is {best:.4f}, {doing(way)}"
