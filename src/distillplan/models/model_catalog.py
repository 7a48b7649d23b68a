"""The open models that ship, and the user's own configurations."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from distillplan.errors import InputError
from distillplan.files.entries import read_shipped
from distillplan.files.json_reader import read_foreign_json
from distillplan.models.shapes import ModelShape
from distillplan.suggest import nearest


class CatalogModel(NamedTuple):
    """One open model of coefficients/models.yaml."""

    name: str
    family: str
    shape: ModelShape
    tokenizer: str
    distillation_licence: str
    """A reminder of the license's terms for training on its outputs; not legal advice."""
    trained_tokens: float | None
    """Tokens of pretraining; None: not stated."""
    published: Mapping[str, Any]
    """Parameter counts as the publisher states them."""
    source: str


def models() -> tuple[CatalogModel, ...]:
    """All models that ship."""
    return tuple(model(name) for name in _model_file()["models"])


def model_names() -> tuple[str, ...]:
    """The names of all models that ship."""
    return tuple(_model_file()["models"])


def model(name: str) -> CatalogModel:
    """An open model by its name, with or without its publisher: meta-llama/Llama-3.1-8B.

    Raises:
        InputError: for an unknown name (suggesting the nearest).

    >>> model("Llama-3.1-8B").shape.total_params
    8030261248
    """
    key = catalog_name(name)
    entry = _model_file()["models"].get(key)
    if entry is None:
        raise InputError(f"model: unknown name {name!r}; {advice(key)}")
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


def catalog_name(name: str) -> str:
    """The name of a model as the catalog spells it.

    >>> catalog_name("meta-llama/Llama-3.1-8B")
    'llama-3.1-8b'
    """
    return name.rpartition("/")[2].lower()


def advice(key: str) -> str:
    """What to say of a name that is not in the catalog."""
    return nearest(key, model_names(), "run distillplan models for the list")


def model_config(path: Path) -> ModelShape:
    """The shape that a Hugging Face config.json describes.

    Raises:
        InputError: when it cannot be read, or describes no known architecture.
    """
    from distillplan.models.model_config import shape_from_config  # only for a file

    config = read_foreign_json(path)
    try:
        return shape_from_config(config)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def _model_file() -> Any:
    return read_shipped("models.yaml")
