"""The open models that ship, and the user's own configurations."""

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from distillplan.errors import InputError
from distillplan.files.entries import coefficients_dir, read_shipped
from distillplan.files.text_reader import read_text
from distillplan.models.model_licenses import FAMILIES, License, licenses, unread_license
from distillplan.models.shapes import ModelShape
from distillplan.models.spellings import (
    bare_name,
    base_marks,
    is_closed,
    is_dated,
    is_page,
    is_tuned,
    letters,
    of_base,
    repository,
)
from distillplan.named_tuples import NamedTuple
from distillplan.suggest import close_names
from distillplan.units.quantities import MULTIPLIERS

if TYPE_CHECKING:
    from distillplan.models.model_config import ConfiguredModel

MODELS = "models.jsonl"
"""The models, one a line."""


ROUNDED = 0.05
"""How far the size in a name may be from the parameters: phi4:14b has 14.66B."""
_OTHER_FILES = (
    *(".gguf", ".safetensors", ".bin", ".pt", ".pth", ".ckpt", ".onnx"),
    *(".yaml", ".yml", ".toml"),
)
"""How files of models end of which nothing is read."""
_TAG = re.compile(r"(\d+(?:\.\d+)?)([mbt])(?:-.*)?")


class CatalogModel(NamedTuple):
    """One open model of coefficients/models.jsonl."""

    name: str
    hub: str | None
    """Its repository on the Hugging Face hub, of the weights that were not tuned where there are
    any; None: its weights are not published."""
    family: str
    shape: ModelShape
    tokenizer: str
    """Models with a tokenizer of one name can share logits."""
    license: License
    trained_tokens: float | None
    """Tokens of pretraining; None: not known."""
    source: str
    tuned: bool = False
    """Whether its weights were tuned after that, and no others are published."""


def models() -> tuple[CatalogModel, ...]:
    """All models that ship."""
    return tuple(_made(entry) for entry in _entries().values())


def is_tuned_copy(name: str, found: CatalogModel) -> bool:
    """Whether a name is of weights that were tuned after the pretraining of a model.

    The name of the catalog is of those that were not, where there are any. Repositories say in
    their names which weights they have, and model servers have tuned ones under a size.

    >>> is_tuned_copy("QwQ-32B", model("qwen2.5-32b"))
    True
    >>> qwen = model("qwen3-8b")
    >>> [is_tuned_copy(name, qwen) for name in ("qwen3-8b", "Qwen/Qwen3-8B", "qwen3:8b")]
    [False, True, True]
    >>> is_tuned_copy("Qwen/Qwen3-8B-Base", qwen)
    False
    """
    if found.tuned or is_tuned(name) or letters(of_base(name, dates=True)) in _tuned():
        return True
    said, whole = base_marks(name), repository(name)
    if ":" in whole:
        return not said and found.family not in read_shipped(FAMILIES)["untuned"]
    if "/" not in whole and letters(name) == letters(found.name):
        return False
    return not base_marks(found.hub or "") <= said


def find_model(name: str) -> CatalogModel | None:
    """The model of a name, of a repository on the hub, or of one without its publisher.

    Upper and lower case are alike, and so are all separators. A tuned, quantized or dated copy is
    the model that it was made from, as its shape is the same; the terms of another release are not
    known. A size behind a colon is that of a model. None where there is no such model.

    >>> [find_model(name).name for name in ("Qwen3-8B", "someone/qwen3-8b", "qwen3 8b")]
    ['qwen3-8b', 'qwen3-8b', 'qwen3-8b']
    >>> [find_model(name).name for name in ("Qwen2.5-72B-Instruct", "gemma 3 27b it")]
    ['qwen2.5-72b', 'gemma-3-27b']
    >>> [find_model(name).name for name in ("phi4:14b", "deepseek-v2:16b", "qwen3:30b")]
    ['phi-4', 'deepseek-v2-lite', 'qwen3-30b-a3b']
    """
    key, alike = bare_name(name), _alike()
    kept, stripped = letters(of_base(name, dates=True)), letters(of_base(name))
    found = _repositories().get(key, key)
    if found not in _entries():
        found = alike.get(letters(name)) or alike.get(kept, "")
    if found:
        terms = read_shipped(FAMILIES)["relicensed"].get(of_base(name, dates=True))
        return _made(_entries()[found], terms)
    if is_dated(name) and stripped in alike:
        return _made(_entries()[alike[stripped]])._replace(license=_other_release(name))
    undated = "" if is_dated(name) else _undated().get(stripped, "")
    entry = _entries().get(undated or _tagged(name))
    return None if entry is None else _made(entry)


