"""A scenario whose layout is left open: the fastest one in which what it weighs fits."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from distillplan.accounting import Accounting, Share
from distillplan.errors import InfeasibleError
from distillplan.hardware.machine import Machine
from distillplan.hardware.memory_fit import Fits, fastest_layout
from distillplan.hardware.strategy import Strategy
from distillplan.notices import PRETRAINING_LAYOUT, Notice, warning
from distillplan.planning.machine_warnings import layout_in_words
from distillplan.planning.option_bill import room, seconds_of
from distillplan.planning.options import distilled_options, supervised_option
from distillplan.planning.results import Option
from distillplan.planning.scenario import Scenario
from distillplan.planning.sizes import Sizes
from distillplan.units.quantities import format_count

LEAST_GAIN: Final = 1.02
"""Times the tokens from which a layout of its own is worth a word."""

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


def apart(scenario: Scenario, alone: Option) -> Iterator[Notice]:
    """That pretraining reads more tokens on the fastest layout of its own, and what that gives.

    Args:
        scenario: a question that was laid out.
        alone: supervised training on that layout.
    """
    machine, tokens = scenario.machine, alone.student_tokens
    if machine is None or tokens is None or not machine.layout_found:
        return
    own = replace(machine, strategy=_fastest(scenario, machine, alone))
    better = supervised_option(replace(scenario, machine=own))
    if better.loss is None or (better.student_tokens or 0.0) < LEAST_GAIN * tokens:
        return
    chosen, more = layout_in_words(own.strategy, all_of_it=False), better.student_tokens
    yield warning(
        PRETRAINING_LAYOUT,
        f"both are on the layout of the distillation; pretraining on its own fastest one "
        f"({chosen}) reads {format_count(more)} tokens, not {format_count(tokens)}, for "
        f"{better.loss:.3f} nats",
    )


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
