"""The reports on other laboratories' runs and on published cases, which take seconds, made once."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from unittest import mock

from distillplan.checks import practice_checks, transfer_checks

practice_report = cache(practice_checks.practice_report)
"""What `check practice` finds."""
transfer_report = cache(transfer_checks.transfer_report)
"""What `check transfer` finds."""


@contextmanager
def reported() -> Iterator[None]:
    """Where commands take these reports and make none anew: a context, or a decorator."""
    with (
        mock.patch.object(practice_checks, "practice_report", practice_report),
        mock.patch.object(transfer_checks, "transfer_report", transfer_report),
    ):
        yield
