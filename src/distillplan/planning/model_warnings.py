"""What to know of the models that a question names."""

import math
from collections.abc import Iterator
from typing import Final

from distillplan.laws.provenance import PublishedLaw
from distillplan.models.known_model import TUNED_MODEL, KnownModel, NamedModels
from distillplan.models.named_models import LICENSE_FORBIDS, license_notices
from distillplan.models.tokenizers import tokenizer_told
from distillplan.notices import Notice, information, warning
from distillplan.planning.kept_limits import most_budget
from distillplan.planning.scenario import Scenario
from distillplan.planning.teacher import Teacher, loss_by, loss_range
from distillplan.units.quantities import format_count

TOKENIZERS_DIFFER: Final = "tokenizers_differ"
"""Code of the warning that a student cannot learn from its teacher's logits."""
LIMITS_LEFT_OUT: Final = "limits_left_out"
"""Code of the remark that a picture keeps to no limits of time and money."""
MOST_NAMES: Final = 4
"""Students that a sentence names."""


def model_warnings(scenario: Scenario) -> Iterator[Notice]:
    """What was taken from the names of student and teacher, and what follows from them."""
    models = scenario.models
    student, teacher = models.student, models.teacher
    named = {"student": student, "teacher": teacher}
    known = {who: one for who, one in named.items() if one is not None}
    if known:
        yield information(
            "models_named", "; ".join(f"{who} {told_of(one)}" for who, one in known.items())
        )
    measured = scenario.teacher is not None and scenario.teacher.loss is not None
    without = {TUNED_MODEL} if measured else ()
    yield from (one for one in named_warnings(models) if one.code not in without)
    for one in known.values():
        yield from _beyond_positions(one, scenario.architecture.context)
    yield from mixture_warning(scenario.law, scenario.teacher)
    if teacher is not None:
        told = license_notices(teacher.name, teacher.license)
        yield from (one for one in told if one.code != LICENSE_FORBIDS)  # which is in those above


def picture_warnings(scenario: Scenario) -> tuple[Notice, ...]:
    """What to know of a picture over many budgets: of its models, its law, and its limits."""
    limits, left = scenario.limits, most_budget(scenario) < math.inf
    if scenario.compute is not None:
        left = (limits.hours, limits.usd) != (None, None)
    told = "budgets are shown whether or not they keep to the limits of time and money"
    notices = [information(LIMITS_LEFT_OUT, told)] if left else []
    return (*named_warnings(scenario.models), *scenario.law.warnings, *notices)


def named_warnings(*asked: NamedModels) -> Iterator[Notice]:
    """What to know of the models of a question: how they were read, and why none may distill so.

    Args:
        asked: the models of each student of a question, all of them with one teacher.
    """
    yield from dict.fromkeys(told for one in asked for told in one.notices)
    yield from tokenizer_warning(*asked)
    teacher = next((one.teacher for one in asked if one.teacher is not None), None)
    if teacher is not None:
        told = license_notices(teacher.name, teacher.license)
        yield from (one for one in told if one.code == LICENSE_FORBIDS)


def tokenizer_warning(*asked: NamedModels) -> Iterator[Notice]:
    """That students cannot learn from their teacher's logits, where they cannot.

    Args:
        asked: the models of each student of a question, all of them with one teacher.
    """
    apart = [one for one in asked if one.tokenizers_differ]
    who = list(dict.fromkeys(filter(None, map(_reader, apart))))
    teacher = apart[0].teacher if apart else None
    if teacher is None:
        return
    of, it, holds = "its", "the student", "this plan does not hold as it is"
    if len(who) > 1:
        of, it, holds = "their", "the students", "plans of them do not hold as they are"
    if len(who) > MOST_NAMES:
        who = [*who[: MOST_NAMES - 1], f"{len(who) - MOST_NAMES + 1} more"]
    yield warning(
        TOKENIZERS_DIFFER,
        f"{', '.join(who)} and {of} teacher {teacher.name} ({tokenizer_told(teacher)}) have "
        f"different tokenizers, so {it} cannot learn from its logits token by token, and {holds}",
    )


def _reader(models: NamedModels) -> str | None:
    """A student's tokenizer in words, by the model that has it."""
    own = models.reads_like
    if own is None:
        return None
    keeps = ", whose tokenizer the student keeps," if own is models.parent else ""
    return f"{own.name} ({tokenizer_told(own)}){keeps}"


def told_of(model: KnownModel) -> str:
    """A model, its sizes and its tokenizer in words."""
    parts = [f"{format_count(model.params)} non-embedding parameters"]
    if model.is_mixture:
        parts[0] = f"{format_count(model.params)} active of {format_count(model.all_params)}"
    if model.total_params is not None:
        parts.append(f"{format_count(model.total_params)} with embeddings")
    if model.vocab is not None:
        parts.append(f"a vocabulary of {model.vocab:,}")
    if model.tokenizer is not None:
        parts.append(f"the tokenizer {model.tokenizer}")
    if model.other_name is not None:
        parts.append(f"weights of {model.other_name}")
    if model.shape is not None:
        parts.append("FLOPs of its exact shape")
    return f"{model.name}: {', '.join(parts)}"


def _beyond_positions(model: KnownModel, context: float) -> Iterator[Notice]:
    """That a model cannot read sequences of which the costs are."""
    most = 0 if model.shape is None else model.shape.learned_positions
    if 0 < most < context:
        yield warning(
            "beyond_positions",
            f"{model.name} has learned positions for {most:,} tokens and reads no more at once, "
            f"and costs are of sequences of {context:,.0f}: --context {most}",
        )


def mixture_warning(law: PublishedLaw, teacher: Teacher | None) -> Iterator[Notice]:
    """That a law of dense models cannot place a mixture of experts, where one teaches."""
    ends = loss_range(teacher, law.supervised)
    if teacher is None or teacher.model is None or ends is None:
        return
    low, high = ends
    yield warning(
        "teacher_is_a_mixture",
        f"{teacher.model.name} is a mixture of experts, and {law.name} knows dense models only: "
        f"its loss is between {low:.3f} (a dense model of all its parameters) and {high:.3f} (of "
        f"the active ones), taken as {loss_by(teacher, law.supervised):.3f}; measure it and use "
        "--teacher-loss",
    )
