"""Small changes to what is right: of texts, and of trees of values."""

import json
import math
import re
from collections.abc import Sequence
from copy import deepcopy
from random import Random
from typing import Any

from tests.fuzz.written import NUMBERS, WORDS, garbage, odd

_NUMBER = re.compile(r"(?<![\w.])[+-]?\d[\d_.]*(?:[eE][+-]?\d+)?(?![\w.])")
_TOKENS = (
    *("\t", "\x00", "---\n", "...\n", "%YAML 9.9\n", "&a ", "*a", "<<: *a", "!!binary ", "!foo "),
    *("? ", "- ", "[", "]", "{", "}", ": ", ",", "#", '"', "'", "\n", "\r", "\r\n", "|\n", ">\n"),
    *("\ufeff", "\x1b[31m", "\u202e", "é", ";", ",,", "=", "\\", "\u2028", "\x85", "  "),
)
VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 2, 7, 0.5, 1e-300, 5e-324, 1e308, math.inf, -math.inf, math.nan),
    *(10**30, 10**400, -(10**20), 2**63, 1e21, 1e-9, -0.0, 1.5, "", " ", "x", "1B", "1e21", "nan"),
    *(
        "010",
        "é",
        "🦙",
        "\x00",
        "\x1b[31mred\x1b[0m",
        "\u202e",
        "a\nb",
        "x" * 300,
        [],
        {},
        [1],
        [[]],
    ),
    *({"a": 1}, {"": None}, [None], [1, 2], [2, 1], [1, 2, 3], ["1B", "2B"], {"low": 1, "high": 2}),
)
"""Odd leaves of a tree."""


def changed_text(random: Random, text: str, most: int = 4) -> str:
    """A text with some small changes."""
    for _ in range(random.randint(1, most)):
        text = random.choice(_CHANGES)(random, text)
    return text


def _cut(random: Random, text: str) -> str:
    start = random.randint(0, len(text))
    return text[:start] + text[start + random.choice((1, 1, 2, 5, 20)) :]


def _double_line(random: Random, text: str) -> str:
    lines = text.splitlines(keepends=True)
    if lines:
        at = random.randrange(len(lines))
        lines[at:at] = [lines[at]] * random.choice((1, 1, 2, 30))
    return "".join(lines)


def _drop_line(random: Random, text: str) -> str:
    lines = text.splitlines(keepends=True)
    if lines:
        del lines[random.randrange(len(lines))]
    return "".join(lines)


def _swap_lines(random: Random, text: str) -> str:
    lines = text.splitlines(keepends=True)
    if len(lines) > 1:
        a, b = random.randrange(len(lines)), random.randrange(len(lines))
        lines[a], lines[b] = lines[b], lines[a]
    return "".join(lines)


def _other_number(random: Random, text: str) -> str:
    found = list(_NUMBER.finditer(text))
    if not found:
        return text
    one = random.choice(found)
    other = random.choice(NUMBERS) if random.random() < 0.7 else odd(random)
    return text[: one.start()] + other + text[one.end() :]


def _insert(random: Random, text: str) -> str:
    at = random.randint(0, len(text))
    new = random.choice(_TOKENS) if random.random() < 0.7 else garbage(random)
    return text[:at] + new + text[at:]


def _other_word(random: Random, text: str) -> str:
    words = list(re.finditer(r"[A-Za-z_]\w*", text))
    if not words:
        return text
    one = random.choice(words)
    new = random.choice(words)[0] if random.random() < 0.5 else random.choice(WORDS)
    return text[: one.start()] + new + text[one.end() :]


def _truncate(random: Random, text: str) -> str:
    return text[: random.randint(0, len(text))]


_CHANGES = (
    *(_cut, _double_line, _drop_line, _swap_lines, _other_number, _other_number, _insert),
    *(_other_word, _other_number, _insert),
)
_CHANGES = (*_CHANGES, *_CHANGES, _truncate)


def changed_tree(random: Random, tree: Any, most: int = 3, also: Sequence[str] = ()) -> Any:
    """A copy of a tree of values with some small changes.

    Args:
        random: of the case.
        tree: mappings, lists and scalars.
        most: number of changes.
        also: keys that may be added.
    """
    tree = json.loads(json.dumps(tree))
    for _ in range(random.randint(1, most)):
        tree = _change(random, tree, also, deeper=0.98)
    return tree


def _change(random: Random, tree: Any, also: Sequence[str], deeper: float = 0.9) -> Any:
    """One change: with a chance of `deeper` of a part of the tree, otherwise of all of it."""
    if isinstance(tree, dict) and tree and random.random() < deeper:
        key = random.choice(list(tree))
        chance = random.random()
        if chance < 0.1:
            del tree[key]
        elif chance < 0.2:
            name = random.choice(also) if also and random.random() < 0.6 else odd(random)
            tree[name] = _leaf(random, tree[key])
        else:
            tree[key] = _change(random, tree[key], also)
        return tree
    if isinstance(tree, list) and tree and random.random() < deeper:
        at = random.randrange(len(tree))
        chance = random.random()
        if chance < 0.1:
            del tree[at]
        elif chance < 0.2:
            tree.insert(at, tree[random.randrange(len(tree))])
        else:
            tree[at] = _change(random, tree[at], also)
        return tree
    return _leaf(random, tree)


def _leaf(random: Random, old: Any) -> Any:
    """Another leaf: mostly a number for a number."""
    is_number = isinstance(old, (int, float)) and not isinstance(old, bool) and abs(old) < 1e300
    if is_number and random.random() < 0.5:
        factor = random.choice((0, -1, 1e-3, 0.1, 0.5, 0.99, 1.01, 2, 10, 1e3, 1e6, 1e12, 1e300))
        found = old * factor
        whole = isinstance(old, int) and math.isfinite(found) and random.random() < 0.8
        return int(found) if whole else found
    return deepcopy(random.choice(VALUES))  # a later change must not reach the next case


def as_json(tree: Any) -> str:
    """A tree as JSON, which may have NaN and infinity in it."""
    return json.dumps(tree, ensure_ascii=False)


def as_flow(tree: Any) -> str:
    """A tree as YAML in one line, with YAML's words for NaN and infinity."""
    text = json.dumps(tree, ensure_ascii=False)
    return re.sub(r"(?<=[\[ ])(-?)(NaN|Infinity)(?=[,\]}])", _dotted, text)


def _dotted(found: re.Match[str]) -> str:
    return f"{found[1]}.{'nan' if found[2] == 'NaN' else 'inf'}"


def as_bytes(text: str) -> bytes:
    """A text as a file holds it; a lone surrogate is a byte that is no UTF-8."""
    return text.encode("utf-8", "surrogateescape")
