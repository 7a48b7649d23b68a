"""Starts from an open model: whether a question about one can be answered."""

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from distillplan.errors import InputError, Word
from distillplan.models.known_model import KnownModel, known_model, model_params
from distillplan.planning.rival import nearest_parent
from distillplan.planning.start_records import Start, StartKind
from distillplan.units import format_count

if TYPE_CHECKING:
    from distillplan.planning.scenario import Scenario


def begun(scenario: "Scenario") -> None:
    """Bring the start of a scenario that is being made to what is meant by it.

    From scratch is no start; a student that goes on from a model has its size.
    """
    start = scenario.start
    if not isinstance(start, Start):
        return
    if start.kind is StartKind.SCRATCH and start.parent is None:
        object.__setattr__(scenario, "start", None)
    elif start.kind is StartKind.CONTINUED and scenario.student_params is None:
        object.__setattr__(scenario, "student_model", start.parent)


def unstartable(scenario: "Scenario") -> Iterator[InputError]:
    """What is wrong with the start of a scenario."""
    start = scenario.start
    if start is None:
        return
    kind, parent, size = start.kind, start.parent, scenario.student_params
    if kind is StartKind.SCRATCH:
        yield InputError(Word("parent"), ": a start from scratch has none; add ", _start("pruned"))
    elif parent is not None and parent.is_mixture:
        yield InputError(
            Word("parent"),
            f": {parent.name} is a mixture of experts, and the laws describe dense models; name a "
            "dense one",
        )
    elif kind is StartKind.CONTINUED and parent is None:
        yield InputError(_start(kind), ": it needs a model to go on from; add ", _PARENT)
    elif size is None:
        yield InputError(
            _start(kind), ": it needs a size to cut to; add ", Word("student_params", "4B")
        )
    elif parent is None:
        if nearest_parent(size) is None:
            yield InputError(
                _start(kind),
                f": no open model has 2 to 10 times {format_count(size)} parameters; add ",
                _PARENT,
            )
    else:
        yield from _sizes(scenario, kind, parent, size)


_PARENT = Word("parent", "qwen3-8b")


def _start(kind: str) -> Word:
    return Word("start", str(kind))


def _sizes(
    scenario: "Scenario", kind: StartKind, parent: KnownModel, size: float
) -> Iterator[InputError]:
    """Whether the sizes of student and parent go together."""
    whole = model_params(parent, scenario.law.counts)
    if kind is StartKind.PRUNED and size >= whole:
        yield InputError(
            Word("student_params"),
            f": {format_count(size)} is not smaller than {parent.name} ({format_count(whole)}), "
            "so nothing is cut; give a smaller size, or add ",
            _start("continued"),
            also=("parent",),
        )
    if kind is StartKind.CONTINUED and size != whole:
        yield InputError(
            Word("student_params"),
            f": who goes on from {parent.name} keeps its size ({format_count(whole)}); leave it "
            "out, or add ",
            _start("pruned"),
            also=("parent",),
        )


def parent_of(scenario: "Scenario") -> KnownModel:
    """The model that a scenario starts from.

    Raises:
        ValueError: when it starts from scratch.
    """
    start, size = scenario.start, scenario.student_params
    if start is not None and start.parent is not None:
        return start.parent
    found = None if start is None or size is None else nearest_parent(size)
    if found is None:
        raise ValueError("this scenario starts from scratch")
    return known_model(found.name)


def named_parent(start: Start, size: float | None) -> Start:
    """The start with the open model that it means where it names none."""
    if start.kind is not StartKind.PRUNED or start.parent is not None or size is None:
        return start
    found = nearest_parent(size)
    return start if found is None else replace(start, parent=known_model(found.name))
