"""GPU-seconds of one token, effect by effect: the physics behind tokens/s."""

import math
from typing import TYPE_CHECKING, Final

from distillplan.files.entries import read_shipped
from distillplan.hardware.gpu import Gpu, Precision, refuse_precision
from distillplan.hardware.range import Range
from distillplan.hardware.strategy import (
    DEFAULT_GLOBAL_TOKENS,
    Attention,
    Checkpointing,
    Sharding,
    Stack,
)
from distillplan.hardware.workload import Workload

if TYPE_CHECKING:
    from distillplan.hardware.throughput import ThroughputModel

REFERENCE_DENSITY: Final = 312e12 / 400
"""Dense peak FLOPs/s per watt of an A100 SXM, which holds its clocks under load."""

DEFAULT_REPLICA_TOKENS: Final = 8192.0
"""Default tokens per replica and pass; one sequence where that is longer."""

MOST_EXPERTS: Final = 32
"""Routed experts of a block on one GPU of published runs; what more of them take is not known."""

OPTIMIZER_BYTES: Final = 32.0
"""Bytes that Adam moves per parameter: weights and moments in fp32, read and written, gradients."""


def matmul_ceiling(gpu: Gpu, model: "ThroughputModel") -> float:
    """FLOPs/s of the best 16-bit matrix product: measured, or else a share of the peak.

    On NVIDIA's GPUs it falls with the FLOPs per watt, as the power limit throttles the clock.
    """
    if gpu.matmul_flops_per_s is not None:
        return gpu.matmul_flops_per_s
    shares = model.ceiling_share
    if gpu.arch in shares or gpu.power_watts is None:
        return shares.get(gpu.arch, shares["other"]) * dense_peak(gpu)
    share = shares["reference"] * _throttle(gpu) ** model.ceiling_exponent
    return min(share, shares["most"]) * dense_peak(gpu)


def loss_rate(moved: float, vocab: float, gpu: Gpu) -> Range:
    """Tokens per second of kernels that read and write so many bytes for each logit of a token."""
    told = read_shipped("memory.yaml")
    rate = told["streamed"] * gpu.memory_bytes_per_s / (moved * vocab)
    return Range.within(rate, told["error"])


def dense_peak(gpu: Gpu) -> float:
    """Dense 16-bit peak in FLOPs/s: bf16, or fp16 on GPUs without it."""
    return gpu.peak_flops_per_s.get("bf16") or gpu.peak_flops_per_s["fp16"]


