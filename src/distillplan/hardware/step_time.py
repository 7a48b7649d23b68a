"""GPU-seconds of one token, effect by effect: the physics behind tokens/s."""

from collections.abc import Mapping
from typing import Final

from distillplan.errors import InputError
from distillplan.hardware.gpu import Gpu, Precision
from distillplan.hardware.machine_checks import refuse_precision
from distillplan.hardware.strategy import Attention, Checkpointing, Sharding, stages_per_gpu
from distillplan.hardware.throughput_model import ThroughputModel
from distillplan.hardware.workload import Workload

REFERENCE_DENSITY: Final = 312e12 / 400
"""Dense peak FLOPs/s per watt of an A100 SXM, which holds its clocks under load."""

DEFAULT_GLOBAL_TOKENS: Final = 4.0 * 2**20
"""Default tokens per optimizer step: the usual 4M of runs of 7B to 70B."""

DEFAULT_REPLICA_TOKENS: Final = 8192.0
"""Default tokens per replica and pass; one sequence where that is longer."""

TYPICAL_LINK_RATIO: Final = 12.0
"""Default ratio of the in-node link to the network card, as in A100 nodes (300 / 25)."""

KERNEL_RATE: Final[Mapping[Attention | None, float]] = {
    Attention.UNFUSED: 0.5,  # computes the whole score matrix, of which causal needs half
    Attention.FLASH1: 0.5,  # "around 2x speedup" of the second generation, arXiv 2307.08691
    Attention.FLASH2: 1.0,
    None: 0.6,  # not stated: between the two, nearer the slow one, to be on the safe side
}
"""Speed of an attention kernel relative to FlashAttention-2."""


def matmul_ceiling(gpu: Gpu, model: ThroughputModel) -> float:
    """FLOPs/s of the best 16-bit matrix product: measured, or else a share of the peak."""
    if gpu.matmul_flops_per_s is not None:
        return gpu.matmul_flops_per_s
    share = model.ceiling_share.get(gpu.arch, model.ceiling_share["other"])
    return share * dense_peak(gpu)


def dense_peak(gpu: Gpu) -> float:
    """Dense 16-bit peak in FLOPs/s: bf16, or fp16 on GPUs without it.

    Raises:
        InputError: when neither is known.
    """
    peak = gpu.peak_flops_per_s.get("bf16") or gpu.peak_flops_per_s.get("fp16")
    if peak is None:
        raise InputError(f"GPU {gpu.name}: no bf16 or fp16 peak; give dense_bf16_tflops")
    return peak


def gpu_seconds_per_token(
    work: Workload, gpu: Gpu, model: ThroughputModel, passes: float
) -> dict[str, float]:
    """Cumulative GPU-seconds per token, by effect: `ideal`, then after each effect in turn.

    Args:
        work: sizes and layout.
        gpu: the GPU.
        model: calibrated coefficients.
        passes: `TRAINING_PASSES` in training, 1 in forward passes alone.

    Raises:
        InputError: when the GPU lacks the number format of the run.
    """
    rate = matmul_ceiling(gpu, model)
    kept = rate * _sustained_share(gpu, model)
    training = passes > 1
    blocks = passes * work.block_flops / kept
    head = passes * work.head_flops / kept
    attention = passes * work.attention_flops / kept
    steps = {"ideal": passes * work.product_flops / rate, "sustained": blocks + head + attention}

    blocks /= _precision_speedup(work.precision, gpu, model)
    steps["precision"] = blocks + head + attention

    attention /= model.attention * KERNEL_RATE[work.attention]
    steps["attention"] = blocks + head + attention

    layer_bytes, logit_bytes = _elementwise_bytes(work, model)
    layer_traffic = passes / 3 * layer_bytes / gpu.memory_bytes_per_s
    logit_traffic = passes / 3 * logit_bytes / gpu.memory_bytes_per_s
    compute = blocks + head + attention + layer_traffic + logit_traffic
    steps["elementwise"] = compute

    if training:
        compute += model.recompute * _recomputed(
            work, blocks + attention + layer_traffic, attention
        )
    steps["recomputation"] = compute

    compute += _tensor_parallel_seconds(work, gpu, model, passes)
    steps["tensor_parallel"] = compute
    # more traffic than computation would make more GPUs useless; gradient accumulation avoids it
    compute += min(_data_parallel_seconds(work, gpu, model, passes), compute)
    steps["data_parallel"] = compute
    compute += _overhead_seconds(work, model, passes)
    steps["overhead"] = compute
    compute *= 1 + (_bubble(work) if training else 0.0)
    steps["pipeline"] = compute
    compute *= max(work.gpus / gpu.link_domain, 1.0) ** model.scale_out
    steps["scale_out"] = compute
    compute /= model.mixture if work.mixture else 1.0
    steps["mixture"] = compute
    return steps


def attention_share(work: Workload, gpu: Gpu, model: ThroughputModel, passes: float) -> float:
    """Share of a step's time that attention takes, whose kernels differ most in speed."""
    kept = matmul_ceiling(gpu, model) * _sustained_share(gpu, model)
    rate = kept * model.attention * KERNEL_RATE[work.attention]
    total = list(gpu_seconds_per_token(work, gpu, model, passes).values())[-1]
    return min(passes * work.attention_flops / rate / total, 1.0)


def _sustained_share(gpu: Gpu, model: ThroughputModel) -> float:
    """Share of the matmul ceiling that is sustained for a whole step.

    A short benchmark runs at full clocks; under sustained load the power limit throttles GPUs with
    many FLOPs per watt. The share is constant up to `REFERENCE_DENSITY` and falls as a power of
    the density beyond.
    """
    if gpu.power_watts is None:
        return model.sustained
    density = dense_peak(gpu) / gpu.power_watts
    return model.sustained * min(REFERENCE_DENSITY / density, 1.0) ** model.power_exponent


