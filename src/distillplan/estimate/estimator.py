"""One run on one machine: `estimate(question) -> Estimate`."""

import math
from dataclasses import replace

from distillplan.accounting import TRAINING_PASSES, Accounting, Logits, share
from distillplan.errors import InfeasibleError, InputError, Word
from distillplan.estimate.notes import headline, sources_of, warnings_of
from distillplan.estimate.records import (
    DistillationStep,
    Estimate,
    Memory,
    ModelFacts,
    Question,
    Speed,
    TeacherPass,
)
from distillplan.hardware.bill import bill_of
from distillplan.hardware.gpu import Gpu
from distillplan.hardware.machine import Machine
from distillplan.hardware.memory import MemoryEstimate, Run, memory_estimate, pass_estimate
from distillplan.hardware.memory_fit import (
    Fits,
    fastest_layout,
    fits,
    smallest_layout,
    steps_to_fit,
    usable_bytes,
    with_open_loss,
)
from distillplan.hardware.range import Range
from distillplan.hardware.step_time import dense_peak
from distillplan.hardware.storage import needed_months
from distillplan.hardware.strategy import Strategy
from distillplan.hardware.teacher_apart import TeacherApart, own_machine, teacher_apart
from distillplan.hardware.throughput import RateBasis
from distillplan.named_tuples import NamedTuple
from distillplan.units.articles import so_many
from distillplan.units.quantities import SECONDS_PER_HOUR, format_count


class _Step(NamedTuple):
    """GPU-seconds per token of a distillation step; without a teacher both are the same."""

    alone: Range
    both: Range
    """With the teacher's pass."""
    apart: TeacherApart | None
    """The two sides where the teacher has GPUs of its own; None: it shares the student's."""


def estimate(question: Question) -> Estimate:
    """The speed, memory, time, cost and energy of one run.

    Raises:
        InputError: for a question that contradicts itself, or a layout that does not divide the
            GPUs or the model.
    """
    _refuse_odd_teacher(question)
    if question.machine.searches_layout:
        question = _laid_out(question)
    _refuse_short_run(question)
    question = _with_open_loss(question)
    _refuse_impossible_rate(question)
    machine, beside = question.machine, question
    if question.teacher is not None and not question.online:  # an online run's has less memory
        beside = _with_open_loss(question._replace(logits=Logits.ONLINE))
    step = _step(beside.machine, question)
    productive = _step(replace(beside.machine, goodput=Range.exact(1.0)), question)
    speed, run, teacher = _speed(question, step.apart), _run(question), question.teacher
    pays = Accounting.EXISTS if question.teacher_tokens is None else Accounting.TRAIN
    bill = bill_of(
        machine,
        student=question.model.model,
        student_tokens=question.tokens,
        students=question.students,
        teacher=None if teacher is None else teacher.model,
        teacher_tokens=question.teacher_tokens or 0.0,
        paid=share(pays, question.logits, question.students),
        logits=question.logits,
        stored=question.kept,
        pace=None if step.apart is None else step.apart.pace,
    )
    memory = memory_estimate(run)
    shown = _memory(memory, run, machine.gpu)
    sides = (shown, step.apart, shown.teacher_pass)
    worst = Fits.worst(one.fits for one in sides if one is not None)
    rate, totals = speed.student.tokens_per_s_per_gpu, bill.total._asdict()
    del totals["phase"]
    facts = [ModelFacts(named=one, work=machine.work_of(one.model)) for one in question.models]
    flops_per_token = TRAINING_PASSES * facts[0].work.forward_flops
    if teacher is not None:
        rate = (productive.both if question.online else productive.alone).divide(1.0)
        flops_per_token += facts[-1].work.forward_flops if question.online else 0.0
    return Estimate(
        headline=headline(question, bill, worst),
        question=question,
        model=facts[0],
        teacher=None if teacher is None else facts[-1],
        tokens_per_s_per_gpu=rate,
        mfu=rate.scale(flops_per_token / dense_peak(machine.gpu)),
        total_flops=totals.pop("flops"),
        **totals,
        memory_bytes_per_gpu=memory.total,
        fits=worst,
        speed=speed,
        memory=shown,
        distillation=_distillation(beside, step, productive),
        bill=bill,
        warnings=warnings_of(question, bill, shown, step.apart),
        sources=sources_of(question, bill),
    )


