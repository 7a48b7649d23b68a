"""From a difference in nats to a word, and to the sentence at the top of an answer."""

from typing import Any

import numpy as np

from distillplan.accounting import Accounting
from distillplan.planning.results import Option, Verdict
from distillplan.planning.scenario import Scenario
from distillplan.units import SECONDS_PER_HOUR, format_count, format_flops

_BY_SIDE = {1: Verdict.DISTILL, 0: Verdict.TIE, -1: Verdict.SUPERVISED}

_TEACHERS = {
    Accounting.FREE: "a teacher at no cost",
    Accounting.EXISTS: "an existing teacher",
    Accounting.TRAIN_SHARED: "a teacher trained on this budget, with its logits shared",
    Accounting.TRAIN: "a teacher trained on this budget",
}


def verdict(margin: float | None, tie_nats: float) -> Verdict:
    """The verdict for a gain of distillation.

    Args:
        margin: supervised minus distilled loss, nats per token; None where the distillation is
            over budget.
        tie_nats: gains smaller than this, either way, are ties.

    >>> verdict(0.03, 0.01), verdict(0.003, 0.01), verdict(-0.2, 0.01)
    (<Verdict.DISTILL: 'distill'>, <Verdict.TIE: 'tie'>, <Verdict.SUPERVISED: 'supervised'>)
    """
    if margin is None:
        return Verdict.SUPERVISED
    return word(int(sides(margin, tie_nats)))


def sides(margin: Any, tie_nats: Any) -> Any:
    """Which side wins at each gain.

    Args:
        margin: supervised minus distilled loss, nats per token, a number or an array of any shape.
        tie_nats: gains smaller than this, either way, are ties.

    Returns:
        Integers of the same shape: 1 where distillation wins, -1 where supervised training does,
        0 at a tie.
    """
    margin = np.asarray(margin, dtype=float)
    wins = (margin >= tie_nats) & (margin > 0)
    loses = (margin <= -tie_nats) & (margin < 0)
    return wins.astype(int) - loses.astype(int)


def word(side: int) -> Verdict:
    """The verdict for one of `sides`."""
    return _BY_SIDE[side]


def format_budget(scenario: Scenario, amount: float | None = None) -> str:
    """A budget in words, in the unit of the scenario's.

    Args:
        scenario: the question.
        amount: FLOPs or GPU-seconds, as `Scenario.budget`; None for the scenario's own.
    """
    spent = scenario.budget if amount is None else amount
    if scenario.gpu_hours is None or scenario.machine is None:
        return f"{format_flops(spent)} FLOPs"
    cluster = scenario.machine.cluster
    hours = format_count(spent / SECONDS_PER_HOUR)
    return f"{hours} GPU-hours of {cluster.gpus} {cluster.gpu.name}"


def headline(
    scenario: Scenario, alone: Option, deciding: Option | None, verdict: Verdict | None
) -> str:
    """The sentence at the top of an answer.

    Args:
        scenario: the question.
        alone: supervised training, within budget.
        deciding: the distillation that it is compared with; None where the law has none.
        verdict: the verdict; None where the law has no distillation.
    """
    sizes = (
        f"{format_count(alone.student_params)} parameters on "
        f"{format_count(alone.student_tokens)} tokens"
    )
    if deciding is None or verdict is None:
        return (
            f"No verdict: {scenario.law.name} says nothing about distillation. Supervised "
            f"training reaches {alone.loss:.3f} nats with {sizes}."
        )
    teacher = _TEACHERS[scenario.pays]
    if deciding.loss is None or deciding.gain_nats is None:
        return (
            f"Train supervised: {format_budget(scenario)} is too little for a student and "
            f"{teacher}; supervised training reaches {alone.loss:.3f} nats with {sizes}."
        )
    gain = abs(deciding.gain_nats)
    if verdict is Verdict.TIE:
        return (
            f"Too close to call: distilling from {teacher} and supervised training differ by "
            f"{gain:.3f} nats, less than the tie threshold of {scenario.tie_nats:g}; supervised "
            "training is simpler."
        )
    if verdict is Verdict.DISTILL:
        return (
            f"Distill from {teacher}: {deciding.loss:.3f} nats, {gain:.3f} better than supervised "
            f"training on the same budget."
        )
    return (
        f"Train supervised: {alone.loss:.3f} nats, {gain:.3f} better than distilling from "
        f"{teacher}."
    )
