"""Tokens per second and GPU in training and in teacher forward passes, as a product of factors.

The ideal time of a token is its FLOPs at the measured matmul ceiling of the GPU. Every effect adds
time, and the ratio of the times before and after is that effect's factor:

    tokens/s/GPU = ceiling / FLOPs per token * sustained * precision * attention * elementwise
                   * recomputation * tensor_parallel * expert_parallel * data_parallel
                   * overhead * pipeline * scale_out * mixture

FLOPs count causal attention (half of the score matrix); sources that count the whole matrix print a
higher MFU for the same tokens/s, so only tokens/s is compared. The effects are in
`hardware.step_time`, with coefficients of `coefficients/throughput.yaml`.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from itertools import pairwise
from typing import Any, Final

from distillplan.accounting import TRAINING_PASSES
from distillplan.errors import InputError, Word
from distillplan.fields import not_positive
from distillplan.files.entries import Entry, read_shipped
from distillplan.hardware.gpu import Gpu, Precision
from distillplan.hardware.range import Range
from distillplan.hardware.step_time import dense_peak, gpu_seconds_per_token
from distillplan.hardware.strategy import Stack
from distillplan.hardware.workload import Workload

Z80: Final = 1.2815515655446004
"""Half width of the central 80% interval of a normal distribution, in standard deviations."""

CALIBRATED_VENDOR: Final = "NVIDIA"
"""Vendor of the GPUs of most runs in the calibration."""
SMALL_WIDTH: Final = 1100
"""Models of at most this many channels are a kind of their own: their products fill no GPU."""
LINKED_BYTES_PER_S: Final = 1e11
"""Slowest in-node link of a data-center GPU; a card on PCIe alone has less."""


class ErrorKind(StrEnum):
    """Kinds of runs whose speed is known to different degrees; the first that applies counts."""

    OTHER_VENDOR = "other_vendor"
    CARD = "card"
    """A GPU without a fast link: consumer and workstation cards."""
    MIXTURE = "mixture"
    FP8 = "fp8"
    SMALL = "small"
    DENSE = "dense"


class RateBasis(StrEnum):
    """Where a rate comes from: the speed model, or the user."""

    MODEL = "model"
    MFU = "mfu"
    TOKENS_PER_S = "tokens_per_s"


@dataclass(frozen=True, kw_only=True)
class ThroughputEstimate:
    """How fast one GPU of a run is, and why."""

    tokens_per_s_per_gpu: Range
    """Median and central 80% interval."""
    mfu: Range
    """Model FLOPs, with causal attention, over the dense 16-bit peak."""
    factors: Mapping[str, float] = field(default_factory=dict)
    """Factors of the ideal rate, in order; none where the rate was given."""
    ideal_tokens_per_s_per_gpu: float | None = None
    """Rate at the matmul ceiling, whose product with the factors is the median; None: given."""
    basis: RateBasis
    log_sd: float = 0.0
    """Standard deviation of log tokens/s; 0 where the rate was given."""

    def seconds(self, *factors: Range) -> Range:
        """Productive GPU-seconds per token, or with further factors of the speed allocated ones."""
        return Range.independent_product((self.tokens_per_s_per_gpu, *factors)).divide(1.0)


@dataclass(frozen=True, kw_only=True)
class ThroughputModel:
    """Physics with one number for each effect, explained in coefficients/throughput.yaml."""

    sustained: float
    power_exponent: float
    ceiling_exponent: float
    attention: float
    flash2_on_hopper: float
    elementwise_bytes: float
    logits_bytes: float
    score_bytes: float
    routed_bytes: float
    unfused: float
    overlap: float
    recompute: float
    tensor_link: float
    exposed: float
    layer_overhead_s: float
    expert_overhead_s: float
    step_overhead_s: float
    scale_out: float
    fp8: float
    plain_fp8: float
    mixture: float
    ceiling_share: Mapping[str, float]
    """Matmul ceiling over dense peak where it was not measured, by architecture or 'other'."""
    kernel_rate: Mapping[str, float]
    """Speed of an attention kernel over the best one of its GPU, by `Attention` or 'unknown'."""
    flash3_archs: tuple[str, ...]
    """Architectures on which FlashAttention-3 is the best."""
    log_sd: Mapping[str, float]
    """Standard deviation of log tokens/s by kind of run, and what adds to it."""
    held_out_error: Mapping[str, float]
    """Median relative error of tokens/s in runs that were not fitted, by kind of run."""
    goodput: Range
    """Productive share of allocated time; checkpoints, restarts and failures take the rest."""
    distillation: Range
    """Speed of a distillation step over that of its passes without the distillation loss."""

    @property
    def whole_run(self) -> Range:
        """Speed of a whole run over what its steps and goodput give: 1, with a range."""
        spread = math.exp(Z80 * self.log_sd["whole_run"])
        return Range(low=1 / spread, mid=1.0, high=spread)


def throughput_model(entry: Mapping[str, Any] | None = None) -> ThroughputModel:
    """The speed model, from the contents of coefficients/throughput.yaml or of one like it.

    Raises:
        InputError: when a coefficient is missing, unknown or not positive.
    """
    given = Entry(read_shipped("throughput.yaml") if entry is None else entry, "throughput")
    coefficients, shares = given.mapping("coefficients"), given.mapping("ceiling_share").positives()
    scalars = {
        one.name: coefficients.mapping(one.name).positive("value")
        for one in fields(ThroughputModel)
        if one.type is float
    }
    coefficients.finish()
    if "other" not in shares:
        raise InputError("throughput: ceiling_share has no 'other', for new architectures")
    left_out, stated = given.mapping("left_out").data, given.entries("errors")
    held_out = {one.text("group"): one.positive("median_error") for one in stated}
    return ThroughputModel(
        **scalars,
        ceiling_share=shares,
        kernel_rate=given.mapping("kernel_rate").positives(),
        flash3_archs=given.texts("flash3_archs"),
        log_sd=given.mapping("log_sd").positives(),
        held_out_error={kind: held_out[group] for kind, group in left_out.items()},
        goodput=given.mapping("goodput").record(Range),
        distillation=given.mapping("distillation").record(Range),
    )


def throughput(
    work: Workload,
    gpu: Gpu,
    model: ThroughputModel,
    passes: float = TRAINING_PASSES,
    *,
    mfu: float | None = None,
    tokens_per_s: float | None = None,
) -> ThroughputEstimate:
    """The speed of training, or of forward passes alone, such as a teacher's.

    Public measurements put prefill at 30% to 50% of peak, like training; so the same factors
    apply to forward passes, to a third of the FLOPs and of the traffic, with nothing recomputed.
    The user's own MFU stands in place of the model's, and tokens/s/GPU before both.

    Raises:
        InputError: when the user's number is impossible, or the GPU lacks the number format.
    """
    peak, flops, given = dense_peak(gpu), passes * work.forward_flops, tokens_per_s
    if mfu is not None and tokens_per_s is None:
        if not 0 < mfu <= 1:
            raise InputError(f"mfu: {mfu} is not a share of the dense peak; give 0 < mfu <= 1")
        given = mfu * peak / flops
    if error := not_positive(given, Word("tokens_per_s")):
        raise error
    if given is not None:
        return ThroughputEstimate(
            tokens_per_s_per_gpu=Range.exact(given),
            mfu=Range.exact(given * flops / peak),
            basis=RateBasis.MFU if tokens_per_s is None else RateBasis.TOKENS_PER_S,
        )
    steps = gpu_seconds_per_token(work, gpu, model, passes)
    log_sd = _prediction_log_sd(work, gpu, model, passes, steps)
    mid, spread = 1 / steps["mixture"], math.exp(Z80 * log_sd)
    most = max(peak, gpu.peak_flops_per_s.get(work.precision, 0.0)) / flops  # nothing is faster
    tokens = Range(low=mid / spread, mid=mid, high=min(mid * spread, most))
    return ThroughputEstimate(
        tokens_per_s_per_gpu=tokens,
        mfu=tokens.scale(flops / peak),
        factors={after: steps[before] / steps[after] for before, after in pairwise(steps)},
        ideal_tokens_per_s_per_gpu=1 / steps["ideal"],
        basis=RateBasis.MODEL,
        log_sd=log_sd,
    )


def error_kind(work: Workload, gpu: Gpu) -> ErrorKind:
    """The kind of run whose error applies."""
    if gpu.vendor != CALIBRATED_VENDOR:
        return ErrorKind.OTHER_VENDOR
    if gpu.intra_node_bytes_per_s < LINKED_BYTES_PER_S:
        return ErrorKind.CARD
    if work.mixture:
        return ErrorKind.MIXTURE
    if work.precision is Precision.FP8:
        return ErrorKind.FP8
    return ErrorKind.SMALL if work.width <= SMALL_WIDTH else ErrorKind.DENSE


def _prediction_log_sd(
    work: Workload, gpu: Gpu, model: ThroughputModel, passes: float, steps: Mapping[str, float]
) -> float:
    """Standard deviation of log tokens/s, from the kind of run and what is not known about it."""
    parts = [model.log_sd[error_kind(work, gpu)]]
    if work.stack is Stack.EAGER:
        parts.append(model.log_sd["eager"])
    if not gpu.calibrated:
        parts.append(model.log_sd["new_gpu"])
    if work.attention is None and work.stack is not Stack.TUNED:
        seconds = steps["sustained"] * work.attention_flops / work.product_flops
        share = (seconds + steps["attention"] - steps["precision"]) / steps["mixture"]
        parts.append(min(share, 1.0) * model.log_sd["unknown_attention"])
    if not work.mixture:  # what a mixture's host takes is most of the error of its kind
        share = 1 - steps["data_parallel"] / steps["overhead"]
        parts.append(share * model.log_sd["unknown_overhead"])
    if work.checkpointing is None and passes > 1:
        parts.append(model.log_sd["unknown_checkpointing"])
    return math.hypot(*parts)
