"""The JSON Schemas of the documents, made from the records and the docstrings under their fields.

Nothing imports this while a command runs: the schemas are kept as files, and a test says when they
are stale.
"""

import ast
import inspect
import re
import sys
import textwrap
import types
import typing
from collections.abc import Mapping
from enum import Enum
from functools import cache
from importlib import import_module
from itertools import zip_longest
from pkgutil import walk_packages
from typing import Any, Literal, Union, get_args, get_origin

import distillplan
from distillplan.render.answers import ANSWERS, Registered, named
from distillplan.render.document_forms import FORMS, PLAIN, DocumentForm
from distillplan.scenarios.schema import scenario_block_schema
from distillplan.schemas.reader import schema_id

Json = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
TYPES = {float: "number", int: "integer", str: "string", bool: "boolean"}
COORDINATE: Json = {"type": ["number", "string", "null"]}
"""A value of a key that the user chose."""


def schemas() -> dict[str, Json]:
    """The schema of every registered document, by the document's name."""
    return {one.document: _document(one) for one in ANSWERS.values()}


def _document(answer: Registered) -> Json:
    record = named(answer.record)
    definitions: dict[str, Json] = {}
    whole = _Writer(definitions).record(record, answer.form or FORMS.get(record.__name__, PLAIN))
    whole["properties"] = {"schema": {"const": schema_id(answer.document)}, **whole["properties"]}
    whole["required"] = ["schema", *whole["required"]]
    title = f"The answer of `distillplan {answer.asked_with}`"
    return {
        "$schema": DIALECT,
        "title": title,
        **whole,
        **({"$defs": dict(sorted(definitions.items()))} if definitions else {}),
    }


class _Writer:
    """Schemas of types; records that stand anywhere under their own names become definitions."""

    def __init__(self, definitions: dict[str, Json]) -> None:
        self.definitions = definitions

    def record(self, record: type, form: DocumentForm) -> Json:
        """An object with exactly the keys that `document_forms.written` gives it."""
        properties: Json = {}
        extra: Json | bool = False
        if form.document is not None:
            properties["schema"] = {"const": schema_id(form.document)}
        for name in _fields(record) if form.only is None else form.only:
            if name not in form.without:
                found = self.of(_type_at(record, name), form.inner.get(name))
                properties[name.rstrip("_")] = _described(found, _text_of(record, name))
        if form.merged is not None:
            inner = _bare(_type_at(record, form.merged))
            if _is_record(inner):
                properties |= self.record(inner, FORMS.get(inner.__name__, PLAIN))["properties"]
            else:
                extra = COORDINATE  # a mapping whose keys the user chose
        for key, path in form.lifted.items():
            found = self.of(_type_at(record, path))
            properties[key] = _described(found, _text_of(record, path))
        if "scenario" in properties:
            scenario = properties["scenario"]
            for key in form.scenario_without:
                del scenario["properties"][key]
                scenario["required"].remove(key)
        return {
            "type": "object",
            "additionalProperties": extra,
            "required": list(properties),
            "properties": properties,
        }

    def of(self, kind: Any, form: DocumentForm | None = None) -> Json:
        """The schema of a type.

        Raises:
            TypeError: for a type that no document can hold.
        """
        if kind in TYPES:
            return {"type": TYPES[kind]}
        if get_origin(kind) is not None:
            return self._generic(kind, form)
        if isinstance(kind, type) and issubclass(kind, Enum):
            return {"enum": [one.value for one in kind]}
        if _is_record(kind):
            return self._record_anywhere(kind, form)
        raise TypeError(f"no JSON Schema for {kind}")

    def _generic(self, kind: Any, form: DocumentForm | None) -> Json:
        """A type that is made of others."""
        origin, inside = get_origin(kind), get_args(kind)
        if origin is typing.Annotated:
            return {**self.of(inside[0], form), **inside[1]}
        if origin in {Union, types.UnionType}:
            return self._either(inside, form)
        if origin is Literal:
            return {"enum": list(inside)}
        if issubclass(origin, Mapping):
            return {"type": "object", "additionalProperties": self.of(inside[1], form)}
        return self._array(inside, form)

    def _record_anywhere(self, kind: Any, form: DocumentForm | None) -> Json:
        if kind.__name__ == "Scenario":
            return scenario_block_schema()
        if form is not None:
            return self.record(kind, form)
        if kind.__name__ not in self.definitions:
            self.definitions[kind.__name__] = {}  # so that a record may hold its own kind
            found = self.record(kind, FORMS.get(kind.__name__, PLAIN))
            self.definitions[kind.__name__] = _described(found, inspect.getdoc(kind) or "")
        return {"$ref": f"#/$defs/{kind.__name__}"}

    def _array(self, inside: tuple[Any, ...], form: DocumentForm | None) -> Json:
        if len(inside) == 2 and inside[1] is ...:
            inside = inside[:1]
        items = [self.of(one, form) for one in inside]
        found: Json = {"type": "array", "items": items[0]}
        if len(items) > 1:
            found |= {"minItems": len(items), "maxItems": len(items)}
        return found

    def _either(self, inside: tuple[Any, ...], form: DocumentForm | None) -> Json:
        kinds = [self.of(one, form) for one in inside if one is not types.NoneType]
        null = types.NoneType in inside
        if all("type" in one and "properties" not in one for one in kinds):
            names = [name for one in kinds for name in _listed(one["type"])]
            merged: Json = {}
            for one in kinds:
                merged |= one
            return {**merged, "type": [*names, "null"] if null else names}
        if len(kinds) == 1 and "enum" in kinds[0]:
            return {"enum": [*kinds[0]["enum"], None]}
        return {"anyOf": [*kinds, *([{"type": "null"}] if null else [])]}


