"""The model that a Hugging Face `config.json` describes.

Architectures differ in what their files leave out: Llama's output projection is untied unless the
file says so, Gemma's is tied. The modules of `config_kinds` know the switches and defaults of each.
"""

from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Final

from distillplan.errors import InputError
from distillplan.files.bounds import MOST_SHOWN, shown
from distillplan.models.config_kinds import (
    gemma_kinds,
    hybrid_kinds,
    latent_kinds,
    mixture_kinds,
    older_kinds,
    plain_kinds,
    state_kinds,
    uneven_kinds,
)
from distillplan.models.config_parts import ACTIVE, EXPERTS, QkNorm, Traits
from distillplan.models.config_scope import (
    refuse_experts,
    refuse_out_of_scope,
    refuse_unlike_llama,
    unread_sizes,
    what_else,
)
from distillplan.models.config_values import Config, ConfigSettings
from distillplan.models.shapes import ModelShape
from distillplan.models.stored_weights import StoredWeights, stored_weights
from distillplan.named_tuples import NamedTuple
from distillplan.notices import UNKNOWN_ARCHITECTURE, Notice, information, warning
from distillplan.units.quantities import format_count

Builder = Callable[[ConfigSettings], ModelShape]
"""Makes the model of one architecture."""

ALIASES: Final[Mapping[str, str]] = {
    "deepseek_ref": "deepseek_v4",
    "deepseek_vl_v2": "deepseek_v2",
    "gemma3": "gemma3_text",
    "gemma3n": "gemma3n_text",
    "gemma4": "gemma4_text",
    "gemma4_unified": "gemma4_unified_text",
    "glm4v": "glm4v_text",
    "glm4v_moe": "glm4_moe",
    "glm4v_moe_text": "glm4v_moe",
    "kimi_k25": "kimi_k2",
    "llama4": "llama4_text",
    "minimax_m3_text": "minimax_m3",
    "minimax_m3_vl": "minimax_m3",
    "minimax_m3_vl_text": "minimax_m3",
    "mistral3": "mistral",
    "nemotron_h_omni": "nemotron_h",
    "pixtral": "mistral",
    "qwen2_5_vl": "qwen2",
    "qwen2_vl": "qwen2",
    "qwen3_omni_moe_text": "qwen3_moe",
    "qwen3_vl": "qwen3",
    "qwen3_vl_moe": "qwen3_moe",
    "qwen3_vl_moe_text": "qwen3_moe",
    "step3p7": "step3p5",
    "step3p7_text": "step3p5",
}
"""Other names of kinds, of which most are a model of text and pictures around one of text."""

TEXT_PARTS: Final = ("text_config", "llm_config", "language_config", "thinker_config")
"""Keys under which a model of text and more keeps that of text."""

MOST_LEVELS: Final = 4
"""Levels of such parts within each other; Qwen3-Omni has two."""

_NAMED: Final = 4
"""Keys that a sentence names."""
_LATENT_KEYS: Final = ("kv_lora_rank", "qk_rope_head_dim")


class ConfiguredModel(NamedTuple):
    """A model that a configuration describes."""

    shape: ModelShape
    kind: str
    """Its `model_type`."""
    weights: StoredWeights
    """Number format of the weights in its files."""
    notices: tuple[Notice, ...]


def read_config(config: Config) -> ConfiguredModel:
    """The model that a Hugging Face configuration describes.

    Of a model of text and more only the part for text is read.

    Args:
        config: the mapping of a config.json with its `model_type`.

    Raises:
        InputError: when the model is out of scope, or a key is missing or unusable.

    >>> llama = {"model_type": "llama", "hidden_size": 2048, "num_hidden_layers": 16}
    >>> llama |= {"intermediate_size": 8192, "num_attention_heads": 32, "num_key_value_heads": 8}
    >>> found = read_config(llama | {"vocab_size": 128256, "tie_word_embeddings": True})
    >>> found.shape.total_params
    1235814400
    """
    if not isinstance(config, Mapping):
        raise InputError("model config: expected a mapping of names to values; give a config.json")
    settings = _text_part(ConfigSettings(config))
    kind = settings.config["model_type"]
    known = ALIASES.get(kind, kind)
    builder = builders().get(ALIASES.get(known, known))
    refuse_out_of_scope(config, settings, known=builder is not None)
    notices = []
    if builder is None:
        builder = _like_llama(settings)
        shape = builder(settings)
        notices.append(_unknown_kind(settings, shape))
    else:
        settings.defaults = _defaults(ALIASES.get(known, known))
        shape = builder(settings)
    if not shape.experts:
        refuse_experts(settings, EXPERTS)
    if settings.assumed:
        told = ", ".join(f"{key} ({value})" for key, value in sorted(settings.assumed.items()))
        notices.append(
            information(
                "config_defaults",
                f"{settings.path}: "
                * bool(settings.path)
                + f"the file leaves out {told}: read as {kind} models have them; it makes "
                f"{format_count(shape.total_params)} parameters",
            )
        )
    return ConfiguredModel(
        shape=shape,
        kind=kind,
        weights=stored_weights(ConfigSettings(config)),
        notices=tuple(notices),
    )


