"""Numbers of a GPU's data sheet: in which unit, and between which bounds any chip lies.

The bounds hold everything from an edge device to a rack that is counted as one GPU, so that what
lies beyond them is another unit: 989e12 where TFLOP/s are asked for.
"""

from typing import Final, NamedTuple

from distillplan.errors import InputError
from distillplan.files.entries import Entry

TERA: Final = 1e12
GIGA: Final = 1e9


class SheetUnit(NamedTuple):
    """How data sheets give a quantity."""

    name: str
    base: float
    """One of it in base units."""
    least: float
    most: float
    """What any GPU has, in this unit."""
    others: tuple[tuple[float, str], ...]
    """Units that people write instead: how many of this one each is, and its name."""


TFLOPS: Final = SheetUnit(
    name="TFLOP/s",
    base=TERA,
    least=1.0,
    most=1e5,
    others=((1e-12, "FLOP/s"), (1e-3, "GFLOP/s"), (1e3, "PFLOP/s")),
)
MEMORY: Final = SheetUnit(
    name="GB",
    base=GIGA,
    least=1.0,
    most=1e4,
    others=((1e-9, "bytes"), (1e-3, "MB"), (1e3, "TB")),
)
BANDWIDTH: Final = SheetUnit(
    name="GB/s",
    base=GIGA,
    least=10.0,
    most=1e5,
    others=((1e-9, "bytes/s"), (1e-3, "MB/s"), (1e3, "TB/s")),
)
LINK: Final = BANDWIDTH._replace(least=0.1)
POWER: Final = SheetUnit(
    name="W", base=1.0, least=5.0, most=1e4, others=((1e-3, "mW"), (1e3, "kW"))
)
GPUS: Final = SheetUnit(name="GPUs", base=1.0, least=1.0, most=1e4, others=())
PRICE: Final = SheetUnit(
    name="USD per GPU-hour", base=1.0, least=1e-3, most=1e3, others=((1e-2, "cents"),)
)


def in_base_units(value: float, unit: SheetUnit, where: str) -> float:
    """A number of a data sheet or a price list in base units.

    Raises:
        InputError: when no GPU has so much or so little, saying in which unit one has.
    """
    if unit.least <= value <= unit.most:
        return value * unit.base
    meant = [
        f"; {value:g} {name} are {value * factor:g} {unit.name}, so write {value * factor:g}"
        for factor, name in unit.others
        if unit.least <= value * factor <= unit.most
    ]
    raise InputError(
        f"{where}: {value:g} {unit.name} is not between {unit.least:g} and {unit.most:g}"
        + "".join(meant[:1])
    )


def optional(given: Entry, key: str, unit: SheetUnit) -> float | None:
    """The number under a key in base units; None where it is absent or null.

    Raises:
        InputError: as for `in_base_units`.
    """
    value = given.optional(key)
    return None if value is None else in_base_units(value, unit, f"{given.where}.{key}")


def needed(given: Entry, key: str, unit: SheetUnit) -> float:
    """The same of a key that must be there.

    Raises:
        InputError: when it is not, and as for `in_base_units`.
    """
    return in_base_units(given.positive(key), unit, f"{given.where}.{key}")


def count(given: Entry, key: str) -> int:
    """A number of GPUs.

    Raises:
        InputError: when it is missing or not whole, and as for `in_base_units`.
    """
    return int(in_base_units(given.whole(key), GPUS, f"{given.where}.{key}"))
