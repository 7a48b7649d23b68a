"""Bytes that the forward pass keeps for the backward pass, per token and block.

Korthikanti et al. 2022 (arXiv 2205.05198, Equation 1) count s b h (34 + 5 a s / h) bytes for one
block of a GPT in 16 bits: every input of the backward pass. Counting by tensor extends this to
gated feed-forward blocks, grouped queries and mixtures, and reproduces it for a GPT but for the
masks of dropout, which nobody trains with today.
Fused attention never stores the term in a s / h. Tensor parallelism divides everything by the
group, norms included, where it is sequence parallel (their Equation 4), and else what matrix
products take and give inside (their Equation 2).
"""

from distillplan.hardware.strategy import Attention, Checkpointing, Strategy
from distillplan.models.shapes import Block

BYTES = 2.0
"""Bytes of one activation; fp8 runs keep them in 16 bits too (torchtitan measured the same)."""


def kept_bytes_per_token(block: Block, width: int, strategy: Strategy) -> float:
    """Bytes per token of one block that a GPU keeps under a checkpointing policy.

    The width is that of the residual stream.
    """
    inside, between = _inside_bytes(block), BYTES * 2 * _parts(block) * width  # and of norms
    if strategy.checkpointing is Checkpointing.FULL:
        inside, between = 0.0, BYTES * width  # its input
    elif strategy.checkpointing is Checkpointing.SELECTIVE:
        inside, between = _every_second_product(block, width), BYTES * width
    elif strategy.checkpointing is Checkpointing.NONE:
        inside += _score_bytes(block, strategy)
    return _divided(inside, between, strategy)


def working_bytes_per_token(block: Block, width: int, strategy: Strategy) -> float:
    """Bytes per token on a GPU while one block runs, whatever is kept afterwards."""
    inside = _inside_bytes(block) + _score_bytes(block, strategy)
    return _divided(inside, BYTES * 2 * _parts(block) * width, strategy)


def _divided(inside: float, between: float, strategy: Strategy) -> float:
    """A GPU's share of bytes inside the parts of a block, and between them."""
    return inside / strategy.tp + between / (strategy.tp if strategy.sequence_parallel else 1)


def _every_second_product(block: Block, width: int) -> float:
    """Bytes per token that torchtitan's selective policy keeps besides a block's input.

    It keeps what attention gives, and of the matrix products the first, third and so on. Keys are
    counted with the values: they are few where queries share them.
    """
    after = block.feed_forward
    kept = float(sum(mixer.kept_channels for mixer in block.mixers))
    if after is not None:
        kept += after.hidden + after.active_experts * after.expert_hidden
        if after.matrices > 2:  # the third is the way out
            kept += (width if after.hidden else 0) + after.active_experts * after.expert_input
    return BYTES * kept


def _parts(block: Block) -> int:
    """Parts with a norm before them and a sum behind: mixers, and what follows them."""
    return (1 if block.mixers else 0) + (0 if block.feed_forward is None else 1)


def _inside_bytes(block: Block) -> float:
    """Bytes per token of what the backward pass reads inside the parts of a block.

    Queries, keys, values and the attention output; inputs and output of the activation function.
    Each token is copied to its experts, and their outputs are kept to weigh them.
    """
    kept = float(sum(mixer.kept_channels for mixer in block.mixers))
    after = block.feed_forward
    if after is not None:
        routed = 2 * after.expert_input + after.matrices * after.expert_hidden
        kept += after.matrices * after.hidden + after.active_experts * routed
    return BYTES * kept


def _score_bytes(block: Block, strategy: Strategy) -> float:
    """Bytes per token in attention: a statistic per head, or the score matrix if not fused."""
    heads = sum(mixer.heads for mixer in block.mixers if mixer.reaches)
    if strategy.attention is not Attention.UNFUSED:
        return 4.0 * heads  # the fp32 log-sum-exp of FlashAttention
    return BYTES * heads * strategy.seq_len  # the output of softmax
