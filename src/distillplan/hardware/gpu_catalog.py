"""The hardware data that ships, and the user's own GPUs and price lists."""

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import NamedTuple

from distillplan.errors import InputError, Word
from distillplan.files.bounds import shown
from distillplan.files.csv_reader import BEYOND, read_csv
from distillplan.files.entries import read_shipped
from distillplan.files.yaml_reader import YAML_ENDINGS
from distillplan.hardware.gpu import UNKNOWN, Gpu, gpu_from_entry, price_of
from distillplan.hardware.throughput_model import ThroughputModel, throughput_model_from_entry
from distillplan.suggest import close_names, nearest
from distillplan.units import parse_usd

MOST_LISTED = 10
"""GPUs of a price list in the sentence of an error."""


class PowerGrid(NamedTuple):
    """The electricity of one country."""

    code: str
    name: str
    g_co2_per_kwh: float
    year: int
    source: str


def gpus() -> tuple[Gpu, ...]:
    """Every GPU that ships."""
    return tuple(_gpus().values())


def gpu(name: str) -> Gpu:
    """A GPU by its name, or from a file with one entry in the form of coefficients/gpus.yaml.

    Raises:
        InputError: for an unknown name (suggesting the nearest), for one that is sold in several
            variants (listing them), and for a file that cannot be used.

    >>> gpu("h100-sxm").gpus_per_node
    8
    """
    if name.endswith(YAML_ENDINGS):
        return _own_gpu(name)
    for one in _written(name):
        if one in _spellings():
            return _gpus()[_spellings()[one]]
    several = variants(name)
    if several:
        raise InputError(
            Word("gpu"), f": {name!r} is sold in several variants; use one of {', '.join(several)}"
        )
    advice = nearest(name, _spellings(), f"use one of {', '.join(_gpus())}")
    raise InputError(Word("gpu"), f": unknown name {name!r}; {advice}")


def variants(name: str) -> tuple[str, ...]:
    """The GPUs that a name without its variant may stand for; none where it is whole, or unknown.

    >>> variants("H200")
    ('h200-sxm', 'h200-nvl')
    """
    for one in _written(name):
        if one in _spellings():
            return ()
        first, *others = one.split("-")
        found = {
            name: None
            for spelling, name in _spellings().items()
            if spelling.split("-")[0] == first and {*others} < {*spelling.split("-")}
        }
        if found:
            return tuple(found)
    return ()


def _written(name: str) -> tuple[str, str]:
    """A name as the catalog spells names, and without the s of several GPUs."""
    spelled = re.sub(r"[\s_]+", "-", name.strip().lower())
    return spelled, spelled.removesuffix("s")


def with_prices(found: Gpu, file: str) -> Gpu:
    """A GPU with the prices of a price list instead of its own.

    Args:
        found: the GPU.
        file: a CSV file with the columns gpu and usd_per_hour and, optionally, seller, date
            (2026-02-28) and source.

    Raises:
        InputError: when the list has no price of this GPU, or a row without a price.
    """
    path, listed, others = Path(file), [], set[str]()
    for row in read_csv(path, needed=("gpu", "usd_per_hour")):
        where = f"{path}, line {row.line}"
        if BEYOND in row.values:
            raise InputError(f"{where}: more fields than the header has; quote those with commas")
        said = {key: " ".join((value or "").split()) for key, value in row.values.items()}
        named = said["gpu"]
        if not named:
            raise InputError(f"{where}: gpu is empty; write e.g. h100-sxm")
        price = price_of(
            parse_usd(said["usd_per_hour"], f"{where}: usd_per_hour", "2.49"),
            seller=said.get("seller") or path.name,
            date=said.get("date") or UNKNOWN,
            source=said.get("source") or str(path),
            where=f"{where}: ",
        )
        if _spellings().get(named.lower(), named) == found.name:
            listed.append(price)
        else:
            others.add(named)
    if not listed:
        few = sorted(others)[:MOST_LISTED]
        more = f" and {len(others) - len(few)} more" if len(others) > len(few) else ""
        known = f"it lists {', '.join(map(shown, few))}{more}" if others else "it is empty"
        raise InputError(f"{path}: no price for {found.name}; {known}")
    return replace(found, prices=tuple(listed))


def throughput_model() -> ThroughputModel:
    """The speed model with its calibrated coefficients.

    Raises:
        InputError: when they are incomplete.
    """
    return throughput_model_from_entry(read_shipped("throughput.yaml"))


def grid(country: str) -> PowerGrid:
    """The electricity of a country, by its ISO 3166-1 alpha-3 code or its English name.

    Raises:
        InputError: for an unknown country (suggesting the nearest).

    >>> grid("FRA").name, grid("france").code
    ('France', 'FRA')
    """
    data = read_shipped("grid.yaml")
    wanted = country.strip()
    for code, entry in data["countries"].items():
        if wanted.upper() == code or wanted.lower() == entry["name"].lower():
            return PowerGrid(
                code=code,
                name=entry["name"],
                g_co2_per_kwh=float(entry["g_co2_per_kwh"]),
                year=int(entry["year"]),
                source=data["source"],
            )
    names = {entry["name"].lower(): code for code, entry in data["countries"].items()}
    raise InputError(
        Word("country"), f": unknown name {country!r}; {_nearest_country(wanted, names)}"
    )


def _nearest_country(wanted: str, codes: Mapping[str, str]) -> str:
    close = close_names(wanted, codes)
    if not close:
        return "give a three-letter code such as FRA or USA, or the English name"
    return f"did you mean {' or '.join(f'{name.title()} ({codes[name]})' for name in close)}?"


@cache
def _gpus() -> dict[str, Gpu]:
    return {
        name: gpu_from_entry(name, entry)
        for name, entry in read_shipped("gpus.yaml")["gpus"].items()
    }


@cache
def _spellings() -> dict[str, str]:
    """Every accepted spelling, in lower case, with the name that it stands for."""
    found = {name: name for name in _gpus()}
    for one in _gpus().values():
        found |= {alias.lower().replace(" ", "-"): one.name for alias in one.aliases}
    return found


def _own_gpu(path: str) -> Gpu:
    """The one entry in a user's file."""
    from distillplan.files.tree import read_foreign_yaml  # only for such a file

    data = read_foreign_yaml(path)
    entries = data.get("gpus") if isinstance(data, Mapping) else None
    if not isinstance(entries, Mapping) or len(entries) != 1:
        raise InputError(
            f"{path}: expected one GPU in the form of coefficients/gpus.yaml, "
            "e.g. gpus: {my-gpu: {dense_bf16_tflops: 900, memory_gb: 80, ...}}"
        )
    ((name, entry),) = entries.items()
    try:
        return gpu_from_entry(name, entry)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
