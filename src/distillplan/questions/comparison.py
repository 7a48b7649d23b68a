"""Plans side by side: which is best, and how the others differ from a baseline."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from distillplan.errors import InfeasibleError, InputError, Word
from distillplan.fields import listed
from distillplan.models.tokenizers import tokenizer_told
from distillplan.planning.planner import plan
from distillplan.planning.results import Plan
from distillplan.planning.scenario import Scenario
from distillplan.planning.verdict_records import Verdict
from distillplan.questions.alike_plans import (
    ALIKE_IF_FAIR,
    COSTS_LESS,
    comparable,
    reader,
    same_tokens,
    text_of,
)
from distillplan.questions.assertions import check, demand_known
from distillplan.questions.comparison_records import (
    Asked,
    Comparison,
    Difference,
    NamedPlan,
    NotPlanned,
)
from distillplan.suggest import nearest
from distillplan.units.quantities import format_flops

MOST_NAMES = 4
"""In one sentence."""


def compare(
    scenarios: Iterable[Asked] | Mapping[str, Scenario],
    baseline: str | None = None,
    answer: Callable[[Scenario], Plan] = plan,
    *,
    quick: bool = False,
) -> Comparison:
    """The plan of each scenario, the best of them, and their differences from a baseline.

    Args:
        scenarios: by name, or with names and assertions as `read_scenarios` gives them.
        baseline: name of the one to measure the others by.
        answer: makes the plan of a scenario.
        quick: whether the plans that it makes are without odds and bands.

    Raises:
        InputError: when none is given, none has the baseline's name, or an assertion is
            about what the plan of its scenario cannot have.
        InfeasibleError: naming every scenario that nothing can be planned for, where none has a
            plan, or one of them is the baseline or has assertions.
    """
    scenarios = _asked(scenarios)
    names = [one.name for one in scenarios]
    if baseline is not None and baseline not in names:
        raise InputError(f"baseline: no scenario is named {baseline!r}; {nearest(baseline, names)}")
    _demand_known(scenarios, quick=quick)
    plans, impossible = _planned(scenarios, baseline, answer)
    winner, reason = _winner(plans)
    differences: tuple[Difference, ...] = ()
    if baseline is not None:
        base = next(one.plan for one in plans if one.name == baseline)
        differences = tuple(_difference(one, base) for one in plans if one.name != baseline)
    return Comparison(
        plans=tuple(plans),
        winner=winner,
        reason=reason,
        baseline=baseline,
        differences=differences,
        comparable=comparable([one.plan for one in plans]),
        not_planned=tuple(impossible),
    )


def _asked(scenarios: Any) -> list[Asked]:
    """The scenarios with their names."""
    if isinstance(scenarios, Mapping):
        scenarios = [Asked(name=str(name), scenario=one) for name, one in scenarios.items()]
    found = listed(scenarios, Word("scenarios"))
    if not found or not all(isinstance(getattr(one, "scenario", 0), Scenario) for one in found):
        named = "{'small': Scenario(compute=1e20), 'large': Scenario(compute=1e22)}"
        raise InputError(Word("scenarios"), f": give those of read_scenarios, or {named}")
    return found


def _planned(
    scenarios: Sequence[Asked], baseline: str | None, answer: Callable[[Scenario], Plan]
) -> tuple[list[NamedPlan], list[NotPlanned]]:
    """The plans of scenarios, and those that have none.

    Raises:
        InfeasibleError: as `compare`.
    """
    plans, impossible = [], []
    for one in scenarios:
        try:
            found = answer(one.scenario)
        except InfeasibleError as error:
            impossible.append(NotPlanned(name=one.name, why=str(error)))
            continue
        outcomes = check(one.assertions, found)
        plans.append(NamedPlan(name=one.name, plan=found, outcomes=outcomes))
    asserted = {one.name for one in scenarios if one.assertions}
    if not plans or any(one.name in {baseline, *asserted} for one in impossible):
        raise InfeasibleError("; ".join(f"{one.name}: {one.why}" for one in impossible))
    return plans, impossible


def _demand_known(scenarios: Sequence[Asked], *, quick: bool) -> None:
    """Refuse assertions about what the plans of their scenarios cannot have, all at once."""
    found = []
    for one in scenarios:
        try:
            demand_known(one.assertions, one.scenario, quick=quick, name=one.name)
        except InputError as error:
            found += ["; ", *error.parts]
    if found:
        raise InputError(*found[1:])


def _winner(plans: Sequence[NamedPlan]) -> tuple[str | None, str]:
    """Name of the best, and why: the lowest loss; at a tie the least compute, then the first.

    None where there is nothing to choose between, or no fair choice.
    """
    first, *others = plans
    best = min(plans, key=lambda one: one.loss)
    why_not = _no_choice(plans, best)
    if why_not is not None:
        return None, why_not
    if not others:
        return first.name, f"{first.name} is the only scenario"
    return _lowest(plans, best)


def _no_choice(plans: Sequence[NamedPlan], best: NamedPlan) -> str | None:
    """Why there is nothing to choose between, or no fair choice; None where there is one."""
    first, *others = plans
    silent = [one.name for one in plans if one.plan.recommended is None]
    if silent:
        return f"there is no verdict for {_listed(silent)}"
    unlike = _incomparable(plans)
    if unlike is not None:
        return unlike
    if others and all(one.run == first.run for one in others):
        how = first.plan.recommended
        what = "training from data alone" if how is first.plan.supervised else "distillation"
        every = "both" if len(plans) == 2 else f"all {len(plans)}"
        return f"{every} come to the same run: {what}, {first.loss:.3f} nats"
    differ = [
        what
        for what, same in ALIKE_IF_FAIR.items()
        if not all(same(first.plan, one.plan) for one in others)
    ]
    return _unfair(plans, best, differ) if differ else None


def _unfair(plans: Sequence[NamedPlan], best: NamedPlan, differ: Sequence[str]) -> str:
    """Which have the lowest loss, but for the last bits, and what makes the choice unfair."""
    least = [one.name for one in plans if math.isclose(one.loss, best.loss, rel_tol=1e-9)]
    has = "has" if len(least) == 1 else "have"
    return (
        f"{_listed(least)} {has} the lowest loss ({best.loss:.3f} nats), but the plans differ in "
        f"{_listed(differ)}"
    )


def _incomparable(plans: Sequence[NamedPlan]) -> str | None:
    """Why losses of plans cannot be compared; None where they can."""
    if len({text_of(one.plan) for one in plans}) > 1:
        return "their laws were fitted on different text, so their losses cannot be compared"
    if not same_tokens([one.plan for one in plans]):
        readers = [(one.name, reader(one.plan)) for one in reversed(plans)]
        first_of = {tokenizer_told(read): name for name, read in readers if read is not None}
        told = [f"{name}: {tokenizer}" for tokenizer, name in first_of.items()]
        return (
            f"the students have different tokenizers ({_listed(told[::-1])}), so their losses per "
            "token cannot be compared"
        )
    return None


def _lowest(plans: Sequence[NamedPlan], best: NamedPlan) -> tuple[str, str]:
    """The one with the lowest loss; at a tie the cheapest of those that hold, then the first."""
    tie = max(one.plan.scenario.tie_nats for one in plans)
    level = [one for one in plans if one is best or one.loss - best.loss < tie]
    chosen = _cheapest([one for one in level if _as_planned(one.plan)] or level)
    equals = _listed([one.name for one in level if one is not chosen])
    if chosen is not best:
        because = _because(chosen, best)
        return chosen.name, f"{chosen.name} is within {tie:g} nats of {equals} and {because}"
    reaches = f"{best.name} ({_method(best.plan)}) reaches {best.loss:.3f} nats"
    if equals:
        return best.name, f"{reaches}; within {tie:g} nats of it: {equals}"
    second = min(one.loss for one in plans if one is not best)
    return best.name, f"{reaches}, {second - best.loss:.3f} below the next"


def _cheapest(plans: Sequence[NamedPlan]) -> NamedPlan:
    """The first of those that cost least."""
    least = min(one.flops for one in plans)
    return next(one for one in plans if COSTS_LESS * one.flops <= least)


def _because(chosen: NamedPlan, best: NamedPlan) -> str:
    """Why one of those that are level is chosen, and not the one with the lowest loss."""
    if not _as_planned(best.plan) and _as_planned(chosen.plan):
        return "holds as it is"
    cheaper = chosen.flops < COSTS_LESS * best.flops
    return f"costs less: {format_flops(chosen.flops)} FLOPs" if cheaper else "comes first"


def _method(plan: Plan) -> str:
    unless = "" if _as_planned(plan) else ", if the tokenizers matched"
    return "" if plan.recommended is None else f"{Verdict(plan.recommended.method).shown}{unless}"


def _as_planned(plan: Plan) -> bool:
    """Whether the student can learn from what teaches it, if anything does."""
    return plan.verdict is not Verdict.DISTILL or not plan.scenario.models.tokenizers_differ


def _listed(names: Sequence[str]) -> str:
    """Names in a sentence.

    >>> _listed(["a", "b", "c"])
    'a, b and c'
    >>> _listed("abcdefg")
    'a, b, c and 4 more'
    """
    if len(names) > MOST_NAMES:
        names = [*names[: MOST_NAMES - 1], f"{len(names) - MOST_NAMES + 1} more"]
    *head, last = names or ("",)
    return f"{', '.join(head)} and {last}" if head else last


def _difference(one: NamedPlan, base: Plan) -> Difference:
    ours, theirs = one.plan.recommended, base.recommended
    if ours is None or theirs is None:
        return Difference(name=one.name)
    both = (one.plan, base)
    return Difference(
        name=one.name,
        loss=_minus(ours.loss, theirs.loss) if comparable(both) else None,
        margin_nats=_minus(one.plan.margin_nats, base.margin_nats) if same_tokens(both) else None,
        total_flops=_minus(ours.total_flops, theirs.total_flops),
        student_params=_minus(ours.student_params, theirs.student_params),
        student_tokens=_minus(ours.student_tokens, theirs.student_tokens),
    )


def _minus(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one - other
