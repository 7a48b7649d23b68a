"""The JSON documents and the rows of answers; their schemas ship in `schemas`."""

from typing import Any

from distillplan.render.answers import registered
from distillplan.render.document_forms import written
from distillplan.schemas.reader import schema_id


def document(answer: object) -> dict[str, Any]:
    """The document of an answer: plain dicts, lists, strings, floats, None."""
    found = registered(answer)
    return {"schema": schema_id(found.document), **written(answer, found.form)}


def rows(answer: object) -> list[dict[str, Any]]:
    """An answer as flat rows that share their keys.

    Raises:
        TypeError: for an answer that is no list, which is a bug.
    """
    found = registered(answer).rows
    if found is None:
        raise TypeError(f"{type(answer).__name__} has no rows")
    return [written(one, found.form) for one in getattr(answer, found.of)]
