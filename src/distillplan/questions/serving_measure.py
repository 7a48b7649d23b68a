"""What a served model is weighed by: money, GPU-hours where no price is known, or else FLOPs."""

from enum import StrEnum

from distillplan.hardware.bill import BillLine, Phase
from distillplan.hardware.machine import Machine
from distillplan.hardware.range import Range
from distillplan.named_tuples import NamedTuple
from distillplan.planning.scenario import Scenario
from distillplan.questions.serving_records import ServedHours, ServedModel, ServedRole, Serving

_MILLION = 1e6
_BILLION = 1e9


class Measure(StrEnum):
    """The unit of an answer."""

    MONEY = "money"
    """US dollars, those for storing logits included."""
    HOURS = "hours"
    """GPU-hours on the machine."""
    COMPUTE = "compute"
    """FLOPs."""

    @property
    def less(self) -> str:
        """What a model does that takes less."""
        return _LESS[self]

    @property
    def least(self) -> str:
        """What the model does that takes least."""
        return _LEAST[self]

    @property
    def takes(self) -> str:
        """The verb of an amount."""
        return "costs" if self is Measure.MONEY else "takes"


_LESS = {
    Measure.MONEY: "costs less",
    Measure.HOURS: "takes fewer GPU-hours",
    Measure.COMPUTE: "takes less compute",
}
_LEAST = {
    Measure.MONEY: "costs least",
    Measure.HOURS: "takes fewest GPU-hours",
    Measure.COMPUTE: "takes least compute",
}


class Taken(NamedTuple):
    """What a model takes on the machine, in one unit."""

    training: Range
    each: Range
    """Of a token served."""


def measure_of(scenario: Scenario) -> Measure:
    """What the answer to a scenario is weighed by."""
    if scenario.machine is None:
        return Measure.COMPUTE
    return Measure.HOURS if price_on(scenario.machine) is None else Measure.MONEY


def price_on(machine: Machine) -> float | None:
    """Dollars of a GPU-hour; None where no price is known, which one of 0 says too."""
    return None if machine.price is None else machine.price.usd_per_hour or None


def taken(hours: ServedHours) -> Taken:
    """What a model takes, in dollars, or in GPU-hours where no price is known."""
    if hours.training_cost_usd is None or hours.usd_per_million is None:
        return Taken(hours.training_gpu_hours, hours.gpu_hours_per_billion.scale(1 / _BILLION))
    return Taken(hours.training_cost_usd, hours.usd_per_million.scale(1 / _MILLION))


def life(flops: float | None, hours: ServedHours | None) -> float | None:
    """What training and serving take; None where no amount was given.

    Args:
        flops: of both.
        hours: on the machine; None: there is none.
    """
    if hours is None:
        return flops
    on_machine = hours.lifetime_cost_usd or hours.lifetime_gpu_hours
    return None if on_machine is None else on_machine.mid


def better_smaller(found: Serving) -> ServedModel | None:
    """The model of the asked size, pretrained or distilled, whose training takes less.

    None where neither reaches the loss.
    """
    ways = [
        one
        for one in found.models
        if one.option is not None
        and one.role is ServedRole.SMALLER
        and (one.accounting is None or one.decides)
    ]
    return min(ways, key=lambda one: (_trained(one), one.accounting is None), default=None)


def _trained(one: ServedModel) -> float:
    return (one.training_flops or 0.0) if one.hours is None else taken(one.hours).training.mid


def training_ratio(one: ServedModel, larger: ServedModel) -> float:
    """What training a model takes over what training the larger one takes."""
    return _trained(one) / _trained(larger)


def saved_share(one: ServedModel, larger: ServedModel) -> float:
    """The part of serving a token that a model saves over the larger one; below 0: it adds."""
    if one.hours is None or larger.hours is None:
        return 1 - one.flops_per_token / larger.flops_per_token
    return 1 - taken(one.hours).each.mid / taken(larger.hours).each.mid


def teacher_share(one: ServedModel) -> float:
    """The part of a model's training that goes into its teacher and its stored logits."""
    option, hours = one.option, one.hours
    if option is None or option.bill is None or hours is None:
        return 0.0 if option is None else option.teacher_share
    priced = hours.usd_per_million is not None

    def spent(line: BillLine) -> float:
        cost = line.cost_usd if priced else None
        return (line.gpu_hours if cost is None else cost).mid

    parts = {line.phase: spent(line) for line in option.bill.phases}
    return 1 - parts[Phase.STUDENT_TRAINING] / sum(parts.values())


def start_of(one: ServedModel) -> float | None:
    """Tokens a day from which on a model takes less than the larger one; 0: from the start.

    None where no number of them makes up for its training.
    """
    if one.break_even is None:
        return None
    even = one.break_even
    return even.tokens_per_day if one.hours is None else even.hours_tokens_per_day


def interval_of(one: ServedModel, days: float) -> tuple[float | None, float | None]:
    """Ends of the same: the 90% interval without a machine, and the range of speeds on one."""
    even = one.break_even
    if even is None:
        return None, None
    ends = (even.low_tokens, even.high_tokens)
    if one.hours is not None:
        ends = (even.low_hours_tokens, even.high_hours_tokens)
    low, high = (None if end is None else end / days for end in ends)
    return low, high
