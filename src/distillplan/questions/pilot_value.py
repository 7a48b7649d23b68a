"""After a pilot: the odds that its losses leave, and what they are worth before they are known.

Given the drawn law and w, the log losses of the runs and the gain at the decision are jointly
normal (`pilot_worlds`), so the gain after some losses is a mixture of normals: one for each drawn
law and w, weighed by how well it explains the losses. Nothing is sampled there. Losses that a pilot
may come out with are sampled from the same prior, and what it is worth is the average over them.
"""

from typing import Any, TypeAlias

import numpy as np

from distillplan.laws.formulas import FloatArray
from distillplan.named_tuples import NamedTuple
from distillplan.planning.verdict import verdict_of
from distillplan.planning.verdict_records import Verdict
from distillplan.questions.pilot_worlds import OpenDecision, Prior

NODES = 12
MOST_ROOT = 3.3
"""The root of w is taken at so many points up to here; beyond lies a probability of 2e-5."""
BoolArray: TypeAlias = np.ndarray[Any, np.dtype[np.bool_]]

OUTCOMES = 600
"""Losses that a pilot may come out with."""
LOW, HIGH = 0.05, 0.95
SHIFTS, FARTHEST, MOST_OF_A_LOSS = 241, 6.0, 0.9
"""Results of a pilot that are tried for the stop rule: so many, up to so many typical errors of a
run's gain from what is expected."""
LEAST_SD = 1e-9
"""Nats; keeps a gain that is known exactly out of a division by zero."""
HALVINGS = 40
TIE_BREAK = 1e-6
"""Odds per nat of gain, which decide where both sides have none."""


