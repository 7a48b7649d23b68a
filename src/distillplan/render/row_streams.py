"""Answers as rows: CSV and JSON Lines, whole or as they come."""

import csv
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import Enum
from typing import Any, Literal

from distillplan.planning.results import Option
from distillplan.questions.comparison import Comparison, NamedPlan
from distillplan.questions.crossover import Crossovers
from distillplan.questions.sweep import Cell
from distillplan.questions.target import Target
from distillplan.render.documents import Answer, document

Row = dict[str, Any]

_SIZES = (
    "student_params",
    "student_tokens",
    "teacher_params",
    "teacher_tokens",
    "teacher_loss",
    "total_flops",
)


_BILL = ("gpu_hours", "cost_usd", "wall_seconds", "memory_bytes_per_gpu")


def print_rows(answer: Answer, output: Literal["csv", "jsonl"]) -> None:
    """An answer of several rows on standard output."""
    if output == "jsonl" and isinstance(answer, Comparison):
        rows: Iterable[Row] = document(answer)["plans"]  # each plan whole
    else:
        rows = records(answer)
    write(rows, output)


def records(answer: Answer) -> list[Row]:
    """The rows of an answer, flat."""
    if isinstance(answer, Comparison):
        return [_plan(one) for one in answer.plans]
    if isinstance(answer, Target):
        return [
            {
                "method": way.method,
                "accounting": way.accounting,
                "decides": way.decides,
                "total_flops": way.total_flops,
                "over_supervised": way.over_supervised,
                "nearest_loss": way.nearest_loss,
                **_sizes(way.option, "", _SIZES[:-1]),
                **_bill(way.option, "", _BILL),
            }
            for way in answer.ways
        ]
    if isinstance(answer, Crossovers):
        return [
            {
                "student_params": row.student_params,
                "accounting": row.accounting,
                **crossing._asdict(),
            }
            for row in answer.rows
            for crossing in row.crossings
        ]
    raise AssertionError(f"{type(answer).__name__} has no rows")


def _plan(one: NamedPlan) -> Row:
    plan = one.plan
    best, deciding = plan.recommended, plan.deciding
    return {
        "name": one.name,
        "compute": plan.scenario.compute,
        "verdict": plan.verdict,
        "margin_nats": plan.margin_nats,
        "method": best.method,
        "accounting": None if plan.verdict is None else plan.scenario.pays,
        "status": best.status,
        "loss": best.loss,
        "supervised_loss": plan.options[0].loss,
        "distill_loss": None if deciding is None else deciding.loss,
        **_sizes(best, "", _SIZES),
        **_bill(best, "", _BILL),
        "warnings": [warning.code for warning in plan.warnings],
    }


def cell_record(cell: Cell) -> Row:
    """The row of one cell of a sweep."""
    alone, deciding = cell.supervised, cell.deciding
    return {
        **cell.at,
        "verdict": cell.verdict,
        "margin_nats": cell.margin_nats,
        "supervised_status": alone.status,
        "supervised_loss": alone.loss,
        **_sizes(alone, "supervised_", _SIZES[:2]),
        **_bill(alone, "supervised_", _BILL[:2]),
        "distill_accounting": None if deciding is None else deciding.accounting,
        "distill_status": None if deciding is None else deciding.status,
        "distill_loss": None if deciding is None else deciding.loss,
        **_sizes(deciding, "distill_", _SIZES[:5]),
        **_bill(deciding, "distill_", _BILL[:2]),
        "warnings": list(cell.warnings),
    }


def _sizes(option: Option | None, prefix: str, names: Sequence[str]) -> Row:
    return {f"{prefix}{name}": None if option is None else getattr(option, name) for name in names}


def _bill(option: Option | None, prefix: str, names: Sequence[str]) -> Row:
    """The middle of each range; None where no machine is known."""
    bill = None if option is None else option.bill
    ranges = {name: None if bill is None else getattr(bill, name) for name in names}
    return {f"{prefix}{name}": one and one.mid for name, one in ranges.items()}


def write(rows: Iterable[Row], output: Literal["csv", "jsonl"]) -> None:
    """Rows on standard output as they come; all have the keys of the first."""
    if output == "jsonl":
        for row in rows:
            sys.stdout.write(json.dumps(row, allow_nan=False, ensure_ascii=False) + "\n")
    else:
        writer = None
        for row in rows:
            if writer is None:
                writer = csv.DictWriter(sys.stdout, list(row), lineterminator="\n")
                writer.writeheader()
            writer.writerow({key: _cell(value) for key, value in row.items()})
    sys.stdout.flush()


def write_document(head: Mapping[str, Any], rows: Iterable[Row]) -> None:
    """One JSON document whose last key, `rows`, is written as they come."""
    start = json.dumps(head, allow_nan=False, ensure_ascii=False)
    sys.stdout.write(f'{start[:-1]}, "rows": [')
    for text in _separated(rows):
        sys.stdout.write(text)
    sys.stdout.write("\n]}\n")
    sys.stdout.flush()


def _separated(rows: Iterable[Row]) -> Iterator[str]:
    mark = "\n"
    for row in rows:
        yield mark + json.dumps(row, allow_nan=False, ensure_ascii=False)
        mark = ",\n"


def _cell(value: Any) -> Any:
    """A value in a comma-separated file: nothing for None, words with spaces between for a list."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, bool):
        return "true" if value else "false"
    return " ".join(map(str, value)) if isinstance(value, (list, tuple)) else value
