"""What to know of the optimizer steps of a run before trusting a law's loss."""

from collections.abc import Iterator
from typing import Final

from distillplan.notices import Notice, warning
from distillplan.units.quantities import format_count

LARGEST_STEP: Final = 128.0 * 2**20
"""Tokens of the largest known optimizer steps, the last of MiniMax-01 (arXiv 2501.08313)."""


def step_notices(tokens: float) -> Iterator[Notice]:
    """That a step has more tokens than any run is known to have used well."""
    if tokens > LARGEST_STEP:
        asked, most = format_count(tokens), format_count(LARGEST_STEP)
        yield warning(
            "large_step",
            f"a step of {asked} tokens is larger than any known run has taken ({most}, "
            "MiniMax-01): the model learns less from each token than the law says; use fewer GPUs "
            "or smaller steps",
        )
