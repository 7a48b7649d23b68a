"""A or an before numbers and names, and one thing or several."""

import re


def with_article(words: str, *, begins: bool = False) -> str:
    """Words with "a" before them, or "an" where they are spoken with a vowel first.

    Args:
        words: a number or a name, and what it is of.
        begins: whether they begin a sentence.

    >>> with_article("8B student"), with_article("11.0B model"), with_article("18B model")
    ('an 8B student', 'an 11.0B model', 'an 18B model')
    >>> with_article("110B model"), with_article("0.8B model"), with_article("olmo-2-7b student")
    ('a 110B model', 'a 0.8B model', 'an olmo-2-7b student')
    """
    spoken = re.match(r"8|1[18](?![\d,])|[aeioAEIO]", words)
    return f"{'A' if begins else 'a'}{'n' if spoken else ''} {words}"


def so_many(count: int, noun: str) -> str:
    """A number of things.

    >>> so_many(1, "GPU"), so_many(8, "GPU")
    ('1 GPU', '8 GPUs')
    """
    return f"{count} {noun}{'' if count == 1 else 's'}"
