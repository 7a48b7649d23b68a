"""What a plan costs: FLOPs, GPU-hours, time, money, energy and CO2, itemized by phase.

The parts add up to the total exactly. FLOPs are exact; all that follows from the throughput is a
`Range`. Power is the share of the GPU's board limit that training draws, plus what the host draws,
times the power usage effectiveness of the building.
"""

import datetime as dt
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

from distillplan.errors import InputError
from distillplan.hardware.gpu import Price
from distillplan.hardware.memory_fit import Fits
from distillplan.hardware.range import Range
from distillplan.notices import Notice, information, warning
from distillplan.units import SECONDS_PER_HOUR

PRICE_AGE_DAYS: Final = 180
"""Age of a price beyond which it is worth a warning."""

PUE: Final = 1.2
"""Default power usage effectiveness: that of the cluster of OLMo 2 7B (arXiv 2501.00656)."""

POWER_SHARE: Final = Range(low=0.70, mid=0.85, high=1.0)
"""Power drawn in training over the board limit.

Measured on H100 nodes: about 85% while training, 15% while waiting, e.g. for a checkpoint to be
written. Model cards assume 1, the upper end.
"""

POWER_SHARE_SOURCE: Final = (
    f"Morrison et al. 2025, arXiv 2503.05804: {POWER_SHARE.mid:.0%} of the limit on H100"
)
"""Source of that share."""


class Phase(StrEnum):
    """What a part of the bill pays for."""

    TEACHER_TRAINING = "teacher_training"
    TEACHER_LOGITS = "teacher_logits"
    STUDENT_TRAINING = "student_training"
    LOGIT_STORAGE = "logit_storage"
    TOTAL = "total"


@dataclass(frozen=True, kw_only=True)
class PhaseWork:
    """The estimated work of one phase of a plan."""

    phase: Phase
    flops: float
    """Model FLOPs."""
    gpu_hours: Range
    """Allocated GPU-hours."""
    gpus: int
    """GPUs that share them."""


@dataclass(frozen=True, kw_only=True)
class Power:
    """The electricity of a GPU-hour and its carbon intensity."""

    gpu_watts: float
    """Board power limit."""
    share: Range = POWER_SHARE
    """Power drawn over that limit."""
    host_watts: float = 0.0
    """Per GPU, for processors, fans and network; 0 counts the GPU alone, as most model cards do."""
    pue: float = PUE
    """Power usage effectiveness: power of the building over power of the machines."""
    grid_g_co2_per_kwh: float | None = None
    """Carbon intensity of the grid; None: not known."""

    def __post_init__(self) -> None:
        """Check that the numbers are possible.

        Raises:
            InputError: for a PUE below 1 or a negative number.
        """
        if not (math.isfinite(self.pue) and self.pue >= 1):
            raise InputError(f"power: pue is {self.pue}; it must be at least 1")
        for name in ("gpu_watts", "host_watts", "grid_g_co2_per_kwh"):
            value = getattr(self, name)
            if value is not None and not (math.isfinite(value) and value >= 0):
                raise InputError(f"power: {name} is {value}; it must be at least 0")

    def kwh_per_gpu_hour(self) -> Range:
        """The electricity of one GPU-hour at the building's meter, in kWh."""
        drawn = self.share.scale(self.gpu_watts) + Range.exact(self.host_watts)
        return drawn.scale(self.pue / 1000)


@dataclass(frozen=True, kw_only=True)
class BillLine:
    """The cost of one phase, or the sum of all."""

    phase: Phase
    flops: float
    gpu_hours: Range
    wall_seconds: Range
    """In the total, one phase after the other."""
    cost_usd: Range | None
    """None: no price is known."""
    energy_kwh: Range | None
    """None: the power of the GPU is not known."""
    co2_kg: Range | None
    """None: the energy or the grid is not known."""


@dataclass(frozen=True, kw_only=True)
class Bill:
    """What a plan costs."""

    lines: tuple[BillLine, ...]
    total: BillLine
    """The sum of the lines."""
    price: Price | None
    """The price of a GPU-hour that was used; None: not known."""
    notices: tuple[Notice, ...] = ()


