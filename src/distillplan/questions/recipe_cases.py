"""What a line of the recipe may depend on, and what the format of stored logits makes of it."""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any, Final

from distillplan.hardware.storage import stored_logits
from distillplan.laws.logit_formats import LogitKind, StoredFormat, penalty_of
from distillplan.questions.plan_layout import PlannedLayout
from distillplan.questions.recipe_file import practice
from distillplan.questions.recipe_records import PlannedRun


class PlanCase(StrEnum):
    """What a line may depend on."""

    DISTILL = "distill"
    PRETRAIN = "pretrain"
    RECOMMENDED = "recommended"
    NOT_RECOMMENDED = "not_recommended"
    WEIGHED = "weighed"
    ONLINE = "online"
    STORED = "stored"
    FORMAT_OPEN = "format_open"
    """Logits are stored, and the plan names no format."""
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
    LICENSE_UNKNOWN = "license_unknown"


_CASES: Final = {
    None: PlanCase.FORMAT_OPEN,
    LogitKind.FULL: PlanCase.FORMAT_FULL,
    LogitKind.FULL_FP32: PlanCase.FORMAT_FULL,
    LogitKind.SAMPLED: PlanCase.FORMAT_SAMPLED,
    LogitKind.TOP_K_AND_LABEL: PlanCase.FORMAT_LABEL,
}
"""Of formats that are not cut."""


def logit_cases(run: PlannedRun) -> Iterator[PlanCase]:
    """Where the logits come from, and how they are stored."""
    if not run.stored:
        yield from (PlanCase.ONLINE, PlanCase.NOT_CUT)
        return
    case = _CASES.get(run.logit_format, PlanCase.FORMAT_CUT)
    yield from (PlanCase.STORED, case)
    if case is not PlanCase.FORMAT_CUT:
        yield PlanCase.NOT_CUT


def batch_case(layout: PlannedLayout | None) -> PlanCase:
    """Where the batch comes from."""
    if layout is None:
        return PlanCase.NO_MACHINE
    return PlanCase.BATCH_OPEN if layout.batch_tokens is None else PlanCase.BATCH_GIVEN


def logit_numbers(run: PlannedRun) -> Mapping[str, Any]:
    """What lines say of stored logits, by the names in their braces.

    Raises:
        InputError: for more entries than the vocabulary has rows.
    """
    weight = practice()["truncated_weight"]
    full = not run.stored or _CASES.get(run.logit_format) is PlanCase.FORMAT_FULL
    said = {"of_logits": ", full logits" if full else "", "label_weight": 1 - weight}
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
