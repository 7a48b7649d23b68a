"""GPUs, in base SI units; the numbers are in coefficients/gpus.yaml."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from distillplan.errors import InputError, Word
from distillplan.files.bounds import shown
from distillplan.files.entries import Entry, demand_name, read_shipped

PRECISIONS: Final = ("bf16", "fp16", "fp8", "fp4", "tf32")
"""Number formats whose dense peak an entry may state, as `dense_<format>_tflops`."""

TERA: Final = 1e12
GIGA: Final = 1e9
GIB: Final = 2.0**30
UNKNOWN: Final = "unknown"
"""A date that a price list does not state."""
GIVEN: Final = "given"
"""Seller and source of the user's own price."""


class Precision(StrEnum):
    """Number format of a run's matrix products."""

    BF16 = "bf16"
    FP16 = "fp16"
    FP8 = "fp8"


@dataclass(frozen=True, kw_only=True)
class Price:
    """The price of one GPU-hour from one seller on one day."""

    usd_per_hour: float
    seller: str
    date: str
    """Of the price list, ISO 8601 (year and month where the day is not known), or `unknown`."""
    source: str

    @property
    def given(self) -> bool:
        """Whether it is the user's own."""
        return self.source == GIVEN

    @property
    def day(self) -> dt.date | None:
        """That date, or the first of its month or year; None: unknown."""
        parts = [*self.date.strip().split("-"), "01", "01"]
        try:
            return dt.date.fromisoformat("-".join(parts[:3]))
        except ValueError:
            return None


def listed_price(prices: tuple[Price, ...]) -> Price | None:
    """The price that a bill uses: the newest that has a date, and of these the cheapest."""
    newest = max((price.day for price in prices if price.day), default=None)
    candidates = [price for price in prices if price.day == newest]
    return min(candidates, key=lambda price: price.usd_per_hour, default=None)


TYPICAL_LINK_RATIO: Final = 12.0
"""Default ratio of the in-node link to the network card, as in A100 nodes (300 / 25)."""


@dataclass(frozen=True, kw_only=True)
class Gpu:
    """One variant of a GPU; peaks are dense (data sheets headline 2:4 sparse ones)."""

    name: str
    """With its variant: h100-sxm, h100-pcie, a100-80gb."""
    vendor: str
    arch: str
    peak_flops_per_s: Mapping[str, float]
    """Dense peak by number format (`PRECISIONS`); formats it does not support are left out."""
    memory_bytes: float
    memory_bytes_per_s: float
    intra_node_bytes_per_s: float
    """In one direction, per GPU, within a node."""
    inter_node_bytes_per_s: float | None
    """In one direction, per GPU, between nodes; None: not stated by any source."""
    gpus_per_node: int
    power_watts: float | None
    """Board power limit; None: not published."""
    matmul_flops_per_s: float | None
    """Best measured bf16 matrix product (fp16 where there is no bf16); None: not measured."""
    aliases: tuple[str, ...] = ()
    """Other exact spellings of the name."""
    usable_bytes: float | None = None
    """Of the memory, as the driver reports it; None: as for most (`memory_fit.usable_bytes`)."""
    link_domain_gpus: int | None = None
    """GPUs on the in-node link where it does not reach all of a node, as bridges between pairs of
    cards, or reaches beyond it (72 in an NVL72 rack)."""
    pcie_bytes_per_s: float | None = None
    """In one direction, per GPU, within a node beyond such bridges; None: there are none."""
    calibrated: bool = False
    """Whether the throughput coefficients were fitted on published training runs on this GPU."""
    announced: bool = False
    """Whether it was not yet sold when its figures were written down."""
    prices: tuple[Price, ...] = ()
    sources: tuple[str, ...] = ()
    notes: str = ""

    @property
    def link_domain(self) -> int:
        """GPUs that reach each other over the fast in-node link."""
        return self.link_domain_gpus or self.gpus_per_node

    def link_bytes_per_s(self, gpus: int) -> float:
        """Of the slowest link among so many GPUs that lie as near each other as they can."""
        if gpus <= self.link_domain:
            return self.intra_node_bytes_per_s
        if gpus <= self.gpus_per_node and self.pcie_bytes_per_s is not None:
            return self.pcie_bytes_per_s
        return self.inter_node_bytes_per_s or self.intra_node_bytes_per_s / TYPICAL_LINK_RATIO


