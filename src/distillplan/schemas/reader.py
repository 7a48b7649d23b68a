"""The JSON Schemas that ship, one for each document."""

import json
from pathlib import Path
from typing import Any, Final

from distillplan.errors import InputError
from distillplan.suggest import nearest

VERSIONS = {
    "plan": 2,
    "comparison": 2,
    "crossover": 2,
    "prediction": 2,
    "sweep": 2,
    "fit": 2,
    "model": 2,
    "models": 2,
}
"""Versions of the documents that have changed their meaning; all others are the first."""


OURS: Final = "distillplan/"
"""How the names of our documents begin."""


def schema_id(name: str) -> str:
    """What a document says of itself under `schema`.

    >>> schema_id("plan")
    'distillplan/plan@2'
    """
    return f"{OURS}{name}@{VERSIONS.get(name, 1)}"


def schema_names() -> tuple[str, ...]:
    """Documents that have a JSON Schema."""
    return tuple(sorted(path.name.split(".")[0] for path in _schemas().glob("*.json")))


def schema_text(name: str) -> str:
    """The JSON Schema of one document.

    Raises:
        InputError: for a name that has none.
    """
    if name not in schema_names():
        raise InputError(f"schema: {name!r} is unknown; {nearest(name, schema_names())}")
    return (_schemas() / f"{name}.schema.json").read_text(encoding="utf-8").rstrip()


def schema_of(name: str) -> dict[str, Any]:
    """The JSON Schema of one document, read.

    Raises:
        InputError: for a name that has none.
    """
    schema: dict[str, Any] = json.loads(schema_text(name))
    return schema


def _schemas() -> Path:
    return Path(__file__).parent
