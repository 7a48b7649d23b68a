"""Published speeds, memory, hours and bytes, and the computed ones, for `distillplan check`."""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from distillplan.accounting import Logits
from distillplan.checks.check_records import CheckRow, compared
from distillplan.checks.published_speeds import (
    ErrorSummary,
    PublishedRun,
    SpeedComparison,
    compare_with_published,
    published_run_from_row,
    stated_errors_from_entry,
    summarize_by_source,
)
from distillplan.files.csv_reader import read_csv
from distillplan.files.entries import coefficients_dir, read_shipped
from distillplan.hardware import gpu_catalog as catalog
from distillplan.hardware.generation import Requests, generation_speed
from distillplan.hardware.gpu import GIB, Cluster, Precision
from distillplan.hardware.gpu_values import GIGA
from distillplan.hardware.machine import (
    Machine,
    student_step_seconds,
    supervised_seconds,
    teacher_pass_seconds,
)
from distillplan.hardware.machine_words import strategy_of
from distillplan.hardware.memory import LoadedTeacher, memory_estimate
from distillplan.hardware.range import Range
from distillplan.hardware.run_bill import bill_of
from distillplan.hardware.storage import TB, stored_bytes
from distillplan.hardware.stored_format import format_of
from distillplan.hardware.strategy import Strategy
from distillplan.laws.logit_formats import LogitKind
from distillplan.models.model_catalog import model
from distillplan.models.named_models import Model
from distillplan.models.shapes import ModelShape
from distillplan.models.uniform import uniform_shape

STATED: Final = 0.8
"""Share of measured speeds that the range of an estimate is meant to hold."""
COVERED: Final = 0.1
"""How far the share that it does hold may be from that."""
EXPECTED: Final = f"outside its {STATED:.0%} range, as one in five is meant to be"
"""Why a single speed may miss; that not more of them do is a check of its own."""
TOPICS: Final = (*("throughput", "memory", "runs", "steps", "slowdowns", "storage", "generation"),)
"""The topics of the checks."""


def hardware_rows() -> Iterator[CheckRow]:
    """Every published number about hardware, and the computed one."""
    yield from throughput_rows()
    for group in hardware_check_groups():
        for row in group["rows"]:
            computed = COMPUTED[group["topic"]](group, row)
            found = compared(
                group["topic"],
                group["where"],
                row["what"],
                float(row["published"]),
                computed,
                low=group["low"],
                high=group["high"],
                relative=True,
            )
            yield found if found.passed else found._replace(known=row.get("known"))


def throughput_rows() -> Iterator[CheckRow]:
    """Measured tokens/s/GPU and the computed ones with their ranges, and how many these hold."""
    comparisons = _comparisons()
    for found in comparisons:
        run, speed = found.run, found.estimate.tokens_per_s_per_gpu
        row = compared(
            "throughput",
            run.source,
            f"{run.model}, {run.workload.gpus} {run.gpu} ({run.row_id})",
            run.tokens_per_s_per_gpu,
            speed.mid,
            low=speed.mid / speed.high - 1,
            high=speed.mid / speed.low - 1,
            relative=True,
        )
        yield row if row.passed else row._replace(known=EXPECTED)
    yield compared(
        "throughput",
        "all sources",
        f"share of speeds inside their {STATED:.0%} range",
        STATED,
        sum(one.covered for one in comparisons) / len(comparisons),
        low=-COVERED,
        high=COVERED,
    )


def error_summaries() -> tuple[ErrorSummary, ...]:
    """Errors on held-out sources and GPUs, from the calibration, and those now, by source."""
    return (*stated_errors(), *summarize_by_source(_comparisons()))


def _comparisons() -> tuple[SpeedComparison, ...]:
    gpus = {gpu.name: gpu for gpu in catalog.gpus()}
    return compare_with_published(published_runs(), gpus, catalog.throughput_model())


def _memory(group: Mapping[str, Any], row: Mapping[str, Any]) -> float:
    """GiB on the fullest GPU."""
    gpus = int(row.get("gpus", group.get("gpus", 1)))
    taught = row.get("teacher")
    parts = memory_estimate(
        _shape(row),
        _strategy(group, row),
        gpus,
        teacher=None if taught is None else LoadedTeacher(shape=model(taught).shape),
        accumulates=bool(row.get("accumulates", group.get("accumulates", True))),
    ).parts
    return (parts.allocated if group["allocated"] else parts.total) / GIB


