"""Equation 8 as a fitter sees it; the coordinates are explained in ``forms``."""

from dataclasses import dataclass, replace

import numpy as np

from distillplan.fitting.forms import (
    REDUCED_LOG_Q,
    FormShape,
    coordinates_of,
    letters_of,
    reducible,
)
from distillplan.fitting.rows import Rows
from distillplan.laws.formulas import DistillationLaw, FloatArray, LossLaw, SupervisedLaw


@dataclass(frozen=True, kw_only=True)
class DistillationForm:
    """Equation 8 over a given supervised law; ``reduced`` is its limit of large c1."""

    supervised: SupervisedLaw
    middle_log_params: float
    middle_log_tokens: float
    middle_log_teacher: float
    middle_log_ratio: float
    reduced: bool = False

    @classmethod
    def around(
        cls, rows: Rows, supervised: SupervisedLaw, *, reduced: bool = False
    ) -> "DistillationForm":
        """The form with its middle in the middle of the rows."""
        x = teacher_of(rows)
        alone = np.log(supervised.loss_at_logs(rows.log_params, rows.log_tokens))
        return cls(
            supervised=supervised,
            middle_log_params=float(rows.log_params.mean()),
            middle_log_tokens=float(rows.log_tokens.mean()),
            middle_log_teacher=float(x.mean()),
            middle_log_ratio=float((x - alone).mean()),
            reduced=reduced,
        )

    @property
    def shape(self) -> FormShape:
        """Full or reduced."""
        return FormShape.REDUCED if self.reduced else FormShape.FULL

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the coordinates."""
        head = ("u", "v", "log_a", "log_b", "log_gamma", "c0", "k", "log_f1")
        return head if self.reduced else (*head, "log_q")

    @property
    def coefficients(self) -> tuple[str, ...]:
        """The primed letters of Equation 8; in the reduced form d1 follows f1."""
        head = ("A", "B", "alpha", "beta", "gamma", "c0", "f1", "c1")
        return head if self.reduced else (*head, "d1")

    def full(self, theta: FloatArray) -> FloatArray:
        """Theta with log q in its place, shape (batch, 9)."""
        if not self.reduced:
            return theta
        q = np.full((theta.shape[0], 1), REDUCED_LOG_Q)
        return np.concatenate([theta, q], axis=1)

    def predict(self, theta: FloatArray, rows: Rows) -> tuple[FloatArray, FloatArray]:
        """Log loss, shape (batch, rows), and its slopes, (batch, rows, coordinates)."""
        theta = self.full(theta)
        x = teacher_of(rows)
        log_alone = np.log(self.supervised.loss_at_logs(rows.log_params, rows.log_tokens))
        s, inner = reducible(
            theta[:, :5],
            rows.log_params - self.middle_log_params,
            rows.log_tokens - self.middle_log_tokens,
        )
        c0, k, log_f1, log_q = (theta[:, i : i + 1] for i in range(5, 9))
        scaled = (x - log_alone - self.middle_log_ratio) / np.exp(log_f1)
        # exp(k) log(1 + q z) / q, and its slope in log z
        switch = np.exp(k - log_q) * np.logaddexp(0.0, log_q + scaled)
        by_z = np.exp(k + scaled - np.logaddexp(0.0, log_q + scaled))
        gap = s - c0 * (x - self.middle_log_teacher) - switch
        log_loss = np.logaddexp(x, gap)
        share = np.exp(gap - log_loss)
        jacobian = np.empty((*s.shape, 8 if self.reduced else 9))
        jacobian[..., :5] = inner
        jacobian[..., 5] = -(x - self.middle_log_teacher)
        jacobian[..., 6] = -switch
        jacobian[..., 7] = by_z * scaled
        if not self.reduced:
            jacobian[..., 8] = switch - by_z
        jacobian *= share[..., None]
        return log_loss, jacobian

    def log_coefficients(self, theta: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Logarithms of the primed letters, shape (batch, letters), and their slopes in theta.

        c0 may be negative in a poor fit; its logarithm is then taken of a tiny positive number.
        """
        theta = self.full(theta)
        c0, k, log_f1, log_q = theta[:, 5], theta[:, 6], theta[:, 7], theta[:, 8]
        shifted = theta[:, :5].copy()
        # u and v hold -c0 log L_T at the middle teacher
        shifted[:, :2] += (c0 * self.middle_log_teacher)[:, None]
        letters, inner = letters_of(shifted, self.middle_log_params, self.middle_log_tokens)
        f1, gamma = np.exp(log_f1), np.exp(theta[:, 4])
        positive = np.maximum(c0, 1e-6)
        log_values = np.column_stack([letters, np.log(positive), log_f1, k - log_q - log_f1])
        size = theta.shape[1] - self.reduced
        jacobian = np.zeros((theta.shape[0], size, size))
        jacobian[:, :5, :5] = inner
        jacobian[:, :2, 5] = (self.middle_log_teacher / gamma)[:, None]
        jacobian[:, 5, 5] = 1 / positive
        jacobian[:, 6, 7] = 1
        jacobian[:, 7, 6], jacobian[:, 7, 7] = 1, -1
        if self.reduced:
            return log_values, jacobian
        jacobian[:, 7, 8] = -1
        jacobian[:, 8, 7], jacobian[:, 8, 8] = -f1 * log_q, -f1
        log_d1 = self.middle_log_ratio - f1 * log_q
        return np.column_stack([log_values, log_d1]), jacobian

    def all_letters(self, theta: FloatArray) -> dict[str, FloatArray]:
        """The nine primed letters, d1 and c1 included, each of shape (batch,)."""
        free = self.free()
        values = np.exp(free.log_coefficients(self.full(theta))[0])
        values[:, free.coefficients.index("c0")] = theta[:, 5]
        return dict(zip(free.coefficients, values.T, strict=True))

    def law(self, theta: FloatArray) -> DistillationLaw:
        """The law of one theta, of shape (coordinates,)."""
        letters = self.all_letters(theta[None, :])
        named = {name: float(values[0]) for name, values in letters.items()}
        return DistillationLaw(supervised=self.supervised, **named)

    def theta(self, law: LossLaw) -> FloatArray:
        """The coordinates of a law, shape (coordinates,); the inverse of ``law``.

        Raises:
            TypeError: when it is not a distillation law.
        """
        if not isinstance(law, DistillationLaw):
            raise TypeError("a distillation form needs a DistillationLaw")
        inner = coordinates_of(law, self.middle_log_params, self.middle_log_tokens)
        inner[:2] -= law.c0 * self.middle_log_teacher
        log_q = (self.middle_log_ratio - np.log(law.d1)) / law.f1
        k = np.log(law.c1 * law.f1) + log_q
        found = np.array([*inner, law.c0, k, np.log(law.f1), log_q])
        return found[: len(self.names)]

    def free(self) -> "DistillationForm":
        """The same form with c1 free."""
        return replace(self, reduced=False)


def teacher_of(rows: Rows) -> FloatArray:
    """Log of the teachers' losses, shape (rows,).

    Raises:
        ValueError: for supervised runs.
    """
    if rows.log_teacher_loss is None:
        raise ValueError("distillation runs need a teacher's loss")
    return rows.log_teacher_loss
