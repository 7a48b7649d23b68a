"""What the inverse question minimizes."""

from enum import StrEnum

from distillplan.errors import InputError, Word


class Goal(StrEnum):
    """What to minimize."""

    COMPUTE = "compute"
    """FLOPs for all students."""
    HOURS = "hours"
    """GPU-hours on the scenario's machine."""
    COST = "cost"
    """US dollars for these GPU-hours."""
    STUDENT = "student"
    """Parameters of the student at the scenario's budget."""


_SPELLINGS = {
    "flops": Goal.COMPUTE,
    "gpu-hours": Goal.HOURS,
    "hour": Goal.HOURS,
    "time": Goal.HOURS,
    "money": Goal.COST,
    "price": Goal.COST,
    "dollars": Goal.COST,
    "usd": Goal.COST,
    "size": Goal.STUDENT,
    "student-size": Goal.STUDENT,
    "params": Goal.STUDENT,
}
"""Other words for what is minimized."""


def parse_goal(text: str) -> Goal:
    """What to minimize, by its word or another one for it.

    Raises:
        InputError: naming the words.

    >>> parse_goal("GPU-hours"), parse_goal("cost")
    (<Goal.HOURS: 'hours'>, <Goal.COST: 'cost'>)
    """
    word = "-".join(text.casefold().replace("_", " ").replace("-", " ").split())
    if word in set(Goal):
        return Goal(word)
    if word not in _SPELLINGS:
        raise InputError(
            Word("minimize"), f": {text[:40]!r} is unknown; write one of {', '.join(Goal)}"
        )
    return _SPELLINGS[word]