def _laid_out(question: Question) -> Question:
    """The question on the fastest layout that fits."""
    machine = question.machine

    def seconds(strategy: Strategy) -> float:
        tried = replace(machine, strategy=strategy)
        _refuse_short_run(question._replace(machine=tried))
        step = _step(tried, question)
        return (step.both if question.online else step.alone).mid

    strategy = fastest_layout(_run(question), machine, seconds, usable_bytes(machine.gpu))
    return question._replace(machine=replace(machine, strategy=strategy))


def _with_open_loss(question: Question) -> Question:
    """The question with the loss that fits, where none was asked for."""
    machine = question.machine
    run = with_open_loss(_run(question), machine, usable_bytes(machine.gpu))
    return question._replace(machine=replace(machine, strategy=run.strategy))


def _refuse_short_run(question: Question) -> None:
    """Check that a run has at least one step, the teacher's training too."""
    machine = question.machine
    batch, least = machine.batch_tokens, min(question.tokens, question.teacher_tokens or math.inf)
    if batch > least:
        whole = f"a step of {so_many(machine.gpus, 'GPU')} has {format_count(batch)} tokens, more "
        whole += f"than the whole run of {format_count(least)}; use fewer GPUs, or a smaller "
        raise InputError(f"{whole}--batch-tokens or --micro-batch")


def _refuse_odd_teacher(question: Question) -> None:
    """Check that there is a teacher where something is said of it."""
    apart = question.machine.teacher_gpus is not None
    if question.teacher is None:
        if question.teacher_tokens is not None:
            raise InputError("teacher tokens: no teacher to train; give --teacher")
        if question.logits is not Logits.ONLINE:
            raise InputError(f"logits: {question.logits} needs a teacher; give --teacher")
        if apart:
            raise InputError(Word("teacher_gpus"), ": there is no teacher; give --teacher")
    elif apart and question.logits is not Logits.ONLINE:
        odd = f": no teacher runs beside the student with {question.logits} logits"
        raise InputError(Word("teacher_gpus"), f"{odd}; leave one of the two out")


def _refuse_impossible_rate(question: Question) -> None:
    """Check that a measured rate is one that the GPU can have at its fastest precision."""
    machine = question.machine
    gpu, rate = machine.gpu, machine.tokens_per_s
    flops = TRAINING_PASSES * machine.work_of(question.model.model).forward_flops
    most = max(gpu.peak_flops_per_s.values()) / flops
    if rate is not None and rate > most:
        many = f": {format_count(rate)} tokens per second is more than one {gpu.name} can compute"
        advice = f" ({format_count(most)}); give the rate of one GPU"
        raise InputError(Word("tokens_per_s"), many, advice)


def _step(machine: Machine, question: Question) -> _Step:
    """How long a step takes, in the time that the machine counts."""
    teacher, apart = question.teacher, None
    alone = both = machine.student_seconds(question.model.model, distilling=True)
    if teacher is not None and machine.teacher_gpus is not None:
        apart = teacher_apart(machine, question.model.model, teacher, machine.teacher_gpus)
        both = apart.pace.scale(machine.all_gpus)
    elif teacher is not None:
        both = alone + machine.teacher_seconds(teacher.model, beside=True)
    return _Step(alone=alone, both=both, apart=apart)


