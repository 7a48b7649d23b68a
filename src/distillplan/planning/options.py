"""The ways to spend a budget, each with its sizes and costs."""

import math
from collections.abc import Sequence

import numpy as np

from distillplan.accounting import Accounting, run_flops
from distillplan.laws.formulas import FloatArray
from distillplan.laws.repetition import log_tokens, log_worth
from distillplan.optimize.problems import Optima
from distillplan.planning import evaluate
from distillplan.planning.evaluate import cells, together
from distillplan.planning.results import Method, Near, Option, OptionBill, SearchStatus, Sizes
from distillplan.planning.scenario import Scenario

FLAT_NATS = 0.005
"""Sizes whose loss is within this of the best are listed as nearly as good."""
MORE_COMPUTE = 1.1
"""The marginal value of compute is shown for ten percent more."""
MULTIPLES = (math.log(1e-3), math.log(1e3))
"""Range of the search for a multiplier of compute."""
AT_BOUND = 1e-6
"""A size this near a bound, relatively, stands at it."""


def supervised_option(scenario: Scenario) -> Option:
    """Supervised training with the whole budget."""
    at = cells(scenario, Accounting.FREE, budget=_with_more(scenario))
    optima = evaluate.supervised(scenario, at, within=FLAT_NATS)
    return option_from(scenario, None, optima, 0, 1, alone=None)


def distilled_options(scenario: Scenario, alone: float) -> list[Option]:
    """Distillation under each accounting worth showing, solved side by side.

    Args:
        scenario: the question.
        alone: loss of supervised training.
    """
    shown = scenario.accountings
    if not shown:
        return []
    budgets = _with_more(scenario)
    at = together(cells(scenario, accounting, budget=budgets) for accounting in shown)
    optima = evaluate.distilled(scenario, at, within=FLAT_NATS)
    return [
        option_from(scenario, accounting, optima, 2 * row, 2 * row + 1, alone=alone)
        for row, accounting in enumerate(shown)
    ]


