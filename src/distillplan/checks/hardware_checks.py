"""Published speeds, memory, hours and bytes, and the computed ones, for `distillplan check`."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from distillplan.checks.check_records import (
    CheckRow,
    compared,
    held_share,
    within_its_range,
)
from distillplan.checks.described_runs import (
    described_machine,
    described_model,
    described_shape,
)
from distillplan.checks.distilled_runs import TOPIC, distilled_run_rows, gib_of
from distillplan.checks.left_out import model_without
from distillplan.checks.peer_checks import peer_rows
from distillplan.checks.published_speeds import (
    ErrorSummary,
    PublishedRun,
    SpeedComparison,
    compare_with_published,
    published_run_from_row,
    stated_errors_from_entry,
    summarize_by_source,
)
from distillplan.checks.whole_runs import whole_run_rows
from distillplan.files.csv_reader import read_csv
from distillplan.files.entries import coefficients_dir, read_shipped
from distillplan.hardware import gpu_catalog as catalog
from distillplan.hardware.generation import generation_speed
from distillplan.hardware.gpu import Precision
from distillplan.hardware.storage import TB, stored_logits
from distillplan.hardware.throughput import throughput_model
from distillplan.laws.logit_formats import LogitKind, StoredFormat

TOPICS: Final = (
    *("throughput", "memory", "runs", TOPIC, "slowdowns", "storage", "generation", "peers"),
)
"""The topics of the checks."""


def hardware_rows() -> Iterator[CheckRow]:
    """Every published number about hardware, and the computed one."""
    yield from throughput_rows()
    yield from peer_rows()
    groups = hardware_check_groups()
    yield from distilled_run_rows(one for one in groups if one["topic"] == TOPIC)
    for group in groups:
        if group["topic"] == "runs":
            yield from whole_run_rows(group)
        if group["topic"] not in COMPUTED:
            continue
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
        yield within_its_range(
            "throughput",
            run.source,
            f"{run.model}, {run.workload.gpus} {run.gpu} ({run.row_id})",
            run.tokens_per_s_per_gpu,
            speed,
        )
    held = sum(one.covered for one in comparisons) / len(comparisons)
    yield held_share("throughput", "all sources", "speeds", held)


def error_summaries() -> tuple[ErrorSummary, ...]:
    """Errors on held-out sources and GPUs: of all rows, from the calibration, and of these."""
    return (*stated_errors(), *summarize_by_source(_comparisons()))


def _comparisons() -> tuple[SpeedComparison, ...]:
    """Every shipped speed, computed by coefficients that were fitted without its source."""
    return compare_with_published(
        published_runs(), catalog.gpus(), lambda run: model_without(run.source)
    )


def _slowdown(group: Mapping[str, Any], row: Mapping[str, Any]) -> float:
    """Time of a distillation step with the teacher online, over that of the student alone."""
    machine, student = described_machine(group, row), described_model(row, "model")
    both = machine.student_seconds(student, distilling=True)
    both += machine.teacher_seconds(described_model(row, "teacher"), beside=True)
    return both.mid / machine.student_seconds(student, distilling=False).mid


def _terabytes(group: Mapping[str, Any], row: Mapping[str, Any]) -> float:  # noqa: ARG001  (as the others)
    """Terabytes of stored logits."""
    kind, vocab = LogitKind(row["format"]), int(row["vocab"])
    kept = stored_logits(StoredFormat(kind=kind, entries=row.get("entries")), vocab)
    return kept.bytes_per_token * float(row["tokens"]) / TB


def _generated_per_s(group: Mapping[str, Any], row: Mapping[str, Any]) -> float:  # noqa: ARG001  (as the others)
    """Tokens/s of one copy of a model at full load."""
    found = generation_speed(
        described_shape(row),
        catalog.gpu(row["gpu"]),
        throughput_model(),
        prompt=int(row["prompt"]),
        generated=int(row["generated"]),
        precision=Precision.FP8,
    )
    return found.gpus * found.tokens_per_s_per_gpu.mid


COMPUTED: Final[Mapping[str, Callable[[Mapping[str, Any], Mapping[str, Any]], float]]] = {
    "memory": gib_of,
    "slowdowns": _slowdown,
    "storage": _terabytes,
    "generation": _generated_per_s,
}
"""How each topic of coefficients/hardware_checks.yaml is computed."""


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
