"""How much of a foreign file is read, whatever its format; far above any that is meant well."""

from typing import Any, Final

MOST_BYTES: Final = 4_000_000
"""Largest file that is read; far above any table of coefficients."""
MOST_TREE_BYTES: Final = 1_000_000
"""Largest file of nested values, which is read within a second."""
MOST_CONFIG_BYTES: Final = 6_000_000
"""Largest config.json; those of quantized models name every matrix and reach 3 MB."""
MOST_VALUES: Final = 50_000
"""Values in such a file, counting those that aliases repeat."""
MOST_DEPTH: Final = 20
"""Levels of nesting; a scenario needs four."""
MOST_LETTERS: Final = 10_000
"""Characters of one value."""
LARGEST: Final = 1e300
"""Largest number that is read; sums of a few still are numbers."""
MOST_ROWS: Final = 200_000
"""Of a table; a loss at each step of a long run."""
MOST_COLUMNS: Final = 1_000
MOST_CELLS: Final = 1_000_000
"""Rows times columns."""
MOST_SHOWN: Final = 60
"""Characters of a value in the sentence of an error."""


def shown(value: Any) -> str:
    """A value as an error shows it: on one line and short, however much there is of it.

    >>> shown("x" * 1000)
    "'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx..."
    """
    text = repr(value)
    return text if len(text) <= MOST_SHOWN else f"{text[: MOST_SHOWN - 3]}..."


def text_fault(text: str, most_letters: float = MOST_LETTERS) -> str | None:
    r"""What is wrong with a text of a file; None where nothing is.

    Args:
        text: of the file.
        most_letters: how long it may be.

    >>> text_fault("a\0b")
    'a NUL character'
    """
    if len(text) > most_letters:
        return f"a value longer than {most_letters:,} characters"
    if "\0" in text:
        return "a NUL character"
    if not text.isascii() and any("\ud800" <= one <= "\udfff" for one in text):
        return "half of a surrogate pair, which is no character"
    return None
