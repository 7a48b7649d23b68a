"""What the format of stored logits costs a student: its loss above that with full logits, in nats.

A format with few of the teacher's logits is a biased target, and what the bias costs hardly depends
on how much the teacher gives: in the study that tried two sizes (Anshumann et al. 2025,
arXiv:2503.16870) top-12 costs 0.12 nats where full logits gain 0.06 and 0.16 where they gain 0.03,
while the shares of the gain are -99% and -433%. So a plan takes the penalty in nats, and shows the
share of its own gain that is left.

Between published numbers of kept tokens the penalty is a line over their logarithm. It falls with
them; so a range ends where fewer did as well, or more did as badly, in any study. The numbers are
in coefficients/logit_formats.yaml.

Two formats were not tried as they are used, so that their penalties are inferred. Top-p 0.95, then
top-k 100, keeps a part of the top 100, so it costs at least what those cost, and more of the
probability than top-p 0.9, so at most the 0.13 nats of that; between, it counts as the top k of its
mean number of entries. DistillKit keeps its top k and a polynomial for the rest, so it costs
something between nothing and what the top k alone cost; half of that counts.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final

import numpy as np

from distillplan.errors import InputError, Word
from distillplan.fields import settle
from distillplan.laws.format_studies import (
    FormatSetting,
    KeptLogits,
    KeptShare,
    format_studies,
    penalty_in,
)
from distillplan.named_tuples import NamedTuple

TOP_P_MOST: Final = 100
"""Entries that top-p 0.95 keeps at most."""
TOP_P_ENTRIES: Final = 25.0
"""Mean entries under top-p 0.95, then top-k 100: 15 TB for 100B tokens at 6 bytes each."""

DISTILLKIT_K: Final = 128
"""Logits that DistillKit's recommended configuration keeps."""


class LogitKind(StrEnum):
    """Names of formats."""

    FULL = "full"
    """All logits in 16 bits."""
    FULL_FP32 = "full-fp32"
    """All logits in 32 bits."""
    TOP_K = "top-k"
    TOP_K_AND_LABEL = "top-k-and-label"
    """The largest ones, with the rest of the probability given to the true token."""
    TOP_P = "top-p"
    SAMPLED = "sampled"
    DISTILLKIT = "distillkit"


USUAL_ENTRIES: Final = {
    LogitKind.TOP_K: DISTILLKIT_K,
    LogitKind.TOP_K_AND_LABEL: 20,
    LogitKind.TOP_P: TOP_P_ENTRIES,
    LogitKind.SAMPLED: 12,
}
"""Default entries per token: DistillKit's k, the usual k with the label, and measured means."""


class FormatPenalty(NamedTuple):
    """What a format costs a student, nats per token."""

    nats: float
    low: float
    high: float
    tried: bool
    """Whether so many tokens lie between numbers that were tried."""
    source: str = ""
    inferred: str = ""
    """What it is inferred from, in words; empty where the format itself was tried."""


_NOTHING: Final = FormatPenalty(nats=0.0, low=0.0, high=0.0, tried=True, source="arithmetic")
"""All of the logits are the full ones."""


def format_penalty(kind: KeptLogits, kept: float, vocab: float | None = None) -> FormatPenalty:
    """What storing so many tokens of each position costs.

    Beyond the numbers that were tried, fewer cost what the line through the first two says, and
    more of the most likely ones ever less, to nothing for all of them.

    Args:
        kind: which of the logits.
        kept: tokens of each position.
        vocab: tokens that there are; None: not known.

    Raises:
        InputError: when the file of the studies is not what it should be.

    >>> round(format_penalty(KeptLogits.TOP_K, 12).nats, 3)
    0.119
    >>> format_penalty(KeptLogits.SAMPLED, 12).nats
    0.0
    """
    most = math.inf if vocab is None or kind is KeptLogits.SAMPLED else vocab
    if kept >= most:
        return _NOTHING
    studies = format_studies()
    first = studies.settings[0]
    tried = [one for one in first.shares if one.format is kind]
    counts = [one.kept for one in tried]
    nearest, nats, error = (*_costs(first, tried, kept, most), 2 * studies.rounding)
    others = [one for one in studies.others if one.format is kind]
    return FormatPenalty(
        nats=nats,
        low=max(
            min([nearest - error, nats, *(one.nats for one in others if one.kept <= kept)]), 0.0
        ),
        high=max(
            [
                nearest + error,
                2 * nats - nearest + error,
                *(one.nats for one in others if one.kept >= kept),
            ]
        ),
        tried=counts[0] <= kept <= counts[-1],
        source=studies.source,
    )


