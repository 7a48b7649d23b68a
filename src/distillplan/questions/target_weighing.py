"""Which way to a loss is the choice: the verdict of a plan with the least that any of them takes.

There one of the two reaches the loss and the other does not, or both do. So the answer to the
inverse question is that of `budget` (or of the smallest student), asked again with what it says.
"""

from collections.abc import Sequence
from dataclasses import replace

from distillplan.accounting import WHO_PAYS
from distillplan.named_tuples import NamedTuple
from distillplan.planning import planner
from distillplan.planning.headline import no_verdict
from distillplan.planning.options import option_of
from distillplan.planning.planner import Decision
from distillplan.planning.results import Method, Option, Reason
from distillplan.planning.scenario import Scenario
from distillplan.planning.verdict_records import Verdict
from distillplan.questions.inverse import Way


class Choice(NamedTuple):
    """What is decided between two ways to a loss, and where."""

    decision: Decision
    scenario: Scenario
    """With the least budget, or the smallest student, of both ways."""
    alone: Option
    """Supervised training there."""
    distilled: Option | None
    """Distilling there; None where the law has none."""

    @property
    def method(self) -> Method | None:
        """What to do; at a tie supervised training, which is simpler. None without a verdict."""
        verdict, reason = self.decision.verdict, self.decision.reason
        if verdict is None and reason is not Reason.LAW_HAS_NO_DISTILLATION:
            return None
        return Method.DISTILL if verdict is Verdict.DISTILL else Method.SUPERVISED


def both_ways(scenario: Scenario, way: Way) -> tuple[Option, Option | None]:
    """Supervised training, and a way to distill with its gain; None where none is asked for."""
    alone = option_of(scenario, None)
    return alone, None if way is None else option_of(scenario, way, alone.loss)


def chosen(
    scenario: Scenario, ways: Sequence[Way], amounts: Sequence[float | None], *, students: bool
) -> Choice | None:
    """The verdict at the least amount of supervised training and of the scenario's accounting.

    Args:
        scenario: the question.
        ways: supervised training and every accounting.
        amounts: of what is minimized, that each takes; None where it cannot reach the loss.
        students: whether they are sizes of the student.

    Returns:
        The choice; None where neither of the two reaches the loss.
    """
    pays = scenario.pays if scenario.pays in ways else None
    weighed = [
        one
        for way, one in zip(ways, amounts, strict=True)
        if one is not None and way in (None, pays)
    ]
    if not weighed:
        return None
    least = min(weighed)
    there = replace(scenario, student_params=least) if students else scenario.spending(least)
    alone, distilled = both_ways(there, pays)
    decision = planner.decide(there, alone, distilled)
    return Choice(decision=decision, scenario=there, alone=alone, distilled=distilled)


def doing(way: Way) -> str:
    """A way in words, as the subject of a sentence."""
    return "pretraining" if way is None else f"distilling ({WHO_PAYS[way]})"


def silence(choice: Choice) -> str:
    """Why there is no verdict, in a sentence."""
    reason = choice.decision.reason
    if reason is not Reason.NOTHING_POSSIBLE:
        return no_verdict(reason, choice.scenario, choice.alone, choice.distilled)
    return f"No verdict: neither can be done. {_why_not(choice, choice.alone)}."


def obstacle(choice: Choice) -> str | None:
    """Why one of the two cannot be done on the machine; None where that did not decide."""
    if choice.decision.reason is not Reason.ONLY_ONE_POSSIBLE:
        return None
    from distillplan.planning import possible  # on machines only

    alone, distilled = choice.alone, choice.distilled
    other = distilled if possible.possible(choice.scenario, alone) else alone
    return None if other is None else _why_not(choice, other)


def _why_not(choice: Choice, option: Option) -> str:
    from distillplan.planning import possible  # on machines only

    machine = choice.scenario.machine
    if machine is None:
        raise ValueError("what cannot be done is so on a machine")
    why = possible.why_not(choice.scenario, option)
    return f"On {possible.in_words(machine)}, {why}"
