"""The 90% bands of an option: its numbers under every drawn law, laid evenly around its own.

They end at what is possible: no loss is below the floor of the law, none above that of guessing.
"""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from distillplan.accounting import Accounting
from distillplan.laws.formulas import FloatArray
from distillplan.laws.repetition import log_worth
from distillplan.laws.transfer import gain_quantile
from distillplan.optimize.problems import Optima
from distillplan.planning.evaluate import distilled_loss
from distillplan.planning.results import Band, Option
from distillplan.planning.scenario import Scenario
from distillplan.planning.tails import exact_band
from distillplan.planning.verdict import guessing, outside_loss

LOW, HIGH = 0.05, 0.95


def banded(scenario: Scenario, option: Option, optima: Optima, row: int) -> Option:
    """The option with bands around its loss and its free sizes.

    Args:
        scenario: the question.
        option: within budget.
        optima: the same under every drawn law, arrays of shape (options, draws).
        row: the option among them.
    """
    if option.loss is None:
        return option
    found = option
    if optima.loss.shape[1] > 1:  # one law alone does not say how well it is known
        found = option._replace(**dict(_bands(scenario, option, optima, row)))
    return found if scenario.gpu_hours is None else _with_speed(scenario, found)


def _bands(
    scenario: Scenario, option: Option, optima: Optima, row: int
) -> Iterator[tuple[str, Any]]:
    """The bands of an option within budget, by their names."""
    sizes = option.student_params, option.student_tokens, option.teacher_loss
    outside = float(outside_loss(scenario.law, *sizes))
    yield "loss_band", loss_band(scenario, optima.loss[row], option.loss or 0.0, outside)
    for name in _free_sizes(scenario, option):
        drawn, own = getattr(optima, name), getattr(option, name)
        if drawn is not None and own is not None:
            limits = getattr(scenario.bounds, name, (0.0, np.inf))
            yield f"{name}_band", size_band(drawn[row], own, limits)


def _with_speed(scenario: Scenario, option: Option) -> Option:
    """The option with its bands widened by how far the speed is known.

    A budget in GPU-hours is spent whatever the speed is, so the tokens that it buys are uncertain,
    and with them the loss. Errors of different causes add in quadrature, of tokens in logarithms.
    """
    if option.bill is None or option.loss is None or option.student_tokens is None:
        return option
    speed, tokens = option.bill.student_tokens, option.student_tokens
    ends = np.array([speed.low, speed.high])
    losses = _loss_at(scenario, option, ends)
    band = option.student_tokens_band or (tokens, tokens)
    spread = np.hypot(np.log(ends / speed.mid), np.log(np.array(band) / tokens))
    low, high = (tokens * np.exp(spread * [-1, 1])).tolist()
    loss_band = option.loss_band
    if loss_band is not None:
        loss_low, loss_high = loss_band
        more, less = losses.tolist()  # fewer tokens, higher loss
        loss_band = _cut(
            option.loss - math.hypot(option.loss - loss_low, option.loss - less),
            option.loss + math.hypot(loss_high - option.loss, more - option.loss),
            option.loss,
            loss_limits(scenario, loss_low),
        )
    return option._replace(student_tokens_band=(low, high), loss_band=loss_band)


def _loss_at(scenario: Scenario, option: Option, tokens: FloatArray) -> FloatArray:
    """Losses of an option on other numbers of tokens, of the same shape."""
    d = log_worth(np.log(tokens), scenario.unique_tokens)
    n = math.log(option.student_params or 1.0)
    if option.teacher_loss is None or option.accounting is None:
        return np.asarray(scenario.law.supervised.loss_at_logs(n, d))
    x = math.log(option.teacher_loss)
    return np.asarray(distilled_loss(scenario, option.accounting, n, d, x))


def loss_limits(scenario: Scenario, least: float = math.inf) -> Band:
    """The losses between which all are, nats per token: the law's floor, and that of guessing.

    Args:
        scenario: the question.
        least: a lower floor, where a drawn law has one.
    """
    return min(scenario.law.supervised.E, least), guessing(scenario)


def loss_band(scenario: Scenario, drawn: FloatArray, own: float, error: float = 0.0) -> Band | None:
    """The 90% band of a loss, cut at what is possible; as `band`.

    Args:
        scenario: the question.
        drawn: the loss in every draw, shape (draws,).
        own: the loss itself.
        error: scale of the error beyond the draws.
    """
    return band(drawn, own, error, loss_limits(scenario, float(np.min(drawn))))


def gain_band(
    scenario: Scenario, alone: float, drawn: FloatArray, own: float, error: float = 0.0
) -> Band | None:
    """The 90% band of a gain over a loss, cut so that the distilled loss is possible; as `band`.

    Args:
        scenario: the question.
        alone: loss of supervised training, nats per token.
        drawn: the gain in every draw, shape (draws,).
        own: the gain itself.
        error: scale of the error beyond the draws.
    """
    least, most = loss_limits(scenario)
    return band(drawn, own, error, (alone - most, alone - least))


def band(
    drawn: FloatArray, own: float, error: float = 0.0, limits: Band = (-math.inf, math.inf)
) -> Band | None:
    """The 90% band of a number, laid evenly around it; None where a draw is not finite.

    Args:
        drawn: the number in every draw, shape (draws,).
        own: the number itself.
        error: scale of the error beyond the draws.
        limits: ends beyond which no such number is possible.
    """
    if not np.isfinite(drawn).all():
        return None
    if not error:
        return _cut(*exact_band(drawn, own, (LOW, HIGH)), own, limits)
    low, middle, high = gain_quantile(drawn, error, np.array([LOW, 0.5, HIGH])).tolist()
    return _cut(own + (low - middle), own + (high - middle), own, limits)


def _cut(low: float, high: float, own: float, limits: Band) -> Band:
    """A band cut at limits, with its own number in it."""
    least, most = limits
    return min(max(low, least), own), max(min(high, most), own)


def size_band(drawn: FloatArray, own: float, bounds: Band) -> Band | None:
    """The same in logarithms: sizes are off by factors; the drawn ones have the shape (draws,)."""
    with np.errstate(invalid="ignore", divide="ignore"):
        found = band(np.log(drawn), float(np.log(own)))
    if found is None:
        return None
    low, high = np.clip(np.exp(found), *bounds).tolist()
    return min(low, own), max(high, own)  # the last bits of exp(log(own)) may differ


def _free_sizes(scenario: Scenario, option: Option) -> Iterator[str]:
    """The sizes that differ from draw to draw."""
    if scenario.student_params is None:
        yield "student_params"
    yield "student_tokens"
    if option.accounting is None:
        return
    if scenario.teacher is None:
        yield "teacher_loss"
        if option.accounting is not Accounting.FREE:  # any pair with the right loss will do
            yield from ("teacher_params", "teacher_tokens")
    elif scenario.teacher.loss is None:
        yield "teacher_loss"
