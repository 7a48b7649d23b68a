"""Prior beliefs: the intervals of a published law, and the shape of such laws."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from distillplan.errors import InputError
from distillplan.fitting.forms import Form
from distillplan.fitting.noise import half_width
from distillplan.laws.formulas import FloatArray, LossLaw

Interval90 = tuple[float, float]
"""Lower and upper end of a 90% interval, in the coefficient's own unit."""

TYPICAL_SHAPE: Final[Mapping[str, tuple[float, float]]] = {
    # the supervised laws of Hoffmann, Besiroglu, Muennighoff, Gadre and Busbridge have slopes
    # alpha gamma and beta gamma of 0.18 to 0.37 and outer exponents of 0.22 to 1
    "log_a": (float(np.log(0.28)), 0.7),
    "log_b": (float(np.log(0.33)), 0.7),
    "log_gamma": (float(np.log(0.65)), 0.6),
    # Equation 8 as fitted by Busbridge et al. twice: c0 2.5, f1 0.09 to 0.097
    "c0": (2.5, 1.5),
    "log_f1": (float(np.log(0.09)), 0.7),
}
"""Middle and standard deviation of the shape coordinates of published laws: wide on purpose."""


@dataclass(frozen=True, kw_only=True)
class GaussianPrior:
    """A Gaussian on the logarithms of the published letters, as penalties for the solver."""

    form: Form
    mean: FloatArray
    """logarithms of the letters, in the form's order, shape (letters,)"""
    whitening: FloatArray
    """shape (terms, letters): the residual whitening @ (log letters - mean) has unit variance"""

    def __call__(self, theta: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Residuals in standard deviations, and their slopes."""
        letters, slopes = self.form.log_coefficients(theta)
        return (letters - self.mean) @ self.whitening.T, np.matmul(self.whitening, slopes)


@dataclass(frozen=True, kw_only=True)
class ShapePrior:
    """Independent Gaussians on coordinates of the form."""

    columns: tuple[int, ...]
    mean: FloatArray
    width: FloatArray

    def __call__(self, theta: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Residuals in standard deviations, and their slopes."""
        columns = list(self.columns)
        residual = (theta[:, columns] - self.mean) / self.width
        slopes = np.zeros((*residual.shape, theta.shape[1]))
        slopes[:, np.arange(len(columns)), columns] = 1 / self.width
        return residual, slopes


def shape_prior(form: Form) -> ShapePrior:
    """A weak prior: the exponents are like those of published laws.

    It moves a fit of a hundred runs by far less than their noise, and keeps a coordinate that
    the runs do not determine from wandering off.
    """
    columns = tuple(i for i, name in enumerate(form.names) if name in TYPICAL_SHAPE)
    chosen = [TYPICAL_SHAPE[form.names[i]] for i in columns]
    return ShapePrior(
        columns=columns,
        mean=np.array([mean for mean, _ in chosen]),
        width=np.array([width for _, width in chosen]),
    )


def published_prior(
    form: Form,
    law: LossLaw,
    intervals: Mapping[str, Interval90],
    *,
    level_slack: float = 0.1,
    least_width: float = 1e-3,
) -> GaussianPrior:
    """A published set with its printed 90% intervals, for a fit that stays near it.

    The widths are Gaussian in the logarithm of each letter, and none is below ``least_width``,
    because papers print three or four digits. A letter without an interval is free within a factor
    of ten. Two directions get ``level_slack`` on top: the common scale of all losses (another
    tokenizer) and the scale of the reducible loss (another corpus).

    Args:
        form: the form to be fitted.
        law: the published law.
        intervals: letter -> (low, high) at 90%.
        level_slack: standard deviation of the log of each of the two scales.
        least_width: least standard deviation of a log letter.

    Raises:
        InputError: when an interval is not ordered or not positive.
    """
    theta = form.theta(law)
    mean, _ = form.log_coefficients(theta[None, :])
    widths = [_width(name, intervals, least_width) for name in form.coefficients]
    covariance = np.diag(np.square(widths))
    for direction in _level_directions(form, law):
        covariance += level_slack**2 * np.outer(direction, direction)
    whitening = np.linalg.inv(np.linalg.cholesky(covariance))
    return GaussianPrior(form=form, mean=mean[0], whitening=whitening)


def _width(name: str, intervals: Mapping[str, Interval90], least: float) -> float:
    if name not in intervals:
        return float(np.log(10.0))
    low, high = intervals[name]
    if not 0 < low <= high:
        raise InputError(
            f"interval of {name}: ({low:g}, {high:g}) is not ordered and positive; "
            "write for example [0.405, 0.411]"
        )
    return max(float(np.log(high / low)) / (2 * half_width(0.9)), least)


def _level_directions(form: Form, law: LossLaw) -> list[FloatArray]:
    """Change of the log letters per e-fold of the common scale and of the reducible scale.

    With losses s times as large, E and the reducible loss grow by s, and L_T^-c0 needs another
    s^c0; the outer exponent turns a factor into its 1/gamma-th power.
    """
    names = form.coefficients
    amplitude = np.array([1 / law.gamma if name in ("A", "B") else 0.0 for name in names])
    c0 = getattr(law, "c0", 0.0)
    common = amplitude * (1 + c0) + np.array([1.0 if name == "E" else 0.0 for name in names])
    return [common, amplitude]
