"""`distillplan models`: the open models that ship."""

from typing import Annotated

import typer

from distillplan.cli import flags
from distillplan.render.show import show
from distillplan.units.quantities import parse_count


def _least(text: str) -> float:
    return parse_count(text, "--min-params")


def _most(text: str) -> float:
    return parse_count(text, "--max-params")


def models(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[NAME]",
            help="Model to show in full (catalog name, hub id or config.json), or words.",
        ),
    ] = None,
    license_: Annotated[
        str | None,
        typer.Option(
            "--license",
            metavar="KIND",
            help="List those with this license: commercial, distilling, or a part of its name.",
        ),
    ] = None,
    tokenizer: Annotated[
        str | None,
        typer.Option("--tokenizer", metavar="NAME", help="List those with this tokenizer."),
    ] = None,
    min_params: Annotated[
        float | None,
        typer.Option(
            "--min-params", parser=_least, metavar="SIZE", help="Least parameters of those listed."
        ),
    ] = None,
    max_params: Annotated[
        float | None,
        typer.Option(
            "--max-params", parser=_most, metavar="SIZE", help="Most parameters of those listed."
        ),
    ] = None,
    details: flags.Details = False,
    output: flags.ShowRows = "table",
) -> None:
    """List the open models that ship, or show one: shape, FLOPs, tokenizer, terms for distilling.

    Example:
    distillplan models llama-3.1-8b
    """
    from distillplan.models import model_inventory  # not at every start

    wanted = model_inventory.ModelFilter(
        license=license_, tokenizer=tokenizer, min_params=min_params, max_params=max_params
    )
    found = model_inventory.models_of(name, wanted)
    if isinstance(found, model_inventory.ModelList):
        flags.demand_one(details, "distillplan models llama-3.1-8b --details")
        show(found, output)
    else:
        show(found, output, details=details)
