"""What to know of a format of stored logits before a student reads it."""

import math
from collections.abc import Iterator
from typing import Final

from distillplan.laws.logit_formats import StoredFormat, penalty_of
from distillplan.notices import Notice, information, warning
from distillplan.units.quantities import format_months

LOGITS_WORSE_THAN_NONE: Final = "logit_format_worse_than_none"
"""Code of the warning that a format costs more than its teacher gives."""
STORAGE_UNPRICED: Final = "logit_storage_unpriced"
"""Code of the warning that a cost leaves out storage, for want of a format."""
KEPT_TOO_SHORT: Final = "logits_kept_too_short"
"""Code of the warning that logits are deleted before they are read."""
OF_STORED: Final = (LOGITS_WORSE_THAN_NONE, STORAGE_UNPRICED, KEPT_TOO_SHORT)
"""Codes of what decides whether stored logits are of use, or what they cost."""
ROUNDING: Final = 1e-3
"""A time that is given as short as screens show it is not too short."""


def format_notices(
    stored: StoredFormat | None,
    name: str,
    vocab: float,
    gain: float | None = None,
    tie: float = 0.0,
) -> Iterator[Notice]:
    """What to know of a format before a student reads it.

    Args:
        stored: the format; None: logits are not stored.
        name: as it is shown, such as top-12.
        vocab: tokens of the teacher.
        gain: over training from data alone with this format, nats per token; None: not known.
        tie: differences below this are ties, nats per token.
    """
    penalty = penalty_of(stored, vocab)
    cost = f"{penalty.nats:.3f} nats ({penalty.low:.3f} to {penalty.high:.3f})"
    if penalty.inferred:
        yield warning(
            "logit_format_not_measured",
            f"{name} logits count as {cost}, an inference: {penalty.inferred}",
        )
    if not penalty.tried:
        yield warning(
            "logit_format_outside",
            f"{name} logits keep fewer or more tokens than any that were tried; their cost is "
            "carried on from the nearest ones, to nothing for the whole vocabulary",
        )
    full = math.inf if gain is None else gain + penalty.nats
    if penalty.nats > full and (full > 0 or penalty.nats >= tie):
        are = "would be" if penalty.inferred else "are"
        than = "more than full ones gain" if full > 0 else "and full ones gain nothing"
        yield warning(
            LOGITS_WORSE_THAN_NONE,
            f"{name} logits {are} worse than no teacher: "
            f"{'by an inference ' if penalty.inferred else ''}they cost {cost}, {than}",
        )
    elif penalty.nats and not penalty.inferred:
        yield information(
            "logit_format_costs",
            f"{name} logits cost a student {cost} beside full ones; sampled ones cost nothing "
            "measurable",
        )


def months_notices(given: float | None, needed: float) -> Iterator[Notice]:
    """Where logits are kept for a shorter time than their students are trained.

    Args:
        given: months that they are kept; None: as long as they are read. 0: disks cost nothing.
        needed: months that their students train, with half of the pass before.
    """
    if given and given < needed * (1 - ROUNDING):
        yield warning(
            KEPT_TOO_SHORT,
            f"logits are kept for {format_months(given)}, but are read for {needed:.3g}; leave "
            "--logit-months out to pay for as long as that takes",
        )
