"""Every code of a warning or remark that the sources can emit, read from the sources."""

import ast
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path

import distillplan
from distillplan.laws.provenance import LawStatus
from distillplan.planning.sizes import SearchStatus
from distillplan.planning.validity import OUTSIDE_FIT_CODES

SOURCES = Path(distillplan.__file__).parent
MAKERS = {"Notice", "_Remark", "_Limit", "warning", "information", "_warning", "_notice"}
"""What makes a remark, its code as the first argument or by name."""
COMPUTED: Mapping[str, frozenset[str]] = {
    "OUTSIDE_FIT[name]": OUTSIDE_FIT_CODES,
    "f'law_is_{law.status}'": frozenset(
        f"law_is_{one}" for one in (LawStatus.SUPERSEDED, LawStatus.HISTORICAL)
    ),
    "f'loss_rises_with_{name}'": frozenset({"loss_rises_with_size", "loss_rises_with_tokens"}),
    "status.value": frozenset({SearchStatus.AT_UPPER_BOUND, SearchStatus.AT_LOWER_BOUND}),
}
"""Codes that are not written out where they are used, by the expression that makes them."""
PASSED_ON = {"code", "self.code", "notice.code", "limit.code", "entry.text('code')"}
"""Expressions of codes that were made elsewhere."""


def declared_codes() -> dict[str, str]:
    """Each code with the module that makes it.

    Raises:
        ValueError: for an expression that this module does not know.
    """
    found: dict[str, str] = {}
    for path in sorted(SOURCES.rglob("*.py")):
        place = str(path.relative_to(SOURCES))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                for code in _codes(node, place):
                    found.setdefault(code, place)
    return found


def _codes(call: ast.Call, place: str) -> Iterator[str]:
    function = call.func
    if not (isinstance(function, ast.Name) and function.id in MAKERS):
        return
    given = [one.value for one in call.keywords if one.arg == "code"] or call.args[:1]
    for one in given:
        yield from _values(one, place)


def _values(node: ast.expr, place: str) -> Iterator[str]:
    if isinstance(node, ast.IfExp):
        yield from _values(node.body, place)
        yield from _values(node.orelse, place)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.Name) and node.id.isupper():  # a constant of its module
        yield getattr(import_module(f"distillplan.{place[:-3].replace('/', '.')}"), node.id)
    else:
        text = ast.unparse(node)
        if text in COMPUTED:
            yield from COMPUTED[text]
        elif text not in PASSED_ON:
            raise ValueError(f"{place}: which codes are {text}?")
