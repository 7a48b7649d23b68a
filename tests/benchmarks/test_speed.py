"""Speed as ratios within one run: a start against its imports, a plan against SLSQP.

Not timed tests: the figures are printed with `pytest tests/benchmarks --benchmark-enable`, and what
is asserted is that both sides do the same work.
"""

import os
import subprocess
import sys
import time

import numpy as np
import pytest
from scipy.optimize import minimize

from distillplan import Scenario, plan
from distillplan.laws.law_catalog import law
from distillplan.optimize.optimizer import optima_over_teachers
from tests import independent
from tests.test_optimize import problems

LAW = law("busbridge2025").distillation
BUDGETS = np.geomspace(1e20, 1e24, 200)
STARTS = 16


def run(code):
    """One process, with the compiled modules that an installed package has."""
    environment = {**os.environ}
    for name in ("PYTHONDONTWRITEBYTECODE", "OPENBLAS_NUM_THREADS"):  # of the tests
        environment.pop(name, None)
    subprocess.run(code, check=True, stdout=subprocess.DEVNULL, env=environment)


def median(function, times):
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        function()
        taken.append(time.perf_counter() - start)
    return sorted(taken)[times // 2]


def test_start_against_its_imports(benchmark):
    """`distillplan budget 1e21 --student 1B -o json` over `import numpy, typer, yaml`."""
    words = [sys.executable, "-m", "distillplan", "budget", "1e21", "--student", "1B", "-o", "json"]
    imports = [sys.executable, "-c", "import numpy, typer, yaml"]
    run(words)
    if benchmark.enabled:
        # in turn, so that a drift of the machine cancels
        ratios = sorted(
            median(lambda: run(words), 1) / median(lambda: run(imports), 1) for _ in range(15)
        )
        benchmark.extra_info["ratio"] = ratios[len(ratios) // 2]
        print(f"\nstart over imports: {ratios[len(ratios) // 2]:.2f}")
    benchmark.pedantic(run, args=(words,), rounds=5)


def slsqp(problem):
    """The paper's way (Section 5.3): SLSQP over log sizes from several starts."""
    bounds = [(np.log(1e6), np.log(1e17))] * 3

    def cost(z):
        N_T, D_S, D_T = np.exp(z)
        F_T = independent.forward_flops(N_T)
        return (3 * independent.forward_flops(1e9) + F_T) * D_S + 3 * F_T * D_T

    def loss(z):
        N_T, D_S, D_T = np.exp(z)
        return independent.distilled_loss(1e9, D_S, independent.supervised_loss(N_T, D_T))

    random = np.random.default_rng(0)
    best = np.inf
    for _ in range(STARTS):
        found = minimize(
            loss,
            random.uniform(np.log(1e8), np.log(1e12), 3),
            method="SLSQP",
            bounds=bounds,
            constraints={"type": "ineq", "fun": lambda z: np.log(problem) - np.log(cost(z))},
            options={"maxiter": 500, "ftol": 1e-12},
        )
        if found.success:
            best = min(best, found.fun)
    return best


@pytest.mark.filterwarnings("ignore:Values in x were outside bounds:RuntimeWarning")
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_plans_against_multi_start_slsqp(benchmark):
    """Plans per second of the hardest accounting (`train`), and the same losses."""
    few = BUDGETS[:: len(BUDGETS) // 4][:4]
    ours = optima_over_teachers(LAW, problems(few, 1.0, 1.0, 1e9)).loss
    for budget, loss in zip(few, ours, strict=True):
        assert loss <= slsqp(budget) + 1e-9
    if benchmark.enabled:
        one = median(lambda: slsqp(1e21), 3)
        alone = median(lambda: optima_over_teachers(LAW, problems(1e21, 1.0, 1.0, 1e9)), 9)
        many = median(lambda: optima_over_teachers(LAW, problems(BUDGETS, 1.0, 1.0, 1e9)), 5)
        each = many / len(BUDGETS)
        benchmark.extra_info |= {"alone": one / alone, "together": one / each}
        print(
            f"\nSLSQP, {STARTS} starts, over ours: {one / alone:.0f} alone, {one / each:.0f} of 200"
        )
    benchmark(lambda: optima_over_teachers(LAW, problems(BUDGETS, 1.0, 1.0, 1e9)))


def test_cells_per_second_are_linear(benchmark):
    """Twice the cells take about twice the time: nothing grows faster than the cells."""
    many = np.geomspace(1e20, 1e24, 4000)
    if benchmark.enabled:
        half = median(lambda: optima_over_teachers(LAW, problems(many[::2], 1.0, 1.0, 1e9)), 3)
        whole = median(lambda: optima_over_teachers(LAW, problems(many, 1.0, 1.0, 1e9)), 3)
        benchmark.extra_info |= {"ratio": whole / half, "cells_per_second": many.size / whole}
        print(f"\n{many.size / whole:.0f} cells per second; twice the cells: {whole / half:.2f} x")
    found = benchmark.pedantic(
        optima_over_teachers, args=(LAW, problems(many, 1.0, 1.0, 1e9)), rounds=1
    )
    assert np.isfinite(found.loss).all()


@pytest.mark.parametrize("student", [1e9, None])
def test_odds_beside_their_plan(benchmark, student):
    """What 300 joint draws add to a plan."""
    scenario = Scenario(compute=1e21, law=law("busbridge2025"), student_params=student)

    def sure():
        return plan(scenario)

    quick = plan(scenario, quick=True)
    assert sure().confidence.draws == 300
    assert [one.loss for one in sure().options] == [one.loss for one in quick.options]
    if benchmark.enabled:
        ratio = median(sure, 7) / median(lambda: plan(scenario, quick=True), 7)
        benchmark.extra_info["ratio"] = ratio
        print(f"\nwith odds over without: {ratio:.2f}")
    benchmark(sure)
