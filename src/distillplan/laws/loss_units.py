"""Losses as other people report them, and the law's own unit, nats per token.

With b bytes per token of the tokenizer on the same text:

    bits/token = nats/token / ln 2
    bits/byte  = nats/token / (b ln 2)
    perplexity = exp(nats/token)

Losses of two tokenizers can be compared only in bits per byte, so a loss in nats per token of
another tokenizer than the law's needs the bytes per token of both.
"""

import math
from enum import StrEnum
from typing import Final

from distillplan.errors import InputError, Word

_LN2: Final = math.log(2)
_MOST_BYTES: Final = 64.0
"""Above this the unit must be wrong: no tokenizer in use averages more bytes per token."""
LEAST_NATS: Final = 0.01
"""No model of a text has less in nats per token: the best ones of plain code are ten times above.
What is below it is a slip, and powers of it leave what a computer counts."""


class LossUnit(StrEnum):
    """A unit in which a cross-entropy is reported."""

    NATS = "nats/token"
    BITS = "bits/token"
    BITS_PER_BYTE = "bits/byte"
    PERPLEXITY = "perplexity"


_ALIASES: Final = {unit.value: unit for unit in LossUnit} | {
    "nats": LossUnit.NATS,
    "bits": LossUnit.BITS,
    "bpb": LossUnit.BITS_PER_BYTE,
    "ppl": LossUnit.PERPLEXITY,
}


def parse_loss_unit(text: str, what: str = "loss unit") -> LossUnit:
    """The unit that somebody named.

    Args:
        text: as written.
        what: the word that starts an error message.

    Raises:
        InputError: for an unknown unit.

    >>> parse_loss_unit("BPB").value
    'bits/byte'
    """
    words = text.strip().lower().replace("_", " ").replace("-", " ")
    unit = _ALIASES.get(words.replace(" per ", "/"))
    if unit is None:
        known = ", ".join(LossUnit)
        raise InputError(f"{what}: {text[:40]!r} is unknown; use one of {known}")
    return unit


def to_nats_per_token(
    value: float, unit: LossUnit, *, bytes_per_token: float | None = None, what: str = "loss"
) -> float:
    """A loss in nats per token of the tokenizer that ``bytes_per_token`` describes.

    Args:
        value: the loss, in ``unit``.
        unit: its unit.
        bytes_per_token: UTF-8 bytes per token on the same text; needed for bits per byte only.
        what: noun for an error message.

    Raises:
        InputError: when the loss is not positive and finite, or bytes per token are missing.

    >>> round(to_nats_per_token(0.72, LossUnit.BITS_PER_BYTE, bytes_per_token=4.3), 4)
    2.146
    """
    _demand_positive(value, unit, what)
    match unit:
        case LossUnit.NATS:
            return value
        case LossUnit.BITS:
            return value * _LN2
        case LossUnit.BITS_PER_BYTE:
            return value * _LN2 * _bytes(bytes_per_token, what, f"{value:g} {unit.value}")
        case LossUnit.PERPLEXITY:
            return math.log(value)


def from_nats_per_token(
    nats: float, unit: LossUnit, *, bytes_per_token: float | None = None
) -> float:
    """A loss in another unit; the inverse of ``to_nats_per_token``.

    Raises:
        InputError: when bytes per token are missing for bits per byte.

    >>> round(from_nats_per_token(2.146, LossUnit.BITS_PER_BYTE, bytes_per_token=4.3), 3)
    0.72
    """
    match unit:
        case LossUnit.NATS:
            return nats
        case LossUnit.BITS:
            return nats / _LN2
        case LossUnit.BITS_PER_BYTE:
            return nats / _LN2 / _bytes(bytes_per_token, "loss", unit.value)
        case LossUnit.PERPLEXITY:
            return math.exp(nats)


