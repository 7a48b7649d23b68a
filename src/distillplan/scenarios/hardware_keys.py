"""Rows of the table of keys: the hardware, and the limits that need it."""

from importlib import import_module
from typing import Any

from distillplan.planning.scenario import Scenario
from distillplan.scenarios import values
from distillplan.scenarios.key import COSTS, LAYOUT, LIMITS, SPEED, Key, Written, at, row
from distillplan.scenarios.values import Value
from distillplan.units.quantities import format_count

_PLANS = "budget estimate"
"""Commands whose answer has hours and a bill."""


def _choice(module: str, name: str) -> Value:
    """A word of an enumeration of the hardware, which is not imported before it is needed."""
    return values.one_of(lambda: getattr(import_module(f"distillplan.hardware.{module}"), name))


def _key(
    name: str,
    value: Value,
    metavar: str,
    text: str,
    written: str | Written | None,
    **more: Any,
) -> Key:
    """A row of a word of `hardware.machine.machine`."""
    said = {"commands": _PLANS, "panel": LAYOUT, **more}
    return row(
        word=f"hardware.{name}",
        value=value,
        help=text,
        written=at(f"machine.{written}") if isinstance(written, str) else written,
        aliases=() if name == "loss" else (name,),
        flags=(f"--{name.replace('_', '-')}",) if said["commands"] else (),
        metavar=metavar,
        **said,
    )


def _constant(name: str, module: str = "step_time") -> float:
    """A default of a module of `hardware`."""
    return float(getattr(import_module(f"distillplan.hardware.{module}"), name))


def _loss(scenario: Scenario) -> str | None:
    machine = scenario.machine
    return None if machine is None or machine.loss_is_open else machine.strategy.loss.value


def _layout(scenario: Scenario) -> str | None:
    machine = scenario.machine
    if machine is None:
        return None
    return machine.layout.value if machine.searches_layout else "given"


def _gpu(scenario: Scenario) -> str | None:
    machine = scenario.machine
    return None if machine is None else machine.gpu_file or machine.gpu.name


