"""What a plan costs: FLOPs, GPU-hours, time, money, energy and CO2, itemised by phase.

Parts add up to the total exactly. What is uncertain is a `Range` from the throughput on; FLOPs are
exact. Power is the GPU's board limit times the share of it that training draws, and what the host
draws beside it, times the power usage effectiveness of the building.
"""

import datetime as dt
import math
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from distillplan.errors import InputError
from distillplan.hardware.gpu import Price
from distillplan.hardware.range import Range
from distillplan.notices import Notice, Severity

SECONDS_PER_HOUR: Final = 3600.0

PRICE_AGE_DAYS: Final = 180
"""Age from which a price is worth a warning."""

PUE: Final = 1.2
"""Default power usage effectiveness: that of the cluster of OLMo 2 7B (arXiv 2501.00656)."""

POWER_SHARE: Final = Range(0.70, 0.85, 1.0)
"""Drawn power over the board limit in training.

Measured on H100 nodes: about 85 % while training, 15 % while waiting, such as when a checkpoint is
written (Morrison et al. 2025, arXiv 2503.05804). Model cards take 1, which is the upper end.
"""

POWER_SHARE_SOURCE: Final = "Morrison et al. 2025, arXiv 2503.05804: 85 % of the limit on H100"
"""Of that share."""


class Phase(StrEnum):
    """What a part of the bill pays for."""

    TEACHER_TRAINING = "teacher_training"
    TEACHER_LOGITS = "teacher_logits"
    STUDENT_TRAINING = "student_training"
    LOGIT_STORAGE = "logit_storage"
    TOTAL = "total"


@dataclass(frozen=True, kw_only=True)
class PhaseWork:
    """One phase of a plan as it was estimated."""

    phase: Phase
    flops: float
    """Model FLOPs."""
    gpu_hours: Range
    """Allocated GPU-hours."""
    gpus: int
    """GPUs that share them."""


@dataclass(frozen=True, kw_only=True)
class Power:
    """How much electricity a GPU-hour takes, and how dirty it is."""

    gpu_watts: float
    """Board power limit."""
    share: Range = POWER_SHARE
    """Drawn power over that limit."""
    host_watts: float = 0.0
    """Per GPU: processors, fans, network; 0 counts the GPU alone, as most model cards do."""
    pue: float = PUE
    """Power usage effectiveness: building over machines."""
    grid_g_co2_per_kwh: float | None = None
    """Carbon intensity of the grid; None when no country is known."""

    def __post_init__(self) -> None:
        """Refuse what no machine has."""
        if not (math.isfinite(self.pue) and self.pue >= 1):
            raise InputError(f"power: pue is {self.pue}; it must be at least 1")
        for name in ("gpu_watts", "host_watts", "grid_g_co2_per_kwh"):
            value = getattr(self, name)
            if value is not None and not (math.isfinite(value) and value >= 0):
                raise InputError(f"power: {name} is {value}; it must not be negative")

    def kwh_per_gpu_hour(self) -> Range:
        """Electricity of one GPU-hour at the building's meter, in kWh."""
        drawn = self.share.scale(self.gpu_watts) + Range.exact(self.host_watts)
        return drawn.scale(self.pue / 1000)


@dataclass(frozen=True, kw_only=True)
class BillLine:
    """One phase, or the sum of all."""

    phase: Phase
    flops: float
    gpu_hours: Range
    wall_seconds: Range
    """One phase after the other."""
    cost_usd: Range | None
    """None when no price is known."""
    energy_kwh: Range | None
    """None when the power of the GPU is not known."""
    co2_kg: Range | None
    """None when energy or grid is not known."""


@dataclass(frozen=True, kw_only=True)
class Bill:
    """What a plan costs."""

    lines: tuple[BillLine, ...]
    total: BillLine
    """The sum of the lines."""
    price: Price | None
    """What a GPU-hour was taken to cost, with its seller and date."""
    notices: tuple[Notice, ...] = ()


def itemised_bill(
    work: Iterable[PhaseWork],
    *,
    today: dt.date,
    price: Price | None = None,
    power: Power | None = None,
    storage_usd: float = 0.0,
) -> Bill:
    """The bill of a plan.

    Args:
        work: its phases; what is not paid is left out.
        today: the day against which the price's age is taken.
        price: of one GPU-hour.
        power: of one GPU, with the building and the grid.
        storage_usd: of stored logits, as a line of its own where it is not 0.
    """
    lines = [_line(phase, price, power) for phase in work]
    if storage_usd:
        lines.append(_storage_line(storage_usd))
    return Bill(
        lines=tuple(lines),
        total=_total(lines),
        price=price,
        notices=price_notices(price, today),
    )


