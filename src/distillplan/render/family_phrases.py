"""A family in words that its screen and its details share."""

from distillplan.planning.headline import spent_in_words
from distillplan.questions.family_records import (
    FamilyGoal,
    FamilyMethod,
    FamilyPlan,
    FamilyWay,
    MemberRun,
)
from distillplan.questions.family_told import name_of
from distillplan.render.plan_words import vocabulary_in_words
from distillplan.units.quantities import format_count


def teacher_shown(way: FamilyWay) -> str:
    """The teacher of a way: its name, its sizes, or its loss; a dash where it has none."""
    if way.method is FamilyMethod.SUPERVISED or way.loss is None:
        return "–"
    if way.teacher_name is not None:
        return way.teacher_name
    if way.method is FamilyMethod.CASCADE and way.teacher_loss is None:
        return "the next larger"
    if way.teacher_params is None:
        return f"{way.teacher_loss:.3f} nats"
    tokens = "" if way.teacher_tokens is None else f":{format_count(way.teacher_tokens)}"
    return f"{format_count(way.teacher_params)}{tokens}"


def loss_shown(one: FamilyWay | MemberRun) -> str:
    """A loss, marked where it is a guess; why there is none."""
    if one.loss is None:
        return one.status.replace("_", " ") if isinstance(one, FamilyWay) else "–"
    return f"{one.loss:.3f}{'?' if one.is_guess else ''}"


def who_shown(one: MemberRun) -> str:
    """The students of a size, and how many there are."""
    return name_of(one) if one.students == 1 else f"{one.students} x {name_of(one)}"


def question_asked(found: FamilyPlan) -> str:
    """What the numbers are of."""
    many = sum(one.students for one in found.supervised.members)
    if found.goal is FamilyGoal.COMPUTE:
        return "Losses in nats per token; times what pretraining takes. Odds: give the compute."
    best = next((one for one in found.ways if one.recommended), found.supervised)
    spent = spent_in_words(found.scenario, best)
    parts = [f"{spent} for {many} students", "mean loss in nats per token"]
    if len({one.weight for one in found.supervised.members}) > 1:
        parts[-1] += ", weighted"
    if any(one.is_guess for one in found.ways):
        parts.append("? is a guess")
    if beside := vocabulary_in_words(found.ways):
        parts.append(beside)
    if found.alone:
        parts.append("alone: with what it has in the pretrained family")
    return f"{'; '.join(parts)}."
