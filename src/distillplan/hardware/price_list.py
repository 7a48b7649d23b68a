"""Price lists of users: their own columns, or a cloud catalog as gpuhunt or SkyPilot writes it."""

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final, NamedTuple

from distillplan.errors import InputError
from distillplan.files.bounds import shown
from distillplan.files.csv_reader import BEYOND, FileRow, parse_csv
from distillplan.files.text_reader import read_text
from distillplan.hardware.gpu import UNKNOWN, Gpu, Price, price_of
from distillplan.hardware.gpu_catalog import priced_as, variants
from distillplan.units import parse_count, parse_usd

MOST_LISTED: Final = 10
"""GPUs of a price list in the sentence of an error."""

_MIB: Final = re.compile(r"SizeInMiB\W{1,9}(\d{1,9})\b")
_GIB: Final = re.compile(r"(\d{1,9})(\.\d*)?")


class PriceColumns(NamedTuple):
    """The columns in which a price list is written; an empty name stands for none."""

    gpu: str
    """In a cloud catalog empty for a machine without one."""
    price: str
    """Of a GPU, or of the machine on demand, in USD per hour; a catalog may leave it empty."""
    gpus: str = ""
    """Of the machine; only cloud catalogs have it."""
    spot: str = ""
    """Whether that price is one of spare capacity."""
    instance: str = ""
    region: str = ""
    memory: str = ""
    """Of one GPU, in GiB, or a text with it in MiB."""
    seller: str = ""
    date: str = ""
    source: str = ""


OWN: Final = PriceColumns(
    gpu="gpu", price="usd_per_hour", seller="seller", date="date", source="source"
)
"""A user's own list, which must have the first two."""

GPUHUNT: Final = PriceColumns(
    gpu="gpu_name",
    price="price",
    gpus="gpu_count",
    spot="spot",
    instance="instance_name",
    region="location",
    memory="gpu_memory",
    seller="provider",
)
"""Source: github.com/dstackai/gpuhunt, src/gpuhunt/_internal/models.py."""

SKYPILOT: Final = PriceColumns(
    gpu="AcceleratorName",
    price="Price",
    gpus="AcceleratorCount",
    instance="InstanceType",
    region="Region",
    memory="GpuInfo",
)
"""Source: github.com/skypilot-org/skypilot-catalog, catalogs/v8/CLOUD/vms.csv."""


def with_prices(found: Gpu, file: str) -> Gpu:
    """A GPU with the prices of a price list instead of its own; rows of other GPUs are skipped.

    Args:
        found: the GPU.
        file: a CSV file. Its columns are gpu and usd_per_hour and, optionally, seller, date
            (2026-02-28) and source; or those of gpuhunt or SkyPilot, whose cheapest offer on
            demand is taken, per GPU.

    Raises:
        InputError: when the list has no price of this GPU, or one that is not a price.
    """
    path, listed, others = Path(file), list[Price](), set[str]()
    text = read_text(path)
    rows = parse_csv(text, str(path))
    columns = next((one for one in (GPUHUNT, SKYPILOT) if rows and _has(rows[0].values, one)), OWN)
    if columns is OWN:
        rows = parse_csv(text, str(path), (OWN.gpu, OWN.price))
    for row in rows:
        where = f"{path}, line {row.line}"
        said = _said(row, where)
        named = said[columns.gpu]
        if columns is OWN and not named:
            raise InputError(f"{where}: gpu is empty; write e.g. h100-sxm")
        offered = named and said[columns.price] and said.get(columns.spot, "").lower() != "true"
        if columns is not OWN and not offered:
            continue
        memory, instance = _gib(said.get(columns.memory, "")), said.get(columns.instance, "")
        if (priced_as(named, memory, instance) or named) == found.name:
            listed.append(_price(said, columns, path, where))
        else:
            others.add(named)
    if not listed:
        raise InputError(f"{path}: no price for {found.name}; {_listed_instead(others, found)}")
    if columns is not OWN:
        listed = [min(listed, key=lambda price: price.usd_per_hour)]
    return replace(found, prices=tuple(listed))


def _said(row: FileRow, where: str) -> dict[str, str]:
    """A row with nothing missing, no blanks around its words, and no column without a name."""
    if BEYOND in row.values:
        raise InputError(f"{where}: more fields than the header has; quote those with commas")
    return {key: " ".join((value or "").split()) for key, value in row.values.items() if key}


def _has(header: Mapping[str, object], columns: PriceColumns) -> bool:
    """Whether a file has what a price needs in these columns."""
    return {columns.gpu, columns.gpus, columns.price} <= header.keys()


def _price(said: Mapping[str, str], columns: PriceColumns, path: Path, where: str) -> Price:
    """The price of one GPU."""
    usd = parse_usd(said[columns.price], f"{where}: {columns.price}", "2.49")
    if columns.gpus:
        usd /= parse_count(said[columns.gpus], f"{where}: {columns.gpus}", "8")
    seller = said.get(columns.seller) or path.name
    kind = (said.get(column) for column in (columns.instance, columns.region))
    return price_of(
        usd,
        seller=", ".join(filter(None, (seller, *kind))),
        date=said.get(columns.date) or UNKNOWN,
        source=said.get(columns.source) or str(path),
        where=f"{where}: ",
    )


def _gib(text: str) -> int | None:
    """The memory of one GPU in a cloud catalog; None where it is not stated."""
    if found := _MIB.search(text):
        return round(int(found[1]) / 1024)
    found = _GIB.fullmatch(text)
    return int(found[1]) if found else None


def _listed_instead(others: set[str], found: Gpu) -> str:
    """What a list has that has no price of a GPU."""
    if not others:
        return "it is empty"
    few = sorted(others)[:MOST_LISTED]
    more = f" and {len(others) - len(few)} more" if len(others) > len(few) else ""
    known = f"it lists {', '.join(map(shown, few))}{more}"
    loose = next((one for one in sorted(others) if found.name in variants(one)), None)
    if loose is None:
        return known
    return f"{known}; {shown(loose)} does not say which variant: write {found.name} there"
