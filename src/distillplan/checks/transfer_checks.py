"""What the law says of other laboratories' runs, and what they saw: `distillplan check transfer`.

The odds and bands of each comparison are stated with the constants that are fitted without it.
"""

from collections.abc import Sequence
from enum import StrEnum
from itertools import pairwise
from typing import Any, Final

import numpy as np

from distillplan.checks.transfer_cases import (
    CaseGains,
    CaseMatch,
    CaseQuality,
    MatchedCase,
    Seen,
    case_gains,
    shipped_cases,
)
from distillplan.checks.transfer_fit import left_out_errors, shipped_holdouts
from distillplan.errors import InputError
from distillplan.files.entries import Entry, read_shipped
from distillplan.laws import law_catalog
from distillplan.laws.formulas import FloatArray
from distillplan.laws.transfer import (
    DEGREES_OF_FREEDOM,
    Beyond,
    TransferError,
    gain_quantile,
    probability_above,
    room_to_tell,
    transfer_error,
)
from distillplan.named_tuples import NamedTuple

SURE: Final = 0.85
"""A sign is decided where one side is so probable: just beyond one standard deviation."""
EVEN: Final = 0.5
"""The odds of somebody who knows nothing."""
EDGES: Final = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
"""Of the bins of the reliability table."""


class CaseOutcome(StrEnum):
    """Whether a comparison came out as the law says."""

    HIT = "hit"
    """A gain in nats is inside its 90% band; of others, the more probable sign is the one seen."""
    MISS = "miss"
    """It is not; or the side that lost had been called all but sure."""
    UNDECIDED = "undecided"
    """What was seen does not exceed its own error."""
    NO_VERDICT = "no verdict"
    """So far outside the fitted range that a plan there has no verdict, and inside its band."""


class TransferRow(NamedTuple):
    """One published comparison beside what the law says of it."""

    study: str
    name: str
    match: CaseMatch
    """What the two students have in common."""
    predicted_gain: float
    """Mean over the drawn laws, nats; positive where distilling is better."""
    gain_band: tuple[float, float]
    """90% band of what the authors would see, nats: draws, the error of the prediction, and the
    comparison's own error where it is in nats."""
    seen_nats: float | None
    """Gain that was seen in losses, nats."""
    seen_points: float | None
    """Gain that was seen in accuracy, points."""
    seen_error: float | None
    """Standard deviation of what was seen, in its unit."""
    seen_better: float
    """Probability that distilling was better, by what was seen."""
    odds_better: float
    """Probability that distilling is better, as stated without having seen this comparison."""
    odds_release_before: float
    """The same as release 0.1.0 would have stated it."""
    outside_nats: float
    """Scale of the error that being outside the fitted range adds."""
    outcome: CaseOutcome
    quality: CaseQuality
    source: str
    assumed: str
    """What the source does not state; empty for nothing."""


class ReliabilityBin(NamedTuple):
    """The comparisons whose stated odds are of one size."""

    low: float
    high: float
    """Ends of the odds."""
    cases: int
    stated: float | None
    """Mean of the odds that distilling is better."""
    seen: float | None
    """Share in which it was better."""


class BrierScores(NamedTuple):
    """Mean squared error of stated odds against what was seen; 0 is perfect."""

    left_out_alone: float
    """Each comparison stated without it."""
    left_out_with_study: float
    """Each stated without any of its study."""
    even: float
    """Always 50:50."""
    release_before: float
    """Release 0.1.0: the draws and the noise of two runs, nothing else."""


class TransferReport(NamedTuple):
    """The law against other laboratories' runs."""

    law: str
    rows: tuple[TransferRow, ...]
    hits: int
    misses: int
    undecided: int
    no_verdict: int
    reliability: tuple[ReliabilityBin, ...]
    brier: BrierScores
    error: TransferError
    """The constants that plans use."""
    degrees_of_freedom: int
    passed: bool
    """Whether the odds beat 50:50 and the release before."""


def transfer_report() -> TransferReport:
    """The shipped comparisons under the default law.

    Raises:
        InputError: when a file is missing or not of its form, or the law has no draws.
    """
    law = law_catalog.law()
    draws = law_catalog.draws(law)
    if draws is None:
        raise InputError(f"{law.name}: odds need joint draws of a law of distillation")
    cases, runs = shipped_cases(), shipped_holdouts()
    predicted = case_gains(law, draws, cases)
    errors = left_out_errors(cases, predicted, runs)
    without_study = left_out_errors(cases, predicted, runs, whole_studies=True)
    before = _odds_of_release_before(cases)
    rows = tuple(
        _row(one, gains, beyond, error, old)
        for (one, gains, beyond), error, old in zip(
            _each(cases, predicted), errors, before, strict=True
        )
    )
    seen = np.array([row.seen_better for row in rows])
    alone = np.array([row.odds_better for row in rows])
    apart = np.array(
        [
            _odds(gains, beyond, error)
            for (_, gains, beyond), error in zip(
                _each(cases, predicted), without_study, strict=True
            )
        ]
    )
    scores = BrierScores(
        left_out_alone=brier(alone, seen),
        left_out_with_study=brier(apart, seen),
        even=brier(np.full(seen.size, EVEN), seen),
        release_before=brier(np.array(before), seen),
    )
    counts = {one: sum(row.outcome is one for row in rows) for one in CaseOutcome}
    return TransferReport(
        law=law.name,
        rows=rows,
        hits=counts[CaseOutcome.HIT],
        misses=counts[CaseOutcome.MISS],
        undecided=counts[CaseOutcome.UNDECIDED],
        no_verdict=counts[CaseOutcome.NO_VERDICT],
        reliability=reliability(alone, seen),
        brier=scores,
        error=transfer_error(),
        degrees_of_freedom=DEGREES_OF_FREEDOM,
        passed=scores.left_out_alone < min(scores.even, scores.release_before),
    )


