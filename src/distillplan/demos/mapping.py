"""The capacity gap where it can be seen: networks that learn the mapping problem from each other.

Teachers of several lengths of training and several widths learn it; students of several widths
learn from what the teachers say (Busbridge et al. 2025, Appendix C.2.2, Figures 11 and 12).
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np

from distillplan.demos.claims import Advance, Claim, Shown, claim
from distillplan.demos.mapping_problem import MappingProblem, mapping_problem
from distillplan.demos.mapping_records import (
    MappingDemo,
    MappingPoint,
    MappingSizes,
    MappingStudent,
    TeacherAxis,
    TeacherKind,
)
from distillplan.demos.perceptrons import Batch, Perceptrons, Shape, train
from distillplan.named_tuples import NamedTuple

Floats: TypeAlias = np.ndarray[Any, np.dtype[Any]]

SAMPLES_PER_PARAM = 20
"""Of a training where no length is given, as in the paper."""
LEAST_STEPS = 500
"""Of such a training, as in the paper."""
_CHUNK = 2_048
"""Inputs that are answered at once."""


QUICK = MappingSizes(
    positions=8,
    students=(16, 40, 96),
    student_steps=800,
    student_batch=64,
    copies=3,
    trained_width=96,
    trained_steps=(128, 256, 512, 1024, 2048),
    widths=(12, 24, 48, 96),
    width_steps=2048,
    teacher_batch=256,
    peak_rate=3e-3,
    trials=4,
)
FULL = MappingSizes(
    positions=8,
    students=(128, 256, 362),
    student_steps=None,
    student_batch=512,
    copies=1,
    trained_width=512,
    trained_steps=(64, 256, 1024, 4096, 16384),
    widths=(128, 181, 256, 362, 512),
    width_steps=None,
    teacher_batch=512,
    peak_rate=3e-4,
    trials=4,
)
"""The paper's, where it says them; it does not say how many positions a context has, nor how they
are drawn: this is as in its printed examples, and every input that has an answer is equally
likely."""


class _Score(NamedTuple):
    """Of one network, exact over all inputs."""

    loss: float
    accuracy: float


class _Trial(NamedTuple):
    """Scores of one trial."""

    teachers: Mapping[TeacherKind, _Score]
    students: Sequence[Mapping[TeacherKind, _Score]]
    """Of each width, by teacher."""


def work(sizes: MappingSizes) -> int:
    """Steps of training of a whole demonstration, for its progress."""
    teachers = sum(one.steps for one in _kinds(sizes))
    students = sum(_student_steps(sizes, width) for width in sizes.students)
    return sizes.trials * (teachers + students)


def mapping_demo(
    *, seed: int = 0, sizes: MappingSizes = QUICK, advance: Advance | None = None
) -> MappingDemo:
    """Train teachers and students in several trials.

    Args:
        seed: of all weights and samples.
        sizes: how large it is.
        advance: is told the steps of training that are done, of `work`.
    """
    problem = mapping_problem(sizes.positions)
    school = _School(problem, sizes, advance)
    trials = [
        _trial(school, np.random.default_rng(one))
        for one in np.random.SeedSequence(seed).spawn(sizes.trials)
    ]
    points = tuple(_points(sizes, trials))
    return MappingDemo(
        seed=seed,
        full=sizes == FULL,
        sizes=sizes,
        inputs=len(problem.inputs),
        hard_share=float(problem.hard.mean()),
        points=points,
        claims=_claims(points),
    )


def _teachers(sizes: MappingSizes, axis: TeacherAxis) -> tuple[TeacherKind, ...]:
    """Those that differ in one way, from weak to strong."""
    if axis is TeacherAxis.STEPS:
        return tuple(TeacherKind(sizes.trained_width, steps) for steps in sizes.trained_steps)
    return tuple(
        TeacherKind(width, sizes.width_steps or _usual_steps(sizes, width, sizes.teacher_batch))
        for width in sizes.widths
    )


def _kinds(sizes: MappingSizes) -> tuple[TeacherKind, ...]:
    """All teachers, each once."""
    return tuple(dict.fromkeys(one for axis in TeacherAxis for one in _teachers(sizes, axis)))


def _shape(sizes: MappingSizes, width: int) -> Shape:
    return Shape(inputs=2 * sizes.positions, width=width, outputs=sizes.positions)


class _Length(NamedTuple):
    """Of a training."""

    steps: int
    batch: int


def _usual_steps(sizes: MappingSizes, width: int, batch: int) -> int:
    """The paper's length of a training."""
    return max(LEAST_STEPS, round(SAMPLES_PER_PARAM * _shape(sizes, width).params / batch))


def _student_steps(sizes: MappingSizes, width: int) -> int:
    return sizes.student_steps or _usual_steps(sizes, width, sizes.student_batch)