def gpu_seconds_per_token(
    work: Workload, gpu: Gpu, model: "ThroughputModel", passes: float
) -> dict[str, float]:
    """Cumulative GPU-seconds per token, by effect: `ideal`, then after each effect in turn.

    There are `TRAINING_PASSES`, or 1 where there are forward passes alone.

    Raises:
        InputError: when the GPU lacks the number format of the run.
    """
    rate, training = matmul_ceiling(gpu, model), passes > 1
    # a benchmark runs at full clocks; under load those of GPUs with many FLOPs per watt throttle
    kept = rate * min(model.sustained * _throttle(gpu) ** model.power_exponent, 1.0)
    products = (2 * work.block_params, work.head_flops, work.attention_flops)
    blocks, head, attention = (passes * flops / kept for flops in products)
    steps = {"ideal": passes * work.product_flops / rate, "sustained": blocks + head + attention}

    if work.precision is Precision.FP8:
        refuse_precision(gpu, work.precision)
        share = model.fp8 if work.stack is Stack.TUNED else model.fp8 * model.plain_fp8
        blocks /= max(share * gpu.peak_flops_per_s["fp8"] / dense_peak(gpu), 1.0)
    steps["precision"] = blocks + head + attention

    attention /= _attention_rate(work, gpu, model)
    steps["attention"] = blocks + head + attention

    layer_traffic, logit_traffic = (
        passes / 3 * moved / gpu.memory_bytes_per_s for moved in _elementwise_bytes(work, model)
    )
    compute = steps["elementwise"] = blocks + head + attention + layer_traffic + logit_traffic

    if training:  # a second forward pass is a third of three; selective: every second product
        inside = blocks + attention + layer_traffic
        # fused attention recomputes its scores anyway, so that repeating it costs nothing
        scores = attention / 3 if work.attention is Attention.UNFUSED else 0.0
        again: dict[Checkpointing | None, float] = {
            Checkpointing.FULL: inside / 3,
            Checkpointing.SELECTIVE: (inside - attention) / 6 + scores,
            Checkpointing.ATTENTION: scores,
        }
        compute += model.recompute * again.get(work.checkpointing, 0.0)
    steps["recomputation"] = compute

    shown = model.overlap if work.stack is Stack.TUNED else 1.0  # of what could be hidden
    # per layer two in a forward pass, and two (not four) in a backward one
    exchanges = 4.0 if training else 2.0
    if training and work.checkpointing is Checkpointing.FULL:
        exchanges += 2.0
    # a ring moves 2 (t-1)/t of a 16-bit tensor through each of t GPUs for the same token
    traffic = exchanges * 2 * 2 * (work.tp - 1) * work.width * work.layers
    compute += shown * (traffic / (model.tensor_link * gpu.link_bytes_per_s(work.tp)))
    steps["tensor_parallel"] = compute
    compute += shown * _expert_seconds(work, gpu, model, exchanges)
    steps["expert_parallel"] = compute
    # more traffic than computation would make more GPUs useless; gradient accumulation avoids it
    compute += min(shown * _replica_seconds(work, gpu, model, passes), compute)
    steps["data_parallel"] = compute
    # the host launches while the GPU computes, so a pass takes little more than the longer of both,
    # but they wait for each other where it must know how many tokens an expert has
    each = _unfused(work, model) * passes / 3 * work.replica_gpus / _replica_tokens(work)
    compute = math.hypot(compute, each * model.layer_overhead_s * work.layers / work.pp)
    compute += each * model.expert_overhead_s * _experts_held(work, gpu)
    if training:  # the optimizer's step and what surrounds it, spread over the step's tokens
        whole, each = work.sharding is Sharding.NONE, work.stored_params / work.gpus
        moved = OPTIMIZER_BYTES * (_held_params(work, gpu) if whole else each)
        seconds = moved / gpu.memory_bytes_per_s + _unfused(work, model) * model.step_overhead_s
        compute += seconds * work.gpus / _global_tokens(work)
    steps["overhead"] = compute
    if training:  # a pipeline idles for (p - 1) / (micro-batches * stages per GPU) of its time
        batches = max(_global_tokens(work) / work.replicas / _replica_tokens(work), 1.0)
        compute *= 1 + (work.pp - 1) / (batches * work.stages_per_gpu(work.layers))
    steps["pipeline"] = compute
    node = max(gpu.link_domain, gpu.gpus_per_node)  # bridges link pairs of cards within one
    compute *= max(work.gpus / node, 1.0) ** model.scale_out
    steps["scale_out"] = compute
    compute /= model.mixture if work.mixture else 1.0
    steps["mixture"] = compute
    return steps


def _throttle(gpu: Gpu) -> float:
    """FLOPs/s per watt of `REFERENCE_DENSITY` over the GPU's; 1 where its power is not known."""
    return 1.0 if gpu.power_watts is None else REFERENCE_DENSITY * gpu.power_watts / dense_peak(gpu)


def _attention_rate(work: Workload, gpu: Gpu, model: "ThroughputModel") -> float:
    """Speed of attention relative to the other products.

    PyTorch's context parallelism, which comes with fully sharded weights, leaves the last of n
    parts of a causal sequence with 2 - 1/n of the mean work; others balance it.
    """
    if work.attention is None and work.stack is Stack.TUNED:
        return model.attention  # cuDNN's, in Transformer Engine
    rate = model.attention * model.kernel_rate[work.attention or "unknown"]
    if gpu.arch in model.flash3_archs and work.attention is not Attention.FLASH3:
        rate *= model.flash2_on_hopper
    if work.stack is Stack.TUNED or work.sharding is not Sharding.ZERO3:
        return rate
    return rate / (2 - 1 / work.cp)


def _elementwise_bytes(work: Workload, model: "ThroughputModel") -> tuple[float, float]:
    """Bytes moved per training token outside matrix products: in blocks, and for logits."""
    scores = 0.0
    if work.attention is Attention.UNFUSED:
        scores = model.score_bytes * work.heads * work.seq_len
    routed = model.routed_bytes * work.active_experts * (work.width + work.expert_width)
    unfused = _unfused(work, model)
    each = unfused * (model.elementwise_bytes * work.width + routed)
    return work.layers * (each + scores), unfused * model.logits_bytes * work.vocab


