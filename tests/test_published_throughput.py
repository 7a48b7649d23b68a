"""The issue's figures: pages left out, whole runs, and the rows that ship."""

import csv
import importlib
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from distillplan.checks.published_speeds import (
    ErrorSummary,
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
from distillplan.hardware.strategy import Attention, Checkpointing
from distillplan.hardware.throughput import (
    ErrorKind,
    ThroughputModel,
    throughput,
    throughput_model,
)
from distillplan.hardware.workload import Workload
from distillplan.models.architecture import FixedAspect
from tests.shipped import COEFFICIENTS, shipped

DATA = Path(__file__).parent / "data"


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


GPUS: dict[str, Gpu] = {n: gpu_from_entry(n, e) for n, e in shipped("gpus.yaml")["gpus"].items()}
MODEL: ThroughputModel = throughput_model(shipped("throughput.yaml"))
SHIPPED = [published_run_from_row(r) for r in _rows(COEFFICIENTS / "throughput_runs.csv")]


def test_every_shipped_run_has_the_gpus_of_its_layout() -> None:
    assert all(run.workload.replica_gpus <= run.workload.gpus for run in SHIPPED)


def test_the_shipped_rows_are_computed_within_the_stated_errors() -> None:
    """Rates as printed on the pages of thirty sources, 2020 to 2026.

    The sample has every odd page whole and few rows of the largest, so its errors are larger than
    those of all rows, whose 90th percentile is held to 22% below.
    """
    every = compare_with_published(SHIPPED, GPUS, MODEL)
    comparisons = [one for one in every if one.kind is ErrorKind.DENSE]
    summary = summarize("dense", comparisons)
    assert summary.runs > 80
    assert summary.median_error < 0.10
    assert summary.p90_error < 0.23
    by_page = summarize_by_source(comparisons)
    assert sum(page.runs for page in by_page) == summary.runs


LEFT_OUT = shipped("throughput.yaml")["left_out"]
TARGETS = {"dense": (0.08, 0.22), "fp8": (0.12, 0.30), "mixture": (0.20, 0.65), "small": (0.1, 0.2)}
"""Median and 90th percentile of relative errors on sources left out, at most, by kind of run."""

ONE_SOURCE = {"small": "coverage", "mixture": "source_coverage"}
"""Where one source has four fifths of the runs or more, one of the two shares cannot be near 80%:
what holds the other sources holds nearly all of its own runs, or the few others all lie inside."""


def _meets_targets(stated: dict[str, ErrorSummary]) -> None:
    for kind, (median, p90) in TARGETS.items():
        found = stated[LEFT_OUT[kind]]
        assert found.median_error <= median, kind
        assert found.p90_error <= p90, kind
        for share in ("coverage", "source_coverage"):
            most = 1.0 if ONE_SOURCE.get(kind) == share else 0.90
            assert 0.70 <= getattr(found, share) <= most, (kind, share)
    h100 = stated["of these on H100"]
    assert h100.median_error <= 0.10
    assert abs(h100.median_ratio - 1) <= 0.05


def test_the_stated_errors_meet_the_targets() -> None:
    """What `check throughput` prints of sources left out: the calibration script's own figures."""
    _meets_targets({s.group: s for s in stated_errors_from_entry(shipped("throughput.yaml"))})


@pytest.fixture(scope="module")
def calibration() -> ModuleType:
    """The calibration script as a module."""
    return importlib.import_module("calibrate_throughput")


@pytest.fixture(scope="module")
def calibration_runs(calibration: ModuleType) -> list[PublishedRun]:
    """Every usable row of the tables."""
    return [published_run_from_row(row) for row in calibration.calibration_rows()]


@pytest.mark.exhaustive
def test_sources_left_out_are_predicted(
    calibration: ModuleType, calibration_runs: list[PublishedRun]
) -> None:
    """The whole calibration again: errors and their spread, source by source left out."""
    model, table, _, _ = calibration.calibrate(calibration_runs, GPUS, MODEL)
    _meets_targets({summary.group: summary for summary in table})
    assert model.log_sd == pytest.approx(MODEL.log_sd, rel=0.05)


@pytest.mark.slow
def test_the_shipped_coefficients_are_what_the_script_finds(
    calibration: ModuleType, calibration_runs: list[PublishedRun]
) -> None:
    """The calibration can be repeated: same rows, same numbers, to the digits in the file."""
    model = calibration.fit(calibration_runs, GPUS, MODEL, near=MODEL)
    for name in calibration.PRIORS:
        assert getattr(model, name) == pytest.approx(getattr(MODEL, name), rel=1e-2), name


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
        seq_len=min(round(float(row["context"])), 8192),  # most tokens are trained at the short one
        gpus=round(float(row["n_gpus"] or 256)),
        precision=Precision.FP8 if row["precision"].startswith("fp8") else Precision.BF16,
        active_experts=8.0 if row["kind"] == "MoE" else 0.0,
        attention=Attention.UNFUSED if "pre-Flash" in row["notes"] else None,
        checkpointing=Checkpointing.FULL if "recompute" in row["notes"] else None,
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
        rate = throughput(work, GPUS[names[row["gpu"]]], MODEL).tokens_per_s_per_gpu
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
