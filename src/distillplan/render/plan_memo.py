"""The reasoning behind a plan, on a page for a reader who knows no scaling law."""

import math
import shlex
from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

from distillplan.accounting import TRAINING_PASSES, Accounting
from distillplan.planning.headline import format_budget
from distillplan.planning.results import Option, Plan
from distillplan.planning.rival import Rival
from distillplan.planning.validity import TEACHER_FROM_LAW
from distillplan.questions.pilot_limits import RISK
from distillplan.render.blocks import Block, CommandLine, Headline, Section, Sections
from distillplan.render.notice_blocks import first_in_words, under_headline
from distillplan.render.odds_view import odds_in_words, percent
from distillplan.render.plan_flips import turns_in_words
from distillplan.render.plan_words import (
    TAKES,
    asking,
    beyond_in_words,
    verdict_in_words,
)
from distillplan.units.quantities import format_count, format_duration, format_usd

Asked: TypeAlias = Callable[[str], str]
"""From a command to a question as the shell takes it after that command's name."""


def not_typed(_: str) -> str:
    """In place of a question that was not typed."""
    return "..."


_MARGIN = len("Would turn it")
"""Columns of the headings."""


def plan_memo(plan: Plan, asked: Asked) -> Iterator[Block]:
    """The blocks of the reasoning.

    Args:
        plan: the answer.
        asked: the question as a shell takes it after a command.
    """
    odds = "" if plan.odds is None else odds_in_words(plan.odds, "  ")
    first = first_in_words(plan.warnings)
    yield Headline(verdict_in_words(plan), odds)
    yield from under_headline(first)
    alone, other = plan.supervised, plan.deciding
    yield _part("Question", [question_in_words(plan)])
    yield _part("Choices", _choices(alone, other))
    yield _part("Rule", _rule(other))
    yield _part("Estimate", _estimate(plan))
    yield _part("Odds", _odds(plan))
    yield _part("Would turn it", turns_in_words(plan))
    if plan.rival is not None:
        yield _part("Not weighed", [_rival(plan.rival)])
    yield from _tests(plan, asked)
    yield from _sources(plan)


def _part(heading: str, items: Iterable[str]) -> Block:
    return Sections((Section(heading, tuple(items)),), margin=_MARGIN)


def question_in_words(plan: Plan) -> str:
    """What was asked, in a sentence."""
    scenario, alone, other = plan.scenario, plan.supervised, plan.deciding
    who = f"{scenario.students} models" if scenario.students > 1 else "a model"
    who += _of_size(plan)
    size = (other or alone).student_params or alone.student_params or math.inf
    larger = other is not None and (other.teacher_params or 0.0) > size
    spent = format_budget(scenario)
    if alone.bill is not None:
        spent += f" ({format_duration(alone.bill.wall_seconds.mid)}"
        cost = alone.bill.cost_usd
        spent += ")" if cost is None else f", about {format_usd(cost.mid)})"
    return (
        f"{spent} for {who}: train it on text alone (pretrain), or let "
        f"{'a larger' if larger else 'another'} model teach it (distill)?"
    )


def _of_size(plan: Plan) -> str:
    """The size of the student; where it is free the best one, or both where these differ."""
    other = None if plan.deciding is None else plan.deciding.student_params
    size, taught = format_count(plan.supervised.student_params), format_count(other)
    if plan.scenario.student_params is not None:
        return f" of {size} parameters"
    if other is None or taught == size:
        return f" of {size} parameters, the best size for it"
    return f", at best of {size} parameters without a teacher and of {taught} with one"


