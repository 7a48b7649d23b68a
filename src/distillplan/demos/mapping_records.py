"""What a demonstration with the mapping problem is made of, and what it finds."""

from enum import StrEnum

from distillplan.demos.claims import Claim, all_hold
from distillplan.named_tuples import NamedTuple


class TeacherAxis(StrEnum):
    """What differs from teacher to teacher."""

    STEPS = "steps"
    """How long it was trained (Figure 12)."""
    WIDTH = "width"
    """How wide it is (Figure 11)."""


class TeacherKind(NamedTuple):
    """A teacher to train."""

    width: int
    steps: int


class MappingSizes(NamedTuple):
    """How large a demonstration is."""

    positions: int
    """Of a context, which are the classes too."""
    students: tuple[int, int, int]
    """Widths of a student that is too small, one in between, and one that is large."""
    student_steps: int | None
    """None: as long as the paper says, by the number of parameters."""
    student_batch: int
    copies: int
    """Students with other first weights whose mean is the result of a trial."""
    trained_width: int
    """Of the teachers that differ in their steps."""
    trained_steps: tuple[int, ...]
    widths: tuple[int, ...]
    """Of the teachers that differ in their width."""
    width_steps: int | None
    """Of those; None: as long as the paper says."""
    teacher_batch: int
    peak_rate: float
    trials: int


class MappingStudent(NamedTuple):
    """A student of one teacher: over the trials."""

    width: int
    loss: float
    """Median cross-entropy with the right answers, in nats."""
    low: float
    """The first quartile."""
    high: float
    """The third quartile."""
    accuracy: float
    """Median share of right answers."""
    losses: tuple[float, ...]
    """Of each trial."""


class MappingPoint(NamedTuple):
    """A teacher and its students."""

    axis: TeacherAxis
    teacher_width: int
    teacher_steps: int
    teacher_loss: float
    """Median cross-entropy with the right answers, in nats."""
    teacher_accuracy: float
    students: tuple[MappingStudent, ...]
    """By width."""


class MappingRow(NamedTuple):
    """A teacher and one of its students, as a row."""

    axis: TeacherAxis
    teacher_width: int
    teacher_steps: int
    teacher_loss: float
    student_width: int
    student_loss: float
    student_loss_low: float
    student_loss_high: float
    student_accuracy: float


class MappingDemo(NamedTuple):
    """What the mapping problem shows of the capacity gap."""

    seed: int
    full: bool
    """Whether it has the paper's sizes."""
    sizes: MappingSizes
    inputs: int
    """That have an answer."""
    hard_share: float
    """Of these, whose answer is another position."""
    points: tuple[MappingPoint, ...]
    claims: tuple[Claim, ...]

    @property
    def held(self) -> bool:
        """Whether all of it is shown."""
        return all_hold(self.claims)

    @property
    def rows(self) -> tuple[MappingRow, ...]:
        """Every teacher with every student."""
        return tuple(
            MappingRow(
                axis=point.axis,
                teacher_width=point.teacher_width,
                teacher_steps=point.teacher_steps,
                teacher_loss=point.teacher_loss,
                student_width=one.width,
                student_loss=one.loss,
                student_loss_low=one.low,
                student_loss_high=one.high,
                student_accuracy=one.accuracy,
            )
            for point in self.points
            for one in point.students
        )
