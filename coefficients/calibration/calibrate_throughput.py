"""Fit the throughput model to published benchmarks, and measure its error on pages left out.

    python coefficients/calibration/calibrate_throughput.py [--write]

Method. log(computed / published) of every row is the effect of its page and kind plus a row's
error. Coefficients minimize the rows' errors and the pages' effects together with log-normal
priors on the coefficients; rows are weighted as Huber's loss does, pages as Cauchy's, so that
neither the page with the most rows nor one odd page decides.

Errors come from leaving whole sources out: the `source_family` of the table, which is stricter than
its pages. --write updates coefficients/throughput.yaml (numbers only; its text is kept),
coefficients/throughput_left_out.csv, the coefficients without each source, and
coefficients/throughput_runs.csv, a sample of the rows that a user can check.
"""

import argparse
import csv
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from distillplan.checks.hardware_checks import hardware_check_groups
from distillplan.checks.left_out import SD
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
from distillplan.checks.whole_runs import whole_run_hours
from distillplan.files.entries import read_shipped
from distillplan.hardware.gpu import Gpu, gpu_from_entry
from distillplan.hardware.step_time import gpu_seconds_per_token
from distillplan.hardware.strategy import Stack
from distillplan.hardware.throughput import (
    Z80,
    ErrorKind,
    ThroughputModel,
    error_kind,
    throughput_model,
)
from published_rows import COLUMNS, usable_rows

HERE = Path(__file__).parents[1]
"""Where the data lies."""

TABLES = HERE.parent / "tests" / "data"
"""Where the published speeds lie: as pages print them, and as the model reads them."""

PRIORS = {
    "sustained": (0.80, 0.10),
    "power_exponent": (0.20, 0.30),
    "attention": (0.75, 0.15),  # FlashAttention-2: 50-73% of an A100's peak; -3: 75% of an H100's
    "flash2_on_hopper": (0.62, 0.20),  # arXiv 2407.08608: 1.5 to 2 times slower than the third
    "elementwise_bytes": (150.0, 0.25),  # 110 counted over the block's tensors, / 0.75 of peak
    "routed_bytes": (24.0, 0.40),  # read and written three times each way, in 16 bits
    "unfused": (1.4, 0.20),
    "overlap": (0.5, 0.30),
    "recompute": (0.80, 0.15),
    "tensor_link": (0.75, 0.15),  # bus bandwidth of large all-reduces: 235 of 300 GB/s on A100
    "exposed": (0.50, 0.40),
    "layer_overhead_s": (4.0e-4, 0.40),  # some 60 launches of 6 us
    "expert_overhead_s": (2.0e-4, 0.50),  # some 40 launches of 5 us
    "step_overhead_s": (0.01, 0.60),
    "scale_out": (0.02, 0.40),  # 4 to 8% per 4x GPUs in published scaling tables
    "fp8": (0.9, 0.10),  # the nominal advantage at most, less what stays in 16 bits
    "plain_fp8": (0.8, 0.15),
    "mixture": (0.7, 0.30),
}
"""Median and log standard deviation of what is known before any row is read."""

PAGE_SD = {"dense": 0.10, "small": 0.10, "fp8": 0.15, "mixture": 0.2, "card": 0.25}
ROW_SD = {"dense": 0.06, "small": 0.08, "fp8": 0.12, "mixture": 0.25, "card": 0.10}
PAGE_SD["other_vendor"], ROW_SD["other_vendor"] = 0.3, 0.1
"""Log standard deviations of a page's effect and of a row's error, by kind of run; releases of the
same software differ by half in mixtures."""

PRIOR_SOURCES = 2
"""Sources that what is known before weighs as much as, in the error of a kind."""

HUBER = 1.345
"""Where rows begin to lose weight, in `ROW_SD`; pages at `PAGE_SD`."""

LEAST_NEW_GPU_SD = 0.08
"""One architecture left out does not show what every new one will do."""

NEW_GPUS = ("b200-sxm", "gb200", "gb300", "b300-sxm")
"""Left out together, to see how the model does on an architecture it has not met."""

