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

OWN_COLUMNS: Final = ("gpu", "usd_per_hour")
"""Columns that a user's own list must have."""

_MIB: Final = re.compile(r"SizeInMiB\W{1,9}(\d{1,9})\b")
_GIB: Final = re.compile(r"(\d{1,9})(\.\d*)?")


class CloudColumns(NamedTuple):
    """The columns in which a program writes down what clouds ask for machines."""

    gpu: str
    """Empty for a machine without one."""
    gpus: str
    price: str
    """Of the machine on demand, in USD per hour; empty where it is not offered."""
    spot: str
    """Whether that price is one of spare capacity; missing where another column has those."""
    instance: str
    region: str
    memory: str
    """Of one GPU, in GiB, or a text with it in MiB."""
    seller: str
    """Missing in the catalog of one cloud."""


GPUHUNT: Final = CloudColumns(
    gpu="gpu_name",
    gpus="gpu_count",
    price="price",
    spot="spot",
    instance="instance_name",
    region="location",
    memory="gpu_memory",
    seller="provider",
)
"""Source: github.com/dstackai/gpuhunt, src/gpuhunt/_internal/models.py."""

SKYPILOT: Final = CloudColumns(
    gpu="AcceleratorName",
    gpus="AcceleratorCount",
    price="Price",
    spot="",
    instance="InstanceType",
    region="Region",
    memory="GpuInfo",
    seller="",
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
    cloud = next((one for one in (GPUHUNT, SKYPILOT) if rows and _has(rows[0].values, one)), None)
    if cloud is None:
        rows = parse_csv(text, str(path), OWN_COLUMNS)
    for row in rows:
        where = f"{path}, line {row.line}"
        said = _said(row, where)
        if cloud is None:
            named = said["gpu"]
            if not named:
                raise InputError(f"{where}: gpu is empty; write e.g. h100-sxm")
            meant = priced_as(named)
        else:
            named = said[cloud.gpu]
            if not (named and said[cloud.price]) or said.get(cloud.spot, "").lower() == "true":
                continue
            meant = priced_as(named, _gib(said.get(cloud.memory, "")), said.get(cloud.instance, ""))
        if (meant or named) != found.name:
            others.add(named)
        elif cloud is None:
            listed.append(_own_price(said, path, where))
        else:
            listed.append(_offered_price(said, cloud, path, where))
    if not listed:
        raise InputError(f"{path}: no price for {found.name}; {_listed_instead(others, found)}")
    if cloud is not None:
        listed = [min(listed, key=lambda price: price.usd_per_hour)]
    return replace(found, prices=tuple(listed))


def _said(row: FileRow, where: str) -> dict[str, str]:
    """A row with nothing missing and no blanks around its words."""
    if BEYOND in row.values:
        raise InputError(f"{where}: more fields than the header has; quote those with commas")
    return {key: " ".join((value or "").split()) for key, value in row.values.items()}


def _has(header: Mapping[str, object], columns: CloudColumns) -> bool:
    """Whether a file has what a price needs in these columns."""
    return {columns.gpu, columns.gpus, columns.price} <= header.keys()


def _own_price(said: Mapping[str, str], path: Path, where: str) -> Price:
    return price_of(
        parse_usd(said["usd_per_hour"], f"{where}: usd_per_hour", "2.49"),
        seller=said.get("seller") or path.name,
        date=said.get("date") or UNKNOWN,
        source=said.get("source") or str(path),
        where=f"{where}: ",
    )


def _offered_price(said: Mapping[str, str], cloud: CloudColumns, path: Path, where: str) -> Price:
    """The price of one GPU of a machine."""
    machine = parse_usd(said[cloud.price], f"{where}: {cloud.price}", "2.49")
    gpus = parse_count(said[cloud.gpus], f"{where}: {cloud.gpus}", "8")
    seller = said.get(cloud.seller) or path.name
    kind = (said.get(column) for column in (cloud.instance, cloud.region))
    return price_of(
        machine / gpus,
        seller=", ".join(filter(None, (seller, *kind))),
        date=UNKNOWN,
        source=str(path),
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
