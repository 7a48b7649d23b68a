"""What an estimate says in words: its headline, warnings, settings and sources."""

import math
from collections.abc import Iterator

from distillplan.accounting import Logits
from distillplan.estimate.records import Memory, Question, Settings
from distillplan.hardware.bill import POWER_SHARE_SOURCE, Bill, Phase, price_notices
from distillplan.hardware.gpu import Precision
from distillplan.hardware.memory import ERROR
from distillplan.hardware.memory_fit import Fits
from distillplan.hardware.step_time import DEFAULT_GLOBAL_TOKENS
from distillplan.hardware.storage import STORAGE_PRICE_SOURCE
from distillplan.hardware.teacher_apart import TeacherApart
from distillplan.hardware.throughput import CALIBRATED_VENDOR
from distillplan.laws.logit_formats import StoredFormat, cost_in_words, penalty_of
from distillplan.models.named_models import Basis, NamedModel
from distillplan.models.shapes import ModelShape
from distillplan.notices import Notice, information, warning, worst_first
from distillplan.units import format_bytes, format_count, format_duration, format_usd

FEW_TOKENS = 1e5
"""Tokens of an optimizer step below which what surrounds it counts."""
FEW_STEPS = 1000
"""Optimizer steps below which no run is known to train a model well."""

FITS_WORDS = {
    Fits.YES: "it fits",
    Fits.NO: "it does not fit",
    Fits.UNCERTAIN: "whether it fits is uncertain",
}


def headline(question: Question, bill: Bill, fits: Fits) -> str:
    """The estimate in one sentence."""
    machine = question.machine
    gpus, gpu = str(machine.gpus), machine.gpu.name
    if machine.teacher_gpus is not None:
        gpus += f" + {machine.teacher_gpus}"
    time, hours = bill.total.wall_seconds, bill.total.gpu_hours
    verb = "trains" if gpus == "1" else "train"
    what = question.model.name
    if question.students > 1:
        what = f"{question.students} x {what}"
    if question.teacher is not None:
        verb = "distills" if gpus == "1" else "distill"
        what = f"{question.teacher.name} into {what}"
    usd = "" if bill.total.cost_usd is None else f", {format_usd(bill.total.cost_usd.mid)}"
    return (
        f"{gpus} {gpu} {verb} {what} on {format_count(question.tokens)} tokens in "
        f"{format_duration(time.mid)} ({format_duration(time.low)} to "
        f"{format_duration(time.high)}): {format_count(hours.mid)} GPU-hours{usd}; "
        f"{FITS_WORDS[fits]}."
    )


def warnings_of(
    question: Question, bill: Bill, memory: Memory, apart: TeacherApart | None
) -> tuple[Notice, ...]:
    """What to know before trusting an estimate, warnings first."""
    found = [
        *_memory_warnings(question, memory),
        *(() if apart is None else _waits(question, apart, memory)),
        *_model_warnings(question),
        *_format_warnings(question),
        *_layout_warnings(question),
        *_speed_warnings(question),
        *price_notices(bill.price, question.machine.today),
    ]
    return tuple(worst_first(found))


def sources_of(question: Question, bill: Bill) -> tuple[str, ...]:
    """Where the numbers come from."""
    gpu = question.machine.gpu
    found = [f"model: {question.model.source}"]
    if question.teacher is not None:
        found.append(f"teacher: {question.teacher.source}")
    found.append("speed: published training runs (distillplan check throughput)")
    if gpu.sources:
        found.append(f"GPU: {gpu.sources[0]} (all: distillplan gpus {gpu.name})")
    if bill.price is not None and not bill.price.given:
        found.append(f"price: {bill.price.source}")
    if bill.total.energy_kwh is not None:
        found.append(f"power: {POWER_SHARE_SOURCE}")
    if any(line.phase is Phase.LOGIT_STORAGE for line in bill.lines):
        found.append(f"storage: {STORAGE_PRICE_SOURCE}")
    return (*found, *question.sources)


