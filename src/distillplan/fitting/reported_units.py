"""Losses of a table in nats per token: in the unit that was said, or refused where they cannot be.

Nothing tells nats from bits per token; bits per byte and perplexities mostly show.
"""

import re
from collections.abc import Iterable
from typing import Final

import numpy as np

from distillplan.errors import InputError
from distillplan.laws.formulas import FloatArray
from distillplan.laws.loss_units import LossUnit, to_nats_per_token

LEAST_NATS: Final = 1.2
"""The median of losses of text in nats per token is above, of bits per byte below."""

MOST_NATS_USUAL: Final = 7.0
"""The median of losses in nats per token is below; a uniform guess over 32 thousand has 10."""

_TEACHERS: Final = (0.45, 1.25)
"""The median teacher's loss over its students', in nats per token, is between: it is 0.92 in Figure
1 of arXiv:2502.08606, of 0.69 to 1.01. A loss in nats that is read as bits per byte is above, as a
perplexity below."""

_EXAMPLE_BYTES: Final = 4.3
"""Bytes per token of English text."""

_NAMED: Final = (
    (LossUnit.BITS_PER_BYTE, re.compile(r"bpb|bits?[\s_./-]*(?:per)?[\s_./-]*byte")),
    (LossUnit.BITS, re.compile(r"(?<![a-z])bits?(?![a-z])|bits?per|bpt")),
    (LossUnit.NATS, re.compile(r"(?<![a-z])(?:ln|log)[\s_./-]*\(?(?:ppl|perpl)")),
    (LossUnit.PERPLEXITY, re.compile(r"ppl|perplexity")),
)
"""Units that the name of a column may say, in lower case; the first that fits."""

_NATS_NAMED: Final = re.compile(r"(?<![a-z])nats?(?![a-z])")
"""What a column's name says of losses in nats, in lower case."""

_ADVICE: Final = {
    LossUnit.NATS: (
        "the logarithm of a perplexity, which is nats/token if it is the natural one",
        "--loss-unit nats",
    ),
    LossUnit.BITS: ("bits/token", "--loss-unit bits"),
    LossUnit.BITS_PER_BYTE: (
        "bits/byte",
        f"--loss-unit bpb --bytes-per-token {_EXAMPLE_BYTES:g} (bytes of a text by its tokens)",
    ),
    LossUnit.PERPLEXITY: ("perplexities", "--loss-unit ppl"),
}


def refuse_other_units(
    losses: FloatArray, columns: Iterable[str], source: str, *, teachers: bool = False
) -> None:
    """Refuse losses that are not in nats per token by their column's name or their size.

    Args:
        losses: in the unit of the file, shape (runs,).
        columns: names of the columns that they are from.
        source: the file's name, for the message.
        teachers: whether they are the teachers', beside losses that may be nats per token.

    Raises:
        InputError: which says what they look like, and what to write.
    """
    for column in columns:
        unit = unit_named(column)
        if unit is not None:
            raise _refusal(source, f"the column {column!r} looks like", unit, teachers=teachers)
    if not losses.size:
        return
    # which a diverged run does not move; of halves, whose sum cannot overflow
    median = 2 * float(np.median(losses / 2))
    for unit, odd, edge in (
        (LossUnit.BITS_PER_BYTE, median < LEAST_NATS, f"below {LEAST_NATS:g}"),
        (LossUnit.PERPLEXITY, median > MOST_NATS_USUAL, f"above {MOST_NATS_USUAL:g}"),
    ):
        if odd:
            span = f"{losses.min():.4g} to {losses.max():.4g}"
            what = "teacher_loss" if teachers else "loss"
            raise _refusal(
                source,
                f"the median {what} is {edge} ({median:.4g} of {span}), which looks like",
                unit,
                teachers=teachers,
            )


