"""What the runs fix and what they leave open.

E, A, B and the exponents trade off against each other, and c1 against d1: with r well below d1,
(1 + (r/d1)^(1/f1))^(-c1 f1) tends to exp(-c1 f1 (r/d1)^(1/f1)), so only c1 d1^(-1/f1) acts. The
information matrix J'J / noise^2 of the logarithms of the losses says which combinations of
letters are known to which accuracy; a letter whose 90 % interval would span more than a factor
is not given one.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from distillplan.fitting.bootstrap import BootstrapState
from distillplan.fitting.fitter import FitResult
from distillplan.fitting.forms import bounds
from distillplan.fitting.noise import FEW, RUN_NOISE
from distillplan.fitting.solver import solve
from distillplan.laws.formulas import FloatArray

FIXED: Final = 0.1
"""A combination is fixed when its logarithm is known to this standard deviation."""

OPEN: Final = 1.0
"""Beyond this standard deviation of the logarithm (a factor of e) the runs say nothing."""

_NOTHING: Final = 100.0
"""A standard deviation of a logarithm from which a number would only be numerical noise."""

_AT_BOUND: Final = 0.05
"""Share of resamples at a bound from which an interval would be the bound's, not the runs'."""

_FLOOR: Final = (
    "E is where the assumed form ends at infinite size; another outer exponent fits as well with "
    "another E, so the runs do not measure it"
)

_MEANING: Final = {
    "log_E": "E",
    "u": "(A / N^alpha)^gamma at the middle of the runs",
    "v": "(B / D^beta)^gamma at the middle of the runs",
    "log_a": "alpha gamma",
    "log_b": "beta gamma",
    "log_gamma": "gamma",
    "c0": "c0",
    "k": "c1 f1 (L_T / (Lt_S d1))^(1/f1) at the middle of the runs",
    "log_f1": "f1",
    "log_q": "(L_T / (Lt_S d1))^(1/f1) at the middle of the runs",
}


@dataclass(frozen=True, kw_only=True)
class Combination:
    """A combination of coefficients and how well the runs know it."""

    what: str
    """the combination in the paper's letters"""
    value: float
    """its fitted value"""
    log_sd: float | None
    """standard deviation of its logarithm given the noise of the runs (of c0 itself for c0);
    None where the runs say nothing at all"""
    verdict: str
    """``fixed``, ``weak`` or ``open``"""


@dataclass(frozen=True, kw_only=True)
class Identifiability:
    """What the runs know about the coefficients."""

    combinations: tuple[Combination, ...]
    """coordinates of the fit, best known first"""
    condition_letters: float
    """ratio of the longest to the shortest axis of the log letters' uncertainty"""
    condition_coordinates: float
    """the same in the coordinates of the fit"""
    weakest: dict[str, float]
    """the direction in the log letters that the runs know least, largest part 1"""
    letters: dict[str, float | None]
    """standard deviation of the logarithm of each letter by itself; None for no knowledge"""


def identifiability(result: FitResult) -> Identifiability:
    """Say which combinations of coefficients the runs fix. The prior is left out."""
    theta = result.theta[None, :]
    jacobian = result.form.predict(theta, result.rows)[1][0]
    few = len(result.rows) < FEW * len(result.form.names)
    noise = max(result.noise.total, RUN_NOISE if few else 1e-9)
    covariance = _inverse(jacobian.T @ jacobian / noise**2)
    to_letters = result.form.log_coefficients(theta)[1][0]
    letters = to_letters @ covariance @ to_letters.T
    axes, vectors = np.linalg.eigh(letters)
    worst = vectors[:, -1] / vectors[np.argmax(np.abs(vectors[:, -1])), -1]
    own = np.linalg.eigvalsh(covariance)
    names = result.form.names
    found = [
        Combination(
            what=_MEANING[name],
            value=float(value if name == "c0" else np.exp(value)),
            log_sd=float(sd) if sd < _NOTHING else None,
            verdict="fixed" if sd < FIXED else "weak" if sd < OPEN else "open",
        )
        for name, value, sd in zip(names, result.theta, np.sqrt(np.diag(covariance)), strict=True)
    ]
    return Identifiability(
        combinations=tuple(
            sorted(found, key=lambda one: np.inf if one.log_sd is None else one.log_sd)
        ),
        condition_letters=float(np.sqrt(axes[-1] / max(axes[0], 1e-30 * axes[-1]))),
        condition_coordinates=float(np.sqrt(own[-1] / max(own[0], 1e-30 * own[-1]))),
        weakest=dict(zip(result.form.coefficients, map(float, worst), strict=True)),
        letters={
            name: float(sd) if sd < _NOTHING else None
            for name, sd in zip(result.form.coefficients, np.sqrt(np.diag(letters)), strict=True)
        },
    )


