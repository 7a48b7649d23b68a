"""Joint draws of a law's coefficients: many laws as one, for the optimiser to take together."""

from typing import Any, NamedTuple

import numpy as np

from distillplan.errors import InputError
from distillplan.laws.formulas import DistillationLaw, LossLaw, SupervisedLaw

SUPERVISED_COLUMNS = tuple(f"supervised.{name}" for name in SupervisedLaw._fields)
DISTILLATION_COLUMNS = SUPERVISED_COLUMNS + DistillationLaw._fields[1:]
"""Names of the columns of a file of draws, in any order."""


class Draws(NamedTuple):
    """Laws that the runs behind a published or fitted set allow, equally likely."""

    law: LossLaw
    """Every coefficient an array of shape (draws,)."""
    sigma_run: float
    """Standard deviation of the log loss of one run around a drawn law, the law's own misfit
    included."""

    @property
    def size(self) -> int:
        """How many draws."""
        return int(np.size(self.law.alpha))

    @property
    def distills(self) -> bool:
        """Whether there is a distillation side."""
        return isinstance(self.law, DistillationLaw)

    @property
    def supervised(self) -> SupervisedLaw:
        """The supervised side."""
        return self.law.supervised if isinstance(self.law, DistillationLaw) else self.law


def read_draws(text: str, name: str, sigma_run: float) -> Draws:
    r"""Draws from the text of a CSV file whose header names the coefficients.

    Raises:
        InputError: when a column is missing or a value is no positive number.

    >>> header = ",".join(SUPERVISED_COLUMNS)
    >>> read_draws(header + "\n1,2,3,4,5,6", "d.csv", 0.003).supervised.gamma
    array([6.])
    """
    header, _, body = text.partition("\n")
    names = tuple(one.strip() for one in header.split(","))
    wanted = DISTILLATION_COLUMNS if len(names) > len(SUPERVISED_COLUMNS) else SUPERVISED_COLUMNS
    if sorted(names) != sorted(wanted):
        raise InputError(f"{name}: the columns are not {', '.join(wanted)}")
    try:
        table = np.loadtxt(body.splitlines(), delimiter=",", ndmin=2)
    except ValueError as error:
        raise InputError(f"{name}: {str(error).splitlines()[0]}") from None
    if not (table.size and table.shape[1] == len(names) and np.isfinite(table).all()):
        raise InputError(f"{name}: no table of {len(names)} finite numbers a line")
    columns: dict[str, Any] = dict(zip(names, table.T, strict=True))
    alone = SupervisedLaw(*(columns[one] for one in SUPERVISED_COLUMNS))
    if wanted is SUPERVISED_COLUMNS:
        return Draws(alone, sigma_run)
    primed = (columns[one] for one in DISTILLATION_COLUMNS[len(SUPERVISED_COLUMNS) :])
    return Draws(DistillationLaw(alone, *primed), sigma_run)
