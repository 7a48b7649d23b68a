"""Teacher logits on disk: bytes per token by format, and what storing them costs.

The numbers and their sources are in coefficients/logit_formats.yaml.
"""

from typing import Final

from distillplan.errors import InputError, Word
from distillplan.files.entries import shipped
from distillplan.laws.format_studies import FILE
from distillplan.laws.logit_formats import LEAST_MONTHS, StoredFormat
from distillplan.named_tuples import NamedTuple
from distillplan.units.quantities import SECONDS_PER_MONTH

TB: Final = 1e12


class LogitFormat(NamedTuple):
    """How the teacher's distribution at one token is stored."""

    name: str
    bytes_per_token: float
    """The mean, before general-purpose compression."""
    unbiased: bool
    """Whether it gives the teacher's distribution on average; a cut tail is a bias."""
    source: str = "arithmetic"
    months: float | None = None
    """How long it is kept; None: for as long as it is read."""

    def kept_for(self, needed: float) -> float:
        """How many months it is kept, where its students need it for so many (`needed_months`)."""
        return max(LEAST_MONTHS, needed) if self.months is None else self.months

    def usd(self, tokens: float, needed: float = 0.0) -> float:
        """Dollars for storing so many unique tokens, `needed` as above; epochs read the same."""
        stored, price = self.bytes_per_token * tokens, shipped(FILE).mapping("price")
        return stored / TB * self.kept_for(needed) * price.positive("usd_per_tb_month")


def needed_months(training_seconds: float, pass_seconds: float) -> float:
    """Months that a logit is kept while its students are trained, on average.

    Args:
        training_seconds: from the start to the end of training all students.
        pass_seconds: of the pass that writes the logits before, of which each waits for half.
    """
    return (training_seconds + pass_seconds / 2) / SECONDS_PER_MONTH


def stored_logits(stored: StoredFormat, vocab: int) -> LogitFormat:
    """A format of the logits over a vocabulary, the rows of the teacher's output projection.

    Raises:
        InputError: when there are more entries than rows, or for a format without a number of them.

    >>> full = stored_logits(StoredFormat(kind="full"), 128256)
    >>> full.bytes_per_token, stored_logits(StoredFormat(kind="top-k"), 128256).name
    (256512.0, 'top-128')
    """
    told, kept = shipped(FILE).mapping("storage").mapping(stored.kind), stored.kept
    name, each = told.text("name"), told.optional("entry_bytes")
    if each is None or kept is None:
        if stored.entries is not None:
            wrong = f": {stored.kind} has no k; leave it out, or use top-k"
            raise InputError(Word("logit_k"), wrong)
        size = told.optional("bytes") or vocab * told.positive("row_bytes")
    else:
        if kept > vocab:
            wrong = f": {kept:g} entries exceed the vocabulary of {vocab}; give fewer"
            raise InputError(Word("logit_k"), wrong)
        counted = round(kept) if "{}" in name else kept
        name, size = name.format(counted), counted * each
    return LogitFormat(
        name=name,
        bytes_per_token=size,
        unbiased=told.flag("unbiased"),
        source=told.text("source", "arithmetic"),
        months=stored.months,
    )
