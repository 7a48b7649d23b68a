"""Losses over the vocabulary: the bytes that they hold and move, from coefficients/memory.yaml."""

from collections.abc import Mapping

from distillplan.files.entries import read_shipped
from distillplan.hardware.gpu import Gpu
from distillplan.hardware.range import Range
from distillplan.hardware.strategy import Loss


def loss_bytes(loss: Loss) -> Mapping[str, float]:
    """Bytes per logit of one implementation of a loss, by what they are counted for."""
    found: Mapping[str, float] = read_shipped("memory.yaml")["losses"][loss]
    return found


def loss_rate(moved: float, vocab: float, gpu: Gpu) -> Range:
    """Tokens per second of kernels that read and write so many bytes for each logit of a token."""
    told = read_shipped("memory.yaml")
    rate = told["streamed"] * gpu.memory_bytes_per_s / (moved * vocab)
    return Range.within(rate, told["error"])
