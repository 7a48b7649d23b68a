"""What is said where a column is missing or unknown: what the file has, and what to write."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from distillplan.errors import InputError
from distillplan.fitting.reported_units import option_of, unit_named
from distillplan.fitting.tables import RunTable
from distillplan.suggest import close_names, nearest
from distillplan.units.numerals import is_number

_MOST_NAMED: Final = 5
"""Columns of a file named in one message."""

_MEASURED: Final = r"(?!.*(std|stderr|err|error|sem|var|min|max)$)"
"""The start of an expression for names that are of no error bar."""

_STEPS: Final = r"(max|num|n|train|total|global)*(steps?|iters?|iterations?)"
_PARAMS: Final = r"n|n?params"

_USUAL: Final[Mapping[str, tuple[str | tuple[str, ...], ...]]] = {
    "params": (
        *(r"params", r"n|ns|nparams|numparams", r"nonemb.*"),
        (r"(total|all)?n?params(total)?", "-", r"n?emb(ed(ding)?s?)?(params)?"),
        *(r"(?!emb|.*perparam).*param.*", r"(model)?size", r"model"),
    ),
    "tokens": (
        *(r"tokens", r"d|ds|ntokens|numtokens", r"(?!.*(per|byte|vocab|izer|batch|uniq)).*token.*"),
        (
            *(_STEPS, "*", r"(global|total|train)?(batchsize|bs|gbs|batch)"),
            *("*", r"(max)?(seq|sequence|context|block|ctx)(len|length|size)?"),
        ),
        (_STEPS, "*", r"(global)?batch(size)?(in)?tokens|tokensper(step|batch|iter(ation)?)"),
        (r"tpp|(train)?tokensperparam(eter)?|ratio|dn", "*", _PARAMS),
        (r"uniq(ue)?tokens", "*", r"(num|n)?epochs"),
        (r"(train|total)*flops|c|compute", "/", "6", "/", _PARAMS),
        r"data(set)?size",
    ),
    "loss": (
        *(
            r"loss",
            r"l|ls",
            r"(val|eval|valid|test|heldout)(.*loss)?",
            rf"(?!train|teacher){_MEASURED}.*loss.*",
            rf"(?!.*teach){_MEASURED}.*(ce|nll|crossentropy)(pertoken)?",
        ),
        *(r".*(bpb|bitsper).*", r".*(ppl|perplexity).*", r"train.*loss"),
    ),
    "teacher_loss": (r"teacherloss", r"lt", r".*teach.*loss.*"),
    "step": (_STEPS, r".*(step|iter).*"),
}
"""What columns are called elsewhere, in small letters without spaces and signs, the best first; or
columns, signs and numbers that it can be computed from."""

_CUT: Final = frozenset({"kept", "parent_loss"})
"""Columns of runs of cut models (`pruned_runs`)."""

_TYPED: Final = 0.75
"""How alike a column must be to a name to be taken for a typing error."""


def missing_columns(table: RunTable, missing: Sequence[str]) -> InputError:
    """What is missing, and what the file has instead, or what to write."""
    are = "columns {} are" if len(missing) > 1 else "column {} is"
    columns = [column for column in table.columns if column]
    if _CUT.issubset(columns):
        return InputError(f"{table.source}: these are runs of cut models; add --form p2")
    seen = _odd_header(columns) or _near_columns(missing, columns)
    return InputError(f"{table.source}: {are.format(listed(missing))} missing{seen}")


def _odd_header(columns: Sequence[str]) -> str:
    """What to mend in a header that names no columns; empty where it does."""
    if columns and all(map(is_number, columns)):
        return ", the first line has numbers only; put a header above it"
    if len(columns) == 1 and re.search(r"[\s|:]", columns[0]):
        return (
            f", the header has one column, {columns[0][:40]!r}; separate columns by commas, "
            "semicolons or tabs, and delete what stands above the header"
        )
    return ""


def _near_columns(missing: Sequence[str], columns: Sequence[str]) -> str:
    """The columns nearest to those that are missing, or all, and what to write."""
    near = {name: nearest_column(name, columns) for name in missing}
    write = ",".join(column_option(name, column or "COLUMN") for name, column in near.items())
    advice = f"write --columns {quoted(write)}{unit_options(near.get('loss'))}"
    close = [column for column in near.values() if column is not None]
    if len(close) == len(near):
        return f"; did you mean {listed([*dict.fromkeys(close)])}? {advice}"
    more = "" if len(columns) <= _MOST_NAMED else f" and {len(columns) - _MOST_NAMED} more"
    there = ", ".join(column[:40] for column in columns[:_MOST_NAMED])
    return f", the file has {there}{more}; {advice}"


def unknown_column(tables: Sequence[RunTable], name: str, column: str) -> InputError:
    """A column that --columns names and no file has."""
    columns = [one for table in tables for one in table.columns if one]
    close = close_names(column, columns, _TYPED) or [nearest_column(name, columns) or ""]
    advice = f"did you mean {close[0]}?" if close[0] else nearest(column, columns[:_MOST_NAMED])
    where = f"{tables[0].source} has no" if len(tables) == 1 else "no file has a"
    return InputError(f"columns: {where} column {column!r}; {advice}")


def several_columns(table: RunTable, name: str, columns: Sequence[str]) -> InputError:
    """Several columns for one thing."""
    option = quoted(column_option(name, columns[0]))
    return InputError(
        f"{table.source}: {' and '.join(columns[:2])} are both given as {name}; say which, for "
        f"example --columns {option}"
    )


def nearest_column(name: str, columns: Sequence[str]) -> str | None:
    """The column that most likely holds something, or what it can be computed from.

    None where none is near.
    """
    plain = {
        re.sub(r"[(\[].*[)\]]|[^a-z]", "", column.lower().replace("/param", "perparam")): column
        for column in reversed(columns)
        if name != "loss" or "teach" not in column.lower()
    }
    for usual in _USUAL[name]:
        parts = (usual,) if isinstance(usual, str) else usual
        found = [_first(one, plain) if re.search(r"[a-z]", one) else one for one in parts]
        if None not in found:
            return "".join(filter(None, found))
    close = close_names(name, plain, _TYPED)
    return plain[close[0]] if close else None


def _first(pattern: str, plain: Mapping[str, str]) -> str | None:
    """The column of the shortest plain name that fits; None where none does."""
    found = [text for text in plain if re.fullmatch(pattern, text)]
    return plain[min(found, key=len)] if found else None


def unit_options(column: str | None) -> str:
    """The options of a column of losses that says another unit than nats, with a space before."""
    unit = None if column is None else unit_named(column)
    return "" if unit is None else f" {option_of(unit)}"


def quoted(text: str) -> str:
    """A word of a command line, in quotes where a shell would read it otherwise."""
    return f"'{text}'" if re.search(r"[^\w=,/.+-]", text) else text


def column_option(name: str, column: str) -> str:
    """A part of `--columns`, quoted where the name of the column has a comma."""
    return f'{name}="{column}"' if "," in column else f"{name}={column}"


def listed(words: Sequence[str]) -> str:
    """Words as a sentence names them: a, b and c."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
