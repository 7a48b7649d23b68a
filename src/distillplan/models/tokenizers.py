"""Whether models have one tokenizer, which is asked wherever logits pass from one to another.

Only the catalog has names of tokenizers; of a config.json the rows of its vocabulary are known.
Rows are padded to round numbers, and tuned copies add a few, so one tokenizer has several counts:
50,304 to 50,688 in Pythia, 151,936 and 152,064 in Qwen 2.5, 151,680 and 152,576 in MiMo.
"""

from typing import Final, Protocol

MOST_PADDING: Final = 1024
"""So many rows more are another tokenizer: padding ends at multiples of 1,024 in the catalog."""
MOST_PADDED: Final = 0.01
"""More rows than this share are another tokenizer; the largest padding of the catalog is 0.8%,
and Mistral's next tokenizer has 2.4% more."""


class Reads(Protocol):
    """A model whose tokenizer or vocabulary may be known."""

    @property
    def name(self) -> str:
        """As it is called."""

    @property
    def tokenizer(self) -> str | None:
        """Name of its tokenizer in the catalog; None: not known."""

    @property
    def vocab(self) -> int | None:
        """Rows of its vocabulary; None: not known."""


def other_tokenizer(one: Reads | None, other: Reads | None) -> bool:
    """Whether two models are known to have different tokenizers, by name or by rows.

    >>> from distillplan.models.known_model import known_model
    >>> other_tokenizer(known_model("pythia-70m"), known_model("pythia-12b"))
    False
    >>> other_tokenizer(known_model("mistral-7b-v0.1"), known_model("mistral-7b-v0.3"))
    True
    """
    if one is None or other is None:
        return False
    if one.tokenizer is not None and other.tokenizer is not None:
        return one.tokenizer != other.tokenizer
    if one.vocab is None or other.vocab is None:
        return False
    return not alike_but_padding(one.vocab, other.vocab)


def same_tokenizer(one: Reads | None, other: Reads | None) -> bool:
    """Whether two models are known to have one tokenizer, which only their names say."""
    if one is None or other is None or one.tokenizer is None:
        return False
    return one.tokenizer == other.tokenizer


def alike_but_padding(one: int, other: int) -> bool:
    """Whether two counts of rows may be of one tokenizer.

    >>> alike_but_padding(151_936, 152_064), alike_but_padding(32_000, 32_768)
    (True, False)
    """
    few, many = sorted((one, other))
    return many - few < MOST_PADDING and many - few <= MOST_PADDED * few


def tokenizer_told(model: Reads) -> str:
    """A model's tokenizer in words: its name, or the size of its vocabulary.

    >>> from distillplan.models.known_model import known_model
    >>> tokenizer_told(known_model("llama-3.1-8b"))
    'llama-3'
    """
    if model.tokenizer is not None:
        return model.tokenizer
    return "unknown" if model.vocab is None else f"a vocabulary of {model.vocab:,}"
