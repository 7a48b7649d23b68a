"""Parts of a block from the keys that most architectures share.

Keys that mean the same have several names; the first that a file has counts.
"""

from collections.abc import Sequence
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from distillplan.models.config_values import Config, ConfigSettings
from distillplan.models.feed_forwards import FeedForward, dense, mixture
from distillplan.models.mixers import Mixer, attention
from distillplan.models.shapes import Block, ModelShape
from distillplan.named_tuples import NamedTuple

EXPERTS: Final = ("num_experts", "n_routed_experts", "num_local_experts", "moe_num_experts")
ACTIVE: Final = (
    *("num_experts_per_tok", "num_experts_per_token", "moe_k", "moe_topk", "top_k_experts"),
    *("moe_top_k", "num_selected_experts"),
)
EXPERT_HIDDEN: Final = ("moe_intermediate_size", "expert_ffn_hidden_size", "intermediate_size")
SHARED: Final = ("n_shared_experts", "num_shared_experts", "num_shared_expert")
SHARED_HIDDEN: Final = (
    *("moe_shared_expert_intermediate_size", "shared_expert_intermediate_size"),
    *("shared_intermediate_size", "share_expert_dim"),
)

MTP: Final = ("num_nextn_predict_layers", "num_mtp_layers", "num_mtp_modules")
"""Keys of the number of heads that predict further tokens."""


class QkNorm(StrEnum):
    """Norms of queries and keys."""

    NONE = "none"
    HEAD = "head"
    """A gain for every channel of one head."""
    FULL = "full"
    """A gain for every channel of all heads (OLMo 2)."""


class Windows(StrEnum):
    """Which blocks attend to a window where the file does not list them."""

    NONE = "none"
    ALL = "all"
    PERIOD = "period"
    """All but the last of each period."""
    LATE = "late"
    """Those behind the first `max_window_layers`, if `use_sliding_window` (Qwen2)."""


class Traits(NamedTuple):
    """What an architecture has besides its sizes; a text is the key that switches it on."""

    tied: bool = False
    """Whether the output projection is tied where the file does not say."""
    qkv_bias: bool | str = False
    out_bias: bool | str = False
    ffn_bias: bool | str = False
    head_bias: bool | str = False
    """Whether the output projection has biases."""
    qk_norm: QkNorm = QkNorm.NONE
    sinks: bool = False
    """Whether every head has a learned sink (gpt-oss)."""
    gate: bool = False
    """Whether attention's output has a gate as wide as the queries (Qwen3-Next)."""
    norms: int = 2
    """Norms over the residual stream in one block."""
    gains: int = 1
    """Parameters per channel of a norm: 2 for a LayerNorm, 0 for one without gains (OLMo)."""
    gated: bool = True
    """Whether the feed-forward part is gated."""
    learned_activations: int = 0
    """Parameters of the activation function of one block (Apertus)."""
    windows: Windows = Windows.NONE
    period: int = 6
    window_key: str = "sliding_window"
    defaults: Config = MappingProxyType({})


BIASED: Final = Traits(qkv_bias="attention_bias", out_bias="attention_bias")
"""Llama's switch for all four projections of attention."""


class Heads(NamedTuple):
    """Sizes of attention."""

    heads: int
    kv_heads: int
    width: int
    """Channels of one head."""


def on(settings: ConfigSettings, switch: bool | str) -> bool:  # noqa: FBT001  (the subject)
    """A switch, which may be a key of the file."""
    return settings.flag(switch) if isinstance(switch, str) else switch


def first_key(settings: ConfigSettings, keys: Sequence[str]) -> str:
    """The first key that has a value, or else the first."""
    return next((key for key in keys if settings.has(key)), keys[0])


