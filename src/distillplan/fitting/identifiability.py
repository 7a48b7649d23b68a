"""What the runs fix and what they leave open.

E, A, B and the exponents trade off against each other, and c1 against d1: with r well below d1,
(1 + (r/d1)^(1/f1))^(-c1 f1) tends to exp(-c1 f1 (r/d1)^(1/f1)), so only c1 d1^(-1/f1) matters. The
information matrix J'J / noise^2 of the logarithms of the losses says how well each combination of
letters is known; a letter that the runs leave open by more than a factor of e gets no interval.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from distillplan.fitting.bootstrap import BootstrapState
from distillplan.fitting.fitter import FitResult
from distillplan.fitting.forms import FormShape, bounds
from distillplan.fitting.noise import FEW, RUN_NOISE, half_width
from distillplan.laws.formulas import FloatArray
from distillplan.laws.provenance import Coefficient

FIXED: Final = 0.1
"""A combination is fixed when the standard deviation of its logarithm is below this."""

OPEN: Final = 1.0
"""A combination is open when that is above this (a factor of e)."""

COVERAGE: Final = 0.9
"""Of the intervals of coefficients."""

FLOOR: Final = (
    "E is an extrapolation to infinite size that your runs do not constrain; do not interpret it"
)
"""Why E has no interval: another outer exponent fits as well, with another E."""

_NOTHING: Final = 100.0
"""Standard deviations of a logarithm above this are numerical noise."""

_AT_BOUND: Final = 0.05
"""Share of resamples at a bound above which an interval would show the bound, not the runs."""

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
    """A combination of coefficients and how well the runs determine it."""

    what: str
    """the combination in the paper's letters"""
    value: float
    """its fitted value"""
    log_sd: float | None
    """standard deviation of its logarithm given the noise of the runs (for c0, of c0 itself);
    None where the runs say nothing about it"""
    verdict: str
    """``fixed``, ``weak`` or ``open``"""


@dataclass(frozen=True, kw_only=True)
class Identifiability:
    """How well the runs determine the coefficients."""

    combinations: tuple[Combination, ...]
    """coordinates of the fit, best known first"""
    condition_letters: float
    """ratio of the longest to the shortest axis of the log letters' uncertainty"""
    weakest: dict[str, float]
    """the direction in the log letters that the runs determine least; its largest part is 1"""
    letters: dict[str, float | None]
    """standard deviation of the logarithm of each letter by itself; None where the runs say
    nothing about it"""


def identifiability(result: FitResult) -> Identifiability:
    """Which combinations of coefficients the runs fix, without any prior."""
    theta = result.theta[None, :]
    jacobian = result.form.predict(theta, result.rows)[1][0]
    few = len(result.rows) < FEW * len(result.form.names)
    noise = max(result.noise.total, RUN_NOISE if few else 1e-9)
    covariance = _inverse(jacobian.T @ jacobian / noise**2)
    to_letters = result.form.log_coefficients(theta)[1][0]
    letters = to_letters @ covariance @ to_letters.T
    axes, vectors = np.linalg.eigh(letters)
    worst = vectors[:, -1] / vectors[np.argmax(np.abs(vectors[:, -1])), -1]
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
        weakest=dict(zip(result.form.coefficients, map(float, worst), strict=True)),
        letters={
            name: float(sd) if sd < _NOTHING else None
            for name, sd in zip(result.form.coefficients, np.sqrt(np.diag(letters)), strict=True)
        },
    )


def intervals(result: FitResult, state: BootstrapState) -> dict[str, Coefficient]:
    """The letters with their percentile intervals, or with the reason why they get none."""
    known = identifiability(result)
    values = result.form.all_letters(result.theta[None, :])
    letters = result.form.log_coefficients(state.theta)[0]
    low, high = np.quantile(letters, [(1 - COVERAGE) / 2, (1 + COVERAGE) / 2], axis=0)
    spread = (high - low) / (2 * half_width(COVERAGE))
    stuck = _stuck_letters(result, state)
    found = {}
    for i, name in enumerate(result.form.coefficients):
        reason, value = _no_interval(name, float(spread[i]), known, stuck), float(values[name][0])
        if reason is None:
            ends = np.exp([low[i], high[i]]).tolist()
            found[name] = Coefficient(value=value, low=ends[0], high=ends[1], level=COVERAGE)
        else:
            found[name] = Coefficient(value=value, no_interval=reason)
    if result.form.shape is FormShape.REDUCED:
        reason = (
            "the runs determine only c1 d1^(-1/f1) (the limit of large c1); c1 is set, and d1 "
            "follows from it"
        )
        found |= {
            name: Coefficient(value=float(values[name][0]), no_interval=reason)
            for name in ("c1", "d1")
        }
    return found


def _no_interval(name: str, spread: float, known: Identifiability, stuck: set[str]) -> str | None:
    """Why a letter gets no interval; None where it gets one."""
    if name == "E":
        return FLOOR
    if name in stuck:
        return f"{name} is at the limit of what can be fitted in many resamples"
    if max(known.letters[name] or np.inf, spread) <= OPEN:
        return None
    others = [letter for letter, part in known.weakest.items() if abs(part) > 0.2]
    with_others = ", ".join(letter for letter in others if letter != name)
    together = f" together with {with_others}" if with_others else ""
    return f"the runs leave {name} open by more than a factor of e{together}"


def _stuck_letters(result: FitResult, state: BootstrapState) -> set[str]:
    """Letters that move with a coordinate that is often at its bound."""
    low, high = bounds(result.form.names)
    at_edge = (state.theta <= low + 1e-6) | (state.theta >= high - 1e-6)
    stuck = at_edge.mean(axis=0) > _AT_BOUND
    slopes = np.abs(result.form.log_coefficients(result.theta[None, :])[1][0])
    touched = (slopes[:, stuck] > 1e-9).any(axis=1)
    return {name for name, hit in zip(result.form.coefficients, touched, strict=True) if hit}


def _inverse(information: FloatArray) -> FloatArray:
    """Inverse of an information matrix; directions without information get a huge variance."""
    scale = np.sqrt(np.maximum(np.diag(information), 1e-30))
    values, vectors = np.linalg.eigh(information / np.outer(scale, scale))
    values = np.maximum(values, 1e-13)
    return np.asarray((vectors / values) @ vectors.T / np.outer(scale, scale))
