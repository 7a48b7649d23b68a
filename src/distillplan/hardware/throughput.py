"""Tokens per second and GPU of training and of teacher forward passes, as factors with a meaning.

One token costs so many GPU-seconds. The ideal is its FLOPs at the measured matmul ceiling of the
GPU; every effect adds time to it, and the ratio before/after is that effect's factor:

    tokens/s/GPU = ceiling / FLOPs per token * sustained * precision * attention * elementwise
                   * recomputation * tensor_parallel * data_parallel * overhead * pipeline
                   * scale_out * mixture

FLOPs count causal attention (half of the score matrix) everywhere, as `ModelShape.forward_flops`;
pages that count the whole matrix print a higher MFU for the same tokens/s, so only tokens/s is
ever compared. Coefficients come from `coefficients/throughput.yaml`, fitted by
`calibrate_throughput.py` of the coefficients; the effects themselves are in `hardware.step_time`.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from distillplan.errors import InputError
from distillplan.hardware.gpu import Gpu, Precision
from distillplan.hardware.range import Range
from distillplan.hardware.step_time import attention_share, dense_peak, gpu_seconds_per_token
from distillplan.hardware.throughput_model import ThroughputModel
from distillplan.hardware.workload import Workload

Z80: Final = 1.2815515655446004
"""Half-width of a central 80 % interval of a normal distribution, in standard deviations."""

CALIBRATED_VENDOR: Final = "NVIDIA"
"""Whose software every calibration row ran on."""


@dataclass(frozen=True, kw_only=True)
class ThroughputEstimate:
    """How fast one GPU of a run goes, and why."""

    tokens_per_s_per_gpu: Range
    """Central 80 % interval and median."""
    mfu: Range
    """Model FLOPs (causal attention) over the dense bf16 peak (fp16 where there is no bf16)."""
    factors: Mapping[str, float]
    """What multiplies the ideal rate, in order; empty when a rate was given."""
    ideal_tokens_per_s_per_gpu: float | None
    """The rate at the matmul ceiling; the product with the factors is the median."""
    basis: str
    """`model`, or what the user gave: `mfu`, `tokens_per_s`."""
    log_sd: float
    """Standard deviation of the log; 0 when the rate was given."""


def training_throughput(
    work: Workload,
    gpu: Gpu,
    model: ThroughputModel,
    *,
    mfu: float | None = None,
    tokens_per_s: float | None = None,
) -> ThroughputEstimate:
    """Training speed: forward, backward and recomputation.

    Args:
        work: sizes and layout of the run.
        gpu: the accelerator.
        model: calibrated coefficients.
        mfu: the user's own, model FLOPs over the dense 16-bit peak, instead of the model's.
        tokens_per_s: the user's own measured tokens/s/GPU, which wins over `mfu`.
    """
    given = _given(3 * work.forward_flops, gpu, mfu, tokens_per_s)
    return given or _estimate(work, gpu, model, passes=3.0)


def forward_throughput(
    work: Workload,
    gpu: Gpu,
    model: ThroughputModel,
    *,
    mfu: float | None = None,
    tokens_per_s: float | None = None,
) -> ThroughputEstimate:
    """Speed of forward passes alone (a teacher's), with the arguments of `training_throughput`.

    Public measurements put prefill at 30 to 50 % of peak, as training; so the same factors hold,
    a third of the FLOPs and of the traffic, and nothing recomputed.
    """
    given = _given(work.forward_flops, gpu, mfu, tokens_per_s)
    return given or _estimate(work, gpu, model, passes=1.0)


def distillation_throughput(
    student: ThroughputEstimate, teacher: ThroughputEstimate | None, model: ThroughputModel
) -> Range:
    """Tokens/s/GPU of a distillation run on one set of GPUs.

    Per token the student's step and the teacher's forward pass follow each other (online), or the
    logits are read (cached: no teacher). Both share the errors of one model, so the ends add. What
    the model computed is slowed by the distillation factor, what a user measured is not.

    Args:
        student: training speed of the student.
        teacher: forward speed of the teacher on the same GPUs; None where logits are cached.
        model: for the distillation factor.
    """
    passes = [student] if teacher is None else [student, teacher]
    return Range.total(distillation_seconds(one, model) for one in passes).divide(1.0)


def distillation_seconds(
    part: ThroughputEstimate, model: ThroughputModel, goodput: Range | None = None
) -> Range:
    """GPU-seconds per token of one part of a distillation step: the student's or the teacher's.

    Args:
        part: the speed of that part alone.
        model: for the distillation factor, which a user's own measured rate does not need.
        goodput: productive share of allocated time, for allocated seconds.
    """
    factors = [part.tokens_per_s_per_gpu]
    if part.basis == "model":
        factors.append(model.distillation)
    if goodput is not None:
        factors.append(goodput)
    return Range.independent_product(factors).divide(1.0)


def gpu_hours(tokens: float, rate: Range, goodput: Range) -> Range:
    """Allocated GPU-hours of a run: tokens / (rate * goodput), independent errors combined.

    Args:
        tokens: tokens of the run.
        rate: tokens/s/GPU.
        goodput: productive share of allocated time; `Range.exact(1)` for a benchmark's hours.
    """
    return Range.independent_product((rate, goodput)).divide(tokens / 3600)


def prediction_log_sd(work: Workload, gpu: Gpu, model: ThroughputModel, passes: float) -> float:
    """Standard deviation of log tokens/s: the class of the run, and what is not known about it."""
    kind = "fp8" if work.precision == Precision.FP8 else "dense"
    parts = [model.log_sd["mixture" if work.mixture else kind]]
    if not gpu.calibrated:
        parts.append(model.log_sd["new_gpu"])
    if gpu.vendor != CALIBRATED_VENDOR:
        parts.append(model.log_sd["other_vendor"])
    if gpu.matmul_flops_per_s is None:
        parts.append(model.log_sd["unmeasured_ceiling"])
    if work.attention is None:
        share = attention_share(work, gpu, model, passes)
        parts.append(share * model.log_sd["unknown_attention"])
    if work.checkpointing is None and passes > 1:
        parts.append(model.log_sd["unknown_checkpointing"])
    return math.hypot(*parts)


def _estimate(
    work: Workload, gpu: Gpu, model: ThroughputModel, passes: float
) -> ThroughputEstimate:
    """The model's own answer, with its factors and its error."""
    steps = gpu_seconds_per_token(work, gpu, model, passes)
    names = list(steps)
    pairs = pairwise(names)
    log_sd = prediction_log_sd(work, gpu, model, passes)
    mid, spread = 1 / steps[names[-1]], math.exp(Z80 * log_sd)
    tokens = Range(mid / spread, mid, mid * spread)
    return ThroughputEstimate(
        tokens_per_s_per_gpu=tokens,
        mfu=tokens.scale(passes * work.forward_flops / dense_peak(gpu)),
        factors={after: steps[before] / steps[after] for before, after in pairs},
        ideal_tokens_per_s_per_gpu=1 / steps["ideal"],
        basis="model",
        log_sd=log_sd,
    )


def _given(
    flops_per_token: float, gpu: Gpu, mfu: float | None, tokens_per_s: float | None
) -> ThroughputEstimate | None:
    """The user's own rate, when there is one."""
    if tokens_per_s is None and mfu is None:
        return None
    peak = dense_peak(gpu)
    if tokens_per_s is not None:
        if not (math.isfinite(tokens_per_s) and tokens_per_s > 0):
            raise InputError(f"tokens per second: {tokens_per_s} is not a rate; give more than 0")
        rate, basis = tokens_per_s, "tokens_per_s"
    else:
        if mfu is None or not 0 < mfu <= 1:
            raise InputError(f"mfu: {mfu} is not a share of the dense peak; give 0 < mfu <= 1")
        rate, basis = mfu * peak / flops_per_token, "mfu"
    return ThroughputEstimate(
        tokens_per_s_per_gpu=Range.exact(rate),
        mfu=Range.exact(rate * flops_per_token / peak),
        factors={},
        ideal_tokens_per_s_per_gpu=None,
        basis=basis,
        log_sd=0.0,
    )
