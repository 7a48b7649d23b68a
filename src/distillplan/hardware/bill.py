"""What a family of students costs on a machine: FLOPs, GPU-hours, time, money, energy and CO2.

It is itemized by phase, and the parts add up to the total exactly. FLOPs are exact; all that
follows from the throughput is a `Range`. Power is that of GPUs times the power usage effectiveness
of the building; hosts are left out, as in most model cards.
"""

import datetime as dt
import math
from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Final

from distillplan.accounting import TRAINING_PASSES, Logits, Share
from distillplan.hardware.gpu import Price
from distillplan.hardware.machine import Machine
from distillplan.hardware.range import Range
from distillplan.hardware.storage import LogitFormat, needed_months
from distillplan.models.named_models import Model
from distillplan.named_tuples import NamedTuple
from distillplan.notices import PRICE_HIGH, Notice, information, warning
from distillplan.units.quantities import SECONDS_PER_HOUR

PRICE_AGE_DAYS: Final = 180
"""Age of a price beyond which it is worth a warning."""
DEAR: Final = 3.0
"""A price is doubted that is above all that are listed, and as many times the lowest of them."""

POWER_SHARE: Final = Range(low=0.70, mid=0.85, high=1.0)
"""Power drawn in training over the board limit; model cards assume the upper end."""
POWER_SHARE_SOURCE: Final = (
    f"Morrison et al. 2025, arXiv 2503.05804: {POWER_SHARE.mid:.0%} of the limit on H100"
)


class Phase(StrEnum):
    """What a part of the bill pays for."""

    TEACHER_TRAINING = "teacher_training"
    TEACHER_LOGITS = "teacher_logits"
    STUDENT_TRAINING = "student_training"
    LOGIT_STORAGE = "logit_storage"
    TOTAL = "total"


class BillLine(NamedTuple):
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


class Bill(NamedTuple):
    """The cost of the run by phase; the lines sum to the total."""

    lines: tuple[BillLine, ...]
    total: BillLine
    price: Price | None


def bill_of(
    machine: Machine,
    *,
    student: Model,
    student_tokens: float,
    students: int = 1,
    teacher: Model | None = None,
    teacher_tokens: float = 0.0,
    paid: Share | None = None,
    logits: Logits = Logits.ONLINE,
    stored: LogitFormat | None = None,
    most_passed: float = math.inf,
    spent: bool = False,
    pace: Range | None = None,
) -> Bill:
    """The itemized bill of a family of students, in the terms of `accounting.run_flops`.

    Tokens are those that each model is trained on, and `paid` is one student's share of the costs
    of its teacher; None: nothing. It passes over `most_passed` tokens at most, for which logits are
    stored once. Hours that are a budget are `spent` whatever the speed turns out to be: only the
    middle of the ranges counts, and the tokens are what is uncertain. A teacher on GPUs of its own
    sets a `pace` with the student, in seconds per token; else they take turns.
    """
    # both sides work at once, so the time is shared out like the hours
    gpus = machine.gpus if pace is None else machine.all_gpus

    def line(phase: Phase, model: Model, tokens: float, each: Range, gpus: int = gpus) -> BillLine:
        hours = each.scale(tokens / SECONDS_PER_HOUR)
        if spent:
            hours = Range.exact(hours.mid)
        return _line(machine, phase, model, tokens, hours, gpus)

    every, paid = students * student_tokens, paid or Share()
    each = machine.student_seconds(student, distilling=teacher is not None)
    if pace is not None:
        each = pace.scale(machine.gpus)
    lines, storage_usd = [line(Phase.STUDENT_TRAINING, student, every, each)], 0.0
    if teacher is not None and paid.logits > 0:
        beside = logits is Logits.ONLINE
        passed = students * paid.logits * min(student_tokens, most_passed)
        each = machine.teacher_seconds(teacher, beside=beside)
        if pace is not None:
            each = pace.scale(gpus - machine.gpus)
        lines.append(line(Phase.TEACHER_LOGITS, teacher, passed, each))
        storage_usd = 0.0 if stored is None or beside else stored.usd(passed, months_of(lines))
    if teacher is not None and paid.training > 0:
        trained = students * paid.training * teacher_tokens
        each = machine.training_seconds(teacher)
        lines.append(line(Phase.TEACHER_TRAINING, teacher, trained, each, machine.gpus))
    if storage_usd:  # disks' electricity is neglected
        free = total_of((), Phase.LOGIT_STORAGE)
        lines.append(free._replace(cost_usd=Range.exact(storage_usd)))
    return Bill(lines=tuple(lines), total=total_of(lines), price=machine.price)


