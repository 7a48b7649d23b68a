"""The JSON Schemas that ship, one for each document."""

from pathlib import Path

from distillplan.errors import InputError
from distillplan.suggest import nearest


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
    text = (_schemas() / f"{name}.schema.json").read_text(encoding="utf-8").rstrip()
    if '"plan.schema.json' not in text:
        return text
    import json  # only here

    # a schema that refers to that of plans carries it along, under its own $id
    whole, plan = json.loads(text), json.loads(schema_text("plan"))
    whole["$defs"] = {"plan": {"$id": "plan.schema.json", **plan}, **whole.get("$defs", {})}
    return json.dumps(whole, indent=2)


def _schemas() -> Path:
    return Path(__file__).parent
