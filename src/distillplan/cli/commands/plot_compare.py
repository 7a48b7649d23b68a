"""`distillplan plot compare`: the scenarios of a file side by side."""

from distillplan.cli import flags
from distillplan.cli.commands.compare import Baseline, compared
from distillplan.cli.gate import gate
from distillplan.cli.picture_options import Data, Pictured, give, places
from distillplan.errors import InputError

MOST_DRAWN = 100
"""Scenarios in a picture; nobody could look at more."""


def plot_compare(
    file: flags.File,
    sets: flags.Sets = None,
    baseline: Baseline = None,
    output: Pictured = None,
    data: Data = None,
) -> None:
    """Draw the scenarios of a file side by side: losses, gain and odds, with 90% bands.

    Examples:
    distillplan plot compare compare.yaml -o compare.svg

    distillplan plot compare compare.yaml --set compute=1e22 --baseline alone -o compare.pdf
    """
    from distillplan.scenarios import scenario_file  # not at every start

    where = places(output or (), data)
    scenarios = scenario_file.read_scenarios(file, sets or ())
    _refuse_many(file, len(scenarios))
    found = compared(scenarios, baseline)
    give(found, where)
    gate((one.name, one.outcome) for one in found.assertions)


def _refuse_many(file: str, scenarios: int) -> None:
    if scenarios > MOST_DRAWN:
        raise InputError(
            f"{file}: {scenarios:,} scenarios; a picture has at most {MOST_DRAWN}: draw a part of "
            "them, or write all with distillplan compare -o csv"
        )
