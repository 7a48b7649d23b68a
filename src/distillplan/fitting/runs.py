"""Training runs as arrays: what a fit reads, whatever their files looked like."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from distillplan.laws.formulas import FloatArray
from distillplan.laws.loss_units import LossUnit
from distillplan.laws.provenance import ParameterCount
from distillplan.notices import Notice

RunKind = Literal["supervised", "distillation"]

NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "params": ("params", "student_params"),
    "tokens": ("tokens", "student_tokens"),
    "loss": ("loss",),
    "teacher_loss": ("teacher_loss",),
}
"""What a run is described by, and the names that a column of it may have."""

TEACHER: Final = "teacher_loss"
"""Empty for a run without a teacher."""

CANONICAL: Final = {name: key for key, names in NAMES.items() for name in names}
"""The key of `NAMES` for each name of a column."""


@dataclass(frozen=True, kw_only=True)
class Runs:
    """Validated runs; every array has shape (runs,)."""

    params: FloatArray
    """parameters of the trained (student) model, as the law counts them"""
    tokens: FloatArray
    """its training tokens"""
    loss: FloatArray
    """validation loss [nats/token], whatever unit the file had"""
    teacher_loss: FloatArray
    """teacher's validation loss [nats/token]; NaN for a run without a teacher"""
    lines: tuple[str, ...]
    """where each run stands, for messages: ``line 7``, or ``b.csv, line 7`` of several files"""
    source: str
    """name of the file, or of the files"""
    unit: LossUnit
    """in which the file has its losses"""
    bytes_per_token: float | None
    """of the tokenizer of the runs, where it was said"""
    notices: tuple[Notice, ...]
    """what was left out or merged"""
    rows: int | None = None
    """rows of the files, with those that were left out; None where there was no file"""
    counts: ParameterCount | None = None
    """what the sizes count by the name of their column; None where it does not say"""

    def __len__(self) -> int:
        """Number of runs."""
        return self.loss.size

    @property
    def distilled(self) -> NDArray[np.bool_]:
        """Which runs had a teacher, shape (runs,)."""
        return ~np.isnan(self.teacher_loss)

    @property
    def kind(self) -> RunKind:
        """What the runs are if they are all of one kind."""
        return "distillation" if self.distilled.any() else "supervised"

    def take(self, which: NDArray[np.intp] | NDArray[np.bool_]) -> "Runs":
        """The runs at these indices or where this mask holds, of the same file."""
        return Runs(
            params=self.params[which],
            tokens=self.tokens[which],
            loss=self.loss[which],
            teacher_loss=self.teacher_loss[which],
            lines=tuple(np.array(self.lines, dtype=object)[which].tolist()),
            source=self.source,
            unit=self.unit,
            bytes_per_token=self.bytes_per_token,
            notices=self.notices,
            rows=self.rows,
            counts=self.counts,
        )
