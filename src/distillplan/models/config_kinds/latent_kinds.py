"""Architectures with latent attention (DeepSeek V2 and V3), whose descendants pick or pool keys.

Switches and defaults are those of the configuration and modeling classes of the transformers
library 5.24, or of the publisher's own where it has none.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from distillplan.files.bounds import shown
from distillplan.models.config_layers import sparse_layers
from distillplan.models.config_parts import (
    MTP,
    Traits,
    dense_of,
    mixture_of,
    model_of,
    predictors,
)
from distillplan.models.config_values import ConfigSettings
from distillplan.models.mixers import Indexer, KeyReach, Mixer, Mixing, latent_attention
from distillplan.models.shapes import ModelShape

_TRAITS: Final = Traits(ffn_bias="mlp_bias")


def latent_of(
    settings: ConfigSettings, indexer: Indexer | None = None, picks: int | None = None
) -> Mixer:
    """Latent attention of the usual keys.

    Args:
        settings: the configuration.
        indexer: what picks keys; None: nothing of its own.
        picks: keys that each token reads at most; None: all.
    """
    heads, width = settings.whole("num_attention_heads"), settings.whole("hidden_size")
    rank = settings.whole("q_lora_rank") if settings.has("q_lora_rank") else None
    kv_rank, rotary = settings.whole("kv_lora_rank"), settings.whole("qk_rope_head_dim")
    biases = 0
    if settings.flag("attention_bias"):
        biases = (rank or 0) + kv_rank + rotary + width
    value_width = settings.whole("v_head_dim")
    gated = settings.flag("mla_use_output_gate")
    return latent_attention(
        width,
        heads=heads,
        plain=settings.whole("qk_nope_head_dim", least=0),
        rotary=rotary,
        value_width=value_width,
        gate_width=heads * value_width if gated else 0,
        kv_rank=kv_rank,
        query_rank=rank,
        indexer=indexer,
        picks=picks,
        vector_params=biases,
    )


def deepseek(settings: ConfigSettings, *, tied: bool = False) -> ModelShape:
    """DeepSeek V2, V3 and their kind: dense blocks first, then shared and routed experts.

    Args:
        settings: the configuration.
        tied: whether the output projection is tied where the file does not say.
    """
    layers = settings.whole("num_hidden_layers")
    return _with_experts(settings, [latent_of(settings)] * layers, tied=tied)


def minicpm3(settings: ConfigSettings) -> ModelShape:
    """MiniCPM3, whose values are as wide as a head of the residual stream."""
    heads, width = settings.whole("num_attention_heads"), settings.whole("hidden_size")
    if not settings.has("v_head_dim"):
        settings.assume("v_head_dim", max(width // heads, 1))
    return deepseek(settings, tied=True)


def deepseek_sparse(settings: ConfigSettings) -> ModelShape:
    """DeepSeek V3.2 and GLM-5: a small attention picks the keys of the large one."""
    layers = settings.whole("num_hidden_layers")
    indexer = Indexer(
        heads=settings.whole("index_n_heads"),
        head_width=settings.whole("index_head_dim"),
        top=settings.whole("index_topk"),
    )
    full, shared = latent_of(settings, indexer, indexer.top), latent_of(settings, None, indexer.top)
    return _with_experts(
        settings, [full if one else shared for one in _with_indexer(settings, layers)]
    )


def _with_indexer(settings: ConfigSettings, layers: int) -> list[bool]:
    """Whether each block picks keys itself, or reads those of an earlier one (GLM-5.2)."""
    named = settings.per_layer("indexer_types", str, "names")
    if named is not None:
        return [name == "full" for name in named]
    pattern = settings.value("index_topk_pattern")
    if isinstance(pattern, str) and len(pattern) >= layers:
        return [letter == "F" for letter in pattern[:layers]]
    every = settings.whole("index_topk_freq", default=1)
    first = settings.whole("index_skip_topk_offset", default=2, least=0)
    return [max(index - first + 1, 0) % every == 0 for index in range(layers)]


def _with_experts(
    settings: ConfigSettings, mixers: list[Mixer], *, tied: bool = False
) -> ModelShape:
    """A model with experts behind all mixers but those of the first blocks."""
    sparse = [False] * len(mixers)
    if settings.has("n_routed_experts") or settings.has("num_experts"):
        sparse = sparse_layers(settings)
    plain = None if all(sparse) else dense_of(settings, _TRAITS)
    experts = None
    if any(sparse):
        bias = settings.flag("use_router_bias", default=True)
        experts = mixture_of(settings, _TRAITS, router_bias=bias and _balanced(settings))
    traits = _TRAITS._replace(tied=tied)
    shape = model_of(settings, traits, mixers, [experts if one else plain for one in sparse])
    return shape.with_predictors(predictors(settings, shape.blocks[-1], MTP))


def _balanced(settings: ConfigSettings) -> bool:
    """Whether the router has a bias for every expert, as all have that came after DeepSeek V2."""
    method = settings.value("topk_method")
    if method is None:
        return settings.kind not in {"deepseek_v2", "mistral4"}
    return method == "noaux_tc"


def deepseek_v4(settings: ConfigSettings) -> ModelShape:
    """DeepSeek V4: one key for all heads, a window, and keys that were pooled further back.

    Blocks with mild pooling pick the best pooled keys; blocks with heavy pooling read all of them.
    Each block mixes several residual streams before and behind both of its parts.
    """
    layers, width = settings.whole("num_hidden_layers"), settings.whole("hidden_size")
    streams = settings.whole("hc_mult")
    mixers = [_pooled(settings, one) for one in _pooling(settings, layers)]
    hashed = settings.whole("num_hash_layers", default=3, least=0)
    traits = Traits(ffn_bias="mlp_bias")
    hidden = settings.whole("moe_intermediate_size")
    shared = hidden * settings.whole("n_shared_experts", default=1, least=0)
    by_hash = mixture_of(settings, traits, shared=shared)
    routed = mixture_of(settings, traits, router_bias=True, shared=shared)
    weights = (2 + streams) * streams
    shape = model_of(
        settings,
        traits,
        mixers,
        [by_hash if index < hashed else routed for index in range(layers)],
        block={
            "matrix_params": 2 * weights * streams * width,
            "vector_params": 2 * width + 2 * (weights + 3),
        },
        matrix_params=streams * streams * width,
        vector_params=streams + 1,
    )
    return shape.with_predictors(predictors(settings, shape.blocks[-1], MTP))


def _pooling(settings: ConfigSettings, layers: int) -> list[int]:
    """Tokens that are pooled into one key in every block; 0: it has a window alone."""
    ratios = settings.per_layer("compress_ratios", int, "whole numbers")
    if ratios is not None:
        return ratios
    rates = {"sliding_attention": 0, "compressed_sparse_attention": 4}
    rates["heavily_compressed_attention"] = 128
    named = settings.per_layer("layer_types", str, "names")
    if named is not None:
        for name in named:
            if name not in rates:
                raise settings.fail(
                    "layer_types", f"names {shown(name)}; it must be one of {', '.join(rates)}"
                )
        return [rates[name] for name in named]
    return [128 if index < 2 or index % 2 == 0 else 4 for index in range(layers)]


def _pooled(settings: ConfigSettings, rate: int) -> Mixer:
    """The attention of one block."""
    width, heads = settings.whole("hidden_size"), settings.whole("num_attention_heads")
    head, rank = settings.whole("head_dim"), settings.whole("q_lora_rank")
    groups, out = settings.whole("o_groups"), settings.whole("o_lora_rank")
    window, queries = settings.whole("sliding_window"), heads * head
    matrices = width * rank + rank * queries + width * head  # queries, and one key for all heads
    matrices += queries * out + groups * out * width
    vectors = rank + head + heads
    per_key = (4.0 * head + 5) * heads
    reaches = [KeyReach(flops=per_key, most=window)]
    cached = 0
    if rate:
        mild = rate < 16
        pooled = (2 if mild else 1) * head
        matrices += 2 * width * pooled
        vectors += rate * pooled + head
        top = None
        if mild:
            small, index = settings.whole("index_n_heads"), settings.whole("index_head_dim")
            matrices += 4 * width * index + rank * small * index + width * small
            vectors += rate * 2 * index + index
            top = settings.whole("index_topk")
            reaches.append(KeyReach(flops=2.0 * small * (index + 1), stride=rate))
        reaches.append(KeyReach(flops=per_key, most=top, stride=rate))
        cached = head // rate
    return Mixer(
        kind=Mixing.SPARSE if rate else Mixing.WINDOW,
        heads=heads,
        matrix_params=matrices,
        vector_params=vectors,
        query_width=queries,
        kept_channels=2 * queries + 2 * head,
        reaches=tuple(reaches),
        cached_per_token=cached,
        state=window * head,
    )


LATENT: Final[Mapping[str, Callable[[ConfigSettings], ModelShape]]] = {
    "deepseek_v2": deepseek,
    "deepseek_v3": deepseek,
    "deepseek_v32": deepseek_sparse,
    "deepseek_v4": deepseek_v4,
    "glm4_moe_lite": deepseek,
    "glm_moe_dsa": deepseek_sparse,
    "kimi_k2": deepseek,
    "minicpm3": minicpm3,
    "mistral4": deepseek,
    "youtu": partial(deepseek, tied=True),
}
"""By `model_type`."""

DEFAULTS: Final[Mapping[str, Mapping[str, Any]]] = {
    "deepseek_v32": {
        "index_n_heads": 64,
        "index_head_dim": 128,
        "index_topk": 2048,
        "first_k_dense_replace": 3,
    },
    "deepseek_v4": {
        "hc_mult": 4,
        "head_dim": 512,
        "index_head_dim": 128,
        "index_n_heads": 64,
        "index_topk": 512,
        "o_groups": 8,
        "o_lora_rank": 1024,
        "sliding_window": 128,
    },
    "glm4_moe_lite": {"first_k_dense_replace": 1},
    "glm_moe_dsa": {
        "index_n_heads": 32,
        "index_head_dim": 128,
        "index_topk": 2048,
        "first_k_dense_replace": 3,
    },
}
"""What their files may leave out."""
