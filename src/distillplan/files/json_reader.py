"""The bounded reader of JSON that people give: strict, and as bounded as their YAML."""

import json
import math
from collections.abc import Iterator
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any, NoReturn

from distillplan.errors import InputError
from distillplan.files.bounds import (
    LARGEST,
    MOST_CELLS,
    MOST_CONFIG_BYTES,
    MOST_DEPTH,
    MOST_LETTERS,
    MOST_TREE_BYTES,
    MOST_VALUES,
    shown,
    text_fault,
)
from distillplan.files.text_reader import read_text


def read_foreign_json(source: str | Path) -> Any:
    """The value of a user's JSON file, read within the bounds of `parse_json`.

    Args:
        source: its path; ``-`` is standard input.

    Raises:
        InputError: when it cannot be read, with what is wrong with it.
    """
    name = "standard input" if source == "-" else str(source)
    return parse_json(read_text(source, MOST_TREE_BYTES), name)


def read_config_json(path: Path) -> Any:
    """The value of another program's JSON file, of which few keys matter here.

    So nothing that does not matter is refused: numbers may be of any size or none, and texts long.

    Args:
        path: of the file.

    Raises:
        InputError: when it cannot be read as JSON, or is far larger than such files are.
    """
    return parse_json(
        read_text(path, MOST_CONFIG_BYTES),
        str(path),
        most_values=MOST_CELLS,
        not_a_number=True,
        any_size=True,
    )


def parse_json(
    text: str,
    name: str,
    *,
    line: int | None = None,
    most_values: int = MOST_VALUES,
    not_a_number: bool = False,
    any_size: bool = False,
) -> Any:
    """The value of a JSON text; every number in it is finite, and every key unique.

    Args:
        text: one value.
        name: of the file, for messages.
        line: where in the file it stands alone, as in JSON Lines; None: it is the whole file.
        most_values: how many values it may hold.
        not_a_number: whether NaN and Infinity may stand in it, as in logs of diverged runs.
        any_size: whether numbers may be of any size, and texts of any length.

    Raises:
        InputError: with the name, and the line or the key that is wrong.

    >>> parse_json('{"vocab_size": 32000}', "config.json")
    {'vocab_size': 32000}
    """
    where = name if line is None else f"{name}, line {line}"
    number = partial(_number, where, math.inf if any_size else LARGEST)
    constant = float if not_a_number else partial(_refused_constant, where)
    try:
        found = json.loads(
            text,
            parse_constant=constant,
            parse_int=partial(number, int),
            parse_float=partial(number, float),
            object_pairs_hook=partial(_mapping, where),
        )
    except json.JSONDecodeError as error:
        at = line or error.lineno
        raise InputError(f"{name}, line {at}: not readable as JSON: {error.msg}") from None
    except RecursionError:
        raise InputError(f"{where}: nested more than {MOST_DEPTH} levels deep") from None
    _demand_bounds(found, where, most_values, math.inf if any_size else MOST_LETTERS)
    return found


def _refused_constant(name: str, constant: str) -> NoReturn:
    raise InputError(f"{name}: {constant} is not JSON; write a finite number or null")


def _number(name: str, most: float, kind: type[int] | type[float], text: str) -> float:
    size = abs(float(text))
    if size > most:
        raise InputError(f"{name}: {shown(text)} is larger than {most:g}")
    return kind(text) if size <= LARGEST else float(text)  # no whole number of so many digits


def _mapping(name: str, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = sorted(key for key, _ in pairs)
        twice = next(one for one, other in pairwise(keys) if one == other)
        raise InputError(f"{name}: duplicate key {shown(twice)}")
    return found


def _demand_bounds(root: Any, name: str, most_values: int, most_letters: float) -> None:
    """Refuse what is too deep, too much or no text."""
    count, level = 0, [root]
    for _ in range(MOST_DEPTH + 1):
        count += len(level)
        if count > most_values:
            raise InputError(f"{name}: more than {most_values:,} values; is it the right file?")
        level = [inner for one in level for inner in _inside(one, name, most_letters)]
        if not level:
            return
    raise InputError(f"{name}: nested more than {MOST_DEPTH} levels deep")


def _inside(value: Any, name: str, most_letters: float) -> Iterator[Any]:
    """The values within a value."""
    if isinstance(value, dict):
        for key, one in value.items():
            _demand_text(key, f"{name}: a key", most_letters)
            if isinstance(one, str):
                _demand_text(one, f"{name}: {shown(key)}", most_letters)
        yield from value.values()
    elif isinstance(value, list):
        yield from value
    elif isinstance(value, str):
        _demand_text(value, name, most_letters)


def _demand_text(text: str, where: str, most_letters: float) -> None:
    fault = text_fault(text, most_letters)
    if fault is not None:
        raise InputError(f"{where}: {fault}")