def _speed(question: Question, apart: TeacherApart | None) -> Speed:
    """The speeds of the parts, each alone."""
    machine, teacher = question.machine, None
    student = machine.training_speed(question.model.model, machine.tokens_per_s)
    if question.teacher is not None:
        own = machine if apart is None else own_machine(machine, apart.gpus, apart.tp)
        teacher = own.teacher_speed(question.teacher.model)
    parts = (student, teacher) if question.online else (student,)
    computed = any(part is not None and part.basis is RateBasis.MODEL for part in parts)
    return Speed(
        student=student,
        teacher=teacher,
        distillation_factor=machine.model.distillation if teacher and computed else None,
        goodput=machine.allocated_share,
    )


def _run(question: Question) -> Run:
    """What has to fit on the machine."""
    teacher = None if question.logits is Logits.CACHED else question.loaded
    kept = 0.0 if question.kept is None else question.kept.bytes_per_token
    return question.machine.run_of(question.model.shape, teacher, kept)


def _memory(memory: MemoryEstimate, run: Run, gpu: Gpu) -> Memory:
    """The parts, the smallest layout, a teacher's pass in advance, and what to switch on."""
    layout = why = alone = None
    capacity = usable_bytes(gpu)
    try:
        layout = smallest_layout(run, gpu)
    except InfeasibleError as error:
        why = str(error)
    if run.passed is not None:
        total = pass_estimate(run.passed, run.strategy, run.gpus).total
        alone = TeacherPass(memory_bytes_per_gpu=total, fits=fits(total, capacity))
    return Memory(
        usable_bytes_per_gpu=capacity,
        fits=fits(memory.total, capacity),
        moment=memory.moment,
        parts=memory.parts,
        smallest_layout=layout,
        why_no_layout=why,
        teacher_pass=alone,
        steps_to_fit=steps_to_fit(run, gpu, capacity),
    )


def _distillation(
    question: Question, allocated: _Step, productive: _Step
) -> DistillationStep | None:
    """Online and cached logits side by side; None without a teacher."""
    machine, stored, tokens = question.machine, question.kept, question.tokens
    if question.teacher is None or stored is None:
        return None
    in_step, hours = machine.batch_tokens / machine.gpus, tokens / SECONDS_PER_HOUR
    loss = replace(machine, goodput=Range.exact(1.0)).divergence_seconds(question.teacher.model)
    pass_hours = machine.teacher_seconds(question.teacher.model, beside=False).scale(hours)
    training = allocated.alone.mid * tokens * question.students / machine.gpus
    needed = needed_months(training, pass_hours.mid * SECONDS_PER_HOUR / machine.gpus)
    storage_usd = stored.usd(tokens, needed)
    online_usd = cached_usd = break_even = None
    if machine.price is not None and (price := machine.price.usd_per_hour):
        # what each way adds to a bill: with A for a teacher beside one student, T for its pass in
        # advance and S for storage, p A = T + S at p = (T + S) / A
        ways = [one.scale(hours * price) for one in (allocated.both, allocated.alone)]
        added = Range.of_ends(lambda ends: ends[0] - ends[1], ways)
        online_usd = added.scale(question.students)
        cached_usd = pass_hours.scale(price) + Range.exact(storage_usd)
        break_even = Range.of_ends(lambda ends: ends[0] / ends[1], (cached_usd, added))
    return DistillationStep(
        step_tokens=machine.batch_tokens,
        apart=allocated.apart,
        online_step_seconds=productive.both.scale(machine.batch_tokens / machine.all_gpus),
        loss_step_seconds=loss.scale(in_step),
        cached_step_seconds=productive.alone.scale(in_step),
        online_gpu_hours=allocated.both.scale(hours),
        cached_gpu_hours=allocated.alone.scale(hours),
        teacher_pass_gpu_hours=pass_hours,
        logit_format=stored,
        stored_bytes=stored.bytes_per_token * tokens,
        read_bytes_per_s=stored.bytes_per_token * (machine.gpus / productive.alone.mid),
        storage_months=stored.kept_for(needed),
        storage_usd=storage_usd,
        online_usd=online_usd,
        cached_usd=cached_usd,
        break_even_passes=break_even,
    )
