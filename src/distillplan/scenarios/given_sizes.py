"""Sizes that are given beside bounds that leave them out."""

from collections.abc import Collection, Iterator

from distillplan.errors import InputError, Word
from distillplan.optimize.problems import SIZES
from distillplan.planning.scenario import Scenario
from distillplan.units.quantities import format_count

ENDS = {"low": "min", "high": "max"}
"""The ends of a range, as their keys begin."""


def outside_bounds(scenario: Scenario, stated: Collection[str]) -> Iterator[InputError]:
    """What is wrong with sizes outside of bounds that were stated for them.

    A named range is of what the search chooses, and may be passed by what is given.

    Args:
        scenario: the question.
        stated: ends of bounds that were written, such as ``student_params.high``.
    """
    if not stated:
        return
    teacher = scenario.teacher
    given = {
        "student_params": (Word("student_params"), scenario.student_params),
        "student_tokens": (Word("student_tokens"), scenario.student_tokens),
        "teacher_params": (Word("teacher"), None if teacher is None else teacher.params),
        "teacher_tokens": (Word("teacher"), None if teacher is None else teacher.tokens),
    }
    for size in SIZES:
        word, value = given[size]
        bounds = dict(zip(ENDS, getattr(scenario.bounds, size), strict=True))
        for end, bound in bounds.items():
            if value is None or f"{size}.{end}" not in stated:
                continue
            if value > bound if end == "high" else value < bound:
                yield InputError(
                    word,
                    f": {format_count(value)} is {'more' if end == 'high' else 'less'} than ",
                    Word(f"{ENDS[end]}_{size}", format_count(bound)),
                    "; change one of them",
                )
