"""Before a pilot: what its runs may show, and what they would say of the gain at the decision.

A world is a drawn law on somebody else's data. Its supervised loss of N parameters on D tokens, and
the gain of distillation in the same place x, are::

    log loss = log s + log(law's loss) + log g * (reducible share) + h(x)
    gain(x)  = law's gain, laid evenly around the scenario's own law  +  e(x) / sqrt(w)

with one scale s of all losses (another tokenizer) and one scale g of what can be reduced (another
corpus), both shared by the two sides; h is the law's misfit. The error of the gain is the one that
the odds of a plan carry, as a random field::

    e(x) = transfer * f0(x) + sum over inputs of slope * distance beyond the range * f(x)
           + gain_share * distance below the range * gain * f(x)

with a Gaussian process f of variance 1 for each term. w is exponential, which makes e(x) / sqrt(w)
a Student t of two degrees of freedom. So everywhere, at the decision and at a pilot run, the spread
of the gain is that of `planning.odds`. How alike two places are is a matter of their distance:
nearby, the errors of a gain differ by the slope with which the error of a law grows beyond its
range (coefficients/transfer.yaml), and far apart they have nothing in common. That is what a small
run cannot tell.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from distillplan.errors import InfeasibleError
from distillplan.fitting.noise import RUN_NOISE
from distillplan.laws import law_catalog
from distillplan.laws.draws import Draws
from distillplan.laws.formulas import DistillationLaw, FloatArray
from distillplan.laws.repetition import log_worth
from distillplan.laws.transfer import Beyond, beyond_range, range_alone, transfer_error
from distillplan.named_tuples import NamedTuple
from distillplan.planning.drawn import laws_of
from distillplan.planning.odds import posterior
from distillplan.planning.places import of_options
from distillplan.planning.results import Option, Plan, Reason
from distillplan.planning.scenario import Scenario
from distillplan.planning.tails import centered
from distillplan.planning.teacher import Teacher, loss_by
from distillplan.planning.verdict import transfer_of
from distillplan.planning.verdict_records import Odds

MOST_DRAWS = 100
"""Draws that worlds are made of; the odds before a pilot are those of all of them."""

TOKENIZER_WIDTH = 0.3
"""Standard deviation of log s: tokenizers differ by up to about 30% in bytes per token."""
CORPUS_WIDTH = 0.15
"""That of log g: laboratories differ by 10% to 20% in what training can reduce."""


class PilotRun(NamedTuple):
    """A run that somebody could make."""

    params: float
    """Parameters as the law counts them."""
    tokens: float
    teacher: Teacher | None = None
    """None for supervised training."""


Unit = tuple[PilotRun, ...]
"""Runs that are made together."""


class OpenDecision(NamedTuple):
    """A plan whose verdict more runs could change."""

    plan: Plan
    odds: Odds
    alone: Option
    distilled: Option
    draws: Draws
    """Drawn laws that worlds are made of."""
    gain: FloatArray
    """The gain under each of them, laid evenly around the plan's own, shape (draws,)."""
    error: float
    """Scale of the error around it, nats."""
    beyond: float
    """Probability that the form of the law fails, which no small run can show."""

    @property
    def scenario(self) -> Scenario:
        """The question."""
        return self.plan.scenario

    @property
    def gain_nats(self) -> float:
        """The gain that the plan prints."""
        return self.distilled.gain_nats or 0.0


class Prior(NamedTuple):
    """What is believed of some runs before they are made; the log losses and the gain jointly."""

    expected: FloatArray
    """Log losses under the scenario's own law, shape (runs,)."""
    mean: FloatArray
    """Log losses under each drawn law, laid evenly around these, shape (draws, runs)."""
    level: FloatArray
    """Covariance of what the two sides share, and of the law's misfit, shape (runs, runs)."""
    error: FloatArray
    """Covariance of the error of the gain; over w in a world, shape (runs, runs)."""
    cross: FloatArray
    """The same with the gain at the decision, shape (runs,)."""
    noise: float
    """Variance of the luck of one run."""
    gain: FloatArray
    """The gain at the decision under each drawn law, shape (draws,)."""
    variance: float
    """Of its error; over w in a world."""

    def take(self, rows: Sequence[int]) -> "Prior":
        """Some of the runs."""
        at = list(rows)
        return self._replace(
            expected=self.expected[at],
            mean=self.mean[:, at],
            level=self.level[np.ix_(at, at)],
            error=self.error[np.ix_(at, at)],
            cross=self.cross[at],
        )


