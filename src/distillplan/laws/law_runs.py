"""The runs that a law was fitted on, as they stand in its file."""

import re
from math import isnan
from typing import Final

import numpy as np

from distillplan.errors import InputError
from distillplan.files.bounds import LARGEST, shown
from distillplan.laws.draws import NUMBER
from distillplan.laws.formulas import FloatArray
from distillplan.laws.provenance import LawRuns
from distillplan.named_tuples import NamedTuple

HEADER: Final = "params,tokens,loss,teacher_loss"
"""The columns: the teacher's loss is empty for a run without one; losses in nats per token."""
MOST_RUNS: Final = 20_000
"""Of one law; all published runs together are fewer than a thousand."""
_RUN: Final = re.compile(f"{NUMBER},{NUMBER},{NUMBER},(?:{NUMBER})?[ \\t]*")


class FittedOn(NamedTuple):
    """The runs of a law; every array has shape (runs,)."""

    params: FloatArray
    """As the law counts them."""
    tokens: FloatArray
    loss: FloatArray
    """Nats per token."""
    teacher_loss: FloatArray
    """Nats per token; not-a-number for a run without a teacher."""


def run_lines(runs: FittedOn) -> list[str]:
    """The lines of the table in a law's file, to the last digit.

    >>> one = np.array([1e8])
    >>> run_lines(FittedOn(one, 20 * one, np.array([2.5]), np.array([np.nan])))
    ['params,tokens,loss,teacher_loss', '100000000.0,2000000000.0,2.5,']
    """
    table = np.column_stack(runs).tolist()
    return [HEADER, *(",".join("" if isnan(one) else repr(one) for one in row) for row in table)]


def read_runs_of_law(runs: LawRuns, where: str, *, distills: bool) -> FittedOn:
    """The runs in a law's file.

    Args:
        runs: the lines of the table.
        where: what to call it in messages.
        distills: whether the law has a distillation side.

    Raises:
        InputError: when the columns are others, there are too many runs, a value is not a positive
            number, or a run has a teacher of which the law says nothing.
    """
    header, *lines = runs.table or ("",)
    if [one.strip() for one in header.split(",")] != HEADER.split(","):
        raise InputError(f"{where}: {shown(header)} is not the line {HEADER}, which it begins with")
    if not 0 < len(lines) <= MOST_RUNS:
        raise InputError(f"{where}: {len(lines):,} runs; there must be 1 to {MOST_RUNS:,}")
    rows = [_run(line, f"{where}, line {number}") for number, line in enumerate(lines, 2)]
    params, tokens, loss, teacher_loss = np.array(rows).T
    if not (distills or np.isnan(teacher_loss).all()):
        raise InputError(f"{where}: a run has a teacher, but the law has no distillation side")
    return FittedOn(params=params, tokens=tokens, loss=loss, teacher_loss=teacher_loss)


def _run(line: str, where: str) -> list[float]:
    """The numbers of a run; not-a-number for the loss of a teacher that it has not."""
    if _RUN.fullmatch(line):
        values = [float(one) if one.strip() else np.nan for one in line.split(",")]
        if all(0 < one <= LARGEST or np.isnan(one) for one in values):
            return values
    raise InputError(
        f"{where}: {shown(line)} is not three positive numbers and a teacher's loss, which may be "
        "empty, with commas between"
    )
