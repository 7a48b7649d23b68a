"""Coded remarks that belong to an answer: warnings, and things good to know."""

from enum import StrEnum
from typing import NamedTuple


class Severity(StrEnum):
    """How much a notice should weigh."""

    INFO = "info"
    WARNING = "warning"


class Notice(NamedTuple):
    """Something to know before trusting an answer."""

    code: str
    """Stable; for scripts."""
    severity: Severity
    message: str
