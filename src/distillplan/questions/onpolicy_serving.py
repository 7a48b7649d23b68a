"""How many GPUs of its own a teacher needs that scores the answers while the student goes on.

A copy of it is divided over a node at most, or over whole nodes where it is larger. It keeps up
when its passes take no longer than the student's GPUs take to write the answers and to train.
"""

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from distillplan.hardware.machine import Machine
from distillplan.hardware.memory import (
    LoadedTeacher,
    MemoryEstimate,
    pass_estimate,
    serving_estimate,
)
from distillplan.hardware.memory_fit import Fits, fits, usable_bytes
from distillplan.hardware.range import Range
from distillplan.hardware.teacher_apart import own_machine
from distillplan.models.named_models import NamedModel
from distillplan.named_tuples import NamedTuple
from distillplan.questions.onpolicy_records import TeacherServing

MOST_NODES: Final = 64
"""Largest number of nodes that one copy is spread over."""


class _Copy(NamedTuple):
    """One copy of a teacher."""

    machine: Machine
    """Its GPUs."""
    memory: MemoryEstimate


def teacher_serving(machine: Machine, teacher: NamedModel, student: Range) -> TeacherServing:
    """The GPUs of a teacher that has its own, of the machine's kind.

    Args:
        machine: the student's GPUs.
        teacher: reads the answers.
        student: GPU-seconds per token of writing the answers and training on them.
    """
    limit = usable_bytes(machine.gpu)
    copies = _copies(replace(machine, global_tokens=None), teacher)  # it takes no steps
    copy = next((one for one in copies if fits(one.memory.total, limit) is Fits.YES), None)
    if copy is None:
        return TeacherServing(
            gpus_to_fit=None, memory_bytes_per_gpu=None, gpus_to_keep_up=None, gpus=None
        )
    own = copy.machine.teacher_seconds(teacher.model, beside=False)
    needed = Range.independent_product((own, student.divide(machine.gpus)))
    size = copy.machine.gpus
    return TeacherServing(
        gpus_to_fit=size,
        memory_bytes_per_gpu=copy.memory.total,
        gpus_to_keep_up=needed,
        gpus=Range.of_ends(lambda ends: float(size * math.ceil(ends[0] / size)), [needed]),
    )


def _copies(machine: Machine, teacher: NamedModel) -> Iterator[_Copy]:
    """Ways to hold a copy, on the fewest GPUs first."""
    loaded = LoadedTeacher(shape=teacher.shape, weights=machine.teacher_precision)
    node = machine.gpu.gpus_per_node
    for tp in (2**power for power in range(node.bit_length())):
        if node % tp == 0 and teacher.shape.heads % tp == 0:
            own = own_machine(machine, tp, tp)
            yield _Copy(machine=own, memory=serving_estimate(loaded, own.strategy, tp))
    spread = own_machine(machine, node, 1).strategy
    nodes = 1
    while nodes <= MOST_NODES:
        gpus = nodes * node
        memory = pass_estimate(loaded, spread, gpus)
        yield _Copy(machine=own_machine(machine, gpus, 1), memory=memory)
        nodes *= 2
