"""Published training benchmarks against the speed model, with errors by source."""

import math
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from distillplan.errors import InputError
from distillplan.hardware.gpu import GIGA, Gpu, Precision
from distillplan.hardware.strategy import Attention, Checkpointing, Sharding, Stack
from distillplan.hardware.throughput import (
    ErrorKind,
    ThroughputEstimate,
    ThroughputModel,
    error_kind,
    throughput,
)
from distillplan.hardware.workload import Workload


@dataclass(frozen=True, kw_only=True)
class PublishedRun:
    """One published run: what was trained on what, and its measured speed."""

    row_id: str
    source: str
    """Family of pages that are held out together."""
    model: str
    gpu: str
    """Name in the GPU catalog."""
    workload: Workload
    tokens_per_s_per_gpu: float
    inter_node_bytes_per_s: float | None = None
    """Speed of the run's own network; None: not stated."""


@dataclass(frozen=True, kw_only=True)
class SpeedComparison:
    """One published rate and the computed one."""

    run: PublishedRun
    kind: ErrorKind
    estimate: ThroughputEstimate

    @property
    def log_ratio(self) -> float:
        """log(computed / published)."""
        computed = self.estimate.tokens_per_s_per_gpu.mid
        return math.log(computed / self.run.tokens_per_s_per_gpu)

    @property
    def relative_error(self) -> float:
        """(computed - published) / published."""
        return math.expm1(self.log_ratio)

    @property
    def covered(self) -> bool:
        """Whether the published rate is within the 80% interval."""
        interval = self.estimate.tokens_per_s_per_gpu
        return interval.low <= self.run.tokens_per_s_per_gpu <= interval.high


@dataclass(frozen=True, kw_only=True)
class ErrorSummary:
    """Absolute relative errors of tokens/s/GPU over a group of runs."""

    group: str
    runs: int
    sources: int
    median_error: float
    p90_error: float
    coverage: float
    """Share of runs whose published rate is within the 80% interval."""
    source_coverage: float
    """The same with every source alike, however many runs it has: what a new source may expect."""
    median_ratio: float
    """Median of computed over published: the bias."""


def published_run_from_row(row: Mapping[str, str]) -> PublishedRun:
    """A run from one row of coefficients/throughput_runs.csv; an empty cell means not stated.

    Raises:
        InputError: when a needed number is missing, or one is not positive.
    """
    where = f"published run {row.get('row_id') or '?'}"
    precision = Precision(row["precision"])
    checkpointing, sharding = row["checkpointing"], row["sharding"]
    between = _optional(row, "inter_node_gb_s", where)
    return PublishedRun(
        row_id=row["row_id"],
        source=row["source"],
        model=row["model"],
        gpu=row["gpu"],
        workload=Workload(
            block_params=_number(row, "block_params", where),
            layers=_number(row, "layers", where),
            width=_number(row, "width", where),
            heads=_number(row, "heads", where),
            inner_width=_number(row, "inner_width", where),
            vocab=_number(row, "vocab", where),
            stored_params=_number(row, "stored_params", where),
            seq_len=round(_number(row, "seq_len", where)),
            gpus=round(_number(row, "gpus", where)),
            micro_batch=_optional(row, "micro_batch", where),
            global_tokens=_optional(row, "global_tokens", where),
            precision=precision,
            checkpointing=Checkpointing(checkpointing) if checkpointing else None,
            sharding=Sharding(sharding) if sharding else None,
            tp=round(_optional(row, "tp", where) or 1),
            pp=round(_optional(row, "pp", where) or 1),
            cp=round(_optional(row, "cp", where) or 1),
            ep=round(_optional(row, "ep", where) or 1),
            interleave=round(_optional(row, "interleave", where) or 0) or None,
            attention=Attention(row["attention"]) if row["attention"] else None,
            stack=Stack(row["stack"]),
            attended=_optional(row, "attended", where),
            active_experts=_optional(row, "active_experts", where) or 0,
            expert_width=_optional(row, "expert_width", where) or 0,
            reachable_share=_optional(row, "reachable_share", where) or 1,
        ),
        tokens_per_s_per_gpu=_number(row, "tokens_per_s_per_gpu", where),
        inter_node_bytes_per_s=None if between is None else between * GIGA,
    )