class OptionBill(NamedTuple):
    """Hours, money and memory of one option: of all students, one phase after the other."""

    gpu_hours: Range
    """Allocated GPU-hours."""
    wall_seconds: Range
    """Seconds from start to end."""
    cost_usd: Range | None
    """US dollars; None where no price is known."""
    energy_kwh: Range | None
    """Energy of the data center, kWh; None where the GPU's power is not known."""
    co2_kg: Range | None
    """Kilograms of CO2; None where no grid is named."""
    memory_bytes_per_gpu: Range
    """Bytes on the fullest GPU in the phase that needs most."""
    fits: Fits
    """Whether that phase fits in the GPU's memory."""
    fullest: Phase
    """The phase that needs most memory."""
    phases: tuple[BillLine, ...]
    """The same by phase; they sum to the above."""
    notices: tuple[Notice, ...]
    """What to know about these numbers."""
    student_tokens: Range
    """Tokens of each student that a budget in GPU-hours may turn out to buy, as far as the speed is
    known; exact for a budget in FLOPs."""


def itemized_bill(
    work: Iterable[PhaseWork],
    *,
    today: dt.date,
    price: Price | None = None,
    power: Power | None = None,
    storage_usd: float = 0.0,
) -> Bill:
    """The bill of a plan.

    Args:
        work: its phases, those only that are paid for.
        today: the day on which the price's age is judged.
        price: of one GPU-hour.
        power: of one GPU, with the building and the grid.
        storage_usd: price of storing logits, which gets a line of its own where it is not 0.

    Raises:
        InputError: when a phase runs on less than one GPU.
    """
    lines = [_line(phase, price, power) for phase in work]
    if storage_usd:
        lines.append(_storage_line(storage_usd))
    return Bill(
        lines=tuple(lines),
        total=total_of(lines),
        price=price,
        notices=price_notices(price, today),
    )


def price_notices(price: Price | None, today: dt.date) -> tuple[Notice, ...]:
    """A remark on a price that is missing, undated, or old; none on a recent one.

    Args:
        price: of one GPU-hour; None: not known.
        today: the day on which its age is judged.
    """
    if price is None:
        message = "no price per GPU-hour is known, so there is no cost in dollars; give --price"
        return (information("price_missing", message),)
    what = f"the price of {price.usd_per_hour:g} USD per GPU-hour ({price.seller})"
    if price.day is None:
        message = f"{what} has no date; check it or give --price"
        return (warning("price_undated", message),)
    if (today - price.day).days <= PRICE_AGE_DAYS:
        return ()
    message = f"{what} is dated {price.date}, more than {PRICE_AGE_DAYS} days old; "
    return (warning("price_old", f"{message}check it or give --price"),)


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
    """Stored logits cost money only; the electricity of disks is neglected."""
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


def total_of(lines: Sequence[BillLine], phase: Phase = Phase.TOTAL) -> BillLine:
    """The sum of lines."""
    return BillLine(
        phase=phase,
        flops=sum(line.flops for line in lines),
        gpu_hours=Range.total(line.gpu_hours for line in lines),
        wall_seconds=Range.total(line.wall_seconds for line in lines),
        cost_usd=_sum(line.cost_usd for line in lines),
        energy_kwh=_sum(line.energy_kwh for line in lines),
        co2_kg=_sum(line.co2_kg for line in lines),
    )


def _sum(parts: Iterable[Range | None]) -> Range | None:
    """The sum of parts; None where a part is not known."""
    listed = tuple(parts)
    known = tuple(part for part in listed if part is not None)
    return Range.total(known) if len(known) == len(listed) else None


def _product(hours: Range, rate: Range) -> Range:
    """Hours at a rate; slow runs are taken to be hot ones, which gives the widest range."""
    return Range(low=hours.low * rate.low, mid=hours.mid * rate.mid, high=hours.high * rate.high)


def _co2(energy_kwh: Range | None, power: Power | None) -> Range | None:
    """Kilograms of CO2 equivalent."""
    if energy_kwh is None or power is None or power.grid_g_co2_per_kwh is None:
        return None
    return energy_kwh.scale(power.grid_g_co2_per_kwh / 1000)
