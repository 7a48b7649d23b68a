"""What must hold of an answer: its forms agree, for they are made from the same object."""

import csv
import io
import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any
from unittest import mock

from distillplan.planning.results import Plan
from distillplan.render.answers import registered
from tests.fuzz.case import Case
from tests.fuzz.oracles import document_is_sound, plain, rows_are_sound, strictly
from tests.fuzz.running import rendered

_SHOWN = {"distill": "Distill.", "supervised": "Pretrain.", "tie": "Too close to call"}
_LOSS = re.compile(r"\d+\.\d{3}")


def forms_agree(case: Case, answer: Any, how: Mapping[str, bool]) -> Iterator[str]:
    """Table, Markdown, JSON and rows of one answer."""
    try:
        document = strictly(rendered(answer, "json", **how))
    except ValueError as error:
        yield f"not JSON: {error}"
        return
    yield from document_is_sound(document)
    if registered(answer).view is not None and not how.get("chart"):  # pictures have no tables
        table = rendered(answer, "table", **how)
        markdown = rendered(answer, "markdown", **how)
        yield from plain(table, case)
        with mock.patch.dict(os.environ, {"COLUMNS": "400"}):  # narrow tables lack spare columns
            yield from same_signs(rendered(answer, "table", **how), markdown)
        if isinstance(answer, Plan):
            yield from plan_agrees(document, markdown)
    known = registered(answer).rows
    if known is not None:
        text, lines = rendered(answer, "csv", **how), rendered(answer, "jsonl", **how)
        yield from rows_are_sound(text, "csv")
        yield from rows_are_sound(lines, "jsonl")
        rows = list(csv.DictReader(io.StringIO(text)))
        if len(rows) != len(lines.splitlines()):
            yield f"{len(rows)} rows of CSV, {len(lines.splitlines())} of JSON Lines"
        elif not known.whole:
            for row, line in zip(rows, lines.splitlines(), strict=True):
                yield from same_row(row, strictly(line))
        elif (told := sum(len(document[key]) for key in known.whole)) != len(rows):
            yield f"{len(rows)} rows of CSV, {told} in JSON"


def same_signs(table: str, markdown: str) -> Iterator[str]:
    """Letters and digits of a table are those of the Markdown, wherever its lines break."""
    ours, theirs = (Counter(filter(str.isalnum, text)) for text in (table, markdown))
    if ours != theirs:
        more, less = dict(ours - theirs), dict(theirs - ours)
        yield f"the table has {more}, the Markdown {less} more than the other"


def same_row(row: Mapping[str, str], line: Mapping[str, Any]) -> Iterator[str]:
    """A row of CSV has the values of its line of JSON."""
    if list(row) != list(line):
        yield f"CSV has the columns {list(row)}, JSON Lines {list(line)}"
        return
    for name, value in line.items():
        cell = row[name]
        if isinstance(value, bool) or value is None:
            same = cell in ("", "true", "false", str(value))
        elif isinstance(value, (int, float)):
            same = cell != "" and float(cell) == value
        else:
            same = isinstance(value, (dict, list)) or cell == value
        if not same:
            yield f"{name} is {cell!r} in CSV, {value!r} in JSON Lines"


def plan_agrees(document: Mapping[str, Any], markdown: str) -> Iterator[str]:
    """Verdict and losses of a plan are those that people read."""
    text = _bare(markdown)
    weighed = document["verdict_reason"] in ("likeliest", "too_close")
    short = _SHOWN[document["verdict"]] if weighed else document["headline"].partition(" From ")[0]
    if not text.startswith((_bare(short), _bare(document["headline"]))):
        yield f"neither {short!r} nor the headline begins {text[:200]!r}"
    wanted = {f"{one['loss']:.3f}" for one in document["options"] if one["loss"] is not None}
    shown = set(_column(markdown, "loss"))
    if not shown:  # a page, where the sentences have them
        shown = wanted & set(_LOSS.findall(markdown))
    for one in shown - wanted:
        yield f"the table shows a loss of {one}, which no option has"
    for one in document["options"]:
        decides = one["loss"] is not None and (one["decides"] or one["recommended"])
        if decides and f"{one['loss']:.3f}" not in shown:
            yield f"the table does not show the loss {one['loss']!r} of what is recommended"


def _bare(markdown: str) -> str:
    return re.sub(r"[\\*\s]", "", markdown)


def _column(markdown: str, name: str) -> Iterator[str]:
    """The numbers in a column of the first table that has one of this name."""
    at = None
    for line in markdown.splitlines():
        cells = (
            [cell.strip(" *") for cell in line.strip("|").split(" | ")] if line[:1] == "|" else []
        )
        if not cells:
            if at is not None:
                return
        elif at is None:
            at = cells.index(name) if name in cells else None
        else:
            found = _LOSS.match(cells[at])
            if found is not None:
                yield found[0]
