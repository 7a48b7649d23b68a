"""Losses over the vocabulary: the bytes that they hold and move, from coefficients/memory.yaml."""

from functools import cache
from typing import NamedTuple

from distillplan.files.entries import shipped
from distillplan.hardware.gpu import Gpu
from distillplan.hardware.range import Range
from distillplan.hardware.strategy import Loss


class LossBytes(NamedTuple):
    """Bytes per logit of one implementation of a loss."""

    held: float
    """While the loss of a student alone is computed."""
    held_by_teacher: float
    """In addition with an online teacher."""
    moved: float
    """Read and written for cross-entropy, which the speed has in it."""
    moved_by_teacher: float
    """Read and written with an online teacher beyond that."""


@cache
def loss_bytes(loss: Loss) -> LossBytes:
    """Those of a loss."""
    return shipped("memory.yaml").mapping("losses").mapping(loss).record(LossBytes)


def loss_rate(moved: float, vocab: float, gpu: Gpu) -> Range:
    """Tokens per second of kernels that read and write so many bytes for each logit of a token."""
    told = shipped("memory.yaml")
    error = told.positive("error")
    mid = told.positive("streamed") * gpu.memory_bytes_per_s / (moved * vocab)
    return Range(low=mid * (1 - error), mid=mid, high=mid * (1 + error))