@cache
def builders() -> dict[str, Builder]:
    """What makes the model of every architecture that can be read, by `model_type`."""
    plain = {
        name: partial(plain_kinds.plain_shape, traits=traits)
        for name, traits in plain_kinds.TRAITS.items()
    }
    mixed = {
        name: partial(mixture_kinds.mixed_shape, mix=mix)
        for name, mix in mixture_kinds.MIXES.items()
    }
    return {
        **plain,
        **mixed,
        **uneven_kinds.SPECIAL,
        **latent_kinds.LATENT,
        **hybrid_kinds.HYBRID,
        **state_kinds.STATE,
        **older_kinds.KINDS,
        "gemma3n_text": gemma_kinds.gemma3n,
        "gemma4_text": gemma_kinds.gemma4,
        "gemma4_unified_text": gemma_kinds.gemma4,
        "gpt_neox": plain_kinds.gpt_neox,
        "phi": plain_kinds.phi,
    }


def _defaults(kind: str) -> Config:
    """What files of an architecture may leave out."""
    if kind in plain_kinds.TRAITS:
        return plain_kinds.TRAITS[kind].defaults
    if kind in mixture_kinds.MIXES:
        return mixture_kinds.MIXES[kind].traits.defaults
    for module in (uneven_kinds, latent_kinds, hybrid_kinds, state_kinds, gemma_kinds, older_kinds):
        if kind in module.DEFAULTS:
            return module.DEFAULTS[kind]
    return {}


def _text_part(settings: ConfigSettings) -> ConfigSettings:
    """The part of a configuration that describes a model of text.

    It takes from the whole whether embeddings are tied, and its kind where it has none.

    Raises:
        InputError: when it has no kind, or the part is no mapping.
    """
    kind = settings.config.get("model_type")
    for key in TEXT_PARTS:
        part = settings.inner(key)
        if part is None:
            continue
        own = {"model_type": kind, **part.config}
        tied = settings.config.get("tie_word_embeddings")  # of the whole, which loads the weights
        if tied is not None:
            own["tie_word_embeddings"] = tied
        if part.path.count(".") > MOST_LEVELS:
            raise settings.fail(key, "is nested too deeply; give the config.json of one model")
        return _text_part(ConfigSettings(own, part.path))
    if kind is None:
        raise settings.fail("model_type", f"is missing{what_else(settings.config)}")
    if not isinstance(kind, str) or not 0 < len(kind) <= MOST_SHOWN:
        raise settings.fail("model_type", f"is {shown(kind)}; it must be a name, such as llama")
    return settings


def _like_llama(settings: ConfigSettings) -> Builder:
    """What reads an unknown kind that has the keys of Llama, experts and latent attention included.

    Raises:
        InputError: when it lacks them, or has keys of other mixers, which cannot be guessed.
    """
    sparse = any(settings.has(key) for key in EXPERTS)
    refuse_unlike_llama(settings, (*builders(), *ALIASES), sparse=sparse)
    if all(settings.has(key) for key in _LATENT_KEYS):
        return latent_kinds.deepseek
    traits = Traits(
        qkv_bias="attention_bias",
        out_bias="attention_bias",
        ffn_bias="mlp_bias",
        qk_norm=QkNorm.HEAD if settings.value("use_qk_norm") is True else QkNorm.NONE,
    )
    if sparse and any(settings.has(key) for key in ACTIVE):
        return partial(mixture_kinds.mixed_shape, mix=mixture_kinds.Mix(traits=traits))
    return partial(plain_kinds.plain_shape, traits=traits)


def _unknown_kind(settings: ConfigSettings, shape: ModelShape) -> Notice:
    """What to check of a model that was read as if it were known."""
    count = f"{format_count(shape.total_params)} parameters"
    if not settings.has("tie_word_embeddings"):
        tied = format_count(shape.total_params - shape.head_params)
        count += f" ({tied} with tied embeddings, of which the file says nothing)"
    if shape.experts:
        count += f", {format_count(shape.total_active_params)} of them active"
    unread = unread_sizes(settings)[:_NAMED]
    without = f", without {', '.join(unread)}" if unread else ""
    return warning(
        UNKNOWN_ARCHITECTURE,
        f"model_type {settings.kind!r} is unknown here and was read as if it were Llama{without}: "
        f"compare {count} with its model card",
    )
