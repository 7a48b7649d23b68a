"""What a model loses when its weights are quantized after training, in nats per token.

Kumar et al. 2024 (arXiv:2411.04330), with b bits of a weight, N parameters and D training tokens::

    penalty = C * exp(-b / g) * D^gD / N^gN

Longer training makes a model harder to quantize, and a larger one is easier. The law was checked up
to 1.7B parameters and 26B tokens, on models trained on text alone; beyond that nothing is measured.
The numbers are in coefficients/quantization.yaml.
"""

import math
from enum import StrEnum
from functools import cache
from typing import Final

from distillplan.files.entries import shipped
from distillplan.named_tuples import NamedTuple

FILE: Final = "quantization.yaml"
"""In the folder of the data."""


class QuantizedWeights(StrEnum):
    """Number formats that weights are brought to after training."""

    INT4 = "int4"
    """Four bits with GPTQ; products and the cache stay in 16 bits."""


class QuantizedModel(NamedTuple):
    """A model that others quantized."""

    model: str
    params: float
    """Non-embedding."""
    tokens: float
    bits: float
    nats: float
    """What it lost, nats per token."""
    source: str


class QuantizationPenalty(NamedTuple):
    """What quantizing a model costs, nats per token."""

    nats: float
    low: float
    high: float
    """Off by as much as the law is where it is carried farthest; its authors give no interval."""


class QuantizationLaw(NamedTuple):
    """The constants; letters as above."""

    source: str
    scale: float
    """C."""
    tokens: float
    """Exponent gD."""
    params: float
    """Exponent gN."""
    bits: float
    """The constant g."""
    most_params: float
    """Of the largest model that it was checked on."""
    most_tokens: float
    """Of the longest training that it was checked on."""
    outside: QuantizedModel

    def nats(self, bits: float, params: float, tokens: float) -> float:
        """The penalty in nats per token, wherever it is asked for.

        >>> law = quantization_law()
        >>> round(law.nats(4, 1.7e9, 26e9), 4), round(law.nats(3, 1.7e9, 26e9), 4)
        (0.0087, 0.0473)
        """
        logs = self.tokens * math.log(tokens) - self.params * math.log(params)
        return self.scale * math.exp(logs - bits / self.bits)

    def covers(self, params: float, tokens: float) -> bool:
        """Whether a model is no larger, and trained no longer, than those it was checked on."""
        return params <= self.most_params and tokens <= self.most_tokens

    @property
    def error_factor(self) -> float:
        """How many times it is off for the model outside."""
        one = self.outside
        ratio = self.nats(one.bits, one.params, one.tokens) / one.nats
        return max(ratio, 1 / ratio)

    def penalty(
        self, weights: QuantizedWeights, params: float, tokens: float
    ) -> QuantizationPenalty | None:
        """What quantizing a model costs; None where nobody has measured it.

        Args:
            weights: the number format.
            params: non-embedding parameters.
            tokens: of its training.
        """
        if not self.covers(params, tokens):
            return None
        nats, off = self.nats(_bits()[weights], params, tokens), self.error_factor
        return QuantizationPenalty(nats=nats, low=nats / off, high=nats * off)


@cache
def quantization_law() -> QuantizationLaw:
    """The law as it ships.

    Raises:
        InputError: when its file is missing or not what it should be.
    """
    entry = shipped(FILE)
    law, largest, one = (entry.mapping(key) for key in ("law", "largest", "outside"))
    before, after = one.positive("perplexity"), one.positive("quantized_perplexity")
    return law.record(
        QuantizationLaw,
        source=entry.text("source"),
        most_params=largest.positive("params"),
        most_tokens=largest.positive("tokens"),
        outside=one.record(QuantizedModel, nats=math.log(after / before)),
    )


@cache
def _bits() -> dict[QuantizedWeights, float]:
    formats = shipped(FILE).mapping("formats")
    return {one: formats.mapping(one).positive("bits") for one in QuantizedWeights}
