"""JSON of any usual shape -> rows: Lines, an array, columns, runs by name, a log within."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from distillplan.errors import InputError
from distillplan.files.bounds import MOST_CELLS
from distillplan.files.csv_reader import FileRow, demand_table
from distillplan.files.json_reader import parse_json
from distillplan.named_tuples import NamedTuple

MOST_SHOWN: Final = 3
"""Faults named in one message."""

_LOG: Final = "log_history"
"""Where a `trainer_state.json` has its rows."""
_SCALARS: Final = ("Wall time", "Step", "Value")
"""What TensorBoard's JSON has in each of its triples, as its CSV names them."""


class FoundRows(NamedTuple):
    """Rows of a file, with what one of them is called."""

    columns: tuple[str, ...]
    rows: list[FileRow]
    word: str = "line"
    """"entry" and the like, where rows are not lines."""


def json_rows(text: str, source: str) -> FoundRows:
    """The rows of a text that starts as JSON; objects within objects become columns with a dot.

    Args:
        text: JSON Lines, or one value: an array of objects, or an object that has one (such as
            `trainer_state.json`), columns, or an object for each run.
        source: name of its file, for messages.

    Raises:
        InputError: when it is none of these.
    """
    try:
        whole = parse_json(text, "", most_values=MOST_CELLS, not_a_number=True)
    except InputError:  # several values, or none
        return _json_lines(text, source)
    found, word = _entries(whole)
    if found is not None:
        return _objects(enumerate(found, 1), source, word, [])
    if isinstance(whole, dict) and "\n" not in text.strip():
        return _objects([(1, whole)], source, "line", [])
    raise InputError(
        f"{source}: one JSON document that is no table; write JSON Lines, one object per line, or "
        "an array of objects"
    )


def _entries(whole: Any) -> tuple[Sequence[Any] | None, str]:
    """The rows of one value, and what each is called; None where it has none."""
    if isinstance(whole, list):
        triples = bool(whole) and all(_is_list(one, len(_SCALARS)) for one in whole)
        rows = [dict(zip(_SCALARS, one, strict=True)) for one in whole] if triples else whole
        return rows, "entry"
    tables = [key for key, one in whole.items() if _is_list(one) and one and _all(dict, one)]
    within = [_LOG] if _is_list(whole.get(_LOG)) else tables
    if len(within) == 1:
        return whole[within[0]], f"{within[0]} entry"
    return _of_columns(whole), "entry"


def _of_columns(whole: Mapping[str, Any]) -> Sequence[Any] | None:
    """The rows of an object with a list for each column; None for any other."""
    columns = list(whole.values())
    if not columns or not _all(list, columns) or len({len(one) for one in columns}) > 1:
        return None
    return [dict(zip(whole, row, strict=True)) for row in zip(*columns, strict=True)]


def _is_list(value: Any, size: int | None = None) -> bool:
    return isinstance(value, list) and size in (None, len(value))


def _all(kind: type, values: Sequence[Any]) -> bool:
    return all(isinstance(one, kind) for one in values)


def _json_lines(text: str, source: str) -> FoundRows:
    """One object a line; all lines that are none in one message."""
    found = []
    faults = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            found.append((number, parse_json(line, source, line=number, not_a_number=True)))
        except InputError as error:
            faults.append(str(error).removeprefix(f"{source}, "))  # told once
    return _objects(found, source, "line", faults)


def _objects(
    values: Iterable[tuple[int, Any]], source: str, word: str, faults: list[str]
) -> FoundRows:
    """The columns and rows of numbered objects; those that are none in one message."""
    found: list[FileRow] = []
    for number, value in values:
        if isinstance(value, dict):
            found.append(FileRow(line=number, values=dict(_leaves(value))))
        else:
            faults.append(f"{word} {number}: not a JSON object")
    if faults:
        raise InputError(f"{told(source, faults)}; write one object per {word}")
    # a column that only some rows have is empty in the others
    every: dict[str, Any] = {}
    for row in found:
        every |= dict.fromkeys(row.values)
        demand_table(len(found), len(every), f"{source}, {word} {row.line}")
    rows = [FileRow(line=row.line, values={**every, **row.values}) for row in found]
    return FoundRows(columns=tuple(every), rows=rows, word=word)


def _leaves(value: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """The values of an object and of those within it, under their keys with dots between."""
    for key, one in value.items():
        if isinstance(one, dict) and one:
            yield from _leaves(one, f"{before}{key}.")
        else:
            yield f"{before}{key}", one


def told(source: str, faults: Sequence[str]) -> InputError:
    """All faults of the rows of a file in one error."""
    shown = "; ".join(faults[:MOST_SHOWN])
    more = len(faults) - MOST_SHOWN
    rest = f"; and {more} more" if more > 0 else ""
    count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
    return InputError(f"{source}: {count}, nothing was used: {shown}{rest}")
