"""What to say of a stage of on-policy distillation: the sentence above it, and what to know."""

from collections.abc import Iterator
from typing import Final

from distillplan.hardware.bill import price_notices
from distillplan.hardware.memory import ERROR
from distillplan.laws.on_policy_law import Objective, OnPolicyLaw, between_sizes, peak_score
from distillplan.models.known_model import NamedModels
from distillplan.notices import Notice, information, warning
from distillplan.planning.model_warnings import named_warnings
from distillplan.questions.onpolicy_records import (
    OnPolicy,
    OnPolicyQuestion,
    ScoreBasis,
    StageTeacher,
)
from distillplan.units.articles import with_article
from distillplan.units.quantities import plain_count

_RL_ERROR: Final = 0.003
"""Error of an RL score between two sizes, where a size with neighbors is left out."""


def headline_of(question: OnPolicyQuestion, found: OnPolicy, law: OnPolicyLaw) -> str:
    """The answer in a sentence.

    Args:
        question: what was asked.
        found: the answer but for its words.
        law: the study.
    """
    best = None if found.best is None else found.teachers[found.best]
    if best is None or best.vanilla is None:
        sizes, pair = _sizes(law), found.student
        if question.teacher is not None:
            pair = f"{found.student} taught by {question.teacher.name}"
        return (
            f"No score: nothing is published for {pair}. The only law of on-policy distillation is "
            f"of {law.family} from {sizes} on math."
        )
    peak, start = best.vanilla, found.start_score
    who = with_article(f"{found.student} student", begins=start is None or peak.peak > start)
    if start is not None and peak.peak <= start:
        who = f"No gain: {who} starts at {_points(start)} and"
    reaches = f"{_points(peak.peak)} ({_points(peak.low)} to {_points(peak.high)})"
    said = f"{who} peaks at {reaches} with a teacher of {best.teacher}"
    return f"{said}{_of_its_teacher(question, best, law)} ({found.scope})."


def _of_its_teacher(question: OnPolicyQuestion, best: StageTeacher, law: OnPolicyLaw) -> str:
    """What else the teacher of the headline is."""
    score, given, peak = best.teacher_score, question.teacher_score, best.vanilla
    if question.teacher is None:
        return ", no larger than it needs"
    if score is None or peak is None:
        return ""
    if not best.larger_than_needed:
        side = "above" if peak.peak > score else "no better than"
        return f", {side} the teacher's own {_points(score)}"
    if best.score_basis is ScoreBasis.GIVEN:
        own = question.student.params
        usual = between_sizes(law, own, "rl")
        reached = peak_score(law.laws[Objective.VANILLA], own, own, usual)
        return (
            f" that scores {_points(score)}; one of the student's own size at {_points(usual)} "
            f"brings it to {_points(reached)}"
        )
    same = "one of the student's own size does the same"
    if given in (None, score):
        return f"; {same}"
    return f", whose {_points(given or 0.0)} count as {_points(score)}: {same}"


def _sizes(law: OnPolicyLaw) -> str:
    low, high = (f"{one / 1e9:g}B" for one in (law.least_params, law.most_params))
    return f"{low} to {high}"


def _points(share: float) -> str:
    return f"{share:.1%}"


def warnings_of(question: OnPolicyQuestion, found: OnPolicy, law: OnPolicyLaw) -> Iterator[Notice]:
    """What to know before trusting the answer; arguments as for `headline_of`."""
    sizes = _sizes(law)
    teacher = None if question.teacher is None else question.teacher.model
    yield from named_warnings(NamedModels(student=question.student.model, teacher=teacher))
    if found.best is None:
        yield warning(
            "onpolicy_not_covered",
            f"no law covers this pair: the published one is of {law.family} from {sizes}, and of "
            f"{law.tasks}; hours can be computed all the same",
        )
    else:
        yield from _too_good(found, law)
        yield warning(
            "onpolicy_one_study",
            f"one study, one run each: {law.family} base models from {sizes} on {law.tasks}, the "
            "best checkpoint on the test set; nothing else is measured",
        )
        yield from _of_scores(question, found, law)
    machine = question.machine
    if machine is not None:
        yield information(
            "onpolicy_hours",
            "hours assume that all answers of an update are generated together; prompts, checks of "
            "answers and copying weights between engines are left out",
        )
        yield information(
            "onpolicy_teacher_gpus",
            "the teacher's own GPUs are of the same kind and read full answers in passes as in "
            "training; memory is known within "
            f"{ERROR:.0%}, and what an engine that serves logits takes is not known",
        )
        yield from price_notices(machine.price, machine.today, machine.gpu.prices)


def _of_scores(question: OnPolicyQuestion, found: OnPolicy, law: OnPolicyLaw) -> Iterator[Notice]:
    """What to know of the scores that the peaks are computed from."""
    if question.teacher is not None:
        for one in found.teachers:
            yield from _of_teacher(question, one, found.start_score, law)
    if any(one.score_basis is ScoreBasis.INTERPOLATED for one in found.teachers) or (
        law.measured(found.student_params) is None
    ):
        yield information(
            "onpolicy_between_sizes",
            f"scores of sizes between those of the study lie on a line of log error over log size; "
            f"sizes that were left out come back within {100 * _RL_ERROR:.1g} points",
        )


def _too_good(found: OnPolicy, law: OnPolicyLaw) -> Iterator[Notice]:
    """That a teacher was given a better score than its size has in the study."""
    for one in found.teachers:
        score, taught = one.teacher_score, min(one.teacher_params, found.student_params)
        if one.score_basis is not ScoreBasis.GIVEN or score is None:
            continue
        usual = between_sizes(law, taught, "rl")
        if score > usual + law.laws[Objective.VANILLA].error:
            yield warning(
                "onpolicy_score_above_size",
                f"RL brings {plain_count(taught)} to {_points(usual)} in the study, and no teacher "
                f"of a size scored above that; with {_points(score)} the law is carried beyond its "
                "runs, and the peak is a guess",
            )


def _of_teacher(
    question: OnPolicyQuestion, one: StageTeacher, start: float | None, law: OnPolicyLaw
) -> Iterator[Notice]:
    """What to know of a teacher that was named, where the study covers the pair."""
    if one.vanilla is None:
        return
    if one.larger_than_needed:
        given, used = question.teacher_score, one.teacher_score
        capped = given is not None and used is not None and one.score_basis != ScoreBasis.GIVEN
        yield information(
            "onpolicy_teacher_larger",
            f"{one.teacher} is larger than the student: in the study such a teacher did no better "
            "than one of the student's size, and the law counts it as that one"
            + (f", its {_points(given or 0)} as {_points(used or 0)}" if capped else ""),
        )
    if one.teacher_params > law.most_params:
        yield warning(
            "onpolicy_teacher_outside", f"no teacher above {plain_count(law.most_params)} was tried"
        )
    score, (low, high) = one.teacher_score or 0.0, law.scores
    if one.score_basis is ScoreBasis.GIVEN and not low <= score <= high:
        yield warning(
            "onpolicy_score_outside",
            f"teachers scored from {_points(low)} to {_points(high)} in the study; "
            f"{_points(score)} is outside",
        )
    if start is not None and one.vanilla.peak <= start:
        yield warning(
            "onpolicy_no_gain",
            f"the student starts at {_points(start)}, so this teacher does not lift it",
        )
