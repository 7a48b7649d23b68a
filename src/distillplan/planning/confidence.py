"""How sure a plan is: the share of draws of the coefficients, and of runs, in which it stands.

Every draw is a law that the runs behind the published set allow, and the sizes of each option are
chosen anew under it. Then one run of each side is laid around its expected loss by the noise of a
run. The draws need not be centered on the published coefficients: the numbers of the plan stay
those of the published set, and where the two part the plan says so.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from distillplan.accounting import Accounting
from distillplan.laws.draws import Draws
from distillplan.laws.formulas import FloatArray
from distillplan.notices import Notice, Severity
from distillplan.optimize.problems import Optima
from distillplan.planning import drawn
from distillplan.planning.evaluate import Cells, cells, together
from distillplan.planning.gaussian import band90, below, quantile
from distillplan.planning.results import (
    Confidence,
    FlipShares,
    Option,
    OptionBands,
    Plan,
    Shares,
    Verdict,
)
from distillplan.planning.scenario import Scenario
from distillplan.planning.validity import OUTSIDE_FIT_CODES
from distillplan.planning.verdict import sides

BEYOND = 2.0
"""How far behind the budget of a flip its new verdict is looked at."""
LEANING = 0.5
"""Draws further from the published set than this part of the tie band are said to lean."""


class _Place(NamedTuple):
    """One variation of the scenario that is solved under all draws."""

    at: Cells
    flip: str = ""
    """The flip that it shows; empty for an option."""
    verdict: Verdict | None = None
    teacher_loss: float | None = None
    """Of another teacher than the given one."""


def with_confidence(plan: Plan, draws: Draws | None) -> Plan:
    """The plan with its confidence, and what must be said about that.

    Args:
        plan: an answer.
        draws: joint draws of the law of the plan; None where it has none.
    """
    if draws is None:
        return _warned(plan, [_no_draws(plan)])
    found = confidence(plan, draws)
    return _warned(plan._replace(confidence=found), list(_doubts(plan, found)))


def confidence(plan: Plan, draws: Draws) -> Confidence:
    """The share of draws in which the verdict and its flips stand, and 90% bands.

    Args:
        plan: an answer.
        draws: joint draws of the law of the plan.
    """
    scenario = plan.scenario
    here = cells(scenario, Accounting.FREE)
    if plan.verdict is None or not draws.distills:
        alone = drawn.supervised(scenario, here, draws)
        band = _bands(scenario, plan.options[0], alone, 0, draws)
        return Confidence(
            draws=draws.size,
            sigma_run=draws.sigma_run,
            agree=None,
            agree_without_noise=None,
            shares=None,
            shares_without_noise=None,
            offset_nats=None,
            options=(band,),
            flips=FlipShares(),
        )
    shown = plan.options[1:]
    places = [_Place(cells(scenario, one.accounting or Accounting.FREE)) for one in shown]
    places += _flip_places(plan)
    at = together(one.at for one in places)
    alone = drawn.supervised(scenario, at, draws)
    others = at.each(lambda values: values[len(shown) :])
    known = drawn.known_optima(scenario, shown, others)
    distilled = drawn.distilled(scenario, at, draws, known, [one.teacher_loss for one in places])
    shares = [
        _shares(alone.loss[row], distilled.loss[row], draws.sigma_run, scenario.tie_nats)
        for row in range(len(places))
    ]
    deciding = next(row for row, one in enumerate(shown) if one.decides)
    with np.errstate(invalid="ignore"):
        middle = quantile(alone.loss[deciding] - distilled.loss[deciding], 0.5)
    margin = plan.margin_nats
    expected = _shares(alone.loss[deciding], distilled.loss[deciding], 0.0, scenario.tie_nats)
    bands = [_bands(scenario, plan.options[0], alone, 0, draws)]
    bands += [
        _bands(scenario, one, distilled, row, draws, alone.loss[row])
        for row, one in enumerate(shown)
    ]
    return Confidence(
        draws=draws.size,
        sigma_run=draws.sigma_run,
        agree=shares[deciding].of(plan.verdict),
        agree_without_noise=expected.of(plan.verdict),
        shares=shares[deciding],
        shares_without_noise=expected,
        offset_nats=None if margin is None or not np.isfinite(middle) else middle - margin,
        options=tuple(bands),
        flips=_flip_shares(plan, places, shares),
    )


def _flip_places(plan: Plan) -> list[_Place]:
    """Where the flips that no option shows take place."""
    scenario, flips, pays = plan.scenario, plan.flips, plan.scenario.pays
    found = []
    for name, budget, factor in (
        ("budget_down", flips.budget_down, 1 / BEYOND),
        ("budget_up", flips.budget_up, BEYOND),
    ):
        if budget is not None:
            there = cells(scenario, pays, budget=budget.amount * factor)
            found.append(_Place(at=there, flip=name, verdict=budget.verdict))
    if flips.students is not None:
        there = cells(scenario, pays, students=flips.students.students)
        found.append(_Place(at=there, flip="students", verdict=flips.students.verdict))
    if flips.logits is not None:
        changed = replace(scenario, logits=flips.logits.logits)
        there = cells(changed, changed.pays)
        found.append(_Place(at=there, flip="logits", verdict=flips.logits.verdict))
    if flips.teacher_loss is not None and scenario.teacher is not None:
        best = _Place(
            at=cells(scenario, pays),
            flip="teacher_loss",
            verdict=Verdict.DISTILL,
            teacher_loss=flips.teacher_loss.best,
        )
        found.append(best)
    return found


def _flip_shares(plan: Plan, places: list[_Place], shares: list[Shares]) -> FlipShares:
    """The share of each flip's verdict where it takes place."""
    found = {
        place.flip: share.of(place.verdict)
        for place, share in zip(places, shares, strict=True)
        if place.verdict is not None
    }
    by_accounting = dict(zip((one.accounting for one in plan.options[1:]), shares, strict=False))
    flips = plan.flips
    if flips.teacher_loss is not None and plan.scenario.teacher is None:
        found["teacher_loss"] = by_accounting[Accounting.FREE].distill
    if flips.accounting is not None:
        there = by_accounting[flips.accounting.accounting]
        found["accounting"] = there.of(flips.accounting.verdict)
    return FlipShares(**found)


