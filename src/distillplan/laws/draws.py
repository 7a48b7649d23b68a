"""Joint draws of a law's coefficients: many laws as one, for the optimizer to take together."""

import math
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

import numpy as np

from distillplan.errors import InputError
from distillplan.laws.formulas import (
    DISTILLATION_LETTERS,
    SUPERVISED_LETTERS,
    DistillationLaw,
    FloatArray,
    LossLaw,
    SupervisedLaw,
)
from distillplan.laws.provenance import PublishedLaw
from distillplan.laws.soundness import demand_sound
from distillplan.named_tuples import NamedTuple
from distillplan.units.quantities import format_count

SUPERVISED_COLUMNS: Final = tuple(f"supervised.{name}" for name in SUPERVISED_LETTERS)
DISTILLATION_COLUMNS: Final = SUPERVISED_COLUMNS + DISTILLATION_LETTERS
"""Names of the columns of a file of draws, in any order."""
MOST_DRAWS: Final = 4096
"""As many as the resamples behind Table 6; shares of them are known to 1%."""
NUMBER: Final = r"[ \t]*[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?[ \t]*"
"""A number in a table of a law's file."""
APART: Final = 0.01
"""Share of a loss that draws and their law may differ by however little they are spread: more than
one run strays, and than rounding moves it."""
_USUAL: Final = {
    "params": (1e8, 1e10),
    "tokens": (1e9, 1e12),
    "student_params": (1e8, 1e10),
    "student_tokens": (1e9, 1e12),
    "teacher_loss": (2.0, 2.6),
}
"""Where a law that says no range is looked at."""
_MARKS: Final = frozenset("0123456789+-.eE, \t")
"""What numbers are written with; numpy would read 0x10, 1_000 and nan too."""


class Draws(NamedTuple):
    """Laws that the runs behind a published or fitted set allow, equally likely."""

    law: LossLaw
    """Every coefficient is an array of shape (draws,)."""
    sigma_run: float
    """Standard deviation of the log loss of one run around a drawn law, the law's own misfit
    included."""

    @property
    def size(self) -> int:
        """Number of draws."""
        return int(np.size(self.law.alpha))

    def every(self, stride: int) -> "Draws":
        """Every so-many-th of the draws."""
        found = {name: values[::stride] for name, values in columns_of_law(self.law).items()}
        return self._replace(law=law_of_columns(found))

    @property
    def distills(self) -> bool:
        """Whether there is a distillation side."""
        return isinstance(self.law, DistillationLaw)

    @property
    def supervised(self) -> SupervisedLaw:
        """The supervised side."""
        return self.law.supervised if isinstance(self.law, DistillationLaw) else self.law


def one_draw(law: PublishedLaw, times: int = 1) -> Draws:
    """A law without joint draws, as a single one, or so often the same."""
    found: LossLaw = law.distillation or law.supervised
    columns = {name: np.full(times, value) for name, value in columns_of_law(found).items()}
    return Draws(law=law_of_columns(columns), sigma_run=0.0)


def demand_around(draws: Draws, law: PublishedLaw, name: str) -> None:
    """Refuse draws that are not those of a law: in the middle of its range they lie around it.

    Bands and odds have the law's own number in their middle, so that other draws would go unseen.

    Args:
        draws: joint draws, of the same sides as the law.
        law: whose they are said to be.
        name: of their file, for messages.

    Raises:
        InputError: when the law's loss there is farther from all of theirs than they are spread,
            and than `APART` of it.
    """
    ends = {key: law.valid.get(key, usual) for key, usual in _USUAL.items()}
    at = {key: math.sqrt(low * high) for key, (low, high) in ends.items()}
    logs = {key: math.log(value) for key, value in at.items()}
    n, d = logs["params"], logs["tokens"]
    own, drawn = (one.loss_at_logs(n, d) for one in (law.supervised, draws.supervised))
    place = f"{format_count(at['params'])} parameters on {format_count(at['tokens'])} tokens"
    _demand_near(own, drawn, f"{name}: at {place}", law.name)
    if law.distillation is not None and isinstance(draws.law, DistillationLaw):
        n, d, x = logs["student_params"], logs["student_tokens"], logs["teacher_loss"]
        own, drawn = (one.loss_at_logs(n, d, x) for one in (law.distillation, draws.law))
        sizes = format_count(at["student_params"]), format_count(at["student_tokens"])
        place = f"with a teacher of {at['teacher_loss']:.3g} nats, at {sizes[0]} parameters on "
        _demand_near(own, drawn, f"{name}: {place}{sizes[1]} tokens", law.name)


