"""Runs as arrays of logarithms, the only thing that a fitter reads."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from distillplan.errors import InputError
from distillplan.fitting.runs import Runs
from distillplan.laws.formulas import DistillationLaw, FloatArray, LossLaw

IndexArray: TypeAlias = NDArray[np.intp]
Mask: TypeAlias = NDArray[np.bool_]


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
    """log of the teacher's loss [nats/token]; None for supervised runs"""

    @classmethod
    def of(cls, runs: Runs) -> "Rows":
        """Validated runs, in logarithms.

        Raises:
            InputError: when only some of them had a teacher.
        """
        some = bool(runs.distilled.any())
        if some and not runs.distilled.all():
            raise InputError(
                f"{runs.source}: runs with and without a teacher_loss cannot be fitted together; "
                "choose one kind with --form"
            )
        return cls(
            log_params=np.log(runs.params),
            log_tokens=np.log(runs.tokens),
            log_loss=np.log(runs.loss),
            log_teacher_loss=np.log(runs.teacher_loss) if some else None,
        )

    def __len__(self) -> int:
        """Number of runs."""
        return self.log_loss.size

    def take(self, which: IndexArray | Mask) -> "Rows":
        """The runs at these indices or where this mask holds."""
        teacher = self.log_teacher_loss
        return Rows(
            log_params=self.log_params[which],
            log_tokens=self.log_tokens[which],
            log_loss=self.log_loss[which],
            log_teacher_loss=None if teacher is None else teacher[which],
        )

    def groups(self) -> IndexArray:
        """Number of the (parameters, tokens) pair of each run, from 0; shape (runs,)."""
        pairs = np.round(np.column_stack([self.log_params, self.log_tokens]), 9)
        _, number = np.unique(pairs, axis=0, return_inverse=True)
        return np.asarray(number, dtype=np.intp).reshape(-1)


def predicted_log_loss(law: LossLaw, rows: Rows) -> FloatArray:
    """Log of the loss that a law gives for each run, shape (runs,).

    With coefficients of shape (draws, 1) it has shape (draws, runs).
    """
    sizes = rows.log_params, rows.log_tokens
    if isinstance(law, DistillationLaw):
        return np.asarray(np.log(law.loss_at_logs(*sizes, rows.log_teacher_loss)))
    return np.asarray(np.log(law.loss_at_logs(*sizes)))
