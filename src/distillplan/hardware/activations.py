"""Bytes that the forward pass keeps for the backward pass, per token and block.

Korthikanti et al. 2022 (arXiv 2205.05198, Equation 1) count s b h (34 + 5 a s / h) bytes for one
block of a GPT in 16 bits: every input that a backward pass needs. The same count by tensor covers
gated feed-forward blocks, grouped queries and mixtures, and gives their formula back for a GPT with
dropout. Fused attention never stores the term in a s / h. With tensor parallelism the count is
divided by the group, norms included (sequence parallelism, their Equation 4).
"""

from distillplan.hardware.strategy import Attention, Checkpointing, Strategy
from distillplan.models.shapes import ModelShape

BYTES = 2.0
"""Bytes of one activation; fp8 runs keep theirs in 16 bits too (torchtitan measured the same)."""


def kept_bytes_per_token(
    shape: ModelShape, strategy: Strategy, *, sparse: bool = False, dropout: bool = False
) -> float:
    """Bytes that one block keeps per token under a checkpointing policy, before parallelism.

    Args:
        shape: the model.
        strategy: its checkpointing, sequence length and kind of attention.
        sparse: whether the block is one with experts.
        dropout: whether the model drops activations, as GPTs of 2020 did; masks are kept.
    """
    if strategy.checkpointing is Checkpointing.FULL:
        return BYTES * shape.width  # its input
    recomputes_cheap = strategy.checkpointing is Checkpointing.SELECTIVE
    matrices = _matrix_inputs(shape, sparse=sparse)
    if recomputes_cheap:
        return matrices + BYTES * 2 * shape.width  # the two inputs of its norms
    cheap = BYTES * 4 * shape.width + _activation_outputs(shape, sparse=sparse)
    cheap += 2 * shape.width if dropout else 0  # two masks of one byte
    return matrices + cheap + _score_bytes(shape, strategy, dropout=dropout)


def working_bytes_per_token(
    shape: ModelShape, strategy: Strategy, *, sparse: bool = False
) -> float:
    """Bytes that exist while one block runs, whatever is kept afterwards."""
    scores = _score_bytes(shape, strategy, dropout=False)
    outputs = _activation_outputs(shape, sparse=sparse)
    return _matrix_inputs(shape, sparse=sparse) + BYTES * 4 * shape.width + outputs + scores


def _matrix_inputs(shape: ModelShape, *, sparse: bool) -> float:
    """Results of matrix products that the next step's backward pass reads.

    Queries, keys, values and the attention output; what goes into the activation function.
    """
    attention = 2 * shape.query_width + 2 * shape.key_width
    if not sparse:
        return BYTES * (attention + (shape.ffn_matrices - 1) * shape.ffn_width)
    # each token is copied to its experts, and their outputs are kept to weigh them
    routed = shape.active_experts * (
        2 * shape.width + (shape.ffn_matrices - 1) * shape.expert_ffn_width
    )
    shared = (shape.ffn_matrices - 1) * shape.shared_ffn_width
    return BYTES * (attention + routed + shared)


def _activation_outputs(shape: ModelShape, *, sparse: bool) -> float:
    """What the activation function puts into the last matrix of the feed-forward block."""
    if not sparse:
        return BYTES * shape.ffn_width
    return BYTES * (shape.active_experts * shape.expert_ffn_width + shape.shared_ffn_width)


def _score_bytes(shape: ModelShape, strategy: Strategy, *, dropout: bool) -> float:
    """Attention's own: a statistic per head, or the score matrix where attention is not fused."""
    if strategy.attention is not Attention.UNFUSED:
        return 4.0 * shape.heads  # the fp32 log-sum-exp of FlashAttention
    # softmax output; with dropout also its mask of one byte and its output
    return (5.0 if dropout else 2.0) * shape.heads * strategy.seq_len
