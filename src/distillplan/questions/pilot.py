"""Which small runs to make before a decision, and by how much they would narrow its odds."""

import math
from collections.abc import Iterator, Mapping

import numpy as np

from distillplan.errors import InputError, Word
from distillplan.notices import Notice, information, warning
from distillplan.planning import planner
from distillplan.planning.model_warnings import named_warnings
from distillplan.planning.options import TEN_PERCENT_MORE
from distillplan.planning.scenario import Scenario
from distillplan.questions.pilot_costs import cost_of, to_make
from distillplan.questions.pilot_designs import Design, best_design, usual_designs
from distillplan.questions.pilot_limits import MOST_RISK, MOST_SHARE, RISK, SHARE
from distillplan.questions.pilot_records import Advice, OtherDesign, Pilot, PilotStep
from distillplan.questions.pilot_value import narrowed, outcomes, stop_rule
from distillplan.questions.pilot_worlds import OpenDecision, PilotRun, open_decision, prior

FAR = 10.0
"""A pilot this many times smaller or shorter than the decision says so."""


def pilot(scenario: Scenario, *, share: float = SHARE, risk: float = RISK) -> Pilot:
    """The runs that narrow the odds of a decision most for a part of its budget.

    Args:
        scenario: the decision.
        share: the part of its budget that they may take.
        risk: the chance of the wrong side at which one may choose.

    Raises:
        InputError: when the share or the risk is not possible.
        InfeasibleError: when the plan weighs no odds.

    >>> from distillplan.laws.law_catalog import law
    >>> pilot(Scenario(compute=1e20, student_params=1e9, law=law())).advice
    <Advice.ALREADY_SURE: 'already_sure'>
    """
    if not 0 < share <= MOST_SHARE:
        raise InputError(Word("share"), f": {share:g} is not above 0% and at most {MOST_SHARE:.0%}")
    if not 0 < risk < MOST_RISK:
        raise InputError(Word("risk"), f": {risk:g} is not between 0% and {MOST_RISK:.0%}")
    if scenario.stored is not None:
        raise InputError(
            Word("logit_format"), ": pilots do not weigh formats of logits; leave it out"
        )
    decision = open_decision(planner.plan(scenario))
    odds = decision.odds
    nothing = prior(decision, [])
    before = narrowed(decision, nothing, np.zeros((1, 0)), risk)
    found = Pilot(
        advice=Advice.ALREADY_SURE,
        verdict=decision.plan.verdict,
        margin_nats=decision.gain_nats,
        odds=odds,
        allowed_share=share,
        risk=risk,
        before=before._replace(wrong=odds.wrong, saved_nats=0.0),
        steps=(),
        paying_steps=0,
        useful_share=None,
        others=(),
        warnings=tuple(named_warnings(scenario.models)),
        law=scenario.law,
        scenario=scenario,
    )
    if odds.wrong <= risk:
        return found
    design = best_design(decision, share * scenario.budget)
    if design is None:
        useful = _useful_share(decision, share)
        return found._replace(advice=Advice.SHARE_TOO_SMALL, useful_share=useful)
    steps = tuple(_steps(decision, design, risk))
    nets = [0.0, *(one.after.saved_nats - one.price_nats for one in steps)]
    paying = nets.index(max(nets))
    others = usual_designs(decision, design, share * scenario.budget)
    return found._replace(
        advice=Advice.RUN if paying else Advice.COSTS_MORE,
        steps=steps,
        paying_steps=paying,
        others=tuple(_other(decision, one, risk) for one in others),
        warnings=(*found.warnings, *_notices(decision, design)),
    )


def _useful_share(decision: OpenDecision, share: float) -> float | None:
    """The share, doubled as often as needed, at which some runs say something; None for none."""
    while share < MOST_SHARE:
        share = min(2 * share, MOST_SHARE)
        if best_design(decision, share * decision.scenario.budget) is not None:
            return share
    return None


def _steps(decision: OpenDecision, design: Design, risk: float) -> Iterator[PilotStep]:
    """The steps of a design, each with what is known after it."""
    known = prior(decision, design.runs)
    losses = outcomes(known)
    expected = np.exp(known.expected).tolist()
    made, spent = 0, 0.0
    for unit in design.units:
        numbers = range(made + 1, made + len(unit) + 1)
        runs = tuple(
            to_make(decision.scenario, run, number, expected[number - 1])
            for run, number in zip(unit, numbers, strict=True)
        )
        made, spent = made + len(unit), spent + cost_of(decision.scenario, unit)
        part = known.take(range(made))
        share = spent / decision.scenario.budget
        yield PilotStep(
            runs=runs,
            share=share,
            expected_gain_nats=(
                runs[0].expected_loss - runs[1].expected_loss if len(runs) > 1 else None
            ),
            after=narrowed(decision, part, losses[:, :made], risk),
            price_nats=_price(decision, share),
            stop_rule=stop_rule(decision, part, risk),
        )


def _price(decision: OpenDecision, share: float) -> float:
    """Loss that a share of the budget saves in the training itself, nats per token."""
    option = decision.alone if decision.gain_nats < 0 else decision.distilled
    doublings = -math.log1p(-share) / math.log(TEN_PERCENT_MORE)
    return (option.gain_from_10_percent or 0.0) * doublings


def _other(decision: OpenDecision, design: Design, risk: float) -> OtherDesign:
    """What another design would do."""
    known = prior(decision, design.runs)
    spent = sum(cost_of(decision.scenario, unit) for unit in design.units)
    return OtherDesign(
        name=design.name,
        runs=len(design.runs),
        share=spent / decision.scenario.budget,
        after=narrowed(decision, known, outcomes(known), risk),
    )


def _notices(decision: OpenDecision, design: Design) -> Iterator[Notice]:
    """What to know before making the runs."""
    pairs = [unit[-1] for unit in design.units if len(unit) > 1]
    params, tokens = decision.distilled.student_params or 1.0, decision.distilled.student_tokens
    smaller = params / max(one.params for one in pairs)
    shorter = (tokens or 1.0) / max(one.tokens for one in pairs)
    far = {
        f"the largest pilot student is {smaller:.0f} times smaller": smaller,
        f"the longest pilot run is on {shorter:.0f} times fewer tokens": shorter,
    }
    said = " and ".join(what for what, times in far.items() if times >= FAR)
    if said:
        yield warning(
            "pilot_far_from_decision",
            f"{said} than yours; what changes on the way no small run can tell",
        )
    valid = decision.scenario.law.valid
    outside = [one for one in pairs if _is_outside(valid, one)]
    if outside:
        yield information(
            "pilot_outside_fit",
            f"{len(outside)} of {len(pairs)} pairs are smaller or shorter than any run behind "
            f"{decision.scenario.law.name}, so they say less of the decision; that is counted",
        )
    if decision.beyond:
        yield warning(
            "form_may_fail",
            f"the decision is outside the fitted range, where the law's form may fail "
            f"({decision.beyond:.0%} by assumption), and no small run can show it",
        )
    yield information(
        "pilot_recipe",
        "the runs count only with the corpus, tokenizer and recipe of the decision; the luck of a "
        f"run is taken as {math.sqrt(prior(decision, []).noise):.1%} of its loss",
    )


def _is_outside(valid: Mapping[str, tuple[float, float]], run: PilotRun) -> bool:
    sizes = {"student_params": run.params, "student_tokens": run.tokens}
    return any(
        not valid[name][0] <= value <= valid[name][1]
        for name, value in sizes.items()
        if name in valid
    )
