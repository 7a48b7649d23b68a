"""The architecture as a test: imports point down, and slow ones stay where they belong."""

import ast
from collections import Counter
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

SRC = Path(__file__).parents[1] / "src" / "distillplan"
LAYERS = """
    named_tuples
    errors notices suggest accounting
    units files schemas fields demos
    laws
    models fitting
    optimize hardware
    planning estimate
    questions
    scenarios
    checks
    render
    cli
"""
"""Lowest first; a module imports from lines above its own and from its own folder."""
RANK = {name: rank for rank, line in enumerate(LAYERS.splitlines()) for name in line.split()}
RANK |= dict.fromkeys(("__init__", "__main__"), len(RANK))  # what Python itself names: above all
WHERE = {"typer": "cli", "rich": "render", "matplotlib": "render", "yaml": "files"}
MODULES = sorted(SRC.rglob("*.py"))
NAMES = {".".join(one.relative_to(SRC).with_suffix("").parts) for one in MODULES}


def layer(path: Path) -> str:
    return path.relative_to(SRC).with_suffix("").parts[0]


@cache
def imports(path: Path) -> list[str]:
    """Modules that a file imports, wherever in it; those for type checkers only are no imports."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    skipped = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    found = []
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found += [f"{node.module}.{alias.name}" for alias in node.names]
    return found


def ours(path: Path) -> set[str]:
    """Modules of the package that a file imports, with dots below the package."""
    found = {name.removeprefix("distillplan.") for name in imports(path) if "distillplan." in name}
    return {name if name in NAMES else name.rpartition(".")[0] for name in found} & NAMES


def test_imports_point_down():
    up = {}
    for path in MODULES:
        own = layer(path)
        others = {name.split(".")[0] for name in ours(path)} - {own}
        up[str(path.relative_to(SRC))] = {name for name in others if RANK[name] >= RANK[own]}
    assert not {path: names for path, names in up.items() if names}


def test_no_modules_import_each_other_in_a_circle():
    graph = {".".join(one.relative_to(SRC).with_suffix("").parts): ours(one) for one in MODULES}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_packages_stay_in_their_place():
    for path in MODULES:
        used = {name.split(".")[0] for name in imports(path)} & set(WHERE)
        assert all(WHERE[name] == layer(path) for name in used), path.relative_to(SRC)


def test_a_word_has_one_meaning():
    """No two modules and no two classes of one name; a command is named after its question."""
    modules = Counter(path.stem for path in MODULES if path.parent.name != "commands")
    del modules["__init__"]
    classes = Counter(
        node.name
        for path in MODULES
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.ClassDef)
    )
    assert not [name for name, times in (modules + classes).items() if times > 1]


def test_only_the_root_says_anything_in_its_init():
    assert {
        path.parent for path in MODULES if path.name == "__init__.py" and path.stat().st_size
    } == {SRC}


def test_the_top_of_the_package_is_seen_at_once():
    shown = [path for path in SRC.iterdir() if path.name != "__pycache__"]
    assert len(shown) <= 25


def test_modules_stay_short():
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in MODULES}
    assert not {path: length for path, length in lengths.items() if length > 350}


def test_the_terminal_computes_nothing():
    """No arithmetic in the commands, but for joining and repeating texts."""
    terminal = list((SRC / "cli").rglob("*.py"))
    assert len(terminal) > 1
    for path in terminal:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        operators = [node.op for node in ast.walk(tree) if isinstance(node, ast.BinOp)]
        assert not [op for op in operators if isinstance(op, (ast.Mult, ast.Div, ast.Sub, ast.Pow))]
