"""The fast fit against the paper's procedure, as a ratio in one run.

The paper's grids have 9600 and 216000 starts. A seeded sample of them is timed and scaled to the
whole grid; the cost that the sample reaches is what ours is compared with. (Run once to its end,
the supervised grid of 9600 starts on 73 such runs ended 0.2 % above our cost.)
"""

import time
from collections.abc import Callable

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture
from scipy.optimize import least_squares

from distillplan.fitting.bootstrap import bootstrap
from distillplan.fitting.fitter import FitResult, fit_distillation, fit_supervised, refit
from distillplan.fitting.forms import bounds
from distillplan.fitting.rows import Rows
from distillplan.fitting.solver import HUBER_DELTA, huber_cost
from distillplan.laws.formulas import FloatArray, SupervisedLaw
from tests.benchmarks.reference_fit import reference_fit
from tests.fitting_cases import CORRECTED, SUPERVISED, distillation_runs, supervised_runs

CASES: dict[str, tuple[Rows, SupervisedLaw | None, int, Callable[[Rows], FitResult]]] = {
    "supervised": (
        supervised_runs(SUPERVISED, 73, noise=0.003),
        None,
        60,
        lambda rows: fit_supervised(rows, regularize=False),
    ),
    "distillation": (
        distillation_runs(CORRECTED, noise=0.003),
        SUPERVISED,
        25,
        lambda rows: fit_distillation(rows, SUPERVISED, regularize=False),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_fit_is_fifty_times_faster_at_no_higher_cost(
    case: str, benchmark: BenchmarkFixture
) -> None:
    rows, supervised, sample, fit = CASES[case]
    started = time.perf_counter()
    reference = reference_fit(rows, supervised, sample=sample)
    theirs = (time.perf_counter() - started) * reference.grid / reference.tried
    started = time.perf_counter()
    ours = fit(rows)
    seconds = time.perf_counter() - started
    benchmark.extra_info["times_faster_than_the_whole_grid"] = theirs / seconds
    benchmark.extra_info["cost_over_reference"] = ours.cost / reference.cost
    assert ours.cost <= reference.cost
    assert theirs > 50 * seconds
    benchmark(fit, rows)


def test_the_papers_number_of_resamples_takes_minutes(benchmark: BenchmarkFixture) -> None:
    """4096 resamples of 280 runs, from 128 of them."""
    result = fit_distillation(distillation_runs(CORRECTED, noise=0.003), SUPERVISED)
    started = time.perf_counter()
    state = bootstrap(result, resamples=128)
    seconds = (time.perf_counter() - started) * 4096 / 128
    benchmark.extra_info["seconds_for_4096"] = seconds
    assert state.finished
    assert np.isfinite(state.theta).all()
    assert seconds < 300
    benchmark(bootstrap, result, resamples=128)


@pytest.mark.parametrize("case", CASES)
def test_scipys_least_squares_is_slower_and_ends_no_lower(
    case: str, benchmark: BenchmarkFixture
) -> None:
    """Why there is a solver of our own: resamples of the losses, one by one and all at once."""
    rows, _, _, fit = CASES[case]
    result, many = fit(rows), 32
    low, high = bounds(result.form.names)
    start = np.clip(result.theta, low + 1e-9, high - 1e-9)
    noise = 0.003 * np.random.default_rng(0).standard_normal((many, len(rows)))
    targets = rows.log_loss + result.residuals + noise

    def theirs(target: FloatArray) -> FloatArray:
        return least_squares(
            lambda theta: result.form.predict(theta[None, :], rows)[0][0] - target,
            start,
            lambda theta: result.form.predict(theta[None, :], rows)[1][0],
            bounds=(low, high),
            loss="huber",
            f_scale=HUBER_DELTA,
            x_scale="jac",
            ftol=1e-7,
            xtol=1e-7,
            max_nfev=100,
        ).x

    def costs(thetas: FloatArray) -> FloatArray:
        return huber_cost(result.form.predict(thetas, rows)[0] - targets).sum(axis=1)

    started = time.process_time()
    their_costs = costs(np.array([theirs(target) for target in targets]))
    seconds = time.process_time() - started
    started = time.process_time()
    our_costs = costs(refit(result, np.ones(targets.shape), targets))
    ours = time.process_time() - started
    benchmark.extra_info["times_faster_than_least_squares"] = seconds / ours
    benchmark.extra_info["largest_cost_over_theirs"] = float((our_costs / their_costs).max())
    benchmark.extra_info["largest_cost_of_theirs_over_ours"] = float(
        (their_costs / our_costs).max()
    )
    assert our_costs.sum() <= their_costs.sum() * (1 + 1e-5)
    assert seconds > 3 * ours
    benchmark(refit, result, np.ones(targets.shape), targets)
