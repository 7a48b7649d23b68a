"""What a plan runs on, and what its parts cost there: one source for the planner and `estimate`.

Seconds are GPU-seconds per token of allocated time, goodput included. A model is an exact shape, or
the non-embedding parameters of a model of the paper's family (a float, so that a planner can
tabulate seconds over sizes). Three kinds of work differ in speed: training a model alone, a
student's step in a distillation run, and a teacher's forward pass, beside the student or alone.
"""

import datetime as dt
import math
from dataclasses import dataclass, field, replace
from typing import Any, Final

from distillplan.accounting import TRAINING_PASSES, Logits, Share
from distillplan.errors import InputError
from distillplan.hardware.bill import PUE, Bill, Phase, PhaseWork, Power, itemised_bill
from distillplan.hardware.gpu import Cluster, Precision, Price
from distillplan.hardware.memory import WeightFormat
from distillplan.hardware.range import Range
from distillplan.hardware.step_time import DEFAULT_GLOBAL_TOKENS, DEFAULT_REPLICA_TOKENS
from distillplan.hardware.storage import (
    STORAGE_USD_PER_TB_MONTH,
    TB,
    LogitFormat,
    stored_bytes,
)
from distillplan.hardware.strategy import Strategy
from distillplan.hardware.throughput import (
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
    """GPUs, how runs are laid out on them, what the user measured, and what things cost."""

    cluster: Cluster
    model: ThroughputModel
    """Calibrated coefficients of the speed."""
    strategy: Strategy = field(default_factory=Strategy)
    family: FixedAspect = field(default_factory=FixedAspect)
    """Of models that are given as a size; the context is the strategy's."""
    global_tokens: float | None = None
    """Tokens per optimiser step; None: see `batch_tokens`."""
    interleave: int | None = None
    """Pipeline stages per GPU; None: up to 4, as published runs have."""
    mfu: float | None = None
    """The user's own, of training runs: model FLOPs over the dense 16-bit peak."""
    teacher_mfu: float | None = None
    """The user's own, of a teacher's forward passes."""
    tokens_per_s: float | None = None
    """The user's own tokens/s/GPU of the student's training without a teacher; beats `mfu`."""
    teacher_precision: WeightFormat = WeightFormat.BF16
    """The frozen teacher's weights; with fp8 it computes in fp8 too where the GPU can."""
    goodput: Range | None = None
    """Productive share of allocated time; None: the model's."""
    pue: float = PUE
    """Power usage effectiveness of the building."""
    host_watts: float = 0.0
    """Drawn per GPU beside it."""
    grid_g_co2_per_kwh: float | None = None
    """Carbon intensity of the grid; None: not known."""
    today: dt.date
    """The day against which the age of a price is taken."""
    gpu_file: str | None = None
    price_file: str | None = None
    """Where the user's own GPU and prices were read, to ask the same again."""

    def __post_init__(self) -> None:
        """Refuse a machine that cannot be."""
        if self.cluster.gpus < 1:
            raise InputError(f"GPUs: {self.cluster.gpus} is no count of GPUs; give at least 1")
        share = self.allocated_share
        if not (share.low > 0 and share.high <= 1):
            raise InputError(
                f"goodput: {share.low:g} to {share.high:g} is no share of allocated time; "
                "give 0 < goodput <= 1"
            )

    @property
    def allocated_share(self) -> Range:
        """Productive share of allocated time, after the default."""
        return self.model.goodput if self.goodput is None else self.goodput

    @property
    def batch_tokens(self) -> float:
        """Tokens per optimiser step; by default 4M, or a pass of each pipeline stage per replica.

        With fewer passes than stages a pipeline idles, so nobody runs one so; Llama 3 405B on
        16384 GPUs took the 16M that this gives.
        """
        if self.global_tokens is not None:
            return self.global_tokens
        layout = self.strategy
        replicas = self.cluster.gpus / (layout.tp * layout.pp * layout.cp)
        filled = replicas * layout.micro_batch * layout.seq_len * layout.pp
        return max(DEFAULT_GLOBAL_TOKENS, filled)

    @property
    def price(self) -> Price | None:
        """Of one GPU-hour: the user's, else the newest of the catalog (see `listed_price`)."""
        given = self.cluster.price_usd_per_gpu_hour
        if given is None:
            return listed_price(self.cluster.gpu.prices)
        if not (math.isfinite(given) and given >= 0):
            raise InputError(f"price: {given:g} USD per GPU-hour; it must not be negative")
        return Price(usd_per_hour=given, seller="given", date=str(self.today), source="given")

    @property
    def power(self) -> Power | None:
        """Electricity of a GPU-hour; None where the GPU's board power is not known."""
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
    """The price that a bill takes: the newest that has a date, of equals the cheapest."""
    dated = [price for price in prices if price.date[:2] == "20"]
    newest = max((price.date for price in dated), default=None)
    candidates = [price for price in dated if price.date == newest] or prices
    return min(candidates, key=lambda price: price.usd_per_hour, default=None)


def usual_strategy(*, seq_len: int, micro_batch: int | None = None, **layout: Any) -> Strategy:
    """A strategy whose micro-batch, where nobody says, takes 8192 tokens.

    One sequence where it is longer than that, or split over GPUs. That is what the throughput
    model was calibrated with where a published run does not say.

    Args:
        seq_len: tokens per sequence.
        micro_batch: sequences per replica and pass; None: as above.
        layout: the other fields of `Strategy`.

    >>> usual_strategy(seq_len=2048).micro_batch, usual_strategy(seq_len=2048, tp=8).micro_batch
    (4, 1)
    """
    if seq_len < 1:
        raise InputError(f"layout: seq_len is {seq_len}; it must be at least 1")
    strategy = Strategy(seq_len=seq_len, **layout)
    if micro_batch is None:
        split = strategy.tp * strategy.pp * strategy.cp > 1
        micro_batch = 1 if split else max(int(DEFAULT_REPLICA_TOKENS) // seq_len, 1)
    return replace(strategy, micro_batch=micro_batch)


def work_of(machine: Machine, model: Model, *, precision: Precision | None = None) -> Workload:
    """What training a model (or running it forward) asks of one GPU of the machine.

    Args:
        machine: what it runs on.
        model: a size or a shape.
        precision: instead of the strategy's.
    """
    strategy = machine.strategy
    if precision is not None:
        strategy = replace(strategy, precision=precision)
    gpus, tokens = machine.cluster.gpus, machine.batch_tokens
    if isinstance(model, ModelShape):
        work = workload_of_shape(model, strategy, gpus, tokens)
    else:
        work = workload_of_size(model, machine.family, strategy, gpus, tokens)
    return work if machine.interleave is None else replace(work, interleave=machine.interleave)


def training_speed(machine: Machine, model: Model) -> ThroughputEstimate:
    """Tokens/s/GPU of training a model alone; the user's MFU counts, a measured rate does not."""
    work = work_of(machine, model)
    return training_throughput(work, machine.cluster.gpu, machine.model, mfu=machine.mfu)


def student_speed(machine: Machine, student: Model) -> ThroughputEstimate:
    """Tokens/s/GPU of the student's training without a teacher; the user's rate wins."""
    return training_throughput(
        work_of(machine, student),
        machine.cluster.gpu,
        machine.model,
        mfu=machine.mfu,
        tokens_per_s=machine.tokens_per_s,
    )


def teacher_speed(machine: Machine, teacher: Model) -> ThroughputEstimate:
    """Tokens/s/GPU of a teacher's forward passes on the same GPUs."""
    gpu = machine.cluster.gpu
    fp8 = machine.teacher_precision is WeightFormat.FP8 and "fp8" in gpu.peak_flops_per_s
    work = work_of(machine, teacher, precision=Precision.FP8 if fp8 else Precision.BF16)
    return forward_throughput(work, gpu, machine.model, mfu=machine.teacher_mfu)


def training_seconds(machine: Machine, model: Model) -> Range:
    """GPU-seconds per token of training a model alone: a teacher's, or a supervised student's.

    Args:
        machine: what it runs on; its measured tokens/s, which are a student's, do not count.
        model: a size or a shape.
    """
    return _alone(machine, training_speed(machine, model))


def supervised_seconds(machine: Machine, student: Model) -> Range:
    """GPU-seconds per token of training a student without a teacher; a measured rate counts."""
    return _alone(machine, student_speed(machine, student))


def student_step_seconds(machine: Machine, student: Model) -> Range:
    """GPU-seconds per token of a student's own step in a distillation run."""
    speed = student_speed(machine, student)
    return distillation_seconds(speed, machine.model, machine.allocated_share)


def teacher_pass_seconds(machine: Machine, teacher: Model) -> Range:
    """GPU-seconds per token of a teacher's forward pass beside a student's step.

    Added to `student_step_seconds` it is what `distillation_throughput` says, over goodput.
    """
    speed = teacher_speed(machine, teacher)
    return distillation_seconds(speed, machine.model, machine.allocated_share)


def teacher_alone_seconds(machine: Machine, teacher: Model) -> Range:
    """GPU-seconds per token of a teacher's forward pass that writes its logits to storage."""
    return _alone(machine, teacher_speed(machine, teacher))


def _alone(machine: Machine, speed: ThroughputEstimate) -> Range:
    factors = (speed.tokens_per_s_per_gpu, machine.allocated_share)
    return Range.independent_product(factors).divide(1.0)


NOTHING_PAID: Final = Share(logits=0.0, training=0.0)
"""Supervised training, or a teacher that costs nothing."""


@dataclass(frozen=True, kw_only=True)
class StoredLogits:
    """Teacher logits that a plan keeps, and what keeping them costs."""

    format: LogitFormat
    months: float = 1.0
    """That they are kept."""
    usd_per_tb_month: float = STORAGE_USD_PER_TB_MONTH

    def __post_init__(self) -> None:
        """Refuse times and prices that cannot be."""
        for name in ("months", "usd_per_tb_month"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0):
                raise InputError(f"storage: {name} is {value}; it must not be negative")

    def usd(self, total_bytes: float) -> float:
        """Price of keeping so many bytes."""
        return total_bytes / TB * self.months * self.usd_per_tb_month


def bill_of(
    machine: Machine,
    *,
    student: Model,
    student_tokens: float,
    students: int = 1,
    teacher: Model | None = None,
    teacher_tokens: float = 0.0,
    paid: Share = NOTHING_PAID,
    logits: Logits = Logits.ONLINE,
    stored: StoredLogits | None = None,
) -> Bill:
    """The itemised bill of a family of students, in the terms of `accounting.run_flops`.

    Args:
        machine: what all phases run on.
        student: the student, of which all are alike.
        student_tokens: tokens that each is trained on.
        students: how many there are.
        teacher: the teacher, paid for or not; None: supervised training.
        teacher_tokens: tokens that the teacher is trained on.
        paid: one student's share of the teacher's costs.
        logits: whether the teacher runs beside the students or before them.
        stored: how logits that are written (`logits` stored) are kept; None: storage is free.
    """
    if students < 1:
        raise InputError(f"students: {students} is no count of students; give at least 1")
    every = students * student_tokens
    step = supervised_seconds if teacher is None else student_step_seconds
    phases = [_phase(machine, Phase.STUDENT_TRAINING, student, every, step(machine, student))]
    storage_usd = 0.0
    if teacher is not None and paid.logits > 0:
        beside = logits is Logits.ONLINE
        seconds = (teacher_pass_seconds if beside else teacher_alone_seconds)(machine, teacher)
        passed = paid.logits * every
        phases.append(_phase(machine, Phase.TEACHER_LOGITS, teacher, passed, seconds))
        if stored is not None and not beside:
            storage_usd = stored.usd(stored_bytes(stored.format, passed))
    if teacher is not None and paid.training > 0:
        trained = students * paid.training * teacher_tokens
        seconds = training_seconds(machine, teacher)
        phases.append(_phase(machine, Phase.TEACHER_TRAINING, teacher, trained, seconds))
    return itemised_bill(
        phases,
        today=machine.today,
        price=machine.price,
        power=machine.power,
        storage_usd=storage_usd,
    )


def _phase(machine: Machine, phase: Phase, model: Model, tokens: float, each: Range) -> PhaseWork:
    """One phase: so many tokens at so many GPU-seconds each."""
    passes = 1.0 if phase is Phase.TEACHER_LOGITS else TRAINING_PASSES
    return PhaseWork(
        phase=phase,
        flops=passes * work_of(machine, model).forward_flops * tokens,
        gpu_hours=each.scale(tokens / 3600),
        gpus=machine.cluster.gpus,
    )
