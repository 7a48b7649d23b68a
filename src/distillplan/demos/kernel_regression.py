"""The capacity gap where it can be proved: kernel regression (Busbridge et al. 2025, Appendix C.1).

A target is a sum of orthonormal functions with given coefficients. The teacher has the first m of
them and a bound on its norm; it fits the target. The student has the first n and a smaller bound;
it fits the teacher. Both see infinite data, so their errors have a closed form (Equations 16 to
22). Where the teacher is larger than the student, part of its bounded norm goes into functions that
the student has not got, and what is left for the others is too small.
"""

from typing import Any, TypeAlias

import numpy as np

from distillplan.demos.claims import Claim, Shown, all_hold, claim
from distillplan.named_tuples import NamedTuple

FloatArray: TypeAlias = np.ndarray[Any, np.dtype[np.float64]]

DIMENSIONS = 1_000
"""Of the target, as in Figure 10, as are the following."""
STUDENTS = (300, 400, 500, 600, 700, 800)
TEACHER_NORM, STUDENT_NORM = 5.0, 4.5
LARGEST_COEFFICIENT = 1.0
"""The coefficients of the target are uniform between this and its negative."""
STEP = 10
"""Between the dimensions of the teacher that are kept."""
_ROUNDING = 1e-12
"""Relative error of a sum of so many terms, generously."""


class KernelPoint(NamedTuple):
    """A teacher and the students of all sizes that learn from it."""

    teacher_dimension: int
    teacher_error: float
    """Distance of the teacher from the target."""
    student_errors: tuple[float, ...]
    """Distance of each student from the target, in the order of the rows."""


class KernelRow(NamedTuple):
    """A student over all teachers."""

    student_dimension: int
    best_from: int
    """The smallest dimension of a teacher with which the student's error is least."""
    best_to: int
    """The largest."""
    least_error: float
    error_with_smallest: float
    """With a teacher of one dimension."""
    error_with_largest: float
    """With a teacher that has all dimensions of the target."""
    can_shrink: bool
    """Whether the largest teacher leaves less of the student's functions than the student's bound
    allows: T * norm of the first n coefficients < D * norm of all."""


class KernelCurve(NamedTuple):
    """A teacher and one of its students, as a row."""

    student_dimension: int
    teacher_dimension: int
    student_error: float
    teacher_error: float


class KernelDemo(NamedTuple):
    """What kernel regression shows of the capacity gap."""

    seed: int
    dimensions: int
    """Of the target, and of the largest teacher."""
    teacher_norm: float
    """Bound on the norm of a teacher (T)."""
    student_norm: float
    """Bound on the norm of a student (D)."""
    target_norm: float
    rows: tuple[KernelRow, ...]
    points: tuple[KernelPoint, ...]
    claims: tuple[Claim, ...]

    @property
    def held(self) -> bool:
        """Whether all of it is shown."""
        return all_hold(self.claims)

    @property
    def curves(self) -> tuple[KernelCurve, ...]:
        """Every student with every teacher that is kept."""
        return tuple(
            KernelCurve(
                student_dimension=row.student_dimension,
                teacher_dimension=point.teacher_dimension,
                student_error=point.student_errors[at],
                teacher_error=point.teacher_error,
            )
            for at, row in enumerate(self.rows)
            for point in self.points
        )


def teacher_errors(coefficients: FloatArray, teacher_norm: float) -> FloatArray:
    """The errors of teachers of dimension 1, 2, ... (Equations 16 and 17), in the shape given.

    Args:
        coefficients: of the target, of shape (dimensions,).
        teacher_norm: the bound on the teacher's norm, T.
    """
    inside = np.cumsum(coefficients**2)
    return _error(inside, _share(teacher_norm, inside), inside[-1])


