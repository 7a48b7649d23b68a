"""The demonstrations for people: what is shown, the numbers that show it, and where it is from."""

from collections.abc import Iterator, Mapping, Sequence

from distillplan.demos.calibration import (
    BINS,
    CalibrationDemo,
    CalibrationRow,
    TargetKind,
)
from distillplan.demos.claims import Claim, Shown
from distillplan.demos.kernel_regression import KernelDemo
from distillplan.demos.mapping import MIDDLE, along, best_of
from distillplan.demos.mapping_records import (
    MappingDemo,
    MappingPoint,
    TeacherAxis,
)
from distillplan.render.blocks import Block, Headline, Section, Sections, TableBlock, Text
from distillplan.render.odds_view import percent

SHOWS: Mapping[type, str] = {
    KernelDemo: (
        "A teacher can be too large: the student's error falls until the teacher has the "
        "student's dimension, and rises beyond it."
    ),
    MappingDemo: (
        "A teacher can be too good: a student learns most from one in between, and a larger "
        "student from a better one."
    ),
    CalibrationDemo: (
        "Whole or sampled distributions keep a student calibrated; targets that are cut off "
        "make it overconfident, the more the less is kept."
    ),
}
"""What each demonstration is for; said only where its own numbers say so."""
NOT_SHOWN = "Not shown with these numbers"
CLAIMS: Mapping[Shown, str] = {
    Shown.FALLS_BELOW: "the error falls with each dimension up to the student's own",
    Shown.NEVER_FALLS_ABOVE: "beyond that it never falls again",
    Shown.ENDS_HIGHER: "the largest teacher is worse than one of the student's own dimension",
    Shown.TEACHERS_IMPROVE: "each teacher is better than the one above it",
    Shown.BEST_IS_INTERMEDIATE: "the best teacher is neither the weakest nor the strongest",
    Shown.STRONGEST_IS_WORSE: "the strongest is worse than the best in every trial",
    Shown.LARGE_STUDENT_FOLLOWS: "a larger student loses less by the strongest, or nothing",
    Shown.FULL_IS_CALIBRATED: "whole and sampled targets are off by less than any that is cut",
    Shown.CUT_IS_OVERCONFIDENT: "cut-off targets make overconfident, the more the less is kept",
    Shown.ORDER_TURNS: "against the teacher's first choice the order is the other way round",
    Shown.SCORES_AGREE: "log score and Brier score rank the targets in the same order",
}
"""Each claim, in a few words."""
PAPER = "Busbridge et al. 2025 (arXiv:2502.08606)"


def kernel_view(found: KernelDemo) -> Iterator[Block]:
    """The blocks of the demonstration with kernel regression."""
    yield _headline(found)
    yield TableBlock(
        "Error of the student",
        ("student", "best teacher", "with it", "with 1", f"with {found.dimensions:,}"),
        tuple(
            (
                f"{row.student_dimension:,}",
                f"{row.best_from:,} to {row.best_to:,}",
                f"{row.least_error:.2f}",
                f"{row.error_with_smallest:.2f}",
                f"{row.error_with_largest:.2f}",
            )
            for row in found.rows
        ),
        text_columns=(0, 1),
    )
    yield _claimed(
        found.claims,
        "A teacher with a bounded norm spends part of it on functions that the student has not "
        "got, and less is left for those that it has.",
    )
    yield Text(
        f"{found.dimensions:,} dimensions, norms of {found.teacher_norm:g} (teacher) and "
        f"{found.student_norm:g} (student), infinite data; seed {found.seed}.",
        "quiet",
    )
    yield _source("Appendix C.1: Lemmas C.1 and C.2, Figure 10", "kernel")