def _costs(
    setting: FormatSetting, tried: Sequence[KeptShare], kept: float, most: float
) -> tuple[float, float]:
    """What the nearest number that was tried costs, and what so many tokens do."""
    x, logs = math.log(kept), [math.log(one.kept) for one in tried]
    nats = [penalty_in(setting, one) for one in tried]
    nearest = float(np.interp(x, logs, nats))
    if kept < tried[0].kept:
        slope = max(nats[0] - nats[1], 0.0) / (logs[1] - logs[0])
        return nearest, nats[0] + slope * (logs[0] - x)
    if math.isinf(most):
        return nearest, nearest
    fewer = sum(one.kept < most for one in tried)
    ends = [*logs[:fewer], math.log(most)], [*nats[:fewer], 0.0]
    return nearest, float(np.interp(x, *ends))


def _top_p_penalty(kept: float, vocab: float | None) -> FormatPenalty:
    """What top-p costs with so many entries on average: at least what its most would cost."""
    alike, least = (
        format_penalty(KeptLogits.TOP_K, one, vocab) for one in (kept, max(kept, TOP_P_MOST))
    )
    if alike is _NOTHING:
        return alike
    tried = format_studies().top_p
    return alike._replace(
        low=least.low,
        high=max(alike.high, tried.nats),
        source=f"inferred from {alike.source}, and from {tried.source}",
        inferred=(
            f"what the top {kept:g} alone cost, and at most the {tried.nats:g} nats that "
            f"p = {tried.p:g} did"
        ),
    )


def _distillkit_penalty(vocab: float | None) -> FormatPenalty:
    """What DistillKit's format costs: between nothing and what its top k alone would."""
    alone = format_penalty(KeptLogits.TOP_K, DISTILLKIT_K, vocab)
    if alone is _NOTHING:
        return alone
    return alone._replace(
        nats=alone.nats / 2,
        low=0.0,
        source=f"inferred from {alone.source}",
        inferred=f"half of what its top {DISTILLKIT_K} alone cost, as a polynomial has the rest",
    )


LEAST_MONTHS: Final = 1.0
"""That logits are kept for where nobody says for how long."""


@dataclass(frozen=True, kw_only=True)
class StoredFormat:
    """How logits are stored, before the vocabulary is known.

    Raises:
        InputError: for an unknown word or an impossible number.
    """

    kind: LogitKind = LogitKind.SAMPLED
    """Sampled by default: unbiased, and a few tokens of each position are enough."""
    entries: int | None = None
    """Logits kept per token, on average; None: `USUAL_ENTRIES`."""
    months: float | None = None
    """How long they are kept; None: while the students are trained, and `LEAST_MONTHS` at least."""

    def __post_init__(self) -> None:
        """Check the settings."""
        settle(self, "logit_")
        if self.entries is not None and self.entries < 1:
            raise InputError(Word("logit_k"), f": {self.entries} is too few; give at least 1")
        if self.months is not None and self.months < 0:
            raise InputError(Word("logit_months"), f": {self.months:g} is negative")

    @property
    def kept(self) -> float | None:
        """Logits kept per token, on average; None where the format has no number of them."""
        return self.entries or USUAL_ENTRIES.get(self.kind)


TRIED: Final = {
    LogitKind.SAMPLED: KeptLogits.SAMPLED,
    LogitKind.TOP_K: KeptLogits.TOP_K,
    LogitKind.TOP_K_AND_LABEL: KeptLogits.TOP_K_AND_LABEL,
}
"""Formats whose cost to a student is published."""
_WHOLE: Final = (LogitKind.FULL, LogitKind.FULL_FP32)


@lru_cache(64)
def penalty_of(stored: StoredFormat | None, vocab: float | None = None) -> FormatPenalty:
    """What a format costs a student; nothing without one.

    Args:
        stored: the format.
        vocab: tokens of the teacher; None: not known.

    >>> penalty_of(StoredFormat(kind=LogitKind.FULL)).nats
    0.0
    """
    if stored is None or stored.kept is None:
        whole = stored is None or stored.kind in _WHOLE
        return _NOTHING if whole else _distillkit_penalty(vocab)
    if stored.kind is LogitKind.TOP_P:
        return _top_p_penalty(stored.kept, vocab)
    return format_penalty(TRIED[stored.kind], stored.kept, vocab)
