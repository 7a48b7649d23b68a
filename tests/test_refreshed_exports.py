"""The recorded keys against the classes of the trainers, read anew from their wheels.

It needs the network: python -m pytest -n 0 -m network tests/test_refreshed_exports.py. Where a
wheel cannot be had, it is skipped.
"""

import ast
import subprocess
import sys
import zipfile
from dataclasses import MISSING, dataclass, field, fields, make_dataclass
from functools import cache
from typing import Any

import pytest

from distillplan.files.entries import read_shipped
from distillplan.planning.results import Method
from distillplan.questions.export_records import TextForm, ValueType, trainer, trainer_names
from distillplan.questions.exports import export_of, values_of_text
from tests.recipes import recipe_of

pytestmark = pytest.mark.network

WORDS = {
    ValueType.INTEGER: ("int", "float"),  # a whole number is taken for a number
    ValueType.NUMBER: ("float", "int"),
    ValueType.BOOLEAN: ("bool",),
    ValueType.TEXT: ("str", "Literal", "Path"),
    ValueType.TEXTS: ("list", "tuple", "List", "Tuple"),
    ValueType.LIST: ("list", "tuple", "List", "Tuple"),
}
"""What an annotation names where a key of a type may stand."""
SOURCES = [
    (name, source)
    for name in trainer_names()
    for source in read_shipped(f"exports/{name}.yaml").get("wheels", ())
]


@pytest.fixture(scope="module")
def wheels(tmp_path_factory):
    """What downloads a wheel, each once."""
    folder = tmp_path_factory.mktemp("wheels")

    @cache
    def wheel(requirement):
        words = ["-m", "pip", "download", "--no-deps", "--quiet", "-d", folder, requirement]
        done = subprocess.run([sys.executable, *words], check=False, capture_output=True)
        name = requirement.partition("==")[0].replace("-", "_")
        found = sorted(folder.glob(f"{name}-{requirement.partition('==')[2]}-*.whl"))
        if done.returncode or not found:
            pytest.skip(f"{requirement} cannot be downloaded")
        return zipfile.ZipFile(found[0])

    return wheel


def class_of(wheels, source):
    """The syntax tree of a class."""
    tree = ast.parse(wheels(source["wheel"]).read(source["file"]))
    return next(
        one for one in tree.body if isinstance(one, ast.ClassDef) and one.name == source["class"]
    )


def annotated(node):
    """The fields of a class: their annotations as written."""
    return {
        one.target.id: ast.unparse(one.annotation)
        for one in node.body
        if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name)
    }


def fields_of(wheels, source):
    """Fields of a class and of those that it is said to be based on."""
    base = source.get("base")
    inherited = {} if base is None else fields_of(wheels, base)
    return {**inherited, **annotated(class_of(wheels, source))}


def recorded(name, source):
    """Keys that are said to be those of a class, without the prefix."""
    prefix = f"{source['prefix']}." if source["prefix"] else ""
    for file in trainer(name).files:
        if file.form is TextForm.YAML and source.get("of", file.name) == file.name:
            for key in file.keys:
                if key.path.startswith(prefix) and "." not in key.path.removeprefix(prefix):
                    yield key.path.removeprefix(prefix), key


@pytest.mark.parametrize("name", sorted({name for name, _ in SOURCES}))
def test_recorded_keys_are_those_of_the_classes(wheels, name):
    """Every key is a field of one of the classes that share its prefix, and of its type."""
    sources = [source for one, source in SOURCES if one == name]
    checked = 0
    for prefix in {(one["prefix"], one.get("of")) for one in sources}:
        alike = [one for one in sources if (one["prefix"], one.get("of")) == prefix]
        known = {key: kind for one in alike for key, kind in fields_of(wheels, one).items()}
        for key, record in recorded(name, alike[0]):
            assert key in known, f"{name}: {record.path} is in none of the classes"
            words = ast.walk(ast.parse(known[key].strip("'\""), mode="eval"))
            names = {one.id for one in words if isinstance(one, ast.Name)}
            assert names & {*WORDS[record.type]}, f"{name}: {record.path} is {known[key]}"
            checked += 1
    assert checked >= 5


def made(node, names):
    """A class of a wheel as Python makes it, with its own checks and without its imports."""
    module = ast.Module(body=[node], type_ignores=[])
    future = ast.parse("from __future__ import annotations").body
    module.body[:0] = future
    space: dict[str, Any] = {"dataclass": dataclass, "field": field, "Any": Any, **names}
    exec(compile(ast.fix_missing_locations(module), node.name, "exec"), space)  # noqa: S102  (that class)
    return space[node.name]


def written(name, kind, which=-1):
    answer, settings = recipe_of(kind, Method.DISTILL)
    export = export_of(answer, settings, name)
    file = export.trainer.files[which]
    return values_of_text(file, export.texts[file.name])


@pytest.mark.parametrize("name", ["megatron-bridge", "megatron-lm"])
def test_model_optimizer_accepts_its_part(wheels, name):
    """Its own class with its own checks, made without torch."""
    source = next(one for n, one in SOURCES if n == name and one["class"] == "DistillationConfig")
    kind = made(class_of(wheels, source), {})
    prefix = f"{source['prefix']}." if source["prefix"] else ""
    values = {
        key.removeprefix(prefix): value
        for key, value in written(name, "named").items()
        if key.startswith(prefix)
    }
    found = kind(**values)
    assert found.logit_kl_temperature == 1
    assert found.skip_lm_loss is True
    with pytest.raises(AssertionError):
        kind(**{**values, "logit_kl_temperature": 0})
    with pytest.raises(TypeError):
        kind(**values, temperature=1)


def test_gkd_accepts_its_part(wheels):
    """GKDConfig with its own checks, over a base with the fields of SFTConfig and what it needs."""
    sources = {one["class"]: one for name, one in SOURCES if name == "trl-gkd"}
    own = class_of(wheels, sources["GKDConfig"])
    training = annotated(class_of(wheels, sources["TrainingArguments"]))
    inherited = training | annotated(class_of(wheels, sources["GKDConfig"]["base"]))
    base = make_dataclass(
        "SFTConfig",
        [(key, Any, None) for key in inherited if key not in annotated(own)],
        namespace={"_VALID_DICT_FIELDS": [], "__post_init__": lambda _: None},
    )
    kind = made(own, {"SFTConfig": base})
    script = {*fields_of(wheels, sources["ScriptArguments"])}
    script |= {*fields_of(wheels, sources["ModelConfig"])}
    values = written("trl-gkd", "named")
    mine = {key: value for key, value in values.items() if key not in script}
    found = kind(**mine)
    assert (found.lmbda, found.beta) == (0, 0)
    assert {one.name for one in fields(kind) if one.default is MISSING} <= {*mine}
    for wrong in ({"lmbda": 1.5}, {"beta": -0.1}):
        with pytest.raises(ValueError, match=r"\[0.0, 1.0\]"):
            kind(**{**mine, **wrong})
    with pytest.raises(TypeError):
        kind(**mine, top_k=1)
