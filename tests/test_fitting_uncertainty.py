"""How sure a fit is: resamples, intervals, and what the runs cannot tell."""

import json
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from distillplan.errors import InputError
from distillplan.fitting.bootstrap import BootstrapState, bootstrap
from distillplan.fitting.fitter import FitResult, fit_distillation, fit_supervised, refit
from distillplan.fitting.identifiability import FLOOR, identifiability, intervals
from distillplan.fitting.law_of_fit import bootstrap_draws
from distillplan.fitting.noise import split_noise
from distillplan.fitting.rows import Rows
from distillplan.laws.formulas import DistillationLaw
from tests.fitting_cases import (
    BESIROGLU,
    CORRECTED,
    SUPERVISED,
    distillation_runs,
    published_fit,
    supervised_runs,
)


@pytest.fixture(scope="module")
def fitted() -> FitResult:
    return fit_supervised(supervised_runs(BESIROGLU, 100, noise=0.003), coupled=False)


@pytest.fixture(scope="module")
def whole_bootstrap(fitted: FitResult) -> BootstrapState:
    return bootstrap(fitted, resamples=200)


@cache
def noisy_fit(*, noise: float, misfit: float = 0.0) -> FitResult:
    """A fit to runs of the corrected law with this noise per run and this misfit per pair."""
    return fit_distillation(distillation_runs(CORRECTED, noise=noise, misfit=misfit), SUPERVISED)


@pytest.mark.slow
def test_ninety_percent_intervals_hold_the_truth_about_that_often() -> None:
    """40 sets of 100 runs with 0.3% noise; five coordinates and five predictions each.

    With 400 correlated checks one standard error is about 0.02, and the extreme quantiles of 128
    resamples cost 0.01.
    """
    sizes = np.log([[3e8, 1e9, 1e9, 3e9, 3e10], [1e10, 2e10, 1e12, 6e10, 6e11]])
    probe = Rows(log_params=sizes[0], log_tokens=sizes[1], log_loss=np.zeros(5))
    truth = np.log(BESIROGLU.loss_at_logs(*sizes))
    hits = []
    for seed in range(40):
        rows = supervised_runs(BESIROGLU, 100, noise=0.003, seed=seed)
        result = fit_supervised(rows, coupled=False)
        theta = bootstrap(result, resamples=128, seed=seed).theta
        for values, true in (
            (theta, result.form.theta(BESIROGLU)),
            (result.form.predict(theta, probe)[0], truth),
        ):
            ends = np.quantile(values, [0.05, 0.95], axis=0)
            hits.append((ends[0] <= true) & (true <= ends[1]))
    assert 0.85 <= np.mean(hits) <= 0.94


def test_a_bootstrap_is_the_same_for_the_same_seed_and_another_for_another(
    fitted: FitResult,
) -> None:
    first = bootstrap(fitted, resamples=150, seed=3)
    assert np.array_equal(first.theta, bootstrap(fitted, resamples=150, seed=3).theta)
    assert not np.array_equal(first.theta, bootstrap(fitted, resamples=150, seed=4).theta)


@pytest.mark.parametrize("stopped", [0, 40, 128, 200])
def test_an_interrupted_bootstrap_goes_on_as_if_it_had_not_been(
    fitted: FitResult, whole_bootstrap: BootstrapState, stopped: int
) -> None:
    whole = whole_bootstrap
    part = bootstrap(fitted, resamples=stopped)
    saved = BootstrapState.from_dict(json.loads(json.dumps(part.to_dict())))
    again = bootstrap(fitted, resamples=200, state=saved)
    assert again.finished
    assert np.array_equal(again.theta, whole.theta)


def test_progress_is_told_after_every_block(fitted: FitResult) -> None:
    seen: list[int] = []
    bootstrap(fitted, resamples=300, progress=lambda state: seen.append(state.done))
    assert seen == [128, 256, 300]


def test_a_saved_bootstrap_of_something_else_is_refused(fitted: FitResult) -> None:
    state = bootstrap(fitted, resamples=10, seed=1)
    with pytest.raises(InputError, match="do not continue"):
        bootstrap(fitted, resamples=20, seed=2, state=state)
    other = fit_supervised(supervised_runs(SUPERVISED, 60, noise=0.003))
    with pytest.raises(InputError, match="do not continue"):
        bootstrap(other, resamples=20, seed=1, state=state)
    with pytest.raises(InputError, match="to start again"):
        BootstrapState.from_dict({"seed": 1})


def test_draws_are_laws(fitted: FitResult) -> None:
    state = bootstrap(fitted, resamples=20)
    draws = bootstrap_draws(fitted, state, None, sigma_run=0.003)
    laws = [fitted.form.law(theta) for theta in state.theta]
    assert draws.size == 20
    for name in ("E", "A", "B", "alpha", "beta", "gamma"):
        assert getattr(draws.law, name) == pytest.approx([getattr(law, name) for law in laws])


