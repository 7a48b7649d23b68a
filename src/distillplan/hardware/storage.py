"""Teacher logits on disk: bytes per token by format, and what storing them costs.

The numbers and their sources are in coefficients/logit_formats.yaml.
"""

from typing import Final, NamedTuple

from distillplan.errors import InputError, Word
from distillplan.files.entries import shipped
from distillplan.laws.format_studies import FILE
from distillplan.laws.logit_formats import LEAST_MONTHS, USUAL_ENTRIES, LogitKind, StoredFormat
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
        """How many months it is kept, where training its students takes `needed_months`."""
        return max(LEAST_MONTHS, needed) if self.months is None else self.months

    def usd(self, tokens: float, needed: float = 0.0) -> float:
        """The price of storing so many unique tokens, months as for `kept_for`.

        Epochs read the same bytes.
        """
        stored, price = self.bytes_per_token * tokens, shipped(FILE).mapping("price")
        return stored / TB * self.kept_for(needed) * price.positive("usd_per_tb_month")


def needed_months(training_seconds: float, pass_seconds: float) -> float:
    """Months that a logit is kept while its students are trained, on average.

    Args:
        training_seconds: from the start to the end of training all students.
        pass_seconds: of the pass that writes the logits before, of which each waits for half.
    """
    return (training_seconds + pass_seconds / 2) / SECONDS_PER_MONTH


def format_of(kind: LogitKind, vocab: int, entries: float | None = None) -> LogitFormat:
    """A format by its name.

    The vocabulary is the rows of the teacher's output projection, and entries are the logits kept
    per token, on average; None: `USUAL_ENTRIES`.

    Raises:
        InputError: when there are more entries than rows, or for a format without a number of them.

    >>> format_of(LogitKind.TOP_K, 128256).name, format_of(LogitKind.FULL, 128256).bytes_per_token
    ('top-128', 256512.0)
    """
    told = shipped(FILE).mapping("storage").mapping(kind)
    name, each = told.text("name"), told.optional("entry_bytes")
    if each is None:
        if entries is not None:
            raise InputError(Word("logit_k"), f": {kind} has no k; leave it out, or use top-k")
        size = told.optional("bytes") or vocab * told.positive("row_bytes")
    else:
        kept = USUAL_ENTRIES[kind] if entries is None else entries
        if not 1 <= kept <= vocab:
            many = kept > vocab
            wrong = f"exceed the vocabulary of {vocab}; give fewer" if many else "are too few"
            raise InputError(Word("logit_k"), f": {kept:g} entries {wrong}")
        counted = round(kept) if "{}" in name else kept
        name, size = name.format(counted), counted * each
    unbiased, source = told.flag("unbiased"), told.text("source", "arithmetic")
    return LogitFormat(name=name, bytes_per_token=size, unbiased=unbiased, source=source)


def stored_logits(stored: StoredFormat, vocab: int) -> LogitFormat:
    """A format for a vocabulary of so many rows, and how long it is stored.

    Raises:
        InputError: as for `format_of`.
    """
    return format_of(stored.kind, vocab, stored.entries)._replace(months=stored.months)