def months_of(lines: Sequence[BillLine]) -> float:
    """Months that stored logits are read in, as `needed_months` has it; at the middle of ranges."""
    seconds = {line.phase: line.wall_seconds.mid for line in lines}
    passed = seconds.get(Phase.TEACHER_LOGITS, 0.0)
    return needed_months(seconds.get(Phase.STUDENT_TRAINING, 0.0), passed)


def total_of(lines: Sequence[BillLine], phase: Phase = Phase.TOTAL) -> BillLine:
    """The sum of lines; what is not known of one is not known of all."""
    names = ("gpu_hours", "wall_seconds", "cost_usd", "energy_kwh", "co2_kg")
    columns = {name: [getattr(line, name) for line in lines] for name in names}
    sums: dict[str, Any] = {
        name: None if None in column else Range.total(column) for name, column in columns.items()
    }
    return BillLine(phase=phase, flops=sum((line.flops for line in lines), 0.0), **sums)


def price_notices(
    price: Price | None, today: dt.date, listed: Sequence[Price] = ()
) -> tuple[Notice, ...]:
    """A remark on a price that is missing, undated, old on a day, or far above those listed."""
    if price is None:
        message = "no price per GPU-hour is known, so there is no cost in dollars; give --price"
        return (information("price_missing", message),)
    what = f"the price of {price.usd_per_hour:g} USD per GPU-hour ({price.seller})"
    usual = [one.usd_per_hour for one in listed]
    if price.given and usual and price.usd_per_hour > max(*usual, DEAR * min(usual)):
        above = f"{price.usd_per_hour:g} USD per GPU-hour is above every listed price (at most "
        told = f"{above}{max(usual):g}): --price is of one GPU, not of a machine, and in dollars"
        return (warning(PRICE_HIGH, told),)
    if price.day is None:
        return (warning("price_undated", f"{what} has no date; check it or give --price"),)
    if (today - price.day).days <= PRICE_AGE_DAYS:
        return ()
    message = f"{what} is dated {price.date}, more than {PRICE_AGE_DAYS} days old; "
    return (warning("price_old", f"{message}check it or give --price"),)


def _line(
    machine: Machine, phase: Phase, model: Model, tokens: float, hours: Range, gpus: int
) -> BillLine:
    """One phase's costs."""
    passes = 1.0 if phase is Phase.TEACHER_LOGITS else TRAINING_PASSES
    price, grid, energy = machine.price, machine.grid_g_co2_per_kwh, None
    if machine.gpu.power_watts is not None:
        rate = POWER_SHARE.scale(machine.gpu.power_watts).scale(machine.pue / 1000)
        # slow runs are taken to be hot: the widest range
        energy = Range.of_ends(math.prod, (hours, rate))
    return BillLine(
        phase=phase,
        flops=passes * machine.work_of(model).forward_flops * tokens,
        gpu_hours=hours,
        wall_seconds=hours.scale(SECONDS_PER_HOUR / gpus),
        cost_usd=None if price is None else hours.scale(price.usd_per_hour),
        energy_kwh=energy,
        co2_kg=None if energy is None or grid is None else energy.scale(grid / 1000),
    )
