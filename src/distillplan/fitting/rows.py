"""Runs as arrays of logarithms, the only thing that a fitter reads."""

from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from distillplan.fitting.runs import Runs
from distillplan.laws.formulas import DistillationLaw, FloatArray, LossLaw

IndexArray: TypeAlias = NDArray[np.intp]
Mask: TypeAlias = NDArray[np.bool_]

_ALIKE: Final = 1e-3
"""Teachers whose losses differ by less, in e-folds, are as good as one."""


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Runs as a fitter needs them, in logarithms; every array has shape (runs,)."""

    log_params: FloatArray
    """log of parameters of the (student) model"""
    log_tokens: FloatArray
    """log of its training tokens"""
    log_loss: FloatArray
    """log of the validation loss [nats/token]"""
    log_teacher_loss: FloatArray | None = None
    """log of the teacher's loss [nats/token], not-a-number for a run without a teacher; None where
    no run has one"""

    @classmethod
    def of(cls, runs: Runs) -> "Rows":
        """Validated runs, in logarithms."""
        teacher = np.log(runs.teacher_loss)
        return cls(
            log_params=np.log(runs.params),
            log_tokens=np.log(runs.tokens),
            log_loss=np.log(runs.loss),
            log_teacher_loss=None if np.isnan(teacher).all() else teacher,
        )

    def __len__(self) -> int:
        """Number of runs."""
        return self.log_loss.size

    @property
    def distilled(self) -> Mask:
        """Which runs had a teacher, shape (runs,)."""
        if self.log_teacher_loss is None:
            return np.zeros(len(self), dtype=bool)
        return ~np.isnan(self.log_teacher_loss)

    @property
    def one_teacher(self) -> bool:
        """Whether all distilled runs have one teacher loss; not where no run is distilled."""
        logs = self.log_teacher_loss
        if logs is None or not self.distilled.any():
            return False
        return bool(np.nanmax(logs) - np.nanmin(logs) < _ALIKE)

    def take(self, which: Any) -> "Rows":
        """The runs at these indices, in this slice, or where this mask holds."""
        teacher = self.log_teacher_loss
        return Rows(
            log_params=self.log_params[which],
            log_tokens=self.log_tokens[which],
            log_loss=self.log_loss[which],
            log_teacher_loss=None if teacher is None else teacher[which],
        )

    def groups(self) -> IndexArray:
        """Number of the (parameters, tokens, taught or not) group of each run, from 0.

        Shape (runs,).
        """
        keys = np.column_stack([self.log_params, self.log_tokens, self.distilled])
        _, number = np.unique(np.round(keys, 9), axis=0, return_inverse=True)
        return np.asarray(number, dtype=np.intp).reshape(-1)


def predicted_log_loss(law: LossLaw, rows: Rows) -> FloatArray:
    """Log of the loss that a law gives for each run, shape (runs,).

    With coefficients of shape (draws, 1) it has shape (draws, runs). A run without a teacher gets
    the supervised loss, and so does every run under a supervised law.
    """
    sizes = rows.log_params, rows.log_tokens
    if not isinstance(law, DistillationLaw):
        return np.asarray(np.log(law.loss_at_logs(*sizes)))
    alone = law.supervised.loss_at_logs(*sizes)
    if rows.log_teacher_loss is None:
        return np.asarray(np.log(alone))
    taught = law.loss_at_logs(*sizes, np.where(rows.distilled, rows.log_teacher_loss, 0.0))
    return np.asarray(np.log(np.where(rows.distilled, taught, alone)))
