"""The JSON Schemas: made from the records, kept as files, and strict."""

import copy
import json
import os
from functools import cache
from pathlib import Path

import pytest

import distillplan.schemas
from distillplan.render.answers import ANSWERS
from distillplan.render.schema_generator import schemas
from distillplan.schemas.reader import schema_names, schema_text
from tests.reports import reported
from tests.schemas import validate, validator
from tests.shell import run
from tests.small_demos import tiny

FOLDER = Path(distillplan.schemas.__file__).parent
EXAMPLES = Path(__file__).parents[1] / "examples"
DATA = Path(__file__).parent / "data"
BROKEN = DATA / "broken.yaml"
COMMANDS = {
    "plan": ["budget", "64 h100-sxm for 7 days", "--student", "1B", "--teacher", "7B:2T"],
    "ensemble": ["budget", "1e21", "--student", "1B", "--laws", "all"],
    "teachers": ["teachers", "1e22", "--student", "1.5B", "--tokenizer", "llama-3"],
    "comparison": [
        *("compare", EXAMPLES / "compare.yaml", "--baseline", "alone"),
        *("--assert", "loss <= 9", "--quick"),
    ],
    "sweep": ["sweep", "--compute", "1e20,1e21", "--student", "1B"],
    "target": ["target", "--match", "3B:60B", "--student", "1B"],
    "family": ["family", "1e22", "--students", "300M,2x1B", "--gpu", "h100-sxm"],
    "crossover": ["crossover", "--student", "1B"],
    "prediction": ["predict", "--student", "1B", "--tokens", "100B", "--teacher-loss", "2"],
    "estimate": [
        *("estimate", "--model", "llama-3.2-1b", "--teacher", "llama-3.1-8b"),
        *("--tokens", "100B", "--gpu", "a100-80gb", "--gpus", "16"),
    ],
    "serving": [
        *("serve", "--match", "300M:6B", "--student", "200M", "--teacher", "500M:15B"),
        *("--logits", "cached", "--per-day", "1B", "--quantize", "int4"),
        *("--gpu", "h100-sxm", "--request", "1000:200"),
    ],
    "onpolicy": [
        *("onpolicy", "--student", "7B", "--teacher", "3B", "--gpu", "h100-sxm"),
        *("--answer-tokens", "1000"),
    ],
    "pilot": [
        *("pilot", "1e22", "--student", "1B", "--students", "8", "--gpu", "h100-sxm"),
        *("--share", "20%", "--risk", "5%"),
    ],
    "track": ["track", EXAMPLES / "plan.json", EXAMPLES / "losses.csv", "--batch-tokens", "1M"],
    "recipe": ["recipe", EXAMPLES / "plan.json"],
    "fit": [
        *("fit", EXAMPLES / "runs.csv", EXAMPLES / "supervised_runs.csv", "--resamples", "20"),
        *("--test", "busbridge2025"),
    ],
    "pruned_fit": ["fit", EXAMPLES / "cut_runs.csv", "--form", "p2", "--resamples", "20"],
    "law": ["laws", "busbridge2025"],
    "laws": ["laws"],
    "gpu": ["gpus", "h100-sxm"],
    "gpus": ["gpus"],
    "model": ["models", "llama-3.1-8b"],
    "models": ["models"],
    "check": ["check", "throughput"],
    "transfer": ["check", "transfer"],
    "practice": ["check", "practice"],
    "map": ["plot", "map", "1e21", "--student", "1B", "--teacher", "7B:2T"],
    "optima": ["plot", "optimum", "1e21", "--student", "1B"],
    "losses": ["plot", "losses", "1e21", "--student", "1B", "--teacher", "7B:2T"],
    "teacher_losses": ["plot", "teacher", "1e21", "--student", "1B", "--teacher", "7B:2T"],
    "parts": [
        *("plot", "estimate", "--model", "llama-3.2-1b", "--teacher", "llama-3.1-8b"),
        *("--tokens", "100B", "--gpu", "a100-80gb", "--gpus", "16"),
    ],
    "fitted": ["plot", "fit", DATA / "own_law.yaml"],
    "paper": ["plot", "paper", "--figure", "6"],
    "kernel": ["demo", "kernel"],
    "mapping": ["demo", "mapping"],
    "calibration": ["demo", "calibration"],
    "validation": ["validate", BROKEN],
    "explanation": ["explain", "tie"],
    "words": ["explain"],
}
"""A command for each kind of document, with as much in it as there can be."""
SECOND = {"plan", "comparison", "crossover", "prediction", "sweep", "fit", "model", "models"}
"""Documents whose meaning has changed once; scripts rely on the version."""
OPEN = {"by_10_percent", "valid", "coefficients", "verdicts", "given", "peak_flops_per_s"} | {
    "factors"
}
"""Mappings whose keys depend on the question."""
COORDINATES = {"compute", "student_params"}
"""Keys of a sweep's rows that the user chose."""


