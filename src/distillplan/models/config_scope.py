"""Which configurations describe a decoder of text, and which unknown ones may be guessed at."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any, Final

from distillplan.errors import InputError
from distillplan.files.bounds import shown
from distillplan.models.config_values import Config, ConfigSettings

_NO_TEXT: Final = (
    *("bert", "roberta", "deberta", "electra", "albert", "clip", "siglip", "vit", "dino", "resnet"),
    *("whisper", "wav2vec", "hubert", "swin", "detr", "sam", "convnext", "unet", "diffusion"),
)
"""Parts of names of kinds that encode text, pictures or sound, or make pictures."""

_OTHER_HEADS: Final = (
    *("ForMaskedLM", "ForPreTraining", "ForSequenceClassification", "ForTokenClassification"),
    *("ForQuestionAnswering", "ForMultipleChoice", "RewardModel", "ForSemanticSegmentation"),
)
"""Ends of names of classes that do not say which token comes next."""
_DECODERS: Final = ("ForCausalLM", "LMHeadModel", "ForConditionalGeneration")
"""Ends of names of classes that do."""

_UNLIKE_LLAMA: Final = (
    *("mamba", "ssm", "rwkv", "lru", "conv", "linear_attn", "linear_num", "lightning", "hybrid"),
    *("compress", "hc_mult", "block_configs", "latent_size", "altup", "per_layer", "cla_share"),
    *("cross_attention", "mlp_res", "type_vocab", "position_embedding_type", "relative_attention"),
    *("residual_moe", "moe_config", "layer_group", "total_ut_steps", "recurrence", "num_loops"),
    *("moe_layers", "moe_every", "moe_freq", "interleave_moe", "moe_layer_interval", "is_moe"),
)
"""Parts of keys that only a model with something else than plain attention and experts has, or with
blocks that a token passes several times."""

_LOOKS_LIKE_LLAMA: Final = (
    *("hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size"),
    "vocab_size",
)
_SIZES: Final = ("_size", "_dim", "channels", "rank", "expert")
"""Parts of keys that say a size."""
_ACTIVATIONS: Final = ("hidden_act", "hidden_activation", "activation_function", "mlp_hidden_act")
_GATED: Final = (None, "silu", "swish", "swiglu")
"""Activations that only gated feed-forward parts have."""

_FOREIGN: Final[Mapping[str, tuple[str, ...]]] = {
    "a params.json of Meta or Mistral": ("dim", "n_layers"),
    "a configuration of nanoGPT": ("n_embd", "n_layer", "block_size"),
    "an index of safetensors files": ("weight_map",),
    "a tokenizer_config.json": ("tokenizer_class",),
    "a configuration of an adapter": ("peft_type",),
    "a generation_config.json": ("_from_model_config",),
}
"""Other files that people have beside a config.json, by keys that they have."""
_INSTEAD: Final = "its size (7B), or all its sizes with distillplan estimate --layers"


def what_else(config: Config) -> str:
    """What a file without a `model_type` is, and what to give instead of it.

    Args:
        config: its contents.

    >>> what_else({"weight_map": {}})[:49]
    ', as this is an index of safetensors files; give '
    """
    found = (what for what, keys in _FOREIGN.items() if all(key in config for key in keys))
    other = next((f", as this is {what}" for what in found), "")
    return (
        f"{other}; give the config.json of its repository on the Hugging Face hub, in which it "
        f"names the architecture, such as llama, or {_INSTEAD}"
    )


def refuse_out_of_scope(config: Config, settings: ConfigSettings, *, known: bool) -> None:
    """Check that a configuration describes a decoder of text.

    Args:
        config: the whole of it.
        settings: its part for text.
        known: whether its kind can be read.

    Raises:
        InputError: when it describes something else.
    """
    what = next(_no_decoder(config, settings, known=known), None)
    if what is not None:
        raise InputError(
            f"model config: {settings.kind!r} is {what}, which is out of scope; the laws here are "
            "of decoder-only language models, so give the config.json of one"
        )


def _no_decoder(config: Config, settings: ConfigSettings, *, known: bool) -> Iterator[str]:
    """What else than a decoder of text a configuration describes; nothing where it is one."""
    if config.get("is_encoder_decoder") is True:
        yield "an encoder-decoder"
    if any(part in settings.kind for part in _NO_TEXT) and not known:
        yield "no decoder of text"
    if "_class_name" in config:
        yield "a part of a diffusion pipeline"
    for one in (config, settings.config):
        for name in _classes(one):
            if name.endswith(_OTHER_HEADS):
                yield f"of the class {shown(name)}, which does not say what comes next"
        if one.get("mask_token_id") is not None:
            yield "an encoder or a model of masked diffusion, as it has a mask_token_id"
        if one.get("is_causal") is False or one.get("use_bidirectional_attention") in (True, "all"):
            yield "an encoder or a model of diffusion, as its tokens read those behind them"


def _classes(config: Config) -> list[str]:
    """The names of the classes that a file says it is of."""
    found: Any = config.get("architectures")
    return [one for one in found if isinstance(one, str)] if isinstance(found, list) else []


def refuse_unlike_llama(settings: ConfigSettings, kinds: Iterable[str], *, sparse: bool) -> None:
    """Check that an unknown kind may be read as if it were Llama.

    Args:
        settings: its configuration.
        kinds: those that are known.
        sparse: whether it has experts.

    Raises:
        InputError: when its file says otherwise, or does not say enough.
    """
    reason = next(chain(_unlike(settings), _missing(settings, sparse=sparse)), None)
    if reason is not None:
        letters = _letters(settings.kind)
        meant = next((one for one in kinds if _letters(one) == letters), None)
        advice = "" if meant is None else f"did you mean {meant!r}? Otherwise "
        raise InputError(
            f"model config: {settings.path}model_type {settings.kind!r} is unknown here, and "
            f"{reason}; {advice}give {_INSTEAD}"
        )


def _missing(settings: ConfigSettings, *, sparse: bool) -> Iterator[str]:
    """Which size that Llama's files have an unknown kind has not."""
    missing = [key for key in _LOOKS_LIKE_LLAMA if settings.config.get(key) is None]
    if sparse and missing == ["intermediate_size"] and settings.has("moe_intermediate_size"):
        return
    for key in missing:
        yield f"its file has no {key} as Llama's has, so its sizes cannot be guessed"