def _unfused(work: Workload, model: "ThroughputModel") -> float:
    """Memory traffic and launches of a stack over those of compiled software."""
    return {Stack.TUNED: 1 / model.unfused, Stack.EAGER: model.unfused}.get(work.stack, 1.0)


def _expert_seconds(work: Workload, gpu: Gpu, model: "ThroughputModel", trips: float) -> float:
    """Seconds in which tokens travel to their experts and back.

    Between nodes a token is sent once to each node that has one of its experts. Those are among
    a few nodes where routing is limited to them (DeepSeek-V3, arXiv 2412.19437, Section 2.1.2).
    """
    group = _expert_group(work, gpu)
    each = 1.5 if work.precision is Precision.FP8 else 2.0  # sent in fp8, returned in 16 bits
    token = trips * each * work.width * work.layers
    inside = work.active_experts * (1 - 1 / min(group, gpu.link_domain))
    seconds = token * inside / gpu.intra_node_bytes_per_s
    if group > gpu.link_domain:
        nodes = group / gpu.link_domain
        between = gpu.link_bytes_per_s(group)
        among = max(nodes * work.reachable_share, 1.0)
        reached = among * (1 - (1 - 1 / among) ** work.active_experts)  # of experts at random
        seconds += token * reached * (1 - 1 / nodes) / between
    return seconds / model.tensor_link


def _replica_seconds(work: Workload, gpu: Gpu, model: "ThroughputModel", passes: float) -> float:
    """Seconds of traffic between replicas that computation does not hide.

    Under ZeRO-3 weights are gathered for each pass and gradients scattered, 2 bytes per weight each
    time; otherwise gradients and new weights are exchanged once per optimizer step.
    """
    gathered, held = work.sharding in (Sharding.ZERO3, None), _held_params(work, gpu)
    if work.replicas <= 1 or (passes == 1 and not gathered):
        return 0.0
    crossing, tokens = 6 * held, _global_tokens(work) / work.replicas
    if gathered:
        crossing, tokens = 2 * passes * held, _replica_tokens(work)
    seconds = crossing * _seconds_per_byte(work, gpu) * work.replica_gpus / tokens
    return model.exposed * seconds


def _held_params(work: Workload, gpu: Gpu) -> float:
    """Parameters that one GPU holds without sharding; those of a mixture are nearly all experts."""
    group = _expert_group(work, gpu) if work.mixture else work.tp
    return work.stored_params / (work.pp * group)


def _experts_held(work: Workload, gpu: Gpu) -> float:
    """Routed experts of all blocks on one GPU, each of three matrices; 0 for a dense model."""
    matrices = 3 * work.width * work.expert_width
    if not (work.mixture and matrices):
        return 0.0
    return min(_held_params(work, gpu) / matrices, MOST_EXPERTS * work.layers / work.pp)


def _expert_group(work: Workload, gpu: Gpu) -> int:
    """GPUs of a stage that share one copy of the experts; by default those on the fast link."""
    return work.ep if work.ep > 1 else max(min(gpu.link_domain, work.gpus // work.pp), 1)


def _seconds_per_byte(work: Workload, gpu: Gpu) -> float:
    """Seconds for one byte from a GPU's peers in other replicas.

    A share 1 - domain/GPUs of a collective's bytes comes from beyond the fast link. They enter
    through all network cards of that domain, one per GPU, which the tensor-parallel ranks share;
    that is never faster than the link inside.
    """
    inside = 1 / gpu.intra_node_bytes_per_s
    if work.gpus <= gpu.link_domain:
        return inside
    between = gpu.link_bytes_per_s(work.gpus)
    outside = max(1 / (between * max(gpu.link_domain / work.tp, 1.0)), inside)
    return inside + (outside - inside) * (1 - gpu.link_domain / work.gpus)


def _replica_tokens(work: Workload) -> float:
    """Tokens per replica and pass; by default one sequence in model-parallel runs."""
    if work.micro_batch is not None:
        return work.micro_batch * work.seq_len
    return work.seq_len if work.replica_gpus > 1 else max(DEFAULT_REPLICA_TOKENS, work.seq_len)


def _global_tokens(work: Workload) -> float:
    """Tokens per optimizer step, of at least one pass of every replica."""
    given = DEFAULT_GLOBAL_TOKENS if work.global_tokens is None else work.global_tokens
    return max(given, work.replicas * _replica_tokens(work))
