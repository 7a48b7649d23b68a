"""Sizes at which the demonstrations are quick: some still show it, others need not."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

from distillplan.demos import calibration, mapping

SMALL_MAPPING = mapping.QUICK._replace(
    positions=6,
    students=(8, 24, 64),
    student_steps=500,
    student_batch=32,
    trained_width=64,
    trained_steps=(128, 384, 1536),
    widths=(12, 28, 64),
    width_steps=1536,
    trials=2,
)
"""Half the trials of the usual one, with fewer teachers and shorter contexts; six seconds."""
SMALL_CALIBRATION = calibration.QUICK._replace(
    vocab=16, features=8, width=32, steps=500, batch=128, kept=(4, 2, 1)
)
"""Half a second."""
TINY_MAPPING = SMALL_MAPPING._replace(
    positions=4, student_steps=20, trained_steps=(10, 20, 40), width_steps=40, copies=2
)
TINY_CALIBRATION = SMALL_CALIBRATION._replace(steps=20)


@contextmanager
def tiny() -> Iterator[None]:
    """Let the command make demonstrations that show nothing, in a tenth of a second."""
    with (
        mock.patch.object(mapping, "QUICK", TINY_MAPPING),
        mock.patch.object(mapping, "FULL", TINY_MAPPING._replace(copies=1)),
        mock.patch.object(calibration, "QUICK", TINY_CALIBRATION),
        mock.patch.object(calibration, "FULL", TINY_CALIBRATION._replace(batch=64)),
    ):
        yield
