"""How fast fits and their joint draws are, as ratios within one run.

Ratios go to `extra_info`; what is asserted is that both sides do the same work.
"""

import time

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture
from scipy.optimize import least_squares

from distillplan.fitting.bootstrap import RESAMPLES, bootstrap
from distillplan.fitting.fitter import fit
from distillplan.fitting.forms import bounds
from distillplan.fitting.rows import Rows
from distillplan.fitting.solver import huber_cost, solve
from distillplan.laws.formulas import FloatArray, LossLaw
from tests.fitting_cases import CORRECTED, SUPERVISED, joint_runs, supervised_runs

DELTA = 0.004
"""Width of Huber's loss: usual for runs with 0.3% noise."""
CASES: dict[str, tuple[Rows, LossLaw]] = {
    "supervised": (supervised_runs(SUPERVISED, 73, noise=0.003), SUPERVISED),
    "joint": (joint_runs(CORRECTED, noise=0.003), CORRECTED),
}


def test_joint_draws_of_many_runs_beside_their_fit(benchmark: BenchmarkFixture) -> None:
    """How many times as long as the fit of 340 runs all their draws take."""
    rows, law = CASES["joint"]
    started = time.process_time()
    result = fit(rows, law)
    one = time.process_time() - started
    started = time.process_time()
    state = bootstrap(result)
    every = time.process_time() - started
    benchmark.extra_info["draws_over_fit"] = every / one
    assert state.done == RESAMPLES
    benchmark(bootstrap, result, resamples=64)


@pytest.mark.parametrize("case", CASES)
def test_scipys_least_squares_ends_no_lower(case: str, benchmark: BenchmarkFixture) -> None:
    """Why there is a solver of our own: resamples of the losses, one by one and all at once."""
    rows, law = CASES[case]
    result, many = fit(rows, law), 32
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
            f_scale=DELTA,
            x_scale="jac",
            ftol=1e-7,
            xtol=1e-7,
            max_nfev=100,
        ).x

    def ours() -> FloatArray:
        starts = np.repeat(start[None, :], many, axis=0)
        return solve(result.form, rows, starts, delta=DELTA, target=targets, tolerance=1e-7).theta

    def costs(thetas: FloatArray) -> FloatArray:
        return huber_cost(result.form.predict(thetas, rows)[0] - targets, DELTA).sum(axis=1)

    started = time.process_time()
    their_costs = costs(np.array([theirs(target) for target in targets]))
    seconds = time.process_time() - started
    started = time.process_time()
    our_costs = costs(ours())
    own_seconds = time.process_time() - started
    benchmark.extra_info["times_faster_than_least_squares"] = seconds / own_seconds
    benchmark.extra_info["largest_cost_over_theirs"] = float((our_costs / their_costs).max())
    assert our_costs.sum() <= their_costs.sum() * (1 + 1e-3)
    benchmark(ours)