def _other_release(name: str) -> License:
    """The license of a release that is not in the catalog."""
    return unread_license(
        f"License of {bare_name(name)} not in the catalog",
        "each release has its own; read it before training on outputs or logits",
    )


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
    found: dict[str, str] = {}
    for key, whole in known.items():
        if _goes_on(key, letters(stem)) and _has_size(_made(_entries()[whole]), size):
            found.setdefault(whole, key)
    return list(found.values())


def _tagged(name: str) -> str:
    """The one model that a name with a size behind a colon stands for; empty: none, or several."""
    found = tagged(name)
    return _alike()[letters(found[0])] if len(found) == 1 else ""


def _goes_on(name: str, stem: str) -> bool:
    """Whether a name has further parts behind those that are the letters of a stem."""
    parts = name.split("-")
    return any(letters("-".join(parts[:end])) == stem for end in range(1, len(parts)))


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


def exact_model(name: str) -> CatalogModel:
    """The model of exactly this name, without the time that looking for others takes.

    Raises:
        KeyError: when there is none.

    >>> exact_model("llama-3.1-8b") == model("Llama-3.1-8B")
    True
    """
    begins = f'{{"name": "{name}"'
    line = next((one for one in _lines() if one.startswith(begins)), None)
    return _made(_entries()[name] if line is None else json.loads(line))


def near_names(name: str) -> list[str]:
    """At most three names of the catalog that resemble a mistyped name, the closest first.

    >>> near_names("lama-3.1-8b")[0]
    'llama-3.1-8b'
    >>> near_names("mistral-7b")[:2]
    ['mistral-7b-v0.1', 'mistral-7b-v0.3']
    """
    plain = of_base(name)
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
    if is_page(name):
        return "download its config.json and give the path of that"
    close = tagged(name) or near_names(name)
    if not close:
        return "run distillplan models for the list"
    return f"did you mean {' or '.join(repr(one) for one in close)}?"


def model_config(path: Path) -> "ConfiguredModel":
    """The model that a Hugging Face config.json describes.

    Raises:
        InputError: when it cannot be read, or describes no known architecture.
    """
    from distillplan.files.json_reader import read_config_json  # only for a file, as below
    from distillplan.models.model_config import read_config

    config = read_config_json(path)
    try:
        return read_config(config)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


@cache
def _lines() -> list[str]:
    return read_text(coefficients_dir() / MODELS).splitlines()


@cache
def _entries() -> dict[str, Mapping[str, Any]]:
    """The lines of the catalog by name; JSON, because YAML takes a hundred times as long."""
    return {entry["name"]: entry for entry in map(json.loads, _lines())}


@cache
def _repositories() -> dict[str, str]:
    """The names of models by those of their repositories, without publisher, in lower case."""
    return {
        bare_name(entry[key]): name
        for name, entry in _entries().items()
        for key in ("base", "hub")
        if entry.get(key) is not None
    }


@cache
def _alike() -> dict[str, str]:
    """The names of models by all their names without separators; exact names go first."""
    known = {**{name: name for name in _entries()}, **_repositories()}
    return (
        _tuned()
        | {letters(of_base(key, dates=True)): name for key, name in reversed(known.items())}
        | {letters(key): name for key, name in known.items()}
    )


@cache
def _undated() -> dict[str, str]:
    """The names of models by their repositories without dates, where the name here has none."""
    return {
        letters(of_base(key)): name for key, name in _repositories().items() if not is_dated(name)
    }


@cache
def _tuned() -> dict[str, str]:
    """The names of models by those of tuned copies that do not say so, without separators."""
    tuned = read_shipped(FAMILIES)["tuned"]
    return {letters(of_base(key, dates=True)): name for key, name in tuned.items()}


def _made(entry: Mapping[str, Any], terms: str | None = None) -> CatalogModel:
    """The model of a line, with a license of its own where it has one."""
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
        hub=entry.get("base", hub),
        family=entry["family"],
        shape=_shape(entry),
        tokenizer=entry.get("tokenizer", family["tokenizer"]),
        license=licenses()[terms or family["license"]],
        trained_tokens=entry.get("trained_tokens"),
        source=source,
        tuned=entry.get("tuned", False),
    )


def _shape(entry: Mapping[str, Any]) -> ModelShape:
    """The shape of a line, from what matters of its config.json or from a few sizes."""
    if "shape" in entry:
        from distillplan.models.uniform import uniform_shape  # few models need it

        return uniform_shape(**entry["shape"])
    from distillplan.models.model_config import read_config  # only for models that need it

    return read_config(entry["config"]).shape
