"""The shipped JSON Schemas, compiled once."""

import json
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator

from distillplan.schemas.reader import schema_text


@cache
def validator(name: str) -> Draft202012Validator:
    """Of a document's name, such as `plan`; the schema itself is checked too."""
    schema = json.loads(schema_text(name))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def validate(document: Any, name: str) -> None:
    """Raise what `jsonschema` raises when a document is not of its schema."""
    validator(name).validate(document)
