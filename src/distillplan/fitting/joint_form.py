"""Equations 1 and 8 together: one world, whose supervised and distilled runs are fitted at once.

The reducible part of Equation 8 is written as that of Equation 1 (see ``forms``). Its switch, with
r = log L_T - log Lt_S and z = exp((r - r0) / f1), is
c1 f1 log(1 + (L_T / (Lt_S d1))^(1/f1)) = exp(k) log(1 + q z) / q, where q = exp(r0/f1) d1^(-1/f1)
and k = log(c1 f1 q). As c1 grows with k fixed, q tends to 0 and the switch to exp(k) z: only k and
f1 are left, which is all that most runs can tell.
"""

from dataclasses import dataclass

import numpy as np

from distillplan.fitting.forms import (
    FormShape,
    SupervisedForm,
    coordinates_of,
    letters_of,
    plain,
    reducible,
)
from distillplan.fitting.rows import Rows
from distillplan.laws.formulas import DistillationLaw, FloatArray, LossLaw

DISTILLED = ("u'", "v'", "log_a'", "log_b'", "log_gamma'", "c0", "k", "log_f1", "log_q")
"""Coordinates of Equation 8."""


@dataclass(frozen=True, kw_only=True)
class JointForm:
    """Equation 8 over the supervised law that is fitted with it."""

    alone: SupervisedForm
    middle_log_teacher: float
    middle_log_ratio: float
    """r0, of the teacher's loss to the student's own"""

    @classmethod
    def around(cls, rows: Rows, law: DistillationLaw) -> "JointForm":
        """The form with its middle in the middle of the rows.

        Args:
            rows: runs; where none is distilled the middle teacher is as good as its students.
            law: a law that gives the students' own losses there.
        """
        own = np.log(law.supervised.loss_at_logs(rows.log_params, rows.log_tokens))
        teacher = own if rows.log_teacher_loss is None else rows.log_teacher_loss
        return cls(
            alone=SupervisedForm.around(rows),
            middle_log_teacher=float(np.nanmean(teacher)),
            middle_log_ratio=float(np.nanmean(teacher - own)),
        )

    @property
    def shape(self) -> FormShape:
        """Joint."""
        return FormShape.JOINT

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the coordinates, those of Equation 1 first."""
        return (*self.alone.names, *DISTILLED)

    def predict(self, theta: FloatArray, rows: Rows) -> tuple[FloatArray, FloatArray]:
        """Log loss, shape (batch, rows), and its slopes, (batch, rows, coordinates)."""
        first = len(self.alone.names)
        log_alone, slopes = self.alone.predict(theta[:, :first], rows)
        log_loss = log_alone.copy()
        jacobian = np.zeros((*log_loss.shape, theta.shape[1]))
        jacobian[..., :first] = slopes
        taught = rows.distilled
        if rows.log_teacher_loss is None or not taught.any():
            return log_loss, jacobian
        x = rows.log_teacher_loss[taught]
        s, inner = reducible(
            theta[:, first : first + 5],
            rows.log_params[taught] - self.alone.middle_log_params,
            rows.log_tokens[taught] - self.alone.middle_log_tokens,
        )
        c0, k, log_f1, log_q = (theta[:, i : i + 1] for i in range(first + 5, first + 9))
        f1 = np.exp(log_f1)
        scaled = (x - log_alone[:, taught] - self.middle_log_ratio) / f1
        # exp(k) log(1 + q z) / q, and its slope in log z
        softplus = np.logaddexp(0.0, log_q + scaled)
        switch = np.exp(k - log_q) * softplus
        by_z = np.exp(k + scaled - softplus)
        gap = s - c0 * (x - self.middle_log_teacher) - switch
        total = np.logaddexp(x, gap)
        share = np.exp(gap - total)
        by_own = np.empty((*s.shape, len(DISTILLED)))
        by_own[..., :5] = inner
        by_own[..., 5] = -(x - self.middle_log_teacher)
        by_own[..., 6] = -switch
        by_own[..., 7] = by_z * scaled
        by_own[..., 8] = switch - by_z
        log_loss[:, taught] = total
        jacobian[:, taught, :first] = slopes[:, taught] * (share * by_z / f1)[..., None]
        jacobian[:, taught, first:] = by_own * share[..., None]
        return log_loss, jacobian

    def law(self, theta: FloatArray) -> DistillationLaw:
        """The law of one theta, of shape (coordinates,), or laws with letters of shape (batch,)."""
        first = len(self.alone.names)
        c0, k, log_f1, log_q = (theta[..., i] for i in range(first + 5, first + 9))
        inner = theta[..., first : first + 5].copy()
        # u' and v' hold -c0 log L_T at the middle teacher
        inner[..., :2] += (c0 * self.middle_log_teacher)[..., None]
        letters = letters_of(inner, self.alone.middle_log_params, self.alone.middle_log_tokens)
        letters |= {
            "c0": c0,
            "f1": np.exp(log_f1),
            "c1": np.exp(k - log_q - log_f1),
            "d1": np.exp(self.middle_log_ratio - np.exp(log_f1) * log_q),
        }
        letters = {name: plain(one) for name, one in letters.items()}
        return DistillationLaw(supervised=self.alone.law(theta[..., :first]), **letters)

    def theta(self, law: LossLaw) -> FloatArray:
        """The coordinates of a law, shape (coordinates,) or (batch, coordinates).

        Raises:
            TypeError: when it is not a distillation law.
        """
        if not isinstance(law, DistillationLaw):
            raise TypeError("a joint form needs a DistillationLaw")
        u, v, *slopes = coordinates_of(
            law, self.alone.middle_log_params, self.alone.middle_log_tokens
        )
        held = law.c0 * self.middle_log_teacher
        log_q = (self.middle_log_ratio - np.log(law.d1)) / law.f1
        k = np.log(law.c1 * law.f1) + log_q
        own = [u - held, v - held, *slopes, law.c0, k, np.log(law.f1), log_q]
        return np.concatenate([self.alone.theta(law), np.stack(own, axis=-1)], axis=-1)