def test_noise_is_split_into_runs_and_groups() -> None:
    """400 groups of 5 runs: 0.2 % per run and 0.3 % per group come back."""
    generator = np.random.default_rng(0)
    group = np.repeat(np.arange(400), 5)
    shared = 0.003 * generator.standard_normal(400)
    noise = split_noise(shared[group] + 0.002 * generator.standard_normal(2000), group)
    assert noise.run == pytest.approx(0.002, rel=0.06)
    assert noise.group == pytest.approx(0.003, rel=0.12)
    assert noise.total == pytest.approx(np.hypot(noise.run, noise.group))
    alone = split_noise(0.002 * generator.standard_normal(2000), group)
    assert alone.group == 0
    assert alone.run == pytest.approx(0.002, rel=0.06)


@pytest.mark.slow
def test_runs_that_err_together_are_noticed() -> None:
    """0.3 % of misfit per pair and 0.1 % per run; the fit takes up a part of the former."""
    result = noisy_fit(noise=0.001, misfit=0.003)
    assert result.noise.run == pytest.approx(0.001, rel=0.35)
    assert result.noise.group == pytest.approx(0.003, rel=0.3)
    result = noisy_fit(noise=0.003)
    assert result.noise.group == 0


@pytest.mark.slow
def test_runs_that_err_together_widen_the_intervals() -> None:
    """Drawing runs one by one would miss it; seen in what sizes and tokens do, as log gamma."""
    result = noisy_fit(noise=0.001, misfit=0.003)
    column = result.form.names.index("log_gamma")
    by_noise = bootstrap(result, resamples=128).theta[:, column].std()
    n = len(result.rows)
    repeats = np.random.default_rng(0).multinomial(n, np.full(n, 1 / n), 128)
    by_rows = refit(result, repeats.astype(float))[:, column].std()
    assert by_noise > 1.4 * by_rows


def test_c1_and_d1_get_no_interval_where_only_their_combination_acts() -> None:
    factor = 1e6
    law = CORRECTED._replace(c1=522.6 * factor, d1=1.315 * factor**0.090)
    result = fit_distillation(distillation_runs(law, noise=0.003), SUPERVISED)
    assert "log_q" not in result.form.names
    found = intervals(result, bootstrap(result, resamples=128))
    for name in ("c1", "d1"):
        assert found[name].low is None
        assert found[name].high is None
        assert "c1 d1^(-1/f1)" in str(found[name].no_interval)
    verdicts = {one.what: one.verdict for one in identifiability(result).combinations}
    assert verdicts["c1 f1 (L_T / (Lt_S d1))^(1/f1) at the middle of the runs"] == "fixed"
    assert verdicts["f1"] == "fixed"


def test_the_coordinates_are_better_conditioned_than_the_letters() -> None:
    result = noisy_fit(noise=0.003)
    known = identifiability(result)
    slopes = result.form.predict(result.theta[None, :], result.rows)[1][0]
    assert np.linalg.cond(slopes) < known.condition_letters / 3
    assert max(known.weakest, key=lambda name: abs(known.weakest[name])) in {"A", "B", "c1"}


def test_an_exponent_without_a_range_gets_no_interval() -> None:
    """All runs of one size: A, alpha (and E) cannot be told."""
    generator = np.random.default_rng(0)
    rows = supervised_runs(BESIROGLU, 60)
    n = np.full(60, np.log(1e9))
    rows = replace(
        rows,
        log_params=n,
        log_loss=np.log(BESIROGLU.loss_at_logs(n, rows.log_tokens))
        + 0.003 * generator.standard_normal(60),
    )
    result = fit_supervised(rows, coupled=False)
    found = intervals(result, bootstrap(result, resamples=128))
    for name in ("A", "alpha"):
        assert found[name].low is None
        assert f"leave {name} open" in str(found[name].no_interval)


def test_the_floor_is_never_a_finding(fitted: FitResult) -> None:
    found = intervals(fitted, bootstrap(fitted, resamples=128))
    assert found["E"].low is None
    assert found["E"].no_interval == FLOOR
    assert found["alpha"].low is not None
    assert found["alpha"].high is not None
    assert found["alpha"].low < 0.3478 < found["alpha"].high


def test_what_the_published_runs_fix() -> None:
    """A', B' and the exponents are strongly correlated on this subset, and c1 d1 trade off."""
    result = published_fit()
    assert isinstance(result.law, DistillationLaw)
    assert result.noise.group > 0
    found = intervals(result, bootstrap(result, resamples=256))
    for name in ("A", "B", "c1", "d1"):
        assert found[name].low is None
        assert found[name].no_interval
    # the two published fits to overlapping runs have f1 = 0.090 and 0.097; the reduced form
    # has no c1 to bend the switch and needs a slightly wider one
    assert found["f1"].low is not None
    assert 0.08 < found["f1"].low < (found["f1"].high or 0) < 0.13
