"""The part of a block in which tokens read other tokens: attention, or a recurrence in its place.

Counting rules are those of `shapes`.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

SCORE_FLOPS = 5
"""FLOPs of the softmax for each score (Busbridge et al. 2025, Table 11)."""


class Mixing(StrEnum):
    """How tokens read other tokens."""

    FULL = "attention"
    WINDOW = "sliding-window attention"
    CHUNK = "chunked attention"
    LATENT = "latent attention"
    SPARSE = "sparse attention"
    LINEAR = "linear attention"
    MAMBA = "Mamba"
    CONVOLUTION = "short convolution"


@dataclass(frozen=True, kw_only=True)
class KeyReach:
    """Which earlier tokens a token compares itself with, and what each costs."""

    flops: float
    """FLOPs for each key that is read."""
    most: int | None = None
    """Keys that a token reads at most: a window, or the best so many; None: all before it."""
    stride: int = 1
    """Tokens that were pooled into one key."""
    chunk: int | None = None
    """Tokens of a chunk that no token looks out of (Llama 4); None: there are none."""

    def mean_keys(self, context: int) -> float:
        """Mean of the keys read by the tokens of a causal context.

        Args:
            context: tokens of one sequence.
        """
        if self.chunk is not None and self.chunk < context:
            whole, rest = divmod(context, self.chunk)
            return (whole * self.chunk**2 + rest**2) / (2 * context)
        keys = context / self.stride
        if self.most is None or self.most >= keys:
            return keys / 2
        return self.most - self.most**2 / (2 * keys)


@dataclass(frozen=True, kw_only=True)
class Mixer:
    """What tokens read other tokens with, in numbers."""

    kind: Mixing
    heads: int
    """Heads that tensor parallelism can divide."""
    matrix_params: int
    """Weights that multiply activations."""
    vector_params: int = 0
    """Gains, biases and other weights that count no FLOPs."""
    query_width: int
    """Channels of all queries together."""
    kept_channels: int
    """Channels of matrix products that a backward pass reads, the output's input included."""
    expanded_channels: int = 0
    """Of these, what is made from narrower latents, less the channels of the latents."""
    reaches: tuple[KeyReach, ...] = ()
    """Comparisons with earlier tokens; empty for a recurrence."""
    recurrent_flops: float = 0.0
    """FLOPs per token of a recurrence."""
    cached_per_token: int = 0
    """Values that generating text keeps for every earlier token."""
    cached_tokens: int | None = None
    """Tokens for which it keeps them at most; None: all."""
    state: int = 0
    """Values that generating text keeps whatever the length."""

    def context_flops(self, context: int) -> float:
        """FLOPs per token besides the matrices, averaged over a causal context."""
        return self.recurrent_flops + sum(
            reach.flops * reach.mean_keys(context) for reach in self.reaches
        )

    def sparser(
        self, *, matrix_params: int, vector_params: int, reaches: tuple[KeyReach, ...], cached: int
    ) -> "Mixer":
        """The same with a small attention beside it that finds the keys to read.

        Args:
            matrix_params: weights of the small one.
            vector_params: its gains.
            reaches: of both.
            cached: values that the small one keeps for every token.
        """
        return replace(
            self,
            kind=Mixing.SPARSE,
            matrix_params=self.matrix_params + matrix_params,
            vector_params=self.vector_params + vector_params,
            reaches=reaches,
            cached_per_token=self.cached_per_token + cached,
        )

    def cached_values(self, context: int) -> int:
        """Values that generating text keeps after so many tokens."""
        tokens = context if self.cached_tokens is None else min(context, self.cached_tokens)
        return self.state + tokens * self.cached_per_token


