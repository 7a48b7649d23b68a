"""Bytes that the forward pass keeps for the backward pass, per token and block.

Korthikanti et al. 2022 (arXiv 2205.05198, Equation 1) count s b h (34 + 5 a s / h) bytes for one
block of a GPT in 16 bits: every input of the backward pass. Counting by tensor extends this to
gated feed-forward blocks, grouped queries and mixtures, and reproduces it for a GPT with dropout.
Fused attention never stores the term in a s / h. Tensor parallelism divides everything by the
group, norms included (sequence parallelism, their Equation 4).
"""

from distillplan.hardware.strategy import Attention, Checkpointing, Strategy
from distillplan.models.shapes import ModelShape

BYTES = 2.0
"""Bytes of one activation; fp8 runs keep them in 16 bits too (torchtitan measured the same)."""


def kept_bytes_per_token(
    shape: ModelShape, strategy: Strategy, *, sparse: bool = False, dropout: bool = False
) -> float:
    """Bytes per token that one block keeps under a checkpointing policy, before parallelism.

    Args:
        shape: the model.
        strategy: its checkpointing, sequence length and attention kernel.
        sparse: whether the block has experts.
        dropout: whether activations are dropped, as in GPTs of 2020; masks are kept.
    """
    if strategy.checkpointing is Checkpointing.FULL:
        return BYTES * shape.width  # its input
    matrices = _matrix_inputs(shape, sparse=sparse)
    if strategy.checkpointing is Checkpointing.SELECTIVE:
        return matrices + BYTES * 2 * shape.width  # the two inputs of its norms
    cheap = BYTES * 4 * shape.width + _activation_outputs(shape, sparse=sparse)
    cheap += 2 * shape.width if dropout else 0  # two masks of one byte
    return matrices + cheap + _score_bytes(shape, strategy, dropout=dropout)


def working_bytes_per_token(
    shape: ModelShape, strategy: Strategy, *, sparse: bool = False
) -> float:
    """Bytes per token while one block runs, whatever is kept afterwards."""
    scores = _score_bytes(shape, strategy, dropout=False)
    outputs = _activation_outputs(shape, sparse=sparse)
    return _matrix_inputs(shape, sparse=sparse) + BYTES * 4 * shape.width + outputs + scores


def _matrix_inputs(shape: ModelShape, *, sparse: bool) -> float:
    """Bytes per token of results of matrix products that the backward pass reads.

    Queries, keys, values and the attention output, and the inputs of the activation function.
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
    """Bytes per token of the activation function's output."""
    if not sparse:
        return BYTES * shape.ffn_width
    return BYTES * (shape.active_experts * shape.expert_ffn_width + shape.shared_ffn_width)


def _score_bytes(shape: ModelShape, strategy: Strategy, *, dropout: bool) -> float:
    """Bytes per token in attention: a statistic per head, or the score matrix if not fused."""
    if strategy.attention is not Attention.UNFUSED:
        return 4.0 * shape.heads  # the fp32 log-sum-exp of FlashAttention
    # softmax output; with dropout also its mask of one byte and its output
    return (5.0 if dropout else 2.0) * shape.heads * strategy.seq_len
