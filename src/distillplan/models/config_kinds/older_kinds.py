"""Architectures from before Llama became the pattern, most with names of their own for all sizes.

Switches and defaults are those of the configuration and modeling classes of the transformers
library 5.24, or of the publisher's own where it has none.
"""

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, Final

from distillplan.files.bounds import shown
from distillplan.models.config_kinds.mixture_kinds import Mix, mixed_shape
from distillplan.models.config_kinds.plain_kinds import plain_shape
from distillplan.models.config_layers import FULL, WINDOW, windows_of
from distillplan.models.config_parts import QkNorm, Traits, attention_of, dense_of, model_of
from distillplan.models.config_values import ConfigSettings
from distillplan.models.recurrences import mamba1
from distillplan.models.shapes import ModelShape
from distillplan.named_tuples import NamedTuple

Names = Mapping[str, tuple[str, ...]]
"""A file's own names by the usual ones; where it has none of them, errors say the first."""


class Older(NamedTuple):
    """An architecture with attention and a dense part in every block."""

    traits: Traits
    names: Names
    positions: str | None = None
    """The key of the rows of a table of learned positions; None: there is none."""
    spare_positions: int = 0
    """Further rows of it."""
    embedding_norm: bool = False
    """Whether embeddings pass a norm."""
    defaults: Mapping[str, Any] = MappingProxyType({})
    """What files may leave out."""


_PLAIN: Final = Traits(tied=True, qkv_bias=True, out_bias=True, ffn_bias=True, gains=2, gated=False)
"""LayerNorms, biases everywhere, and feed-forward parts of two matrices."""
_GPT2_NAMES: Final[Names] = {
    "hidden_size": ("n_embd",),
    "num_hidden_layers": ("n_layer",),
    "num_attention_heads": ("n_head",),
    "intermediate_size": ("n_inner",),
}
_GPTJ: Final = Older(
    traits=Traits(ffn_bias=True, head_bias=True, norms=1, gains=2, gated=False), names=_GPT2_NAMES
)
_GPT2: Final = Older(traits=_PLAIN, names=_GPT2_NAMES, positions="n_positions")

OLDER: Final[Mapping[str, Older]] = {
    "bloom": Older(
        traits=_PLAIN,
        names={
            "hidden_size": ("hidden_size", "n_embed"),
            "num_hidden_layers": ("n_layer",),
            "num_attention_heads": ("n_head",),
        },
        embedding_norm=True,
    ),
    "chatglm": Older(
        traits=Traits(
            qkv_bias="add_qkv_bias", out_bias="add_bias_linear", ffn_bias="add_bias_linear"
        ),
        names={
            "num_hidden_layers": ("num_layers",),
            "intermediate_size": ("ffn_hidden_size",),
            "vocab_size": ("padded_vocab_size",),
            "num_key_value_heads": ("multi_query_group_num",),
            "head_dim": ("kv_channels",),
        },
    ),
    "codegen": _GPTJ,
    "exaone": Older(traits=Traits(), names={"num_hidden_layers": ("num_layers",)}),
    "gpt2": _GPT2,
    "gpt_bigcode": _GPT2._replace(defaults={"multi_query": True}),
    "gpt_neo": Older(
        traits=_PLAIN._replace(qkv_bias=False),
        names={
            "num_hidden_layers": ("num_layers",),
            "num_attention_heads": ("num_heads",),
            "sliding_window": ("window_size",),
        },
        positions="max_position_embeddings",
        defaults={"sliding_window": 256},
    ),
    "gptj": _GPTJ,
    "mpt": Older(
        traits=Traits(tied=True, gated=False),
        names={
            "hidden_size": ("d_model",),
            "num_hidden_layers": ("n_layers",),
            "num_attention_heads": ("n_heads",),
        },
    ),
    "opt": Older(
        traits=_PLAIN._replace(
            qkv_bias="enable_bias", out_bias="enable_bias", ffn_bias="enable_bias"
        ),
        names={"intermediate_size": ("ffn_dim",)},
        positions="max_position_embeddings",
        spare_positions=2,
        defaults={"enable_bias": True},
    ),
    "xglm": Older(
        traits=_PLAIN,
        names={
            "hidden_size": ("d_model",),
            "num_hidden_layers": ("num_layers",),
            "num_attention_heads": ("attention_heads",),
            "intermediate_size": ("ffn_dim",),
        },
    ),
}
"""By `model_type`."""


