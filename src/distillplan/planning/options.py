"""The ways to spend a budget, each with its sizes and costs."""

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from distillplan.accounting import Accounting, run_flops
from distillplan.fields import finite
from distillplan.laws.formulas import FloatArray
from distillplan.laws.repetition import log_tokens, log_worth
from distillplan.optimize.problems import Optima
from distillplan.planning import evaluate, side_by_side
from distillplan.planning.evaluate import cells, together
from distillplan.planning.results import Method, Option
from distillplan.planning.scenario import Scenario
from distillplan.planning.sizes import Near, SearchStatus, Sizes
from distillplan.planning.stored_logits import lost_nats, option_logits

if TYPE_CHECKING:
    from distillplan.planning.option_bill import OptionBill

FLAT_NATS = 0.005
"""Sizes whose loss is within this of the best are listed as nearly as good."""
TEN_PERCENT_MORE = 1.1
"""The marginal value of compute, or of a size, is shown for so much more."""
AT_BOUND = 1e-6
"""A size this near a bound, relatively, stands at it."""

Ways: TypeAlias = Sequence[Accounting | None]
"""What each budget pays of the teacher; None, for all of them, is supervised training."""


def supervised_option(scenario: Scenario) -> Option:
    """Supervised training with the whole budget."""
    budgets = scenario.budget * np.array([1.0, TEN_PERCENT_MORE])
    at = cells(scenario, Accounting.FREE, budget=budgets)
    optima = evaluate.supervised(scenario, at, within=np.array([FLAT_NATS]))
    return _shown(scenario, [None], optima, alone=None)[0]


def distilled_options(scenario: Scenario, alone: float) -> list[Option]:
    """Distillation under each accounting worth showing, solved side by side.

    Args:
        scenario: the question.
        alone: loss of supervised training.
    """
    shown = scenario.accountings
    if not shown:
        return []
    at = together(
        cells(scenario, accounting, budget=scenario.budget * factor)
        for factor in (1.0, TEN_PERCENT_MORE)
        for accounting in shown
    )
    optima = evaluate.distilled(scenario, at, within=np.full(len(shown), FLAT_NATS))
    return _shown(scenario, shown, optima, alone=np.array(alone))


def without_nonsense(option: Option, alone: Option, most: float) -> Option:
    """The option without the numbers of a loss that guessing would beat.

    Args:
        option: one of a plan.
        alone: its supervised training, over which there is no gain when that is nonsense.
        most: loss of guessing, nats per token.
    """
    if option.loss is None:
        return option
    if option.loss < most:
        if alone.loss is not None and alone.loss < most:
            return option
        return option._replace(gain_nats=None, compute_multiplier=None)
    taught = option.teacher_loss
    return option._replace(
        status=SearchStatus.WORSE_THAN_GUESSING,
        loss=None,
        teacher_loss=None if taught is None or taught >= most else taught,
        gain_nats=None,
        supervised_equivalent_tokens=None,
        gain_from_10_percent=None,
        near=None,
        is_guess=True,
    )


def option_of(scenario: Scenario, way: Accounting | None, alone: float | None = None) -> Option:
    """One way to spend the scenario's budget, without its neighborhood.

    Args:
        scenario: the question.
        way: what is paid; None for supervised training.
        alone: loss of supervised training; None where the gain is not asked for.
    """
    if way is None:
        optima = side_by_side.supervised_each([scenario])
    else:
        optima = side_by_side.distilled_each([scenario], [way])
    optima = settled([scenario], [way], optima)
    gain = None if alone is None else alone - optima.loss
    return options_from([scenario], [way], optima, gain)[0]


def _shown(
    scenario: Scenario, ways: Ways, optima: Optima, alone: FloatArray | None
) -> list[Option]:
    """Options from optima of each way, followed by those with more compute."""
    same, count = [scenario] * len(ways), len(ways)
    own = settled(same, ways, optima.rows(slice(count)))
    more = settled(same, ways, optima.rows(slice(count, None)), TEN_PERCENT_MORE)
    options = options_from(same, ways, own, None if alone is None else alone - own.loss)
    return [
        option
        if option.loss is None
        else option._replace(
            gain_from_10_percent=option.loss - float(more.loss[row]),
            near=_near(scenario, option.accounting, optima, row),
        )
        for row, option in enumerate(options)
    ]


def settled(
    scenarios: Sequence[Scenario], ways: Ways, optima: Optima, factor: float = 1.0
) -> Optima:
    """Optima with all that an option has of them.

    The sizes of given teachers, not-a-number where they are not known; and for budgets in GPU-hours
    the tokens that spend them exactly, where the search took seconds per token from a table.

    Args:
        scenarios: of one kind (`side_by_side.MAY_DIFFER`), one for each of the optima.
        ways: what they pay.
        optima: as the optimizer found them.
        factor: times the scenarios' budgets, where other ones were spent.
    """
    first = scenarios[0]
    if ways[0] is not None and first.teacher is not None:
        teachers = [one.teacher or first.teacher for one in scenarios]
        optima = optima._replace(
            teacher_params=np.array([one.params for one in teachers], float),
            teacher_tokens=np.array([one.tokens for one in teachers], float),
        )
    if first.gpu_hours is None:
        return optima
    from distillplan.planning.option_bill import affordable_tokens  # not for plans in FLOPs

    tokens, loss = optima.student_tokens.copy(), optima.loss.copy()
    rows, sizes = np.flatnonzero(np.isfinite(loss)), _sizes(optima)
    for row in rows.tolist():
        budget = scenarios[row].budget * factor
        paid = affordable_tokens(scenarios[row], ways[row], sizes[row], budget)
        tokens[row] = min(paid, first.bounds.student_tokens[1])
    n, d = np.log(optima.student_params[rows]), log_worth(np.log(tokens[rows]), first.unique_tokens)
    if optima.teacher_loss is None:
        loss[rows] = first.law.supervised.loss_at_logs(n, d)
    else:
        x = np.log(optima.teacher_loss[rows])
        loss[rows] = evaluate.law_of(first).loss_at_logs(n, d, x)
        shared = [scenarios[row].share(ways[row] or Accounting.FREE) for row in rows.tolist()]
        loss[rows] += lost_nats(first, np.array([one.logits for one in shared]))
    return optima._replace(student_tokens=tokens, loss=loss)


