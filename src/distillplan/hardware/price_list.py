"""Price lists of users: their own columns, or a cloud catalog as gpuhunt or SkyPilot writes it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from distillplan.errors import InputError
from distillplan.files.bounds import shown
from distillplan.files.csv_reader import BEYOND, FileRow, parse_separated, separator_of
from distillplan.files.entries import read_shipped
from distillplan.files.text_reader import read_text
from distillplan.hardware.gpu import UNKNOWN, Gpu, Price, checked_price
from distillplan.hardware.gpu_catalog import priced_as, variants
from distillplan.hardware.gpu_words import named_machine
from distillplan.units.articles import so_many
from distillplan.units.quantities import parse_count, parse_usd

MOST_LISTED: Final = 10
"""GPUs of a price list in the sentence of an error."""
_UNREAD: Final = frozenset(("gpus", "num_gpus", "gpu_count", "count", "spot"))
"""Columns that say that prices are of something else than one GPU on demand."""
_DECIMALS: Final = re.compile(r"(?<![\d.,])(\d+),(\d+)(?![\d.,])")
_MIB: Final = re.compile(r"SizeInMiB\W{1,9}(\d{1,9})\b")
_GIB: Final = re.compile(r"(\d{1,9})(\.\d*)?")


def with_prices(found: Gpu, file: str) -> Gpu:
    """A GPU with the prices of a price list instead of its own; rows of other GPUs are skipped.

    The list is a CSV file with the columns gpu and usd_per_hour and, optionally, seller, date and
    source; or one of gpuhunt or SkyPilot, whose cheapest offer on demand is taken, per GPU.

    Raises:
        InputError: when the list has no price of this GPU, or one that is not a price.
    """
    path, listed, others = Path(file), list[Price](), set[str]()
    columns, rows = _read(path)
    for where, said in _offers(path, columns, rows):
        named = said["gpu"]
        kind = priced_as(named, _gib(said.get("memory", "")), said.get("instance", ""))
        if (kind or named) == found.name:
            usd = parse_usd(said["price"], f"{where}: {columns['price']}", "2.49")
            whole = named_machine(named)
            if "gpus" in said:
                usd /= parse_count(said["gpus"], f"{where}: {columns['gpus']}", "8")
                usd /= 1 if whole is None else whole.gpus  # a slice, such as v5p-8
            elif whole is not None:
                has = f"{named} has {so_many(whole.gpus, 'GPU')}; give the price of one"
                raise InputError(f"{where}: {has}, of {found.name}")
            seller = (said.get("seller") or path.name, said.get("instance"), said.get("region"))
            price = Price(
                usd_per_hour=usd,
                seller=", ".join(filter(None, seller)),
                date=said.get("date") or UNKNOWN,
                source=said.get("source") or str(path),
            )
            listed.append(checked_price(price, f"{where}: "))
        else:
            others.add(named)
    if not listed:
        raise InputError(f"{path}: no price for {found.name}; {_listed_instead(others, found)}")
    if "gpus" in columns:
        listed = [min(listed, key=lambda price: price.usd_per_hour)]
    return replace(found, prices=tuple(listed))


def _read(path: Path) -> tuple[Mapping[str, str], list[FileRow]]:
    """The columns of a list, by what they hold, and its rows; only cloud catalogs count GPUs."""
    text, known = read_text(path), read_shipped("gpus.yaml")["price_lists"].values()
    rows = parse_separated(text, str(path))
    for one in known:
        if rows and "gpus" in one and {one["gpu"], one["gpus"], one["price"]} <= {*rows[0].values}:
            return one, rows
    own = next(one for one in known if "gpus" not in one)
    rows = parse_separated(text, str(path), (own["gpu"], own["price"]))
    for column in _UNREAD.intersection(rows[0].values if rows else ()):
        what = "give the price of one GPU on demand in each row, without that column"
        raise InputError(f"{path}: a column {column!r}; {what}")
    if separator_of(text) != ",":
        price = own["price"]
        points = (_DECIMALS.sub(r"\1.\2", row.values[price] or "") for row in rows)
        every = zip(rows, points, strict=True)
        rows = [row._replace(values={**row.values, price: point}) for row, point in every]
    return own, rows


def _offers(
    path: Path, columns: Mapping[str, str], rows: list[FileRow]
) -> Iterator[tuple[str, dict[str, str]]]:
    """Where each price stands, and what is said of it; catalogs have rows without one or spot."""
    for row in rows:
        where = f"{path}, line {row.line}"
        if BEYOND in row.values:
            raise InputError(f"{where}: more fields than the header has; quote those with commas")
        said = {
            name: " ".join((row.values.get(column) or "").split())
            for name, column in columns.items()
        }
        if "gpus" not in columns and not said["gpu"]:
            raise InputError(f"{where}: gpu is empty; write e.g. h100-sxm")
        offered = said["gpu"] and said["price"] and said.get("spot", "").lower() != "true"
        if offered or "gpus" not in columns:
            yield where, said


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
