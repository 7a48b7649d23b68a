"""The issue's figures: pages left out, whole runs, and the rows that ship."""

import csv
import importlib
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from distillplan.checks.published_speeds import (
    PublishedRun,
    compare_with_published,
    published_run_from_row,
    stated_errors_from_entry,
    summarize,
    summarize_by_source,
)
from distillplan.errors import InputError
from distillplan.hardware.gpu import Gpu, Precision, gpu_from_entry
from distillplan.hardware.range import Range
from distillplan.hardware.strategy import Attention
from distillplan.hardware.throughput import training_throughput
from distillplan.hardware.throughput_model import ThroughputModel, throughput_model_from_entry
from distillplan.hardware.workload import Workload
from distillplan.models.architecture import FixedAspect

COEFFICIENTS = Path(__file__).parents[1] / "coefficients"
DATA = Path(__file__).parent / "data"


def _yaml(name: str) -> Any:
    return yaml.safe_load((COEFFICIENTS / name).read_text(encoding="utf-8"))


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


GPUS: dict[str, Gpu] = {n: gpu_from_entry(n, e) for n, e in _yaml("gpus.yaml")["gpus"].items()}
MODEL: ThroughputModel = throughput_model_from_entry(_yaml("throughput.yaml"))
SHIPPED = [published_run_from_row(r) for r in _rows(COEFFICIENTS / "throughput_runs.csv")]


def test_the_shipped_rows_are_computed_within_the_stated_errors() -> None:
    """Rates as printed on fourteen pages, 2020 to 2026."""
    dense = [run for run in SHIPPED if run.kind == "dense"]
    comparisons = compare_with_published(dense, GPUS, MODEL)
    summary = summarize("dense", comparisons)
    assert summary.runs > 80
    assert summary.median_error < 0.10
    assert summary.p90_error < 0.22
    by_page = summarize_by_source(comparisons)
    assert sum(page.runs for page in by_page) == summary.runs


def test_the_stated_errors_meet_the_targets() -> None:
    """What `check throughput` prints of pages left out: the calibration script's own figures."""
    stated = {s.group: s for s in stated_errors_from_entry(_yaml("throughput.yaml"))}
    dense = stated["held-out sources, dense bf16"]
    assert dense.median_error <= 0.10
    assert dense.p90_error <= 0.22
    assert 0.70 <= dense.coverage <= 0.90
    assert {"held-out sources, fp8", "held-out sources, mixture", "Blackwell held out, fp8"} <= set(
        stated
    )


@pytest.fixture(scope="module")
def calibration() -> ModuleType:
    """The calibration script as a module."""
    return importlib.import_module("calibrate_throughput")


@pytest.fixture(scope="module")
def calibration_runs(calibration: ModuleType) -> list[PublishedRun]:
    """Every usable row of the table."""
    rows = calibration.usable_rows(_rows(DATA / "throughput.csv"))
    return [published_run_from_row(row) for row in rows]


@pytest.mark.slow
def test_pages_left_out_are_predicted(
    calibration: ModuleType, calibration_runs: list[PublishedRun]
) -> None:
    """Dense bf16 pretraining on NVIDIA data-centre GPUs: the targets of the issue."""
    dense = [run for run in calibration_runs if run.kind == "dense"]
    assert {GPUS[run.gpu].vendor for run in dense} == {"NVIDIA"}
    left_out = calibration.leave_pages_out(dense, GPUS, MODEL, ("dense",))
    bf16 = [c for c in left_out if c.run.workload.precision is Precision.BF16]
    summary = summarize("bf16", bf16)
    assert summary.runs > 190
    assert summary.median_error <= 0.10
    assert summary.p90_error <= 0.22
    assert 0.70 <= summary.coverage <= 0.90


def test_a_new_architecture_is_predicted(
    calibration: ModuleType, calibration_runs: list[PublishedRun]
) -> None:
    """Fitted without Blackwell, which brought 2.3 times the peak and another power budget."""
    dense = [run for run in calibration_runs if run.kind == "dense"]
    comparisons = calibration.leave_kinds_out(dense, GPUS, MODEL, calibration.NEW_KINDS)
    summary = summarize("Blackwell", comparisons)
    assert summary.median_error <= 0.10
    assert summary.p90_error <= 0.22


def test_the_shipped_coefficients_are_what_the_script_finds(
    calibration: ModuleType, calibration_runs: list[PublishedRun]
) -> None:
    """The calibration can be repeated: same rows, same numbers, to the digits in the file."""
    dense = [run for run in calibration_runs if run.kind == "dense"]
    model = calibration.fit(dense, GPUS, MODEL, calibration.PRIORS)
    for name in calibration.PRIORS:
        assert getattr(model, name) == pytest.approx(getattr(MODEL, name), rel=1e-3), name


def _whole_run(row: dict[str, str]) -> tuple[Workload, Range] | None:
    """A training run with its layout unknown, and the goodput that applies to its hours."""
    if not row["params_total"]:
        return None
    stored, active = float(row["params_total"]), float(row["params_active"] or row["params_total"])
    width = float(row["hidden"] or FixedAspect().width(active))
    vocab = float(row["vocab"] or 32000)
    embedding = vocab * width * (1 if row["tied_embeddings"] == "yes" else 2)
    benchmark = any(
        words in row["gpu_hours_kind"]
        for words in ("step time", "iteration time", "tokens / batch")
    )
    work = Workload(
        block_params=active - embedding,
        layers=float(row["n_layers"] or width / FixedAspect().aspect),
        width=width,
        heads=float(row["n_heads"] or width / 128),
        inner_width=width,
        vocab=vocab,
        stored_params=stored,
        seq_len=min(float(row["context"]), 8192.0),  # most tokens are trained at the short one
        gpus=round(float(row["n_gpus"] or 256)),
        precision=Precision.FP8 if row["precision"].startswith("fp8") else Precision.BF16,
        mixture=row["kind"] == "MoE",
        attention=Attention.UNFUSED if "pre-Flash" in row["notes"] else None,
    )
    return work, Range.exact(1.0) if benchmark else MODEL.goodput


def test_gpu_hours_of_whole_runs_are_within_a_factor() -> None:
    """Runs whose inputs are explicit: within a factor of 1.5 for 80% of them."""
    names = {alias: name for name, gpu in GPUS.items() for alias in (name, *gpu.aliases)}
    within = []
    for row in _rows(DATA / "training_runs.csv"):
        run = _whole_run(row)
        if run is None:
            continue
        work, goodput = run
        rate = training_throughput(work, GPUS[names[row["gpu"]]], MODEL).tokens_per_s_per_gpu
        seconds = float(row["train_tokens"]) / (rate.mid * goodput.mid)
        computed = seconds / 3600
        within.append(1 / 1.5 <= computed / float(row["gpu_hours"]) <= 1.5)
    assert len(within) >= 20
    assert sum(within) / len(within) >= 0.8


def test_a_row_says_what_is_wrong_with_it() -> None:
    row = _rows(COEFFICIENTS / "throughput_runs.csv")[0]
    with pytest.raises(InputError, match="width is empty"):
        published_run_from_row(row | {"width": ""})
    with pytest.raises(InputError, match="must be a number"):
        published_run_from_row(row | {"layers": "many"})
    run = published_run_from_row(row)
    with pytest.raises(InputError, match="not in the catalog"):
        compare_with_published([replace(run, gpu="h900")], GPUS, MODEL)
    with pytest.raises(InputError, match="no published runs"):
        summarize("nothing", [])