@dataclass(frozen=True, kw_only=True)
class Interval:
    """A 90 % interval of a coefficient, or why there is none."""

    low: float | None
    """lower end in the coefficient's unit; None when the runs cannot carry an interval"""
    high: float | None
    """upper end"""
    reason: str | None
    """why there is no interval"""


def intervals(result: FitResult, state: BootstrapState) -> dict[str, Interval]:
    """90 % percentile intervals of the letters, refused where the runs cannot carry them."""
    known = identifiability(result)
    letters = result.form.log_coefficients(state.theta)[0]
    low, high = np.quantile(letters, [0.05, 0.95], axis=0)
    stuck = _stuck_letters(result, state)
    found = {}
    for i, name in enumerate(result.form.coefficients):
        reason = None
        if name == "E":
            reason = _FLOOR
        elif name in stuck:
            reason = f"{name} runs to the edge of what can be fitted in many resamples"
        elif max(known.letters[name] or np.inf, (high[i] - low[i]) / (2 * 1.645)) > OPEN:
            others = [k for k, v in known.weakest.items() if abs(v) > 0.2 and k != name]
            with_others = f" together with {', '.join(others)}" if others else ""
            reason = f"the runs leave {name} open by more than a factor of e{with_others}"
        found[name] = Interval(
            low=None if reason else float(np.exp(low[i])),
            high=None if reason else float(np.exp(high[i])),
            reason=reason,
        )
    if getattr(result.form, "reduced", False):
        reason = (
            "the runs show only c1 d1^(-1/f1) (limit of large c1); c1 is set, and d1 follows it"
        )
        found |= {name: Interval(low=None, high=None, reason=reason) for name in ("c1", "d1")}
    return found


def profile(result: FitResult, name: str, values: FloatArray) -> FloatArray:
    """Twice the loss of log likelihood when a coordinate is held at each of these values.

    Laplace's likelihood, so 2 n log(cost / least cost), every point refitted in one batch. Values
    above 2.71 are outside the 90 % interval.

    Args:
        result: the fit.
        name: a coordinate of ``result.form.names``.
        values: where to hold it.
    """
    column = result.form.names.index(name)
    starts = np.repeat(result.theta[None, :], len(values), axis=0)
    starts[:, column] = values
    held = solve(
        result.form,
        result.rows,
        starts,
        deltas=(1e-2, 1e-3, 1e-4),
        penalty=result.penalty,
        penalty_weight=result.penalty_weight,
        held=(column,),
        steps=80,
    )
    free = solve(
        result.form,
        result.rows,
        result.theta[None, :],
        penalty=result.penalty,
        penalty_weight=result.penalty_weight,
    )
    least = min(float(free.cost[0]), float(held.cost.min()))
    return np.asarray(2 * len(result.rows) * np.log(held.cost / max(least, 1e-300)))


def _stuck_letters(result: FitResult, state: BootstrapState) -> set[str]:
    """Letters that move with a coordinate that is often at its bound."""
    low, high = bounds(result.form.names)
    at_edge = (state.theta <= low + 1e-6) | (state.theta >= high - 1e-6)
    stuck = at_edge.mean(axis=0) > _AT_BOUND
    slopes = np.abs(result.form.log_coefficients(result.theta[None, :])[1][0])
    touched = (slopes[:, stuck] > 1e-9).any(axis=1)
    return {name for name, hit in zip(result.form.coefficients, touched, strict=True) if hit}


def _inverse(information: FloatArray) -> FloatArray:
    """Inverse of a scaled information matrix; what it does not know gets a huge variance."""
    scale = np.sqrt(np.maximum(np.diag(information), 1e-30))
    values, vectors = np.linalg.eigh(information / np.outer(scale, scale))
    values = np.maximum(values, 1e-13)
    return np.asarray((vectors / values) @ vectors.T / np.outer(scale, scale))
