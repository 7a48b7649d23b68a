"""What the runs fix and what they leave open, from the joint draws of the fit.

E, A, B and the exponents trade off against each other, and c1 against d1, so letters by themselves
say little. The coordinates of a fit are nearly independent: how much narrower a coordinate is than
it was believed beforehand is what the runs say of it.
"""

from typing import Final

import numpy as np

from distillplan.fitting.bootstrap import BootstrapState
from distillplan.fitting.fitter import FitResult
from distillplan.fitting.forms import bounds
from distillplan.fitting.noise import half_width
from distillplan.laws.draws import columns_of_law
from distillplan.laws.formulas import FloatArray
from distillplan.laws.provenance import Coefficient
from distillplan.named_tuples import NamedTuple

FIXED: Final = 0.1
"""A coordinate is fixed when the standard deviation of its logarithm is below this."""
AS_BELIEVED: Final = 0.35
"""A coordinate is open when the runs did not narrow it to this share of what was believed."""
OPEN: Final = 1.0
"""A letter whose logarithm is wider than this (a factor of e) gets no interval."""

COVERAGE: Final = 0.9
"""Of the intervals of coefficients."""

FLOOR: Final = (
    "E is an extrapolation to infinite size that your runs do not constrain; do not interpret it"
)
"""Why E has no interval: another outer exponent fits as well, with another E."""

HARDLY_NARROWED: Final = "the runs hardly narrow what was believed of it beforehand"
"""Why a letter has no interval whose width is that of the belief."""

ONE_TEACHER: Final = "the letters of Equation 8 cannot be told apart by runs with one teacher loss"
"""Why letters of that side have none: what size and tokens do moves the switch as well."""

_ENDS: Final = ((1 - COVERAGE) / 2, (1 + COVERAGE) / 2)
_BELIEFS: Final = 2048
"""Draws of the belief, to tell the widths of letters from."""

_COORDINATES: Final = {
    "c0": "c0",
    "f1": "log_f1",
    "gamma": "log_gamma'",
    "supervised.gamma": "log_gamma",
}
"""The coordinate that a column of joint draws is."""
_OF_TEACHERS: Final = {"c0", "log_f1", "log_q"}
"""Coordinates of which runs with one teacher loss say nothing."""

_MEANING: Final = {
    "u": "(A / N^alpha)^gamma at the middle of the runs",
    "v": "(B / D^beta)^gamma at the middle of the runs",
    "log_a": "alpha gamma",
    "log_b": "beta gamma",
    "log_gamma": "gamma",
    "u'": "(A' / N_S^alpha')^gamma' at the middle of the runs",
    "v'": "(B' / D_S^beta')^gamma' at the middle of the runs",
    "log_a'": "alpha' gamma'",
    "log_b'": "beta' gamma'",
    "log_gamma'": "gamma'",
    "c0": "c0",
    "k": "c1 f1 (L_T / (Lt_S d1))^(1/f1) at the middle of the runs",
    "log_f1": "f1",
    "log_q": "(L_T / (Lt_S d1))^(1/f1) at the middle of the runs",
}
"""The floor E is not among them: see `FLOOR`."""


class Combination(NamedTuple):
    """A combination of coefficients and how well the runs determine it."""

    what: str
    """In the paper's letters."""
    value: float
    """Fitted."""
    log_sd: float
    """Standard deviation of its logarithm (for c0, of c0 itself)."""
    verdict: str
    """``fixed``, ``weak`` or ``open``: as it was believed before the runs."""


def combinations(result: FitResult, state: BootstrapState) -> tuple[Combination, ...]:
    """The coordinates of the fit, best known first."""
    spread, open_ones = state.theta.std(axis=0), _open_coordinates(result, state)
    found = []
    for name, value, sd in zip(result.form.names, result.theta, spread, strict=True):
        if name not in _MEANING:
            continue
        verdict = "open" if name in open_ones else "fixed" if sd < FIXED else "weak"
        found.append(
            Combination(
                what=_MEANING[name],
                value=float(value if name == "c0" else np.exp(value)),
                log_sd=float(sd),
                verdict=verdict,
            )
        )
    return tuple(sorted(found, key=lambda one: one.log_sd))


def _open_coordinates(result: FitResult, state: BootstrapState) -> set[str]:
    """The coordinates that the runs leave as they were believed."""
    believed = result.looseness * np.sqrt(np.diag(np.linalg.inv(result.prior.precision)))
    wide = state.theta.std(axis=0) > AS_BELIEVED * believed
    found = {name for name, one in zip(result.form.names, wide, strict=True) if one}
    return found | _OF_TEACHERS if result.rows.one_teacher else found


def _open_columns(result: FitResult, state: BootstrapState) -> set[str]:
    """The columns of joint draws that the runs leave as they were believed.

    A letter that is a coordinate has its verdict; others are as open as their draws are wide.
    """
    drawn = columns_of_law(result.form.law(state.theta))
    normal = np.random.default_rng(0).standard_normal((_BELIEFS, result.theta.size))
    away = np.linalg.solve(result.prior.whitening, result.looseness * normal.T).T
    theta = np.clip(result.theta + away, *bounds(result.form.names))
    coordinates = _open_coordinates(result, state)
    with np.errstate(over="ignore"):  # a belief may reach beyond all numbers; runs do not
        before = columns_of_law(result.form.law(theta))
    found = set()
    for column, believed in before.items():
        own = _COORDINATES.get(column)
        if own in coordinates if own else _width(drawn[column]) > AS_BELIEVED * _width(believed):
            found.add(column)
    return found


def _width(values: FloatArray) -> float:
    """Between the ends of an interval, of the logarithms."""
    least, most = np.finfo(float).tiny, np.finfo(float).max
    low, high = np.quantile(np.log(np.clip(values, least, most)), _ENDS)
    return float(high - low)


def intervals(result: FitResult, state: BootstrapState) -> dict[str, Coefficient]:
    """The letters with their percentile intervals, or with the reason why they get none.

    By the names of the columns of joint draws: those of Equation 1 carry ``supervised.``.
    """
    values = columns_of_law(result.law)
    drawn = columns_of_law(result.form.law(state.theta))
    open_ones = _open_columns(result, state)
    found = {}
    for name, value in values.items():
        letter = name.rpartition(".")[2]
        low, high = np.quantile(np.broadcast_to(drawn[name], len(state.theta)), _ENDS)
        low, high = min(low, value), max(high, value)  # few resamples may all lie on one side
        reason = None
        if letter == "E":
            reason = FLOOR
        elif low <= 0 or np.log(high / low) > 2 * half_width(COVERAGE) * OPEN:
            reason = f"the runs leave {letter} open by more than a factor of e"
        elif result.rows.one_teacher and name == letter:
            reason = ONE_TEACHER
        elif name in open_ones:
            reason = HARDLY_NARROWED
        interval = reason is None
        found[name] = Coefficient(
            value=float(value),
            low=float(low) if interval else None,
            high=float(high) if interval else None,
            level=COVERAGE if interval else None,
            no_interval=reason,
        )
    return found
