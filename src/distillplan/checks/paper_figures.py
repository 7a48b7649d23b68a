"""The paper's Figures 6 to 9 under a law, with what was read off them: `distillplan plot paper`."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np

from distillplan.accounting import TRAINING_PASSES, Accounting
from distillplan.checks.check_records import report
from distillplan.checks.law_checks import PlacedRow, check_groups, placed_rows
from distillplan.checks.law_findings import crossover_tokens, distillation_of, paper_question
from distillplan.checks.paper_records import (
    PaperAxis,
    PaperFigure,
    PaperMisses,
    PaperPart,
    PaperRow,
)
from distillplan.errors import InputError, Word
from distillplan.laws.formulas import FloatArray
from distillplan.laws.provenance import PublishedLaw
from distillplan.named_tuples import NamedTuple
from distillplan.optimize.problems import Optima
from distillplan.planning import evaluate, side_by_side
from distillplan.planning.evaluate import cells
from distillplan.planning.fitted_range import SIZES as RANGED
from distillplan.planning.fitted_range import outside
from distillplan.units.quantities import plain_count

STUDENTS: Final = (1e8, 1e10)
"""Of Figure 6."""
TOKENS: Final = (1e9, 2e13)
"""Of its students: the paper's end is 10T, where a number stands."""
MAP_STUDENTS, MAP_TOKENS = 41, 45
"""Places of a map of gains."""
LARGE_STUDENTS: Final = (5e8, 2e11)
"""Of Figure 7."""
BUDGETS: Final = (1e20, 1e26)
"""Of Figures 8 and 9, in FLOPs."""
POINTS: Final = 121
"""Of a line, besides those where a number was read off."""
SUPERVISED: Final = "supervised"
SIZES: Final = ("teacher_params", "student_tokens", "teacher_tokens")
"""What Figure 9 shows."""
EQUATION_8: Final = ("student_params", "student_tokens", "teacher_loss")
"""The sizes of a student whose teacher's own sizes do not enter."""

Reads = Sequence[PlacedRow]


def paper_figure(figure: int, law: PublishedLaw) -> PaperFigure:
    """A figure of the paper.

    Args:
        figure: its number, one of `FIGURES`.
        law: what is drawn.

    Raises:
        InputError: for a law without distillation.
    """
    if law.distillation is None:
        raise InputError(Word("law"), f": {law.name} has no distillation side, and the figures do")
    drawn = FIGURES[figure]
    groups = [
        group if law == checked else group._replace(known=None)
        for checked, group in check_groups()
        if group.where.partition(",")[0] == f"Figure {figure}"
    ]
    found = {group: list(placed_rows(law, group)) for group in groups}
    reads = [one for rows in found.values() for one in rows]
    counted = report(one.row for one in reads)
    missed = {group: sum(not one.row.passed for one in rows) for group, rows in found.items()}
    return PaperFigure(
        figure=figure,
        law=law,
        numbers=len(reads),
        passed=counted.passed,
        reading_error=groups[0].high,
        relative=groups[0].relative,
        misses=tuple(
            PaperMisses(where=group.where, numbers=count, known=group.known)
            for group, count in missed.items()
            if count
        ),
        rows=(*drawn.lines(law, reads), *(_read_off(one, drawn) for one in reads)),
    )


class _Drawn(NamedTuple):
    """How a figure is made."""

    panel: Callable[[PlacedRow], str]
    line: Callable[[PlacedRow], str]
    across: str
    """Column of what lies along the axis."""
    lines: Callable[[PublishedLaw, Reads], Iterator[PaperRow]]


def _read_off(one: PlacedRow, drawn: _Drawn) -> PaperRow:
    """A number that was read off, with its reading error and what the law says."""
    row, number = one.row, float(one.row.published)
    scale = number if row.relative else 1.0
    along = PaperAxis.ACROSS if one.column == drawn.across else PaperAxis.UP
    return PaperRow(
        part=PaperPart.READ_OFF,
        panel=drawn.panel(one),
        line=drawn.line(one),
        across=float(one.given[drawn.across]),
        up=number if along is PaperAxis.UP else float(one.given[SIZES[0]]),
        along=along,
        computed=row.computed if isinstance(row.computed, float) else None,
        difference=row.difference,
        low=number + (row.low or 0.0) * scale,
        high=number + (row.high or 0.0) * scale,
        passed=row.passed,
    )


def in_short(value: float) -> str:
    """A size as panels and lines are called.

    >>> in_short(9.7549e8), in_short(2.5e11)
    ('975M', '250B')
    """
    return plain_count(float(f"{value:.3g}"))


def _of(column: str) -> Callable[[PlacedRow], str]:
    """What calls a panel or a line by a size."""
    return lambda one: in_short(one.given[column])


def _column(one: PlacedRow) -> str:
    return one.column


def _nothing(_: PlacedRow) -> str:
    return ""


def _each(reads: Reads, *columns: str) -> list[Mapping[str, Any]]:
    """The lines of the data file that differ in some columns, from the least up."""
    found = {tuple(one.given[name] for name in columns): one.given for one in reads}
    return [found[key] for key in sorted(found)]


def _between(ends: tuple[float, float], reads: Reads, column: str) -> FloatArray:
    """Places along an axis, also those at which numbers were read off, shape (places,)."""
    also = [float(one.given[column]) for one in reads]
    return np.unique([*np.geomspace(*ends, POINTS).tolist(), *also])


