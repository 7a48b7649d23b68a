"""Models as people name them: a size, a catalog name, a config.json, or a shape."""

import math
import re
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple, TypeAlias

from distillplan.errors import InputError, Word
from distillplan.models import model_catalog
from distillplan.models.architecture import HEAD_WIDTH, FixedAspect
from distillplan.models.model_sizes import parse_params
from distillplan.models.shapes import ModelShape
from distillplan.models.uniform import uniform_shape
from distillplan.notices import Notice
from distillplan.numerals import is_number
from distillplan.units import PARAMS, format_count

USUAL_TP = 8
"""Largest tensor-parallel group of a usual node; it divides the heads of most models."""


Model: TypeAlias = float | ModelShape
"""The non-embedding parameters of a model of the paper's family, or an exact shape."""


class Basis(StrEnum):
    """How a model was named."""

    SIZE = "size"
    """Non-embedding parameters of a model of the paper's family."""
    CATALOG = "catalog"
    """A name of the catalog."""
    CONFIG = "config"
    """A Hugging Face config.json."""
    SHAPE = "shape"
    """Layers and widths, one by one."""


class NamedModel(NamedTuple):
    """A model as the user named it."""

    name: str
    basis: Basis
    model: Model
    """What its speed follows from."""
    shape: ModelShape
    """What its memory follows from; for a size, the nearest model with whole numbers."""
    source: str
    tokenizer: str | None = None
    distillation_licence: str | None = None
    weights: str | None = None
    """Number format of the weights in its files; None: not known."""
    notices: tuple[Notice, ...] = ()
    """What to know of how its file was read."""


class Pair(NamedTuple):
    """A model, its teacher, and the family of those that are given as a size."""

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

    A model of known size gets the vocabulary of the other, so that their logits match.

    Args:
        model: a size (7B), a catalog name, a config.json, or a shape.
        teacher: the same; None: there is no teacher.
        vocab: rows of vocabulary of a size; None: the other model's, or else the family's.
        seq_len: tokens of context.
        tp: tensor-parallel group, which must divide the heads.

    Raises:
        InputError: for a name that is none of these.
    """
    family = replace(FixedAspect(), context=seq_len)
    known = [_exact(one) for one in (teacher, model) if one is not None]
    rows = [found.shape.vocab for found in known if found is not None]
    if vocab is not None or rows:
        family = replace(family, vocab=rows[0] if vocab is None else vocab)
    taught = None if teacher is None else _exact(teacher) or _size(teacher, "--teacher", family, tp)
    return Pair(
        model=_exact(model) or _size(str(model), "--model", family, tp),
        teacher=taught,
        family=family,
    )


def model_of_size(
    params: float, family: FixedAspect, name: str | None = None, group: int = 1
) -> NamedModel:
    """A model of the family, from its non-embedding parameters.

    Args:
        params: non-embedding parameters.
        family: aspect ratio and vocabulary.
        name: as the user wrote it; None: its size.
        group: what must divide its heads, such as the tensor-parallel group.
    """
    return NamedModel(
        name=name or format_count(params),
        basis=Basis.SIZE,
        model=params,
        shape=family.nearest_shape(params, group),
        source="Busbridge et al. 2025, arXiv:2502.08606, Appendix G: fixed-aspect family",
    )


def shape_of_options(**sizes: int | bool | None) -> ModelShape:
    """A shape from sizes named like the arguments of `uniform_shape`, with defaults for None.

    Raises:
        InputError: when sizes that a shape needs are missing, naming their options.
    """
    needed = {"layers": "--layers", "width": "--width", "ffn_width": "--ffn", "heads": "--heads"}
    needed["vocab"] = "--vocab"
    missing = [option for name, option in needed.items() if sizes.get(name) is None]
    if missing:
        raise InputError(
            f"model shape: {', '.join(missing)} missing; give all of them, or use --model"
        )
    given = {name: size for name, size in sizes.items() if size is not None}
    return uniform_shape(**given, qk_norm=False)  # type: ignore[arg-type]  # names of its arguments


def _exact(name: str | ModelShape) -> NamedModel | None:
    """A model of known shape; None for anything else."""
    if isinstance(name, ModelShape):
        return _of_shape("the given shape", Basis.SHAPE, name, "as given")
    if name.lower().endswith(".json"):
        read = model_catalog.model_config(Path(name))
        return _of_shape(Path(name).name, Basis.CONFIG, read.shape, name)._replace(
            weights=read.weights.value, notices=read.notices
        )
    found = None if is_number(name) else model_catalog.find_model(name)
    if found is None:
        return None
    known = _of_shape(found.name, Basis.CATALOG, found.shape, found.source)
    return known._replace(tokenizer=found.tokenizer, distillation_licence=found.license.sentence)


def _of_shape(name: str, basis: Basis, shape: ModelShape, source: str) -> NamedModel:
    """A model whose speed and memory follow from the same shape."""
    return NamedModel(name=name, basis=basis, model=shape, shape=shape, source=source)


def _size(text: str, what: str, family: FixedAspect, tp: int) -> NamedModel:
    """A model of the family, from its non-embedding parameters."""
    if not is_number(re.sub(rf"\s*{PARAMS}$", "", text, flags=re.IGNORECASE)):
        raise InputError(
            f"{what}: {text!r} is not a size such as 7B, a config.json or a name in the catalog; "
            f"{model_catalog.advice(text)}"
        )
    params = parse_params(text, what)
    heads = max(round(family.width(params) / HEAD_WIDTH), 1)
    if tp > heads:
        raise InputError(
            Word("tp"), f": {tp} is more than the {heads} attention heads of a model of {text}"
        )
    whole_node = USUAL_TP if family.width(params) >= 1024 else 1
    return model_of_size(params, family, text, math.lcm(tp, whole_node))