def price_notices(price: Price | None, today: dt.date) -> tuple[Notice, ...]:
    """Remarks on a price: that it is missing, undated, or old.

    Args:
        price: of one GPU-hour, or None.
        today: the day against which its age is taken.
    """
    if price is None:
        notice = Notice(
            code="price_missing",
            severity=Severity.INFO,
            message="no price of a GPU-hour is known, so the bill has no money; give --price",
        )
        return (notice,)
    day = _day(price.date)
    if day is None:
        notice = Notice(
            code="price_undated",
            severity=Severity.WARNING,
            message=f"the price of {price.usd_per_hour:g} USD per GPU-hour ({price.seller}) has no "
            "date; check it, or give --price",
        )
        return (notice,)
    age = (today - day).days
    if age <= PRICE_AGE_DAYS:
        return ()
    notice = Notice(
        code="price_old",
        severity=Severity.WARNING,
        message=f"the price of {price.usd_per_hour:g} USD per GPU-hour ({price.seller}) is of "
        f"{price.date}, more than {PRICE_AGE_DAYS} days ago; check it, or give --price",
    )
    return (notice,)


def _line(work: PhaseWork, price: Price | None, power: Power | None) -> BillLine:
    """One phase's costs."""
    if work.gpus < 1:
        raise InputError(f"bill: {work.phase} runs on {work.gpus} GPUs; it must be at least 1")
    energy = None if power is None else _product(work.gpu_hours, power.kwh_per_gpu_hour())
    return BillLine(
        phase=work.phase,
        flops=work.flops,
        gpu_hours=work.gpu_hours,
        wall_seconds=work.gpu_hours.scale(SECONDS_PER_HOUR / work.gpus),
        cost_usd=None if price is None else work.gpu_hours.scale(price.usd_per_hour),
        energy_kwh=energy,
        co2_kg=_co2(energy, power),
    )


def _storage_line(storage_usd: float) -> BillLine:
    """Stored logits: money only; the electricity of disks is taken as nothing."""
    nothing = Range.exact(0.0)
    return BillLine(
        phase=Phase.LOGIT_STORAGE,
        flops=0.0,
        gpu_hours=nothing,
        wall_seconds=nothing,
        cost_usd=Range.exact(storage_usd),
        energy_kwh=nothing,
        co2_kg=nothing,
    )


def _total(lines: list[BillLine]) -> BillLine:
    """The sum of the lines."""
    return BillLine(
        phase=Phase.TOTAL,
        flops=sum(line.flops for line in lines),
        gpu_hours=Range.total(line.gpu_hours for line in lines),
        wall_seconds=Range.total(line.wall_seconds for line in lines),
        cost_usd=_sum(line.cost_usd for line in lines),
        energy_kwh=_sum(line.energy_kwh for line in lines),
        co2_kg=_sum(line.co2_kg for line in lines),
    )


def _sum(parts: Iterable[Range | None]) -> Range | None:
    """The sum of parts; what one line does not know the sum does not know."""
    listed = tuple(parts)
    known = tuple(part for part in listed if part is not None)
    return Range.total(known) if len(known) == len(listed) else None


def _product(hours: Range, rate: Range) -> Range:
    """Hours at a rate; slow runs and hot ones are taken to go together, which is the wide side."""
    return Range(hours.low * rate.low, hours.mid * rate.mid, hours.high * rate.high)


def _co2(energy_kwh: Range | None, power: Power | None) -> Range | None:
    """Kilograms of CO2 equivalent."""
    if energy_kwh is None or power is None or power.grid_g_co2_per_kwh is None:
        return None
    return energy_kwh.scale(power.grid_g_co2_per_kwh / 1000)


def _day(date: str) -> dt.date | None:
    """The day of an ISO 8601 date; the first of the month or year where only that is given."""
    parts = date.strip().split("-")
    padded = "-".join([*parts, "01", "01"][:3])
    try:
        return dt.date.fromisoformat(padded)
    except ValueError:
        return None
