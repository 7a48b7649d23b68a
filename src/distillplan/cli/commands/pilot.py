"""`distillplan pilot`: which small runs to make before a decision."""

from typing import Annotated

import typer

from distillplan.cli import flags
from distillplan.cli.key_options import options, told_as
from distillplan.questions.pilot_limits import MOST_SHARE, RISK, SHARE
from distillplan.render.progress import progress
from distillplan.render.show import show
from distillplan.scenarios.start_keys import STARTS

# the decision is a scenario as `budget` takes it, so the options are those of `budget`


@options("budget", without=STARTS)
def pilot(
    compute: flags.Compute = None,
    *,
    share: Annotated[
        str | None,
        typer.Option(
            "--share",
            metavar="SHARE",
            help=f"Part of the budget that the pilot may take, at most {MOST_SHARE:.0%}. "
            f"[default: {SHARE:.0%}]",
        ),
    ] = None,
    pilot_budget: Annotated[
        str | None,
        typer.Option(
            "--pilot-budget",
            metavar="COMPUTE",
            help="The same as an amount, in the unit of the budget, e.g. 1e19.",
        ),
    ] = None,
    risk: Annotated[
        str | None,
        typer.Option(
            "--risk",
            metavar="CHANCE",
            help=f"Chance of picking the wrong side at which to stop. [default: {RISK:.0%}]",
        ),
    ] = None,
    sets: flags.Sets = None,
    details: flags.Details = False,
    output: flags.ShowRows = "table",
    **given: str,
) -> None:
    """Find the small runs that would narrow the odds of a decision most, and when to stop.

    The decision is a budget with its student and teacher, as for `budget`. Shows which runs to make
    in which order, by how much each narrows the odds, and a stop rule that is fixed in advance.
    With -o csv it is a table to fill in for `distillplan fit`.

    Examples:
    distillplan pilot 1e21 --student 1B --teacher 7B:2T --logits cached --share 20%

    distillplan pilot 1e23 --student 8B --teacher 70B:15T --share 10%

    distillplan pilot "64 h100-sxm for 7 days" --student 1B --teacher 7B:2T --logits cached

    distillplan pilot 1e21 --student 3B --teacher 7B:2T --pilot-budget 1e20 -o csv
    """
    from distillplan.questions.pilot import pilot as found_of  # not at every start, as below
    from distillplan.questions.pilot_costs import parse_share, share_of
    from distillplan.scenarios.keys import scenario_of
    from distillplan.scenarios.layers import values_of_options
    from distillplan.scenarios.parts import layer_of_sets

    asked = {"compute": compute, **given}
    scenario = scenario_of(values_of_options(asked, told_as("budget"), layer_of_sets(sets or ())))
    part = share_of(scenario, share, pilot_budget) or SHARE
    chance = RISK if risk is None else parse_share(risk, "risk")
    with progress("Pilots"):
        found = found_of(scenario, share=part, risk=chance)
    show(found, output, details=details)
