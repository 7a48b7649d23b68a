"""Fit the throughput model to published benchmarks, and measure its error on pages left out.

    python coefficients/calibration/calibrate_throughput.py PATH/throughput.csv [--write]

Method. log(computed / published) of every dense 16-bit row is one page's effect plus a row's
error. Coefficients minimise the rows' errors and the pages' effects together with log-normal
priors on the coefficients; rows are weighted as Huber's loss does, pages as Cauchy's, so that
neither the page with the most rows nor one odd page decides. Then, in turn, the fp8 share on fp8
rows and the mixture's factor on mixture rows, everything else kept.

Errors come from leaving whole pages out. The pages are the `source_family` of the table: the
stricter grouping, as every `source` lies in one family and some families have several. --write
updates coefficients/throughput.yaml (numbers only; its text is kept) and
coefficients/throughput_runs.csv, a sample of the rows that a user can check.
"""

import argparse
import csv
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from scipy.optimize import least_squares

from distillplan.checks.published_speeds import (
    ErrorSummary,
    PublishedRun,
    SpeedComparison,
    compare_with_published,
    gpu_of,
    published_run_from_row,
    summarize,
    summarize_by_source,
)
from distillplan.hardware.gpu import Gpu, gpu_from_entry
from distillplan.hardware.step_time import gpu_seconds_per_token
from distillplan.hardware.throughput import Z80
from distillplan.hardware.throughput_model import (
    HELD_OUT,
    ThroughputModel,
    throughput_model_from_entry,
)
from published_rows import COLUMNS, usable_rows

HERE = Path(__file__).parents[1]
"""Where the data lies."""

PRIORS = {
    "sustained": (0.80, 0.15),
    "power_exponent": (0.35, 0.40),
    "attention": (0.80, 0.20),  # FlashAttention-2 paper: 50-73 % of an A100's peak
    "elementwise_bytes": (150.0, 0.25),  # 110 counted over the block's tensors, / 0.75 of peak
    "recompute": (0.90, 0.20),
    "tensor_link": (0.80, 0.20),  # bus bandwidth of large all-reduces: 235 of 300 GB/s on A100
    "exposed": (0.50, 0.40),
    "layer_overhead_s": (1.0e-4, 0.40),
    "scale_out": (0.03, 0.40),  # 4 to 8 % per 4x GPUs in published scaling tables
}
"""Median and log standard deviation of what is known before any row is read."""

PAGE_SD, ROW_SD = 0.08, 0.06
"""Log standard deviations of a page's effect and of a row's error."""

HUBER, CAUCHY = 1.345, 2.0
"""Where rows (in ROW_SD) and pages (in PAGE_SD) begin to lose weight."""

FP8_PRIOR, MIXTURE_PRIOR = (1.0, 0.3), (0.7, 0.4)

KINDS = ("dense", "fp8", "mixture")

LEAST_NEW_GPU_SD = 0.05
"""One architecture left out does not show what every new one will do."""

NEW_KINDS = ("b200-sxm", "gb200", "gb300", "b300-sxm")
"""Left out together, to see how the model does on an architecture it has not met."""

Model = ThroughputModel
Runs = Sequence[PublishedRun]


def fit(
    runs: Runs,
    gpus: Mapping[str, Gpu],
    start: Model,
    priors: Mapping[str, tuple[float, float]],
    page_sd: float = PAGE_SD,
    near: Model | None = None,
) -> Model:
    """Coefficients named in `priors`, refitted to runs; the others are those of `start`.

    The search begins at the centers of the priors, or at a model that is known to be near.
    """
    names = list(priors)
    center = np.log([priors[name][0] for name in names])
    width = np.array([priors[name][1] for name in names])
    pages = sorted({run.source for run in runs})
    page_of = np.array([pages.index(run.source) for run in runs])
    row_weight, page_weight = np.ones(len(runs)), np.ones(len(pages))

    measured = np.log([run.tokens_per_s_per_gpu for run in runs])
    work_on = [(run.workload, gpu_of(run, gpus)) for run in runs]

    def log_ratios_of(model: Model) -> np.ndarray:
        """log(computed / published), without the estimate's factors and errors."""
        seconds = [
            list(gpu_seconds_per_token(work, gpu, model, passes=3.0).values())[-1]
            for work, gpu in work_on
        ]
        return -np.log(seconds) - measured

    def model_at(logs: np.ndarray) -> Model:
        changed: dict[str, Any] = dict(zip(names, map(float, np.exp(logs)), strict=True))
        return replace(start, **changed)

    def page_effects(errors: np.ndarray) -> np.ndarray:
        precision = np.bincount(page_of, row_weight, len(pages)) / ROW_SD**2
        total = np.bincount(page_of, row_weight * errors, len(pages)) / ROW_SD**2
        return total / (precision + page_weight / page_sd**2)

    def residuals(logs: np.ndarray) -> np.ndarray:
        errors = log_ratios_of(model_at(logs))
        effects = page_effects(errors)
        return np.concatenate(
            [
                np.sqrt(row_weight) * (errors - effects[page_of]) / ROW_SD,
                np.sqrt(page_weight) * effects / page_sd,
                (logs - center) / width,
            ]
        )

    logs = center if near is None else np.log([getattr(near, name) for name in names])
    for _ in range(60):
        before = logs
        # a few steps between new weights: the weights, not the steps, are slow to settle
        logs = least_squares(residuals, logs, max_nfev=2).x
        errors = log_ratios_of(model_at(logs))
        effects = page_effects(errors)
        scaled = np.abs(errors - effects[page_of]) / ROW_SD
        row_weight = np.minimum(1.0, HUBER / np.maximum(scaled, 1e-9))
        page_weight = 1 / (1 + (effects / (CAUCHY * page_sd)) ** 2)
        if np.abs(logs - before).max() < 1e-4:
            break
    return model_at(logs)


