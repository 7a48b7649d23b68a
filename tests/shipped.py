"""The files of `coefficients/` as another reader of YAML reads them, each once."""

from functools import cache
from pathlib import Path
from typing import Any

import yaml

COEFFICIENTS = Path(__file__).parents[1] / "coefficients"


@cache
def shipped(name: str) -> Any:
    """A file of the folder; it is shared, so nobody may change it."""
    return yaml.safe_load((COEFFICIENTS / name).read_text(encoding="utf-8"))
