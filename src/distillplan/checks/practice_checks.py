"""What the planner would have said of published cases, and what it says: `check practice`.

Both answers are computed when it is asked. Before families, formats of logits, stages after
pretraining and starts from other models a question was about one student from scratch and one
teacher.
"""

import shlex
from enum import StrEnum

from distillplan.checks.practice_cases import (
    PracticeCase,
    PracticeQuestion,
    PracticeWay,
    Words,
    practice_cases,
)
from distillplan.checks.transfer_cases import CaseQuality
from distillplan.named_tuples import NamedTuple
from distillplan.planning.planner import plan
from distillplan.planning.rival import Rival
from distillplan.planning.verdict_records import Odds, Verdict
from distillplan.questions.family import family
from distillplan.questions.onpolicy import onpolicy, stage_model
from distillplan.questions.onpolicy_records import OnPolicyQuestion
from distillplan.scenarios.family_words import FamilyWords, family_of
from distillplan.scenarios.keys import scenario_of
from distillplan.scenarios.layers import values_of_options
from distillplan.scenarios.values import SCORE

_WAYS = {
    Verdict.SUPERVISED: PracticeWay.SUPERVISED,
    Verdict.DISTILL: PracticeWay.DISTILL,
    Verdict.TIE: PracticeWay.TIE,
}
_SCRATCH = (PracticeWay.SUPERVISED, PracticeWay.DISTILL)


class PracticeOutcome(StrEnum):
    """Whether a case came out as the planner says."""

    HIT = "hit"
    """It says the side that did better."""
    MISS = "miss"
    """It says the other side or a tie, or has never heard of the one that did better."""
    UNDECIDABLE = "undecidable"
    """No difference beyond its error is published; or the planner gives no verdict, or names the
    side that did better and says that it cannot weigh it."""


class PracticeAnswer(NamedTuple):
    """What the planner says of a case."""

    asked: str | None
    """The command; None: there was no such question."""
    says: PracticeWay | None
    """None for no verdict."""
    odds: float | None
    """That this is so; None where it has none."""
    gain_nats: float | None
    """Supervised minus distilled loss, nats per token; None where that is not what is weighed."""
    weighed: tuple[PracticeWay, ...]
    """The ways that it chooses from."""
    named: tuple[PracticeWay, ...]
    """Ways that it names as rivals and has no law to weigh."""
    rival: Rival | None
    """The open model that it names to be cut to the student's size; None where it names none."""


class PracticeRow(NamedTuple):
    """One published case, and what the planner says of it."""

    name: str
    did: str
    """What was done."""
    better: PracticeWay | None
    """The side that did better by more than the error; None where that is not known."""
    told: str
    """The numbers of what was seen, or what is missing."""
    before: PracticeAnswer
    """What the planner would have said of one student from scratch and one teacher."""
    now: PracticeAnswer
    """What it says."""
    outcome_before: PracticeOutcome
    outcome: PracticeOutcome
    quality: CaseQuality
    source: str
    assumed: str
    """What the source does not state; empty for nothing."""

    @property
    def worse(self) -> bool:
        """Whether it came out better before."""
        ranks = (PracticeOutcome.MISS, PracticeOutcome.UNDECIDABLE, PracticeOutcome.HIT)
        return ranks.index(self.outcome) < ranks.index(self.outcome_before)


class PracticeCounts(NamedTuple):
    """Cases by outcome."""

    hits: int
    misses: int
    undecidable: int


class PracticeReport(NamedTuple):
    """Published cases, and what the planner says of them."""

    rows: tuple[PracticeRow, ...]
    before: PracticeCounts
    now: PracticeCounts
    passed: bool
    """Whether no case came out better before."""


def practice_report() -> PracticeReport:
    """The shipped cases under the default law.

    Raises:
        InputError: when a file is missing or not of its form.
    """
    rows = tuple(map(_row, practice_cases()))
    return PracticeReport(
        rows=rows,
        before=_counts([row.outcome_before for row in rows]),
        now=_counts([row.outcome for row in rows]),
        passed=not any(row.worse for row in rows),
    )