def attention(
    width: int,
    *,
    heads: int,
    kv_heads: int,
    head_width: int,
    value_width: int | None = None,
    window: int | None = None,
    chunk: int | None = None,
    gate_width: int = 0,
    shares_keys: bool = False,
    keys_are_values: bool = False,
    vector_params: int = 0,
) -> Mixer:
    """Attention with queries, keys and values of its own, grouped or not.

    Args:
        width: channels of the residual stream.
        heads: of the queries.
        kv_heads: of keys and values.
        head_width: channels of one query and one key.
        value_width: channels of one value; None: as many.
        window: tokens that it reaches back; None: all.
        chunk: tokens of a chunk that it does not look out of; None: there are none.
        gate_width: channels of a gate on the output that are projected beside the queries.
        shares_keys: whether keys and values are those of an earlier block (Gemma 3n).
        keys_are_values: whether one projection serves as both (Gemma 4).
        vector_params: gains of norms, biases, sinks.
    """
    value = head_width if value_width is None else value_width
    queries, outputs = heads * head_width, heads * value
    keys, values = kv_heads * head_width, kv_heads * value
    projected = 0 if shares_keys else keys + (0 if keys_are_values else values)
    kinds = Mixing.FULL if window is None else Mixing.WINDOW
    return Mixer(
        kind=kinds if chunk is None else Mixing.CHUNK,
        heads=heads,
        matrix_params=width * (queries + gate_width + projected + outputs),
        vector_params=vector_params,
        query_width=queries,
        kept_channels=queries + gate_width + keys + values + outputs,
        reaches=(
            KeyReach(flops=_flops_per_key(heads, head_width, value), most=window, chunk=chunk),
        ),
        cached_per_token=0 if shares_keys else keys + values,
        cached_tokens=chunk if window is None else window,
    )


@dataclass(frozen=True, kw_only=True)
class Indexer:
    """A small attention that picks the keys which the large one reads (DeepSeek V3.2)."""

    heads: int
    head_width: int
    top: int
    """Keys that are picked for each token."""

    @property
    def flops(self) -> float:
        """FLOPs for each key: a product, and the weighted sum over heads."""
        return 2.0 * self.heads * (self.head_width + 1)


def latent_attention(
    width: int,
    *,
    heads: int,
    plain: int,
    rotary: int,
    value_width: int,
    kv_rank: int,
    query_rank: int | None,
    indexer: Indexer | None = None,
    picks: int | None = None,
    gate_width: int = 0,
    vector_params: int = 0,
) -> Mixer:
    """Latent attention (DeepSeek-AI 2024, arXiv 2405.04434, Section 2.1), as it runs in training.

    Queries, keys and values pass through narrow projections with norms.

    Args:
        width: channels of the residual stream.
        heads: of queries, keys and values.
        plain: channels of one query or key without a rotation.
        rotary: channels with one, shared by the keys of all heads.
        value_width: channels of one value.
        kv_rank: channels of the latent that keys and values are made of.
        query_rank: channels of that of the queries; None: they have none.
        indexer: what picks keys; None: nothing of its own.
        picks: keys that each token reads at most, its own indexer's or an earlier block's.
        gate_width: channels of a gate on the output (Kimi K3).
        vector_params: biases.
    """
    head = plain + rotary
    matrices = width * (kv_rank + rotary + gate_width) + kv_rank * heads * (plain + value_width)
    matrices += heads * value_width * width
    vectors = vector_params + kv_rank
    if query_rank is None:
        matrices += width * heads * head
    else:
        matrices += width * query_rank + query_rank * heads * head
        vectors += query_rank
    reaches = [KeyReach(flops=_flops_per_key(heads, head, value_width), most=picks)]
    cached = kv_rank + rotary
    if indexer is not None:
        inputs = width if query_rank is None else query_rank
        matrices += inputs * indexer.heads * indexer.head_width
        matrices += width * (indexer.head_width + indexer.heads)
        vectors += 2 * indexer.head_width  # a LayerNorm of its keys
        reaches.append(KeyReach(flops=indexer.flops))
        cached += indexer.head_width
    return Mixer(
        kind=Mixing.LATENT if picks is None else Mixing.SPARSE,
        heads=heads,
        matrix_params=matrices,
        vector_params=vectors,
        query_width=heads * (head + value_width) // 2,  # scores and values differ; their mean
        kept_channels=heads * (2 * head + 2 * value_width) + gate_width,
        expanded_channels=heads * (2 * head + value_width) - (query_rank or 0) - kv_rank - rotary,
        reaches=tuple(reaches),
        cached_per_token=cached,
    )


def _flops_per_key(heads: int, head_width: int, value_width: int) -> float:
    """A multiply-add per channel for scores and for values, and the softmax."""
    return 2.0 * heads * (head_width + value_width) + SCORE_FLOPS * heads
