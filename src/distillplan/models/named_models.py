"""Models as people name them: a size, a catalog name, a config.json, or a shape itself."""

import math
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple, TypeAlias

from distillplan.errors import InputError
from distillplan.models import model_catalog
from distillplan.models.architecture import FixedAspect
from distillplan.models.shapes import ModelShape
from distillplan.suggest import nearest
from distillplan.units import format_count, parse_count

USUAL_TP = 8
"""Largest tensor-parallel group of a node, which divides the heads of most models."""


Model: TypeAlias = float | ModelShape
"""Non-embedding parameters of a model of the family, or an exact shape."""


class Basis(StrEnum):
    """How a model was named."""

    SIZE = "size"
    """Non-embedding parameters of a model of the family."""
    CATALOG = "catalog"
    CONFIG = "config"
    """A Hugging Face config.json."""
    SHAPE = "shape"
    """Its layers and widths, one by one."""


class NamedModel(NamedTuple):
    """A model as the user named it."""

    name: str
    basis: Basis
    model: Model
    """What sets its speed."""
    shape: ModelShape
    """What fills the memory; of a size, a near model with round numbers."""
    source: str
    tokenizer: str | None = None
    distillation_licence: str | None = None


class Pair(NamedTuple):
    """A model, its teacher, and the family of those of which only the size is known."""

    model: NamedModel
    teacher: NamedModel | None
    family: FixedAspect


def named_pair(
    model: str | ModelShape,
    teacher: str | None,
    *,
    vocab: int | None = None,
    seq_len: int = 4096,
    tp: int = 1,
) -> Pair:
    """A model and its teacher.

    A size has the vocabulary of the other model where that is exact: logits must match.

    Args:
        model: a size (7B), a catalog name, a config.json, or a shape.
        teacher: the same; None: there is none.
        vocab: rows of vocabulary of a size; None: the other model's, else the family's.
        seq_len: tokens of context.
        tp: tensor-parallel group, which divides the heads of a size.
    """
    family = replace(FixedAspect(), context=seq_len)
    known = [_exact(one) for one in (teacher, model) if one is not None]
    rows = [found.shape.vocab for found in known if found is not None]
    if vocab is not None or rows:
        family = replace(family, vocab=rows[0] if vocab is None else vocab)
    return Pair(
        model=_exact(model) or _size(str(model), family, tp),
        teacher=None if teacher is None else _exact(teacher) or _size(teacher, family, tp),
        family=family,
    )


def model_of_size(
    params: float, family: FixedAspect, name: str | None = None, group: int = 1
) -> NamedModel:
    """A model of which only the non-embedding parameters are known.

    Args:
        params: non-embedding parameters.
        family: aspect ratio and vocabulary.
        name: as the user wrote it.
        group: what must divide its heads: the tensor-parallel group.
    """
    return NamedModel(
        name=name or format_count(params),
        basis=Basis.SIZE,
        model=params,
        shape=family.nearest_shape(params, group),
        source="Busbridge et al. 2025, arXiv:2502.08606, Appendix G: fixed-aspect family",
    )


def shape_of_options(**sizes: int | bool | None) -> ModelShape:
    """A shape from its sizes, those that are None left to their defaults.

    Raises:
        InputError: naming the sizes that a shape cannot do without.
    """
    needed = {"layers": "--layers", "width": "--width", "ffn_width": "--ffn", "heads": "--heads"}
    needed["vocab"] = "--vocab"
    missing = [option for name, option in needed.items() if sizes.get(name) is None]
    if missing:
        raise InputError(f"model shape: {', '.join(missing)} missing; give each, or use --model")
    given = {name: size for name, size in sizes.items() if size is not None}
    return ModelShape(**given, qk_norm=False)  # type: ignore[arg-type]  # names of its own fields


def _exact(name: str | ModelShape) -> NamedModel | None:
    """A model of which the shape is known; None for a size."""
    if isinstance(name, ModelShape):
        return NamedModel("the given shape", Basis.SHAPE, name, name, "as given")
    if name.lower().endswith(".json"):
        shape = model_catalog.model_config(Path(name))
        return NamedModel(Path(name).name, Basis.CONFIG, shape, shape, name)
    if name.rpartition("/")[2].lower() not in model_catalog.model_names():
        return None
    found = model_catalog.model(name)
    return NamedModel(
        name=found.name,
        basis=Basis.CATALOG,
        model=found.shape,
        shape=found.shape,
        source=found.source,
        tokenizer=found.tokenizer,
        distillation_licence=found.distillation_licence,
    )


def _size(text: str, family: FixedAspect, tp: int) -> NamedModel:
    """A model of the family, from its non-embedding parameters."""
    try:
        params = parse_count(text, "model")
    except InputError:
        if text[:1].isdigit() or text[:1] in "+-.":
            raise
        known = model_catalog.model_names()
        advice = nearest(text.rpartition("/")[2], known, "distillplan models lists them")
        raise InputError(
            f"model: {text!r} is no size such as 7B, no config.json and no name of the catalog; "
            f"{advice}"
        ) from None
    if not 1e5 <= params <= 1e14:
        raise InputError(
            f"model: {text!r} is {params:g} parameters; give a size such as 300M, 7B or 1T"
        )
    whole_node = USUAL_TP if family.width(params) >= 1024 else 1
    return model_of_size(params, family, text, math.lcm(tp, whole_node))
