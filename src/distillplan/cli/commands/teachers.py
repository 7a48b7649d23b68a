"""`distillplan teachers`: which open model should teach."""

from typing import Annotated

import typer

from distillplan.accounting import Accounting, Logits
from distillplan.cli import flags
from distillplan.cli.key_options import options, told_as
from distillplan.errors import InputError, Word
from distillplan.render.show import show
from distillplan.scenarios.keys import scenario_of
from distillplan.scenarios.layers import values_of_options


@options("teachers", required=["student_params"])
def teachers(
    compute: flags.Compute,
    *,
    license_: Annotated[
        str | None,
        typer.Option(
            "--license",
            metavar="KIND",
            help="Only models with this license: commercial, distilling, or a part of its name.",
        ),
    ] = None,
    tokenizer: Annotated[
        str | None,
        typer.Option("--tokenizer", metavar="NAME", help="Only models with this tokenizer."),
    ] = None,
    losses: Annotated[
        str | None,
        typer.Option(
            "--losses",
            metavar="FILE",
            help="Losses of models on your text, which win over the law's: a CSV file with the "
            "columns model and bpb (bits per byte; needs --bytes-per-token) or loss (nats per "
            "token).",
        ),
    ] = None,
    details: flags.Details = False,
    output: flags.ShowRows = "table",
    **given: str,
) -> None:
    """Rank the open models that could teach this student, with what their licenses ask for.

    Examples:
    distillplan teachers 1e22 --student 1.5B

    distillplan teachers 1e22 --student 1.5B --license commercial --tokenizer llama-3

    distillplan teachers "8 h100-sxm for 7 days" --student 1B --losses measured.csv
    """
    from distillplan.models.model_inventory import ModelFilter, chosen_models  # not at every start
    from distillplan.questions.teachers import teachers as ranked
    from distillplan.scenarios.measured_losses import read_losses

    values = values_of_options({"compute": compute, **given}, told_as("teachers"))
    rate = values.pop("bytes_per_token", None)
    _refuse_rate_alone(losses, rate)
    if values.get("logits") is Logits.CACHED:  # of each model in turn
        values["accounting"] = Accounting.FREE
    scenario = scenario_of(values)
    wanted = chosen_models(ModelFilter(license=license_, tokenizer=tokenizer))
    measured = {} if losses is None else read_losses(losses, rate or scenario.law.bytes_per_token)
    show(ranked(scenario, wanted, losses=measured), output, details=details)


def _refuse_rate_alone(losses: str | None, rate: float | None) -> None:
    if losses is None and rate is not None:
        raise InputError(Word("bytes_per_token"), " is for --losses in bits per byte; add them")
