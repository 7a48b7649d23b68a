"""Names as drivers, clouds and people write them: of GPUs by words, of machines by their GPUs."""

import re
from typing import Final

from distillplan.files.entries import read_shipped
from distillplan.named_tuples import NamedTuple

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
_BEFORE: Final = r"^(?:an?-|one-|nvidia-|aws-|standard-|ml\.|google-|cloud-)+"
"""What may stand before the name, or between its parts, and says nothing."""
LONGEST: Final = 64
"""Characters of a name that is looked up."""


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


class NamedMachine(NamedTuple):
    """What a name stands for."""

    gpu: str
    """In the words of the catalog, without the variant where the machine is sold with several."""
    gpus: int


def named_machine(name: str) -> NamedMachine | None:
    """The machine of a name; None where it is none.

    >>> named_machine("Standard_ND96isr_H100_v5"), named_machine("TPU v5p-256")
    (NamedMachine(gpu='h100-sxm', gpus=8), NamedMachine(gpu='tpu-v5p', gpus=128))
    >>> named_machine("h100-sxm")
    """
    if len(name) > LONGEST:
        return None
    words = re.sub(_BEFORE, "", re.sub(r"[\s_]+", "-", name.strip().lower()))
    for one in read_shipped("machines.yaml")["machines"]:
        found = re.fullmatch(one["name"], words)
        if found is not None:  # the name may count the cores of a chip
            many = one.get("gpus") or int(found[1]) / one.get("cores", 1)
            return NamedMachine(gpu=one["gpu"], gpus=int(many)) if many >= 1 else None
    return None
