"""The report on published cases, which takes seconds, made once."""

from functools import cache
from typing import Any
from unittest import mock

from distillplan.checks import practice_checks

_practice_report = practice_checks.practice_report


@cache
def report() -> practice_checks.PracticeReport:
    """What `check practice` finds."""
    return _practice_report()


def reported() -> Any:
    """Where `check practice` takes that report and makes none anew: a context, or a decorator."""
    return mock.patch.object(practice_checks, "practice_report", report)