def mapping_view(found: MappingDemo) -> Iterator[Block]:
    """The blocks of the demonstration with the mapping problem."""
    yield _headline(found)
    small, middle, large = found.sizes.students
    columns = ("its loss", f"width {small:,}", f"width {middle:,}", f"width {large:,}")
    for axis in TeacherAxis:
        row = along(found.points, axis)
        best = best_of(row, MIDDLE)
        yield TableBlock(
            _AXES[axis],
            ("teacher", *columns),
            tuple(
                (f"{'→' if at == best else ' '} {_teacher(one)}", *_losses(one))
                for at, one in enumerate(row)
            ),
            marked=best,
        )
    yield _claimed(
        found.claims,
        "What the strongest teacher says of the hard inputs, a student of this width cannot learn "
        "in this time.",
    )
    yield Text(
        f"Medians of {found.sizes.trials} trials, in nats; {percent(found.hard_share)} of the "
        f"inputs are hard; → is best for width {middle:,}; seed {found.seed}.",
        "quiet",
    )
    yield _source("Appendix C.2, Figures 11 and 12", "mapping", smaller=not found.full)


def calibration_view(found: CalibrationDemo) -> Iterator[Block]:
    """The blocks of the demonstration of calibration."""
    yield _headline(found)
    yield TableBlock(
        "",
        ("targets", "ECE", "if learned", "vs teacher", "log score", "Brier"),
        tuple(
            (
                _targets(one),
                _share(one.ece),
                _share(one.ece_if_learned),
                _share(one.ece_against_teacher),
                f"{one.log_loss:.3f}",
                f"{one.brier:.3f}",
            )
            for one in found.rows
        ),
        spare=(5,),
    )
    yield _claimed(
        found.claims,
        "A score that is proper is least for the true probabilities; a target that is cut off is "
        "least for others.",
    )
    yield Text(
        f"ECE: {BINS} bins, against the text; if learned: of the targets themselves; vs teacher: "
        f"against its first choice. The language's entropy is {found.entropy:.3f} nats per token; "
        f"seed {found.seed}.",
        "quiet",
    )
    yield _source("Appendix E.8, Figures 42 to 50; arXiv:2503.16870", "calibration")


def supported(found: KernelDemo | MappingDemo | CalibrationDemo) -> str:
    """The sentence that a demonstration supports; without its support, that it is not shown."""
    return SHOWS[type(found)] if found.held else f"{NOT_SHOWN} (seed {found.seed})."


def _headline(found: KernelDemo | MappingDemo | CalibrationDemo) -> Headline:
    return Headline(supported(found))


def _claimed(claims: Sequence[Claim], why: str) -> Sections:
    """What held, what did not, and why one expects it."""
    held = tuple(CLAIMS[one.shown] for one in claims if one.held)
    failed = tuple(CLAIMS[one.shown] for one in claims if not one.held)
    return Sections(
        (
            Section("Held", held, "-"),
            Section("Did not", failed, "!", "warning"),
            Section("Why", (why,)),
        )
    )


def _source(where: str, name: str, *, smaller: bool = False) -> Text:
    sizes = "; smaller than there, --full is not" * smaller
    return Text(f"{PAPER}, {where}{sizes}. More: -o csv  -o {name}.svg", "quiet", tight=True)


_AXES = {
    TeacherAxis.STEPS: "Loss of students whose teacher was trained for so many steps",
    TeacherAxis.WIDTH: "Loss of students whose teacher is of this width",
}


def _teacher(one: MappingPoint) -> str:
    return f"{one.teacher_steps if one.axis is TeacherAxis.STEPS else one.teacher_width:,}"


def _losses(one: MappingPoint) -> tuple[str, ...]:
    return (f"{one.teacher_loss:.3f}", *(f"{each.loss:.3f}" for each in one.students))


def _targets(one: CalibrationRow) -> str:
    """A kind of targets, in a table."""
    match one.kind:
        case TargetKind.FULL:
            return "whole distribution"
        case TargetKind.SAMPLED:
            return f"sampled, {one.kept} tokens"
        case TargetKind.TOP_K:
            return f"top {one.kept}"


def _share(value: float) -> str:
    return f"{value:.1%}"