def open_decision(plan: Plan) -> OpenDecision:
    """The decision of a plan, as far as it is open.

    Raises:
        InfeasibleError: when the plan weighs no odds, so that none can be narrowed.
    """
    distilled = plan.deciding
    if plan.odds is None or distilled is None or distilled.loss is None:
        raise InfeasibleError(f"no odds to narrow: {_why_no_odds(plan)}")
    every = laws_of(plan.scenario, law_catalog.draws(plan.law))
    draws = every.every(-(-every.size // MOST_DRAWS))
    found = posterior(plan.scenario, [of_options(plan.scenario, plan.supervised, distilled)], draws)
    return OpenDecision(
        plan=plan,
        odds=plan.odds,
        alone=plan.supervised,
        distilled=distilled,
        draws=draws,
        gain=centered(found.gain, found.error, found.point)[0],
        error=float(found.error[0]),
        beyond=float(found.beyond[0]),
    )


def _why_no_odds(plan: Plan) -> str:
    match plan.verdict_reason:
        case Reason.FAR_OUTSIDE_FIT | Reason.WORSE_THAN_GUESSING:
            return (
                f"{plan.law.name} gives no verdict so far outside its range; ask for a smaller "
                "budget or student, or for a law that was fitted near them"
            )
        case Reason.LAW_HAS_NO_DISTILLATION:
            return f"{plan.law.name} has no distillation side; use a distillation law"
        case Reason.DISTILLATION_OVER_BUDGET:
            return "distillation is over budget, so supervised training is the only choice"
        case Reason.ONLY_ONE_POSSIBLE | Reason.NOTHING_POSSIBLE:
            return "only one of the choices fits the machine and the limits"
        case _:
            return f"how far off {plan.law.name} is there is not known"


def prior(decision: OpenDecision, runs: Sequence[PilotRun]) -> Prior:
    """What is believed of some runs before they are made.

    Args:
        decision: what they are to inform.
        runs: supervised and distilled ones.
    """
    scenario = decision.scenario
    law: Any = scenario.law.distillation
    n, d = (np.log([getattr(one, name) for one in runs]) for name in ("params", "tokens"))
    d = log_worth(d, scenario.unique_tokens)
    taught = np.array([one.teacher is not None for one in runs])
    own = _losses(law, n, d, runs)
    laws: Any = decision.draws.law
    drawn = _losses(laws, n[:, None], d[:, None], runs)
    expected = np.log(own.loss)
    mean = np.log(drawn.loss)
    mean += (expected - np.median(mean, axis=1))[:, None]
    sigma = decision.draws.sigma_run or RUN_NOISE
    foreign = scenario.law.file is None
    reducible = (own.alone - law.supervised.E) / own.loss
    level = (TOKENIZER_WIDTH**2 + CORPUS_WIDTH**2 * np.outer(reducible, reducible)) * foreign
    constants, transfer = transfer_error(), transfer_of(scenario.law).scale
    sizes = constants.slopes.above / constants.scale * np.column_stack([n, d])
    outside = _loads(decision, runs, np.full(len(runs), np.nan)) / own.loss[:, None]
    misfit = sigma * own.alone / own.loss
    level = level + _likeness(sizes, sizes) * (np.outer(misfit, misfit) + outside @ outside.T)
    # the error of the gain, in nats, of each run and of the decision
    teacher = constants.slopes.teacher_loss / constants.scale
    places = np.column_stack([sizes, teacher * own.teacher])
    here = np.array([_place_of(decision)])
    at_runs = _loads(decision, runs, own.teacher, own.alone - own.loss)
    at_decision = _load_of_decision(decision)
    error = _likeness(places, places) * (transfer**2 + at_runs @ at_runs.T)
    cross = _likeness(places, here)[:, 0] * (transfer**2 + at_runs @ at_decision)
    by_nats = -np.where(taught, 1.0, 0.0) / own.loss  # of the log loss, by the gain
    return Prior(
        expected=expected,
        mean=mean.T,
        level=level,
        error=error * np.outer(by_nats, by_nats),
        cross=cross * by_nats,
        noise=sigma**2,
        gain=decision.gain,
        variance=decision.error**2,
    )


class _RunLosses(NamedTuple):
    """Losses of runs, arrays of shape (runs,) or (runs, draws)."""

    loss: FloatArray
    alone: FloatArray
    """Of the same sizes without a teacher."""
    teacher: FloatArray
    """Of the teacher; zero without one."""


def _losses(law: DistillationLaw, n: Any, d: Any, runs: Sequence[PilotRun]) -> _RunLosses:
    """What a law, or each of many, says of some runs."""
    alone = np.asarray(law.supervised.loss_at_logs(n, d))
    teacher = np.zeros_like(alone)
    for row, one in enumerate(runs):
        if one.teacher is not None:
            teacher[row] = loss_by(one.teacher, law.supervised)
    taught = np.array([one.teacher is not None for one in runs])
    loss = alone.copy()
    if taught.any():
        x = np.log(teacher[taught])
        loss[taught] = law.loss_at_logs(n[taught], d[taught], x)
    return _RunLosses(loss=loss, alone=alone, teacher=teacher)


def _likeness(places: FloatArray, others: FloatArray) -> FloatArray:
    """Correlation between places, shapes (places, inputs), (others, inputs): (places, others)."""
    apart = places[:, None, :] - others[None, :, :]
    return np.asarray(np.exp(-0.5 * np.square(apart).sum(axis=-1)))


def _loads(
    decision: OpenDecision, runs: Sequence[PilotRun], teacher: FloatArray, gain: Any = 0.0
) -> FloatArray:
    """What being outside the range adds to the error of each run, by cause.

    Args:
        decision: for the range of its law.
        runs: supervised and distilled ones.
        teacher: losses of their teachers, shape (runs,); not-a-number for none.
        gain: of distillation, shape (runs,).

    Returns:
        Scales in nats, shape (runs, causes).
    """
    valid = decision.scenario.law.valid
    taught, alone = (
        beyond_range(
            ends,
            student_params=np.array([one.params for one in runs]),
            student_tokens=np.array([one.tokens for one in runs]),
            teacher_loss=teacher,
        )
        for ends in (valid, range_alone(valid))
    )
    untaught, distances = np.isnan(teacher), taught._asdict()
    own = {name: np.where(untaught, one, distances[name]) for name, one in alone._asdict().items()}
    return _by_cause(Beyond(**own), gain)


def _load_of_decision(decision: OpenDecision) -> FloatArray:
    """The same of the decision, shape (causes,); its length is what the plan's odds carry."""
    distilled = decision.distilled
    distances = beyond_range(
        decision.scenario.law.valid,
        student_params=np.array([distilled.student_params]),
        student_tokens=np.array([distilled.student_tokens]),
        teacher_loss=np.array([distilled.teacher_loss]),
        supervised_tokens=np.array([decision.alone.student_tokens]),
    )
    return np.asarray(_by_cause(distances, distilled.gain_nats)[0])


def _by_cause(distances: Beyond, gain: Any) -> FloatArray:
    """The terms of `Beyond.squared_scale` before they are squared, shape (places, causes)."""
    slopes = transfer_error().slopes
    below = np.hypot(distances.params_below, distances.tokens_below)
    terms = (
        slopes.params_below * distances.params_below,
        slopes.tokens_below * distances.tokens_below,
        slopes.above * distances.params_above,
        slopes.above * distances.tokens_above,
        slopes.teacher_loss * distances.teacher_loss,
        slopes.gain_share * below * gain,
    )
    return np.nan_to_num(np.column_stack(terms))


def _place_of(decision: OpenDecision) -> FloatArray:
    """Where the decision is, in the lengths over which errors become unlike, shape (inputs,)."""
    constants, distilled = transfer_error(), decision.distilled
    n, d = (math.log(one or 1.0) for one in (distilled.student_params, distilled.student_tokens))
    sizes = constants.slopes.above * np.array([n, log_worth(d, decision.scenario.unique_tokens)])
    teacher = constants.slopes.teacher_loss * (distilled.teacher_loss or 0.0)
    return np.array([*sizes, teacher]) / constants.scale
