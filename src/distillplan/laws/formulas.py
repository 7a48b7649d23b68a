"""The two loss laws, in the letters of the paper (Busbridge et al. 2025, arXiv:2502.08606).

Every method takes floats or numpy arrays that broadcast, and gives back the same kind: floats for
floats, an array as soon as one argument is an array. ``N`` counts parameters and ``D`` tokens (both
plain counts), ``L`` is a cross-entropy in nats per token. Everything is computed from logarithms
(Equations 44 and 49), so nothing overflows for N in 1e5..1e15 and D in 1e3..1e18; ``math.inf`` is
a valid size and gives the limit. Coefficients may be arrays too (joint draws of a fit): anything
that broadcasts against the sizes.
"""

from typing import Any, Final, TypeAlias, TypeVar

import numpy as np

from distillplan.accounting import FLOPS_PER_PARAM_AND_TOKEN
from distillplan.named_tuples import NamedTuple

FloatArray: TypeAlias = np.ndarray[Any, np.dtype[np.float64]]
Numeric = TypeVar("Numeric", float, FloatArray)


class SupervisedLaw(NamedTuple):
    """L(N, D) = E + (A / N^alpha + B / D^beta)^gamma  (Equation 1).

    ``gamma = 1`` is the additive form of Hoffmann et al. 2022. Kaplan et al. 2020, Equation 1.5, is
    ``E = 0``, ``beta = 1``, ``gamma = alpha_D``, ``alpha = alpha_N / alpha_D``,
    ``A = N_c^alpha``, ``B = D_c``.

    >>> law = SupervisedLaw(E=1.22, A=3355, B=18186, alpha=0.408, beta=0.431, gamma=0.452)
    >>> round(law.loss(1e9, 20e9), 3)
    2.375
    """

    E: float
    A: float
    B: float
    alpha: float
    beta: float
    gamma: float = 1.0

    def loss(self, N: Numeric, D: Numeric) -> Numeric:
        """Cross-entropy [nats/token] of N parameters after D tokens. Equation 1."""
        return _same_kind(self.loss_at_logs(np.log(N), np.log(D)), N, D)

    def loss_at_logs(self, n: Any, d: Any) -> Any:
        """The loss at log N and log D, for code that already lives in logarithms."""
        return self.E + np.exp(self.gamma * _log_sum(self, n, d))

    def gradient(self, N: Numeric, D: Numeric) -> tuple[Numeric, Numeric]:
        """Slopes of the loss in log N and log D [nats per e-fold]; both negative."""
        _, by_n, by_d = self.loss_and_gradient_at_logs(np.log(N), np.log(D))
        return _same_kind(by_n, N, D), _same_kind(by_d, N, D)

    def loss_and_gradient_at_logs(self, n: Any, d: Any) -> tuple[Any, Any, Any]:
        """Loss, its slope in log N and its slope in log D, in one pass."""
        in_params = np.log(self.A) - self.alpha * n
        inner = np.logaddexp(in_params, np.log(self.B) - self.beta * d)
        share = np.exp(in_params - inner)  # of the parameter term in the inner sum
        reducible = np.exp(self.gamma * inner)
        slope = -self.gamma * reducible
        return self.E + reducible, slope * self.alpha * share, slope * self.beta * (1 - share)

    def tokens_for_loss(self, L: Numeric, N: Numeric) -> Numeric:
        """Tokens after which N parameters reach the loss L; infinite where they never do.

        The inverse of Equation 1 in D.
        """
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            excess = np.log(np.maximum(np.asarray(L) - self.E, 0.0))
            found = np.exp(self.log_tokens_for_excess(excess, np.log(N)))
        return _same_kind(np.where(np.isnan(found), np.inf, found), L, N)

    def log_tokens_for_excess(self, w: Any, n: Any) -> Any:
        """The log D that lifts log N = n to e^w above E; infinite or not-a-number: none does."""
        return self._inverse(w, np.log(self.A) - self.alpha * n, self.B, self.beta)

    def log_params_for_excess(self, w: Any, d: Any) -> Any:
        """The log N that is e^w above E on log D = d; infinite or not-a-number: none is."""
        return self._inverse(w, np.log(self.B) - self.beta * d, self.A, self.alpha)

    def _inverse(self, w: Any, log_other: Any, scale: Any, exponent: Any) -> Any:
        """Log of the size whose term fills what the other term leaves of the reducible loss."""
        log_inner = w / self.gamma
        # log(e^inner - e^other), without leaving logarithms
        log_rest = log_inner + np.log1p(-np.exp(np.minimum(log_other - log_inner, 0.0)))
        return (np.log(scale) - log_rest) / exponent

    def compute_optimal(self, C: Numeric) -> Any:
        """(N, D) of least loss when training costs 6 N D FLOPs.

        The closed form of Hoffmann et al. 2022, Equation 4; the outer exponent does not move it.
        """
        a = self.beta / (self.alpha + self.beta)
        G = (self.alpha * self.A / (self.beta * self.B)) ** (1 / (self.alpha + self.beta))
        N = G * (C / FLOPS_PER_PARAM_AND_TOKEN) ** a
        return N, C / FLOPS_PER_PARAM_AND_TOKEN / N


