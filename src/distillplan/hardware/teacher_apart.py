"""A teacher on GPUs of its own, which runs ahead of the student and sends it all of its logits.

Both sides and the link between them work at once, so the slowest sets the pace and the others wait.
The student's side computes the loss, as it has its own logits.
"""

from dataclasses import replace

from distillplan.hardware.machine import Machine
from distillplan.hardware.memory import serving_estimate
from distillplan.hardware.memory_fit import Fits, fits, usable_bytes
from distillplan.hardware.range import Range
from distillplan.hardware.strategy import Sharding
from distillplan.models.named_models import Model, NamedModel
from distillplan.named_tuples import NamedTuple

LOGIT_BYTES = 2.0
"""Bytes of a logit on its way: all of them are sent, in 16 bits."""


class TeacherApart(NamedTuple):
    """The two sides of a step, in seconds per token of a whole side."""

    gpus: int
    """Of the teacher."""
    tp: int
    """Its tensor-parallel group: the smallest that fits."""
    memory_bytes_per_gpu: Range
    """On a GPU of the teacher."""
    fits: Fits
    student_seconds: Range
    """Its step with the loss, on all of its GPUs."""
    teacher_seconds: Range
    """Its forward pass, on all of its GPUs."""
    link_seconds: Range
    """The way of the logits, over the links of the side that has fewer."""

    @property
    def pace(self) -> Range:
        """Seconds per token of the run: those of the slowest."""
        return Range.of_ends(max, (self.student_seconds, self.teacher_seconds, self.link_seconds))


def teacher_apart(machine: Machine, student: Model, teacher: NamedModel, gpus: int) -> TeacherApart:
    """How a run goes whose teacher has so many GPUs of its own, of the same kind.

    The machine is the student's; its micro-batch is the teacher's as well.
    """
    gpu, heads = machine.gpu, teacher.shape.heads
    loaded = machine.loaded_teacher(teacher.shape)
    for tp in (2**power for power in range(min(gpus, gpu.gpus_per_node).bit_length())):
        if gpus % tp == 0 and heads % tp == 0:
            own = own_machine(machine, gpus, tp)
            memory = serving_estimate(loaded, own.strategy, gpus)
            found = fits(memory.total, usable_bytes(gpu))
            if found is Fits.YES:
                break
    step = machine.student_seconds(student, distilling=True)
    step += machine.divergence_seconds(teacher.model)
    link = gpu.link_bytes_per_s(machine.gpus + gpus)
    sent = LOGIT_BYTES * machine.work_of(teacher.model).vocab
    rate = link * min(gpus, machine.gpus) / sent
    return TeacherApart(
        gpus=gpus,
        tp=own.strategy.tp,
        memory_bytes_per_gpu=memory.total,
        fits=found,
        student_seconds=step.scale(1 / machine.gpus),
        teacher_seconds=own.teacher_seconds(teacher.model, beside=False).scale(1 / gpus),
        link_seconds=machine.allocated_share.scale(rate).divide(1.0),
    )


def own_machine(machine: Machine, gpus: int, tp: int) -> Machine:
    """The teacher's GPUs, in tensor-parallel groups and without the student's other groups."""
    layout = replace(
        machine.strategy, sharding=Sharding.NONE, tp=tp, pp=1, cp=1, ep=1, interleave=None
    )
    return replace(machine, gpus=gpus, strategy=layout)