Model = ThroughputModel
Runs = Sequence[PublishedRun]
Gpus = Mapping[str, Gpu]


def calibration_rows() -> list[dict[str, str]]:
    """All rows: those that pages print, and those that were already read."""
    with (TABLES / "throughput.csv").open(encoding="utf-8", newline="") as file:
        rows = usable_rows(list(csv.DictReader(file)))
    with (TABLES / "more_speeds.csv").open(encoding="utf-8", newline="") as file:
        return rows + list(csv.DictReader(file))


def fit(runs: Runs, gpus: Gpus, start: Model, near: Model | None = None, rounds: int = 40) -> Model:
    """The coefficients of `PRIORS`, fitted to runs; the others are those of `start`.

    The search begins at the centers of the priors, or at a model that is known to be near.
    """
    names = list(PRIORS)
    center = np.log([PRIORS[name][0] for name in names])
    width = np.array([PRIORS[name][1] for name in names])
    work_on = [(run.workload, gpu_of(run, gpus)) for run in runs]
    kinds = [error_kind(*one) for one in work_on]
    keys = [(run.source, kind) for run, kind in zip(runs, kinds, strict=True)]
    pages = sorted(set(keys))
    page_of = np.array([pages.index(key) for key in keys])
    row_sd = np.array([ROW_SD[kind] for kind in kinds])
    page_sd = np.array([PAGE_SD[kind] for _, kind in pages])
    row_weight, page_weight = np.ones(len(runs)), np.ones(len(pages))
    measured = np.log([run.tokens_per_s_per_gpu for run in runs])

    def model_at(logs: np.ndarray) -> Model:
        changed: dict[str, Any] = dict(zip(names, map(float, np.exp(logs)), strict=True))
        return replace(start, **changed)

    def log_ratios(logs: np.ndarray) -> np.ndarray:
        model = model_at(logs)
        seconds = [
            list(gpu_seconds_per_token(work, gpu, model, passes=3.0).values())[-1]
            for work, gpu in work_on
        ]
        return -np.log(seconds) - measured

    def page_effects(errors: np.ndarray) -> np.ndarray:
        weight = row_weight / row_sd**2
        total = np.bincount(page_of, weight * errors, len(pages))
        return total / (np.bincount(page_of, weight, len(pages)) + page_weight / page_sd**2)

    def residuals(errors: np.ndarray, logs: np.ndarray) -> np.ndarray:
        """Of rows, pages and priors; linear in both, so that it serves for their slopes too."""
        effects = page_effects(errors)
        return np.concatenate(
            [
                np.sqrt(row_weight) * (errors - effects[page_of]) / row_sd,
                np.sqrt(page_weight) * effects / page_sd,
                logs / width,
            ]
        )

    logs = center if near is None else np.log([getattr(near, name) for name in names])
    errors = log_ratios(logs)
    for _ in range(rounds):
        # one Gauss-Newton step between new weights: the weights, not the steps, are slow to settle
        steps = np.eye(len(names))
        slopes = [(log_ratios(logs + STEP * step) - errors) / STEP for step in steps]
        change = np.linalg.lstsq(
            np.column_stack([residuals(*pair) for pair in zip(slopes, steps, strict=True)]),
            -residuals(errors, logs - center),
        )[0]
        logs = logs + change
        errors = log_ratios(logs)
        effects = page_effects(errors)
        scaled = np.abs(errors - effects[page_of]) / row_sd
        row_weight = np.minimum(1.0, HUBER / np.maximum(scaled, 1e-9))
        page_weight = 1 / (1 + (effects / page_sd) ** 2)
        if np.abs(change).max() < SETTLED:
            break
    return model_at(logs)


SETTLED = 1e-4
"""Change of a logarithm below which a fit ends."""

STEP = 1e-4
"""Change of a logarithm by which slopes are taken."""