def _precision_speedup(precision: Precision, gpu: Gpu, model: ThroughputModel) -> float:
    """Speed of the blocks' products relative to 16 bits."""
    if precision is not Precision.FP8:
        return 1.0
    refuse_precision(gpu, precision)
    return max(model.fp8 * gpu.peak_flops_per_s["fp8"] / dense_peak(gpu), 1.0)


def _elementwise_bytes(work: Workload, model: ThroughputModel) -> tuple[float, float]:
    """Bytes moved per training token outside matrix products: in blocks, and for logits."""
    scores = 0.0
    if work.attention is Attention.UNFUSED:
        scores = model.score_bytes * work.heads * work.seq_len
    blocks = work.layers * (model.elementwise_bytes * work.width + scores)
    return blocks, model.logits_bytes * work.vocab


def _recomputed(work: Workload, block_seconds: float, attention_seconds: float) -> float:
    """Seconds of the second forward pass, a third of three passes.

    Fused attention recomputes its scores anyway, so selective checkpointing costs it nothing.
    """
    if work.checkpointing is Checkpointing.FULL:
        return block_seconds / 3
    if work.checkpointing is Checkpointing.SELECTIVE and work.attention is Attention.UNFUSED:
        return attention_seconds / 3
    return 0.0


def _tensor_parallel_seconds(
    work: Workload, gpu: Gpu, model: ThroughputModel, passes: float
) -> float:
    """Seconds of the all-reduces in a tensor-parallel group: two per layer and pass, in 16 bits.

    A ring moves 2 (t-1)/t of the tensor through each of t GPUs for the same token. The backward
    pass has two as well (not four), so a step has 4, and a recomputed forward pass adds 2.
    """
    if work.tp == 1:
        return 0.0
    reduces = 2.0 if passes == 1 else 4.0
    if passes > 1 and work.checkpointing is Checkpointing.FULL:
        reduces += 2.0
    link = gpu.intra_node_bytes_per_s
    if work.tp > gpu.link_domain and gpu.inter_node_bytes_per_s is not None:
        link = gpu.inter_node_bytes_per_s
    traffic = reduces * 2 * 2 * (work.tp - 1) * work.width * work.layers
    return traffic / (model.tensor_link * link)


def _data_parallel_seconds(
    work: Workload, gpu: Gpu, model: ThroughputModel, passes: float
) -> float:
    """Seconds of traffic between replicas that computation does not hide.

    Under ZeRO-3 weights are gathered for the forward and for the backward pass and gradients are
    scattered, 2 bytes per weight each time; otherwise gradients and new weights are exchanged once
    per optimizer step.
    """
    if work.replicas <= 1:
        return 0.0
    held = work.stored_params / (work.tp * work.pp * _expert_group(work, gpu))
    if work.sharding in (Sharding.ZERO3, None):
        crossing, tokens = 2 * passes * held, _replica_tokens(work)
    elif passes == 1:
        return 0.0
    else:
        crossing, tokens = 6 * held, _global_tokens(work) / work.replicas
    seconds = crossing * _seconds_per_byte(work, gpu) * work.replica_gpus / tokens
    return model.exposed * seconds


def _expert_group(work: Workload, gpu: Gpu) -> int:
    """GPUs that share one copy of the experts; by default those on the fast link."""
    if not work.mixture or work.ep > 1:
        return work.ep
    return max(min(gpu.link_domain, work.gpus) // work.tp, 1)


def _seconds_per_byte(work: Workload, gpu: Gpu) -> float:
    """Seconds for one byte from a GPU's peers in other replicas.

    A share 1 - domain/GPUs of a collective's bytes comes from other nodes. They enter a node (or a
    rack, where the fast link spans one) through all of its network cards, one per GPU, which the
    tensor-parallel ranks share; that is never faster than the link inside.
    """
    inside = 1 / gpu.intra_node_bytes_per_s
    if work.gpus <= gpu.link_domain:
        return inside
    between = gpu.inter_node_bytes_per_s or gpu.intra_node_bytes_per_s / TYPICAL_LINK_RATIO
    outside = max(1 / (between * max(gpu.link_domain / work.tp, 1.0)), inside)
    return inside + (outside - inside) * (1 - gpu.link_domain / work.gpus)


def _overhead_seconds(work: Workload, model: ThroughputModel, passes: float) -> float:
    """Fixed seconds per layer, spread over the tokens of one pass.

    A tensor-parallel layer also waits for four collectives, each about half as long.
    """
    waits = 1.0 if work.tp == 1 else 3.0
    fixed = waits * model.layer_overhead_s * work.layers * passes / 3
    return fixed * work.tp * work.cp / _replica_tokens(work)


def _bubble(work: Workload) -> float:
    """Idle time of a pipeline over its busy time: (p - 1) / (micro-batches * stages per GPU)."""
    if work.pp == 1:
        return 0.0
    batches = max(_global_tokens(work) / work.replicas / _replica_tokens(work), 1.0)
    return (work.pp - 1) / (batches * stages_per_gpu(work.interleave, work.layers, work.pp))


def _replica_tokens(work: Workload) -> float:
    """Tokens per replica and pass; by default one sequence in model-parallel runs."""
    if work.micro_batch is not None:
        return work.micro_batch * work.seq_len
    return work.seq_len if work.replica_gpus > 1 else max(DEFAULT_REPLICA_TOKENS, work.seq_len)


def _global_tokens(work: Workload) -> float:
    """Tokens per optimizer step, of at least one pass of every replica."""
    given = DEFAULT_GLOBAL_TOKENS if work.global_tokens is None else work.global_tokens
    return max(given, work.replicas * _replica_tokens(work))
