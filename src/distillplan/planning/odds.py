"""How sure a plan is: its options under every drawn law, with the error that goes beyond the law.

One posterior. Every draw is a law that the runs behind the published set allow, and the sizes of
each option are chosen anew under it. Around the gain in each draw lies an error with heavy tails:
how far other laboratories' runs came out from the law (not for a law fitted to own runs), and what
the distance to the fitted range adds. The whole is laid evenly around the plan's own number, so
that what a plan prints lies inside its bands, and its verdict is what its odds say.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from distillplan.accounting import Accounting
from distillplan.laws.draws import Draws, one_draw
from distillplan.laws.formulas import FloatArray
from distillplan.laws.provenance import PublishedLaw
from distillplan.named_tuples import NamedTuple
from distillplan.optimize.problems import Optima
from distillplan.planning import drawn, evaluate
from distillplan.planning.bands import banded, gain_band
from distillplan.planning.confidence import Confidence
from distillplan.planning.evaluate import cells, together
from distillplan.planning.open_teacher import taught_by
from distillplan.planning.options import option_of
from distillplan.planning.places import Place, flip_places, of_optima, of_options
from distillplan.planning.results import Option, Plan, Reason
from distillplan.planning.scenario import Scenario
from distillplan.planning.stored_logits import format_error
from distillplan.planning.tails import centered, mean_above_zero, share_above
from distillplan.planning.verdict import (
    is_beyond,
    transfer_of,
    verdict_of,
    weigh,
    weigh_options,
)
from distillplan.planning.verdict_records import Flips, Odds

FORM_FAILS = 0.02
"""Probability that outside the fitted range the form of the law fails altogether. Nobody can know
it; one in fifty keeps every answer out there below 99%."""


class Posterior(NamedTuple):
    """Places under every drawn law; arrays of shape (places, draws), or (places,)."""

    distilled: Optima
    gain: FloatArray
    """Supervised minus distilled losses, nats per token, finite."""
    point: FloatArray
    """The gain of the scenario's own law, around which they are laid evenly."""
    outside: FloatArray
    """Scale of the error outside the fitted range."""
    stored: FloatArray
    """Scale of the error of what the format of stored logits costs."""
    beyond: FloatArray
    """Probability that the form of the law fails there, so that either side may win."""
    error: FloatArray
    """Scale of the whole error beyond the law."""
    starved: Any
    """As in `Weighed`: whatever the error, distillation does not win."""

    def odds(self, error: FloatArray, tie_nats: float) -> list[Odds]:
        """The odds at each place, with an error of some scale, shape (places,)."""
        gain, holds = centered(self.gain, error, self.point), 1.0 - self.beyond
        wins = share_above(gain, error, tie_nats)
        loses = share_above(-gain, error, tie_nats) + np.where(self.starved, wins, 0.0)
        distill = holds * np.where(self.starved, 0.0, wins) + self.beyond / 2
        supervised = holds * loses + self.beyond / 2
        return [
            Odds(distill=one, tie=max(1.0 - one - other, 0.0), supervised=other)
            for one, other in zip(distill.tolist(), supervised.tolist(), strict=True)
        ]

    def rows(self, row: int) -> "Posterior":
        """One place of them."""
        where = slice(row, row + 1)
        return self._replace(
            gain=self.gain[where],
            point=self.point[where],
            outside=self.outside[where],
            stored=self.stored[where],
            beyond=self.beyond[where],
            error=self.error[where],
            starved=self.starved[where],
        )


def posterior(scenario: Scenario, places: Sequence[Place], draws: Draws) -> Posterior:
    """Places of one scenario under every drawn law, solved side by side."""
    at = together(one.at for one in places)
    alone = drawn.supervised(scenario, at, draws)
    distilled = drawn.distilled(
        scenario, at, draws, _start(places), [one.other_teacher_loss for one in places]
    )
    weighed = [weigh(scenario, one.alone, one.distilled) for one in places]
    point, outside, starved = (
        np.concatenate([getattr(one, name) for one in weighed])
        for name in ("gain", "outside", "starved")
    )
    with np.errstate(invalid="ignore"):
        gain = alone.loss - distilled.loss
    # a law under which the budget does not pay is as far out as any
    least = np.where(np.isfinite(gain), gain, np.inf).min(axis=1)
    gain = np.where(np.isfinite(gain), gain, np.minimum(least, point)[:, None])
    beyond = np.array([is_beyond(scenario, one.alone, one.distilled) for one in places])
    stored = format_error(scenario, at.logits)
    return Posterior(
        distilled=distilled,
        gain=gain,
        point=point,
        outside=outside,
        stored=stored,
        beyond=FORM_FAILS * beyond,
        error=np.hypot(np.hypot(transfer_of(scenario.law).scale, outside), stored),
        starved=starved,
    )