def fit_all(runs: Runs, gpus: Mapping[str, Gpu], start: Model, near: Model | None = None) -> Model:
    """Dense rows first, then fp8, then mixtures."""
    model = fit([r for r in runs if r.kind == "dense"], gpus, start, PRIORS, near=near)
    model = fit_class(runs, gpus, model, "fp8", {"fp8": FP8_PRIOR})
    return fit_class(runs, gpus, model, "mixture", {"mixture": MIXTURE_PRIOR})


def fit_class(
    runs: Runs,
    gpus: Mapping[str, Gpu],
    start: Model,
    kind: str,
    priors: Mapping[str, tuple[float, float]],
) -> Model:
    """One class's own factor; its pages differ by more than those of the dense rows."""
    members = [run for run in runs if run.kind == kind]
    return fit(members, gpus, start, priors, page_sd=2 * PAGE_SD) if members else start


def spread(comparisons: Sequence[SpeedComparison]) -> float:
    """Log standard deviation whose central 80 % holds 80 % of the errors."""
    return float(np.quantile([abs(c.log_ratio) for c in comparisons], 0.8)) / Z80


def leave_pages_out(
    runs: Runs, gpus: Mapping[str, Gpu], start: Model, kinds: Sequence[str]
) -> list[SpeedComparison]:
    """Every run of some classes, computed by the model fitted without its page.

    The interval of a page's runs comes from the errors of the other pages.
    """
    pages = sorted({run.source for run in runs if run.kind in kinds})
    whole = fit_all(runs, gpus, start)  # one page less moves the optimum little
    models = {
        page: fit_all([r for r in runs if r.source != page], gpus, start, near=whole)
        for page in pages
    }
    targets = [run for run in runs if run.kind in kinds]
    first = compare_with_published(targets, gpus, lambda run: models[run.source])

    def with_error(run: PublishedRun) -> Model:
        others = [c for c in first if c.run.source != run.source and c.run.kind == run.kind]
        if not others:
            return models[run.source]
        errors = {**start.log_sd, run.kind: spread(others)}
        return replace(models[run.source], log_sd=errors)

    by_page_and_kind: dict[tuple[str, str], Model] = {}

    def cached(run: PublishedRun) -> Model:
        key = (run.source, run.kind)
        if key not in by_page_and_kind:
            by_page_and_kind[key] = with_error(run)
        return by_page_and_kind[key]

    return list(compare_with_published(targets, gpus, cached))


def leave_kinds_out(
    runs: Runs, gpus: Mapping[str, Gpu], start: Model, kinds: Sequence[str]
) -> list[SpeedComparison]:
    """Runs on some GPUs, computed by a model that has never seen them, which widens its error."""
    model = fit_all([r for r in runs if r.gpu not in kinds], gpus, start)
    unseen = {name: replace(gpu, calibrated=False) for name, gpu in gpus.items() if name in kinds}
    return list(compare_with_published([r for r in runs if r.gpu in kinds], unseen, model))


def show(summary: ErrorSummary) -> str:
    """One line of the table."""
    return (
        f"{summary.group:34} {summary.runs:4d}  median {summary.median_error:5.1%}  "
        f"p90 {summary.p90_error:5.1%}  coverage {summary.coverage:4.0%}  "
        f"computed/published {summary.median_ratio:.2f}"
    )


def of_kind(comparisons: Sequence[SpeedComparison], kind: str) -> list[SpeedComparison]:
    """Those of one class."""
    return [c for c in comparisons if c.run.kind == kind]


def shipped_rows(rows: Sequence[Mapping[str, str]]) -> list[Mapping[str, str]]:
    """A sample that a user can check: every small page whole, of large ones every n-th row."""
    kept: list[Mapping[str, str]] = []
    seen: dict[tuple[str, str, str], int] = {}
    for row in rows:
        key = (row["source"], row["mixture"], "fp8" if row["precision"] == "fp8" else "16bit")
        place = seen[key] = seen.get(key, 0) + 1
        count = sum((r["source"], r["mixture"]) == key[:2] for r in rows)
        stride = 5 if count > 100 else 8 if row["mixture"] == "yes" else 3 if count > 20 else 1
        if place % stride == 1 or stride == 1:
            kept.append(row)
    return kept


