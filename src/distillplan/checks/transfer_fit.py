"""The constants of the error of a predicted gain, fitted to published comparisons.

The most probable constants, in logarithms, under wide priors and the likelihood of what was seen:

- a gain in nats: the density of Student's t around the gain of every drawn law, averaged over the
  draws, its scale widened by the comparison's own error;
- a gain in accuracy, or a mere statement: the probability of its sign, as far as that is sure;
- a part of the law's own runs that was predicted from the rest: the density of its error.

Comparisons of one study share its teacher, data and code. So each counts one over the square root
of their number, between counting alone and counting as one.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

import numpy as np

from distillplan.checks.transfer_cases import CaseGains, MatchedCase
from distillplan.files.entries import Entry, read_shipped
from distillplan.laws.formulas import FloatArray
from distillplan.laws.transfer import (
    Beyond,
    ErrorCases,
    Slopes,
    TransferError,
    density,
    probability_above,
)
from distillplan.named_tuples import NamedTuple

CONSTANTS: Final = ErrorCases._fields
"""Names of the constants, in the order of every vector here."""
PRIOR: Final = {
    "scale": (0.025, 1.0),
    "params_below": (0.05, 2.0),
    "tokens_below": (0.05, 2.0),
    "above": (0.02, 2.0),
    "teacher_loss": (0.1, 2.0),
    "gain_share": (0.3, 2.0),
}
"""Center and standard deviation of the logarithm of each. The scale's center is the accuracy that
the law's authors claim, 1% of a loss of about 2.5 nats; the slopes' are known to a factor of seven.
"""
EVERY: Final = 3
"""Of the draws one in so many is enough where dozens of fits leave something out."""
NEAR: Final = 0.01
"""Distances up to this, in e-folds or nats, are none when cases are counted."""


class HeldOutRuns(NamedTuple):
    """Runs of the law's own laboratory, predicted by the law refitted without their like."""

    split: str
    """What was fitted and what was predicted."""
    input: str
    """The input beyond whose fitted range they lie: a field of `Beyond`."""
    distance: float
    """How far, as in `Beyond`; root mean square over the runs."""
    error: float
    """Root mean square error of the predicted losses, nats."""
    noise: float
    """The same of the runs that were fitted, nats."""


class FittedError(NamedTuple):
    """Fitted constants."""

    error: TransferError
    log_density: float
    """Logarithm of the posterior density up to a constant; compares forms of the growth."""


def shipped_holdouts() -> tuple[HeldOutRuns, ...]:
    """The law's own runs that were held out, from coefficients/transfer.yaml.

    Raises:
        InputError: when the file is missing or not of its form.
    """
    return tuple(
        one.record(HeldOutRuns, input=one.choice("input", Beyond._fields, ""))
        for one in Entry(read_shipped("transfer.yaml"), "transfer").entries("held_out")
    )


def fitted_error(
    cases: Sequence[MatchedCase],
    predicted: CaseGains,
    held_out: Sequence[HeldOutRuns],
    left_out: Sequence[int] = (),
    prior: Mapping[str, tuple[float, float]] = MappingProxyType(PRIOR),
    start: TransferError | None = None,
) -> FittedError:
    """The most probable constants.

    Args:
        cases: the comparisons.
        predicted: what the law says of them.
        held_out: the law's own runs.
        left_out: places of the comparisons to do without.
        prior: center and standard deviation of the logarithm of each constant.
        start: constants to begin with; None: the prior's centers.
    """
    from scipy.optimize import minimize  # no plan fits anything

    kept = np.array([place for place in range(len(cases)) if place not in left_out])
    beyond = {name: one[kept] for name, one in predicted.beyond._asdict().items()}
    data = _Data(
        gains=predicted.gains[kept],
        beyond=Beyond(**beyond),
        seen=_seen([cases[place] for place in kept]),
        held_out=held_out,
    )
    center, width = np.array([prior[name] for name in CONSTANTS]).T
    first = center if start is None else np.array([start.scale, *start.slopes._asdict().values()])
    found = minimize(_cost, np.log(first), args=(data, np.log(center), width), method="L-BFGS-B")
    values = dict(zip(CONSTANTS, np.exp(found.x).tolist(), strict=True))
    scale, slopes = values.pop("scale"), Slopes(**values)
    return FittedError(
        error=TransferError(scale=scale, slopes=slopes, cases=_counts(data, scale, slopes)),
        log_density=-float(found.fun),
    )