def student_errors(
    coefficients: FloatArray, student_dimension: int, *, teacher_norm: float, student_norm: float
) -> FloatArray:
    """The errors of a student with teachers of dimension 1, 2, ... (Equations 20 to 22).

    Args:
        coefficients: of the target, of shape (dimensions,).
        student_dimension: n.
        teacher_norm: the bound on the teacher's norm, T.
        student_norm: the bound on the student's norm, D.

    Returns:
        The distances from the target, of shape (dimensions,).
    """
    inside = np.cumsum(coefficients**2)
    of_teacher = _share(teacher_norm, inside)
    both = np.minimum(inside, inside[student_dimension - 1])  # of the first min(m, n)
    learned = of_teacher * _share(student_norm, of_teacher**2 * both)
    return _error(both, learned, inside[-1])


def _share(norm: float, squares: FloatArray) -> FloatArray:
    """The factor that brings coefficients with such a sum of squares within a norm: C, and Q."""
    return np.minimum(1.0, norm / np.sqrt(squares))


def _error(inside: FloatArray, learned: FloatArray, whole: float) -> FloatArray:
    """The distance from the target of a multiple of its first coefficients."""
    return np.sqrt((learned - 1.0) ** 2 * inside + (whole - inside))


def kernel_demo(*, seed: int = 0) -> KernelDemo:
    """Figure 10 of the paper, with other coefficients for every seed.

    Args:
        seed: of the target's coefficients.
    """
    random = np.random.default_rng(seed)
    coefficients = random.uniform(-LARGEST_COEFFICIENT, LARGEST_COEFFICIENT, DIMENSIONS)
    by_teacher = teacher_errors(coefficients, TEACHER_NORM)
    by_student = [
        student_errors(coefficients, one, teacher_norm=TEACHER_NORM, student_norm=STUDENT_NORM)
        for one in STUDENTS
    ]
    norms = np.sqrt(np.cumsum(coefficients**2))
    rows = tuple(
        _row(one, errors, can_shrink=bool(TEACHER_NORM * norms[one - 1] < STUDENT_NORM * norms[-1]))
        for one, errors in zip(STUDENTS, by_student, strict=True)
    )
    kept = dict.fromkeys([0, *range(STEP - 1, DIMENSIONS, STEP), DIMENSIONS - 1])
    return KernelDemo(
        seed=seed,
        dimensions=DIMENSIONS,
        teacher_norm=TEACHER_NORM,
        student_norm=STUDENT_NORM,
        target_norm=float(norms[-1]),
        rows=rows,
        points=tuple(
            KernelPoint(
                teacher_dimension=at + 1,
                teacher_error=float(by_teacher[at]),
                student_errors=tuple(float(errors[at]) for errors in by_student),
            )
            for at in kept
        ),
        claims=_claims(rows, by_student),
    )


def _row(student: int, errors: FloatArray, *, can_shrink: bool) -> KernelRow:
    least = float(errors.min())
    best = np.flatnonzero(errors <= least * (1 + _ROUNDING))
    return KernelRow(
        student_dimension=student,
        best_from=int(best[0]) + 1,
        best_to=int(best[-1]) + 1,
        least_error=least,
        error_with_smallest=float(errors[0]),
        error_with_largest=float(errors[-1]),
        can_shrink=can_shrink,
    )


def _claims(rows: tuple[KernelRow, ...], by_student: list[FloatArray]) -> tuple[Claim, ...]:
    falls, rises, ends = [], [], []
    for row, errors in zip(rows, by_student, strict=True):
        own = row.student_dimension
        falls.append(-float(np.diff(errors[:own]).max()))
        rises.append(float(np.diff(errors[own - 1 :]).min()))
        if row.can_shrink:
            ends.append(row.error_with_largest - float(errors[own - 1]))
    rounding = _ROUNDING * max(row.error_with_smallest for row in rows)
    return (
        claim(Shown.FALLS_BELOW, falls, least=-rounding),
        claim(Shown.NEVER_FALLS_ABOVE, rises, least=-rounding),
        claim(Shown.ENDS_HIGHER, ends or [-1.0], least=rounding),
    )
