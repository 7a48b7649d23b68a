"""`distillplan target`: what a loss costs."""

from typing import Annotated, Literal

import typer

from distillplan.accounting import Logits
from distillplan.cli import flags
from distillplan.laws import law_catalog
from distillplan.render.show import show
from distillplan.units import Budget, parse_budget


def target(
    loss: Annotated[
        float | None, typer.Option("--loss", metavar="NATS", help="The loss to reach.")
    ] = None,
    match: Annotated[
        str | None,
        typer.Option(
            "--match",
            metavar="PARAMS:TOKENS",
            help="Instead of a loss, a supervised model that has it, such as 3B:60B.",
        ),
    ] = None,
    student: flags.Params = None,
    minimise: Annotated[
        Literal["compute", "hours", "cost", "student"],
        typer.Option(
            "--minimise",
            "--minimize",
            help="The least compute; GPU-hours or cost (on --gpu); or at --compute the smallest "
            "student.",
        ),
    ] = "compute",
    compute: Annotated[
        Budget | None,
        typer.Option(
            "--compute", parser=parse_budget, metavar="COMPUTE", help="For --minimise student."
        ),
    ] = None,
    students: flags.Students = 1,
    teacher: flags.Teacher = None,
    teacher_loss: flags.TeacherLoss = None,
    teacher_params: flags.TeacherParams = None,
    logits: flags.LogitsSource = Logits.ONLINE,
    accounting: flags.Pays = None,
    law: flags.LawName = law_catalog.DEFAULT_LAW,
    gpu: flags.GpuName = None,
    gpus: flags.Gpus = None,
    price: flags.PricePerHour = None,
    sets: flags.Sets = None,
    output: flags.ShowRows = "table",
) -> None:
    """The least compute, hours or cost, or the smallest student, that reaches a loss.

    Examples:
    distillplan target --loss 2.2 --student 1B

    distillplan target --match 3B:60B --student 1B --teacher 7B:2T

    distillplan target --loss 2.2 --minimise cost --gpu h100-sxm --gpus 64

    distillplan target --loss 2.2 --minimise student --compute 1e21
    """
    from distillplan.questions import target as targets  # not at every start, as below
    from distillplan.scenarios.keys import scenario_from_options
    from distillplan.scenarios.parts import layer_of_sets

    goal = targets.Goal(minimise)
    scenario = scenario_from_options(
        layer_of_sets(sets or ()),
        compute=targets.budget_for(goal, compute),
        student=student,
        students=students,
        teacher=teacher,
        teacher_loss=teacher_loss,
        teacher_params=teacher_params,
        logits=logits,
        accounting=accounting,
        law=law,
        gpu=gpu,
        gpus=gpus,
        price=price,
    )
    found = targets.target(
        scenario,
        loss=loss,
        match=None if match is None else targets.parse_match(match),
        minimize=goal,
    )
    show(found, output)
