"""The format of stored logits as people name it, with a vocabulary."""

from distillplan.errors import InputError, Word
from distillplan.hardware.storage import (
    DISTILLKIT,
    LogitFormat,
    StoredLogits,
    full,
    sampled,
    top_k,
    top_k_and_label,
    top_p,
)
from distillplan.laws.logit_formats import USUAL_ENTRIES, LogitKind, StoredFormat


def format_of(kind: LogitKind, vocab: int, entries: int | None = None) -> LogitFormat:
    """A format by its name.

    Args:
        kind: the name.
        vocab: rows of the teacher's output projection.
        entries: logits kept per token, on average; None: `USUAL_ENTRIES`.

    Raises:
        InputError: when there are more entries than rows, or for a format without a number of them.

    >>> format_of(LogitKind.TOP_K, 128256).name, format_of(LogitKind.FULL, 128256).bytes_per_token
    ('top-128', 256512.0)
    """
    whole = {
        LogitKind.FULL: full(vocab),
        LogitKind.FULL_FP32: full(vocab, 4.0),
        LogitKind.DISTILLKIT: DISTILLKIT,
    }
    if kind in whole:
        if entries is not None:
            raise InputError(Word("logit_k"), f": {kind} has no k; leave it out, or use top-k")
        return whole[kind]
    kept = USUAL_ENTRIES[kind] if entries is None else entries
    if kept > vocab:
        raise InputError(
            Word("logit_k"), f": {kept:g} entries exceed the vocabulary of {vocab}; give fewer"
        )
    if kind is LogitKind.TOP_K:
        return top_k(round(kept))
    if kind is LogitKind.TOP_K_AND_LABEL:
        return top_k_and_label(round(kept))
    return top_p(kept) if kind is LogitKind.TOP_P else sampled(kept)


def stored_logits(stored: StoredFormat, vocab: int) -> StoredLogits:
    """A format for a vocabulary of so many rows, and how long it is stored.

    Raises:
        InputError: as for `format_of`.

    >>> stored_logits(StoredFormat(), 128256).format.bytes_per_token
    60.0
    """
    found = format_of(stored.kind, vocab, stored.entries)
    return StoredLogits(format=found, months=stored.months)
