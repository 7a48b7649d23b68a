"""What an estimate says in words: its headline, warnings and sources.

Sentences of warnings stand in coefficients/estimate_notices.yaml; when each holds is here.
"""

import math
from collections.abc import Iterator

from distillplan.accounting import Logits
from distillplan.estimate.records import Memory, Question
from distillplan.files.entries import read_shipped
from distillplan.hardware.bill import (
    POWER_SHARE_SOURCE,
    Bill,
    Phase,
    months_of,
    price_notices,
)
from distillplan.hardware.gpu import Precision, Price
from distillplan.hardware.memory import ERROR
from distillplan.hardware.memory_fit import Fits, options_to_fit
from distillplan.hardware.strategy import DEFAULT_GLOBAL_TOKENS, Loss
from distillplan.hardware.teacher_apart import TeacherApart
from distillplan.hardware.throughput import CALIBRATED_VENDOR
from distillplan.laws.format_notices import format_notices, months_notices
from distillplan.laws.format_studies import FILE
from distillplan.laws.step_notices import step_notices
from distillplan.models.named_models import Basis, license_notices
from distillplan.models.tokenizers import other_tokenizer, tokenizer_told
from distillplan.notices import Notice, Severity, worst_first
from distillplan.units.articles import so_many
from distillplan.units.quantities import format_bytes, format_count, format_duration, format_usd

FEW_TOKENS = 1e5
"""Tokens of an optimizer step below which what surrounds it counts."""
FEW_STEPS = 1000
"""Optimizer steps below which no run is known to train a model well."""

SENTENCES = "estimate_notices.yaml"
SPEED_SOURCE = "speed: published training runs (distillplan check throughput)"


def headline(question: Question, bill: Bill, fits: Fits) -> str:
    """The estimate in one sentence."""
    machine, time = question.machine, bill.total.wall_seconds
    gpus, what, verb = str(machine.gpus), question.model.name, "train"
    if machine.teacher_gpus is not None:
        gpus += f" + {machine.teacher_gpus}"
    if question.students > 1:
        what = f"{question.students} x {what}"
    if question.teacher is not None:
        verb, what = "distill", f"{question.teacher.name} into {what}"
    verb += "s" if gpus == "1" else ""
    usd = "" if bill.total.cost_usd is None else f", {format_usd(bill.total.cost_usd.mid)}"
    return (
        f"{gpus} {machine.gpu.name} {verb} {what} on {format_count(question.tokens)} tokens in "
        f"{format_duration(time.mid)} ({format_duration(time.low)} to "
        f"{format_duration(time.high)}): {format_count(bill.total.gpu_hours.mid)} GPU-hours{usd}; "
        f"{read_shipped(SENTENCES)['fits'][fits]}."
    )


def warnings_of(
    question: Question, bill: Bill, memory: Memory, apart: TeacherApart | None
) -> tuple[Notice, ...]:
    """What to know before trusting an estimate, warnings first."""
    found = [
        *_about_memory(question, memory),
        *(() if apart is None else _about_apart(question, apart, memory)),
        *_about_models(question),
        *_about_format(question, bill),
        *_about_layout(question),
        *step_notices(question.machine.batch_tokens),
        *_about_speed(question),
        *price_notices(bill.price, question.machine.today, question.machine.gpu.prices),
    ]
    return tuple(worst_first(found))


def sources_of(question: Question, bill: Bill) -> tuple[str, ...]:
    """Where the numbers come from."""
    gpu, found = question.machine.gpu, [f"model: {question.model.source}"]
    found += [*(f"teacher: {one.source}" for one in question.models[1:]), SPEED_SOURCE]
    if gpu.sources:
        found.append(f"GPU: {gpu.sources[0]} (all: distillplan gpus {gpu.name})")
    found += price_source(bill.price)
    if bill.total.energy_kwh is not None:
        found.append(f"power: {POWER_SHARE_SOURCE}")
    if any(line.phase is Phase.LOGIT_STORAGE for line in bill.lines):
        found.append(f"storage: {read_shipped(FILE)['price']['source']}")
    return (*found, *question.sources)


def price_source(price: Price | None) -> tuple[str, ...]:
    """Where the price of a bill comes from; none for the user's own."""
    return () if price is None or price.given else (f"price: {price.source}",)


def _notice(code: str, name: str = "", **values: object) -> Notice:
    """What is said under a code, in the sentence of that name or its own, with these values."""
    name, told = name or code, read_shipped(SENTENCES)
    severity = next(word for word, sentences in told.items() if name in sentences)
    message = told[severity][name].format(**values)
    return Notice(code=code, severity=Severity(severity), message=message)


