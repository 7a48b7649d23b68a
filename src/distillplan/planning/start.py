"""Starts from an open model: what may be asked of them."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from distillplan.errors import InputError, Word
from distillplan.fields import member, not_positive, settle
from distillplan.laws.provenance import PublishedLaw
from distillplan.models.architecture import FixedAspect
from distillplan.models.known_model import (
    KnownModel,
    known_model,
    model_params,
    with_vocabulary,
)
from distillplan.planning.rival import nearest_parent, non_embedding_params, reader_of
from distillplan.planning.teacher import Teacher, check_teacher_loss
from distillplan.units.quantities import format_count

if TYPE_CHECKING:
    from distillplan.laws.pruning_law import FittedPruning
    from distillplan.planning.scenario import Scenario

_PARENT = Word("parent", "qwen3-8b")


class StartKind(StrEnum):
    """What a student starts from."""

    SCRATCH = "scratch"
    """Random weights."""
    PRUNED = "pruned"
    """A larger open model, cut to the student's size."""
    CONTINUED = "continued"
    """An open model of the student's size."""


@dataclass(frozen=True, kw_only=True)
class Start:
    """A start from an open model.

    Raises:
        InputError: for an unknown model, or a loss that is none.
    """

    kind: StartKind
    parent: KnownModel | None = None
    """The open model; None: the nearest one that can be cut to the student's size."""
    parent_loss: float | None = None
    """Its loss on the student's corpus, nats per token; None: not measured."""
    law: "FittedPruning | None" = None
    """A law of cut models that was fitted to runs of one's own; None: nothing gives their loss."""

    def __post_init__(self) -> None:
        """Check the fields, and look up a parent that was named by a word."""
        named: Any = self.parent
        if isinstance(named, str):
            object.__setattr__(self, "parent", known_model(named, "parent"))
        settle(self, "start.")
        if (error := not_positive(self.parent_loss, Word("parent_loss"))) is not None:
            raise error


def begin(scenario: "Scenario") -> None:
    """Bring the start of a scenario that is being made to what is meant by it.

    From scratch is no start. Who goes on from a model keeps its size. The student has the parent's
    vocabulary, and a parent that is cut teaches what is left of it unless another teacher is named.

    Raises:
        InputError: where the parent is a mixture of experts, or cannot be placed as a teacher.
    """
    asked: Any = scenario.start
    if isinstance(asked, str):
        asked = Start(kind=member(StartKind, asked, Word("start")))
    start = asked
    if not isinstance(start, Start):
        return
    if start.kind is StartKind.SCRATCH:
        object.__setattr__(scenario, "start", None)
        return
    start = with_parent(
        start,
        scenario.student_params,
        scenario.student_model,
        None if scenario.teacher is None else scenario.teacher.model,
        scenario.law,
        scenario.architecture,
    )
    object.__setattr__(scenario, "start", start)
    parent = start.parent
    if parent is None:
        return
    if parent.is_mixture:
        raise InputError(
            Word("parent"),
            f": {parent.name} is a mixture of experts, and the laws describe dense models; name a "
            "dense one",
        )
    if scenario.architecture == FixedAspect():
        family = with_vocabulary(scenario.architecture, parent)
        object.__setattr__(scenario, "architecture", family)
    continued = start.kind is StartKind.CONTINUED
    if continued and scenario.student_params is None and scenario.student_model is None:
        object.__setattr__(scenario, "student_model", parent)
    if not continued and scenario.teacher is None and scenario.law.distillation is not None:
        object.__setattr__(scenario, "teacher", _teaching(scenario, parent, start.parent_loss))


def with_parent(
    start: Start,
    params: float | None,
    model: KnownModel | None,
    teacher: KnownModel | None,
    law: PublishedLaw,
    architecture: FixedAspect,
) -> Start:
    """The start with the open model that it means where it names none.

    Args:
        start: it may name one.
        params: of the student, as the law counts them.
        model: the student's, where it is a known one.
        teacher: the teacher's, whose tokenizer the student needs.
        law: which says how parameters are counted.
        architecture: of models that are given as a size.
    """
    if start.parent is not None or start.kind is not StartKind.PRUNED:
        return start
    size = params if model is None else model_params(model, law.counts)
    if not isinstance(size, int | float) or not size > 0:
        return start
    reader = reader_of(model, teacher)
    found = nearest_parent(non_embedding_params(law, architecture, size), reader)
    return start if found is None else replace(start, parent=known_model(found.name))


