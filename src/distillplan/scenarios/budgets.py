"""A budget in FLOPs, GPU-hours or money, and the machine that turns one into the other."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from distillplan.errors import InputError
from distillplan.models.architecture import FixedAspect
from distillplan.planning.scenario import Limits
from distillplan.units import Budget

if TYPE_CHECKING:
    from distillplan.hardware.machine import Machine


class Spent(NamedTuple):
    """A budget as a `Scenario` has it."""

    compute: float | None = None
    gpu_hours: float | None = None
    machine: "Machine | None" = None


def spend(
    budget: Budget | None, words: Mapping[str, Any], architecture: FixedAspect, limits: Limits
) -> Spent:
    """FLOPs or GPU-hours of a budget, and the machine, where one is named.

    Args:
        budget: as written; None: all that the limits of time and money allow.
        words: what was said of the hardware (`machines.MachineWords`), its GPU among them.
        architecture: of student and teacher.
        limits: of time and money.

    Raises:
        InputError: when two answers contradict each other, or a GPU is missing.
    """
    budget = Budget() if budget is None else budget
    said = {name: value for name, value in words.items() if value is not None}
    gpu = said.pop("gpu", None)
    if budget.gpu is not None and gpu is not None and gpu.lower() != budget.gpu:
        raise InputError(f"GPU: the budget says {budget.gpu}, --gpu says {gpu}; leave one out")
    if budget.gpus is not None and said.get("gpus", budget.gpus) != budget.gpus:
        raise InputError(
            f"GPUs: the budget says {budget.gpus}, --gpus says {said['gpus']}; leave one out"
        )
    named = budget.gpu or gpu
    if named is None:
        if said:
            raise InputError(
                f"GPU: {', '.join(sorted(said))} need one; give --gpu, such as h100-sxm"
            )
        if budget.flops is None:
            raise InputError("budget: hours and money need a GPU; give --gpu, such as h100-sxm")
        return Spent(compute=budget.flops)
    from distillplan.hardware.machine_words import (  # not for FLOPs alone
        MachineWords,
        machine,
        usd_per_gpu_hour,
    )

    if budget.gpus is not None:
        said["gpus"] = budget.gpus
    found = machine(MachineWords(gpu=named, **said), architecture)
    if budget.flops is not None:
        return Spent(compute=budget.flops, machine=found)
    usd = _least(budget.usd, limits.usd)
    hours = [
        budget.gpu_hours,
        None if limits.hours is None else limits.hours * found.cluster.gpus,
        None if usd is None else usd / usd_per_gpu_hour(found),
    ]
    return Spent(gpu_hours=_least(*hours), machine=found)


def _least(*values: float | None) -> float | None:
    return min((one for one in values if one is not None), default=None)
