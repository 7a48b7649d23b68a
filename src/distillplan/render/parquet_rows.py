"""Rows as Parquet, which other programs read by column and with types."""

import io
import sys
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from distillplan.errors import InputError
from distillplan.render.row_streams import cell_text
from distillplan.render.streams import write_bytes
from distillplan.scenarios.axes import Axis
from distillplan.scenarios.grid import CellGrid
from distillplan.schemas.reader import schema_of

if TYPE_CHECKING:
    import pyarrow as pa

ROWS: Final = 20_000
"""Rows of a group, which are in memory together before they are packed."""


def demand_parquet() -> None:
    """Refuse, before any work is done, what cannot be written or would be no use.

    Raises:
        InputError: where pyarrow is missing, or a terminal would show the bytes.
    """
    from importlib.util import find_spec  # only for those who ask

    if find_spec("pyarrow") is None:
        raise InputError(
            "-o parquet needs pyarrow; install it with: pip install 'distillplan[parquet]'"
        )
    if sys.stdout.isatty():
        raise InputError(
            "-o parquet is for programs; write it to a file: -o parquet > FILE.parquet"
        )


def write_parquet(rows: Iterable[Mapping[str, Any]], grid: CellGrid) -> None:
    """Write the rows of a sweep to standard output as one file, once all of them are there.

    Its columns and their types follow from the grid alone, so that shards have the same.

    Args:
        rows: of some cells.
        grid: where they lie.

    Raises:
        DistillplanError: where it cannot be written, as on a full disk.
    """
    import pyarrow as pa  # only for those who ask, as below
    from pyarrow import parquet

    columns, coming = _columns(grid), iter(rows)
    names = columns.names
    words = [name for name in grid.columns if columns.field(name).type == pa.string()]
    with io.BytesIO() as packed:
        with parquet.ParquetWriter(packed, columns, compression="zstd") as writer:
            while group := list(islice(coming, ROWS)):
                table = {name: [row[name] for row in group] for name in names}
                table |= {name: [*map(_word, table[name])] for name in words}
                writer.write_table(pa.table(table, schema=columns))
        write_bytes(packed.getvalue())


def _columns(grid: CellGrid) -> "pa.Schema":
    """Names and types of the columns: coordinates as their axes have them, then the schema's."""
    import pyarrow as pa

    types = {"number": pa.float64(), "integer": pa.int64(), "boolean": pa.bool_()}
    types |= {"string": pa.string(), "array": pa.list_(pa.string())}
    found = {"scenario": pa.string()} if grid.named else {}
    for axis in grid.axes:
        found[axis.key] = pa.float64() if _all_numbers(axis) else pa.string()
    cell = schema_of("sweep")["$defs"]["Cell"]["properties"]
    return pa.schema({**found, **{name: types[_kind(one)] for name, one in cell.items()}})


def _all_numbers(axis: Axis) -> bool:
    """Whether the rows show numbers on an axis, and no words."""
    return all(isinstance(one.label, int | float) and one.amount for one in axis.points)


def _word(value: Any) -> str | None:
    """A coordinate as a word, where others on its axis are words."""
    return None if value is None else str(cell_text(value))


def _kind(value: Mapping[str, Any]) -> str:
    """The type of a value of a JSON Schema, beside null."""
    kinds = value.get("type", "string")  # words of a list of them have none
    return next(one for one in ([kinds] if isinstance(kinds, str) else kinds) if one != "null")
