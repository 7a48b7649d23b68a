"""Which blocks attend to a window, and which have experts, by the keys that say so."""

from distillplan.models.config_parts import Traits, Windows, first_key
from distillplan.models.config_values import ConfigSettings

FULL, WINDOW = "full_attention", "sliding_attention"


def windows_of(settings: ConfigSettings, traits: Traits) -> list[int | None]:
    """The window of every block; None where it attends to all.

    Raises:
        InputError: when a block is of a kind that is not known here.
    """
    layers = settings.whole("num_hidden_layers")
    kinds = settings.per_layer("layer_types", str, "names")
    if kinds is None:
        kinds = _usual_kinds(settings, traits, layers)
    for kind in kinds:
        if kind not in {FULL, WINDOW}:
            raise settings.fail(
                "layer_types", f"names {kind!r:.60}; it must be {FULL} or {WINDOW} here"
            )
    if WINDOW not in kinds or settings.value(traits.window_key) is None:
        return [None] * layers
    window = settings.whole(traits.window_key)
    return [window if kind == WINDOW else None for kind in kinds]


def _usual_kinds(settings: ConfigSettings, traits: Traits, layers: int) -> list[str]:
    """Kinds of blocks that follow from few keys."""
    if traits.windows is Windows.PERIOD:
        period = settings.whole("sliding_window_pattern", default=traits.period)
        return [FULL if (index + 1) % period == 0 else WINDOW for index in range(layers)]
    if traits.windows is Windows.LATE:
        late = settings.flag("use_sliding_window")
        first = settings.whole("max_window_layers", default=layers, least=0) if late else layers
        return [WINDOW if index >= first else FULL for index in range(layers)]
    return [WINDOW if traits.windows is Windows.ALL else FULL] * layers


def sparse_layers(settings: ConfigSettings) -> list[bool]:
    """Whether every block has experts, by whichever key says so; by none, all have.

    Raises:
        InputError: when a key is unusable.
    """
    layers = settings.whole("num_hidden_layers")
    named = settings.per_layer("mlp_layer_types", str, "names")
    if named is not None:
        return [name != "dense" for name in named]
    if isinstance(settings.value("moe_layer_freq"), list):
        flags = settings.per_layer("moe_layer_freq", int, "zeros and ones")
        return [bool(one) for one in flags or []]
    first = settings.whole(
        first_key(settings, ("first_k_dense_replace", "num_dense_layers", "dense_layers")),
        default=0,
        least=0,
    )
    step = settings.whole(first_key(settings, ("decoder_sparse_step", "moe_layer_freq")), default=1)
    plain = set(settings.listed("mlp_only_layers", int, "whole numbers") or ())
    return [
        index >= first and (index + 1) % step == 0 and index not in plain for index in range(layers)
    ]