def with_multipliers(scenario: Scenario, options: Sequence[Option]) -> tuple[Option, ...]:
    """Distilled options with the supervised budget, in own budgets, that reaches their losses.

    The supervised loss falls with the budget; a grid brackets each loss, and a line in log loss and
    log budget does the rest, to about 1e-6.

    Args:
        scenario: the question.
        options: all of its options.
    """
    wanted = [row for row, one in enumerate(options) if one.accounting and one.loss is not None]
    if not wanted:
        return tuple(options)
    losses = np.array([options[row].loss for row in wanted])
    logs = np.broadcast_to(np.linspace(*MULTIPLES, 49), (len(wanted), 49))
    for _ in range(2):
        budgets = scenario.budget * np.exp(logs)
        at = cells(scenario, Accounting.FREE, budget=budgets.ravel())
        found = evaluate.supervised(scenario, at).loss.reshape(logs.shape)
        reached = found <= losses[:, None]
        never = ~reached.any(axis=1) | reached[:, 0]
        high = np.maximum(reached.argmax(axis=1), 1)
        low_end, high_end = (
            np.take_along_axis(logs, row[:, None], 1)[:, 0] for row in (high - 1, high)
        )
        ends = [np.take_along_axis(found, row[:, None], 1)[:, 0] for row in (high - 1, high)]
        logs = np.linspace(low_end, high_end, 17, axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        part = (np.log(losses) - np.log(ends[0])) / (np.log(ends[1]) - np.log(ends[0]))
    part = np.where(np.isfinite(part), np.clip(part, 0.0, 1.0), 1.0)
    multiples = np.exp(low_end + part * (high_end - low_end))
    changed = list(options)
    for row, multiple, no in zip(wanted, multiples.tolist(), never.tolist(), strict=True):
        changed[row] = options[row]._replace(compute_multiplier=None if no else multiple)
    return tuple(changed)


def without_nonsense(option: Option, most: float) -> Option:
    """The option without the numbers of a loss that guessing would beat.

    Args:
        option: one of a plan.
        most: loss of guessing, nats per token.
    """
    if option.loss is None or option.loss < most:
        return option
    return option._replace(
        status=SearchStatus.WORSE_THAN_GUESSING,
        loss=None,
        gain_nats=None,
        supervised_equivalent_tokens=None,
        gain_from_10_percent=None,
        near=None,
        is_guess=True,
    )


def _with_more(scenario: Scenario) -> FloatArray:
    return scenario.budget * np.array([1.0, MORE_COMPUTE])


def option_from(
    scenario: Scenario,
    accounting: Accounting | None,
    optima: Optima,
    row: int,
    more: int | None = None,
    *,
    alone: float | None,
) -> Option:
    """One row of the optimizer's answer, with what it costs.

    Args:
        scenario: the question.
        accounting: what is paid; None for supervised training.
        optima: the optimizer's answers.
        row: the one that belongs to the scenario.
        more: the one with ten percent more compute, where that was asked.
        alone: the loss of supervised training; None where this is it.
    """
    decides = accounting is scenario.pays and accounting is not None
    method = Method.SUPERVISED if accounting is None else Method.DISTILL
    if not math.isfinite(optima.loss[row]):
        return _infeasible(method, accounting, decides=decides)
    loss, sizes = _at(scenario, accounting, optima, row, 1.0)
    gain = None
    if more is not None:
        gain = loss - _at(scenario, accounting, optima, more, MORE_COMPUTE)[0]
    flops = run_flops(
        student_forward=scenario.family.forward_flops(sizes.student_params),
        student_tokens=sizes.student_tokens,
        teacher_forward=scenario.family.forward_flops(sizes.teacher_params or 1.0),
        teacher_tokens=sizes.teacher_tokens or 0.0,
        paid=scenario.share(accounting or Accounting.FREE),
        students=scenario.students,
        served_tokens=scenario.inference_tokens,
    )
    at_bounds, status = _status(scenario, accounting, sizes)
    equivalent = sizes.student_tokens
    if accounting is not None:
        worth = scenario.law.supervised.tokens_for_loss(loss, sizes.student_params)
        equivalent = float(np.exp(log_tokens(np.log(worth), scenario.unique_tokens)))
    return Option(
        method=method,
        accounting=accounting,
        decides=decides,
        status=status,
        loss=loss,
        gain_nats=None if alone is None else alone - loss,
        student_params=sizes.student_params,
        student_tokens=sizes.student_tokens,
        tokens_per_param=sizes.student_tokens / sizes.student_params,
        teacher_params=sizes.teacher_params,
        teacher_tokens=sizes.teacher_tokens,
        teacher_loss=sizes.teacher_loss,
        supervised_equivalent_tokens=equivalent if math.isfinite(equivalent) else None,
        compute_multiplier=None,
        total_flops=flops.total,
        flops_per_student=flops.total / scenario.students,
        flops=flops,
        gain_from_10_percent=gain,
        near=_near(scenario, accounting, optima, row),
        bill=_bill(scenario, accounting, sizes),
        at_bounds=at_bounds,
    )


def _at(
    scenario: Scenario, accounting: Accounting | None, optima: Optima, row: int, factor: float
) -> tuple[float, Sizes]:
    """Loss and sizes of one row, spending the scenario's budget times a factor."""
    sizes = _sizes(scenario, accounting, optima, row)
    if scenario.gpu_hours is None:
        return float(optima.loss[row]), sizes
    # the search took seconds per token from a table; the tokens follow from the exact ones
    from distillplan.planning.option_bill import affordable_tokens

    tokens = affordable_tokens(scenario, accounting, sizes, scenario.budget * factor)
    tokens = min(tokens, scenario.bounds.student_tokens[1])
    n, d = math.log(sizes.student_params), log_worth(math.log(tokens), scenario.unique_tokens)
    if accounting is None:
        loss = scenario.law.supervised.loss_at_logs(n, d)
    else:
        loss = evaluate.law_of(scenario).loss_at_logs(n, d, math.log(sizes.teacher_loss or 1.0))
    return float(loss), sizes._replace(student_tokens=tokens)


def _bill(scenario: Scenario, accounting: Accounting | None, sizes: Sizes) -> OptionBill | None:
    """Hours, money and memory; None where nobody said what it runs on."""
    if scenario.machine is None:
        return None
    from distillplan.planning.option_bill import option_bill  # not for plans in FLOPs

    return option_bill(scenario, accounting, sizes)


def _sizes(scenario: Scenario, accounting: Accounting | None, optima: Optima, row: int) -> Sizes:
    """The sizes of one row; those that were given as given."""

    def found(name: str) -> float | None:
        values = getattr(optima, name)
        if values is None:
            return None
        low, high = getattr(scenario.bounds, name)  # exp(log(bound)) may pass it by a bit
        free = name in _free_sizes(scenario, accounting)
        return min(max(float(values[row]), low), high) if free else float(values[row])

    params = scenario.student_params or found("student_params")
    tokens = found("student_tokens")
    if params is None or tokens is None:
        raise ValueError("a feasible student has sizes")
    if accounting is None:
        return Sizes(student_params=params, student_tokens=tokens)
    loss = None if optima.teacher_loss is None else float(optima.teacher_loss[row])
    teacher = scenario.teacher
    return Sizes(
        student_params=params,
        student_tokens=tokens,
        teacher_params=found("teacher_params") if teacher is None else teacher.params,
        teacher_tokens=found("teacher_tokens") if teacher is None else teacher.tokens,
        teacher_loss=loss,
    )


def _free_sizes(scenario: Scenario, accounting: Accounting | None) -> tuple[str, ...]:
    """The sizes that the search chose, the student's tokens among them."""
    free = ["student_tokens"]
    if scenario.student_params is None:
        free.append("student_params")
    if accounting is not None and scenario.teacher is None:
        free += ["teacher_params", "teacher_tokens"]
    return tuple(free)


def _status(
    scenario: Scenario, accounting: Accounting | None, sizes: Sizes
) -> tuple[tuple[str, ...], SearchStatus]:
    """The sizes at a bound, and how the search ended."""
    upper, lower = [], []
    free = _free_sizes(scenario, accounting)
    for name in free:
        low, high = getattr(scenario.bounds, name)
        value = getattr(sizes, name)
        if value >= high * (1 - AT_BOUND):
            upper.append(name)
        elif value <= low * (1 + AT_BOUND):
            lower.append(name)
    if upper:
        return tuple(upper), SearchStatus.AT_UPPER_BOUND
    if lower:
        return tuple(lower), SearchStatus.AT_LOWER_BOUND
    return (), SearchStatus.GIVEN if free == ("student_tokens",) else SearchStatus.OPTIMAL


def _near(
    scenario: Scenario, accounting: Accounting | None, optima: Optima, row: int
) -> Near | None:
    """The sizes that are nearly as good, for those that the search chose."""
    free = set(_free_sizes(scenario, accounting))
    if optima.spread is None or free == {"student_tokens"}:
        return None
    if {"teacher_params", "teacher_tokens"} <= free:
        free.add("teacher_loss")
        if accounting is Accounting.FREE:  # any pair with the right loss will do
            free -= {"teacher_params", "teacher_tokens"}
            free -= {"student_tokens"} if scenario.student_params is not None else set()
    ranges = {}
    for name in Near._fields:
        low, high = getattr(optima.spread, name)[row]
        ranges[name] = (float(low), float(high)) if name in free else None
    return Near(**ranges)


def _infeasible(method: Method, accounting: Accounting | None, *, decides: bool) -> Option:
    return Option(
        method=method,
        accounting=accounting,
        decides=decides,
        status=SearchStatus.INFEASIBLE,
        loss=None,
        gain_nats=None,
        student_params=None,
        student_tokens=None,
        tokens_per_param=None,
        teacher_params=None,
        teacher_tokens=None,
        teacher_loss=None,
        supervised_equivalent_tokens=None,
        compute_multiplier=None,
        total_flops=None,
        flops_per_student=None,
        flops=None,
        gain_from_10_percent=None,
        near=None,
        bill=None,
    )
