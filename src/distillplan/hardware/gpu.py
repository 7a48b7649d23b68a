"""GPUs and clusters of them, in base SI units; the numbers are in coefficients/gpus.yaml."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from distillplan.errors import InputError
from distillplan.files.entries import Entry

PRECISIONS: Final = ("bf16", "fp16", "fp8", "fp4", "tf32")
"""Number formats whose dense peak an entry may state, as `dense_<format>_tflops`."""

TERA: Final = 1e12
GIGA: Final = 1e9
GIB: Final = 2.0**30
_GIVEN: Final = "given"


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

    @classmethod
    def of_user(cls, usd_per_hour: float, today: dt.date) -> "Price":
        """The user's own price."""
        return cls(usd_per_hour=usd_per_hour, seller=_GIVEN, date=str(today), source=_GIVEN)

    @property
    def given(self) -> bool:
        """Whether it is the user's own."""
        return self.source == _GIVEN

    @property
    def day(self) -> dt.date | None:
        """That date, the first of its month or year where only these are known; None: unknown."""
        parts = [*self.date.strip().split("-"), "01", "01"]
        try:
            return dt.date.fromisoformat("-".join(parts[:3]))
        except ValueError:
            return None


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
    link_domain_gpus: int | None = None
    """GPUs on the in-node link where it reaches beyond a node (72 in an NVL72 rack)."""
    calibrated: bool = False
    """Whether the throughput coefficients were fitted on published training runs on this GPU."""
    prices: tuple[Price, ...] = ()
    sources: tuple[str, ...] = ()
    notes: str = ""

    @property
    def link_domain(self) -> int:
        """GPUs that reach each other over the fast in-node link."""
        return self.link_domain_gpus or self.gpus_per_node


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """A number of GPUs of one kind."""

    gpu: Gpu
    gpus: int
    price_usd_per_gpu_hour: float | None = None
    """The user's own price, which replaces the catalog's."""


def gpu_from_entry(name: str, entry: Mapping[str, Any]) -> Gpu:
    """A GPU from one entry of coefficients/gpus.yaml, in base units.

    Args:
        name: the entry's key.
        entry: TFLOP/s, GB, GB/s and watts, as data sheets print them.

    Raises:
        InputError: when a number is missing or not positive, or a key is unknown.
    """
    given = Entry(entry, f"GPU {name}")
    peaks = {one: given.optional(f"dense_{one}_tflops") for one in PRECISIONS}
    known_peaks = {one: peak * TERA for one, peak in peaks.items() if peak is not None}
    if not {"bf16", "fp16"} & set(known_peaks):
        raise InputError(f"GPU {name}: no 16-bit peak; give dense_bf16_tflops")
    domain = given.optional("link_domain_gpus")
    gpu = Gpu(
        name=name,
        vendor=given.text("vendor", "unknown"),
        arch=given.text("arch", "other"),
        peak_flops_per_s=known_peaks,
        memory_bytes=given.positive("memory_gb") * GIGA,
        memory_bytes_per_s=given.positive("memory_bw_gb_s") * GIGA,
        intra_node_bytes_per_s=given.positive("intra_node_gb_s") * GIGA,
        inter_node_bytes_per_s=_scaled(given.optional("inter_node_gb_s"), GIGA),
        gpus_per_node=round(given.positive("gpus_per_node")),
        power_watts=given.optional("tdp_w"),
        matmul_flops_per_s=_scaled(given.optional("measured_matmul_tflops"), TERA),
        aliases=given.texts("aliases"),
        link_domain_gpus=None if domain is None else round(domain),
        calibrated=given.flag("calibrated"),
        prices=tuple(_price(price) for price in given.entries("prices")),
        sources=given.texts("sources"),
        notes=given.text("notes", ""),
    )
    given.finish()
    return gpu


def _scaled(value: float | None, unit: float) -> float | None:
    """A value in base units; None stays None."""
    return None if value is None else value * unit


def _price(entry: Entry) -> Price:
    """One price of an entry: usd_per_hour, seller, date, source."""
    return Price(
        usd_per_hour=entry.positive("usd_per_hour"),
        seller=entry.text("seller"),
        date=entry.text("date"),
        source=entry.text("source", ""),
    )
