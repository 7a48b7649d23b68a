"""What a plan runs on, and what its parts cost there, for the planner and for `estimate`.

Seconds are GPU-seconds per token of allocated time, goodput included. A model is an exact shape or
the non-embedding parameters of a model of the paper's family (a float, so that a planner can
tabulate seconds over sizes). Three kinds of work differ in speed: training a model alone, a
student's step in a distillation run, and a teacher's forward pass, online or alone.
"""

import datetime as dt
import math
from dataclasses import dataclass, field, replace
from typing import Any

from distillplan.errors import InputError, Word
from distillplan.fields import settle
from distillplan.hardware.bill import PUE, Power
from distillplan.hardware.gpu import Cluster, Precision, Price
from distillplan.hardware.losses import divergence_rate
from distillplan.hardware.machine_checks import refuse_impossible
from distillplan.hardware.memory import WeightFormat
from distillplan.hardware.range import Range
from distillplan.hardware.step_time import DEFAULT_GLOBAL_TOKENS, DEFAULT_REPLICA_TOKENS
from distillplan.hardware.strategy import LayoutChoice, Sharding, Stack, Strategy
from distillplan.hardware.throughput import (
    RateBasis,
    ThroughputEstimate,
    distillation_seconds,
    forward_throughput,
    training_throughput,
)
from distillplan.hardware.throughput_model import ThroughputModel
from distillplan.hardware.workload import Workload, workload_of_shape, workload_of_size
from distillplan.models.architecture import FixedAspect
from distillplan.models.named_models import Model
from distillplan.models.shapes import ModelShape


@dataclass(frozen=True, kw_only=True)
class Machine:
    """GPUs, the layout of runs on them, the user's own measurements, and prices."""

    cluster: Cluster
    model: ThroughputModel
    """The speed model with its calibrated coefficients."""
    strategy: Strategy = field(default_factory=Strategy)
    family: FixedAspect = field(default_factory=FixedAspect)
    """The family of models that are given as a size; the context is the strategy's."""
    global_tokens: float | None = None
    """Tokens per optimizer step; None: see `batch_tokens`."""
    teacher_gpus: int | None = None
    """GPUs of an online teacher alone, beside those of the student; None: it runs on these."""
    layout: LayoutChoice = LayoutChoice.GIVEN
    """Whether the strategy is what is asked for, or where the search for the fastest begins."""
    mfu: float | None = None
    """The user's own, in training: model FLOPs over the dense 16-bit peak."""
    teacher_mfu: float | None = None
    """The user's own, in a teacher's forward passes."""
    tokens_per_s: float | None = None
    """The user's own tokens/s/GPU in training the student alone; takes precedence over `mfu`."""
    teacher_precision: WeightFormat = WeightFormat.BF16
    """Of the frozen teacher's weights; in fp8 it also computes in fp8 where the GPU can."""
    goodput: Range | None = None
    """Productive share of allocated time; None: the speed model's."""
    pue: float = PUE
    """Power usage effectiveness of the building."""
    host_watts: float = 0.0
    """Drawn by the host, per GPU."""
    grid_g_co2_per_kwh: float | None = None
    """Carbon intensity of the grid; None: not known."""
    today: dt.date
    """The day on which the age of a price is judged."""
    gpu_file: str | None = None
    price_file: str | None = None
    """Where the user's own GPU and prices were read from, to ask the same again."""

    def __post_init__(self) -> None:
        """Check that the machine is possible.

        Raises:
            InputError: as for `refuse_impossible`.
        """
        settle(self)
        refuse_impossible(self)

    @property
    def allocated_share(self) -> Range:
        """Productive share of allocated time, default included."""
        return self.model.goodput if self.goodput is None else self.goodput

    @property
    def all_gpus(self) -> int:
        """GPUs of a run with its teacher."""
        return self.cluster.gpus + (self.teacher_gpus or 0)

    @property
    def batch_tokens(self) -> float:
        """Tokens per optimizer step, default included.

        The default is `DEFAULT_GLOBAL_TOKENS`, or more where a pipeline with fewer passes than
        stages would idle; Llama 3 405B on 16384 GPUs used the 16M that this gives.
        """
        if self.global_tokens is not None:
            return self.global_tokens
        layout = self.strategy
        replicas = self.cluster.gpus / (layout.tp * layout.pp * layout.cp)
        filled = replicas * layout.micro_batch * layout.seq_len * layout.pp
        return max(DEFAULT_GLOBAL_TOKENS, filled)

    @property
    def searches_layout(self) -> bool:
        """Whether the layout is to be found for a run."""
        return self.layout is LayoutChoice.AUTO

    @property
    def accumulates(self) -> bool:
        """Whether a step sums the gradients of several micro-batches."""
        layout = self.strategy
        replicas = self.cluster.gpus / (layout.tp * layout.pp * layout.cp)
        return self.batch_tokens > replicas * layout.micro_batch * layout.seq_len

    @property
    def price(self) -> Price | None:
        """Price of a GPU-hour: the user's, else the catalog's (`listed_price`); None: not known.

        Raises:
            InputError: when the user's is not a number of at least 0.
        """
        given = self.cluster.price_usd_per_gpu_hour
        if given is None:
            return listed_price(self.cluster.gpu.prices)
        if not (math.isfinite(given) and given >= 0):
            raise InputError(Word("price"), f": {given:g} USD per GPU-hour; it must be at least 0")
        return Price.of_user(given, self.today)

    @property
    def power(self) -> Power | None:
        """The electricity of a GPU-hour; None: the GPU's board power is not known."""
        watts = self.cluster.gpu.power_watts
        if watts is None:
            return None
        return Power(
            gpu_watts=watts,
            host_watts=self.host_watts,
            pue=self.pue,
            grid_g_co2_per_kwh=self.grid_g_co2_per_kwh,
        )


