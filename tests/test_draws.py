"""The joint draws that ship: what they hold, and that their bands are honest."""

import csv
import importlib
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from distillplan.fitting.rows import Rows
from distillplan.laws.formulas import FloatArray
from joint_fit import (
    COLUMNS,
    draws_log_loss,
    joint_law,
    left_out_coverage,
    letters_of_law,
)
from tests.fitting_cases import (
    CORRECTED,
    STUDENTS,
    SUPERVISED,
    large_students,
    published_runs,
)

FOLDER = Path(__file__).parents[1] / "coefficients"
TABLE = FOLDER / "draws" / "busbridge2025.csv"


@pytest.fixture(scope="module")
def draws() -> FloatArray:
    with TABLE.open(newline="") as file:
        rows = list(csv.reader(file))
    assert tuple(rows[0]) == COLUMNS
    return np.array(rows[1:], dtype=float)


@pytest.fixture(scope="module")
def notes() -> dict[str, str]:
    lines = (FOLDER / "draws" / "busbridge2025.yaml").read_text().splitlines()
    pairs = (line.partition(":") for line in lines if not line.startswith("#"))
    return {name: value.strip() for name, _, value in pairs}


@pytest.fixture(scope="module")
def script() -> ModuleType:
    return importlib.import_module("make_draws")


def test_the_file_is_small_and_whole(draws: FloatArray) -> None:
    assert TABLE.stat().st_size < 100_000
    assert draws.shape == (300, 15)
    assert np.isfinite(draws).all()
    assert (draws > 0).all()


def test_vectors_and_laws_are_inverses() -> None:
    assert joint_law(letters_of_law(CORRECTED)) == CORRECTED


def test_the_draws_lie_in_the_printed_intervals(draws: FloatArray, script: ModuleType) -> None:
    """Table 6; the draws may be narrower, and shifted by less than one standard deviation."""
    for i, name in enumerate(COLUMNS):
        value, (low, high), digit = script.TABLE_6[name]
        inside = np.mean((draws[:, i] >= low - digit / 2) & (draws[:, i] <= high + digit / 2))
        assert inside > 0.8, name
        sd = (high - low) / (2 * 1.645) + digit
        assert abs(np.median(draws[:, i]) - value) < sd or name == "B"


def test_the_data_coefficient_is_the_corrected_one(draws: FloatArray) -> None:
    """Figures 1, 7 and 8 ask for 1.97e6 to 2.5e6; the print says 24181."""
    low, middle, high = np.quantile(draws[:, COLUMNS.index("B")], [0.05, 0.5, 0.95])
    assert low < 2.4181e6 < high
    assert 1.9e6 < middle < 3e6
    assert low > 50 * 24181


def test_the_draws_are_more_certain_together_than_apart(draws: FloatArray) -> None:
    """Shuffling every column for itself keeps the intervals and loses what the runs know."""
    generator = np.random.default_rng(0)
    apart = np.column_stack([generator.permutation(column) for column in draws.T])
    rows = Rows(
        log_params=np.log([1e9]),
        log_tokens=np.log([20e9]),
        log_teacher_loss=np.log([2.1]),
        log_loss=np.zeros(1),
    )
    together = draws_log_loss(draws, rows).std()
    assert together < 0.5 * draws_log_loss(apart, rows).std()


def test_the_supervised_draws_know_a_loss_to_the_claimed_accuracy(draws: FloatArray) -> None:
    """At most about 1 % (Figure 5), and on teachers whose loss Figure 1 shows."""
    laws = [joint_law(letters).supervised for letters in draws]
    for params, tokens, seen in (
        (198.3e6, 20 * 240.2e6, 2.7545),
        (546e6, 20 * 604.7e6, 2.5038),
        (975.5e6, 20 * 1.047e9, 2.3705),
        (12.61e9, 512e9, 1.8953),
    ):
        losses = np.array([law.loss(params, tokens) for law in laws])
        assert np.median(losses) == pytest.approx(seen, rel=0.005)
        assert np.median(losses) == pytest.approx(SUPERVISED.loss(params, tokens), rel=0.002)
        assert 1.645 * losses.std() / seen < 0.01


def test_larger_students_fall_into_the_bands(draws: FloatArray, notes: dict[str, str]) -> None:
    """Students of Figure 1 that made no draw: group means, from the curves and their errors."""
    rows = large_students()
    generator = np.random.default_rng(0)
    predicted = draws_log_loss(draws, rows)
    predicted = predicted + float(notes["sigma_run"]) * generator.standard_normal(predicted.shape)
    low, high = np.quantile(predicted, [0.05, 0.95], axis=0)
    assert ((low <= rows.log_loss) & (rows.log_loss <= high)).mean() >= 0.85


@pytest.mark.slow
def test_left_out_students_fall_into_the_bands(script: ModuleType, notes: dict[str, str]) -> None:
    """90 % bands hold 85 to 95 % of the runs of (N_S, D_S) pairs that made no draw."""
    covered = left_out_coverage(
        published_runs(),
        script.supervised_rows(),
        script.prior(),
        script.MISFIT,
        sigma_run=float(notes["sigma_run"]),
    )
    assert 0.85 <= covered.rows <= 0.95
    assert covered.groups >= 10 / 12
    assert covered.error < 0.005


@pytest.mark.slow
def test_the_scales_of_the_misfit_are_supported(script: ModuleType) -> None:
    """No misfit, or a much larger one, makes the published runs far less likely."""
    from dataclasses import replace

    from joint_fit import joint_posterior

    def evidence(**scales: float) -> float:
        misfit = replace(script.MISFIT, **scales)
        return joint_posterior(
            published_runs(), script.supervised_rows(), script.prior(), misfit
        ).log_evidence

    best = evidence()
    assert best > evidence(smooth=1e-5, run=0.0025) + 50
    assert best > evidence(smooth=0.015) + 3
    assert best > evidence(run=0.003) + 50


def test_the_shipped_file_is_unchanged(script: ModuleType, draws: FloatArray) -> None:
    found = script.posterior(script.distilled_rows(STUDENTS))
    again = found.draws(script.COUNT, script.SEED)
    # eigenvectors may differ between linear algebra libraries, moments may not
    assert np.log(draws).mean(axis=0) == pytest.approx(np.log(again).mean(axis=0), abs=5e-3)
    assert np.log(draws).std(axis=0) == pytest.approx(np.log(again).std(axis=0), rel=0.2)