def left_out_errors(
    cases: Sequence[MatchedCase],
    predicted: CaseGains,
    held_out: Sequence[HeldOutRuns],
    *,
    whole_studies: bool = False,
) -> tuple[TransferError, ...]:
    """For each case the constants that were fitted without it.

    Args:
        cases: the comparisons.
        predicted: what the law says of them.
        held_out: the law's own runs.
        whole_studies: leave out all cases of its study with it.
    """
    fewer = predicted.thinned(EVERY)
    groups: dict[str, list[int]] = {}
    for place, one in enumerate(cases):
        groups.setdefault(one.study if whole_studies else f"{place}", []).append(place)
    near = fitted_error(cases, fewer, held_out).error
    found = {
        place: fitted_error(cases, fewer, held_out, group, start=near).error
        for group in groups.values()
        for place in group[:1]
    }
    firsts = {place: group[0] for group in groups.values() for place in group}
    return tuple(found[firsts[place]] for place in range(len(cases)))


class _SeenCases(NamedTuple):
    """What was seen, arrays of shape (cases, 1) against draws; weights of shape (cases,)."""

    gain: FloatArray
    """Not a number where only the sign counts."""
    error: FloatArray
    chance: FloatArray
    weight: FloatArray


class _Data(NamedTuple):
    """What the constants are fitted to."""

    gains: FloatArray
    beyond: Beyond
    seen: _SeenCases
    held_out: Sequence[HeldOutRuns]


def _seen(cases: Sequence[MatchedCase]) -> _SeenCases:
    studies = [one.study for one in cases]
    rows = np.array(
        [
            (np.nan, 0.0, one.seen.chance_better)
            if one.seen.gain_nats is None
            else (one.seen.gain_nats, one.seen.gain_error, one.seen.chance_better)
            for one in cases
        ],
        dtype=float,
    )
    return _SeenCases(
        gain=rows[:, :1],
        error=rows[:, 1:2],
        chance=rows[:, 2],
        weight=np.array([studies.count(one) ** -0.5 for one in studies]),
    )


def _cost(logs: FloatArray, data: _Data, center: FloatArray, width: FloatArray) -> float:
    """Minus the log posterior density of the logarithms of the constants, shape (5,)."""
    values = np.exp(logs)
    slopes = Slopes(**dict(zip(Slopes._fields, values[1:], strict=True)))
    seen = data.seen
    variance = values[0] ** 2 + data.beyond.squared_scale(slopes, data.gains)
    measured = density(seen.gain - data.gains, np.sqrt(variance + seen.error**2)).mean(axis=1)
    better = probability_above(data.gains, 0.0, np.sqrt(variance)).mean(axis=1)
    signed = seen.chance * better + (1 - seen.chance) * (1 - better)
    likely = np.log(np.where(np.isnan(seen.gain[:, 0]), signed, measured))
    cost = -float(seen.weight @ likely) + float((((logs - center) / width) ** 2).sum()) / 2
    for one in data.held_out:
        alone = Beyond(**{**dict.fromkeys(Beyond._fields, 0.0), one.input: one.distance})
        scale = np.sqrt(alone.squared_scale(slopes, 0.0) + one.noise**2)
        cost -= float(np.log(density(one.error, scale)))
    return cost


def _counts(data: _Data, scale: float, slopes: Slopes) -> ErrorCases:
    """Comparisons that each constant stands on: of the scale, those where it is the larger part."""
    far: dict[str, Any] = {
        name: np.mean(one, axis=1) > NEAR for name, one in data.beyond._asdict().items()
    }
    far["above"] = far.pop("params_above") | far.pop("tokens_above")
    far["gain_share"] = far["params_below"] | far["tokens_below"]
    outside = data.beyond.squared_scale(slopes, data.gains)
    far["scale"] = np.mean(outside, axis=1) < scale**2
    return ErrorCases(**{name: int(far[name].sum()) for name in CONSTANTS})
