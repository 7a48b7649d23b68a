"""`distillplan crossover`: up to which budget distillation wins."""

from typing import Annotated

import typer

from distillplan.accounting import Logits
from distillplan.cli import flags
from distillplan.laws import law_catalog
from distillplan.render.show import show


def crossover(
    student: Annotated[
        str,
        typer.Option("--student", "-s", metavar="LIST", help="Parameters: 300M,1B or a range."),
    ],
    accounting: Annotated[
        str, typer.Option("--accounting", metavar="LIST", help="free,exists,train_shared,train.")
    ] = "free,exists",
    gain: Annotated[
        str, typer.Option("--gain", metavar="LIST", help="Gains to look for, in nats.")
    ] = "0.02,0.01,0",
    students: flags.Students = 1,
    teacher: flags.Teacher = None,
    teacher_loss: flags.TeacherLoss = None,
    teacher_params: flags.TeacherParams = None,
    logits: flags.LogitsSource = Logits.ONLINE,
    law: flags.LawName = law_catalog.DEFAULT_LAW,
    sets: flags.Sets = None,
    output: flags.ShowRows = "table",
) -> None:
    """Up to which budget distillation wins, student by student, and how firm that is.

    Without a teacher it is the best one for every budget.

    Examples:
    distillplan crossover --student 300M,1B,3B,10B

    distillplan crossover --student 1B --teacher 7B:2T --accounting exists
    """
    from distillplan.questions import crossover as crossing  # not at every start, as below
    from distillplan.scenarios.axes import parse_axis
    from distillplan.scenarios.keys import scenario_from_options
    from distillplan.scenarios.parts import layer_of_sets

    scenario = scenario_from_options(
        layer_of_sets(sets or ()),
        compute=crossing.ANY_BUDGET,
        students=students,
        teacher=teacher,
        teacher_loss=teacher_loss,
        teacher_params=teacher_params,
        logits=logits,
        law=law,
    )
    found = crossing.crossovers(
        scenario,
        [point.label for point in parse_axis("student", student).points],
        crossing.parse_accountings(accounting),
        crossing.parse_levels(gain),
    )
    show(found, output)
