"""A family of students, from the words that people write: sizes, how many of each, weights."""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from distillplan.errors import InputError, Word
from distillplan.named_tuples import NamedTuple
from distillplan.planning.scenario import Scenario
from distillplan.questions.family_records import FamilyMember
from distillplan.scenarios.axes import Axis, parse_axis
from distillplan.scenarios.keys import scenario_of
from distillplan.scenarios.layers import Values, refuse_budget
from distillplan.scenarios.scenario_file import read_grid
from distillplan.units.lists import split_list

Told = Callable[[str], str]
"""How a word is named in an error."""

_SEVERAL = re.compile(r"(?a)\s*(?P<count>\d+)\s*[x×*]\s*(?P<one>\S.*)")
"""So many students of one size, as in 8x3B."""
TRAINED = "train"
"""The word for a teacher that is trained for the family."""


class FamilyWords(NamedTuple):
    """What was written of a family, beside the keys of its question."""

    students: Sequence[str]
    """Sizes or models, each with how many there are in front of an x."""
    weights: str | None = None
    """Of the loss of each, with commas between."""
    losses: str | None = None
    """To reach, with commas between."""


def family_of(
    values: Mapping[str, Any], words: FamilyWords, told: Told = str
) -> tuple[Scenario, tuple[FamilyMember, ...]]:
    """The question of a family without a student, and its members.

    Args:
        values: of the question by places, without a student.
        words: the family.
        told: how a word is named in an error.

    Raises:
        InputError: when there is nobody, or a number is not one.
    """
    if "students" in values:
        raise InputError(Word("students"), ": how many there are stands in the list, as in 8x3B")
    asked = [_counted(one, told) for one in words.students]
    if not asked:
        raise InputError(f"{told('students')}: give at least one, e.g. 300M,1B,3B")
    counts, axes = [count for count, _ in asked], [axis for _, axis in asked]
    for axis in axes:
        refuse_budget(axis.places, told("students"))
    layers: list[Values] = [dict(axis.points[0].layer.values) for axis in axes]
    named = next((one for one in layers if "student_model" in one), {})
    base = replace(scenario_of({**values, **named}), student_params=None, student_model=None)
    weights = _numbers(words.weights, len(asked), told("weights"), "1,1,2")
    losses = _numbers(words.losses, len(asked), told("loss"), "2.4,2.2,2.0")
    members = [
        FamilyMember(
            scenario=replace(base, students=count, **layer),
            weight=1.0 if weights is None else weights[row],
            target_loss=None if losses is None else losses[row],
        )
        for row, (count, layer) in enumerate(zip(counts, layers, strict=True))
    ]
    return base, tuple(_merged(members))


def values_of_file(source: str, sets: Sequence[str]) -> tuple[Values, tuple[str, ...]]:
    """The question of a scenario file, and the students of its matrix.

    Args:
        source: a path, or ``-`` for standard input.
        sets: ``key=value`` of the command line, which take precedence.

    Raises:
        InputError: with every fault of the file, or where it is about more than one family.
    """
    grid = read_grid(source, sets, unchecked=True)
    if len(grid.scenarios) != 1 or any(axis.key != "student_params" for axis in grid.axes):
        raise InputError(
            f"{source}: a family has one scenario, and no more than the students in its matrix"
        )
    (_, values), *_ = grid.scenarios
    students = tuple(_as_written(point.label) for axis in grid.axes for point in axis.points)
    return dict(values), students


def _as_written(label: Any) -> str:
    return label if isinstance(label, str) else f"{label:.15g}"


def _counted(text: str, told: Told) -> tuple[int, Axis]:
    """How many students, and the size as an axis of one value."""
    several = _SEVERAL.fullmatch(text)
    count = 1 if several is None else int(several["count"])
    one = text.strip() if several is None else several["one"].strip()
    return count, parse_axis("student", [one], lambda _: told("students"))


def _numbers(text: str | None, many: int, word: str, example: str) -> list[float] | None:
    """Positive numbers, one for each student."""
    if text is None:
        return None
    try:
        found = [float(one) for one in split_list(text, word)]
    except ValueError:
        found = []
    if not found or not all(0 < one < math.inf for one in found):
        raise InputError(f"{word}: {text!r} is not a list of positive numbers, e.g. {example}")
    if len(found) not in (1, many):
        raise InputError(f"{word}: {len(found)} numbers for {many} sizes; give one for each")
    return found * many if len(found) == 1 else found


def _merged(members: Sequence[FamilyMember]) -> list[FamilyMember]:
    """Equal ones as one with their number."""
    found: list[FamilyMember] = []
    for one in members:
        alike = [
            place
            for place, other in enumerate(found)
            if (other.params, other.scenario.student_model)
            == (one.params, one.scenario.student_model)
            and (other.weight, other.target_loss) == (one.weight, one.target_loss)
        ]
        if alike:
            other = found[alike[0]]
            both = replace(other.scenario, students=other.number + one.number)
            found[alike[0]] = other._replace(scenario=both)
        else:
            found.append(one)
    return found
