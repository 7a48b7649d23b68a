"""The gate in front of every answer: a number that is not finite is no number to plan with."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

from distillplan.errors import InfeasibleError


def demand_finite(answer: Any) -> None:
    """Refuse an answer with a number that is not finite.

    Args:
        answer: a record (a NamedTuple), a document, or a part of one. What is neither number,
            collection nor record in it is not looked into.

    Raises:
        InfeasibleError: naming the first such number.

    >>> demand_finite({"loss": 2.2, "band": (2.1, None)})
    >>> demand_finite({"options": [{"loss": math.nan}]})
    Traceback (most recent call last):
    distillplan.errors.InfeasibleError: no answer: options.0.loss came out as nan, so far from its \
data was the law asked
    """
    found = _not_finite(answer)
    if found is not None:
        path, value = found
        raise InfeasibleError(
            f"no answer: {path} came out as {value}, so far from its data was the law asked"
        )


def _not_finite(value: Any) -> tuple[str, float] | None:
    """Where the first number that is not finite stands, and that number."""
    if isinstance(value, float):
        return None if math.isfinite(value) else ("", value)
    parts: Iterable[tuple[Any, Any]]
    if isinstance(value, Mapping):
        parts = value.items()
    elif hasattr(value, "_fields"):
        parts = zip(value._fields, value, strict=True)
    elif isinstance(value, list | tuple):
        parts = enumerate(value)
    else:
        return None
    for name, part in parts:
        found = _not_finite(part)
        if found is not None:
            return f"{name}.{found[0]}".rstrip("."), found[1]
    return None