def heads_of(
    settings: ConfigSettings,
    kv_heads: str = "num_key_value_heads",
    head_width: str = "head_dim",
) -> Heads:
    """Sizes of attention under their usual keys.

    Raises:
        InputError: when one is missing or unusable, or heads do not divide as they must.
    """
    count = settings.whole("num_attention_heads")
    shared = settings.whole(kv_heads, default=count)
    if count % shared:
        raise settings.fail(kv_heads, f"is {shared}; it must divide the {count} attention heads")
    if settings.has(head_width):
        return Heads(heads=count, kv_heads=shared, width=settings.whole(head_width))
    width = settings.whole("hidden_size")
    if width % count:
        raise settings.fail(
            "hidden_size", f"is {width}; it must be a multiple of the {count} attention heads"
        )
    return Heads(heads=count, kv_heads=shared, width=width // count)


def attention_of(
    settings: ConfigSettings,
    traits: Traits,
    window: int | None = None,
    *,
    sizes: Heads | None = None,
    **special: Any,
) -> Mixer:
    """Attention of the usual keys.

    Args:
        settings: the configuration.
        traits: its architecture.
        window: tokens that it reaches back; None: all.
        sizes: of its heads; None: those of the usual keys.
        special: further arguments of `attention`.
    """
    width = settings.whole("hidden_size")
    used = heads_of(settings) if sizes is None else sizes
    count, shared, per_head = used.heads, used.kv_heads, used.width
    values = special.get("value_width") or per_head
    queries, keys = count * per_head, shared * per_head
    vectors = special.pop("vector_params", 0)
    vectors += {
        QkNorm.NONE: 0,
        QkNorm.HEAD: 2 * per_head,
        QkNorm.FULL: queries + keys,
    }[traits.qk_norm]
    vectors += queries + keys + shared * values if on(settings, traits.qkv_bias) else 0
    vectors += width if on(settings, traits.out_bias) else 0
    vectors += count if traits.sinks else 0
    return attention(
        width,
        heads=count,
        kv_heads=shared,
        head_width=per_head,
        window=window,
        gate_width=special.pop("gate_width", queries if traits.gate else 0),
        vector_params=vectors,
        **special,
    )


def dense_of(
    settings: ConfigSettings, traits: Traits, key: str = "intermediate_size"
) -> FeedForward:
    """A dense feed-forward part of the usual key."""
    return dense(
        settings.whole("hidden_size"),
        settings.whole(key),
        matrices=3 if traits.gated else 2,
        bias=on(settings, traits.ffn_bias),
    )


def mixture_of(
    settings: ConfigSettings,
    traits: Traits,
    *,
    router_bias: bool = False,
    shared_gate: bool = False,
    shared: int | None = None,
    **special: Any,
) -> FeedForward:
    """A mixture of experts of the usual keys.

    Args:
        settings: the configuration.
        traits: its architecture.
        router_bias: whether the router has a bias for every expert.
        shared_gate: whether a gate of one channel weighs the shared experts (Qwen2-MoE).
        shared: hidden channels of all shared experts together; None: those of the usual keys.
        special: further arguments of `mixture`.

    Raises:
        InputError: when a size is missing or unusable.
    """
    width = settings.whole("hidden_size")
    experts = settings.whole(first_key(settings, EXPERTS))
    active_key = first_key(settings, ACTIVE)
    active = settings.whole(active_key)
    if active > experts:
        raise settings.fail(active_key, f"is {active}; there are only {experts} experts")
    hidden = settings.whole(first_key(settings, EXPERT_HIDDEN))
    always = shared_hidden(settings, hidden) if shared is None else shared
    groups = settings.whole("n_group", default=1, least=0) or 1
    reached = settings.whole("topk_group", default=groups, least=0) or groups
    return mixture(
        width,
        experts=experts,
        active=active,
        hidden=hidden,
        shared=always,
        matrices=3 if traits.gated else 2,
        matrix_params=width if shared_gate and always else 0,
        vector_params=(experts if router_bias else 0) + special.pop("vector_params", 0),
        reachable_share=min(reached / groups, 1.0),
        **special,
    )


def shared_hidden(settings: ConfigSettings, hidden: int) -> int:
    """Hidden channels of all shared experts together; 0 where there are none."""
    key = first_key(settings, SHARED_HIDDEN)
    if settings.has(key):
        return settings.whole(key, least=0)
    return hidden * settings.whole(first_key(settings, SHARED), default=0, least=0)


def model_of(
    settings: ConfigSettings,
    traits: Traits,
    mixers: Sequence[Mixer | tuple[Mixer, ...] | None],
    feed_forwards: Sequence[FeedForward | None],
    **special: Any,
) -> ModelShape:
    """A model from the mixer and the feed-forward part of every block.

    Args:
        settings: the configuration.
        traits: its architecture.
        mixers: of every block, from the first.
        feed_forwards: of every block.
        special: further fields of `ModelShape`; `block` holds those of every block.
    """
    width, vocab = settings.whole("hidden_size"), settings.whole("vocab_size")
    of_blocks = {
        "vector_params": traits.norms * traits.gains * width + traits.learned_activations,
        **special.pop("block", {}),
    }
    vectors = traits.gains * width + special.pop("vector_params", 0)
    vectors += vocab if on(settings, traits.head_bias) else 0
    made: dict[tuple[int, int], Block] = {}
    blocks = []
    for mixer, after in zip(mixers, feed_forwards, strict=True):
        key = id(mixer), id(after)  # most blocks are made of the same parts
        if key not in made:
            beside = mixer if isinstance(mixer, tuple) else () if mixer is None else (mixer,)
            made[key] = Block(mixers=beside, feed_forward=after, **of_blocks)
        blocks.append(made[key])
    return ModelShape(
        width=width,
        vocab=vocab,
        blocks=tuple(blocks),
        tied=settings.flag("tie_word_embeddings", default=traits.tied),
        vector_params=vectors,
        **special,
    )


def predictors(settings: ConfigSettings, block: Block, keys: Sequence[str]) -> int:
    """Parameters of heads that predict further tokens, as DeepSeek-V3 has them.

    Each joins an embedding with a state of twice the width, has two norms before it and one behind,
    and a block like the last; tables are those of the model.

    Args:
        settings: the configuration.
        block: the last one.
        keys: names of their number; the first that the file has counts.
    """
    heads = settings.whole(first_key(settings, keys), default=0, least=0)
    width = settings.whole("hidden_size")
    return heads * (block.unrouted_params + block.routed_params + 2 * width**2 + 3 * width)