def spread(
    comparisons: Sequence[SpeedComparison], kinds: Mapping[str, float] | None = None
) -> float:
    """Log standard deviation of a part of the error with which the central 80% holds 80% of errors.

    What else is known to add to a run's error does so in quadrature, as in its estimate: what is
    not known about the run, and its kind where that is given.
    """
    needed = []
    for one in comparisons:
        known = math.hypot(one.estimate.log_sd, (kinds or {}).get(one.kind, 0.0))
        needed.append(((one.log_ratio / Z80) ** 2 - known**2, one.run.source))
    return conformal(needed)


def conformal(needed: Sequence[tuple[float, str]]) -> float:
    """The standard deviation that is enough for 80% of errors, from the squares that each needs.

    A weighted conformal quantile. The weights are those of a run that comes half the time from the
    published runs and half the time from a source as good as any other, so that neither the source
    with most runs decides nor a source of one run outweighs a hundred.

    Args:
        needed: squares, negative where nothing is needed, and the source of each.
    """
    sizes = Counter(source for _, source in needed)
    weighted = sorted(
        (max(square, 0.0), 1 / len(needed) + 1 / (len(sizes) * sizes[source]))
        for square, source in needed
    )
    squares, weights = zip(*weighted, strict=True)
    total = np.cumsum(weights)
    return math.sqrt(squares[int(np.searchsorted(total, 0.8 * total[-1]))])


def unknown_alone(model: Model, **errors: float) -> Model:
    """The model with no error of a kind of run or stack, but of what is not known about a run."""
    none = dict.fromkeys([*(kind.value for kind in ErrorKind), "eager"], 0.0)
    return replace(model, log_sd={**model.log_sd, **none, **errors})


def leave_pages_out(
    runs: Runs, gpus: Gpus, start: Model, whole: Model, rounds: int = 4
) -> tuple[list[SpeedComparison], dict[str, float], dict[str, Model]]:
    """Every run, computed by the model fitted without its source; the error of each kind; these.

    The interval of a source's runs comes from the errors of the other sources. One source less
    moves the optimum little, so a few rounds from the whole fit find it.
    """
    sources = sorted({run.source for run in runs})
    models = {
        source: unknown_alone(
            fit([r for r in runs if r.source != source], gpus, start, whole, rounds)
        )
        for source in sources
    }
    first = compare_with_published(runs, gpus, lambda run: models[run.source])
    with_errors: dict[str, Model] = {}
    for source in sources:
        others = errors_by_kind([c for c in first if c.run.source != source])
        with_errors[source] = replace(models[source], log_sd={**start.log_sd, **others})
    left_out = compare_with_published(runs, gpus, lambda run: with_errors[run.source])
    return list(left_out), errors_by_kind(first), with_errors


def errors_by_kind(comparisons: Sequence[SpeedComparison]) -> dict[str, float]:
    """The spread of each kind over its sources, and what was known before where they are few.

    Eager software, of which sources differ most, has a part of its own beside its kind, which
    is that of the other software. Only in other vendors' kind it counts too: its one source there
    does not show which of the two it is.
    """
    eager = [c for c in comparisons if c.run.workload.stack is Stack.EAGER]
    other = [c for c in comparisons if c.run.workload.stack is not Stack.EAGER]
    found = {kind.value: _kind_spread(other, kind) for kind in ErrorKind}
    found["eager"] = spread(eager, found)
    return found | {"other_vendor": _kind_spread(comparisons, ErrorKind.OTHER_VENDOR)}


def _kind_spread(comparisons: Sequence[SpeedComparison], kind: ErrorKind) -> float:
    members = of_kind(comparisons, kind)
    sources = len({c.run.source for c in members})
    before = PRIOR_SOURCES * (PAGE_SD[kind] ** 2 + ROW_SD[kind] ** 2)
    seen = sources * spread(members) ** 2 if members else 0.0
    return math.sqrt((before + seen) / (PRIOR_SOURCES + sources))


