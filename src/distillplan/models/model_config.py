"""The `ModelShape` of a Hugging Face `config.json`.

There is one builder per architecture, because the defaults of what a file leaves out differ:
Llama's output projection is untied unless the file says so, Gemma's is tied. The defaults are those
of the configuration classes of the transformers library; the shapes in coefficients/models.yaml
reproduce the parameter counts of the published weights.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from distillplan.errors import InputError
from distillplan.files.bounds import shown
from distillplan.models.config_values import (
    Config,
    biases_of,
    experts_of,
    flag,
    local_layers_of,
    sizes_of,
    whole,
    window_of,
)
from distillplan.models.shapes import ModelShape

_GEMMA3_DEFAULTS: Final = {
    "vocab_size": 262208,
    "num_attention_heads": 8,
    "num_key_value_heads": 4,
    "head_dim": 256,
    "sliding_window": 4096,
}
"""What Gemma 3's nested text_config leaves out (that of its 4B has only four sizes)."""


def shape_from_config(config: Config) -> ModelShape:
    """The shape that a Hugging Face configuration describes.

    Of a multimodal file only the `text_config` is read; its vision tower is not counted.

    Args:
        config: the mapping of a config.json with its `model_type`.

    Raises:
        InputError: when the architecture is unknown, or a key is missing or unusable.

    >>> llama = {"model_type": "llama", "hidden_size": 2048, "num_hidden_layers": 16}
    >>> llama |= {"intermediate_size": 8192, "num_attention_heads": 32, "num_key_value_heads": 8}
    >>> shape_from_config(llama | {"vocab_size": 128256, "tie_word_embeddings": True}).total_params
    1235814400
    """
    if not isinstance(config, Mapping):
        raise InputError("model config: expected a mapping of names to values; give a config.json")
    text = config.get("text_config")
    if isinstance(text, Mapping):
        return shape_from_config(text)
    kind = config.get("model_type")
    builder = _BUILDERS.get(kind) if isinstance(kind, str) else None
    if builder is None:
        what = "no model_type" if kind is None else f"unknown model_type {shown(kind)}"
        raise InputError(f"model config: {what}; use one of {', '.join(sorted(_BUILDERS))}")
    return builder(config)


def _shape(config: Config, *, tied: bool = False, **fields: Any) -> ModelShape:
    """The sizes under their usual keys, with what differs between architectures.

    Args:
        config: the mapping of a config.json.
        tied: whether the output projection is tied where the file does not say.
        fields: of `ModelShape`; without them queries and keys have no norm.
    """
    usual = {"qk_norm": False, "tied": flag(config, "tie_word_embeddings", default=tied)}
    return ModelShape(**{**usual, **sizes_of(config), **fields})


def _llama(config: Config) -> ModelShape:
    return _shape(config, **biases_of(config))


def _smollm3(config: Config) -> ModelShape:
    return _shape(config, tied=True, **biases_of(config))


def _mistral(config: Config) -> ModelShape:
    return _shape(config, **window_of(config, layers=whole(config, "num_hidden_layers")))


def _mixtral(config: Config) -> ModelShape:
    return _shape(config, **experts_of(config, "num_local_experts", "intermediate_size"))


def _qwen2(config: Config) -> ModelShape:
    return _shape(config, qkv_bias=True)


def _qwen3(config: Config) -> ModelShape:
    return _shape({"head_dim": 128, **config}, qk_norm=True, **biases_of(config))


def _qwen3_moe(config: Config) -> ModelShape:
    if config.get("mlp_only_layers") or config.get("decoder_sparse_step", 1) != 1:
        raise InputError(
            "model config: qwen3_moe with mlp_only_layers or decoder_sparse_step has dense blocks; "
            "only models with experts in every block can be read"
        )
    experts = experts_of(config, "num_experts", "moe_intermediate_size")
    return _shape(config, qk_norm=True, **experts)


