"""The GPUs and open models that ship, as answers."""

from typing import NamedTuple

from distillplan.hardware.gpu import Gpu, Price
from distillplan.hardware.gpu_catalog import gpu, gpus, throughput_model
from distillplan.hardware.machine import listed_price
from distillplan.hardware.step_time import dense_peak, matmul_ceiling
from distillplan.models.model_catalog import CatalogModel, model, models
from distillplan.models.shapes import ModelShape

CONTEXT = 4096
"""Tokens of context at which FLOPs per token are shown."""


class GpuCard(NamedTuple):
    """One GPU in full."""

    gpu: Gpu
    dense_flops_per_s: float
    """In bf16, or in fp16 on GPUs without it."""
    matmul_flops_per_s: float
    """The best matrix product: measured, or else a share of the peak."""
    listed_price: Price | None
    """The price that a bill uses where none is given."""


class GpuList(NamedTuple):
    """All that ship."""

    gpus: tuple[GpuCard, ...]


class ModelCard(NamedTuple):
    """One open model in full."""

    name: str
    family: str
    params: float
    """Non-embedding, with all experts of a mixture."""
    active_params: float
    """Non-embedding, used by one token."""
    total_params: float
    """With embeddings."""
    total_active_params: float
    """With embeddings, used by one token."""
    forward_flops_per_token: float
    """At `context` tokens."""
    context: int
    trained_tokens: float | None
    shape: ModelShape
    tokenizer: str
    distillation_licence: str
    source: str


class ModelList(NamedTuple):
    """All that ship."""

    models: tuple[ModelCard, ...]


def gpu_list() -> GpuList:
    """Every GPU that ships."""
    return GpuList(gpus=tuple(_gpu_card(one) for one in gpus()))


def gpu_card(name: str) -> GpuCard:
    """One GPU, from the catalog or from the user's own file.

    Raises:
        InputError: for an unknown name or an unusable file.
    """
    return _gpu_card(gpu(name))


def model_list() -> ModelList:
    """Every open model that ships."""
    return ModelList(models=tuple(_model_card(one) for one in models()))


def model_card(name: str) -> ModelCard:
    """One open model.

    Raises:
        InputError: for an unknown name.
    """
    return _model_card(model(name))


def _gpu_card(found: Gpu) -> GpuCard:
    return GpuCard(
        gpu=found,
        dense_flops_per_s=dense_peak(found),
        matmul_flops_per_s=matmul_ceiling(found, throughput_model()),
        listed_price=listed_price(found.prices),
    )


def _model_card(found: CatalogModel) -> ModelCard:
    shape = found.shape
    return ModelCard(
        name=found.name,
        family=found.family,
        params=shape.params,
        active_params=shape.active_params,
        total_params=shape.total_params,
        total_active_params=shape.total_active_params,
        forward_flops_per_token=shape.forward_flops(CONTEXT),
        context=CONTEXT,
        trained_tokens=found.trained_tokens,
        shape=shape,
        tokenizer=found.tokenizer,
        distillation_licence=found.distillation_licence,
        source=found.source,
    )
