"""A machine from what is written on a command line or in a file."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Final

from distillplan.errors import InputError, Word
from distillplan.files.text_reader import YAML_ENDINGS
from distillplan.hardware import gpu_catalog, price_list
from distillplan.hardware.machine import Machine, usual_strategy
from distillplan.hardware.range import Range
from distillplan.hardware.strategy import FREE, LayoutChoice, Strategy
from distillplan.models.architecture import FixedAspect

DEFAULT_GPUS: Final = 8
"""One node."""

_LAYOUT: Final = tuple(one.name for one in fields(Strategy))


def machine(words: Mapping[str, Any], architecture: FixedAspect) -> Machine:
    """The machine that a user described.

    Args:
        words: what was written, by the keys of the hardware (`scenarios.hardware_keys`) without
            their group: a GPU at least. Those that are no others here are fields of `Strategy` and
            `Machine`.
        architecture: of student and teacher; its context is the sequence length.

    Raises:
        InputError: for an unknown name or an impossible number.
    """
    said = {name: value for name, value in words.items() if value is not None}
    named, prices = said.pop("gpu"), said.pop("prices", None)
    gpu = gpu_catalog.gpu(named)
    if prices is not None:
        gpu = price_list.with_prices(gpu, prices)
    layout = {name: said.pop(name) for name in _LAYOUT if name in said}
    if said.get("layout") == LayoutChoice.AUTO:
        _refuse_chosen(layout)
    country, goodput = said.pop("country", None), said.pop("goodput", None)
    if country is not None:
        said["grid_g_co2_per_kwh"] = gpu_catalog.grid(country).g_co2_per_kwh
    return Machine(
        gpu=gpu,
        gpus=said.pop("gpus", DEFAULT_GPUS),
        model=gpu_catalog.throughput_model(),
        strategy=usual_strategy(seq_len=round(architecture.context), **layout),
        family=architecture,
        global_tokens=said.pop("batch_tokens", None),
        goodput=None if goodput is None else Range.exact(goodput),
        price_usd_per_gpu_hour=said.pop("price", None),
        today=dt.datetime.now(tz=dt.UTC).date(),
        gpu_file=named if named.endswith(YAML_ENDINGS) else None,
        price_file=prices,
        **said,
    )


def _refuse_chosen(layout: Mapping[str, Any]) -> None:
    """Check that nothing is given that the search chooses; one expert group stands for none."""
    for name in FREE:
        if layout.get(name) not in (None, 1):
            auto = Word("layout", LayoutChoice.AUTO)
            raise InputError(Word(name), ": ", auto, " chooses it; leave one of the two out")


def usd_per_gpu_hour(found: Machine) -> float:
    """The price of a GPU-hour in dollars, for a budget in dollars.

    Raises:
        InputError: when no price is known.
    """
    price = found.price
    if price is None or price.usd_per_hour <= 0:
        raise InputError(
            f"no price is known for {found.gpu.name}; add ",
            Word("price", "2.5"),
            " (dollars per GPU-hour)",
        )
    return price.usd_per_hour