def _choices(alone: Option, other: Option | None) -> Iterator[str]:
    yield f"A: pretrain on {format_count(alone.student_tokens)} tokens of text."
    if other is None or other.loss is None:
        return
    size = "a teacher"
    if other.teacher_params is not None:
        size = f"a teacher of {format_count(other.teacher_params)} parameters"
    student = "the model"
    if other.student_params != alone.student_params:
        student = f"a student of {format_count(other.student_params)} parameters"
    first = f"B: let {size} teach {student}"
    if other.accounting in (Accounting.TRAIN, Accounting.TRAIN_SHARED):
        trained = format_count(other.teacher_tokens)
        first = f"B: train {size} on {trained} tokens, then let it teach {student}"
    yield (
        f"{first} on {format_count(other.student_tokens)} tokens: the student learns from the "
        "teacher how likely every next word is, where the text shows only one."
    )


def _rule(other: Option | None) -> Iterator[str]:
    yield "Compute that goes into a teacher does not train the student."
    if other is None or other.loss is None or other.accounting is None:
        return
    if other.accounting is Accounting.FREE:
        yield "Here the teacher's answers are on disk already, so both choices cost the same."
        return
    yield (
        f"Training on a token takes {TRAINING_PASSES:g} passes through a model; distilling adds "
        f"one pass through the teacher. {TAKES[other.accounting]} {other.teacher_share:.0%} of "
        "B's compute."
    )


def _estimate(plan: Plan) -> Iterator[str]:
    alone, other = plan.supervised, plan.deciding
    if alone.loss is None:
        return
    losses = f"A reaches a loss of {alone.loss:.3f}"
    if other is not None and other.loss is not None:
        losses += f", B of {other.loss:.3f}"
    yield (
        f"{losses}. The loss says how much a new text surprises the model (nats per token), so "
        f"less is better; less than {plan.scenario.tie_nats:g} apart cannot be told apart."
    )
    if other is not None and other.compute_multiplier is not None:
        yield f"B comes out as A would with {other.compute_multiplier:.2g} times the compute."


def _odds(plan: Plan) -> Iterator[str]:
    odds, sure = plan.odds, plan.confidence
    if odds is None or sure is None:
        yield "Not weighed."
    else:
        yield (
            f"A is better: {percent(odds.supervised)}. B is better: {percent(odds.distill)}. "
            f"No difference that can be told: {percent(odds.tie)}."
        )
        if sure.transfer_nats:
            alike = sure.odds_like_the_law
            yield (
                "They allow for how far the results of other laboratories came out from the law. "
                f"With data and a recipe like the law's: A {percent(alike.supervised)}, B "
                f"{percent(alike.distill)}."
            )
    outside = beyond_in_words(plan)
    if outside:
        yield outside


def _rival(rival: Rival) -> str:
    """The start that no law knows."""
    return (
        f"C: prune {rival.parent} to {format_count(rival.student_params)} parameters and train it "
        f"on ({asking(rival)}). Known: {rival.known}. Not known: {rival.not_known}."
    )


def _tests(plan: Plan, asked: Asked) -> Iterator[Block]:
    """What to measure, the cheapest first, and the commands for it."""
    if plan.odds is None:
        return

    heading = "Cheapest test"
    if TEACHER_FROM_LAW in plan.warning_codes:
        yield _part(heading, ["Measure the teacher's loss on your text, and ask again with it:"])
        yield CommandLine(f"distillplan budget {asked('budget')} --teacher-loss LOSS")
        heading = ""
    chance = percent(plan.odds.wrong)
    if plan.odds.wrong <= RISK:
        told = f"Small runs are not worth it: the chance that this is the wrong side is {chance}."
        yield _part(heading, [told])
        return
    told = (
        f"The chance that this is the wrong side is {chance}. Which small runs would settle it, "
        "for what share of the compute, and when to stop:"
    )
    yield _part(heading, [told])
    yield CommandLine(f"distillplan pilot {asked('pilot')}")


def _sources(plan: Plan) -> Iterator[Block]:
    law = plan.law
    yield _part("Sources", [f"{law.source}."])
    parts = {"what was corrected": law.errata, "how well it fits": law.accuracy}
    told = ", and ".join(what for what, known in parts.items() if known) or "the law in full"
    yield _part("", [f"{told[0].upper()}{told[1:]}:"])
    yield CommandLine(f"distillplan laws {shlex.quote(law.given_as)}")
