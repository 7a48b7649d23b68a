"""The JSON documents and the rows of answers; their schemas ship in `schemas`."""

from typing import Any, get_args, get_type_hints

from distillplan.errors import InputError
from distillplan.render.answers import ANSWERS, registered
from distillplan.render.document_forms import PLAIN, written
from distillplan.schemas.reader import schema_id


def document(answer: object) -> dict[str, Any]:
    """The document of an answer, as `-o json` writes it: dicts, lists, strings, floats, None.

    Raises:
        InputError: for what is no answer.
    """
    if type(answer).__name__ not in ANSWERS:
        raise InputError(f"answer: expected a Plan or another answer, got {answer!r:.40}")
    found = registered(answer)
    return {"schema": schema_id(found.document), **written(answer, found.form)}


def columns(answer: object) -> tuple[str, ...]:
    """Columns of an answer whose rows are plain records, known even where it has none."""
    found = registered(answer).rows
    if found is None or not found.of or found.form is not PLAIN:
        return ()
    kind = type(answer)
    made = getattr(kind, found.of)
    hint = get_type_hints(made.fget)["return"] if isinstance(made, property) else None
    (record, *_) = get_args(hint or get_type_hints(kind)[found.of])
    return tuple(record._fields)


def rows(answer: object) -> list[dict[str, Any]]:
    """An answer as flat rows that share their keys.

    Raises:
        TypeError: for an answer that is no list, which is a bug.
    """
    found = registered(answer).rows
    if found is None:
        raise TypeError(f"{type(answer).__name__} has no rows")
    records = getattr(answer, found.of) if found.of else (answer,)
    return [written(one, found.form) for one in records]