def written(text: str, model: Model, errors: Sequence[ErrorSummary]) -> str:
    """The YAML's text with new numbers in it."""
    for name in (*PRIORS, "fp8", "mixture"):
        value = f"{getattr(model, name):.4g}"
        value = value.replace("e-", ".0e-") if "e-" in value and "." not in value else value
        text, count = re.subn(
            rf"(^  {name}:\n    value: )\S+", rf"\g<1>{value}", text, flags=re.MULTILINE
        )
        if count != 1:
            raise SystemExit(f"throughput.yaml has no coefficient {name}; add one with a value")
    for name, sd in model.log_sd.items():
        text = re.sub(
            rf"(^log_sd:\n(?:.*\n)*?  {name}: )\S+", rf"\g<1>{sd:.3f}", text, flags=re.MULTILINE
        )
    lines = [
        f"  - {{group: {s.group!r}, runs: {s.runs}, median_error: {s.median_error:.3f}, "
        f"p90_error: {s.p90_error:.3f}, coverage: {s.coverage:.2f}, "
        f"computed_over_published: {s.median_ratio:.3f}}}"
        for s in errors
    ]
    head, _, _ = text.partition("errors:\n")
    return head + "errors:\n" + "\n".join(lines) + "\n"


def error_table(
    left_out: Sequence[SpeedComparison],
    unseen: Sequence[SpeedComparison],
    fitted: Sequence[SpeedComparison],
) -> list[ErrorSummary]:
    """Errors by class: pages left out, Blackwell left out, in sample."""
    dense = of_kind(left_out, "dense")
    bf16 = [c for c in dense if c.run.workload.precision == "bf16"]
    table = [
        summarize("held-out sources, dense bf16", bf16),
        summarize(HELD_OUT["dense"], dense),
    ]
    table += [summarize(HELD_OUT[k], of_kind(left_out, k)) for k in KINDS[1:]]
    table += [summarize(f"Blackwell held out, {k}", of_kind(unseen, k)) for k in KINDS]
    table += [summarize(f"in sample, {k}", of_kind(fitted, k)) for k in KINDS]
    return table


def calibrate(
    runs: Runs, gpus: Mapping[str, Gpu], start: Model
) -> tuple[Model, list[ErrorSummary], list[SpeedComparison]]:
    """Coefficients with their errors, the table of errors, and the pages left out."""
    left_out = leave_pages_out(runs, gpus, start, KINDS)
    errors = {kind: spread(of_kind(left_out, kind)) for kind in KINDS}
    start = replace(start, log_sd={**start.log_sd, **errors})
    model = fit_all(runs, gpus, start)
    blackwell = spread(of_kind(leave_kinds_out(runs, gpus, start, NEW_KINDS), "dense"))
    extra = math.sqrt(max(blackwell**2 - errors["dense"] ** 2, LEAST_NEW_GPU_SD**2))
    model = replace(model, log_sd={**model.log_sd, "new_gpu": extra})
    unseen = leave_kinds_out(runs, gpus, model, NEW_KINDS)
    fitted = compare_with_published(runs, gpus, model)
    return model, error_table(left_out, unseen, fitted), left_out


def main() -> None:
    """Fit, validate, print; write with --write."""
    parser = argparse.ArgumentParser(description="Fit the throughput model.")
    parser.add_argument("table", type=Path, help="published benchmarks (CSV)")
    parser.add_argument("--write", action="store_true", help="update the shipped coefficients")
    options = parser.parse_args()
    with options.table.open(encoding="utf-8", newline="") as file:
        rows = usable_rows(list(csv.DictReader(file)))
    runs = [published_run_from_row(row) for row in rows]
    entries = yaml.safe_load((HERE / "gpus.yaml").read_text(encoding="utf-8"))["gpus"]
    gpus = {name: gpu_from_entry(name, entry) for name, entry in entries.items()}
    text = (HERE / "throughput.yaml").read_text(encoding="utf-8")
    start = throughput_model_from_entry(yaml.safe_load(text))
    model, table, left_out = calibrate(runs, gpus, start)
    lines = [f"{name:20} {getattr(model, name):.5g}" for name in (*PRIORS, "fp8", "mixture")]
    lines += [f"sd of {name:24} {value:.3f}" for name, value in model.log_sd.items()]
    lines += [show(summary) for summary in table]
    lines += ["", "held-out sources, dense, by source"]
    lines += [show(summary) for summary in summarize_by_source(of_kind(left_out, "dense"))]
    print("\n".join(lines))  # noqa: T201  (a script)
    if options.write:
        (HERE / "throughput.yaml").write_text(written(text, model, table), encoding="utf-8")
        with (HERE / "throughput_runs.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
            writer.writeheader()
            writer.writerows(shipped_rows(rows))


if __name__ == "__main__":
    main()
