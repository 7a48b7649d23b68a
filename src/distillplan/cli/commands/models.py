"""`distillplan models`: the open models that ship."""

from typing import Annotated

import typer

from distillplan.cli import flags
from distillplan.render.show import show


def models(
    name: Annotated[str | None, typer.Argument(help="Name of one model to show in full.")] = None,
    output: flags.Show = "table",
) -> None:
    """List the open models that ship, or show one: shape, FLOPs, tokenizer, terms for distilling.

    Example:
    distillplan models llama-3.1-8b
    """
    from distillplan.hardware import inventory  # not at every start

    show(inventory.model_list() if name is None else inventory.model_card(name), output)
