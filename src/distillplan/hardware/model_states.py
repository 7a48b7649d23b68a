"""Bytes of one pipeline stage on one GPU: its states, and the activations that it keeps.

States are after ZeRO (Rajbhandari et al. 2020, Figure 1): 2 + 2 + 12 bytes per parameter, of which
each stage of ZeRO divides one more; 2 + 4 + 12 with gradients summed in fp32 (Megatron Core), under
ZeRO-3 4 + 4 + 8, as only the fp32 weights are stored (FSDP); 2 + 2 + 4 for a model loaded in bf16,
or 2 + 2 + 2 with 8-bit moments.

Activations: Korthikanti et al. 2022 (arXiv 2205.05198, Equation 1) count s b h (34 + 5 a s / h)
bytes for one block of a GPT in 16 bits: every input of the backward pass. Counting by tensor
extends this to gated feed-forward blocks, grouped queries and mixtures, and reproduces it for a GPT
but for the masks of dropout. Fused attention never stores the term in a s / h. Tensor parallelism
divides everything by the group where it is sequence parallel (their Equation 4), and else what
matrix products take and give inside (their Equation 2).
"""

from dataclasses import dataclass
from typing import Any, Final

from distillplan.errors import InputError, Word
from distillplan.files.entries import read_shipped
from distillplan.hardware.strategy import (
    Attention,
    Checkpointing,
    Gradients,
    Offload,
    Optimizer,
    Sharding,
    Strategy,
)
from distillplan.models.shapes import Block, ModelShape

ACTIVATION_BYTES: Final = 2.0
"""Bytes of one activation; fp8 runs keep them in 16 bits too (as torchtitan measured)."""

GATHERED_BLOCKS: Final = 2
"""Blocks whose weights ZeRO-3 holds at once: the running one and the next."""

_LEVEL: Final = {sharding: level for level, sharding in enumerate(Sharding)}


@dataclass(frozen=True, slots=True)
class Stage:
    """One pipeline stage of a model on one GPU of its group."""

    blocks: range
    """Indices of its blocks; early stages have one more where they do not divide evenly."""
    runs: tuple[tuple[Block, int], ...]
    """Its neighboring blocks that are alike, and their number."""
    tables: float
    """Parameters of embedding and output projection, after tensor parallelism."""
    common: float
    """Parameters except routed experts, after tensor parallelism (taken to divide norms too)."""
    routed: float
    """Parameters of routed experts, after expert parallelism, or tensor parallelism without it."""
    shards: int
    """GPUs that hold the same stage, over which ZeRO divides its states."""
    expert_shards: int
    """GPUs that hold the same experts."""

    @property
    def block(self) -> float:
        """Parameters of its mean block."""
        return (self.common - self.tables + self.routed) / len(self.blocks)


def pipeline_stage(shape: ModelShape, strategy: Strategy, gpus: int, index: int) -> Stage:
    """What one GPU of a pipeline stage holds, counted from 0, of a run on so many GPUs."""
    small, more = divmod(shape.layers, strategy.pp)
    start = index * small + min(index, more)
    blocks = range(start, start + small + (1 if index < more else 0))
    runs = shape.runs_within(blocks)
    last = index == strategy.pp - 1
    tables = (shape.embedding_params if index == 0 else 0) + (shape.head_params if last else 0)
    if last and shape.tied and strategy.pp > 1:
        tables += shape.vocab * shape.width  # the last stage has its own copy of a tied table
    peers = gpus // strategy.pp
    group = strategy.ep if strategy.ep > 1 else strategy.tp  # of experts, else cut like the rest
    return Stage(
        blocks=blocks,
        runs=runs,
        tables=tables / strategy.tp,
        common=(sum(n * block.unrouted_params for block, n in runs) + tables) / strategy.tp,
        routed=sum(n * block.routed_params for block, n in runs) / group,
        shards=peers // strategy.tp,
        expert_shards=peers // group,
    )


def stage_states(stage: Stage, strategy: Strategy) -> dict[str, float]:
    """The lasting bytes of one stage on one GPU: `weights`, `gradients`, `optimizer_states`."""
    master, moments = bytes_of("optimizers", strategy.optimizer)
    weights, gradients = 2.0, 4.0 if gradients_of(strategy) is Gradients.FP32 else 2.0
    if strategy.sharding is Sharding.ZERO3 and gradients == 4.0 and master:
        weights, master = 4.0, 0.0

    def spread(each: float, level: Sharding) -> float:
        """So many bytes per parameter, which ZeRO divides from a level on."""
        if _LEVEL[strategy.sharding] < _LEVEL[level]:
            return stage.common * each + stage.routed * each
        return stage.common * each / stage.shards + stage.routed * each / stage.expert_shards

    found = {
        "weights": spread(weights, Sharding.ZERO3),
        "gradients": spread(gradients, Sharding.ZERO2),
        "optimizer_states": spread(master + moments, Sharding.ZERO1),
    }
    if strategy.optimizer is Optimizer.MUON:  # Adam's second moment of the tables
        shared = 1 if strategy.sharding is Sharding.NONE else stage.shards
        found["optimizer_states"] += 4.0 * stage.tables / shared
    if strategy.offload is not Offload.NONE:
        found["optimizer_states"] = 0.0
    if strategy.offload is Offload.ALL:
        found["weights"] = found["gradients"] = 0.0
    if gradients_of(strategy) is Gradients.IN_BACKWARD:  # of a block, or of the larger tables
        found["gradients"] = 2.0 * max(stage.block, stage.tables)
    return found


