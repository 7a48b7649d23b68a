"""A scenario file that was checked, for people."""

from distillplan.render.blocks import Block, Text
from distillplan.scenarios.validation import Validation


def validation_view(found: Validation) -> list[Block]:
    """What is in a file with which nothing is wrong; faults are an error, as everywhere."""
    return [Text(f"{found.source}: {found.summary}")]
