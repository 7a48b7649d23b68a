"""Whether an option can be done on the scenario's machine, and on how many GPUs one could."""

import math
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from distillplan.accounting import SUPERVISED_SHOWN, way_in_words
from distillplan.errors import InfeasibleError, InputError
from distillplan.hardware.machine import Machine
from distillplan.hardware.memory_fit import MAX_GPUS, Fits, smallest_layout, usable_bytes
from distillplan.hardware.strategy import Checkpointing, LayoutChoice
from distillplan.planning.kept_limits import within_limits
from distillplan.planning.machine_warnings import OVER_MEMORY, changes_to_fit, limits_passed
from distillplan.planning.options import distilled_options, supervised_option
from distillplan.planning.results import Option
from distillplan.planning.scenario import Scenario
from distillplan.units.quantities import format_bytes

SAVING = "--checkpointing full"
LAID_OUT = ("tp", "sharding", "checkpointing", "micro_batch")
"""What `smallest_layout` chooses."""


def possible(scenario: Scenario, option: Option) -> bool:
    """Whether an option fits into the machine's memory and keeps to the scenario's limits."""
    bill = option.bill
    if option.loss is None:
        return False
    return bill is None or (bill.fits is not Fits.NO and not limits_passed(scenario.limits, bill))


def nothing_possible(scenario: Scenario, options: Sequence[Option]) -> InfeasibleError:
    """The error that says why neither choice can be done, and on which machine one could.

    Args:
        scenario: a question with a machine.
        options: supervised training, and the distillation that it is weighed against.
    """
    machine = scenario.machine
    if machine is None:
        raise ValueError("without a machine everything is possible")
    failed = [one for one in options if one.bill is not None]
    changes = [(one, changes_in_words(scenario, one)) for one in failed]
    end = "; ".join(f"{_way(one)} fits with {change}" for one, change in changes if change)
    end = end or _on_fewest(scenario, machine, failed) or _larger_machine(scenario, machine)
    return InfeasibleError(f"no plan: {_nothing_fits(scenario, machine, failed)}; {end}")


def _on_fewest(scenario: Scenario, machine: Machine, options: Sequence[Option]) -> str:
    """The fewest GPUs on which one of some options fits, as an estimate finds them, in words.

    Empty where memory is not all that they lack, or no number of GPUs is enough.
    """
    layouts = []
    for one in options:
        run = None if one.bill is None else one.bill.run
        if one.bill and run is not None and not limits_passed(scenario.limits, one.bill):
            with suppress(InfeasibleError):
                layouts.append(smallest_layout(run, machine.gpu))
    if not layouts:
        return ""
    least = min(layouts, key=lambda one: one.run.gpus).run
    told = [f"--{name.replace('_', '-')} {getattr(least.strategy, name)}" for name in LAID_OUT]
    how = "" if machine.layout is LayoutChoice.AUTO else f" with {' '.join(told)}"
    return f"smallest machine that would do: {least.gpus} {machine.gpu.name}{how}"


def _larger_machine(scenario: Scenario, machine: Machine) -> str:
    """The smallest machine on which something is possible, in words."""
    enough, gpu = _smallest(scenario, machine), machine.gpu.name
    if enough is None:
        other = "" if machine.layout is LayoutChoice.AUTO else " on this layout (try --layout auto)"
        return f"no number of {gpu} up to {MAX_GPUS} is enough{other}"
    saving = _saving_memory(machine).strategy == enough.strategy != machine.strategy
    how = f" with {SAVING}" if saving else ""
    return f"smallest machine that would do: {enough.gpus} {gpu}{how}"


def _way(option: Option) -> str:
    return SUPERVISED_SHOWN if option.accounting is None else "distill"


def _nothing_fits(scenario: Scenario, machine: Machine, options: Sequence[Option]) -> str:
    """Why none of some options can be done; shorter where it is the memory alone."""
    passed = [limits_passed(scenario.limits, one.bill) for one in options if one.bill is not None]
    if any(passed):
        why = "; ".join(why_not(scenario, one) for one in options)
        return f"nothing works on {in_words(machine)}: {why}"
    needs = " needs "
    told = []
    for one in options:
        if one.bill is not None:
            told.append(f"{_way(one)}{needs}{format_bytes(one.bill.memory_bytes_per_gpu.mid)}")
            needs = " "
    who = "neither fits" if len(options) > 1 else "it does not fit"
    each = " per GPU" if machine.gpus > 1 else ""
    return f"{who} {in_words(machine)}: {', '.join(told)}{each}"


def in_words(machine: Machine) -> str:
    """The GPUs of a machine and what a run can use of their memory, beside what one needs."""
    size = format_bytes(usable_bytes(machine.gpu))
    each = " each" if machine.gpus > 1 else ""
    return f"{machine.gpus} {machine.gpu.name} ({size} usable{each})"


def why_not(scenario: Scenario, option: Option) -> str:
    """Why an option cannot be done, in words."""
    bill = option.bill
    if bill is None:
        raise ValueError("an option on a machine has a bill")
    passed = limits_passed(scenario.limits, bill)
    parts = list(passed.values())
    if bill.fits is Fits.NO and OVER_MEMORY not in passed:
        parts.insert(0, f"needs {format_bytes(bill.memory_bytes_per_gpu.mid)} per GPU")
    return f"{way_in_words(option.accounting)} {' and '.join(parts)}"


def changes_in_words(scenario: Scenario, option: Option) -> str:
    """What to add so that an option fits; empty where that is not all it lacks."""
    bill = option.bill
    if bill is None or limits_passed(scenario.limits, bill).keys() - {OVER_MEMORY}:
        return ""
    return changes_to_fit(scenario, bill)


def _saving_memory(machine: Machine) -> Machine:
    """The machine with the layout of `SAVING`."""
    layout = replace(machine.strategy, checkpointing=Checkpointing.FULL)
    return replace(machine, strategy=layout)


def _smallest(scenario: Scenario, machine: Machine) -> Machine | None:
    """The fewest GPUs of the same kind on which something is possible; None: no number is."""
    gpus = machine.gpus
    while gpus <= MAX_GPUS:
        found = _possible_on(scenario, machine, gpus)
        if found is not None:
            return _fewer(scenario, machine, found)
        gpus *= 2
    return None


def _possible_on(scenario: Scenario, machine: Machine, gpus: int) -> Machine | None:
    """So many GPUs of the same kind, where something is possible on them."""
    with suppress(InputError):  # a step that is given may be too small for so many
        larger = replace(machine, gpus=gpus)
        for one in (larger, _saving_memory(larger)):
            if _something_possible(replace(scenario, machine=one)):
                return one
    return None


def _fewer(scenario: Scenario, machine: Machine, enough: Machine) -> Machine:
    """The fewest whole nodes, or groups of a layout, between a machine and half of it."""
    unit = math.lcm(machine.strategy.replica_gpus, machine.gpu.gpus_per_node)
    if enough.gpus < 2 * unit or enough.gpus == machine.gpus:
        return enough
    low, high = enough.gpus // 2 // unit, -(-enough.gpus // unit)
    while high - low > 1:
        found = _possible_on(scenario, machine, unit * ((low + high) // 2))
        low, high = (low, (low + high) // 2) if found else ((low + high) // 2, high)
        enough = found or enough
    return enough


def _something_possible(scenario: Scenario) -> bool:
    scenario = within_limits(scenario)
    alone = supervised_option(scenario)
    if alone.loss is None or possible(scenario, alone):
        return alone.loss is not None
    return any(
        one.decides and possible(scenario, one) for one in distilled_options(scenario, alone.loss)
    )
