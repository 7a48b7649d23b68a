"""GPU-hours of published whole runs, and how many of them the ranges of ours hold."""

import statistics
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from distillplan.checks.check_records import (
    EXPECTED,
    CheckRow,
    compared,
    held_share,
    within_its_range,
)
from distillplan.checks.described_runs import described_machine, described_shape
from distillplan.checks.left_out import model_without
from distillplan.hardware.bill import bill_of
from distillplan.hardware.range import Range
from distillplan.hardware.throughput import ThroughputModel

NEAR: Final = 1.5
"""Factor within which most whole runs should be."""
NEAR_SHARE: Final = 0.85
"""Share of them that should be."""


def whole_run_hours(
    group: Mapping[str, Any], row: Mapping[str, Any], speeds: ThroughputModel
) -> Range:
    """Allocated GPU-hours of a whole run; of a benchmark, iterations times their time."""
    machine = described_machine(group, row, speeds)
    if row.get("benchmark"):
        machine = replace(machine, goodput=Range.exact(1.0))
    tokens = float(row["tokens"])
    return bill_of(machine, student=described_shape(row), student_tokens=tokens).total.gpu_hours


def whole_run_rows(group: Mapping[str, Any]) -> Iterator[CheckRow]:
    """Each run, computed without what its family taught; and the shares over all of them."""
    rows: list[CheckRow] = []
    by_family: dict[str, list[bool]] = {}
    for run in group["rows"]:
        hours = whole_run_hours(group, run, model_without(run["family"]))
        published, known = float(run["published"]), run.get("known", EXPECTED)
        found = within_its_range("runs", group["where"], run["what"], published, hours, known)
        by_family.setdefault(run["family"], []).append(found.passed)
        rows.append(found)
    yield from rows
    where = f"all {group['where']}"
    yield held_share("runs", where, "hours", statistics.fmean(row.passed for row in rows))
    alike = statistics.fmean(map(statistics.fmean, by_family.values()))
    yield held_share("runs", where, "hours, each family alike,", alike)
    near = [1 / NEAR <= 1 + (row.difference or 0.0) <= NEAR for row in rows]
    yield compared(
        "runs",
        where,
        f"share of hours within a factor of {NEAR:g}",
        NEAR_SHARE,
        statistics.fmean(near),
        low=0.0,
        high=1 - NEAR_SHARE,
    )
