"""Single values of a Hugging Face `config.json`, with an error that names what is wrong."""

from collections.abc import Mapping
from typing import Any

from distillplan.errors import InputError

Config = Mapping[str, Any]
"""What a JSON reader makes of a config.json."""


def sizes_of(config: Config) -> dict[str, Any]:
    """The sizes that most architectures name alike."""
    heads = whole(config, "num_attention_heads")
    head_width = config.get("head_dim")
    return {
        "layers": whole(config, "num_hidden_layers"),
        "width": whole(config, "hidden_size"),
        "ffn_width": whole(config, "intermediate_size"),
        "heads": heads,
        "kv_heads": whole(config, "num_key_value_heads", default=heads),
        "head_width": None if head_width is None else whole(config, "head_dim"),
        "vocab": whole(config, "vocab_size"),
    }


def biases_of(config: Config) -> dict[str, bool]:
    """Llama's two switches."""
    attention = flag(config, "attention_bias", default=False)
    return {
        "qkv_bias": attention,
        "attention_out_bias": attention,
        "ffn_bias": flag(config, "mlp_bias", default=False),
    }


def window_of(config: Config, *, layers: int) -> dict[str, Any]:
    """Sliding-window attention on so many blocks, where the file sets a window."""
    if config.get("sliding_window") is None:
        return {}
    return {"window": whole(config, "sliding_window"), "window_layers": layers}


def local_layers_of(config: Config) -> int | None:
    """Sliding-window blocks that the file lists; None where it has no list."""
    kinds = config.get("layer_types")
    if kinds is None:
        return None
    if not isinstance(kinds, (list, tuple)):
        raise InputError(f"model config: layer_types is {kinds!r}; it must be a list of names")
    return sum(1 for kind in kinds if kind == "sliding_attention")


def whole(config: Config, key: str, *, default: int | None = None) -> int:
    """A positive whole number of the file."""
    value = config.get(key)
    if value is None:
        if default is None:
            raise InputError(
                f"model config: {key} is missing from a {config.get('model_type')} configuration; "
                "it must be a positive whole number"
            )
        return default
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise InputError(f"model config: {key} is {value!r}; it must be a positive whole number")
    return value


def flag(config: Config, key: str, *, default: bool) -> bool:
    """A true or false of the file."""
    value = config.get(key, default)
    if not isinstance(value, bool):
        raise InputError(f"model config: {key} is {value!r}; it must be true or false")
    return value
