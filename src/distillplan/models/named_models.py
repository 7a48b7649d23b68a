"""Models as people name them: a size, a catalog name, a config.json, or a shape."""

import math
from collections.abc import Iterator
from dataclasses import replace
from enum import StrEnum
from functools import cache
from typing import Final, TypeAlias

from distillplan.errors import InputError, Word
from distillplan.laws.provenance import ParameterCount
from distillplan.models.architecture import HEAD_WIDTH, FixedAspect, check_context
from distillplan.models.known_model import (
    known_model,
    model_of_catalog,
    model_params,
    names_a_model,
    split_model,
)
from distillplan.models.model_sizes import parse_params
from distillplan.models.shapes import ModelShape
from distillplan.models.spellings import config_file
from distillplan.models.uniform import uniform_shape
from distillplan.named_tuples import NamedTuple
from distillplan.notices import Notice, information, warning
from distillplan.units.quantities import format_count

USUAL_TP = 8
"""Largest tensor-parallel group of a usual node; it divides the heads of most models."""

LICENSE_FORBIDS: Final = "license_forbids"
"""Code of the warning that a teacher's outputs may not train other models."""

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

    @property
    def vocab(self) -> int | None:
        """Rows of its vocabulary; None: of a size, which takes those of the other model."""
        return self.model.vocab if isinstance(self.model, ModelShape) else None

    @property
    def params(self) -> float:
        """Non-embedding parameters that multiply a token."""
        return float(self.model.active_params) if isinstance(self.model, ModelShape) else self.model


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
    pp: int = 1,
) -> Pair:
    """A model and its teacher.

    A model of known size gets the vocabulary of the other, so that their logits match.

    Args:
        model: a size (7B), a catalog name, a config.json, or a shape.
        teacher: the same; None: there is no teacher.
        vocab: rows of vocabulary of a size; None: the other model's, or else the family's.
        seq_len: tokens of context.
        tp: tensor-parallel group, which must divide the heads.
        pp: pipeline stages, of which each has a layer at least.

    Raises:
        InputError: for a name that is none of these, and a vocabulary of no model with a size.
    """
    check_context(seq_len, "seq_len")
    if isinstance(model, str):
        _refuse_tokens(model, "--model", "--tokens {}")
    if teacher is not None:
        _refuse_tokens(teacher, "--teacher", "--teacher-tokens {} where it must first be trained")
    family = replace(FixedAspect(), context=seq_len)
    student = _exact(model, "--model")
    taught = None if teacher is None else _exact(teacher, "--teacher")
    if vocab is not None and isinstance(model, str):
        _refuse_vocabulary((student, model), (taught, teacher))
    rows = [found.shape.vocab for found in (taught, student) if found is not None]
    if vocab is not None or rows:
        family = replace(family, vocab=rows[0] if vocab is None else vocab)
    if teacher is not None and taught is None:
        taught = _size(teacher, "--teacher", family, tp, pp)
    return Pair(
        model=student or _size(str(model), "--model", family, tp, pp),
        teacher=taught,
        family=family,
    )


def _refuse_vocabulary(*models: tuple[NamedModel | None, str | None]) -> None:
    """Refuse rows of vocabulary where no model has a size alone.

    Args:
        models: as they are known, and as they were written; None: there is none.

    Raises:
        InputError: where all have a vocabulary of their own.
    """
    (_, name), *_ = models
    if not any(found is None and written is not None for found, written in models):
        raise InputError(f"--vocab: {name} has a vocabulary of its own; leave it out")


def _refuse_tokens(text: str, option: str, where: str) -> None:
    """Refuse training tokens behind a model, whose shape alone is asked for.

    Args:
        text: as written.
        option: where it was written.
        where: what to write of the tokens.

    Raises:
        InputError: where they are there; says what to write.
    """
    name, tokens = split_model(text, option)
    if tokens is not None:
        name, tokens = (repr(one) if " " in one else one for one in (name.strip(), tokens.strip()))
        raise InputError(
            f"{option}: {text!r} is a model and its training tokens; write {option} {name}, and "
            f"{where.format(tokens)}"
        )


def model_of_size(
    params: float, family: FixedAspect, name: str | None = None, tp: int = 1, pp: int = 1
) -> NamedModel:
    """A model of the family, from its non-embedding parameters.

    Args:
        params: non-embedding parameters.
        family: aspect ratio and vocabulary.
        name: as the user wrote it; None: its size.
        tp: as for `usual_shape`.
        pp: the same.
    """
    return NamedModel(
        name=name or format_count(params),
        basis=Basis.SIZE,
        model=params,
        shape=usual_shape(family, params, tp, pp),
        source="Busbridge et al. 2025, arXiv:2502.08606, Appendix G: fixed-aspect family",
    )


@cache
def params_named(name: str, counts: ParameterCount) -> float | None:
    """The parameters of a model of the catalog as a law counts them; None for any other text.

    >>> counts = ParameterCount.NON_EMBEDDING
    >>> params_named("pythia-70m", counts), params_named("my-70m", counts)
    (18915328.0, None)
    """
    from distillplan.models.model_catalog import find_model  # a size does without the catalog

    found = find_model(name)
    return None if found is None else model_params(model_of_catalog(found), counts)


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


def _exact(name: str | ModelShape, what: str) -> NamedModel | None:
    """A model of known shape; None for a size.

    Raises:
        InputError: for a name that nobody knows, or that says no shape.
    """
    if isinstance(name, ModelShape):
        return NamedModel(
            name="the given shape", basis=Basis.SHAPE, model=name, shape=name, source="as given"
        )
    if not names_a_model(name):
        return None
    found = known_model(name, what, weights=False)
    if found.shape is None:
        raise InputError(
            f"{what}: {name!r} says two sizes and no shape; give its name or its config.json"
        )
    return NamedModel(
        name=found.name,
        basis=Basis.CATALOG if config_file(name) is None else Basis.CONFIG,
        model=found.shape,
        shape=found.shape,
        source=found.source,
        tokenizer=found.tokenizer,
        distillation_licence=found.license,
        weights=found.weights,
        notices=found.notices,
    )


def _size(text: str, what: str, family: FixedAspect, tp: int, pp: int) -> NamedModel:
    """A model of the family, from its non-embedding parameters."""
    params = parse_params(text, what)
    heads = max(round(family.width(params) / HEAD_WIDTH), 1)
    if tp > heads:
        raise InputError(
            Word("tp"), f": {tp} is more than the {heads} attention heads of a model of {text}"
        )
    layers = usual_shape(family, params, tp).layers
    return model_of_size(params, family, text, tp, pp if pp <= layers else 1)  # refused later


def usual_shape(family: FixedAspect, params: float, tp: int = 1, pp: int = 1) -> ModelShape:
    """The shape of a model that is known by its size, for some groups of a layout.

    Its heads divide over a node too, where it is not small.
    """
    node = USUAL_TP if family.width(params) >= 1024 else 1
    return family.nearest_shape(params, math.lcm(tp, node), pp)


def license_notices(teacher: str, terms: str | None) -> Iterator[Notice]:
    """What its license says of a teacher's outputs, as a warning where it forbids to use them."""
    if terms is None:
        return
    from distillplan.models.model_catalog import find_model  # a size does without it

    found, told = find_model(teacher), f"{teacher}: {terms}"
    forbids = found is not None and found.license.forbids
    yield warning(LICENSE_FORBIDS, told) if forbids else information("teacher_licence", told)