def measured_loss(
    loss: float | None,
    unit: LossUnit | None = None,
    *,
    bpb: float | None = None,
    bytes_per_token: float | None = None,
    own_bytes_per_token: float | None = None,
) -> float | None:
    """A loss as somebody measured it, in nats per token of the law's tokenizer.

    Args:
        loss: in ``unit``; None where it was not measured, or is given as ``bpb``.
        unit: None is nats per token.
        bpb: the loss in bits per byte, instead.
        bytes_per_token: of the law's tokenizer on the same text.
        own_bytes_per_token: of the tokenizer that the loss was measured with, if it is another.

    Raises:
        InputError: naming what is missing or superfluous.

    >>> measured_loss(2.1), measured_loss(None)
    (2.1, None)
    >>> round(measured_loss(2.5, bytes_per_token=4.0, own_bytes_per_token=5.0), 3)
    2.0
    """
    what = "teacher loss"
    if loss is not None and bpb is not None:
        raise InputError(f"{what}: given twice, once in bits/byte; leave one out")
    if bpb is not None:
        if unit is not None:
            raise InputError(f"{what}: it is given in bits/byte already; leave the loss unit out")
        loss, unit = bpb, LossUnit.BITS_PER_BYTE
    if loss is None:
        if unit is not None or bytes_per_token is not None or own_bytes_per_token is not None:
            raise InputError(
                f"{what}: a unit or bytes per token are given, but no loss; add ",
                Word("teacher.loss", "2.1"),
            )
        return None
    unit = unit or LossUnit.NATS
    if unit is LossUnit.BITS_PER_BYTE and bytes_per_token is None:
        _refuse_own_alone(own_bytes_per_token, what)
    nats = to_nats_per_token(loss, unit, bytes_per_token=bytes_per_token, what=what)
    if unit is LossUnit.BITS_PER_BYTE:  # which does not depend on the tokenizer
        return nats
    if own_bytes_per_token is None:
        if bytes_per_token is not None:
            raise InputError(
                f"{what}: {unit.value} needs no bytes per token; for a loss measured with another "
                "tokenizer add ",
                Word("teacher.bytes_per_token"),
                " as well",
            )
        return nats
    return between_tokenizers(
        nats,
        bytes_per_token=own_bytes_per_token,
        law_bytes_per_token=bytes_per_token,
        what=what,
    )


def _refuse_own_alone(own_bytes_per_token: float | None, what: str) -> None:
    """Refuse bytes per token of the teacher's tokenizer where those of the law's are needed."""
    if own_bytes_per_token is not None:
        raise InputError(
            f"{what}: ",
            Word("teacher.bytes_per_token"),
            " is of the teacher's own tokenizer, and bits/byte need that of the law's; add ",
            Word("bytes_per_token", "4.3"),
            " beside the teacher",
        )


def between_tokenizers(
    nats_per_token: float,
    *,
    bytes_per_token: float | None,
    law_bytes_per_token: float | None,
    what: str = "loss",
) -> float:
    """A loss measured with one tokenizer, in nats per token of another, by equal bits per byte.

    Args:
        nats_per_token: the loss with the first tokenizer.
        bytes_per_token: of the first tokenizer.
        law_bytes_per_token: of the tokenizer that the law was fitted with.
        what: noun for an error message.

    Raises:
        InputError: when either bytes per token is missing.
    """
    _demand_positive(nats_per_token, LossUnit.NATS, what)
    own = _bytes(bytes_per_token, what, "another tokenizer's nats/token")
    law = _bytes(law_bytes_per_token, what, "nats/token of the law's tokenizer", "of the law's")
    return nats_per_token * law / own


def _demand_positive(value: float, unit: LossUnit, what: str) -> None:
    least = 1.0 if unit is LossUnit.PERPLEXITY else 0.0
    if not (math.isfinite(value) and value > least):
        raise InputError(
            f"{what}: {value:g} {unit.value} is not a finite number above {least:g}; typical "
            "losses are 2.2 nats/token, 3.2 bits/token, 0.75 bits/byte or a perplexity of 9"
        )


def _bytes(value: float | None, what: str, given: str, whose: str = "of the tokenizer") -> float:
    if value is None:
        raise InputError(
            f"{what}: {given} needs the bytes per token {whose}, which are missing; add for "
            "example ",
            Word("bytes_per_token", "4.3"),
            " (bytes of a text divided by its tokens)",
        )
    if not (math.isfinite(value) and 0 < value <= _MOST_BYTES):
        raise InputError(
            f"{what}: {value:g} bytes per token is not between 0 and {_MOST_BYTES:g}; English text "
            "has about 4.3"
        )
    return value
