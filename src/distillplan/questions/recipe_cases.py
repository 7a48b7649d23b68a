"""What a line of the recipe may depend on, and what the format of stored logits makes of it."""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any, Final

from distillplan.accounting import Accounting, Logits
from distillplan.hardware.storage import stored_logits
from distillplan.laws.logit_formats import LogitKind, StoredFormat, penalty_of
from distillplan.models.architecture import FixedAspect
from distillplan.questions.plan_document import PlannedOption
from distillplan.questions.plan_layout import PlannedLayout
from distillplan.questions.recipe_file import practice
from distillplan.questions.recipe_records import PlannedRun
from distillplan.questions.starting_points import exported, rates_told, starting_points
from distillplan.units.quantities import format_count


class PlanCase(StrEnum):
    """What a line may depend on."""

    DISTILL = "distill"
    PRETRAIN = "pretrain"
    RECOMMENDED = "recommended"
    NOT_RECOMMENDED = "not_recommended"
    WEIGHED = "weighed"
    TRAINS_TEACHER = "trains_teacher"
    ONLINE = "online"
    STORED = "stored"
    FORMAT_OPEN = "format_open"
    """Logits are to be stored, and the plan names no format."""
    FORMAT_FOUND = "format_found"
    """They are on a disk, and the plan names no format."""
    FORMAT_FULL = "format_full"
    FORMAT_SAMPLED = "format_sampled"
    FORMAT_LABEL = "format_label"
    FORMAT_CUT = "format_cut"
    """The largest logits alone are stored, by the plan's word."""
    NOT_CUT = "not_cut"
    CHUNKED = "chunked"
    NO_MACHINE = "no_machine"
    BATCH_OPEN = "batch_open"
    """The plan has a machine, and its batch was not asked for."""
    BATCH_GIVEN = "batch_given"
    RATE_OUTSIDE = "rate_outside"
    FLIPS_WITH_BUDGET = "flips_with_budget"
    REPEATS = "repeats"
    WEAK_TEACHER = "weak_teacher"
    BEST_TEACHER = "best_teacher"
    NO_BEST_TEACHER = "no_best_teacher"
    SAME_TOKENIZER = "same_tokenizer"
    OTHER_TOKENIZER = "other_tokenizer"
    TOKENIZER_UNKNOWN = "tokenizer_unknown"
    ROWS_DIFFER = "rows_differ"
    LICENSE_KNOWN = "license_known"
    LICENSE_FORBIDS = "license_forbids"
    """It forbids training others on the teacher's outputs."""
    LICENSE_UNKNOWN = "license_unknown"


TRAINED: Final = (Accounting.TRAIN, Accounting.TRAIN_SHARED)
"""Where the budget pays for the teacher's training."""
_CASES: Final = {
    None: PlanCase.FORMAT_OPEN,
    LogitKind.FULL: PlanCase.FORMAT_FULL,
    LogitKind.FULL_FP32: PlanCase.FORMAT_FULL,
    LogitKind.SAMPLED: PlanCase.FORMAT_SAMPLED,
    LogitKind.TOP_K_AND_LABEL: PlanCase.FORMAT_LABEL,
}
"""Of formats that are not cut."""


def logit_cases(run: PlannedRun, *, on_disk: bool) -> Iterator[PlanCase]:
    """Where the logits come from, and how they are stored.

    Args:
        run: the run in numbers.
        on_disk: whether they lie on a disk already.
    """
    if not run.stored:
        yield from (PlanCase.ONLINE, PlanCase.NOT_CUT)
        return
    case = _CASES.get(run.logit_format, PlanCase.FORMAT_CUT)
    if case is PlanCase.FORMAT_OPEN and on_disk:
        case = PlanCase.FORMAT_FOUND
    yield from (PlanCase.STORED, case)
    if case is not PlanCase.FORMAT_CUT:
        yield PlanCase.NOT_CUT


def batch_case(layout: PlannedLayout | None) -> PlanCase:
    """Where the batch comes from."""
    if layout is None:
        return PlanCase.NO_MACHINE
    return PlanCase.BATCH_OPEN if layout.batch_tokens is None else PlanCase.BATCH_GIVEN


def logit_numbers(run: PlannedRun, *, on_disk: bool) -> Mapping[str, Any]:
    """What lines say of stored logits, by the names in their braces.

    Args:
        run: the run in numbers.
        on_disk: whether they lie on a disk already.

    Raises:
        InputError: for more entries than the vocabulary has rows.
    """
    weight = practice()["truncated_weight"]
    full = not run.stored or _CASES.get(run.logit_format) is PlanCase.FORMAT_FULL
    said = {
        "of_logits": ", full logits" if full else "",
        "label_weight": 1 - weight,
        "store": "Read" if on_disk else "Store",
    }
    if run.logit_format is None:
        return said
    entries = None if run.logit_k is None else round(run.logit_k)
    stored = StoredFormat(kind=run.logit_format, entries=entries)
    penalty = penalty_of(stored, run.vocab)
    return {
        **said,
        "logit_format": stored_logits(stored, run.vocab).name,
        "logit_k": entries,
        "format_cost": f"{penalty.nats:.3f} nats" if penalty.nats else "nothing",
    }


def is_stored(logits: Logits, accounting: Accounting | None) -> bool:
    """Whether the student reads its teacher's logits from a disk."""
    on_disk = accounting in (Accounting.FREE, Accounting.TRAIN_SHARED)
    return on_disk or logits is not Logits.ONLINE


def is_on_disk(logits: Logits, accounting: Accounting | None) -> bool:
    """Whether the logits that it reads lie there already."""
    return accounting is Accounting.FREE or logits is Logits.CACHED


def teacher_numbers(chosen: PlannedOption, family: FixedAspect) -> Mapping[str, str]:
    """Where the training of the teacher starts, by the names in braces; nothing if there is none.

    Args:
        chosen: the option that is run.
        family: of models that are given as a size.

    Raises:
        InputError: when the file of recipes is not what it should be.
    """
    params, tokens = chosen.teacher_params, chosen.teacher_tokens
    if chosen.accounting not in TRAINED or params is None or tokens is None:
        return {}
    points = starting_points(params, tokens, family)
    batch = format_count(exported(points).batch_tokens)
    return {"teacher_rates": rates_told(points), "teacher_batch": batch}