def options_from(
    scenarios: Sequence[Scenario], ways: Ways, optima: Optima, gains: FloatArray | None
) -> list[Option]:
    """The options of scenarios of one kind, with what they cost.

    Args:
        scenarios: of one kind (`side_by_side.MAY_DIFFER`), one for each option.
        ways: what they pay.
        optima: the optimizer's answers, `settled`.
        gains: over supervised training in nats per token, shape (options,); None where they are
            not asked for.
    """
    rows = zip(
        scenarios,
        ways,
        _sizes(optima),
        optima.loss.tolist(),
        [None] * len(ways) if gains is None else gains.tolist(),
        _equivalents(scenarios[0], optima).tolist(),
        strict=True,
    )
    return [
        _reading(scenario, _option(scenario, way, sizes, loss, gain, equivalent))
        if math.isfinite(loss)
        else _infeasible(scenario, way)
        for scenario, way, sizes, loss, gain, equivalent in rows
    ]


def _reading(scenario: Scenario, option: Option) -> Option:
    """The option with what it reads from disk."""
    if scenario.stored is None:
        return option
    return option._replace(stored=option_logits(scenario, option))


def _option(
    scenario: Scenario,
    way: Accounting | None,
    sizes: Sizes,
    loss: float,
    gain: float | None,
    equivalent: float,
) -> Option:
    flops = run_flops(
        student_forward=scenario.student_forward(sizes.student_params),
        student_tokens=sizes.student_tokens,
        teacher_forward=scenario.teacher_forward(sizes.teacher_params or 1.0),
        teacher_tokens=sizes.teacher_tokens or 0.0,
        paid=scenario.share(way or Accounting.FREE),
        students=scenario.students,
        served_tokens=scenario.inference_tokens,
        most_passed=scenario.most_passed,
    )
    at_bounds, status = _status(scenario, way, sizes)
    return Option(
        method=Method.SUPERVISED if way is None else Method.DISTILL,
        accounting=way,
        decides=way is not None and way is scenario.pays,
        status=status,
        loss=loss,
        gain_nats=gain,
        student_params=sizes.student_params,
        student_tokens=sizes.student_tokens,
        tokens_per_param=sizes.student_tokens / sizes.student_params,
        teacher_params=sizes.teacher_params,
        teacher_tokens=sizes.teacher_tokens,
        teacher_loss=sizes.teacher_loss,
        supervised_equivalent_tokens=finite(equivalent),
        compute_multiplier=None,
        total_flops=flops.total,
        flops_per_student=flops.total / scenario.students,
        flops=flops,
        gain_from_10_percent=None,
        near=None,
        bill=_bill(scenario, way, sizes),
        at_bounds=at_bounds,
    )


def _sizes(optima: Optima) -> list[Sizes]:
    """The sizes of each option; None in place of not-a-number."""
    columns: dict[str, list[float | None]] = {}
    for name in Sizes._fields:
        values = getattr(optima, name)
        if values is not None:
            columns[name] = [None if math.isnan(one) else one for one in values.tolist()]
    rows: Iterator[Any] = zip(*columns.values(), strict=True)
    return [Sizes(**dict(zip(columns, row, strict=True))) for row in rows]


def _equivalents(scenario: Scenario, optima: Optima) -> FloatArray:
    """Tokens that reach each loss supervised, infinite where none do; shape (options,)."""
    if optima.teacher_loss is None:
        return optima.student_tokens
    with np.errstate(invalid="ignore", divide="ignore"):
        worth = scenario.law.supervised.tokens_for_loss(optima.loss, optima.student_params)
        tokens: FloatArray = np.exp(log_tokens(np.log(worth), scenario.unique_tokens))
    return tokens


def _bill(scenario: Scenario, accounting: Accounting | None, sizes: Sizes) -> "OptionBill | None":
    """Hours, money and memory; None where nobody said what it runs on."""
    if scenario.machine is None:
        return None
    from distillplan.planning.option_bill import option_bill  # not for plans in FLOPs

    return option_bill(scenario, accounting, sizes)


def _free_sizes(scenario: Scenario, accounting: Accounting | None) -> tuple[str, ...]:
    """The sizes that the search chose, the student's tokens among them."""
    free = ["student_tokens"]
    if scenario.student_params is None:
        free.append("student_params")
    if accounting is not None and scenario.teacher is None:
        free += ["teacher_params", "teacher_tokens"]
    return tuple(free)


def _status(
    scenario: Scenario, way: Accounting | None, sizes: Sizes
) -> tuple[tuple[str, ...], SearchStatus]:
    """The sizes at a bound, and how the search ended."""
    upper, lower = [], []
    free = _free_sizes(scenario, way)
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


def _infeasible(scenario: Scenario, way: Accounting | None) -> Option:
    return Option(
        method=Method.SUPERVISED if way is None else Method.DISTILL,
        accounting=way,
        decides=way is not None and way is scenario.pays,
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
