"""Which runs to hold out, as people write it: ``loss < 2.3``."""

import operator
import re
from collections.abc import Callable
from typing import Any, Final, NamedTuple

import numpy as np

from distillplan.errors import InputError
from distillplan.fitting.rows import Mask
from distillplan.fitting.runs import COLUMNS, RunKind, Runs
from distillplan.units import parse_count

_COMPARE: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_FORM: Final = re.compile(r"\s*(\w+)\s*(<=|>=|<|>)\s*(\S+)\s*")


class Selection(NamedTuple):
    """Runs on one side of a value."""

    column: str
    compare: str
    value: float

    def __str__(self) -> str:
        """For example ``loss < 2.3``."""
        return f"{self.column} {self.compare} {self.value:g}"

    def of(self, runs: Runs) -> Mask:
        """Where it holds, shape (runs,).

        Raises:
            InputError: when it holds for no run, or for all.
        """
        values = {
            "loss": runs.loss,
            "teacher_loss": runs.teacher_loss,
            "params": runs.params,
            "student_params": runs.params,
            "tokens": runs.tokens,
            "student_tokens": runs.tokens,
        }[self.column]
        chosen: Mask = np.asarray(_COMPARE[self.compare](values, self.value), dtype=bool)
        if not chosen.any() or chosen.all():
            which = "all" if chosen.all() else "none"
            raise InputError(
                f"holdout: {self} holds for {which} of the {len(runs)} runs; choose a value with "
                "runs on either side"
            )
        return chosen


def parse_selection(text: str, kind: RunKind) -> Selection:
    """The selection that somebody wrote.

    Raises:
        InputError: when it is not a column, a comparison and a value.

    >>> parse_selection("loss < 2.3", "supervised")
    Selection(column='loss', compare='<', value=2.3)
    """
    match = _FORM.fullmatch(text) if len(text) <= 100 else None
    if match is None or match[1] not in COLUMNS[kind]:
        raise InputError(
            f"holdout: {text[:40]!r} is not COLUMN < VALUE with a column of "
            f"{', '.join(COLUMNS[kind])}; write for example 'loss < 2.3'"
        )
    return Selection(
        column=match[1], compare=match[2], value=parse_count(match[3], "holdout", "2.3")
    )
