"""How to run a plan: what to do, why, where that is from, and how sure it is.

All texts and settings stand in coefficients/recipe.yaml; here they are chosen for a plan, and its
numbers are put into them.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Any, Final

from distillplan.accounting import Accounting
from distillplan.errors import InputError
from distillplan.files.entries import Entry
from distillplan.laws.repetition import REPEATS_WORTH, log_worth
from distillplan.models.tokenizers import other_tokenizer, same_tokenizer, tokenizer_told
from distillplan.named_tuples import NamedTuple
from distillplan.planning.results import Method
from distillplan.planning.verdict_records import Verdict
from distillplan.questions.plan_document import PlanDocument, PlannedOption
from distillplan.questions.plan_layout import PlannedLayout
from distillplan.questions.plan_settings import PlannedModel, PlanSettings
from distillplan.questions.recipe_cases import (
    TRAINED,
    PlanCase,
    batch_case,
    is_on_disk,
    is_stored,
    logit_cases,
    logit_numbers,
    teacher_numbers,
)
from distillplan.questions.recipe_file import (
    kept_shares,
    kept_source,
    practice,
    recipe_file,
    skipped_trainers,
)
from distillplan.questions.recipe_records import (
    PlannedRun,
    Recipe,
    RecipeLine,
    StartingPoint,
    Sureness,
)
from distillplan.questions.recipe_studies import little_numbers, little_text, mixed_losses
from distillplan.questions.starting_points import (
    exported,
    format_rate,
    rates_told,
    starting_points,
)
from distillplan.questions.tracking import option_of
from distillplan.units.articles import with_article
from distillplan.units.quantities import format_count, format_flops

_MOST: Final = 1e18
"""Tokens or parameters above which a document cannot be meant."""


class _LineFacts(NamedTuple):
    """What lines are made from."""

    cases: frozenset[PlanCase]
    numbers: Mapping[str, Any]
    """By the names that stand in braces."""


def run_option(plan: PlanDocument, option: Accounting | Method | None) -> PlannedOption:
    """The option of a plan that is run.

    Where the plan has found an open model, it is the teacher that exists; the ideal one of that
    option exists nowhere.

    Args:
        plan: the plan.
        option: which; None is the plan's choice.

    Raises:
        InputError: when the plan has none such within budget, or made no choice.
    """
    found = next((one for one in plan.options if one.teacher_name is not None), None)
    return found if option is Accounting.EXISTS and found is not None else option_of(plan, option)


def recipe(plan: PlanDocument, settings: PlanSettings, chosen: PlannedOption) -> Recipe:
    """How to run one option of a plan.

    Args:
        plan: the plan.
        settings: what its document says beside its options, with the option's teacher.
        chosen: the option.

    Raises:
        InputError: when it has sizes that nobody can train.
    """
    _demand_sizes(plan, settings, chosen)
    file = recipe_file()
    points = starting_points(chosen.student_params, chosen.student_tokens, settings.family)
    words = file.mapping("words")
    run = _run(settings, chosen, points, words)
    facts = _facts(plan, settings, chosen, run, points)
    distills = chosen.method is Method.DISTILL
    heads = file.mapping("headlines")
    head = heads.text("distill" if distills else "pretrain")
    return Recipe(
        plan=plan.source,
        verdict=plan.verdict,
        method=chosen.method,
        accounting=chosen.accounting,
        headline=head.format_map(facts.numbers),
        run=run,
        lines=tuple(_lines(file, facts)),
        kept_shares=tuple(kept_shares()) if distills else (),
        kept_source=kept_source() if distills else None,
        mixed_losses=mixed_losses() if distills else (),
        little_text=little_text() if PlanCase.REPEATS in facts.cases else None,
        starting_points=points,
        skipped=skipped_trainers(),
    )


def _demand_sizes(plan: PlanDocument, settings: PlanSettings, chosen: PlannedOption) -> None:
    family, layout = settings.family, settings.layout
    for what, value, most in (
        ("student_params", chosen.student_params, _MOST),
        ("student_tokens", chosen.student_tokens, _MOST),
        ("context", family.context, 1e9),
        ("vocab", family.vocab, 1e9),
        ("batch_tokens", (layout and layout.batch_tokens) or 1, _MOST),
    ):
        if not 1 <= value <= most:
            raise InputError(
                f"{plan.source}: {what} is {value:g}, and a run has from 1 to {most:g} of them"
            )


def _run(
    settings: PlanSettings, chosen: PlannedOption, points: tuple[StartingPoint, ...], words: Entry
) -> PlannedRun:
    """The run in numbers."""
    given = practice()
    start = exported(points)
    context = round(settings.family.context)
    sequences = _batch(settings.layout, start.batch_tokens, context)
    steps = math.ceil(chosen.student_tokens / (sequences * context))
    final = start.learning_rate if start.final_learning_rate is None else start.final_learning_rate
    rows = [one.vocab for one in (settings.teacher, settings.student) if one is not None]
    vocab = next((one for one in rows if one is not None), round(settings.family.vocab))
    distills = chosen.method is Method.DISTILL
    stored = distills and is_stored(settings.logits, chosen.accounting)
    kept = settings.stored if stored else None
    return PlannedRun(
        student=_student(settings.student, chosen, words),
        student_params=chosen.student_params,
        student_tokens=chosen.student_tokens,
        teacher=_teacher(settings.teacher, chosen, words) if distills else None,
        teacher_loss=chosen.teacher_loss,
        stored=stored,
        logit_format=None if kept is None else kept.kind,
        logit_k=None if kept is None else kept.kept,
        chunked=chosen.chunked,
        context=context,
        vocab=vocab,
        batch_sequences=sequences,
        steps=steps,
        warmup_steps=min(round(given["warmup_steps"]), math.ceil(given["most_warmup"] * steps)),
        learning_rate=start.learning_rate,
        final_learning_rate=min(final, start.learning_rate),
    )


def _batch(layout: PlannedLayout | None, usual: float, context: int) -> int:
    """Sequences of one step: whole passes of the plan's machine, at the batch asked for."""
    group = round(practice()["batch_group"]) if layout is None else layout.pass_sequences
    tokens = usual if layout is None or layout.batch_tokens is None else layout.batch_tokens
    return max(1, round(tokens / context / group)) * group


