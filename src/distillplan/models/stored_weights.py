"""The number format in which a model's files keep their weights."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

from distillplan.models.config_values import ConfigSettings


class StoredWeights(StrEnum):
    """A number format of weights."""

    FP32 = "fp32"
    BF16 = "bf16"
    """16 bits, of either kind."""
    FP8 = "fp8"
    INT8 = "int8"
    FP4 = "fp4"
    INT4 = "int4"
    OTHER = "other"
    """Quantized in a way that is not known here."""


_WHERE: Final = ("quantization_config", "compression_config", "quantization")
"""Keys of what was quantized; the last is MLX's."""
_METHODS: Final = {
    "fp8": StoredWeights.FP8,
    "fbgemm_fp8": StoredWeights.FP8,
    "mxfp8": StoredWeights.FP8,
    "mxfp4": StoredWeights.FP4,
    "nvfp4": StoredWeights.FP4,
    "fp4": StoredWeights.FP4,
    "awq": StoredWeights.INT4,
}
_BITS: Final = {8: StoredWeights.INT8, 4: StoredWeights.INT4}
_FLOATS: Final = {8: StoredWeights.FP8, 4: StoredWeights.FP4}


def stored_weights(settings: ConfigSettings) -> StoredWeights:
    """The number format that a configuration names; 16 bits where it names none.

    Args:
        settings: the whole configuration.
    """
    for where in (settings.config, _text(settings)):
        for key in _WHERE:
            found = where.get(key)
            if isinstance(found, Mapping) and found:
                return _quantized(found)
    for where in (settings.config, _text(settings)):
        kind = where.get("dtype") or where.get("torch_dtype")
        if kind in ("float32", "fp32"):  # whatever a foreign file has there
            return StoredWeights.FP32
    return StoredWeights.BF16


def _text(settings: ConfigSettings) -> Mapping[str, Any]:
    part = settings.config.get("text_config")
    return part if isinstance(part, Mapping) else {}


def _quantized(config: Mapping[str, Any]) -> StoredWeights:
    """The format of the weights in a `quantization_config`."""
    method = str(config.get("quant_method") or "").lower()
    if config.get("load_in_4bit") is True:
        return StoredWeights.INT4
    if config.get("load_in_8bit") is True:
        return StoredWeights.INT8
    how = config.get("quant_algo") or config.get("format") or config.get("mode") or method
    named = str(how).lower()
    for word in ("nvfp4", "mxfp4", "fp4", "mxfp8", "fp8"):
        if word in named:
            return _METHODS[word]
    groups = config.get("config_groups")
    if isinstance(groups, Mapping):
        for group in groups.values():
            weights = group.get("weights") if isinstance(group, Mapping) else None
            if isinstance(weights, Mapping):
                kinds = _FLOATS if weights.get("type") == "float" else _BITS
                return kinds.get(_bits(weights.get("num_bits")), StoredWeights.OTHER)
    bits = _bits(config.get("bits"))
    return _BITS.get(bits) or _METHODS.get(method, StoredWeights.OTHER)


def _bits(value: object) -> int:
    return value if isinstance(value, int) else 0
