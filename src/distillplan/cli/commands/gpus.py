"""`distillplan gpus`: the accelerators that ship."""

import shlex
from typing import Annotated

import typer

from distillplan.cli import flags
from distillplan.render.show import show


def gpus(
    name: Annotated[
        str | None,
        typer.Argument(help="GPU to show in full, by its name or YAML file, or variants to list."),
    ] = None,
    details: flags.Details = False,
    output: flags.ShowRows = "table",
) -> None:
    """List the GPUs that ship, or show one in full: peaks, memory, links, power, dated prices.

    Example:
    distillplan gpus h100-sxm
    """
    from distillplan.hardware import gpu_catalog  # not at every start

    listed = tuple(gpu_catalog.gpus()) if name is None else gpu_catalog.variants(name)
    if name is None or len(listed) > 1:
        flags.demand_one(details, "distillplan gpus h100-sxm --details")
        cards = tuple(gpu_catalog.gpu_card(gpu_catalog.gpu(one)) for one in listed)
        show(gpu_catalog.GpuList(gpus=cards), output)
    else:
        found = gpu_catalog.gpu_card(gpu_catalog.gpu(name))
        show(found, output, details=details, asked=shlex.quote(name))
