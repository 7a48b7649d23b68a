"""The GPUs and open models that ship, as answers."""

from collections import Counter
from typing import NamedTuple

from distillplan.hardware.gpu import Gpu, Price
from distillplan.hardware.gpu_catalog import gpu, gpus, throughput_model
from distillplan.hardware.machine import listed_price
from distillplan.hardware.step_time import dense_peak, matmul_ceiling
from distillplan.models.model_catalog import CatalogModel, model, models
from distillplan.models.shapes import Block, ModelShape

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


class AlikeBlocks(NamedTuple):
    """Blocks of a model that are alike, wherever they stand."""

    blocks: int
    """Their number."""
    mixers: tuple[str, ...]
    """What tokens read other tokens with; empty: nothing."""
    heads: int | None
    """Heads of the first; null: it has none."""
    window: int | None
    """Tokens or keys that it reads at most; null: all before it."""
    ffn_width: int | None
    """Hidden channels of the feed-forward part that every token uses; null: there is none."""
    experts: int
    """Routed experts; 0: a dense block."""
    active_experts: int
    """Routed experts that one token uses."""
    expert_ffn_width: int
    """Hidden channels of one routed expert."""


class ShapeFacts(NamedTuple):
    """The sizes of a model."""

    layers: int
    """Blocks."""
    width: int
    """Channels of the residual stream, d_model."""
    vocab: int
    """Rows of the embedding table."""
    tied: bool
    """Whether the output projection shares the embedding table."""
    blocks: tuple[AlikeBlocks, ...]
    """Kinds of blocks, in the order of their first."""
    prediction_params: int
    """Parameters of heads that predict further tokens, which are in no other count."""
    cached_values: int
    """Keys, values and states that generating text keeps for one sequence of `context` tokens."""


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
    shape: ShapeFacts
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
        shape=_facts(shape),
        tokenizer=found.tokenizer,
        distillation_licence=found.distillation_licence,
        source=found.source,
    )


def _facts(shape: ModelShape) -> ShapeFacts:
    """A model's sizes, with blocks that are alike put together."""
    alike = Counter(shape.blocks)
    return ShapeFacts(
        layers=shape.layers,
        width=shape.width,
        vocab=shape.vocab,
        tied=shape.tied,
        blocks=tuple(_alike(block, number) for block, number in alike.items()),
        prediction_params=shape.prediction_params,
        cached_values=shape.cached_values(CONTEXT),
    )


def _alike(block: Block, number: int) -> AlikeBlocks:
    first = block.mixers[0] if block.mixers else None
    reach = None if first is None or not first.reaches else first.reaches[0]
    after = block.feed_forward
    return AlikeBlocks(
        blocks=number,
        mixers=tuple(mixer.kind.value for mixer in block.mixers),
        heads=None if first is None else first.heads,
        window=None if reach is None else reach.chunk or reach.most,
        ffn_width=None if after is None else after.hidden,
        experts=0 if after is None else after.experts,
        active_experts=0 if after is None else after.active_experts,
        expert_ffn_width=0 if after is None else after.expert_hidden,
    )
