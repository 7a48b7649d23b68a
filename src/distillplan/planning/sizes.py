"""What an option trains, how it was found, and how far it may move."""

from enum import StrEnum

from distillplan.named_tuples import NamedTuple


class SearchStatus(StrEnum):
    """How the search for an option's sizes ended."""

    OPTIMAL = "optimal"
    GIVEN = "given"
    """Only the student's tokens were free, and they follow from the budget."""
    AT_UPPER_BOUND = "at_upper_bound"
    AT_LOWER_BOUND = "at_lower_bound"
    INFEASIBLE = "infeasible"
    """Even the smallest sizes are over budget."""
    WORSE_THAN_GUESSING = "worse_than_guessing"
    """The law gives it a loss that guessing would beat, so it is left out."""


class Near(NamedTuple):
    """Ranges of each size, low and high, that cost at most `options.FLAT_NATS` in loss.

    The other sizes are chosen anew along the range; None where a size was given.
    """

    student_params: tuple[float, float] | None = None
    student_tokens: tuple[float, float] | None = None
    teacher_params: tuple[float, float] | None = None
    teacher_tokens: tuple[float, float] | None = None
    teacher_loss: tuple[float, float] | None = None


class Sizes(NamedTuple):
    """What an option trains, and on how many tokens; the teacher's are None without one."""

    student_params: float
    student_tokens: float
    teacher_params: float | None = None
    teacher_tokens: float | None = None
    teacher_loss: float | None = None
