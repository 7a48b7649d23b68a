"""Remarks that belong to an answer, each with a code: warnings, and things worth knowing."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from distillplan.named_tuples import NamedTuple

PRETRAINING_LAYOUT: Final = "pretraining_layout"
"""A choice that would be better than it is shown."""
PRICE_HIGH: Final = "price_high"
"""A price of the user's that may be of a whole machine."""
UNKNOWN_ARCHITECTURE: Final = "unknown_architecture"
"""Code of the warning that a config.json was read by a guess at its architecture."""


class Severity(StrEnum):
    """How serious a notice is."""

    INFO = "info"
    WARNING = "warning"


class Notice(NamedTuple):
    """Something to know before trusting an answer."""

    code: str
    """Stable, for scripts."""
    severity: Severity
    message: str


def warning(code: str, message: str) -> Notice:
    """A notice that should change what the reader does."""
    return Notice(code=code, severity=Severity.WARNING, message=message)


def information(code: str, message: str) -> Notice:
    """A notice that is good to know."""
    return Notice(code=code, severity=Severity.INFO, message=message)


def doubts(notices: Iterable[Notice]) -> list[Notice]:
    """Those that should change what the reader does."""
    return [one for one in notices if one.severity is Severity.WARNING]


def worst_first(notices: Iterable[Notice]) -> list[Notice]:
    """Warnings, then what is good to know, each in their order."""
    return sorted(notices, key=lambda one: one.severity is not Severity.WARNING)
