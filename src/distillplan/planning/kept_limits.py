"""FLOPs that limits of time and money leave to each way of spending a budget in FLOPs.

Each way is planned on as many FLOPs as keep to the limits, so that none is ruled out for the last
percent of its budget, and looser limits never make a plan worse.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol, TypeAlias

from distillplan.accounting import Accounting
from distillplan.planning.options import option_of
from distillplan.planning.scenario import Limits, Scenario
from distillplan.units.quantities import SECONDS_PER_HOUR

if TYPE_CHECKING:
    from distillplan.hardware.range import Range
    from distillplan.planning.option_bill import OptionBill

Billed: TypeAlias = "Callable[[Scenario, Accounting | None], OptionBill | None]"
"""From a question and what it pays of the teacher to what that takes on the machine."""

MOST_STEPS = 40
BEYOND = 1.1
"""Over the budget that seems to take all of the limits: one that takes more."""
FARTHEST = 1e5
"""Over the budget, none is asked about."""
CLOSE = 2e-7
"""Of a limit that a way may leave: less than its rounding, `machine_warnings.ROUNDING`."""
NEARLY_ALL = 0.999
"""Of a budget: what is left of it is not worth a word."""
HALVED = 4
"""One step in so many is in the middle, where lines come near from one side only."""


def one_bill(scenario: Scenario, way: Accounting | None) -> "OptionBill | None":
    """What a way of spending the budget takes on the machine."""
    return option_of(scenario, way).bill


def within_limits(scenario: Scenario, bill_of: Billed = one_bill) -> Scenario:
    """The scenario with what its limits of time and money leave of a budget in FLOPs, by way.

    A way that passes them however little it trains, because its teacher is trained for it, is
    left as it is, and ruled out.

    Args:
        scenario: a question with a machine, or without limits; on a layout.
        bill_of: what a scenario takes, for whom it asks.
    """
    if not _is_limited(scenario):
        return scenario
    limits = scenario.limits._replace(flops=())

    def most(way: Accounting | None) -> float:
        return most_flops(scenario, lambda one: bill_of(one, way))

    found = [(way, most(way)) for way in (None, *scenario.accountings)]
    kept = tuple((way, most) for way, most in found if most < math.inf)
    return replace(scenario, limits=limits._replace(flops=kept))


def _is_limited(scenario: Scenario) -> bool:
    """Whether time or money limits a budget in FLOPs."""
    limits = scenario.limits
    asked = limits.hours is not None or limits.usd is not None
    return asked and scenario.compute is not None and scenario.machine is not None


def most_budget(scenario: Scenario) -> float:
    """The largest budget within the limits, but for a limit that is the budget; infinite: any.

    As `Scenario.budget`; one in FLOPs may be of any size, as what it spends is cut.
    """
    machine, limits, own = scenario.machine, scenario.limits, scenario.budget
    if scenario.gpu_hours is None or machine is None:
        return math.inf
    if limits.asked_gpu_hours is not None:
        return own
    in_time = (limits.hours or math.inf) * machine.gpus * SECONDS_PER_HOUR
    ends = (in_time, own * scenario.money_over_budget)
    return min((one for one in ends if one > own * (1 + CLOSE)), default=math.inf)


class SpendsFlops(Protocol):
    """A way of spending a budget, such as an option of a plan."""

    @property
    def accounting(self) -> Accounting | None:
        """What it pays of the teacher; None for supervised training."""

    @property
    def total_flops(self) -> float | None:
        """All that it takes; None where it is over budget."""

    @property
    def bill(self) -> "OptionBill | None":
        """The same on the machine."""


def spent_on(scenario: Scenario, option: SpendsFlops) -> float:
    """How much of the budget an option spends, as `Scenario.budget`: limits may leave a part."""
    spent, bill = option.total_flops or 0.0, option.bill
    if scenario.gpu_hours is not None:  # which money may end, where it stores logits
        timed = None if scenario.storage_seconds else bill
        spent = scenario.budget if timed is None else timed.gpu_hours.mid * SECONDS_PER_HOUR
    return spent if spent < scenario.budget * NEARLY_ALL else scenario.budget


def is_cut(scenario: Scenario, option: SpendsFlops) -> bool:
    """Whether limits of time and money leave an option less than the budget in FLOPs."""
    most = dict(scenario.limits.flops).get(option.accounting, math.inf)
    return option.total_flops is not None and most < (scenario.compute or 0.0)


def most_flops(scenario: Scenario, bill_of: "Callable[[Scenario], OptionBill | None]") -> float:
    """The most FLOPs that keep to the limits of time and money; infinite: any do, or none.

    Args:
        scenario: the question.
        bill_of: what it takes on the machine; None where its budget trains nothing.
    """
    if not _is_limited(scenario):
        return math.inf
    free = replace(scenario, start=None, limits=scenario.limits._replace(flops=()))

    def taken(flops: float) -> float | None:
        """The largest share of a limit that the best plan of so many FLOPs takes."""
        bill = bill_of(replace(free, compute=flops))
        return None if bill is None else _share(scenario.limits, bill)

    low, under = 0.0, 0.0
    high = scenario.budget
    for _ in range(MOST_STEPS):  # a larger budget is asked about as well, by what turns a verdict
        over = taken(high)
        if over is None or high > FARTHEST * scenario.budget:
            return math.inf
        if over > 1:
            return _crossing(taken, (low, under), (high, over))
        low, under = high, over
        high *= BEYOND / max(over, 1 / FARTHEST)
    return math.inf


def _crossing(
    taken: Callable[[float], float | None], below: tuple[float, float], above: tuple[float, float]
) -> float:
    """The most FLOPs that take all of the limits and no more; infinite where there are none.

    By lines through the nearest budgets on both sides, which meet it at once where sizes are given.

    Args:
        taken: of the limits, rising with FLOPs; None where these train nothing.
        below: FLOPs that take less, or none; and what they take.
        above: FLOPs that take more, and what they take.
    """
    (low, under), (high, over) = below, above
    kept = low or math.inf
    for step in range(1, MOST_STEPS):
        part = 0.5 if step % HALVED == 0 else (1 - CLOSE / 2 - under) / (over - under)
        tried = low + part * (high - low)
        if not low < tried < high:
            break
        share = taken(tried)
        if share is None:  # too little for a teacher
            low, under = tried, 0.0
        elif share > 1:
            high, over = tried, share
        else:
            low, under, kept = tried, share, tried
            if share >= 1 - CLOSE:
                break
    return kept


def _share(limits: Limits, bill: "OptionBill") -> float:
    """The largest share of a limit of time or money that a bill takes, by the middle."""
    seconds = None if limits.hours is None else limits.hours * SECONDS_PER_HOUR
    pairs: Sequence[tuple[Range | None, float | None]] = (
        (bill.wall_seconds, seconds),
        (bill.cost_usd, limits.usd),
    )
    return max((one.mid / most for one, most in pairs if one and most is not None), default=0.0)