def _teaching(scenario: "Scenario", parent: KnownModel, loss: float | None) -> Teacher:
    """The parent as the teacher of what is cut out of it."""
    if loss is None and parent.trained_tokens is None:
        raise InputError(
            Word("parent"),
            f": how many tokens {parent.name} was trained on is not known, so no law says how well "
            "it teaches; measure it on your text and add ",
            Word("parent_loss", "2.1"),
        )
    if loss is not None:
        try:
            check_teacher_loss(scenario.law, loss, scenario.architecture.vocab)
        except InputError as error:
            _, *rest = error.parts
            raise InputError(Word("parent_loss"), *rest, also=("law",)) from None
    return Teacher(tokens=parent.trained_tokens, loss=loss, model=parent)


def unstartable(scenario: "Scenario") -> Iterator[InputError]:
    """What is wrong with the start of a scenario."""
    start, size = scenario.start, scenario.student_params
    if start is None:
        return
    kind, parent = start.kind, start.parent
    yield from _unknown_law(start)
    if kind is StartKind.CONTINUED and parent is None:
        yield InputError(_said(kind), ": it needs a model to go on from; add ", _PARENT)
    elif size is None:
        wanted = Word("student_params", "4B")
        yield InputError(_said(kind), ": it needs a size to cut to; add ", wanted)
    elif parent is None:
        yield InputError(
            _said(kind),
            f": no open model has two to ten times {format_count(size)} parameters; name one with ",
            _PARENT,
        )
    else:
        yield from _sizes(scenario, kind, parent, size)


def _unknown_law(start: Start) -> Iterator[InputError]:
    """What is missing beside a law of cut models."""
    if start.law is None:
        return
    if start.kind is not StartKind.PRUNED:
        wanted = _said(StartKind.PRUNED)
        yield InputError(Word("start_law"), ": it is of cut models; leave it out, or say ", wanted)
    elif not start.law.draws:
        yield InputError(
            Word("start_law"),
            ": it was fitted without resamples, so its losses have no range; fit it again",
        )
    elif start.law.taught is None:
        yield InputError(
            Word("start_law"),
            ": its runs do not say whether the parent taught; fit it again with a column taught, "
            "or --columns taught=yes",
        )
    elif start.parent_loss is None:
        yield InputError(
            Word("start_law"),
            ": it gives the loss above that of the parent on the text of its runs; add ",
            Word("parent_loss", "2.1"),
        )


def _said(kind: StartKind) -> Word:
    return Word("start", kind.value)


def _sizes(
    scenario: "Scenario", kind: StartKind, parent: KnownModel, size: float
) -> Iterator[InputError]:
    """Whether the sizes of student and parent go together."""
    whole = model_params(parent, scenario.law.counts)
    if kind is StartKind.PRUNED and size >= whole:
        yield InputError(
            Word("student_params"),
            f": {format_count(size)} is not smaller than {parent.name} ({format_count(whole)}), "
            "so nothing is cut; give a smaller size, or say ",
            _said(StartKind.CONTINUED),
            also=("parent", "start"),
        )
    if kind is StartKind.CONTINUED and size != whole:
        yield InputError(
            Word("student_params"),
            f": who goes on from {parent.name} keeps its size ({format_count(whole)}); leave it "
            "out, or say ",
            _said(StartKind.PRUNED),
            also=("parent", "start"),
        )


def refuse_start(scenario: "Scenario") -> None:
    """Refuse a start from an open model where a question knows starts from scratch only.

    Raises:
        InputError: when the student starts from an open model.
    """
    if scenario.start is not None:
        raise InputError(
            Word("start"),
            f": no law weighs a {scenario.start.kind} start, so this question cannot be asked of "
            "it; leave it out, or use distillplan budget or compare",
        )
