"""The open models that ship, and the user's own configurations."""

import json
import re
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from distillplan.errors import InputError
from distillplan.files.entries import coefficients_dir, read_shipped
from distillplan.files.json_reader import read_config_json
from distillplan.files.text_reader import read_text
from distillplan.models.shapes import ModelShape
from distillplan.models.spellings import (
    bare_name,
    is_closed,
    is_tuned,
    letters,
    of_base,
    plain_name,
)
from distillplan.suggest import close_names
from distillplan.units.quantities import MULTIPLIERS

if TYPE_CHECKING:
    from distillplan.models.model_config import ConfiguredModel

MODELS = "models.jsonl"
"""The models, one a line."""
FAMILIES = "models.yaml"
"""Licenses and families, which models share."""


ROUNDED = 0.05
"""How far the size in a name may be from the parameters: phi4:14b has 14.66B."""
_OTHER_FILES = (
    *(".gguf", ".safetensors", ".bin", ".pt", ".pth", ".ckpt", ".onnx"),
    *(".yaml", ".yml", ".toml"),
)
"""How files of models end of which nothing is read."""
_TAG = re.compile(r"(\d+(?:\.\d+)?)([mbt])(?:-.*)?")


class Distilling(StrEnum):
    """Whether outputs or logits of a model may train other models."""

    ALLOWED = "allowed"
    CONDITIONAL = "conditional"
    FORBIDDEN = "forbidden"
    UNKNOWN = "unknown"


class License(NamedTuple):
    """The terms of a model, as far as they matter to a teacher; not legal advice."""

    key: str
    """Its short name here."""
    name: str
    """Its name in full."""
    commercial: bool | None
    """Whether commercial use is allowed, if only below a threshold; null: not known here."""
    distilling: Distilling
    """Whether outputs or logits may train other models."""
    terms: str
    """What they ask for."""
    read: str | None
    """The month in which they were read, as 2026-11; null: they were not."""

    @property
    def sentence(self) -> str:
        """The terms for distilling as one line."""
        return f"{self.name}: {self.terms} (not legal advice)"


class CatalogModel(NamedTuple):
    """One open model of coefficients/models.jsonl."""

    name: str
    hub: str | None
    """Its repository on the Hugging Face hub; None: its weights are not published."""
    family: str
    shape: ModelShape
    tokenizer: str
    """Models with a tokenizer of one name can share logits."""
    license: License
    trained_tokens: float | None
    """Tokens of pretraining; None: not known."""
    source: str


def models() -> tuple[CatalogModel, ...]:
    """All models that ship."""
    return tuple(_made(entry) for entry in _entries().values())


def is_tuned_copy(name: str, found: CatalogModel) -> bool:
    """Whether a name is of a copy that was tuned after the pretraining of a model.

    >>> is_tuned_copy("QwQ-32B", model("qwen2.5-32b"))
    True
    """
    of_a_copy = is_tuned(name) or letters(of_base(name)) in _tuned()
    return of_a_copy and bare_name(name) not in (found.name, bare_name(found.hub or ""))


def find_model(name: str) -> CatalogModel | None:
    """The model of a name, of a repository on the hub, or of one without its publisher.

    Upper and lower case are alike, and so are all separators. A tuned, quantized or dated copy is
    the model that it was made from, as its shape is the same, and a size behind a colon is that of
    a model. None where there is no such model.

    >>> [find_model(name).name for name in ("Qwen3-8B", "someone/qwen3-8b", "qwen3 8b")]
    ['qwen3-8b', 'qwen3-8b', 'qwen3-8b']
    >>> [find_model(name).name for name in ("Qwen2.5-72B-Instruct", "gemma 3 27b it")]
    ['qwen2.5-72b', 'gemma-3-27b']
    >>> [find_model(name).name for name in ("phi4:14b", "deepseek-v2:16b", "qwen3:30b")]
    ['phi-4', 'deepseek-v2-lite', 'qwen3-30b-a3b']
    """
    key = bare_name(name)
    found = _repositories().get(key, key)
    if found not in _entries():
        alike = _alike()
        found = alike.get(letters(name)) or alike.get(letters(of_base(name))) or _tagged(name)
    entry = _entries().get(found)
    return None if entry is None else _made(entry)


def tagged(name: str) -> list[str]:
    """The names that one with a size behind a colon may stand for, as people pull models.

    The model in front of the colon where that is its size, or those whose names go on from there.

    >>> tagged("phi4:14b"), tagged("deepseek-r1:8b")
    (['phi-4'], ['deepseek-r1-distill-llama-8b', 'deepseek-r1-0528-qwen3-8b'])
    """
    stem, _, tag = bare_name(name).rpartition(":")
    said = _TAG.fullmatch(tag.strip())
    if not stem or said is None:
        return []
    size = float(said[1]) * MULTIPLIERS[said[2]]
    own = find_model(stem)
    if own is not None and _has_size(own, size):
        return [own.name]
    known = {**{key: key for key in _entries()}, **read_shipped(FAMILIES)["tuned"]}
    return [
        key
        for key, whole in known.items()
        if _goes_on(key, letters(stem)) and _has_size(_made(_entries()[whole]), size)
    ]