HARDWARE = (
    row(
        word="hardware",
        value=values.GROUP,
        help="What it runs on; gives hours, memory and cost of each option.",
        written=at("machine"),
    ),
    _key(
        "gpu",
        values.TEXT,
        "GPU",
        "GPU name (see `distillplan gpus`) or your own YAML file.",
        _gpu,
        commands="budget target sweep teachers family estimate onpolicy serve",
        default="",
    ),
    _key(
        "gpus",
        values.WHOLE,
        "N",
        "Number of GPUs.",
        "gpus",
        commands="budget target sweep teachers family estimate onpolicy serve",
    ),
    _key(
        "teacher_gpus",
        values.WHOLE,
        "N",
        "Number of further GPUs for an online teacher alone, which sends the student its logits.",
        "teacher_gpus",
        commands="estimate",
        default="none: it shares the student's",
        planned=False,
    ),
    _key(
        "price",
        values.HOURLY_USD,
        "USD",
        "Price of a GPU-hour in USD.",
        "price_usd_per_gpu_hour",
        commands="budget target family estimate onpolicy serve",
        panel=COSTS,
        default="the catalog's newest",
    ),
    _key(
        "prices",
        values.TEXT,
        "FILE",
        "CSV price list: gpu,usd_per_hour,seller,date,source, or of gpuhunt or SkyPilot.",
        "price_file",
        panel=COSTS,
        default="the catalog",
    ),
    _key(
        "mfu",
        values.share("0.4"),
        "MFU",
        "Measured MFU of training: model FLOPs over the dense 16-bit peak, 0 to 1.",
        "mfu",
        panel=SPEED,
        default="estimated",
        commands=f"{_PLANS} onpolicy",
    ),
    _key(
        "teacher_mfu",
        values.share("0.4"),
        "MFU",
        "Measured MFU of the teacher's forward passes, 0 to 1.",
        "teacher_mfu",
        panel=SPEED,
        default="estimated",
        commands=f"{_PLANS} onpolicy",
    ),
    _key(
        "tokens_per_s",
        values.many("12k"),
        "N",
        "Measured tokens per second and GPU when training without a teacher; overrides --mfu.",
        "tokens_per_s",
        panel=SPEED,
        default="estimated",
        commands="estimate",
    ),
    _key(
        "goodput",
        values.share("0.9"),
        "SHARE",
        "Productive share of the allocated time, 0 to 1.",
        "goodput.mid",
        panel=SPEED,
        default="estimated",
        commands=f"{_PLANS} onpolicy",
    ),
    _key(
        "precision",
        _choice("gpu", "Precision"),
        "",
        "Precision of the matrix products.",
        "strategy.precision",
    ),
    _key(
        "checkpointing",
        _choice("strategy", "Checkpointing"),
        "",
        "Activations to recompute in the backward pass; full recomputes whole blocks.",
        "strategy.checkpointing",
    ),
    _key(
        "sharding",
        _choice("strategy", "Sharding"),
        "",
        "State to shard over the data-parallel group; zero3 is FSDP with full shards.",
        "strategy.sharding",
        default="zero3, or zero1 with tp or pp",
    ),
    _key(
        "layout",
        _choice("strategy", "LayoutChoice"),
        "",
        "auto chooses the fastest layout that fits: tp, pp, cp, ep, micro-batch, checkpointing and "
        "sharding.",
        _layout,
    ),
    _key("tp", values.WHOLE, "N", "Size of a tensor-parallel group.", "strategy.tp"),
    _key("pp", values.WHOLE, "N", "Number of pipeline stages.", "strategy.pp"),
    _key("cp", values.WHOLE, "N", "Size of a context-parallel group.", "strategy.cp"),
    _key(
        "sequence_parallel",
        values.SWITCH,
        "",
        "Whether a tensor-parallel group divides the activations between its matrix products too.",
        "strategy.sequence_parallel",
        default="on",
    ),
    _key(
        "micro_batch",
        values.WHOLE,
        "N",
        "Sequences per replica and pass.",
        "strategy.micro_batch",
        default=lambda: f"as many as {_constant('DEFAULT_REPLICA_TOKENS'):,.0f} tokens hold",
    ),
    _key(
        "interleave",
        values.WHOLE,
        "N",
        "Pipeline stages per GPU.",
        "strategy.interleave",
        default=lambda: f"up to {_constant('TYPICAL_INTERLEAVE', 'strategy'):g}",
    ),
    _key(
        "batch_tokens",
        values.many("4M"),
        "N",
        "Tokens per optimizer step.",
        "global_tokens",
        default=lambda: (
            f"{format_count(_constant('DEFAULT_GLOBAL_TOKENS'))}, or what fills the pipeline"
        ),
    ),
    _key(
        "attention",
        _choice("strategy", "Attention"),
        "",
        "Generation of the attention kernel.",
        "strategy.attention",
        default="fused, of an unknown generation",
    ),
    _key(
        "stack",
        _choice("strategy", "Stack"),
        "",
        "How far the software is tuned: tuned (Megatron Core, NeMo), compiled (torch.compile, JAX) "
        "or eager (plain PyTorch, DeepSpeed).",
        "strategy.stack",
        default="compiled, or tuned with tp, pp or ep",
    ),
    _key(
        "optimizer",
        _choice("strategy", "Optimizer"),
        "",
        "Optimizer, by the precision of its states.",
        "strategy.optimizer",
    ),
    _key(
        "loss",
        _choice("strategy", "Loss"),
        "",
        "Implementation of the loss: how much of the logits exists at once, and how long it takes "
        "with an online teacher.",
        _loss,
        default="dense, or chunked where that does not fit",
    ),
    _key(
        "gradients",
        _choice("strategy", "Gradients"),
        "",
        "How gradients are kept; in-backward: used by the optimizer as they arise.",
        "strategy.gradients",
        default="fp32 where the optimizer has fp32 master weights, else bf16",
    ),
    _key(
        "offload",
        _choice("strategy", "Offload"),
        "",
        "State to keep in the memory of the host.",
        "strategy.offload",
    ),
    _key(
        "teacher_precision",
        _choice("memory", "WeightFormat"),
        "",
        "Precision of a frozen teacher's weights.",
        "teacher_precision",
    ),
    _key(
        "pue",
        values.zero_or_count("1.2"),
        "PUE",
        "Power usage effectiveness of the building.",
        "pue",
        panel=COSTS,
    ),
    _key(
        "country",
        values.TEXT,
        "NAME",
        "Country whose grid's carbon intensity to use, e.g. FRA or Germany.",
        None,
        panel=COSTS,
        default="",
    ),
    _key(
        "grid_g_co2_per_kwh",
        values.zero_or_count("380"),
        "G",
        "Carbon intensity of the grid in grams of CO2 per kWh, instead of a country's.",
        "grid_g_co2_per_kwh",
        commands="",
        panel=COSTS,
    ),
)

LIMIT_KEYS = (
    row(
        word="deadline",
        value=values.HOURS,
        place="limits.hours",
        help="Wall-clock limit, e.g. '7 days'. Sets the budget if none is given, otherwise cuts "
        "it.",
        written=at("limits.hours"),
        commands="budget",
        metavar="TIME",
        panel=LIMITS,
    ),
    row(
        word="max_cost_usd",
        value=values.USD,
        place="limits.usd",
        help="Cost limit, e.g. $20k. Sets the budget if none is given, otherwise cuts it.",
        written=at("limits.usd"),
        flags=("--max-cost",),
        commands="budget",
        metavar="USD",
        panel=LIMITS,
    ),
    row(
        word="max_memory_bytes",
        value=values.MEMORY,
        place="limits.bytes_per_gpu",
        help="Memory limit per GPU, e.g. 80GB.",
        written=at("limits.bytes_per_gpu"),
        flags=("--max-memory",),
        commands="budget",
        metavar="BYTES",
        panel=LIMITS,
    ),
)
