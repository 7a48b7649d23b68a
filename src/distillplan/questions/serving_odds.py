"""How sure a break-even is: a smaller distilled model against a larger supervised one.

With T tokens served both take equal compute over their lives where the smaller one's training may
take the larger one's and what T tokens save. So the chance that T tokens are enough is the chance
that, trained with that much, the smaller model is no worse; and it grows with T. The posterior is
that of plans: every drawn law, and the error that goes beyond the law.
"""

import math
from typing import Any

import numpy as np

from distillplan.accounting import Accounting
from distillplan.laws import law_catalog
from distillplan.laws.draws import Draws
from distillplan.laws.formulas import FloatArray
from distillplan.laws.quantization import QuantizationPenalty
from distillplan.named_tuples import NamedTuple
from distillplan.planning import drawn, evaluate
from distillplan.planning.evaluate import cells
from distillplan.planning.odds import FORM_FAILS, Posterior
from distillplan.planning.results import Option
from distillplan.planning.scenario import Scenario
from distillplan.planning.stored_logits import format_error
from distillplan.planning.tails import centered, share_above
from distillplan.planning.verdict import (
    FEWEST_TOKENS_PER_PARAM,
    is_beyond,
    outside_loss,
    run_of,
    transfer_of,
    weigh,
    weigh_options,
)
from distillplan.planning.verdict_records import Odds
from distillplan.questions.inverse import narrowed

LEVELS = (0.05, 0.95)
"""Ends of the 90% interval."""
DECADES = 4.0
"""The ends are looked for so many decades around the training that just reaches the loss."""
_POINTS = 9
_PASSES = 4


class ServedPair(NamedTuple):
    """A larger supervised model, and a smaller one that is distilled to its loss."""

    scenario: Scenario
    """Of the smaller one."""
    accounting: Accounting
    """Teacher costs that its training pays."""
    larger: Option
    smaller: Option
    penalties: tuple[QuantizationPenalty, QuantizationPenalty] | None
    """Of quantizing the larger and the smaller one, where they count."""

    @property
    def shift(self) -> float:
        """What quantization adds to the smaller one's gain, nats per token."""
        if self.penalties is None:
            return 0.0
        larger, smaller = self.penalties
        return larger.nats - smaller.nats

    @property
    def shift_error(self) -> float:
        """How far that may be off, nats per token; both are off by one factor."""
        if self.penalties is None:
            return 0.0
        larger, smaller = self.penalties
        return abs((larger.high - smaller.high) - self.shift)


class ServedPairOdds:
    """A pair under every drawn law."""

    def __init__(self, pair: ServedPair, draws: Draws) -> None:
        """Take a pair, and joint draws of the law."""
        self.pair, self.draws = pair, draws
        self.larger_losses = draws.supervised.loss(
            np.array(pair.larger.student_params), np.array(pair.larger.student_tokens)
        )

    def at(self, budgets: FloatArray) -> tuple[Posterior, Any]:
        """The posterior with trainings of some budgets, and where it says nothing.

        Args:
            budgets: FLOPs of training the smaller model, shape (budgets,).

        Returns:
            Arrays of shape (budgets, draws) or (budgets,); and whether nobody can say, of shape
            (budgets,).
        """
        pair, scenario = self.pair, self.pair.scenario
        at = cells(scenario, pair.accounting, budget=budgets)
        point = evaluate.distilled(scenario, at)
        every = drawn.distilled(scenario, at, self.draws, point, [None] * budgets.size)
        larger = run_of(pair.larger)
        same = larger._replace(
            loss=np.repeat(larger.loss, budgets.size),
            params=np.repeat(larger.params, budgets.size),
            tokens=np.repeat(larger.tokens, budgets.size),
        )
        runs = run_of(point)
        weighed = weigh(scenario, same, runs)
        own = weighed.gain + pair.shift
        with np.errstate(invalid="ignore"):
            gain = self.larger_losses[None, :] - every.loss + pair.shift
        # a law under which the budget does not pay is as far out as any
        worst = np.where(np.isfinite(gain), gain, np.inf).min(axis=1)
        gain = np.where(np.isfinite(gain), gain, np.minimum(worst, own)[:, None])
        outside = np.hypot(weighed.outside, outside_loss(scenario.law, same.params, same.tokens))
        beyond = [is_beyond(scenario, same.row(i), runs.row(i)) for i in range(budgets.size)]
        stored = np.hypot(format_error(scenario, at.logits), pair.shift_error)
        found = Posterior(
            distilled=every,
            gain=gain,
            point=own,
            outside=outside,
            stored=stored,
            beyond=FORM_FAILS * np.array(beyond, float),
            error=np.hypot(np.hypot(transfer_of(scenario.law).scale, outside), stored),
            starved=weighed.starved,
        )
        silent = np.isnan(weighed.side) | ~np.isfinite(own)
        return found, silent

    def chance(self, budgets: FloatArray) -> FloatArray:
        """The chance that the smaller model is no worse, shape (budgets,)."""
        found, _ = self.at(budgets)
        known = np.isfinite(found.point)
        own = np.where(known, found.point, 0.0)
        gain = centered(np.where(known[:, None], found.gain, 0.0), found.error, own)
        share = (1 - found.beyond) * share_above(gain, found.error, 0.0) + found.beyond / 2
        return np.where(known, share, 0.0)

    def odds(self, budget: float) -> Odds | None:
        """The odds at one budget of training; None where nobody can say."""
        found, silent = self.at(np.array([budget]))
        if silent[0]:
            return None
        return found.odds(found.error, self.pair.scenario.tie_nats)[0]

    def interval(self, enough: float) -> tuple[float, float | None] | None:
        """Budgets of training that reach the loss with a chance of 5% and 95%.

        Args:
            enough: the budget that reaches it under the scenario's own law, FLOPs.

        Returns:
            Both, the second None where no budget is surely enough; None where nobody can say.
        """
        _, silent = self.at(np.array([enough]))
        if silent[0]:
            return None
        middle, levels = math.log(enough), np.array(LEVELS)
        reach = DECADES * math.log(10)

        def reached(logs: FloatArray) -> FloatArray:
            chances = self.chance(np.exp(logs.ravel())).reshape(logs.shape)
            return np.asarray(chances >= levels[:, None])

        low, high = narrowed(
            reached,
            np.array([middle - reach, middle]),
            np.array([middle, middle + reach]),
            points=_POINTS,
            passes=_PASSES,
        )
        ends = np.exp((low + high) / 2)
        sure = bool(self.chance(np.exp(high[1:]))[0] >= LEVELS[1])
        return float(ends[0]), float(ends[1]) if sure else None


def unknowable(scenario: Scenario, *models: Option | None) -> bool:
    """Whether nobody can say which of some models takes less, so far are they outside the runs.

    Args:
        scenario: of the smaller model.
        models: the larger supervised one, the smaller ones; None where one is missing.
    """
    known = [one for one in models if one is not None]
    if any((one.tokens_per_param or math.inf) < FEWEST_TOKENS_PER_PARAM for one in known):
        return True
    larger, *smaller = models
    taught = next((one for one in smaller if one is not None and one.accounting), None)
    if larger is None or taught is None:
        return False
    return bool(np.isnan(weigh_options(scenario, larger, taught).side[0]))


def pair_odds(pair: ServedPair) -> ServedPairOdds | None:
    """The pair under every drawn law; None where nobody knows how far off the law is."""
    law = pair.scenario.law
    draws = law_catalog.draws(law)
    if draws is None and not transfer_of(law).scale:
        return None
    return ServedPairOdds(pair, drawn.laws_of(pair.scenario, draws))
