"""`distillplan report`: the scenarios of a file as one HTML page to send around."""

from itertools import count
from pathlib import Path
from typing import Annotated

import typer

from distillplan.cli import flags
from distillplan.cli.gate import gate
from distillplan.errors import InputError
from distillplan.files.saving import NamedFile, demand_apart, demand_savable, save
from distillplan.planning import planner
from distillplan.planning.results import Plan
from distillplan.planning.scenario import Scenario
from distillplan.render.printable import printable
from distillplan.render.progress import progress, watched
from distillplan.render.streams import write

OUTPUT = "--output"
"""Option that names the file to write."""
ENDINGS = (".html", ".htm")
"""Of its name, which browsers go by."""


def report(
    file: flags.File,
    output: Annotated[
        str, typer.Option(OUTPUT, "-o", metavar="FILE", help="HTML file to write the report to.")
    ],
    sets: flags.Sets = None,
    asserted: flags.Asserted = None,
) -> None:
    """Write the answers to a web page with maps and sliders, to send around.

    One HTML file that needs no network; it reads and prints without JavaScript.
    The sliders move the verdict and the losses of each scenario in the page.

    Examples:
    distillplan report compare.yaml -o report.html

    distillplan report compare.yaml -o report.html --set compute=1e22

    distillplan report - -o report.html < compare.yaml
    """
    from distillplan.questions import comparison, report_data  # not at every start, as below
    from distillplan.render.report.report_page import report_page
    from distillplan.scenarios import scenario_file

    if not output.lower().endswith(ENDINGS):
        raise _no_page(output)
    place = NamedFile(what=OUTPUT, path=output)
    demand_savable(place)
    demand_apart([place], [NamedFile(what="the scenario file", path=file)])
    scenarios = scenario_file.read_scenarios(file, sets or (), asserted or ())
    report_data.demand_few(scenarios)
    with progress("Scenarios", len(scenarios)) as advance:
        done = count(1)

        def answer(scenario: Scenario) -> Plan:
            found = planner.plan(scenario)
            advance(next(done))
            return found

        found = comparison.compare(scenarios, answer=answer)
    pictured = watched(map(report_data.reported, found.plans), "Figures", len(found.plans))
    whole = report_data.DecisionReport(comparison=found, scenarios=tuple(pictured))
    save(Path(output), report_page(whole))
    write(f"Wrote {printable(output)}. Open it in a browser.\n")
    gate((one.name, one.outcome) for one in found.assertions)


def _no_page(output: str) -> InputError:
    return InputError(f"{OUTPUT}: {output!r} is no HTML file; write e.g. -o report.html")