def listed_price(prices: tuple[Price, ...]) -> Price | None:
    """The price that a bill uses: the newest that has a date, and of these the cheapest."""
    newest = max((price.day for price in prices if price.day), default=None)
    candidates = [price for price in prices if price.day == newest]
    return min(candidates, key=lambda price: price.usd_per_hour, default=None)


def usual_strategy(*, seq_len: int, micro_batch: int | None = None, **layout: Any) -> Strategy:
    """A strategy with the usual micro-batch, `DEFAULT_REPLICA_TOKENS`, sharding and stack.

    It is one sequence where that is longer, or where the model is split over GPUs: the assumption
    with which the speed model was calibrated on published runs that do not state it. There ZeRO-1
    is usual too, as gathering weights for every micro-batch of a pipeline would cost most of its
    time, and such layouts are those of Megatron Core: a tuned stack.

    Args:
        seq_len: tokens per sequence.
        micro_batch: sequences per replica and pass; None: the usual.
        layout: other fields of `Strategy`.

    Raises:
        InputError: when a count is below 1.

    >>> usual_strategy(seq_len=2048).micro_batch, usual_strategy(seq_len=2048, tp=8).micro_batch
    (4, 1)
    """
    strategy = Strategy(seq_len=seq_len, **layout)
    if strategy.tp * strategy.pp > 1 and "sharding" not in layout:
        strategy = replace(strategy, sharding=Sharding.ZERO1)
    if strategy.tp * strategy.pp * strategy.ep > 1 and "stack" not in layout:
        strategy = replace(strategy, stack=Stack.TUNED)
    if micro_batch is None:
        split = strategy.tp * strategy.pp * strategy.cp > 1
        micro_batch = 1 if split else max(int(DEFAULT_REPLICA_TOKENS) // seq_len, 1)
    return replace(strategy, micro_batch=micro_batch)


def work_of(machine: Machine, model: Model, *, precision: Precision | None = None) -> Workload:
    """The workload of a model, in training or forward passes, on one GPU of the machine.

    Args:
        machine: what it runs on.
        model: a size or a shape.
        precision: replaces the strategy's.
    """
    strategy = machine.strategy
    if precision is not None:
        strategy = replace(strategy, precision=precision)
    gpus, tokens = machine.cluster.gpus, machine.batch_tokens
    if isinstance(model, ModelShape):
        return workload_of_shape(model, strategy, gpus, tokens)
    return workload_of_size(model, machine.family, strategy, gpus, tokens)


def training_speed(machine: Machine, model: Model) -> ThroughputEstimate:
    """Tokens/s/GPU in training a model alone, at the user's MFU where there is one."""
    work = work_of(machine, model)
    return training_throughput(work, machine.cluster.gpu, machine.model, mfu=machine.mfu)


def student_speed(machine: Machine, student: Model) -> ThroughputEstimate:
    """Tokens/s/GPU in training the student alone, at the user's rate or MFU where there is one."""
    return training_throughput(
        work_of(machine, student),
        machine.cluster.gpu,
        machine.model,
        mfu=machine.mfu,
        tokens_per_s=machine.tokens_per_s,
    )


def teacher_speed(machine: Machine, teacher: Model) -> ThroughputEstimate:
    """Tokens/s/GPU in a teacher's forward passes on the same GPUs."""
    gpu = machine.cluster.gpu
    fp8 = machine.teacher_precision is WeightFormat.FP8 and "fp8" in gpu.peak_flops_per_s
    work = work_of(machine, teacher, precision=Precision.FP8 if fp8 else Precision.BF16)
    return forward_throughput(work, gpu, machine.model, mfu=machine.teacher_mfu)


def training_seconds(machine: Machine, model: Model) -> Range:
    """GPU-seconds per token in training a model alone.

    Args:
        machine: what it runs on; its measured tokens/s, which are the student's, are not used.
        model: a size or a shape.
    """
    return _alone(machine, training_speed(machine, model))


def supervised_seconds(machine: Machine, student: Model) -> Range:
    """GPU-seconds per token in training a student without a teacher, at a measured rate if any."""
    return _alone(machine, student_speed(machine, student))


def student_step_seconds(machine: Machine, student: Model) -> Range:
    """GPU-seconds per token of the student's own step in a distillation run."""
    speed = student_speed(machine, student)
    return distillation_seconds(speed, machine.model, _allocated(machine, speed))


def teacher_pass_seconds(machine: Machine, teacher: Model) -> Range:
    """GPU-seconds per token of a teacher's forward pass within a distillation step.

    With what its logits add to the loss; the student's step and the teacher's pass take turns.
    """
    speed = teacher_speed(machine, teacher)
    forward = distillation_seconds(speed, machine.model, _allocated(machine, speed))
    return forward + divergence_seconds(machine, teacher)


def divergence_seconds(machine: Machine, teacher: Model) -> Range:
    """GPU-seconds per token that an online teacher's logits add to the student's loss."""
    vocab = work_of(machine, teacher).vocab
    rate = divergence_rate(machine.strategy.loss, vocab, machine.cluster.gpu)
    return Range.independent_product((rate, machine.allocated_share)).divide(1.0)


def teacher_alone_seconds(machine: Machine, teacher: Model) -> Range:
    """GPU-seconds per token of a teacher's forward pass that writes its logits to storage."""
    return _alone(machine, teacher_speed(machine, teacher))


def _alone(machine: Machine, speed: ThroughputEstimate) -> Range:
    factors = (speed.tokens_per_s_per_gpu, *_allocated(machine, speed))
    return Range.independent_product(factors).divide(1.0)


def _allocated(machine: Machine, speed: ThroughputEstimate) -> tuple[Range, ...]:
    """What allocated hours add to computed or measured steps; a given goodput is all of it."""
    if machine.goodput is None and speed.basis is RateBasis.MODEL:
        return (machine.allocated_share, machine.model.whole_run)
    return (machine.allocated_share,)
