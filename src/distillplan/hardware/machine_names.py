"""Machines and slices of them as clouds and makers name them: their GPUs, and how many."""

import re
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
    for one in read_shipped("machines.yaml")["machines"]:
        found = re.fullmatch(one["name"], words)
        if found is not None:  # the name may count the cores of a chip
            many = one.get("gpus") or int(found[1]) / one.get("cores", 1)
            return NamedMachine(gpu=one["gpu"], gpus=int(many)) if many >= 1 else None
    return None
