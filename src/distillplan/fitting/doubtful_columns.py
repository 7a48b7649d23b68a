"""What other columns of a table say against its runs: they are unlike, or named, or count more."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from distillplan.fitting.cells import is_unknown
from distillplan.fitting.missing_columns import column_option, listed, quoted
from distillplan.fitting.run_fields import RunField, bare_name
from distillplan.fitting.tables import RunTable, TableRow
from distillplan.laws.provenance import ParameterCount
from distillplan.notices import Notice, information, warning
from distillplan.units.numerals import is_number
from distillplan.units.quantities import format_count

_UNLIKE: Final = (
    (
        re.compile(r"tokenizer(name|path)?|vocab(ulary)?(size)?"),
        "losses per token of different tokenizers cannot be compared",
    ),
    (
        re.compile(r"(train|val|eval)?(dataset|corpus)(name)?"),
        "losses on different texts cannot be compared",
    ),
    (
        re.compile(r"(lr|learningrate)?sched(ule)?r?(type|name)?|(lr)?decaystyle"),
        "runs of different schedules end at different losses",
    ),
)
"""Columns, in letters, whose values a law must not mix, and why."""

_EMBEDDINGS: Final = re.compile(r"(n|num)?emb(ed(ding)?s?)?(params|parameters)")
_SHOWN: Final = 4
"""Values or names told in one notice."""


def unlike_runs(rows: Sequence[TableRow]) -> Iterable[Notice]:
    """A warning for each column by which the runs cannot share one law."""
    for column in rows[0].cells:
        why = next((why for name, why in _UNLIKE if name.fullmatch(bare_name(column, ""))), None)
        cells = (row.cells.get(column) for row in rows)
        values = dict.fromkeys(str(one).strip() for one in cells if not is_unknown(one))
        if why is not None and 1 < len(values) <= max(2, len(rows) // 2):
            first = quoted(f"{column} = {next(iter(values))}")
            yield warning(
                "unlike_runs",
                f"{column} is {_several(values)}, and {why}: --where {first} fits one",
            )


def with_embeddings(
    tables: Sequence[RunTable],
    places: Sequence[Mapping[str, RunField]],
    counts: ParameterCount | None,
) -> Iterable[Notice]:
    """A warning where parameters stand beside those of embeddings, and may have them in.

    Args:
        tables: the files.
        places: where the things of a run are in each.
        counts: what the parameters count, where that is said.
    """
    for table, place in zip(tables, places, strict=True):
        size = place["params"]
        found = (one for one in table.columns if _EMBEDDINGS.fullmatch(bare_name(one, "params")))
        beside = next(found, None)
        if beside is None or counts is not None or size.parts or size.column in (None, beside):
            continue
        write = quoted(column_option("params", f"{size.column}-{beside}"))
        yield warning(
            "embeddings_unsaid",
            f"{size.column} stands beside {beside}: if it counts them too, write --columns {write}",
        )


def with_sizes(
    tables: Sequence[RunTable],
    places: Sequence[Mapping[str, RunField]],
    size_of: Callable[[str], float | None] | None,
) -> tuple[list[RunTable], tuple[Notice, ...]]:
    """The tables with the sizes of models that are named instead, and a remark on which.

    Args:
        tables: the files.
        places: where the things of a run are in each.
        size_of: the parameters of a model by its name; None for another text.
    """
    columns = [place["params"].column or "" for place in places]
    cells = (
        str(row.cells.get(column, "")).strip()
        for table, column in zip(tables, columns, strict=True)
        for row in table.rows
    )
    names = dict.fromkeys(one for one in cells if size_of is not None and not is_number(one))
    sizes = {name: size_of and size_of(name) for name in names}
    known = {name: size for name, size in sizes.items() if size}
    found = [
        table._replace(rows=tuple(_sized(row, column, known) for row in table.rows))
        for table, column in zip(tables, columns, strict=True)
    ]
    told = [f"{name} {format_count(size)}" for name, size in known.items()]
    text = f"parameters of the catalog's models: {_several(told)}"
    return found, (information("sizes_of_names", text),) if told else ()


def _sized(row: TableRow, column: str, known: Mapping[str, float]) -> TableRow:
    """A row with the size of the model that it names."""
    size = known.get(str(row.cells.get(column, "")).strip())
    return row if size is None else row._replace(cells={**row.cells, column: size})


def _several(words: Iterable[str]) -> str:
    """The first of some words, and how many more there are."""
    every = list(words)
    more = [f"{len(every) - _SHOWN} more"] if len(every) > _SHOWN else []
    return listed([*every[:_SHOWN], *more])
