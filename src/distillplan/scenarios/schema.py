"""The JSON Schema of scenario files, of the scenario block of documents, and the table in words."""

from distillplan.scenarios import key_table
from distillplan.scenarios.block import bare_scenarios, default_of
from distillplan.scenarios.key import Key
from distillplan.scenarios.parts import NOTED
from distillplan.scenarios.values import PAIR, Json

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def scenario_file_schema() -> Json:
    """The JSON Schema of a scenario file."""
    demands = {"$ref": "#/$defs/assert"}
    scenario = {"$ref": "#/$defs/scenario", "unevaluatedProperties": False}
    unread = {"description": "Not read; a place for anchors."}
    notes = {"patternProperties": {f"^{NOTED}": unread}}
    words = (*key_table.TABLE.words(), *key_table.TABLE.keys)  # in a mapping, or with its dot
    keys = {word: key for word in words if (key := key_table.TABLE.find(word)) is not None}
    parts = [{"required": [part]} for part in ("base", "scenarios", "matrix", "extends")]
    whole = {
        "type": "object",
        "additionalProperties": False,
        **notes,
        "properties": {
            "extends": {
                "type": "string",
                "description": "Path, relative to this file, of a file whose base lies below this "
                "one's.",
            },
            "base": scenario,
            "scenarios": {"type": ["object", "null"], "additionalProperties": scenario},
            "matrix": {
                "type": ["object", "null"],
                "description": "Axes: a list of values, or low:high:count, log-spaced.",
                "additionalProperties": {"type": ["array", "string", "number"]},
            },
            "assert": demands,
        },
    }
    return {
        "$schema": DIALECT,
        "title": "A scenario file of `distillplan compare` and `distillplan sweep`",
        "type": "object",
        "minProperties": 1,
        "if": {"anyOf": parts},
        "then": whole,
        "else": {
            **scenario,
            **notes,
            "description": "A file of one scenario has its keys at the top.",
            "anyOf": [{"not": {"required": ["assert"]}}, {"minProperties": 2}],
        },
        "$defs": {
            "scenario": {
                "type": ["object", "null"],
                "properties": {
                    **{word: _written(key) for word, key in keys.items()},
                    "assert": demands,
                },
                "description": "null takes back what the layers below say.",
            },
            "assert": {
                "type": ["object", "null"],
                "description": "Assertions: verdict: distill, loss: '<= 2.3'.",
                "additionalProperties": {"type": ["string", "number", "null"]},
                "properties": {"fits": {"enum": [True, False, "yes", "no", "uncertain", None]}},
            },
        },
    }


def _written(key: Key) -> Json:
    """A key as people write it: numbers with suffixes, null to take it back."""
    described = {"description": key.help}
    if not key.planned:
        return {"type": "null", **described}
    if key.is_group:
        inner = {one.name: _written(one) for one in key_table.TABLE.within(key.word)}
        mapping = {"type": "object", "additionalProperties": False, "properties": inner}
        word = key.value.json()  # empty where there is no short form
        ways = [word, mapping] if word else [mapping]
        return {"anyOf": [*ways, {"type": "null"}], **described}
    kind = key.value.json()
    if key.value is PAIR:
        items = {**kind["items"], "type": ["number", "string"]}
        return {"anyOf": [{**kind, "items": items}, {"type": "null"}], **described}
    if "enum" in kind:
        return {"enum": [*kind["enum"], None], **described}
    types = ["string", "null"] if kind["type"] == "string" else ["number", "string", "null"]
    return {**kind, "type": types, **described}


def scenario_block_schema() -> Json:
    """The JSON Schema of the scenario block of documents: an object with every key."""
    return {**_mapping(""), "description": "The question as asked."}


def _mapping(group: str) -> Json:
    keys = [key for key in key_table.TABLE.within(group) if key.written is not None]
    return {
        "type": "object",
        "additionalProperties": False,
        "required": [key.name for key in keys],
        "properties": {key.name: _read(key) for key in keys},
    }


def _read(key: Key) -> Json:
    """A key as a document has it: a value as it was read, or null where there may be none."""
    described = {"description": key.help}
    nullable = _may_be_absent(key)
    if key.is_group:
        mapping = _mapping(key.word)
        if nullable:
            return {"anyOf": [mapping, {"type": "null"}], **described}
        return {**mapping, **described}
    kind = key.value.json()
    if not nullable:
        return {**kind, **described}
    if "enum" in kind:
        return {"enum": [*kind["enum"], None], **described}
    return {**kind, "type": [kind["type"], "null"], **described}


def _may_be_absent(key: Key) -> bool:
    """Whether a bare scenario, with the key's mapping where it is in one, leaves it open."""
    group = key_table.TABLE.find(key.group)
    within = [
        one
        for one in bare_scenarios()
        if group is None or (group.written is not None and group.written(one) is not None)
    ]
    values = [key.written(one) for one in within if key.written is not None]
    return not values or any(value is None for value in values)


def keys_as_markdown() -> str:
    """The table of keys as Markdown: key, option, meaning with its default."""
    lines = ["| key | option | meaning |", "|:--|:--|:--|"]
    for key in filter(lambda one: one.planned, key_table.TABLE.keys.values()):
        words = ", ".join(f"`{word}`" for word in (key.word, *key.aliases))
        flags = ", ".join(f"`{flag}`" for flag in key.flags)
        default = default_of(key)
        meaning = f"{key.help} Default: {default}." if default else key.help
        lines.append(f"| {words} | {flags} | {meaning} |")
    return "\n".join(lines)
