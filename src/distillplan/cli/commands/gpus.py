"""`distillplan gpus`: the accelerators that ship."""

import shlex
from typing import Annotated

import typer

from distillplan.cli import flags
from distillplan.render.show import show


def gpus(
    name: Annotated[
        str | None, typer.Argument(help="Name or YAML file of one GPU to show in full.")
    ] = None,
    details: flags.Details = False,
    output: flags.Show = "table",
) -> None:
    """List the GPUs that ship, or show one in full: peaks, memory, links, power, dated prices.

    Example:
    distillplan gpus h100-sxm
    """
    from distillplan.hardware import gpu_catalog  # not at every start

    if name is None:
        flags.demand_one(details, "distillplan gpus h100-sxm --details")
        cards = tuple(map(gpu_catalog.gpu_card, gpu_catalog.gpus().values()))
        show(gpu_catalog.GpuList(gpus=cards), output)
    else:
        found = gpu_catalog.gpu_card(gpu_catalog.gpu(name))
        show(found, output, details=details, asked=shlex.quote(name))