def _about_memory(question: Question, memory: Memory) -> Iterator[Notice]:
    machine, least, alone = question.machine, memory.smallest_layout, memory.teacher_pass
    limit = format_bytes(memory.usable_bytes_per_gpu)
    changes = options_to_fit(memory.steps_to_fit)
    if alone is not None and alone.fits is not Fits.YES:
        needed = format_bytes(alone.memory_bytes_per_gpu.mid)
        ways = f"add {changes}" if changes else "use larger GPUs"
        name = "teacher_does_not_fit_alone"
        yield _notice("teacher_does_not_fit", name, memory=needed, limit=limit, ways=ways)
    if memory.fits is Fits.YES:
        if machine.loss_is_open and machine.strategy.loss is Loss.CHUNKED:
            yield _notice("loss_in_chunks")
        return
    if least is None:
        yield _notice("fits_nowhere", why=memory.why_no_layout)
    elif memory.fits is Fits.UNCERTAIN:
        yield _notice("fit_uncertain", limit=limit, error=ERROR)
    else:
        ways = f"; use at least {so_many(least.run.gpus, 'GPU')}"
        if least.run.gpus <= machine.gpus:
            ways = "; use --layout auto"
        ways += f", or add {changes}" if changes else ""
        yield _notice("does_not_fit", limit=limit, gpu=machine.gpu, ways=ways)


def _about_apart(question: Question, apart: TeacherApart, memory: Memory) -> Iterator[Notice]:
    """Whether a teacher fits on its own GPUs, and which side waits for which."""
    if apart.fits is not Fits.YES:
        needed = format_bytes(apart.memory_bytes_per_gpu.mid)
        limit = format_bytes(memory.usable_bytes_per_gpu)
        yield _notice("teacher_does_not_fit", apart=apart, memory=needed, limit=limit)
    student, teacher = apart.student_seconds.mid, apart.teacher_seconds.mid
    pace, slower = apart.pace.mid, max(student, teacher)
    if pace > slower:
        yield _notice("one_side_waits", "both_sides_wait", idle=1 - slower / pace)
        return
    names = [f"teacher's {apart.gpus}", f"student's {question.machine.gpus}"]
    quick, slow = reversed(names) if student < teacher else names
    idle, balanced = 1 - min(student, teacher) / pace, math.ceil(apart.gpus * teacher / student)
    yield _notice("one_side_waits", quick=quick, slow=slow, idle=idle, balanced=balanced)


def _about_models(question: Question) -> Iterator[Notice]:
    """And whether the teacher's logits can be matched, may be, and what its weights are kept in."""
    tokens = question.machine.strategy.seq_len
    for one in question.models:
        yield from one.notices
        if 0 < one.shape.learned_positions < tokens:
            yield _notice("beyond_positions", model=one, tokens=tokens)
    sized = " and ".join(one.name for one in question.models if one.basis is Basis.SIZE)
    if sized:
        yield _notice("size_without_shape", models=sized, family=question.machine.family)
    student, teacher = question.model, question.teacher
    if teacher is None:
        return
    if other_tokenizer(student, teacher):
        told = {"own": tokenizer_told(student), "other": tokenizer_told(teacher)}
        yield _notice("tokenizer_differs", student=student, teacher=teacher, **told)
    elif None not in {student.vocab, teacher.vocab} and student.vocab != teacher.vocab:
        yield _notice("vocabulary_differs", student=student, teacher=teacher)
    precision = question.machine.teacher_precision.value
    if teacher.weights is not None and teacher.weights != precision:
        yield _notice("teacher_weights_stored", teacher=teacher, precision=precision)
    yield from license_notices(teacher.name, teacher.distillation_licence)


def _about_format(question: Question, bill: Bill) -> Iterator[Notice]:
    """What the format of stored logits costs the student, and for how long they are kept."""
    kept = question.kept
    if question.teacher is not None and kept is not None and not question.online:
        yield from format_notices(question.stored, kept.name, question.teacher.shape.vocab)
        yield from months_notices(kept.months, months_of(bill.lines))


def _about_layout(question: Question) -> Iterator[Notice]:
    machine = question.machine
    gpu, tp, batch = machine.gpu, machine.strategy.tp, machine.batch_tokens
    if tp > gpu.link_domain:
        yield _notice("tensor_parallel_across_nodes", tp=tp, gpu=gpu)
    steps = question.tokens / batch
    chosen = machine.global_tokens is not None or batch > DEFAULT_GLOBAL_TOKENS
    if chosen and steps < FEW_STEPS:
        tokens = format_count(question.tokens)
        yield _notice("few_steps", tokens=tokens, steps=steps, batch=format_count(batch))


def _about_speed(question: Question) -> Iterator[Notice]:
    machine = question.machine
    gpu, batch = machine.gpu, machine.batch_tokens
    if "bf16" not in gpu.peak_flops_per_s and machine.strategy.precision is Precision.BF16:
        yield _notice("no_bf16", gpu=gpu)
    if gpu.announced:
        yield _notice("gpu_announced", gpu=gpu)
    if machine.mfu is not None or machine.tokens_per_s is not None:
        return
    if gpu.vendor != CALIBRATED_VENDOR:
        yield _notice("other_vendor", vendor=CALIBRATED_VENDOR, gpu=gpu)
    elif not gpu.calibrated:
        yield _notice("gpu_not_calibrated", gpu=gpu)
    if batch < FEW_TOKENS:
        yield _notice("small_batch", batch=format_count(batch))
    if any(one.shape.experts for one in question.models):
        yield _notice("mixture_of_experts", error=machine.model.held_out_error["mixture"])
    if question.logits is Logits.CACHED and question.teacher is not None:
        yield _notice("logits_on_disk")
