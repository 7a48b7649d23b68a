"""Architectures with state-space mixers (Mamba), alone, beside attention or in turns with it.

Switches and defaults are those of the configuration and modeling classes of the transformers
library 5.24, or of the publisher's own where it has none.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from distillplan.files.bounds import shown
from distillplan.models.config_kinds.hybrid_kinds import alternating
from distillplan.models.config_parts import (
    EXPERTS,
    Heads,
    Traits,
    attention_of,
    dense_of,
    first_key,
    heads_of,
    mixture_of,
    model_of,
    on,
)
from distillplan.models.config_values import ConfigSettings
from distillplan.models.feed_forwards import FeedForward, dense
from distillplan.models.mixers import Mixer
from distillplan.models.recurrences import mamba1, mamba2
from distillplan.models.shapes import Block, ModelShape

_LETTERS: Final = {"M": "mamba", "*": "attention", "-": "mlp", "E": "moe"}
_NAMES: Final = {"linear_attention": "mamba", "full_attention": "attention"}


def mamba2_of(settings: ConfigSettings, *, normed: bool = True) -> Mixer:
    """A Mamba-2 mixer from the keys of Falcon H1, Granite 4 and Bamba.

    Args:
        settings: the configuration.
        normed: whether its output passes a norm.

    Raises:
        InputError: when its sizes do not fit together.
    """
    width, heads = settings.whole("hidden_size"), settings.whole("mamba_n_heads")
    inner = settings.whole("mamba_expand", default=2) * width
    if settings.has("mamba_d_ssm"):
        inner = settings.whole("mamba_d_ssm")
    stated = settings.value("mamba_d_head")
    head = inner // heads if stated in (None, "auto") else settings.whole("mamba_d_head")
    if heads * head != inner:
        raise settings.fail(
            "mamba_n_heads", f"is {heads}; times mamba_d_head it must be the {inner} inner channels"
        )
    groups, state = settings.whole("mamba_n_groups", default=1), settings.whole("mamba_d_state")
    convolved = inner + 2 * groups * state
    biases = convolved if settings.flag("mamba_conv_bias", default=True) else 0
    if settings.flag("mamba_proj_bias"):
        biases += inner + convolved + heads
    if settings.flag("projectors_bias") or (
        settings.flag("mamba_proj_bias") and settings.kind != "falcon_h1"
    ):
        biases += width
    return mamba2(
        width,
        heads=heads,
        head_width=head,
        groups=groups,
        state=state,
        kernel=settings.whole("mamba_d_conv", default=4),
        biases=biases,
        normed=normed,
    )


def falcon_h1(settings: ConfigSettings) -> ModelShape:
    """Falcon H1: attention and Mamba-2 side by side in every block."""
    traits = Traits(qkv_bias="attention_bias", out_bias="attention_bias", ffn_bias="mlp_bias")
    layers = settings.whole("num_hidden_layers")
    both = (
        attention_of(settings, traits),
        mamba2_of(settings, normed=settings.flag("mamba_rms_norm")),
    )
    return model_of(settings, traits, [both] * layers, [dense_of(settings, traits)] * layers)


def granite_hybrid(settings: ConfigSettings) -> ModelShape:
    """Granite 4: Mamba-2 in nine of ten blocks, and shared experts beside routed ones, if any."""
    traits = Traits(qkv_bias="attention_bias", out_bias="attention_bias")
    layers, width = settings.whole("num_hidden_layers"), settings.whole("hidden_size")
    key = "layer_types" if settings.has("layer_types") else "layers_block_type"
    names = settings.per_layer(key, str, "names")
    if names is None:
        raise settings.fail(
            "layer_types", "is missing; it must name the kind of every block (mamba, attention)"
        )
    there = ConfigSettings({**settings.config, "layer_types": names}, settings.path)
    full = alternating(there, layers, ("mamba", "linear_attention"))
    far = attention_of(settings, traits) if any(full) else None
    near = None if all(full) else mamba2_of(settings)
    shared = settings.whole("shared_intermediate_size")
    after = dense(width, shared)
    if settings.whole("num_local_experts", default=0, least=0):
        after = mixture_of(settings, traits, shared=shared)
    return model_of(settings, traits, [far if one else near for one in full], [after] * layers)


def bamba(settings: ConfigSettings) -> ModelShape:
    """Bamba: Mamba-2 in all but a few listed blocks."""
    traits = Traits(qkv_bias="attention_bias", out_bias="attention_bias", ffn_bias="mlp_bias")
    layers = settings.whole("num_hidden_layers")
    listed = set(settings.listed("attn_layer_indices", int, "whole numbers") or ())
    near, far = mamba2_of(settings), attention_of(settings, traits)
    mixers = [far if index in listed else near for index in range(layers)]
    return model_of(settings, traits, mixers, [dense_of(settings, traits)] * layers)


def jamba(settings: ConfigSettings) -> ModelShape:
    """Jamba: attention and experts now and then, Mamba elsewhere."""
    layers, width = settings.whole("num_hidden_layers"), settings.whole("hidden_size")
    traits = Traits()
    inner = settings.whole("mamba_expand", default=2) * width
    rank = settings.value("mamba_dt_rank")
    near = mamba1(
        width,
        inner=inner,
        state=settings.whole("mamba_d_state", default=16),
        rank=-(-width // 16) if rank in (None, "auto") else settings.whole("mamba_dt_rank"),
        kernel=settings.whole("mamba_d_conv", default=4),
        normed=True,
        convolution_bias=settings.flag("mamba_conv_bias", default=True),
        bias=settings.flag("mamba_proj_bias"),
    )
    far = attention_of(settings, traits)
    every = settings.whole("attn_layer_period", default=8)
    first = settings.whole("attn_layer_offset", default=4, least=0)
    mixers = [far if index % every == first else near for index in range(layers)]
    plain = dense_of(settings, traits)
    parts: list[FeedForward] = [plain] * layers
    if settings.whole(first_key(settings, EXPERTS), default=16) > 1:
        each = settings.whole("expert_layer_period", default=2)
        start = settings.whole("expert_layer_offset", default=1, least=0)
        experts = mixture_of(settings, traits)
        parts = [experts if index % each == start else plain for index in range(layers)]
    return model_of(settings, traits, mixers, parts)


def nemotron_h(settings: ConfigSettings) -> ModelShape:
    """Nemotron H and 3: every block is one part, with a norm before it."""
    names = _nemotron_names(settings)
    width = settings.whole("hidden_size")
    traits = Traits(qkv_bias="attention_bias", out_bias="attention_bias", ffn_bias="mlp_bias")
    traits = traits._replace(gated=False)
    made: dict[str, Block] = {}
    for name in set(names):
        made[name] = _nemotron_block(settings, traits, name)
    return ModelShape(
        width=width,
        vocab=settings.whole("vocab_size"),
        blocks=tuple(made[name] for name in names),
        tied=settings.flag("tie_word_embeddings"),
        vector_params=width,
        prediction_params=_nemotron_predictors(settings, traits),
    )


def _nemotron_names(settings: ConfigSettings, prefix: str = "") -> list[str]:
    """The kind of every block.

    Raises:
        InputError: when there is no list, or it names another kind.
    """
    pattern = settings.value(f"{prefix}hybrid_override_pattern")
    key = f"{prefix}layers_block_type"
    if isinstance(pattern, str):
        key = f"{prefix}hybrid_override_pattern"
        names = [_LETTERS.get(letter, letter) for letter in pattern]
    else:
        listed = settings.listed(key, str, "names")
        if listed is None and not prefix:
            raise settings.fail(
                "hybrid_override_pattern", "is missing; it must name the kind of every block"
            )
        names = [_NAMES.get(name, name) for name in listed or []]
    for name in names:
        if name not in _LETTERS.values():
            raise settings.fail(key, f"names {shown(name)}; it must be one of M, *, - and E")
    stated = settings.value("num_hidden_layers")
    if not prefix and isinstance(stated, int) and stated != len(names):
        raise settings.fail(
            key, f"has {len(names)} entries for {stated} layers; it must have one each"
        )
    return names


def _nemotron_block(settings: ConfigSettings, traits: Traits, name: str) -> Block:
    """One part, with a norm before it."""
    width = settings.whole("hidden_size")
    if name == "mamba":
        return Block(mixers=(_nemotron_mamba(settings),), vector_params=width)
    if name == "attention":
        head = "head_dim" if settings.has("head_dim") else "attention_head_dim"
        sizes = heads_of(settings, head_width=head)
        return Block(mixers=(attention_of(settings, traits, sizes=sizes),), vector_params=width)
    if name == "mlp":
        return Block(feed_forward=dense_of(settings, traits), vector_params=width)
    latent = settings.whole("moe_latent_size") if settings.has("moe_latent_size") else None
    experts = mixture_of(
        settings, traits, router_bias=True, latent=latent, bias=on(settings, "mlp_bias")
    )
    return Block(feed_forward=experts, vector_params=width)


def _nemotron_mamba(settings: ConfigSettings) -> Mixer:
    """A Mamba-2 mixer from the keys of Nemotron."""
    width, heads = settings.whole("hidden_size"), settings.whole("mamba_num_heads")
    head, state = settings.whole("mamba_head_dim"), settings.whole("ssm_state_size")
    groups, inner = settings.whole("n_groups"), heads * head
    convolved = inner + 2 * groups * state
    biases = convolved if settings.flag("use_conv_bias", default=True) else 0
    if settings.flag("use_bias"):
        biases += inner + convolved + heads + width
    return mamba2(
        width,
        heads=heads,
        head_width=head,
        groups=groups,
        state=state,
        kernel=settings.whole("conv_kernel", default=4),
        biases=biases,
    )


def _nemotron_predictors(settings: ConfigSettings, traits: Traits) -> int:
    """Parameters of heads that predict further tokens: blocks, a projection and three norms."""
    heads = settings.whole("num_nextn_predict_layers", default=0, least=0)
    if not heads:
        return 0
    width = settings.whole("hidden_size")
    names = _nemotron_names(settings, "mtp_") or ["attention", "moe"]
    blocks = [_nemotron_block(settings, traits, name) for name in names]
    own = sum(block.unrouted_params + block.routed_params for block in blocks)
    return heads * (own + 2 * width**2 + 3 * width)


def nemotron_nas(settings: ConfigSettings) -> ModelShape:
    """Llama models that NVIDIA pruned block by block (Puzzle)."""
    listed = settings.listed("block_configs", Mapping, "mappings")
    if not listed:
        raise settings.fail("block_configs", "is missing; it must describe every block")
    width, heads = settings.whole("hidden_size"), settings.whole("num_attention_heads")
    traits = Traits(qkv_bias="attention_bias", out_bias="attention_bias", ffn_bias="mlp_bias")
    blocks = []
    made: dict[str, Block] = {}
    for index, one in enumerate(listed):
        own = ConfigSettings(one, f"{settings.path}block_configs[{index}].")
        block = _pruned_block(settings, traits, own, width=width, heads=heads)
        blocks.append(made.setdefault(repr(block), block))
    return ModelShape(
        width=width,
        vocab=settings.whole("vocab_size"),
        blocks=tuple(blocks),
        tied=settings.flag("tie_word_embeddings"),
        vector_params=width,
    )


def _pruned_block(
    settings: ConfigSettings, traits: Traits, own: ConfigSettings, *, width: int, heads: int
) -> Block:
    """A block whose attention and feed-forward part may be missing or a single matrix."""
    mixers: tuple[Mixer, ...] = ()
    part, matrices, norms = None, 0, 0
    attention, after = own.inner("attention"), own.inner("ffn")
    if attention is not None and not attention.flag("no_op"):
        norms += 1
        if attention.flag("replace_with_linear"):
            matrices += width**2
        else:
            group = attention.whole("n_heads_in_group")
            if heads % group:
                raise attention.fail(
                    "n_heads_in_group", f"is {group}; it must divide {heads} heads"
                )
            head = settings.whole("head_dim", default=width // heads)
            sizes = Heads(heads=heads, kv_heads=heads // group, width=head)
            mixers = (attention_of(settings, traits, sizes=sizes),)
    if after is not None and not after.flag("no_op"):
        norms += 1
        if after.flag("replace_with_linear"):
            matrices += width**2
        else:
            hidden = int(2 * after.number("ffn_mult", 4.0) * width / 3)
            part = dense(width, 256 * -(-hidden // 256))
    return Block(
        mixers=mixers, feed_forward=part, matrix_params=matrices, vector_params=norms * width
    )


def mamba2_alone(settings: ConfigSettings) -> ModelShape:
    """Mamba-2 without anything else."""
    width, layers = settings.whole("hidden_size"), settings.whole("num_hidden_layers")
    heads, head = settings.whole("num_heads"), settings.whole("head_dim")
    groups, state = settings.whole("n_groups", default=8), settings.whole("state_size", default=128)
    convolved = heads * head + 2 * groups * state
    biases = convolved if settings.flag("use_conv_bias", default=True) else 0
    if settings.flag("use_bias"):
        biases += heads * head + convolved + heads + width
    kernel = settings.whole("conv_kernel", default=4)
    mixer = mamba2(
        width,
        heads=heads,
        head_width=head,
        groups=groups,
        state=state,
        kernel=kernel,
        biases=biases,
    )
    return model_of(settings, Traits(norms=1), [mixer] * layers, [None] * layers)


STATE: Final[Mapping[str, Callable[[ConfigSettings], ModelShape]]] = {
    "bamba": bamba,
    "falcon_h1": falcon_h1,
    "granitemoehybrid": granite_hybrid,
    "jamba": jamba,
    "mamba2": mamba2_alone,
    "nemotron-nas": nemotron_nas,
    "nemotron_h": nemotron_h,
}
"""By `model_type`."""

DEFAULTS: Final[Mapping[str, Mapping[str, Any]]] = {
    "bamba": {"mamba_n_heads": 128, "mamba_d_state": 256},
    "nemotron_h": {"head_dim": 128, "n_shared_experts": 1},
}
"""What their files may leave out."""
