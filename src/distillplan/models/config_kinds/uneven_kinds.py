"""Architectures with experts whose blocks differ in more than that.

Switches and defaults are those of the configuration and modeling classes of the transformers
library 5.24, or of the publisher's own where it has none.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from distillplan.files.bounds import shown
from distillplan.models.config_kinds.mixture_kinds import Mix, with_experts
from distillplan.models.config_layers import sparse_layers, windows_of
from distillplan.models.config_parts import (
    BIASED,
    Heads,
    QkNorm,
    Traits,
    attention_of,
    heads_of,
)
from distillplan.models.config_values import ConfigSettings
from distillplan.models.mixers import KeyReach, Mixer
from distillplan.models.shapes import ModelShape


def ernie4_5_moe(settings: ConfigSettings) -> ModelShape:
    """ERNIE 4.5 with experts, of which some blocks at both ends have none."""
    traits = Traits(tied=True, qkv_bias="use_bias", out_bias="use_bias", ffn_bias="use_bias")
    layers = settings.whole("num_hidden_layers")
    first = settings.whole("moe_layer_start_index", default=1, least=0)
    last = settings.value("moe_layer_end_index")
    if not isinstance(last, int) or last < 0:
        last = layers - 1
    step = settings.whole("moe_layer_interval", default=1)
    sparse = [first <= index <= last and (index + 1) % step == 0 for index in range(layers)]
    mixer = attention_of(settings, traits)
    shared = settings.whole("moe_num_shared_experts", default=2, least=0)
    return with_experts(
        settings,
        Mix(traits=traits, router_bias=True),
        [mixer] * layers,
        sparse=sparse,
        shared=shared * settings.whole("moe_intermediate_size"),
    )


def hunyuan(settings: ConfigSettings) -> ModelShape:
    """Hunyuan with experts; its lists have a value for every block, all the same."""
    traits = BIASED._replace(qk_norm=QkNorm.HEAD)
    layers = settings.whole("num_hidden_layers")
    same = dict(settings.config)
    for key in ("moe_topk", "moe_intermediate_size", "num_shared_expert", "num_experts"):
        values = settings.value(key)
        if isinstance(values, list):
            if len({repr(one) for one in values}) != 1:
                raise settings.fail(key, f"is {shown(values)}; its values must all be the same")
            same[key] = values[0]
    equal = ConfigSettings(same, settings.path)
    shared = equal.whole("num_shared_expert", default=1) * equal.whole("intermediate_size")
    mixer = attention_of(equal, traits)
    return with_experts(equal, Mix(traits=traits), [mixer] * layers, shared=shared)


def llama4(settings: ConfigSettings) -> ModelShape:
    """Llama 4: attention in chunks but in every fourth block, one expert of many and a shared."""
    layers = settings.whole("num_hidden_layers")
    rotated = settings.per_layer("no_rope_layers", int, "zeros and ones")
    named = settings.per_layer("layer_types", str, "names")
    step = settings.whole("no_rope_layer_interval", default=4)
    if named is not None:
        local = [name == "chunked_attention" for name in named]
    elif rotated:
        local = [bool(one) for one in rotated]
    else:
        local = [(index + 1) % step != 0 for index in range(layers)]
    chunk = settings.whole("attention_chunk_size", default=8192)
    traits = BIASED
    near, far = attention_of(settings, traits, chunk=chunk), attention_of(settings, traits)
    listed = settings.listed("moe_layers", int, "whole numbers")
    every = settings.whole("interleave_moe_layer_step", default=1)
    if listed is None:
        listed = list(range(every - 1, layers, every))
    return with_experts(
        settings,
        Mix(traits=traits),
        [near if one else far for one in local],
        sparse=[index in set(listed) for index in range(layers)],
        dense_key="intermediate_size_mlp",
        shared=settings.whole("intermediate_size"),
    )


def minimax_m3(settings: ConfigSettings) -> ModelShape:
    """MiniMax M3: dense blocks first; then experts, and attention to the best blocks of keys.

    The library's class has neither dense blocks nor sparse attention unless the file lists them;
    for a file without the lists they are those of the released model.
    """
    layers = settings.whole("num_hidden_layers")
    traits = Traits(qk_norm=QkNorm.HEAD)
    listed = any(settings.has(key) for key in ("mlp_layer_types", "moe_layer_freq"))
    first = settings.whole("first_k_dense_replace", least=0)
    sparse = sparse_layers(settings) if listed else [index >= first for index in range(layers)]
    named = settings.per_layer("layer_types", str, "names")
    picked = sparse if named is None else [name == "minimax_m3_sparse" for name in named]
    searches = settings.inner("sparse_attention_config")
    keys = [
        "index_n_heads",
        "index_head_dim",
        "index_block_size",
        "index_topk_blocks",
    ]
    if searches is not None:
        flags = searches.listed("sparse_attention_freq", int, "zeros and ones")
        picked = picked if flags is None else [bool(one) for one in flags]
        keys = ["sparse_num_index_heads", "sparse_index_dim", "sparse_block_size"]
        keys.append("sparse_topk_blocks")
    indexer = [(searches or settings).whole(key) for key in keys]
    if len(picked) < layers:
        raise settings.fail(
            "sparse_attention_config.sparse_attention_freq",
            f"has {len(picked)} entries for {layers} layers; it must have one for each",
        )
    everywhere = attention_of(settings, traits)
    best = _picking(settings, everywhere, *indexer)
    return with_experts(
        settings,
        Mix(traits=traits, router_bias=True),
        [best if one else everywhere for one in picked[:layers]],
        sparse=sparse,
        dense_key="dense_intermediate_size",
    )


def _picking(
    settings: ConfigSettings, mixer: Mixer, heads: int, per_head: int, size: int, top: int
) -> Mixer:
    """Attention to the keys of the best blocks, and the small attention that finds them."""
    width = settings.whole("hidden_size")
    (reach,) = mixer.reaches
    search = KeyReach(flops=2.0 * heads * per_head)
    return mixer.sparser(
        matrix_params=width * per_head * (heads + 1),
        vector_params=2 * per_head,
        reaches=(KeyReach(flops=reach.flops, most=size * top), search),
        cached=per_head,
    )


def mimo_v2(settings: ConfigSettings) -> ModelShape:
    """MiMo V2: five of six blocks attend to a window, with heads of their own and sinks."""
    layers = settings.whole("num_hidden_layers")
    pattern = settings.per_layer("hybrid_layer_pattern", int, "zeros and ones")
    named = settings.per_layer("layer_types", str, "names")
    if named is not None:
        near = [name == "sliding_attention" for name in named]
    elif pattern is not None:
        near = [bool(one) for one in pattern]
    else:
        near = [index > 0 and (index + 1) % 6 != 0 for index in range(layers)]
    traits = Traits(qkv_bias="attention_bias")
    sizes = heads_of(settings)
    local = Heads(
        heads=settings.whole("swa_num_attention_heads", default=sizes.heads),
        kv_heads=settings.whole("swa_num_key_value_heads", default=2 * sizes.kv_heads),
        width=settings.whole("swa_head_dim", default=sizes.width),
    )
    values = settings.whole("v_head_dim", default=sizes.width)
    local_values = settings.whole("swa_v_head_dim", default=values)
    sinks = traits._replace(sinks=settings.flag("add_swa_attention_sink_bias", default=True))
    window = settings.whole("sliding_window")
    here = attention_of(settings, sinks, window, sizes=local, value_width=local_values)
    far = traits._replace(sinks=settings.flag("add_full_attention_sink_bias"))
    there = attention_of(settings, far, sizes=sizes, value_width=values)
    if not settings.has("mlp_layer_types") and not settings.has("moe_layer_freq"):
        settings.assume("first_k_dense_replace", 1)
    return with_experts(
        settings, Mix(traits=traits, router_bias=True), [here if one else there for one in near]
    )


def step3(settings: ConfigSettings) -> ModelShape:
    """Step 3.5 and 3.7: windows with more heads than the blocks that see everything, and gates."""
    traits = BIASED._replace(qk_norm=QkNorm.HEAD)
    layers = settings.whole("num_hidden_layers")
    windows = windows_of(settings, traits)
    groups = (
        "num_attention_groups" if settings.has("num_attention_groups") else ("num_key_value_heads")
    )
    sizes = heads_of(settings, kv_heads=groups)
    other = settings.inner("attention_other_setting")
    more = sizes.heads
    if settings.has("num_sliding_attention_heads"):
        more = settings.whole("num_sliding_attention_heads")
    elif other is not None:
        more = other.whole("num_attention_heads", default=sizes.heads)
    mixers: dict[int | None, Mixer] = {}
    for window in set(windows):
        here = sizes if window is None else sizes._replace(heads=more)
        mixers[window] = attention_of(settings, traits, window, sizes=here, gate_width=here.heads)
    named = settings.value("moe_layers_enum")
    sparse = None
    if isinstance(named, str):
        known = {int(one) for one in named.split(",") if one.strip().isdecimal()}
        sparse = [index in known for index in range(layers)]
    elif not settings.has("mlp_layer_types"):
        sparse = [index >= 3 for index in range(layers)]
    return with_experts(
        settings,
        Mix(traits=traits, router_bias=settings.flag("use_moe_router_bias", default=True)),
        [mixers[window] for window in windows],
        sparse=sparse,
        dense_predictors=True,
    )


def laguna(settings: ConfigSettings) -> ModelShape:
    """Laguna: heads that differ between blocks, each with a gate on its output."""
    traits = BIASED._replace(qk_norm=QkNorm.HEAD)
    windows = windows_of(settings, traits)
    sizes = heads_of(settings)
    counts = settings.per_layer("num_attention_heads_per_layer", int, "whole numbers")
    heads = counts or [sizes.heads] * len(windows)
    wide = settings.value("gating") == "per-element"
    made: dict[tuple[int | None, int], Mixer] = {}
    for window, count in zip(windows, heads, strict=True):
        if count < 1 or count % sizes.kv_heads:
            raise settings.fail(
                "num_attention_heads_per_layer",
                f"has {count}; it must be a multiple of the {sizes.kv_heads} key-value heads",
            )
        own = sizes._replace(heads=count)
        gate = count * (sizes.width if wide else 1)
        made[window, count] = attention_of(settings, traits, window, sizes=own, gate_width=gate)
    if not settings.has("mlp_layer_types"):
        settings.assume("first_k_dense_replace", 1)
    mixers = [made[one] for one in zip(windows, heads, strict=True)]
    return with_experts(settings, Mix(traits=traits, router_bias=True), mixers)


SPECIAL: Final[Mapping[str, Callable[[ConfigSettings], ModelShape]]] = {
    "ernie4_5_moe": ernie4_5_moe,
    "hunyuan_v1_moe": hunyuan,
    "laguna": laguna,
    "llama4_text": llama4,
    "mimo_v2": mimo_v2,
    "mimo_v2_flash": mimo_v2,
    "minimax_m3": minimax_m3,
    "step3p5": step3,
}
"""Those whose blocks need more than switches, by `model_type`."""

DEFAULTS: Final[Mapping[str, Mapping[str, Any]]] = {
    "llama4_text": {
        "vocab_size": 202048,
        "head_dim": 128,
        "num_local_experts": 16,
        "intermediate_size_mlp": 16384,
        "attention_chunk_size": 8192,
    },
    "mimo_v2": {"v_head_dim": 128},
    "mimo_v2_flash": {"head_dim": 192, "v_head_dim": 128, "sliding_window": 128},
    "minimax_m3": {
        "dense_intermediate_size": 12288,
        "first_k_dense_replace": 3,
        "head_dim": 128,
        "index_block_size": 128,
        "index_head_dim": 128,
        "index_n_heads": 4,
        "index_topk_blocks": 16,
        "shared_intermediate_size": 3072,
    },
}
"""What their files may leave out."""
