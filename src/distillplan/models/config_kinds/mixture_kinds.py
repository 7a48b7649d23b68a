"""Architectures with attention in every block and experts in most.

Switches and defaults are those of the configuration and modeling classes of the transformers
library 5.24, or of the publisher's own where it has none.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from distillplan.models.config_layers import sparse_layers, windows_of
from distillplan.models.config_parts import (
    BIASED,
    MTP,
    QkNorm,
    Traits,
    Windows,
    attention_of,
    dense_of,
    mixture_of,
    model_of,
    predictors,
)
from distillplan.models.config_values import ConfigSettings
from distillplan.models.mixers import Mixer
from distillplan.models.shapes import ModelShape
from distillplan.named_tuples import NamedTuple


class Mix(NamedTuple):
    """An architecture with experts."""

    traits: Traits
    router_bias: bool | str = False
    """Whether the router has a bias for every expert."""
    shared_gate: bool = False
    """Whether a gate of one channel weighs the shared experts."""


MIXES: Final[Mapping[str, Mix]] = {
    "afmoe": Mix(
        traits=BIASED._replace(
            qk_norm=QkNorm.HEAD,
            gate=True,
            norms=4,
            windows=Windows.PERIOD,
            period=4,
            defaults={"head_dim": 128, "num_dense_layers": 1, "num_shared_experts": 2},
        ),
        router_bias=True,
    ),
    "dots1": Mix(traits=BIASED._replace(qk_norm=QkNorm.HEAD), router_bias=True),
    "exaone_moe": Mix(
        traits=Traits(
            qk_norm=QkNorm.HEAD,
            windows=Windows.PERIOD,
            period=4,
            defaults={"first_k_dense_replace": 1, "num_shared_experts": 1},
        ),
        router_bias=True,
    ),
    "flex_olmo": Mix(traits=BIASED._replace(qk_norm=QkNorm.FULL)),
    "glm4_moe": Mix(
        traits=Traits(
            qkv_bias="attention_bias",
            defaults={"first_k_dense_replace": 1, "n_shared_experts": 1},
        ),
        router_bias=True,
    ),
    "gpt_oss": Mix(
        traits=Traits(
            qkv_bias="attention_bias",
            out_bias="attention_bias",
            ffn_bias=True,
            sinks=True,
            windows=Windows.PERIOD,
            period=2,
            defaults={"attention_bias": True, "head_dim": 64, "sliding_window": 128},
        ),
        router_bias=True,
    ),
    "granitemoe": Mix(traits=BIASED),
    "granitemoeshared": Mix(traits=BIASED),
    "hy_v3": Mix(
        traits=BIASED._replace(qk_norm=QkNorm.HEAD, defaults={"first_k_dense_replace": 1}),
        router_bias=True,
    ),
    "minimax_m2": Mix(
        traits=Traits(qk_norm=QkNorm.FULL, defaults={"head_dim": 128}), router_bias=True
    ),
    "mixtral": Mix(traits=Traits(windows=Windows.ALL)),
    "olmoe": Mix(traits=BIASED._replace(qk_norm=QkNorm.FULL)),
    "phimoe": Mix(traits=BIASED._replace(head_bias="lm_head_bias", gains=2, windows=Windows.ALL)),
    "qwen2_moe": Mix(
        traits=Traits(
            qkv_bias="qkv_bias",
            windows=Windows.LATE,
            defaults={
                "qkv_bias": True,
                "moe_intermediate_size": 1408,
                "shared_expert_intermediate_size": 5632,
                "num_experts": 60,
                "num_experts_per_tok": 4,
            },
        ),
        shared_gate=True,
    ),
    "qwen3_moe": Mix(traits=BIASED._replace(qk_norm=QkNorm.HEAD, windows=Windows.LATE)),
    "solar_open": Mix(
        traits=Traits(qkv_bias="attention_bias", defaults={"head_dim": 128, "n_shared_experts": 1}),
        router_bias=True,
    ),
}
"""By `model_type`."""


def mixed_shape(settings: ConfigSettings, mix: Mix) -> ModelShape:
    """A model whose blocks have attention of one size, and experts in those that the file says."""
    traits = mix.traits
    if settings.flag("use_qk_norm") and traits.qk_norm is QkNorm.NONE:
        traits = traits._replace(qk_norm=QkNorm.HEAD)
    windows = windows_of(settings, traits)
    mixers = {window: attention_of(settings, traits, window) for window in set(windows)}
    return with_experts(settings, mix, [mixers[window] for window in windows], traits=traits)


def with_experts(
    settings: ConfigSettings,
    mix: Mix,
    mixers: list[Mixer],
    *,
    traits: Traits | None = None,
    sparse: list[bool] | None = None,
    dense_key: str = "intermediate_size",
    dense_predictors: bool = False,
    **special: Any,
) -> ModelShape:
    """A model with experts behind some mixers.

    Args:
        settings: the configuration.
        mix: its architecture.
        mixers: of every block.
        traits: replaces the architecture's traits.
        sparse: whether every block has experts; None: the file says.
        dense_key: the key of the hidden channels of a dense block.
        dense_predictors: whether heads that predict further tokens have no experts.
        special: further arguments of `mixture_of`.
    """
    used = mix.traits if traits is None else traits
    kinds = sparse_layers(settings) if sparse is None else sparse
    experts = mixture_of(
        settings,
        used,
        router_bias=bool(mix.router_bias),
        shared_gate=mix.shared_gate,
        bias=used.ffn_bias is True,
        **special,
    )
    plain = None if all(kinds) else dense_of(settings, used, dense_key)
    shape = model_of(settings, used, mixers, [experts if one else plain for one in kinds])
    last = shape.blocks[-1]
    if dense_predictors:
        last = replace(last, feed_forward=dense_of(settings, used, dense_key))
    return shape.with_predictors(predictors(settings, last, MTP))
