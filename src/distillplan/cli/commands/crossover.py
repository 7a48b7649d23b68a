"""`distillplan crossover`: up to which budget distillation wins."""

from itertools import product
from typing import Annotated

import typer

from distillplan.cli import flags
from distillplan.cli.key_options import options, told_as
from distillplan.questions.defaults import ANY_BUDGET, GAINS
from distillplan.render.progress import watched
from distillplan.render.show import show, show_rows
from distillplan.scenarios.layers import STUDENT_PLACES

_NO_PART = {
    "budget": "the budget is the answer; leave it out",
    **dict.fromkeys(STUDENT_PLACES, "--student gives the students; leave it out"),
    **dict.fromkeys(
        ("hardware", "limits"),
        "budgets are in FLOPs here, in which no machine has a part; leave it out",
    ),
}
"""Places that nothing here depends on."""


@options("crossover")
def crossover(
    student: Annotated[
        str,
        typer.Option(
            "--student",
            "-s",
            metavar="LIST",
            help="Sizes of the student: a list (300M,1B) or a range (300M:10B:5).",
        ),
    ],
    accounting: Annotated[
        str | None,
        typer.Option(
            "--accounting",
            metavar="LIST",
            help="Teacher costs the budget covers: free, exists, train_shared, train; otherwise "
            "free, and exists where the teacher is to be run.",
        ),
    ] = None,
    gain: Annotated[
        str, typer.Option("--gain", metavar="LIST", help="Gains to look for, in nats.")
    ] = ",".join(f"{gain:g}" for gain in GAINS),
    *,
    sets: flags.Sets = None,
    details: flags.Details = False,
    output: flags.ShowRows = "table",
    **given: str,
) -> None:
    """Find the budget up to which distillation wins, by student, and how firm that is.

    Without a teacher it is the best one for every budget.

    Examples:
    distillplan crossover --student 300M,1B,3B,10B

    distillplan crossover --student 1B --teacher 7B:2T --accounting exists
    """
    from distillplan.questions import crossover as crossing  # not at every start, as below
    from distillplan.scenarios.axes import parse_axis
    from distillplan.scenarios.keys import scenario_of
    from distillplan.scenarios.layers import refuse_budget, refuse_words, values_of_options
    from distillplan.scenarios.parts import layer_of_sets

    over = layer_of_sets(sets or ())
    refuse_words(over, _NO_PART)
    asked = {"compute": ANY_BUDGET, **given}
    scenario = scenario_of(values_of_options(asked, told_as("crossover"), over))
    axis = parse_axis("student", student, told_as("budget"))
    refuse_budget(axis.places, "--student")
    students = [point.label for point in axis.points]
    accountings = (
        crossing.usual_accountings(scenario)
        if accounting is None or "accounting" in over.words
        else crossing.parse_accountings(accounting)
    )
    each = crossing.crossover_each(scenario, students, accountings, crossing.parse_levels(gain))
    found = watched(each, "Rows", len([*product(students, accountings)]))
    if output in ("csv", "jsonl"):
        show_rows(found, output)
    else:
        show(crossing.together(list(found)), output, details=details)