def _listed(kind: str | list[str]) -> list[str]:
    return [kind] if isinstance(kind, str) else kind


def _described(schema: Json, text: str) -> Json:
    return {**schema, "description": text} if text else schema


def _is_record(kind: Any) -> bool:
    return hasattr(kind, "_fields") or hasattr(kind, "__dataclass_fields__")


def _fields(record: Any) -> tuple[str, ...]:
    return tuple(getattr(record, "_fields", None) or record.__dataclass_fields__)


def _bare(kind: Any) -> Any:
    """A type without the None that it may be."""
    if get_origin(kind) in {Union, types.UnionType}:
        (only,) = (one for one in get_args(kind) if one is not types.NoneType)
        return only
    return kind


def _type_at(record: Any, path: str) -> Any:
    """The type of what a path of names leads to; with None where a part of the path may be."""
    may_be_none = False
    for name in path.split("."):
        may_be_none |= record is not _bare(record)
        record = _type_of(_bare(record), name)
    return record | None if may_be_none else record


def _type_of(record: type, name: str) -> Any:
    member = inspect.getattr_static(record, name, None)
    if isinstance(member, property):
        return typing.get_type_hints(member.fget, localns=_names(), include_extras=True)["return"]
    return _hints(record)[name]


@cache
def _hints(record: type) -> dict[str, Any]:
    return typing.get_type_hints(record, localns=_names(), include_extras=True)


@cache
def _names() -> dict[str, Any]:
    """Every class of the package by its name, which is its own (a test holds that)."""
    found: dict[str, Any] = {}
    for module in walk_packages(distillplan.__path__, "distillplan."):
        if not module.name.endswith("__main__"):
            found |= {
                name: one
                for name, one in vars(import_module(module.name)).items()
                if isinstance(one, type) and one.__module__.startswith("distillplan")
            }
    return found


def _text_of(record: Any, path: str) -> str:
    """The docstring under a field or of a property: the last one on the path that has any."""
    text = ""
    for name in path.split("."):
        record = _bare(record)
        text = _docstrings(record).get(name, "") or text
        record = _type_of(record, name)
    return text


@cache
def _docstrings(record: type) -> dict[str, str]:
    """Texts under the fields of a class, and of its properties, with JSON's words."""
    found: dict[str, str] = {}
    for base in reversed(record.__mro__):
        if not base.__module__.startswith("distillplan") or base.__module__ not in sys.modules:
            continue
        (body,) = ast.parse(textwrap.dedent(inspect.getsource(base))).body
        assert isinstance(body, ast.ClassDef)  # noqa: S101  (the source of a class is one)
        for node, below in zip_longest(body.body, body.body[1:]):
            match node, below:
                case (
                    ast.AnnAssign(target=ast.Name(id=name)),
                    ast.Expr(value=ast.Constant(value=str(text))),
                ):
                    found[name] = _in_json(text)
                case ast.FunctionDef(name=name), _:
                    found[name] = _in_json(ast.get_docstring(node) or "")
    return found


def _in_json(text: str) -> str:
    return re.sub(r"\bNone\b", "null", " ".join(text.split())).replace("``", "`")