class DistillationLaw(NamedTuple):
    """Loss of a student of N_S parameters distilled on D_S tokens from a teacher of loss L_T.

    L_S = L_T + L_T^-c0 (1 + (L_T / (Lt_S d1))^(1/f1))^(-c1 f1) (A / N_S^alpha + B / D_S^beta)^gamma
    with Lt_S = L(N_S, D_S) of the supervised law (Equation 8; A, B, alpha, beta, gamma are its
    primed letters). The teacher's size and tokens enter only through its loss.
    """

    supervised: SupervisedLaw
    c0: float
    c1: float
    f1: float
    d1: float
    A: float
    B: float
    alpha: float
    beta: float
    gamma: float

    def loss(self, N_S: Numeric, D_S: Numeric, L_T: Numeric) -> Numeric:
        """Cross-entropy [nats/token] of the distilled student. Equation 8."""
        found = self.loss_at_logs(np.log(N_S), np.log(D_S), np.log(L_T))
        return _same_kind(found, N_S, D_S, L_T)

    def loss_at_logs(self, n: Any, d: Any, x: Any) -> Any:
        """The loss at log N_S, log D_S and log L_T. Equation 49."""
        log_ratio = x - np.log(self.supervised.loss_at_logs(n, d)) - np.log(self.d1)
        inner, u = _log_sum(self, n, d), log_ratio / self.f1
        softplus = np.maximum(u, 0.0) + np.log(1.0 + np.exp(-np.abs(u)))
        return np.exp(x) + np.exp(-self.c0 * x - self.c1 * self.f1 * softplus + self.gamma * inner)

    def gradient(
        self, N_S: Numeric, D_S: Numeric, L_T: Numeric
    ) -> tuple[Numeric, Numeric, Numeric]:
        """Slopes of the loss in log N_S, log D_S and log L_T [nats per e-fold].

        The first two are never positive: more student and more tokens never harm. The third
        changes sign at the teacher that is best for this student.
        """
        _, *slopes = self.loss_and_gradient_at_logs(np.log(N_S), np.log(D_S), np.log(L_T))
        by_n, by_d, by_x = (_same_kind(slope, N_S, D_S, L_T) for slope in slopes)
        return by_n, by_d, by_x

    def loss_and_gradient_at_logs(self, n: Any, d: Any, x: Any) -> tuple[Any, Any, Any, Any]:
        """Loss and its slopes in log N_S, log D_S and log L_T, in one pass."""
        alone, alone_by_n, alone_by_d = self.supervised.loss_and_gradient_at_logs(n, d)
        u = (x - np.log(alone) - np.log(self.d1)) / self.f1
        softplus = np.logaddexp(0.0, u)
        switch = np.exp(u - softplus)  # logistic(u): 0 for a strong teacher, 1 for a weak one
        in_params = np.log(self.A) - self.alpha * n
        inner = np.logaddexp(in_params, np.log(self.B) - self.beta * d)
        share = np.exp(in_params - inner)
        teacher = np.exp(x)
        gap = np.exp(-self.c0 * x - self.c1 * self.f1 * softplus + self.gamma * inner)
        by_alone = gap * self.c1 * switch / alone
        return (
            teacher + gap,
            by_alone * alone_by_n - gap * self.gamma * self.alpha * share,
            by_alone * alone_by_d - gap * self.gamma * self.beta * (1 - share),
            teacher - gap * (self.c0 + self.c1 * switch),
        )

    def supervised_equivalent_tokens(self, N_S: Numeric, D_S: Numeric, L_T: Numeric) -> Numeric:
        """Tokens on which the same student, trained supervised, reaches the distilled loss.

        Infinite where the distilled student is better than supervised training can ever be.
        """
        return self.supervised.tokens_for_loss(self.loss(N_S, D_S, L_T), N_S)


LossLaw: TypeAlias = SupervisedLaw | DistillationLaw

SUPERVISED_LETTERS: Final = SupervisedLaw._fields
DISTILLATION_LETTERS: Final = tuple(
    name for name in DistillationLaw._fields if name != "supervised"
)
"""Names of the coefficients of each equation."""


def _log_sum(law: LossLaw, n: Any, d: Any) -> Any:
    """log(A / N^alpha + B / D^beta): faster than logaddexp, and no loss law's terms overflow."""
    with np.errstate(divide="ignore"):  # both sizes infinite
        return np.log(law.A * np.exp(-law.alpha * n) + law.B * np.exp(-law.beta * d))


def _same_kind(value: Any, *inputs: Any) -> Any:
    """A float when every input was a number, the array otherwise."""
    return value if any(isinstance(one, np.ndarray) for one in inputs) else float(value)
