"""The demonstrations for people: what is shown, the numbers that show it, and where it is from."""

from collections.abc import Iterator, Mapping, Sequence

from distillplan.demos.calibration import (
    BINS,
    CalibrationDemo,
    CalibrationRow,
    TargetKind,
)
from distillplan.demos.claims import Claim, Shown
from distillplan.demos.demonstrations import Demonstration
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
        "student's dimension, stays, and then rises."
    ),
    MappingDemo: (
        "A teacher can be too good for its student, which learns most from one in between; a "
        "larger student loses less by the strongest."
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
    Shown.ENDS_HIGHER: "the largest teacher is worse for each student that is small enough",
    Shown.TEACHERS_IMPROVE: "longer training makes each teacher better, and so does width",
    Shown.BEST_IS_INTERMEDIATE: "the best teacher is neither the weakest nor the strongest",
    Shown.STRONGEST_IS_WORSE: "the strongest is worse than the best in every trial",
    Shown.LARGE_STUDENT_FOLLOWS: "a larger student loses less by the strongest, or nothing",
    Shown.FULL_IS_CALIBRATED: "whole and sampled targets leave next to no error, cut-off ones more",
    Shown.CUT_IS_OVERCONFIDENT: "cut-off targets make it overconfident, the more the less is kept",
    Shown.ORDER_TURNS: "against the teacher's first choice the order is the other way round",
    Shown.SCORES_AGREE: "log score and Brier score rank the targets in the same order",
}
"""Each claim, in a few words."""
PAPER = "Busbridge et al. 2025 (arXiv:2502.08606)"
WHERE: Mapping[type, str] = {
    KernelDemo: "Appendix C.1: Lemmas C.1 and C.2, Figure 10",
    MappingDemo: "Appendix C.2, Figures 11 and 12",
    CalibrationDemo: "Appendix E.8, Figures 42 to 50",
}
"""Where the paper shows it."""


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
        "a teacher of bounded norm spends part of it on functions that the student has not got, "
        "and less is left for those that it has",
    )
    yield Text(
        f"{found.dimensions:,} dimensions, norms of {found.teacher_norm:g} (teacher) and "
        f"{found.student_norm:g} (student), infinite data; seed {found.seed}.",
        "quiet",
    )
    yield _source(found, "kernel")


def mapping_view(found: MappingDemo) -> Iterator[Block]:
    """The blocks of the demonstration with the mapping problem."""
    yield _headline(found)
    small, middle, large = found.sizes.students
    columns = ("its loss", f"student {small:,}", f"student {middle:,}", f"student {large:,}")
    rows = [along(found.points, axis) for axis in TeacherAxis]
    best = {one[best_of(one, MIDDLE)] for one in rows}
    shown = {(one.teacher_width, one.teacher_steps): one for row in rows for one in row}
    yield TableBlock(
        "",
        ("teacher", *columns),
        tuple(
            (f"{'→' if one in best else ' '} {_teacher(one)}", *_losses(one))
            for one in shown.values()
        ),
    )
    yield _claimed(
        found.claims,
        "the strongest says more of the hard inputs than this student can learn",
    )
    yield Text(
        f"Medians of {found.sizes.trials} trials, nats; {percent(found.hard_share)} of inputs are "
        f"hard; → best for width {middle:,}; seed {found.seed}.",
        "quiet",
    )
    yield _source(found, "mapping", "" if found.full else "; smaller than there, --full is not")


def calibration_view(found: CalibrationDemo) -> Iterator[Block]:
    """The blocks of the demonstration of calibration."""
    yield _headline(found)
    yield TableBlock(
        "",
        ("targets", "ECE", "if learned", "vs teacher", "log score", "Brier"),
        tuple(
            (
                targets_in_words(one),
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
        "a proper score is least for the true probabilities, and those are what whole and sampled "
        "targets are on average",
    )
    yield Text(
        f"ECE: expected calibration error against the text, {BINS} bins; if learned: of the "
        "targets themselves; vs teacher: against its first choice. Entropy of the language: "
        f"{found.entropy:.3f} nats; seed {found.seed}.",
        "quiet",
    )
    yield _source(found, "calibration", "; sampled and top k: arXiv:2503.16870")


def supported(found: Demonstration) -> str:
    """The sentence that a demonstration supports; without its support, that it is not shown."""
    return SHOWS[type(found)] if found.held else f"{NOT_SHOWN} (seed {found.seed})."


def _headline(found: Demonstration) -> Headline:
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


def source(found: Demonstration) -> str:
    """Where in the paper it is."""
    return f"{PAPER}, {WHERE[type(found)]}"


def _source(found: Demonstration, name: str, remark: str = "") -> Text:
    return Text(f"{source(found)}{remark}. More: -o csv  -o {name}.svg", "quiet", tight=True)


def _teacher(one: MappingPoint) -> str:
    return f"{one.teacher_width:,} wide, {one.teacher_steps:,} steps"


def _losses(one: MappingPoint) -> tuple[str, ...]:
    return (f"{one.teacher_loss:.3f}", *(f"{each.loss:.3f}" for each in one.students))


def targets_in_words(one: CalibrationRow) -> str:
    """The targets of a student, in two or three words."""
    match one.kind:
        case TargetKind.FULL:
            return "whole distribution"
        case TargetKind.SAMPLED:
            return f"sampled, {one.kept} tokens"
        case TargetKind.TOP_K:
            return f"top {one.kept}"


def _share(value: float) -> str:
    return f"{value:.1%}"