def _line(
    panel: str,
    line: str,
    across: FloatArray,
    up: Any,
    law: PublishedLaw,
    way: Accounting | None = Accounting.FREE,
    **sizes: Any,
) -> Iterator[PaperRow]:
    """Points of a line.

    Args:
        panel: where it is drawn.
        line: what it is called.
        across: shape (points,).
        up: shape (points,); not-a-number or infinite where the law has no number.
        law: whose runs have a range.
        way: how the student is trained; None: from data alone.
        sizes: of the runs that the points are of, each a number or of shape (points,).
    """
    values = {name: np.broadcast_to(one, across.shape).tolist() for name, one in sizes.items()}
    for at, (place, value) in enumerate(zip(across.tolist(), np.asarray(up, float), strict=True)):
        known = bool(np.isfinite(value))
        yield PaperRow(
            part=PaperPart.CURVE,
            panel=panel,
            line=line,
            across=place,
            up=float(value) if known else None,
            outside=known
            and any(outside(law, name, one[at], way) is not None for name, one in values.items()),
        )


def _sizes(found: Optima) -> dict[str, Any]:
    """The sizes of optima, by the words of ranges."""
    every = found._asdict()
    return {name: every[name] for name in RANGED if every[name] is not None}


def _gains(law: PublishedLaw, reads: Reads) -> Iterator[PaperRow]:
    """Figure 6: gains from a teacher over student and tokens, and where there are none."""
    students, tokens = np.geomspace(*STUDENTS, MAP_STUDENTS), np.geomspace(*TOKENS, MAP_TOKENS)
    across = _between(STUDENTS, reads, "student_params")
    for given in _each(reads, "teacher_params"):
        teacher = law.supervised.loss(given["teacher_params"], given["teacher_tokens"])
        panel = in_short(given["teacher_params"])
        alone = law.supervised.loss(students[:, None], tokens)
        gains = alone - distillation_of(law).loss(students[:, None], tokens, teacher)
        for row, student in enumerate(students.tolist()):
            for column, trained in enumerate(tokens.tolist()):
                yield PaperRow(
                    part=PaperPart.MAP,
                    panel=panel,
                    line="",
                    across=student,
                    up=trained,
                    gain_nats=float(gains[row, column]),
                )
        ends = np.array([crossover_tokens(law, one, teacher) for one in across.tolist()], float)
        sizes = {"student_params": across, "student_tokens": ends, "teacher_loss": teacher}
        yield from _line(panel, "", across, ends, law, **sizes)


def _best_teachers(law: PublishedLaw, reads: Reads) -> Iterator[PaperRow]:
    """Figure 7: the loss of the best teacher of each student, by the student's tokens."""
    across = _between(LARGE_STUDENTS, reads, "student_params")
    for given in _each(reads, "student_tokens"):
        tokens, questions = float(given["student_tokens"]), []
        for student in across.tolist():
            forward = paper_question(law, 1.0, student).family.forward_flops(student)
            questions.append(paper_question(law, TRAINING_PASSES * forward * tokens, student))
        found = side_by_side.distilled_each(questions, [Accounting.FREE] * len(questions))
        sizes = {name: one for name, one in _sizes(found).items() if name in EQUATION_8}
        yield from _line("", in_short(tokens), across, found.teacher_loss, law, **sizes)


def _losses(law: PublishedLaw, reads: Reads) -> Iterator[PaperRow]:
    """Figure 8: the least loss of each student over the budget, by who pays for the teacher."""
    budgets = _between(BUDGETS, reads, "compute")
    for given in _each(reads, "student_params"):
        student = float(given["student_params"])
        question, panel = paper_question(law, 1.0, student), in_short(student)
        alone = evaluate.supervised(question, cells(question, Accounting.FREE, budget=budgets))
        yield from _line(panel, SUPERVISED, budgets, alone.loss, law, None, **_sizes(alone))
        for way in Accounting:
            found = evaluate.distilled(question, cells(question, way, budget=budgets))
            yield from _line(panel, way, budgets, found.loss, law, way, **_sizes(found))


def _best_sizes(law: PublishedLaw, reads: Reads) -> Iterator[PaperRow]:
    """Figure 9: sizes of the best plan that trains its own teacher, over the budget."""
    students, lines = _each(reads, "student_params"), []
    for given in students:
        student = float(given["student_params"])
        peaks = [one.row.computed for one in reads if one.column == "compute"]
        budgets = np.union1d(
            _between(BUDGETS, reads, "compute"), [one for one in peaks if isinstance(one, float)]
        )
        question = paper_question(law, 1.0, student)
        at = cells(question, Accounting.TRAIN, budget=budgets)
        lines.append((in_short(student), budgets, evaluate.distilled(question, at)))
    for panel in SIZES:
        for line, budgets, found in lines:
            sizes = _sizes(found)
            yield from _line(panel, line, budgets, sizes[panel], law, Accounting.TRAIN, **sizes)


def _size(one: PlacedRow) -> str:
    """The panel of a number of Figure 9; the budget of the largest teacher stands at it."""
    return one.column if one.column in SIZES else SIZES[0]


FIGURES: Final[Mapping[int, _Drawn]] = {
    6: _Drawn(panel=_of("teacher_params"), line=_nothing, across="student_params", lines=_gains),
    7: _Drawn(
        panel=_nothing, line=_of("student_tokens"), across="student_params", lines=_best_teachers
    ),
    8: _Drawn(panel=_of("student_params"), line=_column, across="compute", lines=_losses),
    9: _Drawn(panel=_size, line=_of("student_params"), across="compute", lines=_best_sizes),
}
"""The figures that are redrawn."""