def unit_named(column: str) -> LossUnit | None:
    """The unit of losses that the name of a column says; None where it says none, or nats.

    >>> unit_named("wikitext/bits_per_byte"), unit_named("val_loss")
    (<LossUnit.BITS_PER_BYTE: 'bits/byte'>, None)
    """
    return next((unit for unit, name in _NAMED if name.search(column.lower())), None)


def option_of(unit: LossUnit) -> str:
    """What to write for losses in a unit."""
    return _ADVICE[unit][1]


def refuse_teachers_in_nats(
    losses: FloatArray,
    teachers: FloatArray,
    unit: LossUnit | None,
    bytes_per_token: float | None,
    source: str,
    columns: Iterable[str] = (),
) -> None:
    """Refuse teachers' losses that are in nats per token beside losses in another unit.

    Args:
        losses: of the students, in the unit that was said, shape (runs,).
        teachers: NaN for a run without a teacher, shape (runs,).
        unit: which was said; None is nats per token.
        bytes_per_token: needed for bits per byte.
        source: the file's name, for the message.
        columns: names of the columns that the teachers' are from.

    Raises:
        InputError: when they are far from the students' in that unit, and nearer in nats; or when
            their column says that it has nats.
    """
    taught = ~np.isnan(teachers)
    if unit in (None, LossUnit.NATS) or not taught.any():
        return
    for column in columns:
        if _NATS_NAMED.search(column.lower()):
            raise InputError(
                f"{source}: the losses are in {unit}, and the column {column!r} says nats; give "
                "teacher_loss in the unit of the losses, or both in nats/token"
            )
    students = in_nats(losses[taught], unit, bytes_per_token, "loss")
    read = in_nats(teachers[taught], unit, bytes_per_token, "teacher_loss")
    said, nats = (float(np.median(one / students)) for one in (read, teachers[taught]))
    if _TEACHERS[0] < said < _TEACHERS[1] or abs(np.log(nats)) >= abs(np.log(said)):
        return
    raise InputError(
        f"{source}: the losses are in {unit}, and the median teacher_loss of "
        f"{float(np.median(teachers[taught])):.4g} looks like nats/token (as {unit} it would be "
        f"{said:.2g} times its students' loss); give teacher_loss in the unit of the losses, or "
        "both in nats/token"
    )


def in_nats(
    losses: FloatArray, unit: LossUnit | None, bytes_per_token: float | None, what: str
) -> FloatArray:
    """Losses in nats per token; NaN stays NaN.

    Args:
        losses: positive, shape (runs,).
        unit: their unit; None is nats per token.
        bytes_per_token: needed for bits per byte.
        what: noun for an error message.

    Raises:
        InputError: when bytes per token are missing or impossible, or a perplexity is below 1.
    """
    unit = unit or LossUnit.NATS
    return np.array(
        [
            one
            if np.isnan(one)
            else to_nats_per_token(one, unit, bytes_per_token=bytes_per_token, what=what)
            for one in losses.tolist()
        ]
    )


def demand_bytes(unit: LossUnit | None, bytes_per_token: float | None) -> None:
    """Refuse bits per byte without bytes per token, before any file is read.

    Raises:
        InputError: which says what to add.
    """
    if unit is LossUnit.BITS_PER_BYTE and bytes_per_token is None:
        raise InputError(
            f"--loss-unit {unit.value} needs --bytes-per-token, for example {_EXAMPLE_BYTES:g} "
            "(bytes of a text divided by its tokens)"
        )


def _refusal(source: str, finding: str, unit: LossUnit, *, teachers: bool) -> InputError:
    looks, write = _ADVICE[unit]
    advice = f"write {write}"
    if (
        teachers and unit is not LossUnit.NATS
    ):  # --loss-unit would turn the losses too, and those look right
        advice = "give it in nats/token, as the losses are"
    other = "" if unit is LossUnit.NATS else ", or --loss-unit nats if it is nats/token"
    return InputError(f"{source}: {finding} {looks}, not nats/token; {advice}{other}")
