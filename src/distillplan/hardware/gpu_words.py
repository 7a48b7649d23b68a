"""Names of GPUs as drivers, clouds and people write them, in the words that tell GPUs apart."""

import re
from typing import Final

NOISE: Final = (
    r"(?:gpu|card|chip|accelerator)s?|compute|time|each|tensor|nvidia|corporation|amd|google|"
    r"cloud|intel|habana|aws|geforce|tesla|instinct|generation|edition|oam"
)
"""Words beside the name of a GPU; a laptop's or a Max-Q card is another one and says so."""
_NOISES: Final = r"\b(?:tensor[\s-]+cores?|(?:server|workstation)(?=[\s-]+edition))\b"
"""The same where only their neighbors tell them from CPUs and machines."""
PARTS: Final = frozenset(("laptop", "mobile", "q", "mig"))
"""Words of a card that is less than the one of the same name, the last of Max-Q."""
_MEMORY: Final = r"(?<![a-z0-9.])(\d+)[\s-]?gi?b?\b"
_ADDRESSED: Final = r"\[([^][]+)\]"
"""Where lspci has the name: NVIDIA Corporation AD102GL [L40S]."""


def words_of(name: str) -> list[str]:
    """The words of a name, in lower case and in their order.

    >>> words_of("NVIDIA A100-SXM4-80GB"), words_of("NVIDIA GeForce RTX 4090"), words_of("A10G")
    (['a100', 'sxm', '80gb'], ['rtx', '4090'], ['a10g'])
    """
    text = (re.findall(_ADDRESSED, name) or [name])[-1].lower()
    text = re.sub(_MEMORY, r"\1gb", re.sub(_NOISES, "", text))
    words = (re.sub(r"sxm\d$", "sxm", word) for word in re.split(r"[\s()[\]/,_-]+", text))
    return [word for word in words if word and not re.fullmatch(NOISE, word)]


def is_memory(word: str) -> bool:
    """Whether a word is an amount of memory.

    >>> is_memory("80gb"), is_memory("hbm3")
    (True, False)
    """
    return re.fullmatch(r"\d+gb", word) is not None


def looser(words: list[str]) -> list[list[str]]:
    """Words as they are, without the s of several GPUs, and without the kind of their memory.

    >>> looser(["h100s", "hbm3"])
    [['h100s', 'hbm3'], ['h100', 'hbm3'], ['h100s'], ['h100']]
    """
    bare = [word for word in words if not re.fullmatch(r"hbm\d?e?", word)]
    both = [words, bare] if bare != words else [words]
    return [
        found
        for one in both
        for found in (one, [re.sub(r"(?<=[a-z\d])s$", "", word) for word in one])
    ]
