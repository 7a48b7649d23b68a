"""From a margin in nats to a word, and to the sentence at the top of an answer."""

from typing import Any

import numpy as np

from distillplan.accounting import Accounting
from distillplan.planning.results import Option, Verdict
from distillplan.planning.scenario import Scenario
from distillplan.units import format_count, format_flops


def verdict(margin: float | None, tie_nats: float) -> Verdict:
    """The word for supervised loss minus distilled loss.

    None stands for a distillation that the budget cannot pay for.

    >>> verdict(0.03, 0.01), verdict(0.003, 0.01), verdict(-0.2, 0.01)
    (<Verdict.DISTILL: 'distill'>, <Verdict.TIE: 'tie'>, <Verdict.SUPERVISED: 'supervised'>)
    """
    if margin is None:
        return Verdict.SUPERVISED
    return _WORDS[int(sides(margin, tie_nats))]


def sides(margin: Any, tie_nats: float) -> Any:
    """1 where distillation wins, -1 where supervised training does, 0 for a tie; arrays allowed."""
    margin = np.asarray(margin, dtype=float)
    wins = (margin >= tie_nats) & (margin > 0)
    loses = (margin <= -tie_nats) & (margin < 0)
    return wins.astype(int) - loses.astype(int)


def word(side: int) -> Verdict:
    """The word for one of `sides`."""
    return _WORDS[side]


_WORDS = {1: Verdict.DISTILL, 0: Verdict.TIE, -1: Verdict.SUPERVISED}


SECONDS_PER_HOUR = 3600

_WHO_PAYS = {
    Accounting.FREE: "a teacher that costs nothing",
    Accounting.EXISTS: "a teacher that exists",
    Accounting.TRAIN_SHARED: "a teacher trained on this budget whose logits are shared",
    Accounting.TRAIN: "a teacher trained on this budget",
}


def format_budget(scenario: Scenario, amount: float | None = None) -> str:
    """A budget of the scenario's kind in words; its own where no other is given.

    Args:
        scenario: the question.
        amount: FLOPs or GPU-seconds, as `Scenario.budget`.
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
    """The sentence at the top of every answer.

    Args:
        scenario: the question.
        alone: supervised training; feasible.
        deciding: the distillation that it is compared with; None where the law has none.
        verdict: the word.
    """
    student = f"{format_count(alone.student_params)} parameters"
    tokens = f"{format_count(alone.student_tokens)} tokens"
    if deciding is None or verdict is None:
        return (
            f"No verdict: {scenario.law.name} says nothing about distillation. Supervised: "
            f"{alone.loss:.3f} nats with {student} on {tokens}."
        )
    teacher = _WHO_PAYS[scenario.pays]
    if deciding.loss is None or deciding.gain_nats is None:
        return (
            f"Train supervised: {format_budget(scenario)} cannot pay for {teacher} and a student; "
            f"supervised they give {alone.loss:.3f} nats with {student} on {tokens}."
        )
    gain = abs(deciding.gain_nats)
    if verdict is Verdict.TIE:
        return (
            f"Tie: distilling from {teacher} and supervised training differ by {gain:.3f} nats, "
            f"less than the {scenario.tie_nats:g} that counts; supervised training is simpler."
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