def compare_with_published(
    runs: Iterable[PublishedRun],
    gpus: Mapping[str, Gpu],
    model: ThroughputModel | Callable[[PublishedRun], ThroughputModel],
) -> tuple[SpeedComparison, ...]:
    """Every published run and the speed that the model computes for it.

    Args:
        runs: published runs.
        gpus: GPUs by their name in the catalog.
        model: the coefficients, or those to use for a run (where its source is held out).

    Raises:
        InputError: when a GPU is not in the catalog.
    """
    comparisons = []
    for run in runs:
        coefficients = model(run) if callable(model) else model
        gpu = gpu_of(run, gpus)
        estimate = throughput(run.workload, gpu, coefficients)
        kind = error_kind(run.workload, gpu)
        comparisons.append(SpeedComparison(run=run, kind=kind, estimate=estimate))
    return tuple(comparisons)


def gpu_of(run: PublishedRun, gpus: Mapping[str, Gpu]) -> Gpu:
    """The run's GPU, on the run's own network where its page names one.

    Raises:
        InputError: when the GPU is not among the given ones.
    """
    gpu = gpus.get(run.gpu)
    if gpu is None:
        raise InputError(f"published run {run.row_id}: GPU {run.gpu} is not in the catalog")
    if run.inter_node_bytes_per_s is None:
        return gpu
    return replace(gpu, inter_node_bytes_per_s=run.inter_node_bytes_per_s)


def summarize(group: str, comparisons: Sequence[SpeedComparison]) -> ErrorSummary:
    """The errors of a group of runs.

    Raises:
        InputError: when the group is empty.
    """
    if not comparisons:
        raise InputError(f"no published runs in {group}")
    errors = [abs(c.relative_error) for c in comparisons]
    by_source: dict[str, list[bool]] = {}
    for one in comparisons:
        by_source.setdefault(one.run.source, []).append(one.covered)
    return ErrorSummary(
        group=group,
        runs=len(comparisons),
        sources=len(by_source),
        median_error=statistics.median(errors),
        p90_error=float(np.quantile(errors, 0.9)),
        coverage=statistics.fmean(c.covered for c in comparisons),
        source_coverage=statistics.fmean(map(statistics.fmean, by_source.values())),
        median_ratio=math.exp(statistics.median(c.log_ratio for c in comparisons)),
    )


def summarize_by_source(comparisons: Sequence[SpeedComparison]) -> tuple[ErrorSummary, ...]:
    """The errors by source, in order of first appearance."""
    groups: dict[str, list[SpeedComparison]] = {}
    for comparison in comparisons:
        groups.setdefault(comparison.run.source, []).append(comparison)
    return tuple(summarize(source, group) for source, group in groups.items())


def stated_errors_from_entry(entry: Mapping[str, Any]) -> tuple[ErrorSummary, ...]:
    """The errors that the calibration found: `errors` in coefficients/throughput.yaml.

    They take a fit for each held-out source, so they are shipped, not computed.
    """
    return tuple(
        ErrorSummary(
            group=str(line["group"]),
            runs=int(line["runs"]),
            sources=int(line["sources"]),
            median_error=float(line["median_error"]),
            p90_error=float(line["p90_error"]),
            coverage=float(line["coverage"]),
            source_coverage=float(line["source_coverage"]),
            median_ratio=float(line["computed_over_published"]),
        )
        for line in entry.get("errors") or ()
    )


def _number(row: Mapping[str, Any], key: str, where: str) -> float:
    value = _optional(row, key, where)
    if value is None:
        raise InputError(f"{where}: {key} is empty; it must be a number")
    return value


def _optional(row: Mapping[str, Any], key: str, where: str) -> float | None:
    text = (row.get(key) or "").strip()
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        raise InputError(f"{where}: {key} is {text!r}; it must be a number") from None
    if not (math.isfinite(value) and value > 0):
        raise InputError(f"{where}: {key} is {text}; it must be positive and finite")
    return value
