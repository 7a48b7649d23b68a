"""The architecture as a test: imports point down, and slow ones stay where they belong."""

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

SRC = Path(__file__).parents[1] / "src" / "distillplan"
LAYERS = """
    errors notices suggest accounting
    units files schemas
    laws
    models fitting
    optimize hardware
    planning estimate
    questions
    scenarios
    checks
    render
    cli
    __init__ __main__
"""
"""Lowest first; a module imports from lines above its own and from its own folder."""
RANK = {name: rank for rank, line in enumerate(LAYERS.splitlines()) for name in line.split()}
WHERE = {"typer": "cli", "rich": "render", "matplotlib": "render", "yaml": "files"}
MOVING = {module: folder for folder, modules in {}.items() for module in modules.split()}
"""Where the modules go that still lie at the top."""
MODULES = sorted(SRC.rglob("*.py"))


def folder(name: str) -> str:
    return MOVING.get(name, name)


def layer(path: Path) -> str:
    return folder(path.relative_to(SRC).with_suffix("").parts[0])


def imports(path: Path):
    """Modules that a file imports, wherever in it; those for type checkers only are no imports."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    skipped = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def ours(path: Path) -> set[str]:
    """Modules of the package that a file imports, with dots below the package."""
    known = {".".join(one.relative_to(SRC).with_suffix("").parts) for one in MODULES}
    found = {name.removeprefix("distillplan.") for name in imports(path) if "distillplan." in name}
    return {name if name in known else name.rpartition(".")[0] for name in found} & known


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SRC)))
def test_imports_point_down(path):
    own = layer(path)
    upward = {
        name
        for name in ours(path)
        if (other := folder(name.split(".")[0])) != own and RANK[other] >= RANK[own]
    }
    assert not upward


def test_no_modules_import_each_other_in_a_circle():
    graph = {".".join(one.relative_to(SRC).with_suffix("").parts): ours(one) for one in MODULES}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SRC)))
def test_packages_stay_in_their_place(path):
    used = {name.split(".")[0] for name in imports(path)}
    assert all(WHERE[name] == layer(path) for name in used & set(WHERE))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SRC)))
def test_modules_stay_short(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 350


def test_the_terminal_computes_nothing():
    """No arithmetic in the commands, but for joining and repeating texts."""
    for path in (SRC / "cli").rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        operators = [node.op for node in ast.walk(tree) if isinstance(node, ast.BinOp)]
        assert not [op for op in operators if isinstance(op, (ast.Mult, ast.Div, ast.Sub, ast.Pow))]
