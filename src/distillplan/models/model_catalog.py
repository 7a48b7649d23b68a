"""Open models: what ships about them, and configurations of the user's own."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from distillplan.errors import InputError
from distillplan.files.entries import read_shipped
from distillplan.files.text_reader import read_text
from distillplan.models.shapes import ModelShape
from distillplan.suggest import nearest


class CatalogModel(NamedTuple):
    """One open model of coefficients/models.yaml."""

    name: str
    family: str
    shape: ModelShape
    tokenizer: str
    distillation_licence: str
    """A reminder of the terms for training on its outputs or logits; not legal advice."""
    trained_tokens: float | None
    """Tokens of pre-training; None: not stated."""
    published: Mapping[str, Any]
    """Parameter counts as the publisher prints them."""
    source: str


def models() -> tuple[CatalogModel, ...]:
    """Every model that ships."""
    return tuple(model(name) for name in _model_file()["models"])


def model_names() -> tuple[str, ...]:
    """Names of the models that ship."""
    return tuple(_model_file()["models"])


def model(name: str) -> CatalogModel:
    """An open model by its name, with or without its publisher: meta-llama/Llama-3.1-8B.

    >>> model("Llama-3.1-8B").shape.total_params
    8030261248
    """
    key = name.rpartition("/")[2].lower()
    entry = _model_file()["models"].get(key)
    if entry is None:
        raise InputError(f"model: {name!r} is unknown; {nearest(key, model_names())}")
    family = _model_file()["families"][entry["family"]]
    return CatalogModel(
        name=key,
        family=entry["family"],
        shape=ModelShape(**entry["shape"]),
        tokenizer=family["tokenizer"],
        distillation_licence=family["distillation_licence"],
        trained_tokens=entry.get("trained_tokens"),
        published=entry["published"],
        source=entry["source"],
    )


def model_config(path: Path) -> ModelShape:
    """The shape that a Hugging Face config.json describes."""
    from distillplan.models.model_config import shape_from_config  # only for a file

    try:
        config = json.loads(read_text(path))
    except ValueError as error:
        raise InputError(f"{path}: not readable as JSON: {error}") from None
    try:
        return shape_from_config(config)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def _model_file() -> Any:
    return read_shipped("models.yaml")
