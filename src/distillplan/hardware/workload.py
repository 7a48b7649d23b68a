"""What a run asks of one GPU: the sizes that set its speed, from a model's shape and a layout.

What a published benchmark does not state is None here; `hardware.step_time` has defaults for it.
"""

from dataclasses import dataclass, fields, replace
from typing import Any, Final

from distillplan.hardware.strategy import Checkpointing, Execution, Sharding, Strategy
from distillplan.models.architecture import HEAD_WIDTH, FixedAspect
from distillplan.models.mixers import SCORE_FLOPS
from distillplan.models.named_models import Model
from distillplan.models.shapes import ModelShape


@dataclass(frozen=True, kw_only=True)
class Workload(Execution):
    """The sizes of one run and how it is carried out."""

    block_params: float
    """Weights of the blocks that multiply a token; the active ones of a mixture."""
    layers: float
    """Transformer blocks."""
    width: float
    """Channels of the residual stream."""
    heads: float
    inner_width: float
    """Channels of all heads together (`width` in most models)."""
    vocab: float
    """Rows of the output projection."""
    stored_params: float
    """All weights, with embeddings and inactive experts, which the links carry."""
    gpus: int
    micro_batch: float | None = None
    """Sequences per replica and pass."""
    global_tokens: float | None = None
    """Tokens per optimizer step, over all replicas."""
    checkpointing: Checkpointing | None = None
    sharding: Sharding | None = None
    active_experts: float = 0.0
    """Routed experts that one token uses; 0: a dense model."""
    expert_width: float = 0.0
    """Hidden channels of one routed expert."""
    reachable_share: float = 1.0
    """Share of the nodes of an expert-parallel group that one token can be sent to."""
    attended: float | None = None
    """Tokens attended to, averaged over blocks and positions; None: half a sequence."""
    counted_flops: float | None = None
    """Forward FLOPs per token as the accounting counts them; None: the sum of the parts."""

    @property
    def mixture(self) -> bool:
        """Whether the blocks are mixtures of experts."""
        return self.active_experts > 0

    @property
    def replicas(self) -> float:
        """Data-parallel copies."""
        return self.gpus / self.replica_gpus

    @property
    def head_flops(self) -> float:
        """Forward FLOPs per token of the output projection."""
        return 2 * self.vocab * self.width

    @property
    def attention_flops(self) -> float:
        """Forward FLOPs per token of scores and values over the tokens attended to."""
        attended = self.seq_len / 2 if self.attended is None else self.attended
        return 4 * self.layers * self.inner_width * attended

    @property
    def product_flops(self) -> float:
        """Forward FLOPs per token of all matrix products."""
        return 2 * self.block_params + self.head_flops + self.attention_flops

    @property
    def forward_flops(self) -> float:
        """FLOPs of one forward pass per token, as MFU counts them."""
        return self.product_flops if self.counted_flops is None else self.counted_flops


_SHARED: Final = {one.name for one in fields(Strategy)} & {one.name for one in fields(Workload)}


def workload_of(
    model: Model,
    family: FixedAspect,
    strategy: Strategy,
    gpus: int,
    global_tokens: float | None = None,
) -> Workload:
    """The workload of a model, with the tokens of a step where they are known.

    A size is in non-embedding parameters, and shaped like the paper's family (Appendix G).
    """
    shared: dict[str, Any] = {name: getattr(strategy, name) for name in _SHARED}
    shared |= {"gpus": gpus, "global_tokens": global_tokens}
    if isinstance(model, ModelShape):
        inner, heads, mixture = model.query_width, model.attention_heads, model.mixture
        per_attended = (4 * inner + SCORE_FLOPS * heads) * model.layers
        return Workload(
            **shared,
            block_params=model.active_params,
            layers=model.layers,
            width=model.width,
            heads=heads,
            inner_width=inner,
            vocab=model.vocab,
            stored_params=model.total_params,
            active_experts=0 if mixture is None else mixture.active_experts,
            expert_width=0 if mixture is None else mixture.expert_hidden,
            reachable_share=1.0 if mixture is None else mixture.reachable_share,
            attended=model.context_flops(strategy.seq_len) / per_attended,
            counted_flops=model.forward_flops(strategy.seq_len),
        )
    width = family.width(model)
    return Workload(
        **shared,
        block_params=model,
        layers=width / family.aspect,
        width=width,
        heads=max(width / HEAD_WIDTH, 1.0),
        inner_width=width,
        vocab=family.vocab,
        stored_params=family.total_params(model),
        counted_flops=replace(family, context=strategy.seq_len).forward_flops(model),
    )