def _demand_near(own: Any, drawn: Any, where: str, law: str) -> None:
    """Refuse drawn losses that lie apart from the law's own."""
    least, most = float(np.min(drawn)), float(np.max(drawn))
    room = max(most - least, APART * float(own))
    if not least - room <= own <= most + room:
        raise InputError(
            f"{where} the draws lose {least:.3f} to {most:.3f} nats and {law} itself {own:.3f}; "
            "draws lie around their law, so give those of this one"
        )


def law_of_columns(columns: Mapping[str, Any]) -> LossLaw:
    """The law whose coefficients stand in named columns: numbers, or arrays of one shape.

    >>> law_of_columns(dict.fromkeys(SUPERVISED_COLUMNS, 2.0)).gamma
    2.0
    """
    alone = SupervisedLaw(**{name: columns[f"supervised.{name}"] for name in SUPERVISED_LETTERS})
    if not columns.keys() & set(DISTILLATION_LETTERS):
        return alone
    return DistillationLaw(
        supervised=alone, **{name: columns[name] for name in DISTILLATION_LETTERS}
    )


def columns_of_law(law: LossLaw) -> dict[str, Any]:
    """The inverse of ``law_of_columns``."""
    alone = law.supervised if isinstance(law, DistillationLaw) else law
    columns = {f"supervised.{name}": getattr(alone, name) for name in SUPERVISED_LETTERS}
    if isinstance(law, DistillationLaw):
        columns |= {name: getattr(law, name) for name in DISTILLATION_LETTERS}
    return columns


def read_draws(text: str, name: str, sigma_run: float) -> Draws:
    r"""Draws from the text of a CSV file whose header names the coefficients.

    Args:
        text: the whole file.
        name: the file's name, for messages.
        sigma_run: standard deviation of the log loss of one run around a drawn law.

    Raises:
        InputError: when a column is missing, there are too many draws, or a value is not a finite
            number or not that of a law.

    >>> header = ",".join(SUPERVISED_COLUMNS)
    >>> read_draws(header + "\n1,2,3,4,5,6", "d.csv", 0.003).supervised.gamma
    array([6.])
    """
    header, *lines = text.splitlines() or [""]
    names = tuple(one.strip() for one in header.split(","))
    wanted = DISTILLATION_COLUMNS if len(names) > len(SUPERVISED_COLUMNS) else SUPERVISED_COLUMNS
    if sorted(names) != sorted(wanted):
        raise InputError(f"{name}: the columns must be {', '.join(wanted)}")
    rows = [(number, line) for number, line in enumerate(lines, 2) if line.strip()]
    if not 0 < len(rows) <= MOST_DRAWS:
        raise InputError(f"{name}: {len(rows):,} draws; there must be 1 to {MOST_DRAWS:,}")
    table = _table(rows, name, len(names))
    law = law_of_columns(dict(zip(names, table.T, strict=True)))
    demand_sound(law, f"{name}: ")
    return Draws(law=law, sigma_run=sigma_run)


def _table(rows: Sequence[tuple[int, str]], name: str, columns: int) -> FloatArray:
    """The numbers of some lines, shape (lines, columns)."""
    lines = [line for _, line in rows]
    if _MARKS.issuperset("".join(lines)):
        with suppress(ValueError):
            table = np.loadtxt(lines, delimiter=",", ndmin=2)
            if table.shape[1] == columns:
                return table
    one = f"{NUMBER}(?:,{NUMBER}){{{columns - 1}}}"
    faulty = next(number for number, line in rows if not re.fullmatch(one, line))
    raise InputError(f"{name}, line {faulty}: not {columns} numbers with commas between")
