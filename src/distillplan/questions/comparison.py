"""Plans side by side: which is best, and how the others differ from a baseline."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from distillplan.errors import InfeasibleError, InputError
from distillplan.planning.planner import plan
from distillplan.planning.results import Plan
from distillplan.planning.scenario import Scenario
from distillplan.questions.assertions import Assertion, Outcome, check
from distillplan.suggest import nearest
from distillplan.units import format_flops


class NamedPlan(NamedTuple):
    """The plan of one scenario."""

    name: str
    plan: Plan
    outcomes: tuple[Outcome, ...] = ()
    """What became of the demands on it."""


class Difference(NamedTuple):
    """One plan minus the baseline, each as its verdict recommends."""

    name: str
    loss: float | None
    """Nats per token; None where the losses of their laws cannot be compared."""
    margin_nats: float | None
    total_flops: float | None
    student_params: float | None
    student_tokens: float | None


class Comparison(NamedTuple):
    """Several plans and what sets them apart."""

    plans: tuple[NamedPlan, ...]
    winner: str | None
    """The name of the best; None where their losses cannot be compared."""
    reason: str
    baseline: str | None
    differences: tuple[Difference, ...]
    """To the baseline; empty without one."""

    @property
    def failed(self) -> tuple[tuple[str, Outcome], ...]:
        """The demands that are not met, each with the name of its scenario."""
        return tuple(
            (one.name, outcome)
            for one in self.plans
            for outcome in one.outcomes
            if not outcome.passed
        )


def compare(
    scenarios: Sequence[tuple[str, Scenario, Sequence[Assertion]]],
    baseline: str | None = None,
    answer: Callable[[Scenario], Plan] = plan,
) -> Comparison:
    """The plan of each scenario, the best of them, and their differences to one.

    Args:
        scenarios: names, scenarios and the demands on each.
        baseline: the name of the one to measure the others by.
        answer: makes the plan of a scenario.

    Raises:
        InputError: when no scenario has the baseline's name.
        InfeasibleError: naming every scenario whose budget cannot train a student.
    """
    names = [name for name, _, _ in scenarios]
    if baseline is not None and baseline not in names:
        raise InputError(f"baseline: {baseline!r} is no scenario; {nearest(baseline, names)}")
    plans, impossible = [], []
    for name, scenario, assertions in scenarios:
        try:
            found = answer(scenario)
        except InfeasibleError as error:
            impossible.append(f"{name}: {error}")
            continue
        plans.append(NamedPlan(name, found, check(assertions, found)))
    if impossible:
        raise InfeasibleError("; ".join(impossible))
    winner, reason = _winner(plans)
    differences: tuple[Difference, ...] = ()
    if baseline is not None:
        base = next(one.plan for one in plans if one.name == baseline)
        differences = tuple(_difference(one, base) for one in plans if one.name != baseline)
    return Comparison(tuple(plans), winner, reason, baseline, differences)


def _comparable(one: Plan, other: Plan) -> bool:
    """Whether a nat of one is a nat of the other."""
    ours, theirs = one.law, other.law
    return (ours.corpus, ours.tokenizer) == (theirs.corpus, theirs.tokenizer)


def _winner(plans: Sequence[NamedPlan]) -> tuple[str | None, str]:
    """The name of the best, and why: the least loss; at a tie the least compute, then the first."""
    first = plans[0]
    if len(plans) == 1:
        return first.name, f"{first.name} is the only scenario"
    if not all(_comparable(first.plan, one.plan) for one in plans):
        return None, "their laws were fitted on different text, so their losses cannot be compared"
    losses = [one.plan.recommended.loss or 0.0 for one in plans]
    lowest = min(losses)
    best = plans[losses.index(lowest)]
    tie = max(one.plan.scenario.tie_nats for one in plans)
    level = [one for one, loss in zip(plans, losses, strict=True) if loss - lowest < tie]
    chosen = min(level, key=lambda one: one.plan.recommended.total_flops or 0.0)
    spent = chosen.plan.recommended.total_flops
    if chosen is not best and spent is not None:
        others = " and ".join(one.name for one in level if one is not chosen)
        cheaper = spent < 0.999 * (best.plan.recommended.total_flops or 0.0)  # not the last bits
        because = f"and costs less: {format_flops(spent)} FLOPs" if cheaper else "and stands first"
        return chosen.name, f"{chosen.name} is within {tie:g} nats of {others} {because}"
    second = min(loss for one, loss in zip(plans, losses, strict=True) if one is not best)
    method = best.plan.recommended.method
    if len(level) > 1:
        others = " and ".join(one.name for one in level if one is not best)
        return best.name, (
            f"{best.name} ({method}) reaches {lowest:.3f} nats; {others} within {tie:g} of it"
        )
    return best.name, (
        f"{best.name} ({method}) reaches {lowest:.3f} nats, {second - lowest:.3f} below the next"
    )


def _difference(one: NamedPlan, base: Plan) -> Difference:
    ours, theirs = one.plan.recommended, base.recommended
    comparable = _comparable(one.plan, base)
    return Difference(
        name=one.name,
        loss=_minus(ours.loss, theirs.loss) if comparable else None,
        margin_nats=_minus(one.plan.margin_nats, base.margin_nats),
        total_flops=_minus(ours.total_flops, theirs.total_flops),
        student_params=_minus(ours.student_params, theirs.student_params),
        student_tokens=_minus(ours.student_tokens, theirs.student_tokens),
    )


def _minus(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one - other
