"""What the gain of a distilled option is worth in supervised compute."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from distillplan.accounting import Accounting
from distillplan.planning import evaluate
from distillplan.planning.evaluate import cells
from distillplan.planning.results import Option
from distillplan.planning.scenario import Scenario

MULTIPLES = (math.log(1e-3), math.log(1e3))
"""Range of the search for a multiplier of compute."""


def with_multipliers(scenario: Scenario, options: Sequence[Option]) -> tuple[Option, ...]:
    """Distilled options with the supervised budget that reaches their losses.

    In own budgets, which are what the limits leave to supervised training.

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
    own = min(scenario.budget, evaluate.most_spent(scenario, None))
    scenario = replace(scenario, limits=scenario.limits._replace(flops=()))
    logs = np.linspace(*MULTIPLES, 49)[None, :]  # the same for all of them
    for _ in range(2):
        budgets = own * np.exp(logs)
        at = cells(scenario, Accounting.FREE, budget=budgets.ravel())
        found = evaluate.supervised(scenario, at).loss.reshape(logs.shape)
        logs, found = (np.broadcast_to(one, (len(wanted), one.shape[1])) for one in (logs, found))
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
