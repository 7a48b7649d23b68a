"""Machines and slices of them as clouds and makers name them: their GPUs, and how many."""

import re
from functools import cache
from typing import Final, NamedTuple

from distillplan.files.entries import read_shipped

_BEFORE: Final = r"^(?:an?-|one-|nvidia-|aws-|standard-|ml\.|google-|cloud-)+"
"""What may stand before the name, or between its parts, and says nothing."""
LONGEST: Final = 64
"""Characters of a name that is looked up."""


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
    for pattern, gpu, gpus, cores in _machines():
        found = re.fullmatch(pattern, words)
        if found is not None:
            many = gpus or int(found[1]) / cores
            return NamedMachine(gpu=gpu, gpus=int(many)) if many >= 1 else None
    return None


@cache
def _machines() -> tuple[tuple[str, str, int | None, int], ...]:
    """Pattern, GPU, number, and cores of a chip where the name counts those."""
    entries = read_shipped("machines.yaml")["machines"]
    return tuple((one["name"], one["gpu"], one.get("gpus"), one.get("cores", 1)) for one in entries)
