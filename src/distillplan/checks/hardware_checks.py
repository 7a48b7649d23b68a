"""Published speeds, memory, hours and bytes against ours, for `distillplan check`."""

import datetime as dt
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from distillplan.checks.law_checks import CheckRow
from distillplan.checks.published_speeds import (
    ErrorSummary,
    PublishedRun,
    compare_with_published,
    published_run_from_row,
    stated_errors_from_entry,
    summarize_by_source,
)
from distillplan.errors import InputError
from distillplan.files.csv_reader import read_csv
from distillplan.files.entries import coefficients_dir, read_shipped
from distillplan.hardware import gpu_catalog as catalog
from distillplan.hardware.gpu import Cluster, Precision
from distillplan.hardware.machine import (
    Machine,
    bill_of,
    student_step_seconds,
    teacher_pass_seconds,
    usual_strategy,
)
from distillplan.hardware.memory import memory_estimate
from distillplan.hardware.range import Range
from distillplan.hardware.storage import LogitKind, format_of, stored_bytes
from distillplan.hardware.strategy import Attention, Checkpointing, Loss, Sharding, Strategy
from distillplan.models.model_catalog import model
from distillplan.models.shapes import ModelShape

WIDEST: Final = 3.0
"""Standard deviations of its stated error beyond which a computed speed is not reproduced, ..."""
LEAST_FACTOR: Final = 2.0
"""... or this factor where that is less; how near they come is in the errors by page."""
GIB: Final = 2.0**30
TB: Final = 1e12
ENUMS: Final[Mapping[str, Callable[[str], Any]]] = {
    "attention": Attention,
    "checkpointing": Checkpointing,
    "loss": Loss,
    "precision": Precision,
    "sharding": Sharding,
}
TOPICS: Final = ("throughput", "memory", "runs", "steps", "storage")
"""What is checked; the first half of a row's place."""


def hardware_rows() -> Iterator[CheckRow]:
    """Every published figure about hardware beside ours."""
    yield from throughput_rows()
    for group in hardware_check_groups():
        for row in group["rows"]:
            computed = COMPUTED[group["topic"]](group, row)
            yield _row(
                group["topic"],
                group["where"],
                row["what"],
                float(row["published"]),
                computed,
                low=group["low"],
                high=group["high"],
            )


def throughput_rows() -> Iterator[CheckRow]:
    """Measured tokens/s/GPU beside ours; met within the bounds above."""
    for found in _comparisons():
        run = found.run
        spread = max(WIDEST * found.estimate.log_sd, math.log(LEAST_FACTOR))
        yield _row(
            "throughput",
            run.source,
            f"{run.model}, {run.workload.gpus} {run.gpu} ({run.row_id})",
            run.tokens_per_s_per_gpu,
            found.estimate.tokens_per_s_per_gpu.mid,
            low=math.expm1(-spread),
            high=math.expm1(spread),
        )


def error_summaries() -> tuple[ErrorSummary, ...]:
    """Errors with whole pages and GPU kinds left out, as calibrated, and now by source."""
    return (*stated_errors(), *summarize_by_source(_comparisons()))


def _comparisons() -> Any:
    gpus = {gpu.name: gpu for gpu in catalog.gpus()}
    return compare_with_published(published_runs(), gpus, catalog.throughput_model())


def _memory(group: Mapping[str, Any], row: Mapping[str, Any]) -> float:
    """GiB on the fullest GPU."""
    gpus = int(row.get("gpus", group.get("gpus", 1)))
    parts = memory_estimate(_shape(row), _strategy(group, row), gpus).parts
    return (parts.allocated if group["allocated"] else parts.total) / GIB


def _hours(group: Mapping[str, Any], row: Mapping[str, Any]) -> float:
    """GPU-hours of a whole run."""
    machine = _machine(group, row)
    if row.get("benchmark"):
        machine = replace(machine, goodput=Range.exact(1.0))
    bill = bill_of(machine, student=_shape(row), student_tokens=float(row["tokens"]))
    return bill.total.gpu_hours.mid


def _step_seconds(group: Mapping[str, Any], row: Mapping[str, Any]) -> float:
    """Seconds of one distillation step of so many tokens."""
    machine = replace(_machine(group, row), goodput=Range.exact(1.0))
    seconds = student_step_seconds(machine, _shape(row)).mid
    if row["logits"] == "online":
        seconds += teacher_pass_seconds(machine, model(row["teacher"]).shape).mid
    return seconds * float(row["tokens"]) / machine.cluster.gpus


def _terabytes(group: Mapping[str, Any], row: Mapping[str, Any]) -> float:  # noqa: ARG001  (as the others)
    """Stored logits."""
    kind, vocab = LogitKind(row["format"]), int(row["vocab"])
    kept = format_of(kind, vocab, row.get("entries"))
    return stored_bytes(kept, float(row["tokens"])) / TB


COMPUTED: Final[Mapping[str, Callable[[Mapping[str, Any], Mapping[str, Any]], float]]] = {
    "memory": _memory,
    "runs": _hours,
    "steps": _step_seconds,
    "storage": _terabytes,
}
"""How each topic of coefficients/hardware_checks.yaml is computed."""


def _machine(group: Mapping[str, Any], row: Mapping[str, Any]) -> Machine:
    gpu = catalog.gpu(row["gpu"])
    if "inter_node_gb_s" in row:
        gpu = replace(gpu, inter_node_bytes_per_s=row["inter_node_gb_s"] * 1e9)
    return Machine(
        cluster=Cluster(gpu=gpu, gpus=int(row["gpus"])),
        model=catalog.throughput_model(),
        strategy=_strategy(group, row),
        global_tokens=row.get("batch_tokens"),
        interleave=row.get("interleave"),
        today=dt.date(2026, 1, 1),  # prices play no part here
    )


def _shape(row: Mapping[str, Any]) -> ModelShape:
    if "shape" in row:
        return ModelShape(**row["shape"])
    return replace(model(row["model"]).shape, **row.get("with", {}))


def _strategy(group: Mapping[str, Any], row: Mapping[str, Any]) -> Strategy:
    merged = {**group.get("strategy", {}), **row.get("strategy", {})}
    layout = {name: (ENUMS.get(name) or _as_is)(value) for name, value in merged.items()}
    unknown = set(layout) - set(Strategy.__dataclass_fields__)
    if unknown:
        raise InputError(f"hardware checks: {', '.join(sorted(unknown))} is no part of a strategy")
    return usual_strategy(**layout)


def _as_is(value: Any) -> Any:
    """Numbers need no translation."""
    return value


def _row(
    topic: str,
    where: str,
    what: str,
    published: float,
    computed: float,
    *,
    low: float,
    high: float,
) -> CheckRow:
    difference = (computed - published) / published
    return CheckRow(
        law=topic,
        where=where,
        what=what,
        published=published,
        computed=computed,
        difference=difference,
        relative=True,
        low=low,
        high=high,
        passed=low <= difference <= high,
    )


def stated_errors() -> tuple[ErrorSummary, ...]:
    """How well the speed model predicts, as its calibration found."""
    return stated_errors_from_entry(read_shipped("throughput.yaml"))


def published_runs() -> tuple[PublishedRun, ...]:
    """The measured training speeds that ship."""
    rows = read_csv(coefficients_dir() / "throughput_runs.csv")
    return tuple(published_run_from_row(row.values) for row in rows)


def hardware_check_groups() -> tuple[Mapping[str, Any], ...]:
    """Published memory, hours, seconds and bytes; the file says what each key is."""
    return tuple(read_shipped("hardware_checks.yaml")["groups"])
