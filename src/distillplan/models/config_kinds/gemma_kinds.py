"""Gemma 3n and 4: tables that a token is looked up in for every block, and shared keys.

Both count what `transformers` 5.24 loads: the blocks that reuse the keys and values of an earlier
one have no projections for them.
"""

from collections.abc import Mapping
from typing import Any, Final

from distillplan.models.config_layers import FULL, WINDOW, windows_of
from distillplan.models.config_parts import (
    Heads,
    QkNorm,
    Traits,
    Windows,
    attention_of,
    heads_of,
    mixture_of,
    model_of,
)
from distillplan.models.config_values import ConfigSettings
from distillplan.models.feed_forwards import FeedForward, dense
from distillplan.models.mixers import Mixer
from distillplan.models.shapes import ModelShape

_TRAITS: Final = Traits(
    tied=True, qkv_bias="attention_bias", out_bias="attention_bias", qk_norm=QkNorm.HEAD, norms=4
)


def gemma3n(settings: ConfigSettings) -> ModelShape:
    """Gemma 3n: several residual streams, a low-rank path around attention, tables per block."""
    traits = _TRAITS._replace(windows=Windows.PERIOD, period=5)
    width, layers = settings.whole("hidden_size"), settings.whole("num_hidden_layers")
    windows = windows_of(settings, traits)
    shares = _shares_keys(settings, layers)
    made: dict[tuple[int | None, bool], Mixer] = {}
    for one in zip(windows, shares, strict=True):
        window, reused = one
        made[one] = attention_of(
            settings,
            traits,
            window,
            shares_keys=reused,
            vector_params=_without_key_norm(heads_of(settings), reused=reused),
        )
    streams, rank = settings.whole("altup_num_inputs"), settings.whole("laurel_rank")
    narrow = settings.whole("hidden_size_per_layer_input")
    return model_of(
        settings,
        traits,
        [made[one] for one in zip(windows, shares, strict=True)],
        [dense(width, hidden) for hidden in _hidden(settings, layers)],
        block={
            "matrix_params": 2 * rank * width
            + 2 * width * narrow
            + streams**2
            + streams**3
            + width * streams,
            "vector_params": 8 * width,  # four norms, three more, and a scale
        },
        matrix_params=2 * (streams - 1) * width**2 + width * layers * narrow,
        vector_params=narrow,
        **_tables(settings, layers, narrow),
    )


def gemma4(settings: ConfigSettings) -> ModelShape:
    """Gemma 4: larger heads where a block sees everything, experts beside a dense part."""
    traits = _TRAITS._replace(windows=Windows.PERIOD, period=6)
    width, layers = settings.whole("hidden_size"), settings.whole("num_hidden_layers")
    windows = _windows(settings, traits, layers)
    shares = _shares_keys(settings, layers)
    merged = settings.flag("attention_k_eq_v")
    near = heads_of(settings)
    few = "num_global_key_value_heads"
    far = Heads(
        heads=near.heads,
        kv_heads=settings.whole(few) if merged and settings.has(few) else near.kv_heads,
        width=settings.whole("global_head_dim"),
    )
    made: dict[tuple[int | None, bool], Mixer] = {}
    for one in zip(windows, shares, strict=True):
        window, reused = one
        made[one] = attention_of(
            settings,
            traits,
            window,
            sizes=far if window is None else near,
            shares_keys=reused,
            keys_are_values=merged and window is None,
            vector_params=_without_key_norm(far if window is None else near, reused=reused),
        )
    narrow = settings.whole("hidden_size_per_layer_input", default=0, least=0)
    sparse = settings.flag("enable_moe_block")
    vectors = 4 + (1 if narrow else 0) + (4 if sparse else 0)  # norms, and the router's scale
    parts = _gemma4_parts(settings, shares, sparse=sparse)
    return model_of(
        settings,
        traits,
        [made[one] for one in zip(windows, shares, strict=True)],
        parts,
        block={"matrix_params": 2 * width * narrow, "vector_params": vectors * width},
        matrix_params=width * layers * narrow,
        vector_params=narrow,
        **_tables(settings, layers, narrow),
    )


def _gemma4_parts(
    settings: ConfigSettings, shares: list[bool], *, sparse: bool
) -> list[FeedForward]:
    """The feed-forward part of every block."""
    width, hidden = settings.whole("hidden_size"), settings.whole("intermediate_size")
    if sparse:
        experts = settings.whole("num_experts")
        part = mixture_of(settings, _TRAITS, shared=hidden, vector_params=experts)
        return [part] * len(shares)
    double = settings.flag("use_double_wide_mlp")
    plain, wide = dense(width, hidden), dense(width, 2 * hidden)
    return [wide if double and reused else plain for reused in shares]


def _windows(settings: ConfigSettings, traits: Traits, layers: int) -> list[int | None]:
    """The window of every block; the last one sees everything, whatever the file says."""
    listed = settings.per_layer("layer_types", str, "names")
    if listed is not None and listed[-1] == WINDOW:
        kinds = [*listed[: layers - 1], FULL]
        settings = ConfigSettings({**settings.config, "layer_types": kinds}, settings.path)
    windows = windows_of(settings, traits)
    return [*windows[:-1], None] if windows else windows


def _shares_keys(settings: ConfigSettings, layers: int) -> list[bool]:
    """Whether every block reuses keys and values; the last ones do.

    Raises:
        InputError: when more do than there are.
    """
    shared = settings.whole("num_kv_shared_layers", default=0, least=0)
    if shared >= layers:
        raise settings.fail("num_kv_shared_layers", f"is {shared}; there are {layers} layers")
    return [index >= layers - shared for index in range(layers)]


def _without_key_norm(sizes: Heads, *, reused: bool) -> int:
    """What a block that reuses keys saves: it has no norm for them either."""
    return -sizes.width if reused else 0


def _hidden(settings: ConfigSettings, layers: int) -> list[int]:
    """Hidden channels of every block, of which a file may give one or all."""
    if isinstance(settings.value("intermediate_size"), list):
        found = settings.per_layer("intermediate_size", int, "whole numbers") or []
        for one in found:
            if one < 1:
                raise settings.fail("intermediate_size", f"has {one}; all must be positive")
        return found
    return [settings.whole("intermediate_size")] * layers


def _tables(settings: ConfigSettings, layers: int, narrow: int) -> dict[str, int]:
    """Tables that a token is looked up in for every block."""
    if not narrow:
        return {}
    rows = settings.whole("vocab_size_per_layer_input")
    return {
        "block_embedding_params": rows * layers * narrow,
        "block_embedding_width": layers * narrow,
    }


DEFAULTS: Final[Mapping[str, Mapping[str, Any]]] = {
    "gemma3n_text": {
        "vocab_size": 262400,
        "vocab_size_per_layer_input": 262144,
        "hidden_size_per_layer_input": 256,
        "num_attention_heads": 8,
        "num_key_value_heads": 2,
        "head_dim": 256,
        "sliding_window": 512,
        "altup_num_inputs": 4,
        "num_kv_shared_layers": 15,
        "laurel_rank": 64,
    },
    "gemma4_text": {
        "vocab_size": 262144,
        "vocab_size_per_layer_input": 262144,
        "hidden_size_per_layer_input": 256,
        "head_dim": 256,
        "global_head_dim": 512,
        "sliding_window": 512,
    },
    "gemma4_unified_text": {
        "vocab_size": 262144,
        "head_dim": 256,
        "global_head_dim": 512,
        "sliding_window": 512,
    },
}
"""What their files may leave out."""