@cache
def answered(name):
    with tiny(), reported():
        found = run(*COMMANDS[name], "-o", "json")
    assert found.stdout, found.stderr
    return json.loads(found.stdout, parse_constant=pytest.fail)


def test_every_answer_has_a_command_here_and_a_schema():
    documents = {one.document for one in ANSWERS.values()}
    assert documents == set(COMMANDS)
    assert documents | {"scenario"} == set(schema_names())


made_of_records = cache(schemas)


@pytest.mark.parametrize("name", COMMANDS)
def test_the_files_are_those_of_the_records(name):
    """DISTILLPLAN_REWRITE_SCHEMAS=1 python -m pytest tests/test_schemas.py writes them anew."""
    made = made_of_records()[name]
    if os.environ.get("DISTILLPLAN_REWRITE_SCHEMAS"):
        text = json.dumps(made, indent=2, ensure_ascii=False)
        (FOLDER / f"{name}.schema.json").write_text(f"{text}\n", encoding="utf-8")
    assert json.loads(schema_text(name)) == made


@pytest.mark.parametrize("name", COMMANDS)
def test_documents_are_of_their_schemas(name):
    validate(answered(name), name)
    version = 2 if name in SECOND else 1
    assert answered(name)["schema"] == f"distillplan/{name}@{version}"


def places(value, path=()):
    """Paths to the keys of every object; of a list only the first item is looked into."""
    if isinstance(value, dict):
        for key, inside in value.items():
            yield (*path, key)
            yield from places(inside, (*path, key))
    elif isinstance(value, list) and value:
        yield from places(value[0], (*path, 0))


def pruned(value):
    """A document with the first alone of each list of objects."""
    if isinstance(value, dict):
        return {key: pruned(inside) for key, inside in value.items()}
    if isinstance(value, list):
        alike = [pruned(inside) for inside in value]
        return alike[:1] if alike and isinstance(alike[0], dict) else alike
    return value


def with_fault(document, path, *, dropped):
    """The document without the key at a path, or with a value of another kind there."""
    wrong = inside = copy.copy(document)
    for step in path[:-1]:  # what holds the place is copied, the rest is shared
        inside[step] = copy.copy(inside[step])
        inside = inside[step]
    if dropped:
        del inside[path[-1]]
    else:
        inside[path[-1]] = "?" if isinstance(inside[path[-1]], (dict, list)) else {"?": []}
    return wrong


@pytest.mark.parametrize("name", COMMANDS)
def test_a_document_with_a_fault_is_refused(name):
    """A key dropped, a value of another kind, a key more: everywhere in the document."""
    document, check = pruned(answered(name)), validator(name)
    assert check.is_valid(document)
    assert not check.is_valid({**document, "more": 1})
    tried = list(places(document))
    assert len(tried) >= 5
    for path in tried:
        assert not check.is_valid(with_fault(document, path, dropped=False)), path
        free = len(path) > 1 and path[-2] in OPEN
        if not free and not (name == "sweep" and path[-1] in COORDINATES):
            assert not check.is_valid(with_fault(document, path, dropped=True)), path
