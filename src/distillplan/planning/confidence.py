"""The record of what the odds of a plan are made of."""

from distillplan.named_tuples import NamedTuple
from distillplan.planning.verdict_records import Odds


class Confidence(NamedTuple):
    """What the odds are made of."""

    draws: int
    """Number of joint draws of the law's coefficients; 0 where the law has none."""
    odds_like_the_law: Odds
    """The odds if your data and recipe are like those that the law was fitted on."""
    odds_of_one_run: Odds
    """The odds that one run of each, with the luck of a run, comes out like this: about luck, not
    about the decision."""
    transfer_nats: float
    """How far the gains of other laboratories came out from the law's: scale of a heavy-tailed
    error, nats per token; 0 for a law fitted on your own runs."""
    outside_nats: float
    """The same for the distance to the fitted range; 0 inside."""
    sigma_run: float
    """Standard deviation of one run's log loss around the law, the law's misfit included."""