class Gains(NamedTuple):
    """The gain at the decision after each of some outcomes of a pilot, a mixture of normals."""

    weight: FloatArray
    """Shape (outcomes, parts); sums to 1 over the parts."""
    mean: FloatArray
    """Nats, of the same shape."""
    sd: FloatArray
    """Nats, shape (parts,) or that of the others."""

    def above(self, threshold: float) -> FloatArray:
        """Probability that the gain is above a threshold, shape (outcomes,)."""
        return np.asarray((self.weight * _normal((self.mean - threshold) / self.sd)).sum(axis=1))

    def expected(self) -> FloatArray:
        """Its average, nats, shape (outcomes,)."""
        return np.asarray((self.weight * self.mean).sum(axis=1))

    def half_width(self) -> float:
        """Half of the 90% band of what the gain may be apart from its average, nats.

        Over all outcomes, so that it is how far off the average will be, whatever comes out.
        """
        ends = (self._around(level) for level in (LOW, HIGH))
        low, high = ends
        return (high - low) / 2

    def _around(self, level: float) -> float:
        """A quantile of the gain minus its average, over all outcomes."""
        apart = self.mean - self.expected()[:, None]
        weight = self.weight / self.weight.shape[0]
        reach = float(10 * self.sd.max())
        low, high = float(apart.min()) - reach, float(apart.max()) + reach
        for _ in range(HALVINGS):
            at = (low + high) / 2
            below = float((weight * _normal((at - apart) / self.sd)).sum()) < level
            low, high = (at, high) if below else (low, at)
        return (low + high) / 2

    def few(self, draws: int) -> "Gains":
        """The same with the drawn laws taken together, as one normal for each w."""
        weight = self.weight.reshape(-1, self.sd.size // draws, draws)
        mean = self.mean.reshape(weight.shape)
        whole = weight.sum(axis=2)
        share = weight / np.maximum(whole, np.finfo(float).tiny)[:, :, None]
        middle = (share * mean).sum(axis=2)
        spread = (share * np.square(mean - middle[:, :, None])).sum(axis=2)
        sd = np.sqrt(np.square(self.sd.reshape(-1, draws)[:, 0]) + spread)
        return Gains(weight=whole, mean=middle, sd=sd)


class Scales(NamedTuple):
    """Values of w with their probabilities, arrays of shape (scales,)."""

    w: FloatArray
    probability: FloatArray


def scales(prior: Prior) -> Scales:
    """Values of w: a single one where the gain has no error beyond the drawn laws.

    The root of w has the density 2 r exp(-r^2), and what depends on it is smooth in r, so that few
    points (Gauss and Legendre's) are as good as many.
    """
    if not prior.variance and not prior.error.any():
        return Scales(w=np.ones(1), probability=np.ones(1))
    x, each = np.polynomial.legendre.leggauss(NODES)
    r = MOST_ROOT * (x + 1) / 2
    probability = each * r * np.exp(-np.square(r))
    return Scales(w=np.square(r), probability=probability / probability.sum())


def outcomes(prior: Prior) -> FloatArray:
    """Log losses that the runs may come out with, equally likely, shape (outcomes, runs)."""
    generator = np.random.default_rng(0)
    found = np.empty((OUTCOMES, prior.expected.size))
    draws = generator.permutation(np.arange(OUTCOMES) % prior.gain.size)
    known = scales(prior)
    even = generator.permutation((np.arange(OUTCOMES) + 0.5) / OUTCOMES)
    which = np.searchsorted(np.cumsum(known.probability), even)
    normal = generator.standard_normal(found.shape)
    for row, one in enumerate(known.w):
        rows = which == row
        found[rows] = prior.mean[draws[rows]] + normal[rows] @ _root(prior, one).T
    return found


def gains_after(prior: Prior, losses: FloatArray) -> Gains:
    """The gain at the decision once the runs have come out.

    Args:
        prior: of the runs.
        losses: their log losses, shape (outcomes, runs); no runs give the gain before any.
    """
    known = scales(prior)
    logs, means, sds = [], [], []
    for one, probability in zip(known.w, known.probability, strict=True):
        root = _root(prior, one)
        # whitened: what the losses, the drawn laws and the gain are in units of independent noise
        seen, drawn, cross = (
            np.linalg.solve(root, part.T) for part in (losses, prior.mean, prior.cross / one)
        )
        misfit = (
            np.square(seen).sum(axis=0)[:, None] + np.square(drawn).sum(axis=0) - 2 * seen.T @ drawn
        )
        logs.append(np.log(probability) - 0.5 * misfit - np.log(np.diag(root)).sum())
        means.append((cross @ seen)[:, None] + (prior.gain - cross @ drawn))
        left = max(prior.variance / one - float(cross @ cross), 0.0)
        sds.append(np.full(prior.gain.size, max(left**0.5, LEAST_SD)))
    log = np.concatenate(logs, axis=1)
    weight = np.exp(log - log.max(axis=1, keepdims=True))
    return Gains(
        weight=weight / weight.sum(axis=1, keepdims=True),
        mean=np.concatenate(means, axis=1),
        sd=np.concatenate(sds),
    )


class Narrowed(NamedTuple):
    """How well the decision is known, before the outcome of a pilot is."""

    wrong: float
    """Probability of choosing the side that is worse by more than a tie."""
    settled: float
    """Probability that the runs come out so that one can choose at the risk that was asked for."""
    half_width_nats: float
    """Nine tenths of gains lie within this of what is expected of them then, nats per token."""
    saved_nats: float
    """Loss that choosing after the pilot saves on average, nats per token."""


def narrowed(decision: OpenDecision, prior: Prior, losses: FloatArray, risk: float) -> Narrowed:
    """How well the decision is known after runs, on average over their outcomes.

    Args:
        decision: what they inform.
        prior: of the runs.
        losses: outcomes, shape (outcomes, runs).
        risk: the chance of the wrong side at which one may choose.
    """
    found = gains_after(prior, losses)
    distill, supervised = odds_after(decision, found)
    odds = decision.odds
    # before the runs one does as the plan says, afterwards what is likelier
    advised = verdict_of(odds) is Verdict.DISTILL
    change = supervised - distill if advised else distill - supervised
    other = found.expected() * (-1 if decision.gain_nats >= 0 else 1)
    return Narrowed(
        wrong=odds.wrong - float(np.maximum(change, 0).mean()),
        settled=float((np.minimum(distill, supervised) <= risk).mean()),
        half_width_nats=found.few(prior.gain.size).half_width(),
        saved_nats=(1 - decision.beyond) * float(np.maximum(other, 0).mean()),
    )


def odds_after(decision: OpenDecision, gains: Gains) -> tuple[FloatArray, FloatArray]:
    """Odds of distillation and of supervised training, shapes (outcomes,)."""
    tie, either = decision.scenario.tie_nats, decision.beyond / 2
    distill = (1 - decision.beyond) * gains.above(tie) + either
    supervised = (1 - decision.beyond) * (1 - gains.above(-tie)) + either
    return distill, supervised


class ExcessRange(NamedTuple):
    """By how much measured gains are above those expected, on average over the pairs, nats."""

    from_: float | None
    """None where there is no least."""
    to: float | None
    """None where there is no largest."""


class StopRule(NamedTuple):
    """What to do after some runs, by how far the measured gains are above those expected."""

    distill: ExcessRange | None
    """Here distillation is wrong at no more than the risk, so stop and distill; None where no
    result shows that much."""
    supervised: ExcessRange | None
    """Here supervised training is wrong at no more than the risk."""
    even_at: float | None
    """The excess at which both sides have the same odds, nats per token; None where none does."""


def stop_rule(decision: OpenDecision, prior: Prior, risk: float) -> StopRule:
    """What to do after some runs, if the gain of each pair is off by the same.

    Where the results are far from all that was expected the law holds less than usual, so that they
    may settle less than milder ones do: hence ranges.

    Args:
        decision: what they inform.
        prior: of the runs.
        risk: the chance of the wrong side at which one may choose.
    """
    nats, taught = np.exp(prior.expected), np.diag(prior.error) > 0
    if not taught.any():
        return StopRule(distill=None, supervised=None, even_at=None)
    spread = np.square(nats) * (np.diag(prior.error) + prior.noise)
    reach = FARTHEST * float(np.sqrt(spread[taught].mean()))
    reach = min(reach, MOST_OF_A_LOSS * float(nats[taught].min()))  # no loss is off by itself
    shift = np.linspace(-reach, reach, SHIFTS)
    losses = prior.expected + np.log1p(-shift[:, None] * taught / nats)
    found = gains_after(prior, losses)
    distill, supervised = odds_after(decision, found)
    # where a tie is all but certain, the side that gains at all
    lead = distill - supervised + TIE_BREAK * found.expected()
    return StopRule(
        distill=_where(shift, (supervised <= risk) & (lead >= 0)),
        supervised=_where(shift, (distill <= risk) & (lead <= 0)),
        even_at=_even(shift, lead),
    )


def _where(shift: FloatArray, holds: BoolArray) -> ExcessRange | None:
    """The widest range of shifts in which something holds, both of shape (shifts,)."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], holds, [False]])))
    if not edges.size:
        return None
    starts, ends = edges[::2], edges[1::2] - 1
    widest = int((ends - starts).argmax())
    start, end = int(starts[widest]), int(ends[widest])
    return ExcessRange(
        from_=None if start == 0 else float(shift[start]),
        to=None if end == shift.size - 1 else float(shift[end]),
    )


def _even(shift: FloatArray, difference: FloatArray) -> float | None:
    """The shift nearest to zero at which a difference changes its sign, both of shape (shifts,)."""
    at = np.flatnonzero(np.diff(np.sign(difference)))
    if not at.size:
        return None
    one = int(at[np.abs(shift[at]).argmin()])
    part = difference[one] / (difference[one] - difference[one + 1])
    return float(shift[one] + part * (shift[one + 1] - shift[one]))


def _root(prior: Prior, w: float) -> FloatArray:
    """Lower triangular root of the covariance of the losses, shape (runs, runs)."""
    noise = prior.noise * np.eye(prior.expected.size)
    return np.asarray(np.linalg.cholesky(prior.level + prior.error / w + noise))


def _normal(z: FloatArray) -> FloatArray:
    """The normal distribution function, of any shape."""
    from scipy.special import ndtr  # slow to import, and not needed to plan

    return np.asarray(ndtr(z))
