"""A handful of runs on a published law."""

import numpy as np
import pytest
import scipy.optimize

from distillplan.errors import InputError
from distillplan.fitting.anchor import SCALE_WIDTH, anchor, moved
from distillplan.fitting.noise import RUN_NOISE
from distillplan.laws.formulas import DistillationLaw, LossLaw, SupervisedLaw
from tests.fitting_cases import (
    BESIROGLU,
    CORRECTED,
    SUPERVISED,
    distillation_runs,
    large_students,
    log_loss,
    published_runs,
    relative_error,
    supervised_runs,
)


def test_a_moved_supervised_law_is_the_law_times_its_factors() -> None:
    """s E + s g (reducible part), for a coupled law as for an additive one."""
    for law in (BESIROGLU, SUPERVISED):
        there = moved(law, np.log(1.2), np.log(0.9))
        assert isinstance(there, SupervisedLaw)
        assert there.loss(1e9, 2e10) == pytest.approx(
            1.2 * law.E + 1.2 * 0.9 * (law.loss(1e9, 2e10) - law.E)
        )


def test_a_moved_distillation_law_is_the_law_in_another_unit() -> None:
    """s L_S(N, D, L_T) from a teacher of s L_T, and the gap to the teacher times g."""
    there = moved(CORRECTED, np.log(1.3), np.log(0.9))
    assert isinstance(there, DistillationLaw)
    gap = CORRECTED.loss(1e9, 2e10, 2.1) - 2.1
    assert there.loss(1e9, 2e10, 1.3 * 2.1) == pytest.approx(1.3 * (2.1 + 0.9 * gap))


@pytest.mark.parametrize("law", [BESIROGLU, CORRECTED])
def test_one_run_fixes_the_scale_and_nothing_else(law: LossLaw) -> None:
    target = moved(law, 0.15, 0.0)
    rows = (
        distillation_runs(target).take(np.array([3]))
        if isinstance(target, DistillationLaw)
        else supervised_runs(target, 1)
    )
    found = anchor(rows, law)
    assert found.scale == pytest.approx(np.exp(0.15), rel=1e-3)
    assert found.gap == 1
    assert not found.gap_is_fitted
    assert found.held_out_error is None


@pytest.mark.parametrize("law", [BESIROGLU, CORRECTED])
def test_six_runs_fix_scale_and_gap(law: LossLaw) -> None:
    """Noise-free; the 10 % prior on g pulls it by less than its stated uncertainty."""
    target = moved(law, -0.1, 0.08)
    if isinstance(target, DistillationLaw):
        rows = distillation_runs(target).take(np.array([3, 70, 120, 160, 220, 270]))
    else:
        rows = supervised_runs(target, 6, seed=2)
    found = anchor(rows, law)
    assert found.gap_is_fitted
    assert abs(np.log(found.scale) + 0.1) < found.log_sd[0]
    assert abs(np.log(found.gap) - 0.08) < found.log_sd[1]
    assert found.held_out_error is not None
    assert found.held_out_error < 0.005
    assert found.draws.mean(axis=0) == pytest.approx(
        [np.log(found.scale), np.log(found.gap)], abs=0.2 * max(found.log_sd)
    )


def test_an_own_supervised_law_is_left_alone() -> None:
    rows = distillation_runs(CORRECTED, noise=0.002).take(np.array([0, 100, 200]))
    found = anchor(rows, CORRECTED, move_supervised=False)
    assert isinstance(found.law, DistillationLaw)
    assert found.law.supervised == CORRECTED.supervised
    assert found.scale == 1


def test_runs_and_law_must_be_of_one_kind() -> None:
    with pytest.raises(InputError, match="different kinds"):
        anchor(supervised_runs(SUPERVISED, 2), CORRECTED)
    with pytest.raises(InputError, match="0 runs"):
        anchor(supervised_runs(SUPERVISED, 2).take(np.array([], dtype=np.intp)), SUPERVISED)


@pytest.mark.parametrize("count", [1, 2, 4, 6])
def test_a_handful_of_published_runs_predicts_the_others(count: int) -> None:
    rows = published_runs()
    errors = []
    for seed in range(10):
        chosen = np.random.default_rng(seed).choice(len(rows), count, replace=False)
        found = anchor(rows.take(chosen), CORRECTED)
        if found.scale_is_fitted:
            law = found.law
            errors.append((relative_error(law, rows), relative_error(law, large_students())))
    assert len(errors) >= 9
    assert np.median(errors) < 0.01
    assert np.max(errors) < 0.02


def test_a_run_beside_a_weak_teacher_leaves_the_scale_open() -> None:
    """Its loss hardly depends on s: the most probable s must beat the published law all the same.

    The student of 546M below a teacher of 2.755 nats is 0.6% off the law at any s below 1.
    """
    rows = published_runs()
    alone = rows.take(np.random.default_rng(4).choice(len(rows), 1, replace=False))
    found = anchor(alone, CORRECTED)
    assert not found.scale_is_fitted

    def surprise(log_scale: float) -> float:
        misfit = log_loss(moved(CORRECTED, log_scale, 0.0), alone) - alone.log_loss
        return float((misfit[0] / RUN_NOISE) ** 2 + (log_scale / SCALE_WIDTH) ** 2)

    best = scipy.optimize.brute(lambda at: surprise(float(at[0])), [(-0.5, 0.5)], Ns=2001)
    assert np.log(found.scale) == pytest.approx(float(best[0]), abs=1e-3)