def _student(model: PlannedModel | None, chosen: PlannedOption, words: Entry) -> str:
    if model is not None:
        return model.name
    return with_article(
        words.text("student_of_size").format(size=format_count(chosen.student_params))
    )


def _teacher(model: PlannedModel | None, chosen: PlannedOption, words: Entry) -> str:
    """The teacher, by its name, its size or its loss."""
    trains = chosen.accounting in TRAINED
    size = None if chosen.teacher_params is None else format_count(chosen.teacher_params)
    if trains and size is not None and chosen.teacher_tokens is not None:
        tokens = format_count(chosen.teacher_tokens)
        return with_article(words.text("teacher_to_train").format(size=size, tokens=tokens))
    if chosen.teacher_name is not None:
        return chosen.teacher_name
    if model is not None:
        return model.name
    if size is not None:
        return with_article(words.text("teacher_of_size").format(size=size))
    return words.text("teacher_of_loss").format(loss=chosen.teacher_loss or math.nan)


def _facts(
    plan: PlanDocument,
    settings: PlanSettings,
    chosen: PlannedOption,
    run: PlannedRun,
    points: tuple[StartingPoint, ...],
) -> _LineFacts:
    start = exported(points)
    student, teacher, flip = settings.student, settings.teacher, settings.flip
    sought = settings.best_teacher
    best = sought.loss if sought is not None and sought.accounting is chosen.accounting else None
    verdict = plan.verdict
    numbers = {
        **practice(),
        "student": run.student,
        "teacher": run.teacher,
        "teacher_loss": run.teacher_loss,
        "best_teacher_loss": best,
        "alone_loss": _alone_loss(plan),
        "tokens": format_count(run.student_tokens),
        "tokens_per_param": format_count(run.student_tokens / run.student_params),
        "verdict": "none" if verdict is None else verdict.shown,
        "learning_rate": format_rate(run.learning_rate),
        "rates": rates_told(points),
        "adamw_decay_each_step": format_rate(practice()["adamw_weight_decay"] * run.learning_rate),
        "rate_law": start.law,
        "rate_source": start.source,
        "batch": format_count(run.batch_sequences * run.context),
        "sequences": f"{run.batch_sequences:,}",
        "pass_sequences": settings.layout and f"{settings.layout.pass_sequences:,}",
        "planned_batch": settings.layout and format_count(settings.layout.step_tokens),
        "context": f"{run.context:,}",
        "steps": f"{run.steps:,}",
        "warmup": f"{run.warmup_steps:,}",
        "vocab": f"{run.vocab:,}",
        "epochs_planned": run.student_tokens / plan.unique_tokens,
        "worth": format_count(_worth(run.student_tokens, plan.unique_tokens)),
        "most_worth": 1 + REPEATS_WORTH,
        **teacher_numbers(chosen, settings.family),
        **little_numbers(),
        **logit_numbers(run, on_disk=is_on_disk(settings.logits, chosen.accounting)),
        "flip_budget": None if flip is None else format_flops(flip.flops),
        "flip_verdict": None if flip is None else flip.verdict.shown,
        "student_rows": _rows(student),
        "teacher_rows": _rows(teacher),
        "student_tokenizer": None if student is None else tokenizer_told(student),
        "teacher_tokenizer": None if teacher is None else tokenizer_told(teacher),
        "license": None if teacher is None else teacher.license,
    }
    return _LineFacts(
        cases=frozenset(_cases(plan, settings, chosen, run, start, best)), numbers=numbers
    )


