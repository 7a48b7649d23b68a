"""Joint draws of a law's coefficients: many laws as one, for the optimizer to take together."""

import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import numpy as np

from distillplan.errors import InputError
from distillplan.laws.formulas import (
    DISTILLATION_LETTERS,
    SUPERVISED_LETTERS,
    DistillationLaw,
    LossLaw,
    SupervisedLaw,
)
from distillplan.laws.provenance import PublishedLaw
from distillplan.laws.soundness import demand_sound

SUPERVISED_COLUMNS: Final = tuple(f"supervised.{name}" for name in SUPERVISED_LETTERS)
DISTILLATION_COLUMNS: Final = SUPERVISED_COLUMNS + DISTILLATION_LETTERS
"""Names of the columns of a file of draws, in any order."""
MOST_DRAWS: Final = 4096
"""As many as the resamples behind Table 6; shares of them are known to 1%."""
NUMBER: Final = r"[ \t]*[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?[ \t]*"
"""A number in a table of a law's file."""
_PLAIN: Final = re.compile(f"{NUMBER}(?:,{NUMBER})*")
"""A row; numpy would read 0x10, 1_000 and nan too."""


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


def one_draw(law: PublishedLaw) -> Draws:
    """A law without joint draws, as a single one."""
    found: LossLaw = law.distillation or law.supervised
    columns = {name: np.array([value]) for name, value in columns_of_law(found).items()}
    return Draws(law=law_of_columns(columns), sigma_run=0.0)


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
    for number, line in rows:
        if line.count(",") != len(names) - 1 or not _PLAIN.fullmatch(line):
            raise InputError(f"{name}, line {number}: not {len(names)} numbers with commas between")
    table = np.loadtxt([line for _, line in rows], delimiter=",", ndmin=2)
    law = law_of_columns(dict(zip(names, table.T, strict=True)))
    demand_sound(law, f"{name}: ")
    return Draws(law=law, sigma_run=sigma_run)
