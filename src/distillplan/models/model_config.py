"""A Hugging Face `config.json`, already read, as a `ModelShape`.

One builder per architecture, because a default that is absent from the file differs between them:
Llama's output projection is untied unless it says so, Gemma's is tied. Sources: the configuration
classes of the transformers library for defaults, and the parameter counts of the
published weights, which every shape in coefficients/models.yaml reproduces.
"""

from collections.abc import Callable, Mapping
from typing import Final

from distillplan.errors import InputError
from distillplan.models.config_values import (
    Config,
    biases_of,
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
"""What Gemma 3's nested text_config leaves out (its 4B file has four sizes only)."""


def shape_from_config(config: Config) -> ModelShape:
    """The shape that a Hugging Face configuration describes.

    A multimodal file's `text_config` is read; its vision tower is not counted.

    Args:
        config: the mapping of a config.json with its `model_type`.

    Raises:
        InputError: when the architecture is not known, or a key is missing or not a whole number.

    >>> llama = {"model_type": "llama", "hidden_size": 2048, "num_hidden_layers": 16}
    >>> llama |= {"intermediate_size": 8192, "num_attention_heads": 32, "num_key_value_heads": 8}
    >>> shape_from_config(llama | {"vocab_size": 128256, "tie_word_embeddings": True}).total_params
    1235814400
    """
    if not isinstance(config, Mapping):
        raise InputError("model config: not a mapping of names to values; give a config.json")
    text = config.get("text_config")
    if isinstance(text, Mapping):
        return shape_from_config(text)
    kind = config.get("model_type")
    builder = _BUILDERS.get(kind) if isinstance(kind, str) else None
    if builder is None:
        known = ", ".join(sorted(_BUILDERS))
        what = "no model_type" if kind is None else f"model_type {kind!r}, which is not known"
        raise InputError(f"model config: it has {what}; known are {known}")
    return builder(config)


def _llama(config: Config) -> ModelShape:
    return ModelShape(
        **sizes_of(config),
        **biases_of(config),
        tied=flag(config, "tie_word_embeddings", default=False),
        qk_norm=False,
    )


def _smollm3(config: Config) -> ModelShape:
    return ModelShape(
        **sizes_of(config),
        **biases_of(config),
        tied=flag(config, "tie_word_embeddings", default=True),
        qk_norm=False,
    )


def _mistral(config: Config) -> ModelShape:
    sizes = sizes_of(config)
    return ModelShape(
        **sizes,
        **window_of(config, layers=sizes["layers"]),
        tied=flag(config, "tie_word_embeddings", default=False),
        qk_norm=False,
    )


def _mixtral(config: Config) -> ModelShape:
    sizes = sizes_of(config)
    return ModelShape(
        **sizes,
        experts=whole(config, "num_local_experts"),
        active_experts=whole(config, "num_experts_per_tok"),
        expert_ffn_width=sizes["ffn_width"],
        tied=flag(config, "tie_word_embeddings", default=False),
        qk_norm=False,
    )


def _qwen2(config: Config) -> ModelShape:
    return ModelShape(
        **sizes_of(config),
        qkv_bias=True,
        tied=flag(config, "tie_word_embeddings", default=False),
        qk_norm=False,
    )


def _qwen3(config: Config) -> ModelShape:
    return ModelShape(
        **sizes_of({"head_dim": 128, **config}),
        **biases_of(config),
        tied=flag(config, "tie_word_embeddings", default=False),
    )


def _qwen3_moe(config: Config) -> ModelShape:
    if config.get("mlp_only_layers") or config.get("decoder_sparse_step", 1) != 1:
        raise InputError(
            "model config: qwen3_moe with mlp_only_layers or decoder_sparse_step mixes dense "
            "blocks in between; only a model whose every block has experts can be read"
        )
    return ModelShape(
        **sizes_of(config),
        experts=whole(config, "num_experts"),
        active_experts=whole(config, "num_experts_per_tok"),
        expert_ffn_width=whole(config, "moe_intermediate_size"),
        tied=flag(config, "tie_word_embeddings", default=False),
    )


def _deepseek(config: Config) -> ModelShape:
    """Latent attention: queries, keys and values go through narrow projections with a norm each."""
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
    expert = whole(config, "moe_intermediate_size")
    return ModelShape(
        layers=sizes["layers"],
        width=width,
        ffn_width=sizes["ffn_width"],
        heads=heads,
        vocab=sizes["vocab"],
        head_width=(plain + rotary + value)
        // 2,  # scores and values differ; their mean costs alike
        experts=whole(config, "n_routed_experts"),
        active_experts=whole(config, "num_experts_per_tok"),
        expert_ffn_width=expert,
        shared_ffn_width=expert * whole(config, "n_shared_experts"),
        dense_layers=whole(config, "first_k_dense_replace"),
        attention_params=attention,
        router_bias=config.get("topk_method") == "noaux_tc",
        tied=flag(config, "tie_word_embeddings", default=False),
        qk_norm=False,
    )


def _gpt_oss(config: Config) -> ModelShape:
    sizes = sizes_of(config)
    width, heads, kv_heads = sizes["width"], sizes["heads"], sizes["kv_heads"]
    matrices = 2 * width * (sizes["head_width"] or width // heads) * (heads + kv_heads)
    local = local_layers_of(config) or 0
    return ModelShape(
        **sizes,
        **window_of(config, layers=local),
        experts=whole(config, "num_local_experts"),
        active_experts=whole(config, "num_experts_per_tok"),
        expert_ffn_width=sizes["ffn_width"],
        attention_params=matrices + heads,  # and one learned sink per head
        qkv_bias=True,
        attention_out_bias=True,
        ffn_bias=True,
        router_bias=True,
        tied=flag(config, "tie_word_embeddings", default=False),
        qk_norm=False,
    )


def _gemma(config: Config) -> ModelShape:
    return ModelShape(**sizes_of({"head_dim": 256, **config}), qk_norm=False)


def _gemma2(config: Config) -> ModelShape:
    sizes = sizes_of({"head_dim": 256, **config})
    local = -(-sizes["layers"] // 2)  # every second block is local, the first one too
    return ModelShape(**sizes, **window_of(config, layers=local), norms_per_layer=4, qk_norm=False)


def _gemma3(config: Config) -> ModelShape:
    filled = {**_GEMMA3_DEFAULTS, **config}
    sizes = sizes_of(filled)
    local = local_layers_of(config)
    if local is None:
        period = whole(filled, "sliding_window_pattern", default=6)
        local = sizes["layers"] - sizes["layers"] // period  # every sixth block is global
    return ModelShape(**sizes, **window_of(filled, layers=local), norms_per_layer=4)


def _olmo2(config: Config) -> ModelShape:
    return ModelShape(
        **sizes_of(config),
        tied=flag(config, "tie_word_embeddings", default=False),
        qk_norm_full=True,
    )


def _gpt_neox(config: Config) -> ModelShape:
    attention_bias = flag(config, "attention_bias", default=True)
    return ModelShape(
        **sizes_of(config),
        ffn_matrices=2,
        layer_norm=True,
        qkv_bias=attention_bias,
        attention_out_bias=attention_bias,
        ffn_bias=True,
        tied=flag(config, "tie_word_embeddings", default=False),
        qk_norm=False,
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
"""model_type -> builder."""