def refuse_precision(gpu: Gpu, precision: Precision) -> None:
    """Check that a GPU has a precision; where it has no bf16, fp16 is as fast.

    Raises:
        InputError: when it does not.
    """
    if precision is Precision.FP8 and "fp8" not in gpu.peak_flops_per_s:
        wrong = f": GPU {gpu.name} has no fp8; use bf16, fp16 or another GPU"
        raise InputError(Word("precision"), wrong, also=("gpu",))


def gpu_from_entry(name: str, entry: Mapping[str, Any]) -> Gpu:
    """A GPU in base units, from an entry of coefficients/gpus.yaml: TFLOP/s, GB, GB/s and watts.

    Raises:
        InputError: when a number is missing or no GPU's, or a key is unknown.
    """
    given = Entry(entry, f"GPU {demand_name(name, 'GPU')}")
    peaks = {one: _sized(given, f"dense_{one}_tflops", "peak", float | None) for one in PRECISIONS}
    known_peaks = {one: peak for one, peak in peaks.items() if peak is not None}
    halves = [known_peaks[one] for one in ("bf16", "fp16") if one in known_peaks]
    if not halves:
        raise InputError(f"GPU {name}: no 16-bit peak; give dense_bf16_tflops")
    sized = {
        field: _sized(given, key, kind, Gpu.__annotations__[field])
        for kind, unit in read_shipped("gpus.yaml")["units"].items()
        for field, key in unit["fields"].items()
    }
    measured = sized["matmul_flops_per_s"]
    if measured is not None and measured > max(halves):
        peak = f"more than the dense peak of {max(halves) / TERA:g}"
        raise InputError(f"GPU {name}: {measured / TERA:g} TFLOP/s were measured, {peak}")
    gpu = given.record(
        Gpu,
        **sized,
        name=name,
        vendor=given.text("vendor", "unknown"),
        arch=given.text("arch", "other"),
        peak_flops_per_s=known_peaks,
        prices=tuple(map(_price, given.entries("prices"))),
        notes=given.text("notes", ""),
    )
    given.finish()
    return gpu


def _sized(given: Entry, key: str, kind: str, hint: Any) -> Any:
    """A number of an entry in base units, as the type of its field demands."""
    if hint in (float | None, int | None) and not given.has(key):
        return None
    whole = hint in (int, int | None)
    value = given.whole(key) if whole else given.positive(key)
    found = in_base_units(value, kind, f"{given.where}.{key}")
    return int(found) if whole else found


def in_base_units(value: float, kind: str, where: str) -> float:
    """A number of a data sheet or a price list in base units, by `units` of gpus.yaml.

    Raises:
        InputError: when no GPU has so much or so little, saying in which unit one has.
    """
    sheet = read_shipped("gpus.yaml")["units"][kind]
    unit, (least, most) = sheet["unit"], sheet["between"]
    if least <= value <= most:
        return value * float(sheet["base"])
    meant = [
        f"; {value:g} {name} are {value * factor:g} {unit}, so write {value * factor:g}"
        for name, factor in sheet["others"].items()
        if least <= value * factor <= most
    ]
    said = f"{where}: {value:g} {unit} is not between {least:g} and {most:g}"
    raise InputError(said + "".join(meant[:1]))


def _price(entry: Entry) -> Price:
    found = checked_price(entry.record(Price, source=entry.text("source", "")), f"{entry.where}.")
    entry.finish()
    return found


def checked_price(price: Price, where: str) -> Price:
    """A price that somebody wrote down.

    Raises:
        InputError: when no GPU-hour costs as much, or the date is none.
    """
    in_base_units(price.usd_per_hour, "price", f"{where}usd_per_hour")
    if price.day is None and price.date != UNKNOWN:
        wrong = f"{where}date: {shown(price.date)} is not a date"
        raise InputError(f"{wrong}; write e.g. 2026-02-28 or 2026-02")
    return price