def settings_of(question: Question) -> Settings:
    """All settings of the run, defaults included, named like the options."""
    machine, strategy = question.machine, question.machine.strategy
    teacher, stored = question.teacher, question.kept
    return Settings(
        model=question.model.name,
        tokens=question.tokens,
        students=question.students,
        teacher=None if teacher is None else teacher.name,
        teacher_tokens=question.teacher_tokens,
        teacher_precision=None if teacher is None else machine.teacher_precision,
        logits=None if teacher is None else question.logits,
        logit_format=None if teacher is None else stored.format.name,
        gpu=machine.gpu.name,
        gpus=machine.gpus,
        teacher_gpus=machine.teacher_gpus,
        batch_tokens=machine.batch_tokens,
        **vars(strategy),
        mfu=machine.mfu,
        teacher_mfu=machine.teacher_mfu,
        tokens_per_s=machine.tokens_per_s,
        goodput=machine.allocated_share,
        pue=machine.pue,
        country=question.country,
    )


def _memory_warnings(question: Question, memory: Memory) -> Iterator[Notice]:
    if memory.fits is Fits.YES:
        return
    gpu = question.machine.gpu
    limit = format_bytes(memory.usable_bytes_per_gpu)
    if memory.why_no_layout is not None:
        yield warning("fits_nowhere", memory.why_no_layout)
    elif memory.fits is Fits.NO:
        least = memory.smallest_layout
        where = "" if least is None else f"; use at least {least.run.gpus} GPUs"
        message = f"the run needs more than the {limit} of one {gpu.name}{where}"
        steps = memory.steps_to_fit
        if steps and steps[-1].fits is Fits.YES:
            message += f", or switch on, in this order: {', '.join(step.name for step in steps)}"
        yield warning("does_not_fit", message)
    else:
        message = f"the margin to {limit} is within the error of the estimate ({ERROR:.0%})"
        yield warning("fit_uncertain", message)


def _waits(question: Question, apart: TeacherApart, memory: Memory) -> Iterator[Notice]:
    """Whether a teacher fits on its own GPUs, and which side waits for which."""
    if apart.fits is not Fits.YES:
        limit = format_bytes(memory.usable_bytes_per_gpu)
        yield warning(
            "teacher_does_not_fit",
            f"the teacher needs {format_bytes(apart.memory_bytes_per_gpu.mid)} on each of its "
            f"{apart.gpus} GPUs, at tp {apart.tp}, of {limit}; give it more with --teacher-gpus, "
            "or a lower --teacher-precision",
        )
    pace, gpus = apart.pace.mid, question.machine.gpus
    student, teacher = apart.student_seconds.mid, apart.teacher_seconds.mid
    balanced = f"both would be busy with about {math.ceil(apart.gpus * teacher / student)} for it"
    if pace > max(student, teacher):
        message = (
            f"both sides wait for the logits on their way, {1 - max(student, teacher) / pace:.0%} "
            "of the time at least; store the largest of them instead (--logits stored)"
        )
    elif student < teacher:
        message = (
            f"the student's {gpus} GPUs wait {1 - student / pace:.0%} of the time for the "
            f"teacher's {apart.gpus}; {balanced}"
        )
    else:
        message = (
            f"the teacher's {apart.gpus} GPUs wait {1 - teacher / pace:.0%} of the time for the "
            f"student's {gpus}; {balanced}"
        )
    yield information("one_side_waits", message)


def _model_warnings(question: Question) -> Iterator[Notice]:
    student, teacher = question.model, question.teacher
    for one in (student, teacher):
        yield from () if one is None else one.notices
    sized = [one.name for one in (student, teacher) if one is not None and one.basis is Basis.SIZE]
    if sized:
        family = question.machine.family
        yield information(
            "size_without_shape",
            f"{' and '.join(sized)}: read as non-embedding parameters of a model of the paper's "
            f"family (width {family.aspect:g} x depth, vocabulary of {family.vocab:g}); name a "
            "model or a config.json for its exact shape",
        )
    if teacher is None:
        return
    if _exact(student) and _exact(teacher) and student.shape.vocab != teacher.shape.vocab:
        yield warning(
            "vocabulary_differs",
            f"{student.name} has a vocabulary of {student.shape.vocab} and {teacher.name} one of "
            f"{teacher.shape.vocab}: logits only match over the same tokenizer (trim padding rows, "
            "or transplant the tokenizer)",
        )
    elif student.tokenizer and teacher.tokenizer and student.tokenizer != teacher.tokenizer:
        yield warning(
            "tokenizer_differs",
            f"{student.name} uses the tokenizer {student.tokenizer} and {teacher.name} uses "
            f"{teacher.tokenizer}: logits only match over the same tokenizer",
        )
    precision = question.machine.teacher_precision.value
    if teacher.weights is not None and teacher.weights != precision:
        yield information(
            "teacher_weights_stored",
            f"{teacher.name} is stored in {teacher.weights} and taken to run in {precision}; "
            "--teacher-precision says otherwise",
        )
    if teacher.distillation_licence:
        message = f"{teacher.name}: {teacher.distillation_licence}"
        yield information("teacher_licence", message)


