"""A budget in FLOPs, GPU-hours or money, and the machine that turns one into the other."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from distillplan.accounting import TRAINING_PASSES
from distillplan.errors import EXAMPLE_GPU, InputError, Word, needs_gpu
from distillplan.models.architecture import FixedAspect
from distillplan.models.model_sizes import check_pair
from distillplan.named_tuples import NamedTuple
from distillplan.planning.budget_text import Budget
from distillplan.planning.scenario import Limits, Scenario
from distillplan.scenarios import key_table

if TYPE_CHECKING:
    from distillplan.hardware.machine import Machine


class Spent(NamedTuple):
    """A budget as a `Scenario` has it."""

    compute: float | None = None
    gpu_hours: float | None = None
    machine: "Machine | None" = None
    asked_gpu_hours: float | None = None
    """As `Limits.asked_gpu_hours`."""
    usd: float | None = None
    """Money that the plan must not exceed: the budget, or its limit."""
    money_over_budget: float | None = None
    """That money over what the hours cost; 1 where it sets them."""


def spend(
    budget: Budget | None, words: Mapping[str, Any], architecture: FixedAspect, limits: Limits
) -> Spent:
    """FLOPs or GPU-hours of a budget, and the machine, where one is named.

    Args:
        budget: as written; None: all that the limits of time and money allow.
        words: of the hardware, as for `hardware.machine.machine`.
        architecture: of student and teacher.
        limits: of time and money.

    Raises:
        InputError: when two answers contradict each other, or a GPU is missing.
    """
    budget = Budget() if budget is None else budget
    said = {name: value for name, value in words.items() if value is not None}
    gpu = said.pop("gpu", None)
    if budget.lacks and limits.hours is None and limits.usd is None:
        raise InputError(Word("compute"), f": {budget.lacks}")
    if budget.gpu is None and gpu is None:
        return _without_machine(budget, limits, said)
    found = _machine(budget, gpu, said, architecture)
    if budget.flops is not None:
        return Spent(compute=budget.flops, machine=found, usd=limits.usd)
    from distillplan.hardware.machine import usd_per_gpu_hour  # not for FLOPs alone, as below

    def bought(usd: float | None) -> float | None:
        return None if usd is None else usd / usd_per_gpu_hour(found)

    usd = _least(budget.usd, limits.usd)
    most = bought(usd)
    wanted = _least(budget.gpu_hours, bought(budget.usd))
    in_time = None if limits.hours is None else limits.hours * found.gpus
    spent = _least(wanted, in_time, most)
    return Spent(
        gpu_hours=spent,
        machine=found,
        asked_gpu_hours=None if spent == wanted else wanted,
        usd=usd,
        money_over_budget=None if most is None or not spent else most / spent,
    )


def _without_machine(budget: Budget, limits: Limits, said: Mapping[str, Any]) -> Spent:
    """A budget in FLOPs; hours, money and words of the hardware need a GPU."""
    if said:
        raise needs_gpu(_hardware(min(said)))
    if budget.flops is None:
        asked = _asked(budget, limits)
        why = ": hours and money need a GPU" if asked == "compute" else " needs a GPU"
        raise InputError(Word(asked), f"{why}; add ", EXAMPLE_GPU)
    return Spent(compute=budget.flops)


def _machine(
    budget: Budget, gpu: str | None, said: Mapping[str, Any], architecture: FixedAspect
) -> "Machine":
    """The machine that the budget and the words of the hardware name together."""
    from distillplan.hardware.machine import machine

    gpus = said.get("gpus", budget.gpus)
    if budget.gpus not in (None, gpus):
        raise InputError(
            f"the budget says {budget.gpus} GPUs, ",
            _hardware("gpus"),
            f" says {gpus}; leave one out",
            also=("compute",),
        )
    try:
        named = _one_gpu(budget.gpu, gpu)
        return machine({**said, "gpu": named, "gpus": gpus}, architecture)
    except InputError as error:
        also = (*error.about, "hardware", "hardware.gpu")
        raise InputError(*error.parts, also=also) from None


def training_of(budget: Budget, words: Mapping[str, Any], architecture: FixedAspect) -> Budget:
    """A budget that is given by tokens, in FLOPs: what training on them takes without a teacher.

    Args:
        budget: with tokens, or tokens per parameter.
        words: fields of a `Scenario`; the student's size must be among them.
        architecture: of the student.

    Raises:
        InputError: when the student's size is missing, or the tokens are none that it can have.
    """
    params, model = words.get("student_params"), words.get("student_model")
    if params is None and model is None:
        raise InputError(
            Word("student_tokens"),
            ": the compute for them depends on the student; add ",
            Word("student_params", "1B"),
        )
    alone = Scenario(
        compute=1.0,
        law=words["law"],
        architecture=architecture,
        student_params=params,
        student_model=model,
    )
    params = alone.student_params or 0.0  # a student that was named has them
    tokens = budget.tokens_for(params)
    check_pair(params, tokens, Word("student_tokens"))
    forward = alone.student_forward(params)
    served = words.get("inference_tokens", 0.0)
    flops = words.get("students", 1) * forward * (TRAINING_PASSES * tokens + served)
    return Budget(flops=flops, tokens=tokens)


def _one_gpu(of_budget: str | None, of_hardware: str | None) -> str:
    """The GPU that is named, once or twice, in any of its spellings."""
    from distillplan.hardware import gpu_catalog  # not for FLOPs alone

    if of_budget is None:
        return of_hardware or ""
    if of_hardware is None:
        return _of_budget(of_budget)
    whole = gpu_catalog.gpu(of_hardware).name
    if whole not in gpu_catalog.variants(of_budget) and _of_budget(of_budget) != whole:
        raise InputError(
            f"the budget says {of_budget}, ",
            _hardware("gpu"),
            f" says {of_hardware}; leave one out",
            also=("compute",),
        )
    return of_hardware  # which may be a file, with more than the name


def _of_budget(name: str) -> str:
    """The GPU that the budget names.

    Raises:
        InputError: for an unknown name; the fault is the budget's.
    """
    from distillplan.hardware import gpu_catalog  # as above

    try:
        return gpu_catalog.gpu(name).name
    except InputError as error:
        parts = (Word("compute") if one == Word("gpu") else one for one in error.parts)
        raise InputError(*parts, also=error.also) from None


def _asked(budget: Budget, limits: Limits) -> str:
    """The key of a budget that is not in FLOPs."""
    if budget.gpu_hours is not None or budget.usd is not None:
        return "compute"
    return "deadline" if limits.hours is not None else "max_cost_usd"


def _hardware(name: str) -> Word:
    """A word of the hardware, as people write it."""
    return Word(key_table.TABLE.keys[f"hardware.{name}"].short)


def _least(*values: float | None) -> float | None:
    return min((one for one in values if one is not None), default=None)
