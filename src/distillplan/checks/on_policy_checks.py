"""The published cells of on-policy distillation, computed again, for `distillplan check`."""

from collections.abc import Iterator
from typing import Final

from distillplan.checks.check_records import CheckRow, compared
from distillplan.files.csv_reader import read_csv
from distillplan.files.entries import coefficients_dir
from distillplan.laws.on_policy_law import Objective, on_policy_law, peak_score
from distillplan.named_tuples import NamedTuple

TOPIC: Final = "on-policy"
"""The word to ask for it."""
PREDICTIONS: Final = "predictions, 2609.32722"
PEAKS: Final = "peaks, 2609.32722"
FILE: Final = "on_policy.csv"
"""In the folder of checks."""
PRINTED_ERROR: Final = 1e-4
"""Rounding of the printed predictions, twice: the coefficients are rounded too."""
RMS_ERROR: Final = 0.0105
"""One point, to its rounding: root mean square error of the observed peaks."""
MOST_ERROR: Final = 0.0332
"""What single peaks may be off: twice 1.66 points, the error on sizes that were left out."""


class StudyPair(NamedTuple):
    """One pair of the study."""

    objective: Objective
    pair: str
    student: float
    """Parameters."""
    teacher: float
    """Parameters."""
    score: float
    """Of a teacher of the smaller of both sizes."""
    printed: float
    """The authors' prediction of the peak."""
    observed: float
    """The peak."""

    @property
    def computed(self) -> float:
        """The prediction here."""
        law = on_policy_law().laws[self.objective]
        return peak_score(law, self.student, self.teacher, self.score)


def cells() -> tuple[StudyPair, ...]:
    """All pairs and chains of the study.

    Raises:
        InputError: when their file is not what it should be.
    """
    rows = (row.values for row in read_csv(coefficients_dir() / "checks" / FILE))
    return tuple(
        StudyPair(
            objective=Objective(one["objective"]),
            pair=one["pair"],
            student=float(one["student"]) * 1e9,
            teacher=float(one["teacher"]) * 1e9,
            score=float(one["score"]),
            printed=float(one["printed"]),
            observed=float(one["observed"]),
        )
        for one in rows
    )


def on_policy_rows() -> Iterator[CheckRow]:
    """Each printed prediction and each observed peak, and how far all peaks are off."""
    every = cells()
    for one in every:
        what = f"{one.objective}, {one.pair}"
        for where, published, allowed in (
            (PREDICTIONS, one.printed, PRINTED_ERROR),
            (PEAKS, one.observed, MOST_ERROR),
        ):
            yield compared(TOPIC, where, what, published, one.computed, low=-allowed, high=allowed)
    squares = sum((one.computed - one.observed) ** 2 for one in every)
    yield compared(
        TOPIC,
        PEAKS,
        "root mean square error of all, against none",
        0.0,
        (squares / len(every)) ** 0.5,
        low=0.0,
        high=RMS_ERROR,
    )