def bytes_of(kind: str, choice: str) -> Any:
    """Bytes by a choice of one kind, as coefficients/memory.yaml has and explains them."""
    return read_shipped("memory.yaml")[kind][choice]


def gradients_of(strategy: Strategy) -> Gradients:
    """How gradients are kept, default included."""
    if strategy.gradients is not None:
        return strategy.gradients
    master, _ = bytes_of("optimizers", strategy.optimizer)
    return Gradients.FP32 if master else Gradients.BF16


def collects(stage: Stage, strategy: Strategy) -> bool:
    """Whether weights lie elsewhere and are collected for use."""
    spread = strategy.sharding is Sharding.ZERO3 and stage.shards > 1
    return spread or strategy.offload is Offload.ALL


def gathered_bytes(stage: Stage, strategy: Strategy) -> float:
    """Bytes of whole 16-bit blocks that ZeRO-3 holds while a block runs, and of one gradient.

    Under a pipeline the whole stage stays gathered between micro-batches and its gradients are
    summed whole, as in FSDP. Weights in the memory of the host are gathered from there.
    """
    if not collects(stage, strategy):
        return 0.0
    if strategy.pp > 1:
        summed = gradients_of(strategy) is Gradients.FP32
        return (stage.common + stage.routed) * (6.0 if summed else 4.0)
    held = min(GATHERED_BLOCKS, len(stage.blocks)) + 1
    return 2.0 * (held * stage.block + stage.tables)


def refuse_impossible_layout(shape: ModelShape, strategy: Strategy, gpus: int) -> None:
    """Check that a launcher would accept a layout.

    Raises:
        InputError: when it does not divide the GPUs, the layers, the heads or the experts.
    """
    strategy.refuse_odd_groups(gpus)
    pp, tp, ep, peers = strategy.pp, strategy.tp, strategy.ep, gpus // strategy.pp
    layers, heads, experts = shape.layers, shape.heads, shape.experts
    dense, deep = ep > 1 and not experts, pp * (strategy.interleave or 1)
    stage = f"{peers} GPUs of one pipeline stage"
    for name, wrong, said in (
        ("pp", pp > layers, f"{pp} stages are more than the model's {layers} layers; use fewer"),
        ("interleave", deep > layers, f"{deep} stages are more than {layers} layers; use fewer"),
        ("tp", heads % tp, f"{tp} does not divide {heads} heads; use a divisor"),
        ("ep", dense, f"{ep} is for mixtures of experts; this model is dense, so leave it out"),
        ("ep", experts % ep, f"{ep} does not divide {experts} experts; use a divisor"),
        ("ep", peers % ep, f"{ep} does not divide the {stage}; use a divisor"),
    ):
        if wrong:
            raise InputError(Word(name), f": {said}")


def bytes_per_token(block: Block, width: int, strategy: Strategy, policy: Checkpointing) -> float:
    """Bytes per token of one block, in a residual stream of so many channels, on a GPU.

    They are what a policy keeps for the backward pass; `NONE` keeps all that a running block has:
    queries, keys, values and the attention output; inputs and output of the activation function.
    Each token is copied to its experts, and their outputs are kept to weigh them. torchtitan's
    selective policy keeps a block's input, what attention gives, and of the matrix products the
    first, third and so on. Keys are counted with the values: they are few where queries share them.
    Of latent attention it keeps the latents and expands them again, as DeepSeek-V3 was trained
    (arXiv 2412.19437, Section 3.2.3) and as `mla_up_proj` of Megatron Core does.
    """
    entered, after = ACTIVATION_BYTES * width, block.feed_forward
    kept, between = float(sum(mixer.kept_channels for mixer in block.mixers)), entered
    if policy is Checkpointing.FULL:
        kept = 0.0
    elif policy is Checkpointing.SELECTIVE:
        kept -= sum(mixer.expanded_channels for mixer in block.mixers)
        if after is not None:
            kept += after.hidden + after.active_experts * after.expert_hidden
            if after.matrices > 2:  # the third is the way out
                kept += (width if after.hidden else 0) + after.active_experts * after.expert_input
    else:
        if after is not None:
            routed = 2 * after.expert_input + after.matrices * after.expert_hidden
            kept += after.matrices * after.hidden + after.active_experts * routed
        # each part has a norm before it, which is kept too, and a sum behind
        between = 2 * (bool(block.mixers) + (after is not None)) * entered
    inside = ACTIVATION_BYTES * kept
    if policy is Checkpointing.NONE:
        heads = sum(mixer.heads for mixer in block.mixers if mixer.reaches)
        if strategy.attention is Attention.UNFUSED:  # the output of softmax
            inside += ACTIVATION_BYTES * heads * strategy.seq_len
        else:  # the fp32 log-sum-exp of FlashAttention
            inside += 4.0 * heads
    return inside / strategy.tp + between / (strategy.tp if strategy.sequence_parallel else 1)