def _format_warnings(question: Question) -> Iterator[Notice]:
    """What the format of stored logits costs the student."""
    if question.teacher is None or question.logits is Logits.ONLINE:
        return
    penalty, name = penalty_of(question.stored or StoredFormat()), question.kept.format.name
    if penalty is None:
        message = f"what {name} logits cost a student is not published"
        yield warning("logit_format_not_measured", message)
    elif penalty.nats:
        yield information(
            "logit_format_costs",
            f"{name} logits cost a student {cost_in_words(penalty)} beside full ones; sampled ones "
            "cost nothing measurable",
        )


def _layout_warnings(question: Question) -> Iterator[Notice]:
    machine = question.machine
    gpu, tp = machine.gpu, machine.strategy.tp
    if tp > gpu.link_domain:
        yield warning(
            "tensor_parallel_across_nodes",
            f"--tp {tp} is wider than the {gpu.link_domain} GPUs on the fast link of {gpu.name}; "
            "every layer waits for the network. Use --pp, or --sharding zero3, beyond that",
        )
    steps = question.tokens / machine.batch_tokens
    chosen = machine.global_tokens is not None or machine.batch_tokens > DEFAULT_GLOBAL_TOKENS
    if chosen and steps < FEW_STEPS:
        yield warning(
            "few_steps",
            f"{format_count(question.tokens)} tokens are {steps:.0f} steps of "
            f"{format_count(machine.batch_tokens)}: too few to train well. Use fewer GPUs or a "
            "smaller --batch-tokens",
        )


def _speed_warnings(question: Question) -> Iterator[Notice]:
    machine = question.machine
    gpu, strategy = machine.gpu, machine.strategy
    if "bf16" not in gpu.peak_flops_per_s and strategy.precision is Precision.BF16:
        message = f"{gpu.name} has no bf16; estimated with fp16, which needs loss scaling"
        yield warning("no_bf16", message)
    if gpu.announced:
        yield warning(
            "gpu_announced",
            f"{gpu.name} is known from announcements alone; its figures may change before it is "
            "sold, and nobody has measured it",
        )
    if machine.mfu is not None or machine.tokens_per_s is not None:
        return
    if gpu.vendor != CALIBRATED_VENDOR:
        yield warning(
            "other_vendor",
            f"the speed model was fitted mostly on {CALIBRATED_VENDOR} GPUs; {gpu.name} has "
            "another software stack, so the interval is wider; a measured --mfu is better",
        )
    elif not gpu.calibrated:
        yield information(
            "gpu_not_calibrated",
            f"no published training run used {gpu.name}; its speed follows from its data sheet, "
            "so the interval is wider",
        )
    if machine.batch_tokens < FEW_TOKENS:
        yield warning(
            "small_batch",
            f"a step of {format_count(machine.batch_tokens)} tokens is short: what surrounds it, "
            "such as loading data and logging, may take longer than estimated",
        )
    models = (question.model, question.teacher)
    if any(one is not None and one.shape.experts for one in models):
        yield warning(
            "mixture_of_experts",
            "the speed of a mixture of experts depends mostly on the software; median error on "
            f"sources left out: {machine.model.held_out_error['mixture']:.0%} (distillplan check "
            "throughput)",
        )
    if question.logits is Logits.CACHED and question.teacher is not None:
        message = "the logits are already on disk: neither the teacher's pass nor storage is billed"
        yield information("logits_on_disk", message)


def _exact(named: NamedModel) -> bool:
    return isinstance(named.model, ModelShape)
