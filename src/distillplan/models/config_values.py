"""Values of a Hugging Face `config.json`, with errors that name the key."""

from collections.abc import Mapping
from typing import Any

from distillplan.errors import InputError
from distillplan.files.bounds import shown

MOST = 1_000_000_000
"""Largest number of a configuration; no layer is as wide and no vocabulary as large."""

Config = Mapping[str, Any]
"""The contents of a config.json."""


def sizes_of(config: Config) -> dict[str, Any]:
    """The sizes that most architectures store under the same keys, as fields of `ModelShape`.

    Raises:
        InputError: when one is missing or not a positive whole number.
    """
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
    """The biases that Llama's two switches set, as fields of `ModelShape`."""
    attention = flag(config, "attention_bias", default=False)
    return {
        "qkv_bias": attention,
        "attention_out_bias": attention,
        "ffn_bias": flag(config, "mlp_bias", default=False),
    }


def experts_of(config: Config, experts: str, width: str) -> dict[str, Any]:
    """A mixture of experts, as fields of `ModelShape`.

    Args:
        config: the contents of a config.json.
        experts: the key of their number.
        width: the key of the hidden channels of one expert.
    """
    return {
        "experts": whole(config, experts),
        "active_experts": whole(config, "num_experts_per_tok"),
        "expert_ffn_width": whole(config, width),
    }


def window_of(config: Config, *, layers: int) -> dict[str, Any]:
    """Sliding-window attention in a number of blocks, as fields of `ModelShape`; none without."""
    if config.get("sliding_window") is None:
        return {}
    return {"window": whole(config, "sliding_window"), "window_layers": layers}


def local_layers_of(config: Config) -> int | None:
    """Number of sliding-window blocks in the file's list; None where it has no list.

    Raises:
        InputError: when it is not a list.
    """
    kinds = config.get("layer_types")
    if kinds is None:
        return None
    if not isinstance(kinds, (list, tuple)):
        raise InputError(f"model config: layer_types is {shown(kinds)}; it must be a list of names")
    return sum(1 for kind in kinds if kind == "sliding_attention")


def whole(config: Config, key: str, *, default: int | None = None) -> int:
    """A positive whole number of the file.

    Args:
        config: the contents of a config.json.
        key: its key.
        default: its value where the file has none; None: the file must have one.

    Raises:
        InputError: when it is missing or not a positive whole number.
    """
    value = config.get(key)
    if value is None:
        if default is None:
            raise InputError(
                f"model config: {key} is missing; it must be a positive whole number in a "
                f"{config.get('model_type')} configuration"
            )
        return default
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MOST:
        raise InputError(
            f"model config: {key} is {shown(value)}; it must be a positive whole number up to "
            f"{MOST:,}"
        )
    return value


def flag(config: Config, key: str, *, default: bool) -> bool:
    """A true or false of the file.

    Raises:
        InputError: when it is neither.
    """
    value = config.get(key, default)
    if not isinstance(value, bool):
        raise InputError(f"model config: {key} is {shown(value)}; it must be true or false")
    return value
