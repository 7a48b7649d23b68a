"""What is believed of a law before any run: that it is like a published one, loosely.

How loosely is one number, ``looseness``: the runs themselves say how far their world is from the
published one where they can tell, and where they cannot the belief is as wide as that. Two
directions are wide whatever the shape: the common scale of all losses (another tokenizer) and the
scale of what size and tokens can reduce (another corpus), on both sides at once.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from distillplan.fitting.forms import Form
from distillplan.laws.formulas import DistillationLaw, FloatArray, LossLaw

WIDTHS: Final = {
    # the supervised laws of Hoffmann, Besiroglu, Muennighoff, Gadre and Busbridge have slopes
    # alpha gamma and beta gamma of 0.18 to 0.37, outer exponents of 0.45 to 1, floors of 0.46 to
    # 0.64 of the loss of 300M parameters on 6B tokens, and at 1e20 FLOPs 4.5 to 40 tokens per
    # parameter: a looseness of 1 spans them
    "log_E": 0.4,
    "u": 0.4,
    "v": 0.4,
    "log_a": 0.6,
    "log_b": 0.6,
    "log_gamma": 0.8,
    # Equation 8 was fitted to one laboratory's runs only; c0 there is 2.5, f1 0.09 to 0.097
    "u'": 0.4,
    "v'": 0.4,
    "log_a'": 0.6,
    "log_b'": 0.6,
    "log_gamma'": 0.6,
    "c0": 1.5,
    "k": 1.0,
    "log_f1": 0.6,
    "log_q": 2.5,
}
"""Standard deviations of the coordinates at a looseness of 1."""

SCALE_WIDTH: Final = 2.0
"""That of the log of the common scale, which one run fixes."""
GAP_WIDTH: Final = 0.4
"""That of the log of the scale of the reducible loss: laboratories differ by 10% to 20%."""

FLOOR_DIRECTION: Final = {
    "log_E": 0.3,
    "u": -0.7,
    "v": -0.7,
    "log_a": 0.65,
    "log_b": 0.65,
    "log_gamma": 0.8,
}
"""From the law of Busbridge to those with an outer exponent of 1: a higher floor with steeper
slopes above it, which runs of a usual range can hardly tell from a lower one."""
FLOOR_WIDTH: Final = 3.0
"""Standard deviation along that direction at a looseness of 1: the laws of other laboratories lie
0.4 to 1 along it, all on one side of that of Busbridge."""

LOOSENESS: Final = 0.4
"""Before any run: slopes within a quarter of the published ones."""
LOOSENESS_SPREAD: Final = 0.25
"""Standard deviation of its logarithm: the laws of five other laboratories lie 0.22 to 0.35 from
that of Busbridge; runs of one or two sizes say too little to call a world nearer than that."""


@dataclass(frozen=True, kw_only=True)
class LawPrior:
    """A Gaussian on the coordinates of a form, as penalties for the solver."""

    mean: FloatArray
    """shape (coordinates,)"""
    whitening: FloatArray
    """shape (terms, coordinates): whitening @ (theta - mean) has unit variance at looseness 1"""

    def __call__(self, theta: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Residuals in standard deviations, (batch, terms), and their slopes."""
        slopes = np.broadcast_to(self.whitening, (len(theta), *self.whitening.shape))
        return (theta - self.mean) @ self.whitening.T, slopes

    @property
    def precision(self) -> FloatArray:
        """Inverse of the covariance at a looseness of 1, shape (coordinates, coordinates)."""
        return np.asarray(self.whitening.T @ self.whitening)


def prior_around(form: Form, law: LossLaw, supervised: FloatArray | None = None) -> LawPrior:
    """The belief that a world is like a published law.

    Args:
        form: of the fit.
        law: in the middle.
        supervised: coordinates of equally likely supervised laws, shape (draws, coordinates), where
            that side is known and not fitted; of a single law it is as good as fixed.
    """
    mean = form.theta(law)
    widths = np.array([WIDTHS[name] for name in form.names])
    covariance = np.diag(widths**2)
    for width, direction in (
        (SCALE_WIDTH, _scale(form, law)),
        (GAP_WIDTH, _gap(form)),
        (FLOOR_WIDTH, np.array([FLOOR_DIRECTION.get(name, 0.0) for name in form.names])),
    ):
        covariance += width**2 * np.outer(direction, direction)
    if supervised is not None:
        known = supervised.shape[1]
        covariance[:known, :] = covariance[:, :known] = 0.0
        # the looseness is for what is fitted; a known side keeps its own width at the usual one
        spread = np.atleast_2d(np.cov(supervised.T)) if len(supervised) > 1 else 0.0
        covariance[:known, :known] = (spread + _FIXED**2 * np.eye(known)) / LOOSENESS**2
    return LawPrior(
        mean=mean, whitening=np.asarray(np.linalg.inv(np.linalg.cholesky(covariance)), float)
    )


_FIXED: Final = 1e-4
"""Width of a coordinate that is as good as fixed."""


def _scale(form: Form, law: LossLaw) -> FloatArray:
    """Change of the coordinates when all losses grow by a factor of e.

    With losses s times as large, E and the reducible loss grow by s, and L_T^-c0 needs another
    s^c0.
    """
    primed = 1 + law.c0 if isinstance(law, DistillationLaw) else 0.0
    by_name = {"log_E": 1.0, "u": 1.0, "v": 1.0, "u'": primed, "v'": primed}
    return np.array([by_name.get(name, 0.0) for name in form.names])


def _gap(form: Form) -> FloatArray:
    """The same when what size and tokens can reduce grows by it, on both sides."""
    return np.array([float(name.removesuffix("'") in {"u", "v"}) for name in form.names])