def whole_run_errors(model: Model, without: Mapping[str, Model]) -> dict[str, float]:
    """The part of the error of whole runs that speed and goodput leave, without each family.

    With all of them it is under the name ''.
    """
    group = next(one for one in hardware_check_groups() if one["topic"] == "runs")
    needed = []
    for row in group["rows"]:
        if row.get("benchmark"):
            continue
        speeds = without.get(row["family"], model)
        speeds = replace(speeds, log_sd={**speeds.log_sd, "whole_run": 0.0})
        hours = whole_run_hours(group, row, speeds)
        error = math.log(hours.mid / float(row["published"]))
        half = math.log(hours.mid / hours.low if error > 0 else hours.high / hours.mid)
        needed.append(((error**2 - half**2) / Z80**2, row["family"]))
    families = {row["family"] for row in group["rows"]}
    return {
        family: conformal([one for one in needed if one[1] != family])
        for family in ("", *sorted(families | set(without)))
    }


def left_out_rows(
    model: Model, without: Mapping[str, Model], whole_runs: Mapping[str, float]
) -> list[dict[str, str]]:
    """The table of coefficients without each source, for `distillplan check`."""
    kinds = [*(kind.value for kind in ErrorKind), "eager"]
    rows = []
    for source in sorted(set(whole_runs) - {""}):
        one = without.get(source, model)
        errors = {**{name: one.log_sd[name] for name in kinds}, "whole_run": whole_runs[source]}
        rows.append(
            {"source": source}
            | {name: f"{getattr(one, name):.4g}" for name in PRIORS}
            | {f"{SD}{name}": f"{value:.3f}" for name, value in errors.items()}
        )
    return rows


def on_unseen(runs: Runs, gpus: Gpus, model: Model, names: Sequence[str]) -> list[SpeedComparison]:
    """Runs on some GPUs, computed by a model that has never seen them, which widens its error."""
    unseen = {name: replace(gpu, calibrated=False) for name, gpu in gpus.items() if name in names}
    return list(compare_with_published([r for r in runs if r.gpu in names], unseen, model))


def show(summary: ErrorSummary) -> str:
    """One line of the table."""
    return (
        f"{summary.group:34} {summary.runs:4d}  median {summary.median_error:5.1%}  "
        f"p90 {summary.p90_error:5.1%}  coverage {summary.coverage:4.0%}  "
        f"of {summary.sources:2d} sources {summary.source_coverage:4.0%}  "
        f"computed/published {summary.median_ratio:.2f}"
    )


def of_kind(comparisons: Sequence[SpeedComparison], kind: ErrorKind) -> list[SpeedComparison]:
    """Those of one kind."""
    return [c for c in comparisons if c.kind is kind]


def shipped_rows(rows: Sequence[Mapping[str, str]]) -> list[Mapping[str, str]]:
    """A sample that a user can check: every small page whole, of large ones every n-th row."""
    kept: list[Mapping[str, str]] = []
    seen: Counter[tuple[str, bool, bool]] = Counter()
    sizes = Counter((row["source"], bool(row["active_experts"])) for row in rows)
    for row in rows:
        mixture = bool(row["active_experts"])
        key = (row["source"], mixture, row["precision"] == "fp8")
        seen[key] += 1
        count = sizes[row["source"], mixture]
        stride = 5 if count > 100 else 8 if mixture and count > 20 else 3 if count > 20 else 1
        if stride == 1 or seen[key] % stride == 1:
            kept.append(row)
    return kept


def written(text: str, model: Model, errors: Sequence[ErrorSummary]) -> str:
    """The YAML's text with new numbers in it."""
    for name in PRIORS:
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
        f"  - {{group: {s.group!r}, runs: {s.runs}, sources: {s.sources}, "
        f"median_error: {s.median_error:.3f}, p90_error: {s.p90_error:.3f}, "
        f"coverage: {s.coverage:.3f}, source_coverage: {s.source_coverage:.3f}, "
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
    """Errors by kind: sources left out, Blackwell left out, in sample."""
    dense = of_kind(left_out, ErrorKind.DENSE)
    groups = {
        ErrorKind(kind): group
        for kind, group in read_shipped("throughput.yaml")["left_out"].items()
    }
    table = [summarize(group, of_kind(left_out, kind)) for kind, group in groups.items()]
    table.insert(1, summarize("of these on H100", [c for c in dense if c.run.gpu == "h100-sxm"]))
    long = [c for c in left_out if c.run.workload.seq_len >= LONG]
    table.append(summarize("32k tokens or more", long))
    table += [
        summarize(f"Blackwell left out: {kind}", of_kind(unseen, kind))
        for kind in (ErrorKind.DENSE, ErrorKind.FP8, ErrorKind.MIXTURE)
    ]
    return [*table, summarize("in sample", fitted)]