def outcome_of(better: PracticeWay | None, answer: PracticeAnswer) -> PracticeOutcome:
    """Whether what did better is what the planner says.

    Args:
        better: the side that did better by more than the error of what was seen; None where that is
            not known.
        answer: what the planner says.
    """
    if better is None:
        return PracticeOutcome.UNDECIDABLE
    if better not in answer.weighed:
        named = better in answer.named
        return PracticeOutcome.UNDECIDABLE if named else PracticeOutcome.MISS
    if answer.says is None:
        return PracticeOutcome.UNDECIDABLE
    return PracticeOutcome.HIT if answer.says is better else PracticeOutcome.MISS


def _row(case: PracticeCase) -> PracticeRow:
    before = now = _answer(case.now)
    if case.before != case.now:
        before = _answer(case.before)
    before = before._replace(named=(), rival=None)
    return PracticeRow(
        name=case.name,
        did=case.did,
        better=case.better,
        told=case.told,
        before=before,
        now=now,
        outcome_before=outcome_of(case.better, before),
        outcome=outcome_of(case.better, now),
        quality=case.quality,
        source=case.source,
        assumed=case.assumed,
    )


def _counts(outcomes: list[PracticeOutcome]) -> PracticeCounts:
    return PracticeCounts(
        hits=outcomes.count(PracticeOutcome.HIT),
        misses=outcomes.count(PracticeOutcome.MISS),
        undecidable=outcomes.count(PracticeOutcome.UNDECIDABLE),
    )


def _answer(question: PracticeQuestion | None) -> PracticeAnswer:
    """What the planner says to a question."""
    if question is None:
        return PracticeAnswer(
            None, says=None, odds=None, gain_nats=None, weighed=(), named=(), rival=None
        )
    return _ANSWERS[question.command](question)


def as_command(question: PracticeQuestion) -> str:
    """A question as a shell takes it.

    >>> as_command(PracticeQuestion("budget", {"compute": "2T tokens", "student": "1B"}))
    "distillplan budget '2T tokens' --student 1B"
    """
    words = ["distillplan", question.command]
    for word, value in question.words.items():
        words += [value] if word == "compute" else [f"--{word}", value]
    return shlex.join(words)


def _budget(question: PracticeQuestion) -> PracticeAnswer:
    found = plan(scenario_of(_values(question.words)))
    return PracticeAnswer(
        asked=as_command(question),
        says=None if found.verdict is None else _WAYS[found.verdict],
        odds=_odds(found.verdict, found.odds),
        gain_nats=found.margin_nats,
        weighed=_SCRATCH,
        named=() if found.rival is None else (PracticeWay.TRAINED_START,),
        rival=found.rival,
    )


def _family(question: PracticeQuestion) -> PracticeAnswer:
    words = dict(question.words)
    students = words.pop("students").split(",")
    scenario, members = family_of(_values(words), FamilyWords(students=students))
    found = family(scenario, members)
    return PracticeAnswer(
        asked=as_command(question),
        says=None if found.verdict is None else _WAYS[found.verdict],
        odds=_odds(found.verdict, found.odds),
        gain_nats=found.margin_nats,
        weighed=_SCRATCH,
        named=(),
        rival=None,
    )


def _on_policy(question: PracticeQuestion) -> PracticeAnswer:
    """A stage is what it says where the whole range of its peak lies above the start."""
    words = question.words
    score = words.get("teacher-score")
    found = onpolicy(
        OnPolicyQuestion(
            student=stage_model(words["student"], "student"),
            teacher=stage_model(words["teacher"], "teacher"),
            teacher_score=None if score is None else SCORE.read(score, "teacher-score"),
        )
    )
    peak, start = found.teachers[0].vanilla, found.start_score
    stage, none = PracticeWay.ON_POLICY, PracticeWay.NONE
    says = None
    if peak is not None and start is not None:
        says = stage if peak.low > start else none if peak.high < start else PracticeWay.TIE
    return PracticeAnswer(
        asked=as_command(question),
        says=says,
        odds=None,
        gain_nats=None,
        weighed=() if says is None else (stage, none),
        named=(stage,) if says is None else (),
        rival=None,
    )


_ANSWERS = {"budget": _budget, "family": _family, "onpolicy": _on_policy}


def _values(words: Words) -> dict[str, object]:
    return values_of_options({word.replace("-", "_"): value for word, value in words.items()})


def _odds(verdict: Verdict | None, odds: Odds | None) -> float | None:
    """Of what is said."""
    if verdict is None or odds is None:
        return None
    share: float = getattr(odds, verdict.value)
    return share
