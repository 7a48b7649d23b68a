"""Runs as arrays of logarithms, the only thing that a fitter reads."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from distillplan.fitting.runs import Runs
from distillplan.laws.formulas import FloatArray

IndexArray: TypeAlias = NDArray[np.intp]
Mask: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Runs as a fitter needs them, in logarithms."""

    log_params: FloatArray
    """log of parameters of the (student) model"""
    log_tokens: FloatArray
    """log of its training tokens"""
    log_loss: FloatArray
    """log of the validation loss [nats/token]"""
    log_teacher_loss: FloatArray | None = None
    """log of the teacher's loss [nats/token]; None for supervised runs"""
    lines: tuple[int, ...] = ()
    """line of each run in the user's file, for messages"""

    @classmethod
    def of(cls, runs: Runs) -> "Rows":
        """Validated runs, in logarithms."""
        teacher = runs.teacher_loss
        return cls(
            log_params=np.log(runs.params),
            log_tokens=np.log(runs.tokens),
            log_loss=np.log(runs.loss),
            log_teacher_loss=None if teacher is None else np.log(teacher),
            lines=runs.lines,
        )

    def __len__(self) -> int:
        """How many runs."""
        return self.log_loss.size

    def take(self, which: IndexArray | Mask) -> "Rows":
        """The runs at these indices or where this mask holds."""
        teacher = self.log_teacher_loss
        positions = np.arange(len(self))[which]
        return Rows(
            log_params=self.log_params[which],
            log_tokens=self.log_tokens[which],
            log_loss=self.log_loss[which],
            log_teacher_loss=None if teacher is None else teacher[which],
            lines=tuple(self.lines[i] for i in positions) if self.lines else (),
        )

    def groups(self) -> IndexArray:
        """Number of the (parameters, tokens) pair of each run, from 0."""
        pairs = np.round(np.column_stack([self.log_params, self.log_tokens]), 9)
        _, number = np.unique(pairs, axis=0, return_inverse=True)
        return np.asarray(number, dtype=np.intp).reshape(-1)