LONG = 32768
"""Tokens of a sequence from which the table counts it as long."""


def calibrate(
    runs: Runs, gpus: Gpus, start: Model
) -> tuple[Model, list[ErrorSummary], list[SpeedComparison], list[dict[str, str]]]:
    """Coefficients with their errors, the table of errors, and the sources left out, twice."""
    whole = fit(runs, gpus, start)
    left_out, by_kind, without = leave_pages_out(runs, gpus, start, whole)
    older = fit([r for r in runs if r.gpu not in NEW_GPUS], gpus, start, whole)
    known = unknown_alone(older, dense=by_kind["dense"], new_gpu=0.0)
    blackwell = spread(of_kind(on_unseen(runs, gpus, known, NEW_GPUS), ErrorKind.DENSE))
    errors = {**start.log_sd, **by_kind, "new_gpu": max(blackwell, LEAST_NEW_GPU_SD)}
    model = replace(whole, log_sd=errors)
    whole_runs = whole_run_errors(model, without)
    model = replace(model, log_sd={**errors, "whole_run": whole_runs[""]})
    unseen = on_unseen(runs, gpus, replace(older, log_sd=errors), NEW_GPUS)
    fitted = compare_with_published(runs, gpus, model)
    table = error_table(left_out, unseen, fitted)
    return model, table, left_out, left_out_rows(model, without, whole_runs)


def main() -> None:
    """Fit, validate, print; write with --write."""
    parser = argparse.ArgumentParser(description="Fit the throughput model.")
    parser.add_argument("--write", action="store_true", help="update the shipped coefficients")
    parser.add_argument("--rows", action="store_true", help="print every row with its source out")
    options = parser.parse_args()
    rows = calibration_rows()
    runs = [published_run_from_row(row) for row in rows]
    entries = yaml.safe_load((HERE / "gpus.yaml").read_text(encoding="utf-8"))["gpus"]
    gpus = {name: gpu_from_entry(name, entry) for name, entry in entries.items()}
    text = (HERE / "throughput.yaml").read_text(encoding="utf-8")
    start = throughput_model(yaml.safe_load(text))
    model, table, left_out, without = calibrate(runs, gpus, start)
    lines = [f"{name:20} {getattr(model, name):.5g}" for name in PRIORS]
    lines += [f"sd of {name:24} {value:.3f}" for name, value in model.log_sd.items()]
    lines += [show(summary) for summary in table]
    lines += ["", "left out, by source", *map(show, summarize_by_source(left_out))]
    if options.rows:
        lines += ["", *(_row(one) for one in left_out)]
    print("\n".join(lines))  # noqa: T201  (a script)
    if options.write:
        (HERE / "throughput.yaml").write_text(written(text, model, table), encoding="utf-8")
        _write_table("throughput_runs.csv", COLUMNS, shipped_rows(rows))
        _write_table("throughput_left_out.csv", list(without[0]), without)


def _write_table(name: str, columns: Sequence[str], rows: Sequence[Mapping[str, str]]) -> None:
    with (HERE / name).open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _row(one: SpeedComparison) -> str:
    """A run, its published and computed speed, and whether the interval holds."""
    run, held = one.run, "" if one.covered else " out"
    return (
        f"{run.row_id:8} {run.source:17} {run.model[:22]:22} {run.gpu:10} {one.kind:12} "
        f"{run.tokens_per_s_per_gpu:10.1f} {one.estimate.tokens_per_s_per_gpu.mid:10.1f} "
        f"{one.relative_error:+.0%}{held}"
    )


if __name__ == "__main__":
    main()
