"""A student that the layout of its machine cannot be divided over."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from distillplan.errors import InputError

if TYPE_CHECKING:
    from distillplan.planning.scenario import Scenario


def undivided(scenario: "Scenario") -> Iterator[InputError]:
    """What is wrong with the layout for the student that is named, as a launcher would see it.

    A student that is only a size, given or chosen, gets the layers and heads that the layout needs
    (`option_bill`), and a warning where the law's family has fewer (`machine_warnings`).
    """
    machine, shape = scenario.machine, scenario.student_shape
    if machine is None or shape is None:
        return
    from distillplan.hardware.model_states import refuse_impossible_layout  # on a machine only

    try:
        refuse_impossible_layout(shape, machine.strategy, machine.cluster.gpus)
    except InputError as error:
        yield error
