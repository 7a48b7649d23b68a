"""The supervised law as a fitter sees it: coordinates that are nearly independent, exact slopes.

The paper's letters are strongly correlated: a change of alpha moves A by orders of magnitude.
Here every power law is written at the middle of the data and with the outer exponent multiplied
out, so that each coordinate is something the rows show directly (a level, a slope, a sharpness):

- reducible loss: s = gamma logaddexp((u - a (n - n0)) / gamma, (v - b (d - d0)) / gamma), with
  u, v the logarithms of the two terms at the middle (n0, d0), a = alpha gamma, b = beta gamma.
  Its slope in log gamma is gamma times the entropy of the two shares.
- supervised: log L = logaddexp(e, s), e = log E  (Equation 1).

Parameters ``theta`` have shape (batch, coordinates), predictions (batch, rows) and slopes
(batch, rows, coordinates): several starts or draws are one call.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Protocol

import numpy as np

from distillplan.fitting.rows import Rows
from distillplan.laws.formulas import DistillationLaw, FloatArray, LossLaw, SupervisedLaw

BOUNDS: Final = {
    "log_E": (-7.0, 3.0),
    "log_a": (-5.0, 0.7),
    "log_b": (-5.0, 0.7),
    "log_gamma": (-2.6, 1.5),
    "c0": (-20.0, 40.0),
    "k": (-30.0, 12.0),
    "log_f1": (-4.6, 1.5),
    "log_q": (-12.0, 9.0),
}
"""Where a fit may go; wide enough that no published law is near an edge."""


class FormShape(StrEnum):
    """Which equations are fitted."""

    COUPLED = "coupled"
    """Equation 1 with its outer exponent free."""
    ADDITIVE = "additive"
    """Equation 1 with an outer exponent of 1."""
    JOINT = "joint"
    """Equations 1 and 8 together."""


class Form(Protocol):
    """What a fitter asks of a law."""

    @property
    def shape(self) -> FormShape:
        """Which equations it is."""
        ...

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the coordinates; those of Equation 8 carry a prime."""
        ...

    def predict(self, theta: FloatArray, rows: Rows) -> tuple[FloatArray, FloatArray]:
        """Log loss, shape (batch, rows), and its slopes, (batch, rows, coordinates)."""
        ...

    def law(self, theta: FloatArray) -> LossLaw:
        """The law of one theta, of shape (coordinates,), or laws with letters of shape (batch,)."""
        ...

    def theta(self, law: LossLaw) -> FloatArray:
        """The coordinates of a law, shape (coordinates,) or (batch, coordinates)."""
        ...


@dataclass(frozen=True, kw_only=True)
class SupervisedForm:
    """Equation 1, with the outer exponent free (coupled) or 1 (additive)."""

    middle_log_params: float
    middle_log_tokens: float
    coupled: bool = True

    @classmethod
    def around(cls, rows: Rows, *, coupled: bool = True) -> "SupervisedForm":
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

    def law(self, theta: FloatArray) -> SupervisedLaw:
        """The law of one theta, of shape (coordinates,), or laws with letters of shape (batch,)."""
        letters = letters_of(theta[..., 1:], self.middle_log_params, self.middle_log_tokens)
        letters = {name: plain(one) for name, one in letters.items()}
        return SupervisedLaw(E=plain(np.exp(theta[..., 0])), **letters)

    def theta(self, law: LossLaw) -> FloatArray:
        """The coordinates of a law, shape (coordinates,) or (batch, coordinates).

        E = 0 becomes the least log E. Of a distillation law those of its supervised side.
        """
        law = law.supervised if isinstance(law, DistillationLaw) else law
        e = np.log(np.maximum(law.E, np.exp(BOUNDS["log_E"][0])))
        inner = coordinates_of(law, self.middle_log_params, self.middle_log_tokens)
        return np.stack([e, *inner[: 5 if self.coupled else 4]], axis=-1)


def bounds(names: tuple[str, ...]) -> tuple[FloatArray, FloatArray]:
    """Lower and upper ends of these coordinates, shape (coordinates,)."""
    low, high = np.transpose([BOUNDS.get(name.removesuffix("'"), (-60.0, 60.0)) for name in names])
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


def letters_of(inner: FloatArray, n0: float, d0: float) -> dict[str, Any]:
    """A, B, alpha, beta and gamma from u, v, log a, log b (and log gamma); shape (...,) each."""
    u, v, log_a, log_b = (inner[..., i] for i in range(4))
    log_gamma = inner[..., 4] if inner.shape[-1] > 4 else np.zeros_like(u)
    gamma, alpha, beta = np.exp(log_gamma), np.exp(log_a - log_gamma), np.exp(log_b - log_gamma)
    return {
        "A": np.exp(u / gamma + alpha * n0),
        "B": np.exp(v / gamma + beta * d0),
        "alpha": alpha,
        "beta": beta,
        "gamma": gamma,
    }


def coordinates_of(law: LossLaw, n0: float, d0: float) -> list[Any]:
    """U, v, log a, log b and log gamma of the reducible loss of a law; shape (...,) each."""
    return [
        law.gamma * (np.log(law.A) - law.alpha * n0),
        law.gamma * (np.log(law.B) - law.beta * d0),
        np.log(law.alpha * law.gamma),
        np.log(law.beta * law.gamma),
        np.log(law.gamma * np.ones_like(law.alpha)),
    ]


def plain(value: Any) -> Any:
    """A float instead of an array without a shape."""
    return float(value) if np.ndim(value) == 0 else value