def _unlike(settings: ConfigSettings) -> Iterator[str]:
    """What in its file speaks against reading an unknown kind as Llama."""
    for key, value in settings.config.items():
        if value not in (None, False) and any(part in key for part in _UNLIKE_LLAMA):
            yield f"with {key}, which makes it unlike Llama, its sizes cannot be guessed"
    for key in _ACTIVATIONS:
        found = settings.config.get(key)
        if found not in _GATED:
            yield (
                f"with the {key} {shown(found)} its feed-forward parts may have two matrices or "
                "three, so its sizes cannot be guessed"
            )
    classes = _classes(settings.config)
    if classes and not any(name.endswith(_DECODERS) for name in classes):
        yield f"the name of its class, {shown(classes[0])}, does not say that it is a decoder"


def refuse_experts(settings: ConfigSettings, keys: Iterable[str]) -> None:
    """Refuse a model that has no experts as it was read, and has some by its file.

    Args:
        settings: its configuration.
        keys: of their number.

    Raises:
        InputError: when the file says that there are several.
    """
    for key in keys:
        value = settings.config.get(key)
        if isinstance(value, int) and value > 1:
            none = f"no experts of {settings.kind} are known here"
            raise settings.fail(key, f"is {value}, and {none}; give {_INSTEAD}")


def unread_sizes(settings: ConfigSettings) -> list[str]:
    """The keys of a configuration that say a size and were not read.

    Args:
        settings: of which a model was made.
    """
    return [
        key
        for key, value in settings.config.items()
        if key not in settings.read
        and any(part in key for part in _SIZES)
        and isinstance(value, int)
        and value > 1
    ]


def _letters(kind: str) -> str:
    """A kind without separators and capitals."""
    return "".join(one for one in kind.lower() if one.isalnum())
