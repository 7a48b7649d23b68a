"""A model of equal blocks from a few sizes, as papers and people state them."""

from collections.abc import Mapping
from itertools import pairwise

from distillplan.errors import InputError
from distillplan.models.feed_forwards import dense, mixture
from distillplan.models.mixers import attention
from distillplan.models.shapes import Block, ModelShape, refuse_below_one


def uniform_shape(
    *,
    layers: int,
    width: int,
    ffn_width: int,
    heads: int,
    vocab: int,
    kv_heads: int | None = None,
    head_width: int | None = None,
    ffn_matrices: int = 3,
    tied: bool = True,
    qk_norm: bool = True,
    qk_norm_full: bool = False,
    norms_per_layer: int = 2,
    layer_norm: bool = False,
    qkv_bias: bool = False,
    attention_out_bias: bool = False,
    ffn_bias: bool = False,
    learned_positions: int = 0,
    window: int | None = None,
    window_layers: int = 0,
    experts: int = 0,
    active_experts: int = 0,
    expert_ffn_width: int = 0,
    shared_ffn_width: int = 0,
    dense_layers: int = 0,
) -> ModelShape:
    """A model with one size of attention and at most two kinds of feed-forward parts.

    Args:
        layers: blocks.
        width: channels of the residual stream, d_model.
        ffn_width: hidden channels of a dense feed-forward part.
        heads: attention heads.
        vocab: rows of the embedding table.
        kv_heads: key and value heads; None: as many as `heads`, that is no grouped queries.
        head_width: channels of one head; None: `width / heads`.
        ffn_matrices: 3 for a gated feed-forward part (SwiGLU), 2 for a plain one.
        tied: whether the output projection shares the embedding table.
        qk_norm: whether queries and keys are normalized per head.
        qk_norm_full: whether that norm has a gain for every channel of all heads (OLMo 2).
        norms_per_layer: norms over the residual stream in one block; 4 in Gemma 2 and 3.
        layer_norm: whether norms have a bias with the gain (LayerNorm), not the gain alone.
        qkv_bias: whether queries, keys and values have biases (Qwen2.5).
        attention_out_bias: whether the output projection of attention has biases.
        ffn_bias: whether the feed-forward matrices have biases.
        learned_positions: rows of a table of learned positions (GPT-2).
        window: tokens that a sliding-window block attends to; None: every block attends to all.
        window_layers: number of blocks with that window, the first ones.
        experts: routed experts in one sparse block; 0: a dense model.
        active_experts: routed experts that one token uses.
        expert_ffn_width: hidden channels of one routed expert.
        shared_ffn_width: hidden channels of all experts together that every token uses.
        dense_layers: leading blocks without experts.

    Raises:
        InputError: when a size is too small, or does not divide another as it must.

    >>> uniform_shape(layers=9, width=1152, ffn_width=3072, heads=9, vocab=32768).params
    143351424
    """
    kv = heads if kv_heads is None else kv_heads
    refuse_below_one(
        {
            "layers": layers,
            "width": width,
            "ffn_width": ffn_width,
            "heads": heads,
            "vocab": vocab,
            "kv_heads": kv,
            "head_width": 1 if head_width is None else head_width,
        }
        | ({"expert_ffn_width": expert_ffn_width} if experts else {})
    )
    if head_width is None and width % heads:
        raise InputError(
            f"model shape: width {width} is not a multiple of {heads} heads; give head_width"
        )
    if heads % kv:
        raise InputError(f"model shape: {heads} heads cannot share {kv} key-value heads evenly")
    _refuse_out_of_bounds(
        {
            "ffn_matrices": (ffn_matrices, 2, 3),
            "window_layers": (window_layers, 0, layers),
            "dense_layers": (dense_layers, 0, layers),
        }
    )
    per_head = width // heads if head_width is None else head_width
    queries, keys = heads * per_head, kv * per_head
    vectors = qk_norm * (queries + keys if qk_norm_full else 2 * per_head)
    vectors += qkv_bias * (queries + 2 * keys) + attention_out_bias * width
    everywhere, nearby = (
        attention(
            width,
            heads=heads,
            kv_heads=kv,
            head_width=per_head,
            window=reach,
            vector_params=vectors,
        )
        for reach in (None, window)
    )
    plain = dense(width, ffn_width, matrices=ffn_matrices, bias=ffn_bias)
    sparse = plain
    if experts:
        sparse = mixture(
            width,
            experts=experts,
            active=active_experts,
            hidden=expert_ffn_width,
            shared=shared_ffn_width,
            matrices=ffn_matrices,
            bias=ffn_bias,
        )
    norm = width * (1 + layer_norm)

    def block(place: int) -> Block:
        return Block(
            mixers=(nearby if place < window_layers else everywhere,),
            feed_forward=plain if place < dense_layers else sparse,
            vector_params=norms_per_layer * norm,
        )

    # whole runs at once: a family may have millions of layers
    runs = pairwise(sorted({0, window_layers, dense_layers, layers}))
    alike = ((block(start),) * (end - start) for start, end in runs)
    return ModelShape(
        width=width,
        vocab=vocab,
        blocks=sum(alike, ()),
        tied=tied,
        learned_positions=learned_positions,
        vector_params=norm,
    )


def _refuse_out_of_bounds(counts: Mapping[str, tuple[int, int, int]]) -> None:
    """Check counts against their bounds: name -> (value, least, most)."""
    for name, (value, least, most) in counts.items():
        if not least <= value <= most:
            raise InputError(
                f"model shape: {name} is {value}; it must be between {least} and {most}"
            )