def _deepseek(config: Config) -> ModelShape:
    """Latent attention: queries, keys and values pass through narrow projections with norms."""
    sizes = sizes_of(config)
    width, heads = sizes["width"], sizes["heads"]
    rotary, plain = whole(config, "qk_rope_head_dim"), whole(config, "qk_nope_head_dim")
    value, keys = whole(config, "v_head_dim"), whole(config, "kv_lora_rank")
    attention = width * (keys + rotary) + keys + keys * heads * (plain + value)
    attention += heads * value * width
    if config.get("q_lora_rank") is None:
        attention += width * heads * (plain + rotary)
    else:
        queries = whole(config, "q_lora_rank")
        attention += width * queries + queries + queries * heads * (plain + rotary)
    experts = experts_of(config, "n_routed_experts", "moe_intermediate_size")
    shared = experts["expert_ffn_width"] * whole(config, "n_shared_experts")
    return _shape(
        config,
        kv_heads=None,
        head_width=(plain + rotary + value) // 2,  # scores and values differ; the mean costs alike
        **experts,
        shared_ffn_width=shared,
        dense_layers=whole(config, "first_k_dense_replace"),
        attention_params=attention,
        router_bias=config.get("topk_method") == "noaux_tc",
    )


def _gpt_oss(config: Config) -> ModelShape:
    sizes = sizes_of(config)
    width, heads, kv_heads = sizes["width"], sizes["heads"], sizes["kv_heads"]
    matrices = 2 * width * (sizes["head_width"] or width // heads) * (heads + kv_heads)
    local = local_layers_of(config) or 0
    return _shape(
        config,
        **window_of(config, layers=local),
        **experts_of(config, "num_local_experts", "intermediate_size"),
        attention_params=matrices + heads,  # and one learned sink per head
        qkv_bias=True,
        attention_out_bias=True,
        ffn_bias=True,
        router_bias=True,
    )


def _gemma(config: Config) -> ModelShape:
    return _shape({"head_dim": 256, **config}, tied=True)


def _gemma2(config: Config) -> ModelShape:
    local = -(-whole(config, "num_hidden_layers") // 2)  # every second block, the first included
    windows = window_of(config, layers=local)
    return _shape({"head_dim": 256, **config}, tied=True, **windows, norms_per_layer=4)


def _gemma3(config: Config) -> ModelShape:
    filled = {**_GEMMA3_DEFAULTS, **config}
    local = local_layers_of(config)
    if local is None:
        layers = whole(filled, "num_hidden_layers")
        period = whole(filled, "sliding_window_pattern", default=6)
        local = layers - layers // period  # the last block of each period is global
    windows = window_of(filled, layers=local)
    return _shape(filled, tied=True, qk_norm=True, **windows, norms_per_layer=4)


def _olmo2(config: Config) -> ModelShape:
    return _shape(config, qk_norm=True, qk_norm_full=True)


def _gpt_neox(config: Config) -> ModelShape:
    attention_bias = flag(config, "attention_bias", default=True)
    return _shape(
        config,
        ffn_matrices=2,
        layer_norm=True,
        qkv_bias=attention_bias,
        attention_out_bias=attention_bias,
        ffn_bias=True,
    )


def _gpt2(config: Config) -> ModelShape:
    width = whole(config, "n_embd")
    return ModelShape(
        layers=whole(config, "n_layer"),
        width=width,
        ffn_width=whole(config, "n_inner", default=4 * width),
        heads=whole(config, "n_head"),
        vocab=whole(config, "vocab_size"),
        learned_positions=whole(config, "n_positions"),
        ffn_matrices=2,
        layer_norm=True,
        qkv_bias=True,
        attention_out_bias=True,
        ffn_bias=True,
        qk_norm=False,
    )


_BUILDERS: Final[Mapping[str, Callable[[Config], ModelShape]]] = {
    "llama": _llama,
    "smollm3": _smollm3,
    "mistral": _mistral,
    "mixtral": _mixtral,
    "qwen2": _qwen2,
    "qwen3": _qwen3,
    "qwen3_moe": _qwen3_moe,
    "deepseek_v2": _deepseek,
    "deepseek_v3": _deepseek,
    "gpt_oss": _gpt_oss,
    "gemma": _gemma,
    "gemma2": _gemma2,
    "gemma3_text": _gemma3,
    "olmo2": _olmo2,
    "gpt_neox": _gpt_neox,
    "gpt2": _gpt2,
}
"""Builders by `model_type`."""