def _shares(alone: FloatArray, distilled: FloatArray, sigma: float, tie: float) -> Shares:
    """The parts that give each verdict: over draws, and over the noise of two runs."""
    with np.errstate(invalid="ignore"):
        margin = np.where(np.isfinite(distilled), alone - distilled, -np.inf)
    if sigma > 0:
        noise = _noise(alone, distilled, sigma)
        wins, loses = below((margin - tie) / noise).mean(), below((-tie - margin) / noise).mean()
    else:
        side = sides(margin, tie)
        wins, loses = np.mean(side == 1), np.mean(side == -1)
    return Shares(
        distill=float(wins),
        tie=max(1.0 - float(wins) - float(loses), 0.0),
        supervised=float(loses),
    )


def _noise(alone: FloatArray, distilled: FloatArray, sigma: float) -> FloatArray:
    """Standard deviation of the difference of two runs, nats per token."""
    known = np.where(np.isfinite(distilled), distilled, alone)
    return np.asarray(sigma * np.hypot(alone, known))


def _bands(
    scenario: Scenario,
    option: Option,
    optima: Optima,
    row: int,
    draws: Draws,
    alone: FloatArray | None = None,
) -> OptionBands:
    """The bands of one option; ``alone`` are the losses that it is compared with."""
    loss, sigma = optima.loss[row], draws.sigma_run
    gain = expected = None
    if alone is not None and np.isfinite(loss).all():
        noise = _noise(alone, loss, sigma) if sigma > 0 else None
        gain, expected = band90(alone - loss, noise), band90(alone - loss)
    return OptionBands(
        method=option.method,
        accounting=option.accounting,
        loss=band90(loss, sigma * loss if sigma > 0 else None),
        expected_loss=band90(loss),
        gain_nats=gain,
        expected_gain_nats=expected,
        **{
            name: band90(getattr(optima, name)[row])
            for name in _free_sizes(scenario, option)
            if getattr(optima, name) is not None
        },
    )


def _free_sizes(scenario: Scenario, option: Option) -> Iterator[str]:
    """The sizes that differ from draw to draw."""
    if scenario.student_params is None:
        yield "student_params"
    yield "student_tokens"
    if option.accounting is None:
        return
    if scenario.teacher is None:
        yield "teacher_loss"
        if option.accounting is not Accounting.FREE:  # any pair with the right loss will do
            yield from ("teacher_params", "teacher_tokens")
    elif scenario.teacher.loss is None:
        yield "teacher_loss"


def _warned(plan: Plan, more: list[Notice]) -> Plan:
    """The plan with further warnings, gravest first."""
    found = sorted((*plan.warnings, *more), key=lambda one: one.severity is Severity.INFO)
    return plan._replace(warnings=tuple(found))


def _no_draws(plan: Plan) -> Notice:
    return Notice(
        code="law_has_no_draws",
        severity=Severity.INFO,
        message=(
            f"{plan.law.name} comes without joint draws of its coefficients, so nothing can be "
            "said about how sure this is"
        ),
    )


def _doubts(plan: Plan, found: Confidence) -> Iterator[Notice]:
    """Where the draws part from the published set, or cannot know enough."""
    if found.offset_nats is None or found.shares_without_noise is None or plan.verdict is None:
        return
    likely = max(Verdict, key=found.shares_without_noise.of)
    other = likely is not plan.verdict
    if other or abs(found.offset_nats) > LEANING * plan.scenario.tie_nats:
        side = "distill" if found.offset_nats > 0 else "supervised"
        end = f"; by them alone the verdict would be {likely}" if other else ""
        yield Notice(
            code=f"draws_lean_to_{side}",
            severity=Severity.WARNING if other else Severity.INFO,
            message=(
                "the draws of the coefficients, refitted to the runs behind the law, give "
                f"distillation {abs(found.offset_nats):.3f} nats "
                f"{'more' if found.offset_nats > 0 else 'less'} "
                f"than the coefficients of {plan.law.name} do{end}"
            ),
        )
    if any(one.code in OUTSIDE_FIT_CODES for one in plan.warnings):
        yield Notice(
            code="confidence_beyond_fit",
            severity=Severity.INFO,
            message=(
                "the confidence takes the form of the law for granted; beyond the fitted range "
                "that is a guess, and the true confidence is lower"
            ),
        )
