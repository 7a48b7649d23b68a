"""The bill of a family of students on a machine."""

from dataclasses import replace
from typing import Final

from distillplan.accounting import TRAINING_PASSES, Logits, Share
from distillplan.errors import InputError
from distillplan.hardware.bill import Bill, Phase, PhaseWork, itemized_bill
from distillplan.hardware.machine import (
    Machine,
    student_step_seconds,
    supervised_seconds,
    teacher_alone_seconds,
    teacher_pass_seconds,
    training_seconds,
    work_of,
)
from distillplan.hardware.range import Range
from distillplan.hardware.storage import StoredLogits, stored_bytes
from distillplan.models.named_models import Model
from distillplan.units import SECONDS_PER_HOUR

NOTHING_PAID: Final = Share(logits=0.0, training=0.0)
"""Supervised training, or a teacher that costs nothing."""


def bill_of(
    machine: Machine,
    *,
    student: Model,
    student_tokens: float,
    students: int = 1,
    teacher: Model | None = None,
    teacher_tokens: float = 0.0,
    paid: Share = NOTHING_PAID,
    logits: Logits = Logits.ONLINE,
    stored: StoredLogits | None = None,
    spent: bool = False,
    pace: Range | None = None,
) -> Bill:
    """The itemized bill of a family of students, in the terms of `accounting.run_flops`.

    Args:
        machine: what all phases run on.
        student: the model of every student.
        student_tokens: training tokens of each.
        students: the number of students.
        teacher: the teacher, paid for or not; None: supervised training.
        teacher_tokens: training tokens of the teacher.
        paid: one student's share of the teacher's costs.
        logits: whether the teacher runs during the students' training or before it.
        stored: how the logits are stored, where they are; None: storage is free.
        spent: the hours are a budget, which is spent whatever the speed turns out to be; only the
            middle of the ranges counts, and the tokens are what is uncertain.
        pace: seconds per token in which the student's GPUs and the teacher's own both do their
            part, where it has any; None: they take turns on the same GPUs.

    Raises:
        InputError: for less than one student.
    """
    if students < 1:
        raise InputError(f"students: {students} is too few; give at least 1")
    every = students * student_tokens
    step = supervised_seconds if teacher is None else student_step_seconds
    each = step(machine, student) if pace is None else pace.scale(machine.cluster.gpus)
    # both sides work at once, so the time is shared out like the hours
    gpus = machine.cluster.gpus if pace is None else machine.all_gpus
    phases = [_phase(machine, Phase.STUDENT_TRAINING, student, every, each, gpus)]
    storage_usd = 0.0
    if teacher is not None and paid.logits > 0:
        beside = logits is Logits.ONLINE
        forward = teacher_pass_seconds if beside else teacher_alone_seconds
        each = forward(machine, teacher)
        if pace is not None:
            each = pace.scale(gpus - machine.cluster.gpus)
        passed = paid.logits * every
        phases.append(_phase(machine, Phase.TEACHER_LOGITS, teacher, passed, each, gpus))
        if stored is not None and not beside:
            storage_usd = stored.usd(stored_bytes(stored.format, passed))
    if teacher is not None and paid.training > 0:
        trained = students * paid.training * teacher_tokens
        each, gpus = training_seconds(machine, teacher), machine.cluster.gpus
        phases.append(_phase(machine, Phase.TEACHER_TRAINING, teacher, trained, each, gpus))
    if spent:
        phases = [replace(one, gpu_hours=Range.exact(one.gpu_hours.mid)) for one in phases]
    return itemized_bill(
        phases,
        today=machine.today,
        price=machine.price,
        power=machine.power,
        storage_usd=storage_usd,
    )


def _phase(
    machine: Machine, phase: Phase, model: Model, tokens: float, each: Range, gpus: int
) -> PhaseWork:
    """The work of one phase: tokens at so many GPU-seconds each."""
    passes = 1.0 if phase is Phase.TEACHER_LOGITS else TRAINING_PASSES
    return PhaseWork(
        phase=phase,
        flops=passes * work_of(machine, model).forward_flops * tokens,
        gpu_hours=each.scale(tokens / SECONDS_PER_HOUR),
        gpus=gpus,
    )
