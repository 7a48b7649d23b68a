"""`distillplan budget`: one scenario from options."""

from collections.abc import Container, Sequence
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from distillplan.cli import flags
from distillplan.cli.gate import gate, outcomes
from distillplan.cli.key_options import as_typed, options, told_as
from distillplan.errors import InputError
from distillplan.laws import law_catalog
from distillplan.planning import planner
from distillplan.render.show import show
from distillplan.scenarios.keys import scenario_of
from distillplan.scenarios.layers import Layer, values_of_options

if TYPE_CHECKING:
    from distillplan.planning.results import Plan
    from distillplan.planning.scenario import Scenario
    from distillplan.questions.ensemble import Ensemble
    from distillplan.questions.loss_chart import LossChart


@options("budget")
def budget(
    compute: flags.Compute = None,
    *,
    laws: Annotated[
        str | None,
        typer.Option(
            "--laws", metavar="all|NAME,...", help="Compare several laws: where they disagree."
        ),
    ] = None,
    quick: flags.Quick = False,
    details: flags.Details = False,
    why: Annotated[
        bool, typer.Option("--why", help="Explain the reasoning on a page, in plain words.")
    ] = False,
    plot: Annotated[
        bool, typer.Option("--plot", help="Chart both losses over the budget in the terminal.")
    ] = False,
    asserted: flags.Asserted = None,
    sets: flags.Sets = None,
    output: flags.ShowRows = "table",
    **given: str,
) -> None:
    """Decide whether to distill or to train from data alone with this much compute.

    Shows the verdict, the sizes, and what would flip it. Without a teacher one must be trained
    first, and the table shows what one would be worth.

    Examples:
    distillplan budget 1e21 --student 1B

    distillplan budget 1e21 --student 1B --teacher 7B:2T

    distillplan budget 1e21 --student 1B --teacher-loss 1.95 --teacher-params 7B

    distillplan budget 1e21 --student 1B --teacher-bpb 0.72 --bytes-per-token 4.3 --logits cached

    distillplan budget 1e22 --student 3B --students 8 -o json

    distillplan budget "64 h100-sxm for 7 days" --student 1B

    distillplan budget --student 1B:300B --teacher 7B:2T

    distillplan budget '$20k' --gpu h100-sxm --student 1B

    distillplan budget 1e21 --student 1B --plot

    distillplan budget 1e21 --student 1B --laws all

    distillplan budget 1e22 --student 4B --start pruned --parent qwen3-8b

    distillplan budget 1e22 --inference-tokens 1T --assert "verdict = distill"
    """
    over = _over(sets or ())
    named = given.keys() | over.words
    if plot:
        others = {"--laws": laws is not None, "--why": why, "--details": details}
        others["--start"] = "start" in named
        _refuse_beside_plot(output, [one for one, is_given in others.items() if is_given])
    if laws is not None:
        _refuse_beside_laws(asserted, named, why=why)
    values = values_of_options({"compute": compute, **given}, told_as("budget"), over)
    scenario = scenario_of(values)
    if laws is not None:
        show(_under(laws, scenario), output, details=details)
        return
    plan = planner.plan(scenario, quick=quick)
    found = outcomes(asserted, plan, quick=quick)  # before anything is written
    chart = _chart(plan) if plot else None
    asked = partial(as_typed, compute, given, sets=sets or ())
    show(plan, output, details=details, why=why, asked=asked, chart=chart)
    gate(("", outcome) for outcome in found)


def _over(sets: Sequence[str]) -> Layer:
    """What ``--set`` says."""
    if not sets:
        return Layer()
    from distillplan.scenarios.parts import layer_of_sets  # reads YAML, so not at every start

    return layer_of_sets(sets)


def _refuse_beside_plot(output: str, others: Sequence[str]) -> None:
    if output != "table":
        raise InputError(
            f"--plot: a chart is for the terminal, not for -o {output}; leave one out, or draw a "
            "picture with distillplan plot losses"
        )
    if others:
        raise InputError(f"--plot: {others[0]} shows something else; leave one out")


def _chart(plan: "Plan") -> "LossChart":
    """Both losses over the budget."""
    from distillplan.questions.loss_chart import loss_chart  # only where it is asked for

    return loss_chart(plan)


def _refuse_beside_laws(asserted: list[str] | None, given: Container[str], *, why: bool) -> None:
    if asserted:
        raise InputError("--laws: --assert checks a single plan; leave one out")
    if why:
        raise InputError("--laws: --why explains a single plan; leave one out")
    if "start" in given:
        raise InputError("--laws: no law knows a --start; leave one out")
    if "law" in given:
        raise InputError("--laws: --law names a law as well; leave one out")


def _under(laws: str, scenario: "Scenario") -> "Ensemble":
    """The same question to several laws."""
    from distillplan.questions.ensemble import ensemble  # not for one law, as below
    from distillplan.render.progress import progress

    with progress("Laws"):
        return ensemble(scenario, law_catalog.laws_named(laws))