def _rows(model: PlannedModel | None) -> str | None:
    return None if model is None or model.vocab is None else f"{model.vocab:,}"


def _alone_loss(plan: PlanDocument) -> float | None:
    """What the plan's student reaches without a teacher, nats per token; None: it does not say."""
    alone = (one.loss for one in plan.options if one.method is Method.SUPERVISED)
    return next(alone, None)


def _worth(tokens: float, unique: float) -> float:
    """New tokens that repeated ones are worth; as many where nothing is repeated."""
    return math.exp(float(log_worth(math.log(tokens), unique)))


def _cases(
    plan: PlanDocument,
    settings: PlanSettings,
    chosen: PlannedOption,
    run: PlannedRun,
    start: StartingPoint,
    best: float | None,
) -> Iterator[PlanCase]:
    flip = settings.flip
    yield PlanCase.DISTILL if chosen.method is Method.DISTILL else PlanCase.PRETRAIN
    if teacher_numbers(chosen, settings.family):
        yield PlanCase.TRAINS_TEACHER
    yield from logit_cases(run, on_disk=is_on_disk(settings.logits, chosen.accounting))
    yield batch_case(settings.layout)
    if run.chunked:
        yield PlanCase.CHUNKED
    yield PlanCase.RECOMMENDED if chosen.recommended else PlanCase.NOT_RECOMMENDED
    if any(one.method is Method.DISTILL for one in plan.options):
        yield PlanCase.WEIGHED
    if start.outside:
        yield PlanCase.RATE_OUTSIDE
    if run.student_tokens > plan.unique_tokens:
        yield PlanCase.REPEATS
    if chosen.decides and flip is not None and flip.verdict is not Verdict.DISTILL:
        yield PlanCase.FLIPS_WITH_BUDGET
    yield from _teacher_cases(settings, run.teacher_loss, _alone_loss(plan), best)


def _teacher_cases(
    settings: PlanSettings, loss: float | None, alone: float | None, best: float | None
) -> Iterator[PlanCase]:
    """What depends on the teacher: its loss, beside the student's alone and the best one's."""
    teacher = settings.teacher
    if loss is not None and alone is not None and loss >= alone:
        yield PlanCase.WEAK_TEACHER
    known = best is not None and loss is not None
    yield PlanCase.BEST_TEACHER if known else PlanCase.NO_BEST_TEACHER
    tokenizers, rows = _tokenizers(settings), {_rows(settings.student), _rows(teacher)}
    yield tokenizers
    if tokenizers is PlanCase.SAME_TOKENIZER and None not in rows and len(rows) > 1:
        yield PlanCase.ROWS_DIFFER
    if teacher is None or teacher.license is None:
        yield PlanCase.LICENSE_UNKNOWN
    else:
        yield PlanCase.LICENSE_FORBIDS if teacher.forbidden else PlanCase.LICENSE_KNOWN


def _tokenizers(settings: PlanSettings) -> PlanCase:
    """Whether student and teacher have one tokenizer."""
    if other_tokenizer(settings.student, settings.teacher):
        return PlanCase.OTHER_TOKENIZER
    known = same_tokenizer(settings.student, settings.teacher)
    return PlanCase.SAME_TOKENIZER if known else PlanCase.TOKENIZER_UNKNOWN


def _lines(file: Entry, facts: _LineFacts) -> Iterator[RecipeLine]:
    for one in file.entries("lines"):
        when = [PlanCase(case) for case in one.texts("when")]
        if not facts.cases.issuperset(when):
            continue
        own = one.mapping("numbers").positives() if one.has("numbers") else {}
        given = {**facts.numbers, **own}
        yield RecipeLine(
            topic=one.text("topic"),
            do=one.text("do").format_map(given),
            why=one.text("why").format_map(given),
            source=one.text("source").format_map(given),
            sure=one.member("sure", Sureness),
            on_screen=one.flag("screen"),
        )
