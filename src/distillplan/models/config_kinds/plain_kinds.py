"""Architectures with attention and a dense feed-forward part in every block.

Each differs from Llama in a few switches, which are those of the configuration and modeling classes
of the transformers library 5.24; so are the defaults.
"""

from typing import Final

from distillplan.models.config_layers import windows_of
from distillplan.models.config_parts import (
    BIASED,
    MTP,
    QkNorm,
    Traits,
    Windows,
    attention_of,
    dense_of,
    model_of,
    predictors,
)
from distillplan.models.config_values import ConfigSettings
from distillplan.models.shapes import ModelShape

_LLAMA: Final = Traits(qkv_bias="attention_bias", out_bias="attention_bias", ffn_bias="mlp_bias")
_MISTRAL: Final = Traits(windows=Windows.ALL)
_QWEN2: Final = Traits(qkv_bias=True, windows=Windows.LATE)
_QWEN3: Final = Traits(
    qkv_bias="attention_bias",
    out_bias="attention_bias",
    qk_norm=QkNorm.HEAD,
    windows=Windows.LATE,
    defaults={"head_dim": 128},
)
_GEMMA: Final = Traits(
    tied=True, qkv_bias="attention_bias", out_bias="attention_bias", defaults={"head_dim": 256}
)
_GEMMA2: Final = _GEMMA._replace(norms=4, windows=Windows.PERIOD, period=2)
_GEMMA3: Final = _GEMMA._replace(
    qk_norm=QkNorm.HEAD,
    norms=4,
    windows=Windows.PERIOD,
    period=6,
    defaults={
        "vocab_size": 262208,
        "num_attention_heads": 8,
        "num_key_value_heads": 4,
        "head_dim": 256,
        "sliding_window": 4096,
    },
)
_GLM: Final = Traits(qkv_bias="attention_bias", defaults={"head_dim": 128})
_OLMO2: Final = Traits(qkv_bias="attention_bias", out_bias="attention_bias", qk_norm=QkNorm.FULL)
_COHERE: Final = Traits(tied=True, qkv_bias="attention_bias", out_bias="attention_bias", norms=1)

TRAITS: Final = {
    "llama": _LLAMA,
    "aquila": _LLAMA,
    "arcee": _LLAMA._replace(gated=False),
    "apertus": _LLAMA._replace(qk_norm=QkNorm.HEAD, gated=False, learned_activations=2),
    "cohere": _COHERE,
    "cohere2": _COHERE._replace(windows=Windows.PERIOD, period=4),
    "ernie4_5": Traits(tied=True, qkv_bias="use_bias", out_bias="use_bias", ffn_bias="use_bias"),
    "exaone4": Traits(qk_norm=QkNorm.HEAD, windows=Windows.PERIOD, period=4),
    "gemma": _GEMMA,
    "gemma2": _GEMMA2,
    "gemma3_text": _GEMMA3,
    "glm": _GLM,
    "glm4": _GLM._replace(norms=4),
    "glm4v_text": _GLM._replace(norms=4, qkv_bias=True, defaults={}),
    "granite": _LLAMA,
    "helium": Traits(qkv_bias="attention_bias", ffn_bias="mlp_bias"),
    "hunyuan_v1_dense": _LLAMA._replace(qk_norm=QkNorm.HEAD),
    "internlm2": Traits(qkv_bias="bias", out_bias="bias"),
    "internlm3": Traits(qkv_bias="qkv_bias", out_bias="bias", ffn_bias="bias"),
    "mimo": _QWEN2,
    "minicpm": _LLAMA._replace(tied=True),
    "ministral": _MISTRAL._replace(windows=Windows.ALL),
    "ministral3": _MISTRAL,
    "mistral": _MISTRAL,
    "nanochat": BIASED._replace(gains=0, gated=False),
    "nemotron": Traits(
        qkv_bias="attention_bias",
        out_bias="attention_bias",
        ffn_bias="mlp_bias",
        gains=2,
        gated=False,
    ),
    "olmo": Traits(qkv_bias="attention_bias", out_bias="attention_bias", gains=0),
    "olmo2": _OLMO2,
    "olmo3": _OLMO2._replace(windows=Windows.PERIOD, period=4),
    "phi3": Traits(windows=Windows.ALL),
    "qwen2": _QWEN2,
    "qwen2_vl_text": _QWEN2,
    "qwen2_5_vl_text": _QWEN2,
    "qwen3": _QWEN3,
    "qwen3_vl_text": _QWEN3,
    "seed_oss": Traits(
        qkv_bias="attention_bias", out_bias="attention_out_bias", ffn_bias="mlp_bias"
    ),
    "smollm3": _LLAMA._replace(tied=True, windows=Windows.LATE),
    "starcoder2": Traits(
        tied=True,
        qkv_bias="use_bias",
        out_bias="use_bias",
        ffn_bias="use_bias",
        gains=2,
        gated=False,
        windows=Windows.ALL,
        defaults={"use_bias": True},
    ),
    "vaultgemma": _GEMMA._replace(norms=2, windows=Windows.PERIOD, period=2),
}
"""By `model_type`."""


def plain_shape(settings: ConfigSettings, traits: Traits) -> ModelShape:
    """A model whose blocks differ at most in their window."""
    if settings.flag("use_qk_norm"):  # Command R+
        traits = traits._replace(qk_norm=QkNorm.FULL)
    windows = windows_of(settings, traits)
    mixers = {window: attention_of(settings, traits, window) for window in set(windows)}
    after = dense_of(settings, traits)
    shape = model_of(
        settings, traits, [mixers[window] for window in windows], [after] * len(windows)
    )
    return shape.with_predictors(predictors(settings, shape.blocks[-1], MTP))


def gpt_neox(settings: ConfigSettings) -> ModelShape:
    """GPT-NeoX and Pythia."""
    traits = Traits(
        qkv_bias="attention_bias",
        out_bias="attention_bias",
        ffn_bias=True,
        gains=2,
        gated=False,
        defaults={"attention_bias": True},
    )
    settings.defaults = traits.defaults
    return plain_shape(settings, traits)


def phi(settings: ConfigSettings) -> ModelShape:
    """Phi-1 to Phi-2: one norm before both parts, which run side by side."""
    traits = Traits(
        qkv_bias=True, out_bias=True, ffn_bias=True, head_bias=True, norms=1, gains=2, gated=False
    )
    return plain_shape(settings, traits)