def _named(settings: ConfigSettings, names: Names, **more: Any) -> ConfigSettings:
    """A configuration under the usual names, with further values in place of those that it has."""
    own = {
        usual: next((one for one in (*told, usual) if one in settings.config), told[0])
        for usual, told in names.items()
    }
    config = {**settings.config, **{own.get(key, key): value for key, value in more.items()}}
    there = ConfigSettings(config, settings.path, settings.defaults, own)
    there.assumed = settings.assumed
    return there


def older_shape(settings: ConfigSettings, older: Older) -> ModelShape:
    """A model of a row of `OLDER`.

    Raises:
        InputError: when a size is missing or unusable, or a switch is one that is not known here.
    """
    there = _named(settings, older.names)
    _refuse_switches(there)
    more: dict[str, Any] = {}
    width = there.whole("hidden_size")
    if not there.has("intermediate_size"):
        more["intermediate_size"] = 4 * width
    if there.flag("multi_query"):
        more["num_key_value_heads"] = 1
    if there.value("multi_query_attention") is False:  # ChatGLM's groups are of no matter then
        more["num_key_value_heads"] = there.whole("num_attention_heads")
    layers = _windowed(there)
    if layers is not None:
        more["layer_types"] = layers
    there = _named(settings, older.names, **more)
    windows = windows_of(there, older.traits)
    mixers = {window: attention_of(there, older.traits, window) for window in set(windows)}
    positions = 0 if older.positions is None else there.whole(older.positions)
    return model_of(
        there,
        older.traits,
        [mixers[window] for window in windows],
        [dense_of(there, older.traits)] * len(windows),
        vector_params=older.traits.gains * width if older.embedding_norm else 0,
        learned_positions=positions,
        spare_positions=older.spare_positions,
    )


_SWITCHES: Final[Mapping[str, Any]] = {
    "do_layer_norm_before": True,
    "layer_norm_elementwise_affine": True,
    "no_bias": True,
    "norm_type": "low_precision_layernorm",
    "post_layer_norm": True,
    "rmsnorm": True,
}
"""Keys that are only known here with this value, which is that of their released models."""


def _refuse_switches(settings: ConfigSettings) -> None:
    """Refuse what makes a model unlike the others of its kind.

    Raises:
        InputError: for a switch that is not known here.
    """
    for key, known in _SWITCHES.items():
        if settings.value(key) not in (None, known):
            raise settings.fail(key, f"is {shown(settings.value(key))}; only {known} is known here")
    narrow = settings.value("word_embed_proj_dim")
    if narrow not in (None, settings.value("hidden_size")):
        raise settings.fail(
            "word_embed_proj_dim",
            f"is {shown(narrow)}; embeddings narrower than blocks are not known here",
        )
    own = settings.inner("attn_config")
    if own is not None:
        for key, known in (("alibi", True), ("attn_type", "multihead_attention"), ("qk_ln", False)):
            if own.value(key) not in (None, known):
                raise own.fail(key, f"is {shown(own.value(key))}; only {known} is known here")


def _windowed(settings: ConfigSettings) -> list[str] | None:
    """The usual names of GPT-Neo's kinds of blocks; None where the file names none.

    Raises:
        InputError: when they are not global or local.
    """
    names = settings.per_layer("attention_layers", str, "names")
    if names is None:
        return None
    known = {"global": FULL, "local": WINDOW}
    for name in names:
        if name not in known:
            raise settings.fail(
                "attention_layers", f"names {name!r:.60}; it must be global or local"
            )
    return [known[name] for name in names]


def falcon(settings: ConfigSettings) -> ModelShape:
    """Falcon 7B, 40B and 11B: one key head or groups, and both parts of a block side by side."""
    there = _named(settings, {"intermediate_size": ("ffn_hidden_size",)})
    heads, grouped = there.whole("num_attention_heads"), there.flag("new_decoder_architecture")
    norms = 2
    if grouped or there.flag("parallel_attn", default=True):
        norms = there.whole("num_ln_in_parallel_attn", default=2 if grouped else 1)
    shared = there.whole("num_kv_heads", default=heads) if grouped else heads
    if not grouped and there.flag("multi_query", default=True):
        shared = 1
    hidden = there.whole("intermediate_size", default=4 * there.whole("hidden_size"))
    traits = Traits(
        tied=True,
        qkv_bias="bias",
        out_bias="bias",
        ffn_bias="bias",
        norms=norms,
        gains=2,
        gated=False,
    )
    sizes = {"num_key_value_heads": shared, "intermediate_size": hidden}
    return plain_shape(_named(settings, {}, **sizes), traits)