def _tagged(name: str) -> str:
    """The one model that a name with a size behind a colon stands for; empty: none, or several."""
    found = tagged(name)
    return _alike()[letters(found[0])] if len(found) == 1 else ""


def _goes_on(name: str, stem: str) -> bool:
    """Whether a name has further parts behind those that are the letters of a stem."""
    parts = name.split("-")
    return any("".join(parts[:end]) == stem for end in range(1, len(parts)))


def _has_size(found: CatalogModel, size: float) -> bool:
    """Whether a number is that of all or of the active parameters, as names round them."""
    shape = found.shape
    sizes = shape.total_params, shape.total_active_params
    return any(abs(size / one - 1) <= ROUNDED for one in sizes)


def model(name: str) -> CatalogModel:
    """The same as `find_model`, which must find one.

    Raises:
        InputError: for an unknown name (suggesting the nearest).

    >>> model("meta-llama/Llama-3.1-8B").shape.total_params
    8030261248
    """
    found = find_model(name)
    if found is None:
        raise InputError(f"model: unknown name {name!r}; {advice(name)}")
    return found


def near_names(name: str) -> list[str]:
    """At most three names of the catalog that resemble a mistyped name, the closest first.

    >>> near_names("lama-3.1-8b")[0]
    'llama-3.1-8b'
    >>> near_names("mistral-7b")[:2]
    ['mistral-7b-v0.1', 'mistral-7b-v0.3']
    """
    plain = plain_name(name)
    longer = [one for one in _entries() if one.startswith(f"{plain}-")]
    known = {**{key: key for key in _entries()}, **_repositories()}
    close = close_names(plain, known, alike=0.6)
    return list(dict.fromkeys([*longer, *(known[key] for key in close)]))[:3]


def advice(name: str) -> str:
    """What to say of a name that is not in the catalog.

    >>> advice("gpt-4o")
    'its weights are closed, and without them there are no logits to learn from; name an open model'
    >>> advice("deepseek-r1:8b")
    "did you mean 'deepseek-r1-distill-llama-8b' or 'deepseek-r1-0528-qwen3-8b'?"
    """
    if name.lower().endswith(_OTHER_FILES):
        return "a model's sizes are read from the config.json of its repository; give its path"
    if is_closed(name):
        return (
            "its weights are closed, and without them there are no logits to learn from; name an "
            "open model"
        )
    close = tagged(name) or near_names(name)
    if not close:
        return "run distillplan models for the list"
    return f"did you mean {' or '.join(repr(one) for one in close)}?"


def model_config(path: Path) -> "ConfiguredModel":
    """The model that a Hugging Face config.json describes.

    Raises:
        InputError: when it cannot be read, or describes no known architecture.
    """
    from distillplan.models.model_config import read_config  # only for a file

    config = read_config_json(path)
    try:
        return read_config(config)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


@cache
def licenses() -> dict[str, License]:
    """The terms that models have, by their short names."""
    return {
        key: License(key=key, **{**row, "distilling": Distilling(row["distilling"])})
        for key, row in read_shipped(FAMILIES)["licenses"].items()
    }


@cache
def _entries() -> dict[str, Mapping[str, Any]]:
    """The lines of the catalog by name; JSON, because YAML takes a hundred times as long."""
    lines = read_text(coefficients_dir() / MODELS).splitlines()
    return {entry["name"]: entry for entry in map(json.loads, lines)}


@cache
def _repositories() -> dict[str, str]:
    """The names of models by those of their repositories, without publisher, in lower case."""
    return {
        bare_name(entry["hub"]): name
        for name, entry in _entries().items()
        if entry["hub"] is not None
    }


@cache
def _alike() -> dict[str, str]:
    """The names of models by all their names without separators; exact names go first."""
    known = {**{name: name for name in _entries()}, **_repositories()}
    return (
        _tuned()
        | {letters(of_base(key)): name for key, name in reversed(known.items())}
        | {letters(key): name for key, name in known.items()}
    )


@cache
def _tuned() -> dict[str, str]:
    """The names of models by those of tuned copies that do not say so, without separators."""
    return {letters(of_base(key)): name for key, name in read_shipped(FAMILIES)["tuned"].items()}


def _made(entry: Mapping[str, Any]) -> CatalogModel:
    """The model of a line."""
    family = read_shipped(FAMILIES)["families"][entry["family"]]
    hub = entry["hub"]
    counted = "parameters as counted in its safetensors files"
    if "stated_params" in entry:
        counted = f"{entry['stated_params']} parameters as its publisher states"
    source = entry.get("source", f"huggingface.co/{hub} config.json; {counted}")
    if "tokens_source" in entry:
        source += f"; tokens: {entry['tokens_source']}"
    return CatalogModel(
        name=entry["name"],
        hub=hub,
        family=entry["family"],
        shape=_shape(entry),
        tokenizer=family["tokenizer"],
        license=licenses()[family["license"]],
        trained_tokens=entry.get("trained_tokens"),
        source=source,
    )


def _shape(entry: Mapping[str, Any]) -> ModelShape:
    """The shape of a line, from what matters of its config.json or from a few sizes."""
    if "shape" in entry:
        from distillplan.models.uniform import uniform_shape  # few models need it

        return uniform_shape(**entry["shape"])
    from distillplan.models.model_config import read_config  # only for models that need it

    return read_config(entry["config"]).shape
