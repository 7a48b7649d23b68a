"""Whether a stage of on-policy distillation fits: the student's step, and each teacher's pass."""

from collections.abc import Iterator, Sequence

from distillplan.errors import InfeasibleError
from distillplan.hardware.machine import Machine
from distillplan.hardware.memory import MemoryEstimate, Run, memory_estimate, pass_estimate
from distillplan.hardware.memory_fit import (
    Fits,
    fits,
    smallest_layout,
    usable_bytes,
    with_open_loss,
)
from distillplan.hardware.strategy import Loss
from distillplan.models.named_models import NamedModel, named_pair
from distillplan.notices import Notice, information, warning
from distillplan.questions.onpolicy_records import StageModel
from distillplan.units.quantities import format_bytes


def shaped(one: StageModel, machine: Machine) -> NamedModel:
    """The model with its shape; a size between those of the study is one of the paper's family."""
    return named_pair(one.named, None, seq_len=machine.strategy.seq_len).model


def memory_notices(
    machine: Machine, student: StageModel, teachers: Sequence[StageModel]
) -> Iterator[Notice]:
    """What does not fit, or only with a loss in chunks.

    Args:
        machine: what the stage runs on.
        student: whose step is taken.
        teachers: each reads answers by itself, its weights spread over all GPUs.
    """
    limit = usable_bytes(machine.gpu)
    run = machine.run_of(shaped(student, machine).shape)
    found = with_open_loss(run, machine, limit)
    memory = memory_estimate(found)
    side = fits(memory.total, limit)
    said = f"training {student.name} takes {_held(memory, machine)}"
    if side is Fits.NO:
        yield warning("does_not_fit", said + _least(run, machine))
    elif side is Fits.UNCERTAIN:
        yield warning("fit_uncertain", f"{said}: the margin is within the error of the estimate")
    elif found.strategy.loss is Loss.CHUNKED and run.strategy.loss is not Loss.CHUNKED:
        yield information(
            "loss_in_chunks",
            f"training {student.name} fits with a loss that is computed in chunks, and not with "
            "the plain one",
        )
    for teacher in teachers:
        loaded = machine.loaded_teacher(shaped(teacher, machine).shape)
        passed = pass_estimate(loaded, machine.strategy, machine.gpus)
        if fits(passed.total, limit) is not Fits.YES:
            yield warning(
                "teacher_does_not_fit",
                f"the teacher {teacher.name} takes {_held(passed, machine)} to read the answers; "
                "use more of them",
            )


def _held(memory: MemoryEstimate, machine: Machine) -> str:
    needed, limit = format_bytes(memory.total.mid), format_bytes(usable_bytes(machine.gpu))
    gpus = machine.gpus
    whose = f"{gpus} {machine.gpu.name}" if gpus == 1 else f"each of {gpus} {machine.gpu.name}"
    return f"{needed} of the {limit} of {whose}"


def _least(run: Run, machine: Machine) -> str:
    """The fewest GPUs on which it fits, with whatever that takes."""
    name = machine.gpu.name
    try:
        least = smallest_layout(run, machine.gpu).run.gpus
    except InfeasibleError:
        return f", and it fits on no number of {name}"
    if least > machine.gpus:
        return f", so the stage cannot run; use at least {least} of them"
    return f" in the usual layout; another one fits on {least} of them (distillplan estimate)"
