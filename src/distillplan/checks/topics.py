"""All topics of `distillplan check` beside the laws of loss, and their rows."""

from collections.abc import Iterator
from typing import Final

from distillplan.checks import format_checks, hardware_checks, on_policy_checks
from distillplan.checks.check_records import CheckRow

TOPICS: Final = (*hardware_checks.TOPICS, on_policy_checks.TOPIC, format_checks.TOPIC)
"""Words to ask for them."""


def topic_rows() -> Iterator[CheckRow]:
    """Every published number of these topics, and the computed one."""
    yield from hardware_checks.hardware_rows()
    yield from on_policy_checks.on_policy_rows()
    yield from format_checks.format_rows()