def _start(places: Sequence[Place]) -> Optima:
    """The places' own optima, arrays of shape (places,)."""
    runs = [one.distilled for one in places]
    return Optima(
        loss=np.concatenate([one.loss for one in runs]),
        student_params=np.concatenate([one.params for one in runs]),
        student_tokens=np.concatenate([one.tokens for one in runs]),
        teacher_params=np.array([one.teacher_params for one in places], float),
        teacher_tokens=np.array([one.teacher_tokens for one in places], float),
    )


def with_odds(plan: Plan, draws: Draws | None) -> Plan:
    """The plan with its odds, and a band around each of its numbers.

    Args:
        plan: an answer.
        draws: joint draws of the law of the plan; None where it has none, so that the odds stand on
            the error beyond the law alone.
    """
    scenario = plan.scenario
    first, *others = plan.options
    if first.loss is None or _unknown_error(plan.law, draws):
        return plan
    laws = drawn.laws_of(scenario, draws)
    alone = drawn.supervised(
        scenario, cells(scenario, Accounting.FREE), draws or one_draw(plan.law)
    )
    shown = [one for one in others if one.loss is not None and one.teacher_name is None]
    if not shown or not laws.distills:
        return plan._replace(options=(banded(scenario, first, alone, 0), *others))
    flips = flip_places(plan)
    places = [of_options(scenario, first, one) for one in shown]
    found = posterior(scenario, [*places, *flips.values()], laws)
    rows = {one.accounting: row for row, one in enumerate(shown)}
    odds = found.odds(found.error, scenario.tie_nats)
    by_way = dict(zip(rows, odds, strict=False))
    by_flip: dict[str, Odds | None] = dict(zip(flips, odds[len(shown) :], strict=True))
    by_flip |= _of_other_logits(plan, draws)
    bands = (_with_bands(scenario, first, one, found, rows, odds, laws) for one in others)
    plan = plan._replace(
        options=(banded(scenario, first, alone, 0), *bands),
        flips=_with_odds(plan, by_flip, by_way),
    )
    if plan.verdict_reason not in (Reason.LIKELIEST, Reason.TOO_CLOSE):
        return plan
    row = rows[scenario.pays]
    return _decided(plan, found.rows(row), odds[row], laws, 0 if draws is None else draws.size)


def _of_other_logits(plan: Plan, draws: Draws | None) -> dict[str, Odds | None]:
    """The odds of that flip where it is a question of its own; nothing where it is not."""
    flip = plan.flips.logits
    if flip is None or evaluate.mixes_logits(plan.scenario):
        return {}
    read = plan.scenario.reading(flip.logits)
    return {"logits": odds_at(read, read.budget, draws)}


def odds_between(
    scenario: Scenario, alone: Option, distilled: Option, draws: Draws | None
) -> Odds | None:
    """The odds between two options of a scenario; None where nobody knows how far off the law is.

    Args:
        scenario: the question.
        alone: supervised training.
        distilled: what it is weighed against, within budget.
        draws: joint draws of its law; None where it has none.
    """
    if _unknown_error(scenario.law, draws):
        return None
    places = [of_options(scenario, alone, distilled)]
    found = posterior(scenario, places, drawn.laws_of(scenario, draws))
    return found.odds(found.error, scenario.tie_nats)[0]


def odds_at(scenario: Scenario, budget: float, draws: Draws | None) -> Odds | None:
    """The odds at another budget; None where there is no verdict, or no error is known.

    Args:
        scenario: the question.
        budget: as `Scenario.budget`, within which both sides are affordable.
        draws: joint draws of its law; None where it has none.
    """
    if _unknown_error(scenario.law, draws):
        return None
    at = cells(scenario, scenario.pays, budget=budget)
    place = of_optima(at, evaluate.supervised(scenario, at), evaluate.distilled(scenario, at), 0)
    if np.isnan(weigh(scenario, place.alone, place.distilled).side[0]):
        return None
    found = posterior(scenario, [place], drawn.laws_of(scenario, draws))
    return found.odds(found.error, scenario.tie_nats)[0]


