"""A student that the layout of its machine cannot be divided over."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from distillplan.errors import InputError

if TYPE_CHECKING:
    from distillplan.planning.scenario import Scenario


def undivided(scenario: "Scenario") -> Iterator[InputError]:
    """What is wrong with the layout for the student that is given, as a launcher would see it.

    A student that is only a size, given or chosen, gets the layers and heads that the layout needs
    (`option_bill`), and a warning where the law's family has fewer (`machine_warnings`).
    """
    params, machine = scenario.student_params, scenario.machine
    if machine is None or params is None:
        return
    from distillplan.hardware.model_states import refuse_impossible_layout  # on a machine only
    from distillplan.models.shapes import ModelShape
    from distillplan.planning.token_costs import non_embedding

    model = scenario.student_shape or non_embedding(scenario.family, params)
    try:
        if not isinstance(model, ModelShape):
            model = scenario.architecture.nearest_shape(
                model, machine.strategy.tp, machine.strategy.pp
            )
        refuse_impossible_layout(model, machine.strategy, machine.gpus)
    except InputError as error:
        yield error