class _School:
    """Trains networks on the problem, and keeps count of the steps."""

    def __init__(
        self, problem: MappingProblem, sizes: MappingSizes, advance: Advance | None
    ) -> None:
        self.problem, self.sizes = problem, sizes
        self._advance, self._done = advance, 0

    def taught(
        self,
        shape: Shape,
        targets: Floats,
        length: _Length,
        random: np.random.Generator,
        *,
        copies: int = 1,
    ) -> Floats:
        """What new networks say of all inputs once they are trained.

        Args:
            shape: of each.
            targets: the distributions that each learns, of shape (networks, inputs, positions).
            length: of the training; its inputs are drawn anew for each step.
            random: the source of weights and inputs.
            copies: networks for each of the targets.

        Returns:
            Distributions, of shape (networks, copies, inputs, positions).
        """
        inputs = self.problem.inputs
        networks = Perceptrons(shape, len(targets), random, copies=copies)

        by_input = np.ascontiguousarray(np.repeat(targets, copies, axis=0).transpose(1, 0, 2))

        def drawn() -> Batch:
            at = random.integers(len(inputs), size=length.batch)
            return Batch(inputs=inputs[at], targets=by_input[at].transpose(1, 0, 2))

        rate = self.sizes.peak_rate
        train(networks, drawn, steps=length.steps, peak_rate=rate, advance=self._told)
        self._done += length.steps
        parts = range(0, len(inputs), _CHUNK)
        said = [networks.distributions(inputs[at : at + _CHUNK]) for at in parts]
        return np.concatenate(said, axis=1).reshape(len(targets), copies, *targets.shape[1:])

    def _told(self, done: int) -> None:
        """So many steps of the training at hand are done."""
        if self._advance is not None:
            self._advance(self._done + done)


def _trial(school: _School, random: np.random.Generator) -> _Trial:
    """All teachers, and all students of each."""
    sizes, problem = school.sizes, school.problem
    right = np.eye(sizes.positions, dtype=np.float32)[problem.labels][None]
    kinds = _kinds(sizes)
    said = np.concatenate(
        [
            school.taught(
                _shape(sizes, one.width), right, _Length(one.steps, sizes.teacher_batch), random
            )[0]
            for one in kinds
        ]
    )
    students = []
    for width in sizes.students:
        length = _Length(_student_steps(sizes, width), sizes.student_batch)
        answers = school.taught(_shape(sizes, width), said, length, random, copies=sizes.copies)
        scores = (_mean([_score(each, problem) for each in one]) for one in answers)
        students.append(dict(zip(kinds, scores, strict=True)))
    own = (_score(one, problem) for one in said)
    return _Trial(teachers=dict(zip(kinds, own, strict=True)), students=students)


def _score(said: Floats, problem: MappingProblem) -> _Score:
    likely = said[np.arange(len(said)), problem.labels].astype(float)
    least = np.finfo(np.float32).tiny
    return _Score(
        loss=float(-np.mean(np.log(np.maximum(likely, least)))),
        accuracy=float(np.mean(said.argmax(axis=1) == problem.labels)),
    )


def _mean(scores: Sequence[_Score]) -> _Score:
    return _Score(
        loss=float(np.mean([one.loss for one in scores])),
        accuracy=float(np.mean([one.accuracy for one in scores])),
    )


def _points(sizes: MappingSizes, trials: Sequence[_Trial]) -> Iterator[MappingPoint]:
    for axis in TeacherAxis:
        for kind in _teachers(sizes, axis):
            own = [one.teachers[kind] for one in trials]
            yield MappingPoint(
                axis=axis,
                teacher_width=kind.width,
                teacher_steps=kind.steps,
                teacher_loss=float(np.median([one.loss for one in own])),
                teacher_accuracy=float(np.median([one.accuracy for one in own])),
                students=tuple(
                    _student(width, [one.students[place][kind] for one in trials])
                    for place, width in enumerate(sizes.students)
                ),
            )


def _student(width: int, scores: Sequence[_Score]) -> MappingStudent:
    """A student over the trials."""
    losses = [one.loss for one in scores]
    low, middle, high = np.quantile(losses, [0.25, 0.5, 0.75])
    return MappingStudent(
        width=width,
        loss=float(middle),
        low=float(low),
        high=float(high),
        accuracy=float(np.median([one.accuracy for one in scores])),
        losses=tuple(losses),
    )


def best_of(points: Sequence[MappingPoint], place: int) -> int:
    """Which of some teachers leaves a student the least loss; the student by its place."""
    return min(range(len(points)), key=lambda at: points[at].students[place].loss)


def along(points: Sequence[MappingPoint], axis: TeacherAxis) -> tuple[MappingPoint, ...]:
    """The teachers that differ in one way, from weak to strong."""
    return tuple(one for one in points if one.axis is axis)


MIDDLE, LARGE = 1, 2
"""Places among the students."""


def _claims(points: Sequence[MappingPoint]) -> tuple[Claim, ...]:
    improve, between, every, follows = [], [], [], []
    for axis in TeacherAxis:
        row = along(points, axis)
        improve += [weaker.teacher_loss - better.teacher_loss for weaker, better in pairwise(row)]
        best, last = row[best_of(row, MIDDLE)], row[-1]
        ends = (row[0], last)
        between += [one.students[MIDDLE].loss - best.students[MIDDLE].loss for one in ends]
        pairs = zip(last.students[MIDDLE].losses, best.students[MIDDLE].losses, strict=True)
        every += [strongest - least for strongest, least in pairs]
        follows.append(_harm(row, MIDDLE) - _harm(row, LARGE))
    return (
        claim(Shown.TEACHERS_IMPROVE, improve),
        claim(Shown.BEST_IS_INTERMEDIATE, between),
        claim(Shown.STRONGEST_IS_WORSE, every),
        claim(Shown.LARGE_STUDENT_FOLLOWS, follows),
    )


def _harm(row: Sequence[MappingPoint], place: int) -> float:
    """By what share the strongest teacher leaves more loss than the best."""
    best = row[best_of(row, place)].students[place].loss
    return row[-1].students[place].loss / best - 1
