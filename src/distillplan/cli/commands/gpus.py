"""`distillplan gpus`: the accelerators that ship."""

from typing import Annotated

import typer

from distillplan.cli import flags
from distillplan.render.show import show


def gpus(
    name: Annotated[
        str | None, typer.Argument(help="One GPU in full, or a YAML file; absent: all in a table.")
    ] = None,
    output: flags.Show = "table",
) -> None:
    """The GPUs that ship: dense peaks, memory, links, power, prices with their dates, sources.

    Example:
    distillplan gpus h100-sxm
    """
    from distillplan.hardware import inventory  # not at every start

    show(inventory.gpu_list() if name is None else inventory.gpu_card(name), output)
