"""A scenario whose layout is left open: the fastest one in which what it weighs fits."""

from dataclasses import replace

from distillplan.accounting import Accounting, Share
from distillplan.errors import InfeasibleError
from distillplan.hardware.machine import Machine
from distillplan.hardware.memory_fit import Fits, fastest_layout
from distillplan.hardware.strategy import Strategy
from distillplan.planning.option_bill import room, seconds_of
from distillplan.planning.options import distilled_options, supervised_option
from distillplan.planning.results import Option
from distillplan.planning.scenario import Scenario
from distillplan.planning.sizes import Sizes

MOST_TURNS = 4
"""Sizes change with the layout, and the layout with the sizes: turns in which both settle."""


def laid_out(scenario: Scenario, machine: Machine) -> Scenario:
    """The scenario on the fastest layout of its machine, at the sizes that it has on that.

    By the time of the distillation that the verdict is about, or of supervised training where only
    that fits; on the usual layout where neither does.
    """
    usual = replace(scenario, machine=replace(machine, layout_found=False))
    for way in (scenario.pays, None):
        found = usual
        for _ in range(MOST_TURNS):
            option = _option(found, way)
            if option is None:
                break
            if found is not usual and option.bill is not None and option.bill.fits is Fits.YES:
                return found
            try:
                strategy = _fastest(usual, machine, option)
            except InfeasibleError:
                break
            placed = replace(machine, strategy=strategy, layout_found=True)
            found = replace(scenario, machine=placed)
    return usual


def _fastest(scenario: Scenario, machine: Machine, option: Option) -> Strategy:
    """The fastest strategy for one option."""
    sizes, way = _sizes(option), option.accounting
    if option.bill is None:
        raise InfeasibleError("it trains nothing here")
    run = option.bill.run
    paid = Share() if way is None else scenario.share(way)

    def seconds(strategy: Strategy) -> float:
        tried = replace(scenario, machine=replace(machine, strategy=strategy))
        each = seconds_of(tried, way, sizes)
        once = paid.training * each.teacher_training * (sizes.teacher_tokens or 0.0)
        first = min(1.0, scenario.most_passed / sizes.student_tokens)
        passes = paid.logits * each.teacher_forward * first
        return each.student_training + passes + once / sizes.student_tokens

    capacity = room(scenario, machine)
    return fastest_layout(replace(run, strategy=machine.strategy), machine, seconds, capacity)


def _option(scenario: Scenario, way: Accounting | None) -> Option | None:
    """One way to spend the budget; None where the law has none, or it is over budget."""
    alone = supervised_option(scenario)
    if way is None or alone.loss is None:
        return None if alone.loss is None else alone
    options = distilled_options(scenario, alone.loss)
    return next((one for one in options if one.decides and one.loss is not None), None)


def _sizes(option: Option) -> Sizes:
    return Sizes(
        student_params=option.student_params or 1.0,
        student_tokens=option.student_tokens or 1.0,
        teacher_params=option.teacher_params,
        teacher_tokens=option.teacher_tokens,
        teacher_loss=option.teacher_loss,
    )