def _hours(group: Mapping[str, Any], row: Mapping[str, Any]) -> float:
    """GPU-hours of a whole run."""
    machine = _machine(group, row)
    if row.get("benchmark"):
        machine = replace(machine, goodput=Range.exact(1.0))
    bill = bill_of(machine, student=_shape(row), student_tokens=float(row["tokens"]))
    return bill.total.gpu_hours.mid


def _step_seconds(group: Mapping[str, Any], row: Mapping[str, Any]) -> float:
    """Seconds of one distillation step."""
    machine = replace(_machine(group, row), goodput=Range.exact(1.0))
    seconds = student_step_seconds(machine, _shape(row)).mid
    if Logits(row["logits"]) is Logits.ONLINE:
        seconds += teacher_pass_seconds(machine, model(row["teacher"]).shape).mid
    return seconds * float(row["tokens"]) / machine.cluster.gpus


def _slowdown(group: Mapping[str, Any], row: Mapping[str, Any]) -> float:
    """Time of a distillation step with the teacher online, over that of the student alone."""
    machine, student = _machine(group, row), _model(row, "model")
    both = student_step_seconds(machine, student)
    both += teacher_pass_seconds(machine, _model(row, "teacher"))
    return both.mid / supervised_seconds(machine, student).mid


def _terabytes(group: Mapping[str, Any], row: Mapping[str, Any]) -> float:  # noqa: ARG001  (as the others)
    """Terabytes of stored logits."""
    kind, vocab = LogitKind(row["format"]), int(row["vocab"])
    kept = format_of(kind, vocab, row.get("entries"))
    return stored_bytes(kept, float(row["tokens"])) / TB


def _generated_per_s(group: Mapping[str, Any], row: Mapping[str, Any]) -> float:  # noqa: ARG001  (as the others)
    """Tokens/s of one copy of a model at full load."""
    requests = Requests(prompt=int(row["prompt"]), generated=int(row["generated"]))
    found = generation_speed(
        _shape(row),
        catalog.gpu(row["gpu"]),
        catalog.throughput_model(),
        requests,
        Precision.FP8,
    )
    return found.gpus * found.tokens_per_s_per_gpu.mid


COMPUTED: Final[Mapping[str, Callable[[Mapping[str, Any], Mapping[str, Any]], float]]] = {
    "memory": _memory,
    "runs": _hours,
    "steps": _step_seconds,
    "slowdowns": _slowdown,
    "storage": _terabytes,
    "generation": _generated_per_s,
}
"""How each topic of coefficients/hardware_checks.yaml is computed."""


def _machine(group: Mapping[str, Any], row: Mapping[str, Any]) -> Machine:
    gpu = catalog.gpu(row["gpu"])
    if "inter_node_gb_s" in row:
        gpu = replace(gpu, inter_node_bytes_per_s=row["inter_node_gb_s"] * GIGA)
    return Machine(
        cluster=Cluster(gpu=gpu, gpus=int(row["gpus"])),
        model=catalog.throughput_model(),
        strategy=_strategy(group, row),
        global_tokens=row.get("batch_tokens"),
        today=dt.date(2026, 1, 1),  # prices are not used here
    )


def _shape(row: Mapping[str, Any]) -> ModelShape:
    if "shape" in row:
        return uniform_shape(**row["shape"])
    found = model(row["model"]).shape
    return found.first(int(row["layers"])) if "layers" in row else found


def _model(row: Mapping[str, Any], key: str) -> Model:
    """A model by its name, its shape, or where nothing else is known its size."""
    given = row[key]
    if isinstance(given, str):
        return model(given).shape
    return uniform_shape(**given) if isinstance(given, Mapping) else float(given)


def _strategy(group: Mapping[str, Any], row: Mapping[str, Any]) -> Strategy:
    return strategy_of({**group.get("strategy", {}), **row.get("strategy", {})})


def stated_errors() -> tuple[ErrorSummary, ...]:
    """Errors of the speed model that its calibration found."""
    return stated_errors_from_entry(read_shipped("throughput.yaml"))


def published_runs() -> tuple[PublishedRun, ...]:
    """The measured training speeds that ship."""
    rows = read_csv(coefficients_dir() / "throughput_runs.csv")
    return tuple(published_run_from_row(row.values) for row in rows)


def hardware_check_groups() -> tuple[Mapping[str, Any], ...]:
    """Published memory, hours, seconds, bytes and rates; the data file explains its keys."""
    return tuple(read_shipped("hardware_checks.yaml")["groups"])
