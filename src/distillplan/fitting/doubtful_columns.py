"""What cells say of runs beside their numbers: runs that are unlike, and models that are named."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from distillplan.fitting.cells import is_unknown
from distillplan.fitting.missing_columns import listed, quoted
from distillplan.fitting.run_fields import RunField, bare_name
from distillplan.fitting.tables import TableRow
from distillplan.notices import Notice, information, warning
from distillplan.units.quantities import format_count

_UNLIKE: Final = (
    (
        r"tokenizer(name|path)?|vocab(ulary)?(size)?",
        "losses per token of different tokenizers cannot be compared",
    ),
    (
        r"(train|val|eval)?(dataset|corpus)(name)?",
        "losses on different texts cannot be compared",
    ),
    (
        r"(lr|learningrate)?sched(ule)?r?(type|name)?|(lr)?decaystyle",
        "runs of different schedules end at different losses",
    ),
)
"""Columns, as `bare_name` has them, whose values a law must not mix, and why."""
_SHOWN: Final = 4
"""Values or names told in one notice."""


def unlike_runs(rows: Sequence[TableRow]) -> Iterable[Notice]:
    """A warning for each column by which the runs cannot share one law."""
    for column in rows[0].cells:
        bare = bare_name(column, "")
        why = next((why for name, why in _UNLIKE if re.fullmatch(name, bare)), None)
        cells = (row.cells.get(column) for row in rows if why is not None)
        values = dict.fromkeys(str(one).strip() for one in cells if not is_unknown(one))
        if 1 < len(values) <= max(2, len(rows) // 2):
            where = quoted(f"{column} = {next(iter(values))}")
            text = f"{column} is {_several(values)}, and {why}: --where {where} fits one"
            yield warning("unlike_runs", text)


def named_sizes(
    rows: Sequence[TableRow], places: Iterable[Mapping[str, RunField]]
) -> Iterable[Notice]:
    """A remark on the models whose sizes were found by their names."""
    fields = [place["params"] for place in places if place["params"].column]
    found = {
        f"{row.cells[one.column or '']} {format_count(size)}": None
        for row in rows
        for one in fields
        if one.column in row.cells and isinstance(size := one.named(row), float)
    }
    if found:
        yield information(
            "sizes_of_names", f"parameters of the catalog's models: {_several(found)}"
        )


def _several(words: Iterable[str]) -> str:
    """The first of some words, and how many more there are."""
    every = list(words)
    more = [f"{len(every) - _SHOWN} more"] if len(every) > _SHOWN else []
    return listed([*every[:_SHOWN], *more])
