"""Losses over the vocabulary: bytes per logit that a GPU holds, and that a teacher's logits move.

Held: 16-bit logits 2, fp32 copy 4, log-probabilities 4, gradient 4 are the 28 GB that head and loss
of Gemma 2 take at 8192 tokens (Wijmans et al. 2025, arXiv 2411.09009, abstract); the teacher adds
its logits 2, their fp32 copy 4 and probabilities 4. PyTorch 2.11 on an H100 took 14.0 alone and
24.0 with a teacher (KL), 8.0 and 14.0 in 16 bits, and 34.0 for the divergence in 16 bits. Others
print 14.0 alone (NeMo RL), 60.2 for the divergence, and 71 for each logit of Liger's chunks.

Moved: the sum over PyTorch's kernels of what each reads and writes, forward and backward, with a
second and third reading of rows in softmax: 56 for cross-entropy, 118 for the KL divergence, 498
for TRL's divergence with its temperature and mask, half of that in 16 bits. At `STREAMED` of the
bandwidth of an H100 and 128256 rows these are 2.7, 5.7, 23.8 and 11.9 microseconds per token;
PyTorch 2.11 took 2.4, 5.7, 23.4 and 12.5.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from distillplan.hardware.gpu import Gpu
from distillplan.hardware.range import Range
from distillplan.hardware.strategy import Loss


class LossBytes(NamedTuple):
    """Bytes per logit of one implementation of a loss."""

    held: float
    """While the loss of a student alone is computed."""
    held_by_teacher: float
    """In addition with an online teacher."""
    moved: float
    """Read and written for cross-entropy, which the speed has in it."""
    moved_by_teacher: float
    """Read and written with an online teacher beyond that."""


LOSSES: Final[Mapping[Loss, LossBytes]] = {
    Loss.DENSE: LossBytes(held=14, held_by_teacher=10, moved=56, moved_by_teacher=118 - 56),
    # 60 with a teacher; 64 where both logits are copied to fp32 first
    Loss.JSD: LossBytes(held=34, held_by_teacher=26, moved=56, moved_by_teacher=498 - 56),
    Loss.JSD_16BIT: LossBytes(held=19, held_by_teacher=15, moved=56, moved_by_teacher=249 - 56),
    # no copies to fp32: 50 for the divergence, 22 for cross-entropy
    Loss.DENSE_16BIT: LossBytes(held=8, held_by_teacher=6, moved=22, moved_by_teacher=50 - 22),
    # all logits are read twice, for their sum and for the gradient, which takes their place
    Loss.FUSED: LossBytes(held=2, held_by_teacher=2, moved=6, moved_by_teacher=4),
    # a chunk with a teacher holds what the divergence does: Liger's, which TRL and ms-swift use
    Loss.CHUNKED: LossBytes(held=14, held_by_teacher=46, moved=56, moved_by_teacher=118 - 56),
}

CHUNK_TOKENS: Final = 1024
"""Tokens whose logits exist at once under a chunked loss."""

STREAMED: Final = 0.8
"""Share of the memory bandwidth that these kernels reach; between 0.76 and 0.90 in four losses."""

TIME_ERROR: Final = 0.3
"""Relative half width of the range of a rate: losses written by others are 17 and 28% faster
(Liger's references in PyTorch, H100)."""


def loss_rate(moved: float, vocab: float, gpu: Gpu) -> Range:
    """Tokens per second of kernels that read and write so many bytes per logit.

    Args:
        moved: bytes per logit.
        vocab: rows of the output projection.
        gpu: the GPU that they run on.
    """
    mid = STREAMED * gpu.memory_bytes_per_s / (moved * vocab)
    return Range(low=mid * (1 - TIME_ERROR), mid=mid, high=mid * (1 + TIME_ERROR))
