"""The laws as a fitter sees them: coordinates that are nearly independent, and exact slopes.

The paper's letters are strongly correlated: a change of alpha moves A by orders of magnitude.
Here every power law is written at the middle of the data and with the outer exponent multiplied
out, so that each coordinate is something the rows show directly (a level, a slope, a sharpness):

- reducible loss: s = gamma logaddexp((u - a (n - n0)) / gamma, (v - b (d - d0)) / gamma), with
  u, v the logarithms of the two terms at the middle (n0, d0), a = alpha gamma, b = beta gamma.
  Its slope in log gamma is gamma times the entropy of the two shares.
- supervised: log L = logaddexp(e, s), e = log E  (Equation 1).
- switch of Equation 8: with r = log L_T - log Lt_S and z = exp((r - r0) / f1),
  c1 f1 log(1 + (L_T / (Lt_S d1))^(1/f1)) = exp(k) log(1 + q z) / q, where q = exp(r0/f1) d1^(-1/f1)
  and k = log(c1 f1 q). As c1 grows with k fixed, q tends to 0 and the switch to exp(k) z: only k
  and f1 are left. That is the reduced form.

Parameters ``theta`` have shape (batch, coordinates), predictions (batch, rows) and slopes
(batch, rows, coordinates): several starts, resamples or profile points are one call.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

import numpy as np

from distillplan.fitting.rows import Rows
from distillplan.laws.formulas import FloatArray, LossLaw, SupervisedLaw

REDUCED_LOG_Q: Final = -12.0
"""log q of the reduced form: the switch then differs from its limit by q z / 2, below 1e-4."""

BOUNDS: Final = {
    "log_E": (-7.0, 3.0),
    "log_a": (-6.0, 2.0),
    "log_b": (-6.0, 2.0),
    "log_gamma": (-4.0, 3.0),
    "c0": (-20.0, 40.0),
    "k": (-30.0, 12.0),
    "log_f1": (-4.6, 1.5),
    "log_q": (REDUCED_LOG_Q, 9.0),
}
"""Where a fit may go; wide enough that no published law is near an edge."""


class FormShape(StrEnum):
    """Which version of an equation is fitted."""

    COUPLED = "coupled"
    """Equation 1 with its outer exponent free."""
    ADDITIVE = "additive"
    """Equation 1 with an outer exponent of 1."""
    FULL = "full"
    """Equation 8."""
    REDUCED = "reduced"
    """Equation 8 in its limit of large c1."""


class Form(Protocol):
    """What a fitter asks of a law.

    Theta has shape (batch, coordinates) where it is a batch, and (coordinates,) where it is one
    law's.
    """

    @property
    def shape(self) -> FormShape:
        """Which version of its equation it is."""
        ...

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the coordinates."""
        ...

    @property
    def coefficients(self) -> tuple[str, ...]:
        """Names of the published letters, in the order of ``log_coefficients``."""
        ...

    def predict(self, theta: FloatArray, rows: Rows) -> tuple[FloatArray, FloatArray]:
        """Log loss, shape (batch, rows), and its slopes, (batch, rows, coordinates)."""
        ...

    def log_coefficients(self, theta: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Logarithms of the published letters, shape (batch, letters), and slopes in theta."""
        ...

    def all_letters(self, theta: FloatArray) -> dict[str, FloatArray]:
        """All letters of the law, each of shape (batch,)."""
        ...

    def law(self, theta: FloatArray) -> LossLaw:
        """The law of one theta, of shape (coordinates,)."""
        ...

    def theta(self, law: LossLaw) -> FloatArray:
        """The coordinates of a law, shape (coordinates,); the inverse of ``law``."""
        ...


@dataclass(frozen=True, kw_only=True)
class SupervisedForm:
    """Equation 1, with the outer exponent free (coupled) or 1 (additive)."""

    middle_log_params: float
    middle_log_tokens: float
    coupled: bool = True

    @classmethod
    def around(cls, rows: Rows, *, coupled: bool) -> "SupervisedForm":
        """The form with its middle in the middle of the rows."""
        return cls(
            middle_log_params=float(rows.log_params.mean()),
            middle_log_tokens=float(rows.log_tokens.mean()),
            coupled=coupled,
        )

    @property
    def shape(self) -> FormShape:
        """Coupled or additive."""
        return FormShape.COUPLED if self.coupled else FormShape.ADDITIVE

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the coordinates."""
        return ("log_E", "u", "v", "log_a", "log_b") + (("log_gamma",) if self.coupled else ())

    @property
    def coefficients(self) -> tuple[str, ...]:
        """The letters of Equation 1."""
        return ("E", "A", "B", "alpha", "beta") + (("gamma",) if self.coupled else ())

    def predict(self, theta: FloatArray, rows: Rows) -> tuple[FloatArray, FloatArray]:
        """Log loss, shape (batch, rows), and its slopes, (batch, rows, coordinates)."""
        dn = rows.log_params - self.middle_log_params
        dd = rows.log_tokens - self.middle_log_tokens
        s, slopes = reducible(theta[:, 1:], dn, dd)
        log_loss = np.logaddexp(theta[:, :1], s)
        share = np.exp(s - log_loss)
        jacobian = np.empty((*s.shape, theta.shape[1]))
        jacobian[..., 0] = 1 - share
        jacobian[..., 1:] = share[..., None] * slopes
        return log_loss, jacobian

    def log_coefficients(self, theta: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Logarithms of the letters of Equation 1, shape (batch, letters), and slopes in theta."""
        values, slopes = letters_of(theta[:, 1:], self.middle_log_params, self.middle_log_tokens)
        log_values = np.concatenate([theta[:, :1], values], axis=1)
        jacobian = np.zeros((*log_values.shape, theta.shape[1]))
        jacobian[:, 0, 0] = 1
        jacobian[:, 1:, 1:] = slopes
        return log_values, jacobian

    def all_letters(self, theta: FloatArray) -> dict[str, FloatArray]:
        """The letters of Equation 1, each of shape (batch,)."""
        letters = np.exp(self.log_coefficients(theta)[0])
        return dict(zip(self.coefficients, letters.T, strict=True))

    def law(self, theta: FloatArray) -> SupervisedLaw:
        """The law of one theta, of shape (coordinates,)."""
        letters = self.all_letters(theta[None, :])
        return SupervisedLaw(**{name: float(values[0]) for name, values in letters.items()})

    def theta(self, law: LossLaw) -> FloatArray:
        """The coordinates of a law, shape (coordinates,); E = 0 becomes the least log E.

        Raises:
            TypeError: when it is not a supervised law.
        """
        if not isinstance(law, SupervisedLaw):
            raise TypeError("a supervised form needs a SupervisedLaw")
        e = np.log(law.E) if law.E > 0 else BOUNDS["log_E"][0]
        inner = coordinates_of(law, self.middle_log_params, self.middle_log_tokens)
        return np.array([e, *inner[: 5 if self.coupled else 4]])


def bounds(names: tuple[str, ...]) -> tuple[FloatArray, FloatArray]:
    """Lower and upper ends of these coordinates, shape (coordinates,)."""
    low, high = np.transpose([BOUNDS.get(name, (-60.0, 60.0)) for name in names])
    return low, high


def reducible(inner: FloatArray, dn: FloatArray, dd: FloatArray) -> tuple[FloatArray, FloatArray]:
    """S, shape (batch, rows), and its slopes in u, v, log a, log b (and log gamma).

    Args:
        inner: those coordinates, shape (batch, 4 or 5).
        dn: log of parameters less that of the middle, shape (rows,).
        dd: log of tokens less that of the middle, shape (rows,).
    """
    u, v, log_a, log_b = (inner[:, i : i + 1] for i in range(4))
    gamma = np.exp(inner[:, 4:5]) if inner.shape[1] > 4 else np.ones_like(u)
    a, b = np.exp(log_a), np.exp(log_b)
    by_params, by_tokens = u - a * dn, v - b * dd
    s = gamma * np.logaddexp(by_params / gamma, by_tokens / gamma)
    share = np.exp((by_params - s) / gamma)
    slopes = np.empty((*s.shape, inner.shape[1]))
    slopes[..., 0] = share
    slopes[..., 1] = 1 - share
    slopes[..., 2] = -share * a * dn
    slopes[..., 3] = -(1 - share) * b * dd
    if inner.shape[1] > 4:
        slopes[..., 4] = s - share * by_params - (1 - share) * by_tokens
    return s, slopes


def letters_of(inner: FloatArray, n0: float, d0: float) -> tuple[FloatArray, FloatArray]:
    """Log of A, B, alpha, beta (and gamma), and their slopes in u, v, log a, log b (and log gamma).

    Shapes (batch, letters) and (batch, letters, coordinates).
    """
    u, v, log_a, log_b = (inner[:, i] for i in range(4))
    coupled = inner.shape[1] > 4
    log_gamma = inner[:, 4] if coupled else np.zeros_like(u)
    gamma = np.exp(log_gamma)
    alpha, beta = np.exp(log_a - log_gamma), np.exp(log_b - log_gamma)
    log_scale_n, log_scale_d = u / gamma + alpha * n0, v / gamma + beta * d0
    values = [log_scale_n, log_scale_d, log_a - log_gamma, log_b - log_gamma]
    values += [log_gamma] if coupled else []
    jacobian = np.zeros((inner.shape[0], inner.shape[1], inner.shape[1]))
    jacobian[:, 0, 0], jacobian[:, 0, 2] = 1 / gamma, alpha * n0
    jacobian[:, 1, 1], jacobian[:, 1, 3] = 1 / gamma, beta * d0
    jacobian[:, 2, 2] = jacobian[:, 3, 3] = 1
    if coupled:
        jacobian[:, 0, 4], jacobian[:, 1, 4] = -log_scale_n, -log_scale_d
        jacobian[:, 2, 4] = jacobian[:, 3, 4] = -1
        jacobian[:, 4, 4] = 1
    return np.column_stack(values), jacobian


def coordinates_of(law: LossLaw, n0: float, d0: float) -> FloatArray:
    """u, v, log a, log b and log gamma of the reducible loss of a law, shape (5,)."""
    return np.array(
        [
            law.gamma * (np.log(law.A) - law.alpha * n0),
            law.gamma * (np.log(law.B) - law.beta * d0),
            np.log(law.alpha * law.gamma),
            np.log(law.beta * law.gamma),
            np.log(law.gamma),
        ]
    )