def _unknown_error(law: PublishedLaw, draws: Draws | None) -> bool:
    """Whether nobody knows how far off a law is."""
    return draws is None and not transfer_of(law).scale


def _with_bands(
    scenario: Scenario,
    alone: Option,
    option: Option,
    found: Posterior,
    rows: dict[Accounting | None, int],
    odds: Sequence[Odds],
    laws: Draws,
) -> Option:
    """A distillation with its bands and odds: of the posterior's rows, or of an open teacher."""
    if option.loss is None:
        return option
    if option.teacher_name is None:
        row = rows[option.accounting]
        return _banded(scenario, alone, option, found, row, odds[row])
    taught = taught_by(scenario, option.teacher_name)
    pretrained = option_of(taught, None)
    by_it = posterior(taught, [of_options(taught, pretrained, option)], laws)
    return _banded(
        taught, pretrained, option, by_it, 0, by_it.odds(by_it.error, taught.tie_nats)[0]
    )


def _banded(
    scenario: Scenario, alone: Option, option: Option, found: Posterior, row: int, odds: Odds
) -> Option:
    """A distillation with its bands, and its odds where there is a verdict."""
    point, error = float(found.point[row]), float(found.error[row])
    gain = gain_band(scenario, alone.loss or 0.0, found.gain[row], point, error)
    if gain is not None and found.starved[row]:
        gain = (gain[0], max(min(gain[1], 0.0), point))
    silent = np.isnan(weigh_options(scenario, alone, option).side[0])
    return banded(scenario, option, found.distilled, row)._replace(
        gain_band=gain, odds=None if silent else odds
    )


def _decided(plan: Plan, found: Posterior, odds: Odds, laws: Draws, draws: int) -> Plan:
    """The plan with what is said of its verdict."""
    tie = plan.scenario.tie_nats
    gain = centered(found.gain, found.error, found.point)
    # the luck of two runs
    runs = [one.loss or 0.0 for one in plan.options if one.decides or one.accounting is None]
    luck = laws.sigma_run * math.hypot(*runs)
    regrets = _regrets(gain, found)
    shown = {None: regrets[0], plan.scenario.pays: regrets[1]}
    return plan._replace(
        verdict=verdict_of(odds),
        odds=odds,
        options=tuple(
            one if one.teacher_name else one._replace(regret_nats=shown.get(one.accounting))
            for one in plan.options
        ),
        confidence=Confidence(
            draws=draws,
            odds_like_the_law=found.odds(np.hypot(found.outside, found.stored), tie)[0],
            odds_of_one_run=found.odds(np.hypot(found.error, luck), tie)[0],
            transfer_nats=transfer_of(plan.law).scale,
            outside_nats=float(found.outside[0]),
            sigma_run=laws.sigma_run,
        ),
    )


def _regrets(gain: FloatArray, found: Posterior) -> tuple[float, float]:
    """What choosing supervised training, and distilling, gives up on average; of one place.

    The second less the first is the average loss by distilling, which is minus the gain. Where
    distillation cannot win there is nothing to give up but that.
    """
    if found.starved[0]:
        return 0.0, max(-float(found.point[0]), 0.0)
    alone, distilled = (mean_above_zero(one, found.error) for one in (gain, -gain))
    return float(alone[0]), float(distilled[0])


def _with_odds(
    plan: Plan, by_flip: dict[str, Odds | None], by_way: dict[Accounting | None, Odds]
) -> Flips:
    """The flips of a plan with their odds: their own, or those of the option that shows them."""
    flips = plan.flips
    if flips.teacher_loss is not None and plan.scenario.teacher is None:
        by_flip["teacher_loss"] = by_way.get(flips.teacher_loss.accounting)
    if flips.accounting is not None:
        by_flip["accounting"] = by_way.get(flips.accounting.accounting)
    return flips._replace(
        **{name: getattr(flips, name)._replace(odds=odds) for name, odds in by_flip.items()}
    )
