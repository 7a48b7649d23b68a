"""What the runs fix and what they leave open, from the joint draws of the fit.

E, A, B and the exponents trade off against each other, and c1 against d1, so letters by themselves
say little. The coordinates of a fit are nearly independent: how much narrower a coordinate is than
it was believed beforehand is what the runs say of it.
"""

from typing import Final, NamedTuple

import numpy as np

from distillplan.fitting.bootstrap import BootstrapState
from distillplan.fitting.fitter import FitResult
from distillplan.fitting.noise import half_width
from distillplan.laws.draws import columns_of_law
from distillplan.laws.provenance import Coefficient

FIXED: Final = 0.1
"""A coordinate is fixed when the standard deviation of its logarithm is below this."""
AS_BELIEVED: Final = 0.5
"""A coordinate is open when the runs did not narrow it to this share of what was believed."""
OPEN: Final = 1.0
"""A letter whose logarithm is wider than this (a factor of e) gets no interval."""

COVERAGE: Final = 0.9
"""Of the intervals of coefficients."""

FLOOR: Final = (
    "E is an extrapolation to infinite size that your runs do not constrain; do not interpret it"
)
"""Why E has no interval: another outer exponent fits as well, with another E."""

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
    believed = result.looseness * np.sqrt(np.diag(np.linalg.inv(result.prior.precision)))
    spread = state.theta.std(axis=0)
    found = []
    for name, value, sd, wide in zip(
        result.form.names, result.theta, spread, believed, strict=True
    ):
        if name not in _MEANING:
            continue
        verdict = "open" if sd > AS_BELIEVED * wide else "fixed" if sd < FIXED else "weak"
        found.append(
            Combination(
                what=_MEANING[name],
                value=float(value if name == "c0" else np.exp(value)),
                log_sd=float(sd),
                verdict=verdict,
            )
        )
    return tuple(sorted(found, key=lambda one: one.log_sd))


def intervals(result: FitResult, state: BootstrapState) -> dict[str, Coefficient]:
    """The letters with their percentile intervals, or with the reason why they get none.

    By the names of the columns of joint draws: those of Equation 1 carry ``supervised.``.
    """
    ends = [(1 - COVERAGE) / 2, (1 + COVERAGE) / 2]
    values = columns_of_law(result.law)
    drawn = columns_of_law(result.form.law(state.theta))
    found = {}
    for name, value in values.items():
        letter = name.rpartition(".")[2]
        low, high = np.quantile(np.broadcast_to(drawn[name], len(state.theta)), ends)
        low, high = min(low, value), max(high, value)  # few resamples may all lie on one side
        reason = None
        if letter == "E":
            reason = FLOOR
        elif low <= 0 or np.log(high / low) > 2 * half_width(COVERAGE) * OPEN:
            reason = f"the runs leave {letter} open by more than a factor of e"
        interval = reason is None
        found[name] = Coefficient(
            value=float(value),
            low=float(low) if interval else None,
            high=float(high) if interval else None,
            level=COVERAGE if interval else None,
            no_interval=reason,
        )
    return found
