"""Rows that speak of a teacher and have no teacher's loss: they are no runs without a teacher."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np

from distillplan.errors import InputError
from distillplan.fitting.cells import is_unknown
from distillplan.fitting.drafts import Draft
from distillplan.fitting.run_fields import RunField
from distillplan.fitting.runs import TEACHER, RunKind
from distillplan.named_tuples import NamedTuple
from distillplan.notices import information

_NAMED: Final = re.compile(r"(?<!is)(?<!as)teacher(?!forc)")
"""In the plain name of a column that says which teacher a run had; teacher forcing needs none."""
_SWITCH: Final = re.compile(r"taught|^(is|use|with|was)?(kd$|distil)")
"""In that of one which says whether it had one."""
_WAY: Final = re.compile(
    r".*(method|kind|type|objective|mode|algorithm|algo|role|setup|regime|approach|paradigm)"
)
"""The plain name of a column that says how a run was trained."""
_DISTILLED: Final = re.compile(r"distil[a-z]*|(seq|g|on|off)?kd|minillm|opd")
_STUDENT: Final = re.compile(r"students?")
_ALONE: Final = re.compile(
    r"sup|supervised|sft|pretrain[a-z]*|scratch|baseline|ce|ntp|nexttoken|clm|alone|teachers?"
)
"""Words of such a column for a run with a teacher, mostly for one, and for one without."""
_NO: Final = ("no", "not", "non", "without")
_OFF: Final = ("no", "false", "0", "0.0", "n", "off")
_ON: Final = ("yes", "true", "1", "1.0", "y", "on", "x")
_LOSS: Final = re.compile(r"\d{1,3}([.,]\d+)?")
"""What a teacher's loss or perplexity looks like, and its size does not."""


class _Saying(NamedTuple):
    """What one cell of a row says of a teacher."""

    column: str
    cell: Any


def untold_teachers(draft: Draft, places: Sequence[Mapping[str, RunField]]) -> list[_Saying | None]:
    """For each row without a teacher's loss, the cell that says that it had a teacher.

    Args:
        draft: rows that have every number.
        places: where things are found in the file of each.
    """
    untaught = np.isnan(draft.values[TEACHER])
    return [
        _saying(row.cells, {field.column for field in places[file].values()}) if alone else None
        for row, file, alone in zip(draft.rows, draft.files.tolist(), untaught, strict=True)
    ]


def without_untold(
    draft: Draft, places: Sequence[Mapping[str, RunField]], form: RunKind | None, source: str
) -> Draft:
    """The rows that do not say that they had a teacher without saying its loss.

    Args:
        draft: rows that have every number.
        places: where things are found in the file of each.
        form: the kind of runs that was asked for; such rows are left out of supervised ones, unless
            all are such: then the column says something else.
        source: of the rows, for messages.

    Raises:
        InputError: naming the column, and what to write; not where supervised runs were asked for.
    """
    sayings = untold_teachers(draft, places)
    found = [one for one in sayings if one is not None]
    if not found:
        return draft
    column = found[0].column
    if form == "supervised" and len(found) == len(sayings):
        text = f"all rows are used as runs without a teacher, whatever {column!r} says"
        told = information("taken_as_supervised", text)
        return draft._replace(notices=(*draft.notices, told))
    if form == "supervised":
        mask = np.array([one is not None for one in sayings], dtype=bool)
        text = f"{len(found)} of {len(sayings)} rows left out for having a teacher by {column!r}"
        return draft.without(mask, information("distilled_left_out", text))
    where = next(row.where for row, one in zip(draft.rows, sayings, strict=True) if one == found[0])
    rows = "a row has" if len(found) == 1 else f"{len(found)} of {len(sayings)} rows have"
    them = "it" if len(found) == 1 else "them"
    raise InputError(
        f"{source}: {rows} a teacher by the column {column!r} ({where}: "
        f"{str(found[0].cell).strip()[:40]}) and no {TEACHER}, and a fit would take {them} for "
        f"runs without a teacher; {_advice(draft, sayings, column)}"
    )


def _saying(cells: Mapping[str, Any], used: set[str | None]) -> _Saying | None:
    """The first cell that says that a run had a teacher, unless another says that it had none."""
    found = None
    for column, cell in cells.items():
        plain = _plain(column)
        if column in used or is_unknown(cell):
            continue
        if _WAY.fullmatch(plain) and "teacher" not in plain:
            words = list(_words(str(cell)))
            taught, alone, student = (
                any(map(one.fullmatch, words)) for one in (_DISTILLED, _ALONE, _STUDENT)
            )
            if alone and not taught:
                return None
            if taught or student:
                found = found or _Saying(column, cell)
        elif _is_on(plain, str(cell).strip().lower()):
            found = found or _Saying(column, cell)
    return found


def _is_on(plain: str, cell: str) -> bool:
    """Whether a column is about teachers, and its cell says that there is one."""
    if _SWITCH.search(plain):
        return cell in _ON
    return _NAMED.search(plain) is not None and cell not in _OFF


def _words(cell: str) -> Iterator[str]:
    """The words of a cell without those that it denies: not kd for "no_kd"."""
    denied = False
    for word in re.findall(r"[a-z]+", cell.lower()):
        if not denied and word not in _NO:
            yield word
        denied = word in _NO


def _advice(draft: Draft, sayings: Sequence[_Saying | None], column: str) -> str:
    """What to write, so far as it can be told."""
    said = {str(one.cell).strip() for one in sayings if one is not None and one.column == column}
    loss = _NAMED.search(_plain(column)) and all(map(_LOSS.fullmatch, said))
    write = f"give it with --columns {TEACHER}={column if loss else 'COLUMN'}"
    if None not in sayings:
        return f"{write}, or add --form supervised if they had none"
    others = {
        str(row.cells.get(column) or "").strip()
        for row, one in zip(draft.rows, sayings, strict=True)
        if one is None
    }
    where = _condition(column, others, said)
    leave = f", leave such rows out with --where '{where}'" if where else ""
    return f"{write}{leave}, or rename the column if they had none"


def _condition(column: str, others: set[str], said: set[str]) -> str:
    """What holds for the rows without a teacher alone; empty where it would be long."""
    if others & said:
        return ""
    if others == {""}:
        return f'{column} = ""'
    if len(others) == 1 and not is_unknown(min(others)):
        return f"{column} = {min(others)}"
    return f"{column} != {min(said)}" if others and len(said) == 1 else ""


def _plain(column: str) -> str:
    return re.sub(r"[^a-z]", "", column.lower())
