"""Architectures in which a recurrence or a convolution stands in for most attention.

Switches and defaults are those of the configuration and modeling classes of the transformers
library 5.24, or of the publisher's own where it has none.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from distillplan.files.bounds import shown
from distillplan.models.config_kinds.latent_kinds import latent_of
from distillplan.models.config_layers import FULL, sparse_layers
from distillplan.models.config_parts import (
    BIASED,
    MTP,
    QkNorm,
    Traits,
    attention_of,
    dense_of,
    heads_of,
    mixture_of,
    model_of,
    predictors,
)
from distillplan.models.config_values import ConfigSettings
from distillplan.models.feed_forwards import dense
from distillplan.models.mixers import Mixer, Mixing
from distillplan.models.recurrences import linear_attention, short_convolution
from distillplan.models.shapes import ModelShape

LINEAR: Final = "linear_attention"


def alternating(settings: ConfigSettings, layers: int, others: tuple[str, ...]) -> list[bool]:
    """Whether every block has attention, by the file's list or else every fourth.

    Args:
        settings: the configuration.
        layers: number of blocks.
        others: names of what stands in for attention.

    Raises:
        InputError: when a name is another.
    """
    names = settings.per_layer("layer_types", str, "names")
    if names is None:
        every = settings.whole("full_attention_interval", default=4)
        return [(index + 1) % every == 0 for index in range(layers)]
    known = {FULL, "attention", *others}
    for name in names:
        if name not in known:
            raise settings.fail(
                "layer_types", f"names {shown(name)}; it must be one of {', '.join(sorted(known))}"
            )
    return [name not in others for name in names]


def gated_delta_net(settings: ConfigSettings) -> Mixer:
    """The gated delta rule of Qwen3-Next and OLMo Hybrid, from its `linear_` keys."""
    width = settings.whole("hidden_size")
    keys, values = settings.whole("linear_num_key_heads"), settings.whole("linear_num_value_heads")
    if values % keys:
        raise settings.fail(
            "linear_num_value_heads", f"is {values}; it must be a multiple of the {keys} key heads"
        )
    key, value = settings.whole("linear_key_head_dim"), settings.whole("linear_value_head_dim")
    projected = 2 * keys * key + 2 * values * value + 2 * values  # with a gate, decay and rate
    return linear_attention(
        key_heads=keys,
        value_heads=values,
        key_width=key,
        value_width=value,
        kernel=settings.whole("linear_conv_kernel_dim"),
        matrix_params=width * projected + values * value * width,
        vector_params=2 * values + value,
    )


def qwen3_next(settings: ConfigSettings) -> ModelShape:
    """Qwen3-Next and Qwen3.5: three of four blocks have a gated delta rule, the others a gate."""
    traits = BIASED._replace(qk_norm=QkNorm.HEAD, gate=True)
    layers = settings.whole("num_hidden_layers")
    full = alternating(settings, layers, (LINEAR,))
    near, far = gated_delta_net(settings), attention_of(settings, traits)
    mixed = settings.kind not in {"qwen3_5_text", "qwen3_5"}
    sparse = sparse_layers(settings) if mixed else [False] * layers
    experts = mixture_of(settings, traits, shared_gate=True) if any(sparse) else None
    plain = None if all(sparse) else dense_of(settings, traits)
    shape = model_of(
        settings,
        traits,
        [far if one else near for one in full],
        [experts if one else plain for one in sparse],
    )
    return shape.with_predictors(
        predictors(settings, shape.blocks[-1], ("mtp_num_hidden_layers", *MTP))
    )


def olmo_hybrid(settings: ConfigSettings) -> ModelShape:
    """OLMo Hybrid: three of four blocks have a gated delta rule."""
    traits = BIASED._replace(qk_norm=QkNorm.FULL)
    layers = settings.whole("num_hidden_layers")
    full = alternating(settings, layers, (LINEAR,))
    near, far, after = (
        gated_delta_net(settings),
        attention_of(settings, traits),
        dense_of(settings, traits),
    )
    return model_of(settings, traits, [far if one else near for one in full], [after] * layers)


def kimi_linear(settings: ConfigSettings) -> ModelShape:
    """Kimi Linear: a delta rule whose every channel decays, and latent attention now and then."""
    layers, width = settings.whole("num_hidden_layers"), settings.whole("hidden_size")
    own = settings.inner("linear_attn_config")
    sizes = settings if own is None else own
    names = ("head_dim", "num_heads", "short_conv_kernel_size")
    if own is None:
        names = ("linear_head_dim", "linear_num_heads", "linear_conv_kernel_dim")
    head, heads, kernel = (sizes.whole(name) for name in names)
    inner = heads * head
    narrow = width * head + head * inner  # of the decay, and of the gate where it is narrow too
    wide = own is not None and own.flag("use_full_rank_gate")
    matrices = 4 * width * inner + narrow + (width * inner if wide else narrow) + width * heads
    near = linear_attention(
        key_heads=heads,
        value_heads=heads,
        key_width=head,
        value_width=head,
        kernel=kernel,
        matrix_params=matrices,
        vector_params=inner + heads + head,
    )
    traits = Traits()
    far = latent_of(settings)
    full = _kimi_full(settings, own, layers)
    if not settings.has("mlp_layer_types"):
        settings.assume("first_k_dense_replace", 1)
    sparse = sparse_layers(settings)
    key = "routed_expert_hidden_size"  # experts of Kimi K3 work in a narrower space
    latent = settings.whole(key) if settings.has(key) else None
    gains = latent or 0 if settings.flag("latent_moe_use_norm") else 0
    experts = mixture_of(settings, traits, router_bias=True, latent=latent, vector_params=gains)
    plain = dense_of(settings, traits)
    return model_of(
        settings,
        traits,
        [far if one else near for one in full],
        [experts if one else plain for one in sparse],
    )


def _kimi_full(settings: ConfigSettings, own: ConfigSettings | None, layers: int) -> list[bool]:
    """Whether every block has attention; the file counts its blocks from 1."""
    listed = None if own is None else own.listed("full_attn_layers", int, "whole numbers")
    if listed is not None:
        return [index + 1 in set(listed) for index in range(layers)]
    names = settings.per_layer("layer_types", str, "names")
    if names is not None:
        return [name != LINEAR for name in names]
    return [(index + 1) % 4 == 0 or index + 1 == layers for index in range(layers)]


def minimax_text(settings: ConfigSettings) -> ModelShape:
    """MiniMax-Text-01: seven of eight blocks have linear attention with a decay per head."""
    layers, width = settings.whole("num_hidden_layers"), settings.whole("hidden_size")
    sizes = heads_of(settings)
    heads, head = sizes.heads, sizes.width
    traits = Traits()
    inner = heads * head
    flags = settings.per_layer("attn_type_list", int, "zeros and ones")
    full = (
        [bool(one) for one in flags]
        if flags is not None
        else alternating(settings, layers, (LINEAR,))
    )
    near = Mixer(
        kind=Mixing.LINEAR,
        heads=heads,
        matrix_params=5 * width * inner,
        vector_params=inner,
        query_width=inner,
        kept_channels=5 * inner,
        recurrent_flops=5.0 * inner * head,
        state=inner * head,
    )
    far = attention_of(settings, traits)
    experts = mixture_of(settings, traits)
    return model_of(settings, traits, [far if one else near for one in full], [experts] * layers)


def lfm2(settings: ConfigSettings) -> ModelShape:
    """LFM2: most blocks have a gated short convolution; later ones have experts (LFM2-MoE)."""
    layers, width = settings.whole("num_hidden_layers"), settings.whole("hidden_size")
    traits = Traits(tied=settings.flag("tie_embedding", default=True), qk_norm=QkNorm.HEAD)
    full = _lfm2_full(settings, layers)
    near = short_convolution(
        width,
        kernel=settings.whole("conv_L_cache", default=3),
        bias=settings.flag("conv_bias"),
    )
    far = attention_of(settings, traits)
    mixers = [far if one else near for one in full]
    if settings.kind == "lfm2":
        return model_of(settings, traits, mixers, [dense(width, _lfm2_hidden(settings))] * layers)
    sparse = sparse_layers(settings)
    bias = settings.flag("use_expert_bias", default=True)
    experts = mixture_of(settings, traits, router_bias=bias)
    plain = dense_of(settings, traits)
    return model_of(settings, traits, mixers, [experts if one else plain for one in sparse])


def _lfm2_full(settings: ConfigSettings, layers: int) -> list[bool]:
    """Whether every block has attention."""
    listed = settings.listed("full_attn_idxs", int, "whole numbers")
    if settings.has("layer_types") or listed is None:
        if not settings.has("layer_types"):
            raise settings.fail(
                "layer_types", "is missing; it must name the kind of every block of an lfm2 model"
            )
        return alternating(settings, layers, ("conv", "short_conv"))
    return [index in set(listed) for index in range(layers)]


def _lfm2_hidden(settings: ConfigSettings) -> int:
    """Hidden channels, which the file states before they are made two thirds and rounded up."""
    key = "block_ff_dim" if settings.has("block_ff_dim") else "intermediate_size"
    stated = settings.whole(key)
    if not settings.flag("block_auto_adjust_ff_dim", default=True):
        return stated
    hidden = int(settings.number("block_ffn_dim_multiplier", 1.0) * int(2 * stated / 3))
    multiple = settings.whole("block_multiple_of", default=256)
    return multiple * -(-hidden // multiple)


HYBRID: Final[Mapping[str, Callable[[ConfigSettings], ModelShape]]] = {
    "kimi_linear": kimi_linear,
    "lfm2": lfm2,
    "lfm2_moe": lfm2,
    "minimax": minimax_text,
    "minimax_m1": minimax_text,
    "minimax_text_01": minimax_text,
    "olmo_hybrid": olmo_hybrid,
    "qwen3_5": qwen3_next,
    "qwen3_5_moe": qwen3_next,
    "qwen3_5_moe_text": qwen3_next,
    "qwen3_5_text": qwen3_next,
    "qwen3_next": qwen3_next,
}
"""By `model_type`."""

_QWEN: Final = {
    "head_dim": 256,
    "linear_conv_kernel_dim": 4,
    "linear_key_head_dim": 128,
    "linear_num_key_heads": 16,
    "linear_num_value_heads": 32,
    "linear_value_head_dim": 128,
}

DEFAULTS: Final[Mapping[str, Mapping[str, Any]]] = {
    **dict.fromkeys(("qwen3_5", "qwen3_5_text"), _QWEN),
    **dict.fromkeys(
        ("qwen3_next", "qwen3_5_moe", "qwen3_5_moe_text"),
        _QWEN | {"moe_intermediate_size": 512, "shared_expert_intermediate_size": 512},
    ),
    "kimi_linear": {
        "kv_lora_rank": 512,
        "linear_conv_kernel_dim": 4,
        "linear_head_dim": 128,
        "linear_num_heads": 32,
        "num_shared_experts": 1,
        "qk_nope_head_dim": 128,
        "qk_rope_head_dim": 64,
        "v_head_dim": 128,
    },
    "lfm2_moe": {"num_dense_layers": 2},
}
"""What their files may leave out."""
