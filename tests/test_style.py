"""The style of the house as tests: docstrings, spelling, phrases, records by name."""

import ast
import io
import re
import tokenize
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
SRC = ROOT / "src" / "distillplan"
FOLDERS = (
    *(
        "__",
        "accounting",
        "checks/",
        "cli/",
        "demos/",
        "errors",
        "estimate/",
        "files/",
        "fitting/",
        "hardware/",
    ),
    *(
        "laws/",
        "models/",
        "notices",
        "optimize/",
        "planning/",
        "questions/",
        "render/",
        "scenarios/",
        "schemas/",
    ),
    *("suggest", "units"),
)
"""Beginnings of the paths below `src/distillplan` that are checked; ("",) is all of them."""
PAGES: tuple[str, ...] = ("",)
"""Beginnings of the names of pages that are checked: README.md, CONTRIBUTING.md, docs/."""

MODULES = [
    path for path in sorted(SRC.rglob("*.py")) if str(path.relative_to(SRC)).startswith(FOLDERS)
]
TEXTS = MODULES + [
    path
    for path in sorted(
        [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/*.md")]
    )
    if str(path.relative_to(ROOT)).startswith(PAGES) and path.name != "CHANGELOG.md"
]

BRITISH = re.compile(
    r"""\w*(?:
        (?:optim|minim|maxim|token|normal|summar|initial|organ|recogn|quant|penal|general|serial|
           parametr|visual|util|emphas|special|standard|real|random|final|capital)is(?:e|ing|ation)
        | licence | colour | behaviour | favour | neighbour | honour
        | (?:mod|lab|canc|trav)ell(?:ed|ing)
        | \b(?:centre|grey|fibre|artefact|catalogue|programme|whilst|defence|judgement)
        | \b(?:analys(?:e|ed|ing)|fulfil|learnt|spelt|metres?|practise[ds]?)\b
    )\w*""",
    re.IGNORECASE | re.VERBOSE,
)
CONTRACT = {
    "distillation_licence": ("",),
    "teacher_licence": ("",),
    "quantise": ("cli/other_words.py",),
    "minimise": ("questions/target.py", "render/", "cli/", "scenarios/", "schemas/"),
}
"""British words that scripts rely on, and where they may be: JSON keys and hidden aliases."""

PHRASES = (
    "as dear",
    "is no name",
    "is no scenario",
    "is no number",
    "stands twice",
    "stands where a",
    "nothing is known of",
    "of its words",
    "absent:",
    "absent; ",
    "what becomes of each demand",
    "what became of",
    "cannot pay",
    "no other budget",
    "says little",
    "which there are",
    "above all else",
    "whose grid it is",
    "published numbers beside",
    "joint coefficient draws",
    "with the noise of a run",
    "tie below",
    "students alike",
    "a teacher that exists",
    "a cache pays from",
    "doubts about",
    "is all that has to pass",
    "gains at least so many",
    "the middle one that",
    "per cent",
    "such as h100-sxm",
    "so it is no finding",
    "they need a gpu",
    "whole and checked",
)
"""Private or stilted English, in lower case."""

ERRORS = {"DistillplanError", "InputError", "InfeasibleError"}
ARRAYS = {"ndarray", "NDArray", "FloatArray", "BoolArray", "IntArray", "Floats"}


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(read(path))


def segment(lines: list[bytes], node: ast.expr) -> str:
    """The source of a node, from the lines of its module."""
    own = lines[node.lineno - 1 : node.end_lineno]
    own[-1] = own[-1][: node.end_col_offset]  # before the start, which may be on the same line
    own[0] = own[0][node.col_offset :]
    return b"".join(own).decode()


@cache
def prose(path: Path) -> str:
    """A page; of a module its comments and strings."""
    text = read(path)
    if path.suffix != ".py":
        return text
    comments = [
        token.string
        for token in tokenize.generate_tokens(io.StringIO(text).readline)
        if token.type == tokenize.COMMENT
    ]
    lines = text.encode().splitlines(keepends=True)  # once: `ast.get_source_segment` does each time
    strings = [
        segment(lines, node)
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.JoinedStr)
        or (isinstance(node, ast.Constant) and isinstance(node.value, str))
    ]
    return "\n".join(dict.fromkeys([*comments, *strings]))  # each part of an f-string is all of it


def names(node: ast.AST | None) -> set[str]:
    """Names in an annotation, those in quotation marks too."""
    if node is None:
        return set()
    found = set()
    for inner in ast.walk(node):
        if isinstance(inner, ast.Name):
            found.add(inner.id)
        elif isinstance(inner, ast.Attribute):
            found.add(inner.attr)
        elif isinstance(inner, ast.Constant) and isinstance(inner.value, str):
            found |= set(re.findall(r"\w+", inner.value))
    return found


def functions(tree: ast.Module) -> Iterator[tuple[ast.FunctionDef, str]]:
    """Public functions and methods with the text that describes them."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            yield node, ast.get_docstring(node) or ""
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            for inner in node.body:
                if isinstance(inner, ast.FunctionDef) and (
                    inner.name in ("__init__", "__post_init__") or not inner.name.startswith("_")
                ):  # what holds for every method may stand once, at the class
                    yield inner, "".join(ast.get_docstring(one) or "" for one in (inner, node))


def own_nodes(function: ast.FunctionDef) -> Iterator[ast.AST]:
    """Nodes of a function without those of functions in it."""
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, ast.FunctionDef | ast.Lambda):
            waiting += ast.iter_child_nodes(node)


def without_raises(tree: ast.Module) -> list[str]:
    """Functions that raise a project error and do not say so."""
    return [
        function.name
        for function, text in functions(tree)
        if "Raises:" not in text
        and any(
            isinstance(node, ast.Raise) and names(node.exc) & ERRORS for node in own_nodes(function)
        )
    ]


def without_shapes(tree: ast.Module) -> list[str]:
    """Functions that take or return arrays and do not say of which shape."""
    return [
        function.name
        for function, text in functions(tree)
        if "shape" not in text.lower()
        and ARRAYS
        & (
            names(function.returns).union(
                *(names(one.annotation) for one in (*function.args.args, *function.args.kwonlyargs))
            )
        )
    ]


@cache  # most words are in many files
def british_part(word: str) -> str | None:
    found = BRITISH.search(word)
    return found and found[0]


def british(text: str, where: str) -> list[str]:
    words = set(map(british_part, set(re.findall(r"\w+", text)))) - {None}
    return sorted(
        word for word in words if not where.startswith(CONTRACT.get(word.lower(), "nowhere"))
    )


def phrases(text: str) -> list[str]:
    plain = " ".join(re.sub(r'"\s*\n\s*f?"', "", text).lower().split())
    return [phrase for phrase in PHRASES if phrase in plain]


def spaced_percents(text: str) -> list[str]:
    return [found[0] for found in re.finditer(r"[\d}] %(?![\w(])", text)]


class Records:
    """NamedTuples of the package, and the functions and fields that hold one."""

    def __init__(self, trees: list[ast.Module]) -> None:
        classes = [node for tree in trees for node in tree.body if isinstance(node, ast.ClassDef)]
        self.sizes = {
            node.name: sum(isinstance(inner, ast.AnnAssign) for inner in node.body)
            for node in classes
            if any(names(base) & {"NamedTuple"} for base in node.bases)
        }
        # a name that means several things is a record's only where all of them are
        functions: dict[str, list[bool]] = {}
        fields: dict[str, list[bool]] = {}
        for tree in trees:
            for node in tree.body:
                if isinstance(node, ast.FunctionDef):
                    functions.setdefault(node.name, []).append(self.is_record(node.returns))
        for node in classes:
            for inner in node.body:
                if isinstance(inner, ast.AnnAssign) and isinstance(inner.target, ast.Name):
                    fields.setdefault(inner.target.id, []).append(self.is_record(inner.annotation))
        self.functions = {name for name, ours in functions.items() if all(ours)}
        self.fields = {name for name, ours in fields.items() if all(ours)}

    def is_record(self, annotation: ast.expr | None) -> bool:
        """Whether an annotation is a record, or one or None; a tuple of them is none."""
        if isinstance(annotation, ast.BinOp):
            sides = (annotation.left, annotation.right)
            return any(map(self.is_record, sides)) and "None" in map(ast.unparse, sides)
        if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
            return self.is_record(ast.parse(annotation.value, mode="eval").body)
        return isinstance(annotation, ast.Name) and annotation.id in self.sizes

    def by_position(self, tree: ast.Module) -> list[str]:
        """Expressions that take a record apart, or build one, by position."""
        found = []
        for function in ast.walk(tree):
            if isinstance(function, ast.FunctionDef):
                found += self._of_function(function)
        return sorted(set(found))

    def _of_function(self, function: ast.FunctionDef) -> Iterator[str]:
        variables = {
            one.arg
            for one in (*function.args.args, *function.args.kwonlyargs)
            if self.is_record(one.annotation)
        }
        for node in ast.walk(function):
            if isinstance(node, ast.Assign) and self._holds(node.value, variables):
                variables |= {one.id for one in node.targets if isinstance(one, ast.Name)}
        for node in ast.walk(function):
            if self._apart(node, variables) or self._built(node):
                yield ast.unparse(node)

    def _holds(self, node: ast.expr, variables: set[str]) -> bool:
        if isinstance(node, ast.Call):
            name = node.func.id if isinstance(node.func, ast.Name) else ""
            return name in self.functions or name in self.sizes
        if isinstance(node, ast.Attribute):
            return node.attr in self.fields
        return isinstance(node, ast.Name) and node.id in variables

    def _apart(self, node: ast.AST, variables: set[str]) -> bool:
        if isinstance(node, ast.Subscript):
            index = node.slice
            if isinstance(index, ast.UnaryOp):
                index = index.operand
            numbered = isinstance(index, ast.Slice) or (
                isinstance(index, ast.Constant) and isinstance(index.value, int)
            )
            names_of = isinstance(node.value, ast.Attribute) and node.value.attr == "_fields"
            return numbered and (names_of or self._holds(node.value, variables))
        if isinstance(node, ast.Assign):
            unpacks = any(isinstance(one, ast.Tuple | ast.List) for one in node.targets)
            return unpacks and self._holds(node.value, variables)
        if isinstance(node, ast.For | ast.comprehension):
            return self._holds(node.iter, variables)
        return isinstance(node, ast.Starred) and self._holds(node.value, variables)

    def _built(self, node: ast.AST) -> bool:
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
            return False
        starred = any(isinstance(one, ast.Starred) for one in node.args)
        return self.sizes.get(node.func.id, 0) > 2 and (starred or len(node.args) > 2)


@cache
def records() -> Records:
    """Those of the package."""
    return Records([tree_of(path) for path in sorted(SRC.rglob("*.py"))])


BRANCHES = (ast.If, ast.IfExp, ast.For, ast.While, ast.ExceptHandler, ast.Assert, ast.match_case)
MOST_WAYS = 15
"""Ways through one function that a reader can keep in mind."""
NOT_SPLIT = {
    "optimize/parabolas.py: lowest_on": "the hot loop of every search: one formula over axes",
}
"""Functions of more ways, each with the reason."""


def ways_through(function: ast.AST) -> int:
    """McCabe's complexity of a function and of those in it, with branches in expressions."""
    ways = 1
    for node in ast.walk(function):
        if isinstance(node, BRANCHES):
            ways += 1
        elif isinstance(node, ast.BoolOp):
            ways += len(node.values) - 1
        elif isinstance(node, ast.comprehension):
            ways += 1 + len(node.ifs)
    return ways


def tangled(path: Path) -> list[str]:
    """Functions with more ways through them than a reader keeps in mind."""
    return [
        f"{named(path)}: {node.name}"
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and ways_through(node) > MOST_WAYS
    ]


def named(path: Path) -> str:
    return str(path.relative_to(SRC if path.is_relative_to(SRC) else ROOT))


def faults(check: Callable[[Path], Any], paths: Iterable[Path]) -> dict[str, Any]:
    """What a check finds, by file; one test for all files, as each takes a few milliseconds."""
    found = ((named(path), check(path)) for path in paths)
    return {name: one for name, one in found if one}


def test_a_function_that_raises_says_so():
    assert not faults(lambda path: without_raises(tree_of(path)), MODULES)


def test_arrays_have_a_shape():
    assert not faults(lambda path: without_shapes(tree_of(path)), MODULES)


def test_records_are_read_and_built_by_name():
    assert not faults(lambda path: records().by_position(tree_of(path)), MODULES)


def test_functions_have_few_ways_through_them():
    """And what is no longer tangled is no longer excused."""
    found = [name for path in sorted(SRC.rglob("*.py")) for name in tangled(path)]
    assert sorted(found) == sorted(NOT_SPLIT)


def test_spelling_is_american():
    assert not faults(lambda path: british(read(path), named(path)), TEXTS)


def test_english_is_plain():
    assert not faults(lambda path: phrases(prose(path)), TEXTS)


def test_percentages_have_no_space():
    assert not faults(lambda path: spaced_percents(prose(path)), TEXTS)


SAMPLE = '''
class Pair(NamedTuple):
    one: float
    other: float
    third: float

class Holder(NamedTuple):
    pair: Pair | None

def pair_of(x: float) -> Pair:
    """Nothing said of errors."""
    if x < 0:
        raise InputError("x: below zero")
    return {built}

def means(values: "FloatArray", held: Holder) -> float:
    """Of an array."""
    {apart}
'''


@pytest.mark.parametrize(
    ("built", "apart"),
    [
        ("Pair(x, x, x)", "return 0.0"),
        ("Pair(*[x, x, x])", "return 0.0"),
        ("Pair(one=x, other=x, third=x)", "return held.pair[0]"),
        ("Pair(one=x, other=x, third=x)", "return held.pair[-1]"),
        ("Pair(one=x, other=x, third=x)", "return held.pair[:2]"),
        ("Pair(one=x, other=x, third=x)", "return pair_of(1.0)[1]"),
        ("Pair(one=x, other=x, third=x)", "a, b, c = pair_of(1.0)"),
        ("Pair(one=x, other=x, third=x)", "a = pair_of(1.0)\n    b, c, d = a"),
        ("Pair(one=x, other=x, third=x)", "return sum(one for one in held)"),
        ("Pair(one=x, other=x, third=x)", "return max(*held)"),
        ("Pair(one=x, other=x, third=x)", "return Pair._fields[:-1]"),
        ("Pair(one=x, other=x, third=x)", "return held.pair.one"),
    ],
)
def test_the_checks_of_code_find_what_they_are_for(built, apart):
    tree = ast.parse(SAMPLE.format(built=built, apart=apart))
    assert without_raises(tree) == ["pair_of"]
    assert without_shapes(tree) == ["means"]
    sound = apart.endswith(".one")
    assert bool(Records([tree]).by_position(tree)) is not sound


@pytest.mark.parametrize(
    ("body", "ways"),
    [
        ("return x", 1),
        ("if x: return 1\n elif y: return 2\n else: return 3", 3),
        ("return 1 if x else 2", 2),
        ("return x and y and z or w", 4),
        ("for one in x:\n  while y: pass\n else: return z", 3),
        ("try: pass\n except OSError: pass\n except KeyError: pass\n finally: pass", 3),
        ("assert x", 2),
        ("match x:\n  case 1: pass\n  case _: pass", 3),
        ("return [(a, b) for a in x if a if y for b in z]", 5),
        ("def inner(y):\n  if y: return x\n return inner", 2),
    ],
)
def test_the_count_of_ways_is_that_by_hand(body, ways):
    assert ways_through(ast.parse(f"def function(x):\n {body}").body[0]) == ways


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("the optimiser minimised its licence", ["licence", "minimised", "optimiser"]),
        ("Modelling behaviour near the centre", ["Modelling", "behaviour", "centre"]),
        ("the analysed runs; two analyses", ["analysed"]),
        ("teacher_licence and the license of an optimizer, modeled and labeled", []),
    ],
)
def test_the_check_of_spelling_finds_british_words(text, words):
    assert british(text, "planning/plan.py") == sorted(words)


def test_the_checks_of_prose_find_what_they_are_for(tmp_path):
    path = tmp_path / "module.py"
    path.write_text(
        'TEXT = f"GPUs; {8} % more, absent: 8"\n# 39 % of runs\nx = 7 % 2\ny = ("a teacher "\n'
        '"that exists")\n',
        encoding="utf-8",
    )
    assert spaced_percents(prose(path)) == ["9 %", "} %"]
    assert phrases(prose(path)) == ["absent:", "a teacher that exists"]
