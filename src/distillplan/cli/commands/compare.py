"""`distillplan compare`: the scenarios of a file side by side."""

from collections.abc import Sequence
from itertools import count
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from distillplan.cli import flags
from distillplan.cli.gate import gate
from distillplan.planning import planner
from distillplan.planning.results import Plan
from distillplan.planning.scenario import Scenario
from distillplan.render.progress import progress
from distillplan.render.show import show

if TYPE_CHECKING:
    from distillplan.questions.comparison_records import Asked, Comparison

Baseline: TypeAlias = Annotated[
    str | None,
    typer.Option("--baseline", metavar="NAME", help="Scenario to measure the others against."),
]


Files: TypeAlias = Annotated[
    list[str],
    typer.Argument(metavar="FILE...", help="Scenario files; - reads standard input."),
]


def compare(
    file: Files,
    sets: flags.Sets = None,
    baseline: Baseline = None,
    asserted: flags.Asserted = None,
    quick: flags.Quick = False,
    details: flags.Details = False,
    output: flags.ShowRows = "table",
) -> None:
    """Compare the scenarios of a file, or of several: which is best, why, and what sets them apart.

    Examples:
    distillplan compare compare.yaml

    distillplan compare compare.yaml --set compute=1e22 --baseline alone

    distillplan compare plan_a.yaml plan_b.yaml

    distillplan compare - -o json < compare.yaml | jq '.plans[].verdict'
    """
    from distillplan.scenarios import scenario_file  # not at every start

    scenarios = scenario_file.read_several(file, sets or (), asserted or ())
    found = compared(scenarios, baseline, quick=quick)
    show(found, output, details=details)
    gate((one.name, one.outcome) for one in found.assertions)


def compared(
    scenarios: "Sequence[Asked]", baseline: str | None, *, quick: bool = False
) -> "Comparison":
    """The comparison of scenarios, with a bar for those that are done.

    Raises:
        InputError: when no scenario has the baseline's name.
        InfeasibleError: as `comparison.compare`.
    """
    from distillplan.questions import comparison  # not at every start

    with progress("Scenarios", len(scenarios)) as advance:
        done = count(1)

        def answer(scenario: Scenario) -> Plan:
            found = planner.plan(scenario, quick=quick)
            advance(next(done))
            return found

        return comparison.compare(scenarios, baseline, answer, quick=quick)
