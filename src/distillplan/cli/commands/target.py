"""`distillplan target`: what a loss costs."""

from typing import Annotated

import typer

from distillplan.cli import flags
from distillplan.cli.key_options import options, told_as
from distillplan.planning.budget_text import Budget
from distillplan.render.show import show
from distillplan.scenarios import values


@options("target")
def target(
    loss: Annotated[
        float | None,
        flags.option("--loss", "Loss to reach.", value=values.loss("2.2"), metavar="NATS"),
    ] = None,
    match: Annotated[
        str | None,
        typer.Option(
            "--match",
            metavar="MODEL:TOKENS",
            help="Supervised model whose loss to reach, instead of --loss, e.g. 3B:60B or "
            "llama-3.2-3b.",
        ),
    ] = None,
    minimize: Annotated[
        str,
        typer.Option(
            "--minimize",
            "--minimise",
            metavar="WORD",
            help="Quantity to minimize: compute, hours (GPU-hours) or cost (both with --gpu), or "
            "student (its size; with --compute).",
        ),
    ] = "compute",
    compute: Annotated[
        Budget | None,
        flags.option(
            "--compute", "Budget, for --minimize student.", value=values.BUDGET, metavar="COMPUTE"
        ),
    ] = None,
    *,
    sets: flags.Sets = None,
    details: flags.Details = False,
    output: flags.ShowRows = "table",
    **given: str,
) -> None:
    """Find the least compute, hours or cost, or the smallest student, that reaches a loss.

    Examples:
    distillplan target --loss 2.2 --student 1B

    distillplan target --match 3B:60B --student 1B --teacher 7B:2T

    distillplan target --loss 2.2 --minimize cost --gpu h100-sxm --gpus 64

    distillplan target --loss 2.2 --minimize student --compute 1e21
    """
    from distillplan.questions import target as targets  # not at every start, as below
    from distillplan.questions.matched_model import parse_match
    from distillplan.questions.target_goals import Goal, parse_goal
    from distillplan.scenarios.keys import scenario_of
    from distillplan.scenarios.layers import refuse_budget, refuse_words, values_of_options
    from distillplan.scenarios.parts import layer_of_sets

    refuse_budget(values_of_options(given, told_as("target")), "--student")
    goal, over = parse_goal(minimize), layer_of_sets(sets or ())
    if goal is not Goal.STUDENT:
        refuse_words(over, {"budget": "the budget is the answer; leave it out"})
    asked = {"compute": targets.budget_for(goal, compute), **given}
    scenario = scenario_of(values_of_options(asked, told_as("target"), over))
    found = targets.target(
        scenario,
        loss=loss,
        match=None if match is None else parse_match(match, scenario.law, "--match"),
        minimize=goal,
    )
    show(found, output, details=details)