def brier(odds: FloatArray, seen: FloatArray) -> float:
    """Expected squared error of odds, where what was seen is itself a probability.

    Args:
        odds: stated, shape (cases,).
        seen: probability that distilling was better, shape (cases,).

    >>> brier(np.array([1.0, 0.5]), np.array([1.0, 0.3]))
    0.125
    """
    return float(np.mean(seen * (1 - odds) ** 2 + (1 - seen) * odds**2))


def reliability(odds: FloatArray, seen: FloatArray) -> tuple[ReliabilityBin, ...]:
    """How often distilling was better among comparisons with like odds.

    Args:
        odds: stated, shape (cases,).
        seen: probability that distilling was better, shape (cases,).
    """
    places = np.clip(np.searchsorted(EDGES, odds, side="right") - 1, 0, len(EDGES) - 2)
    found = []
    for place, (low, high) in enumerate(pairwise(EDGES)):
        inside = places == place
        some = bool(inside.any())
        found.append(
            ReliabilityBin(
                low=low,
                high=high,
                cases=int(inside.sum()),
                stated=float(odds[inside].mean()) if some else None,
                seen=float(seen[inside].mean()) if some else None,
            )
        )
    return tuple(found)


def _row(
    case: MatchedCase, gains: FloatArray, beyond: Beyond, error: TransferError, before: float
) -> TransferRow:
    """A comparison under drawn laws, with constants that were fitted without it."""
    seen = case.seen
    own = seen.gain_error if seen.gain_nats is not None and seen.gain_error is not None else 0.0
    scale = np.sqrt(_variance(gains, beyond, error) + own**2)
    band = tuple(float(gain_quantile(gains, scale, level)) for level in (0.05, 0.95))
    low, high = band
    odds = _odds(gains, beyond, error)
    outside = float(np.sqrt(np.mean(beyond.squared_scale(error.slopes, gains))))
    gain = float(np.mean(gains))
    refused = bool(room_to_tell(gain, outside, error.scale) < 0)
    missed = seen.gain_nats is not None and not low <= seen.gain_nats <= high
    return TransferRow(
        study=case.study,
        name=case.name,
        match=case.match,
        predicted_gain=gain,
        gain_band=(low, high),
        seen_nats=seen.gain_nats,
        seen_points=seen.gain_points,
        seen_error=seen.gain_error,
        seen_better=seen.chance_better,
        odds_better=odds,
        odds_release_before=before,
        outside_nats=outside,
        outcome=_outcome(seen, odds, missed=missed, refused=refused),
        quality=case.quality,
        source=case.source,
        assumed=case.assumed,
    )


def _outcome(seen: Seen, odds: float, *, missed: bool, refused: bool) -> CaseOutcome:
    """Whether a comparison came out as its band and odds say."""
    decided = max(seen.chance_better, 1 - seen.chance_better) >= SURE
    other_side = decided and (odds > EVEN) != (seen.chance_better > EVEN)
    if refused:
        return CaseOutcome.MISS if missed else CaseOutcome.NO_VERDICT
    if seen.gain_nats is not None:
        called = max(odds, 1 - odds) >= SURE
        return CaseOutcome.MISS if missed or (called and other_side) else CaseOutcome.HIT
    if not decided:
        return CaseOutcome.UNDECIDED
    return CaseOutcome.MISS if other_side else CaseOutcome.HIT


def _each(cases: Sequence[MatchedCase], predicted: CaseGains) -> list[Any]:
    """Each case with its gains and distances, both of shape (draws,)."""
    fields = predicted.beyond._asdict()
    return [
        (
            one,
            predicted.gains[place],
            Beyond(**{name: values[place] for name, values in fields.items()}),
        )
        for place, one in enumerate(cases)
    ]


def _variance(gains: FloatArray, beyond: Beyond, error: TransferError) -> FloatArray:
    """Square of the error's scale under every drawn law, shape (draws,)."""
    return np.asarray(error.scale**2 + beyond.squared_scale(error.slopes, gains))


def _odds(gains: FloatArray, beyond: Beyond, error: TransferError) -> float:
    """Probability that distilling is better, over draws and error."""
    return float(probability_above(gains, 0.0, np.sqrt(_variance(gains, beyond, error))).mean())


def _odds_of_release_before(cases: Sequence[MatchedCase]) -> list[float]:
    """What release 0.1.0 would have stated, computed once by the calibration."""
    stored = Entry(read_shipped("transfer.yaml"), "transfer").mapping("release_before")
    return [stored.mapping(one.study).number(one.name) for one in cases]