def persimmon(settings: ConfigSettings) -> ModelShape:
    """Persimmon: biases everywhere, and norms of queries and keys with biases too."""
    traits = _PLAIN._replace(tied=False)
    layers = settings.whole("num_hidden_layers")
    head = settings.whole("hidden_size") // settings.whole("num_attention_heads")
    norms = 4 * head if settings.flag("qk_layernorm", default=True) else 0
    mixer = attention_of(settings, traits, vector_params=norms)
    return model_of(settings, traits, [mixer] * layers, [dense_of(settings, traits)] * layers)


def bitnet(settings: ConfigSettings) -> ModelShape:
    """BitNet: Llama with a norm before the last matrix of both parts of a block."""
    traits = Traits(tied=True, qkv_bias="attention_bias", out_bias="attention_bias")
    layers, width = settings.whole("num_hidden_layers"), settings.whole("hidden_size")
    norms = 3 * width + settings.whole("intermediate_size")
    mixer, after = attention_of(settings, traits), dense_of(settings, traits)
    block = {"vector_params": norms}
    return model_of(settings, traits, [mixer] * layers, [after] * layers, block=block)


def stablelm(settings: ConfigSettings) -> ModelShape:
    """StableLM: LayerNorms, and in the 12B norms of every head and both parts side by side."""
    traits = Traits(qkv_bias="use_qkv_bias", gains=2)
    if settings.flag("qk_layernorm"):
        traits = traits._replace(qk_norm=QkNorm.FULL)
    if settings.flag("use_parallel_residual"):
        traits = traits._replace(norms=1)
    return plain_shape(settings, traits)


def qwen(settings: ConfigSettings) -> ModelShape:
    """Qwen 1, whose files have twice the hidden channels of its gated feed-forward part."""
    hidden = settings.whole("intermediate_size")
    if hidden % 2:
        raise settings.fail("intermediate_size", f"is {hidden}; it must be even")
    traits = Traits(qkv_bias=True)
    return plain_shape(_named(settings, {}, intermediate_size=hidden // 2), traits)


def dbrx(settings: ConfigSettings) -> ModelShape:
    """DBRX: experts everywhere; its sizes lie in mappings of both parts of a block."""
    names = {
        "hidden_size": ("d_model",),
        "num_hidden_layers": ("n_layers",),
        "num_attention_heads": ("n_heads",),
    }
    shared, after = settings.inner("attn_config"), settings.inner("ffn_config")
    if shared is None or after is None:
        missing = "attn_config" if shared is None else "ffn_config"
        raise settings.fail(missing, "is missing; it must have the sizes of that part of a block")
    sizes = {
        "num_key_value_heads": shared.whole("kv_n_heads"),
        "num_experts": after.whole("moe_num_experts"),
        "num_experts_per_tok": after.whole("moe_top_k"),
        "moe_intermediate_size": after.whole("ffn_hidden_size"),
    }
    return mixed_shape(_named(settings, names, **sizes), Mix(traits=Traits()))


def mamba(settings: ConfigSettings) -> ModelShape:
    """Mamba without anything else, and Falcon Mamba, whose further norms have no gains."""
    width, layers = settings.whole("hidden_size"), settings.whole("num_hidden_layers")
    rank = settings.value("time_step_rank")
    mixer = mamba1(
        width,
        inner=settings.whole("expand", default=2) * width,
        state=settings.whole("state_size"),
        rank=-(-width // 16) if rank in (None, "auto") else settings.whole("time_step_rank"),
        kernel=settings.whole("conv_kernel", default=4),
        normed=False,
        convolution_bias=settings.flag("use_conv_bias", default=True),
        bias=settings.flag("use_bias"),
    )
    return model_of(settings, Traits(tied=True, norms=1), [mixer] * layers, [None] * layers)


KINDS: Final[Mapping[str, Callable[[ConfigSettings], ModelShape]]] = {
    **{name: partial(older_shape, older=older) for name, older in OLDER.items()},
    "bitnet": bitnet,
    "dbrx": dbrx,
    "falcon": falcon,
    "falcon_mamba": mamba,
    "mamba": mamba,
    "persimmon": persimmon,
    "qwen": qwen,
    "stablelm": stablelm,
}
"""By `model_type`."""

DEFAULTS: Final[Mapping[str, Mapping[str, Any]]] = {
    name: older.defaults for name, older in OLDER.items()
} | {"mamba": {"state_size": 16}, "falcon_mamba": {"state_size": 16}}
"""What their files may leave out."""
