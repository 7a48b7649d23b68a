"""A machine from what is written on a command line or in a file."""

import datetime as dt
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final, NamedTuple, TypeVar

from distillplan.errors import InputError, Word
from distillplan.files.text_reader import YAML_ENDINGS
from distillplan.hardware import gpu_catalog, price_list
from distillplan.hardware.bill import PUE
from distillplan.hardware.gpu import Cluster, Precision
from distillplan.hardware.machine import Machine, usual_strategy
from distillplan.hardware.memory import WeightFormat
from distillplan.hardware.range import Range
from distillplan.hardware.strategy import (
    FREE,
    Attention,
    Checkpointing,
    Gradients,
    LayoutChoice,
    Loss,
    Offload,
    Optimizer,
    Sharding,
    Stack,
    Strategy,
)
from distillplan.models.architecture import FixedAspect

Choice = TypeVar("Choice", bound=StrEnum)

CHOICES: Final[Mapping[str, type[StrEnum]]] = {
    "precision": Precision,
    "checkpointing": Checkpointing,
    "sharding": Sharding,
    "attention": Attention,
    "stack": Stack,
    "optimizer": Optimizer,
    "loss": Loss,
    "gradients": Gradients,
    "offload": Offload,
}
"""Settings of a layout that are chosen by name."""

COUNTS: Final = ("micro_batch", "tp", "pp", "cp", "ep", "interleave")
"""Settings of a layout that are numbers."""

DEFAULT_GPUS = 8
"""One node."""


class MachineWords(NamedTuple):
    """What a user can say about the hardware; None: the default."""

    gpu: str
    gpus: int | None = None
    teacher_gpus: int | None = None
    price: float | None = None
    """USD per GPU-hour."""
    prices: str | None = None
    """A CSV file with a price list."""
    mfu: float | None = None
    teacher_mfu: float | None = None
    tokens_per_s: float | None = None
    """Per GPU, in training the student alone."""
    goodput: float | None = None
    precision: str | None = None
    checkpointing: str | None = None
    sharding: str | None = None
    tp: int | None = None
    pp: int | None = None
    cp: int | None = None
    ep: int | None = None
    interleave: int | None = None
    micro_batch: int | None = None
    batch_tokens: float | None = None
    attention: str | None = None
    stack: str | None = None
    layout: str | None = None
    optimizer: str | None = None
    loss: str | None = None
    gradients: str | None = None
    offload: str | None = None
    sequence_parallel: bool | None = None
    teacher_precision: str | None = None
    pue: float | None = None
    country: str | None = None
    grid_g_co2_per_kwh: float | None = None
    """Carbon intensity, where no country is given."""


def machine(words: MachineWords, architecture: FixedAspect) -> Machine:
    """The machine that a user described.

    Args:
        words: what was written.
        architecture: of student and teacher; its context is the sequence length.

    Raises:
        InputError: for an unknown name or an impossible number.
    """
    gpu = gpu_catalog.gpu(words.gpu)
    if words.prices is not None:
        gpu = price_list.with_prices(gpu, words.prices)
    layout = {name: getattr(words, name) for name in (*COUNTS, *CHOICES, "sequence_parallel")}
    choice = _one_of("layout", words.layout or LayoutChoice.GIVEN, LayoutChoice)
    if choice is LayoutChoice.AUTO:
        _refuse_chosen(layout)
    grid = words.grid_g_co2_per_kwh
    if words.country is not None:
        grid = gpu_catalog.grid(words.country).g_co2_per_kwh
    return Machine(
        cluster=Cluster(
            gpu=gpu,
            gpus=DEFAULT_GPUS if words.gpus is None else words.gpus,
            price_usd_per_gpu_hour=words.price,
        ),
        model=gpu_catalog.throughput_model(),
        strategy=strategy_of({"seq_len": round(architecture.context)} | layout),
        family=architecture,
        global_tokens=words.batch_tokens,
        teacher_gpus=words.teacher_gpus,
        layout=choice,
        mfu=words.mfu,
        teacher_mfu=words.teacher_mfu,
        tokens_per_s=words.tokens_per_s,
        teacher_precision=_one_of(
            "teacher_precision", words.teacher_precision or WeightFormat.BF16, WeightFormat
        ),
        goodput=None if words.goodput is None else Range.exact(words.goodput),
        pue=PUE if words.pue is None else words.pue,
        grid_g_co2_per_kwh=grid,
        today=dt.datetime.now(tz=dt.UTC).date(),
        gpu_file=words.gpu if words.gpu.endswith(YAML_ENDINGS) else None,
        price_file=words.prices,
    )


def _refuse_chosen(layout: Mapping[str, Any]) -> None:
    """Check that nothing is given that the search chooses; one expert group stands for none."""
    for name in FREE:
        if layout[name] not in (None, 1):
            auto = Word("layout", LayoutChoice.AUTO)
            raise InputError(Word(name), ": ", auto, " chooses it; leave one of the two out")


def strategy_of(settings: Mapping[str, Any]) -> Strategy:
    """A layout from settings named like the fields of `Strategy`; None stands for the default.

    Args:
        settings: numbers, and choices by their names; `seq_len` must be there.

    Raises:
        InputError: for a choice that does not exist, or a number below 1.
    """
    layout: dict[str, Any] = {
        name: _one_of(name, value, CHOICES[name]) if name in CHOICES else value
        for name, value in settings.items()
        if value is not None
    }
    return usual_strategy(**layout)


def usd_per_gpu_hour(found: Machine) -> float:
    """The price of a GPU-hour in dollars, for a budget in dollars.

    Raises:
        InputError: when no price is known.
    """
    price = found.price
    if price is None or price.usd_per_hour <= 0:
        raise InputError(
            f"no price is known for {found.cluster.gpu.name}; add ",
            Word("price", "2.5"),
            " (dollars per GPU-hour)",
        )
    return price.usd_per_hour


def _one_of(name: str, value: str, known: type[Choice]) -> Choice:
    """A choice by its name."""
    if value not in tuple(known):
        raise InputError(Word(name), f": {value!r} is not one of {', '.join(known)}")
    return known(value)
