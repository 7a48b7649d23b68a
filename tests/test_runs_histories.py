"""Intermediate points of a run are told from finished runs: published designs and simulated curves.

The simulated curves follow Equation 1 of arXiv:2408.11029: with S1 the sum of the learning rates
and S2 that of their decay (remembered with a factor of 0.999 a step), L = L0 + A S1^-alpha - C S2.
"""

from functools import cache

import numpy as np
import pytest

from distillplan.fitting.histories import bends_down, intermediate_points, on_even_grid
from distillplan.fitting.runs_file import Reading, read_runs
from tests.fitting_cases import CORRECTED, SUPERVISED

SIZES = (190354176, 371262464, 758220288, 1279395840)
LADDER_LOSSES = (
    (3.600973, 3.496522, 3.390454, 3.336689),
    (3.394256, 3.287907, 3.188007, 3.132577),
    (3.202027, 3.104255, 3.004539, 2.954929),
    (3.063071, 2.971169, 2.878463, 2.832282),
)
"""Finished runs of OLMo's ladder (arXiv:2412.04403): 1, 2, 5, 10 times 20 tokens a parameter."""
LADDER = "params,tokens,loss\n" + "".join(
    f"{size},{20 * size * times},{loss}\n"
    for size, losses in zip(SIZES, LADDER_LOSSES, strict=True)
    for times, loss in zip((1, 2, 5, 10), losses, strict=True)
)
SPACING = 3145728000
COSINE_190M = (
    *(3.834770, 3.629690, 3.558411, 3.516263, 3.490702, 3.462741),
    *(3.437567, 3.412611, 3.389323, 3.370531, 3.354489, 3.338408),
)
"""Losses of the ladder's 190M run of 38B tokens on the way, each 3.1B tokens from 1.6B on."""

STEPS = 20_000
TOKENS_PER_STEP = 1e6


@cache
def areas(schedule):
    """S1 and S2 after each step, for a peak rate of 2e-4 and a warmup of 1%."""
    time = np.arange(STEPS) / STEPS
    shape = {
        "cosine": 0.1 + 0.45 * (1 + np.cos(np.pi * time)),
        "linear": 1 - time,
        "wsd": np.minimum(1.0, (1 - time) / 0.2),
        "constant": np.ones(STEPS),
    }[schedule]
    rate = 2e-4 * shape
    remembered = total = 0.0
    decay = [0.0]
    for fall in (rate[:-1] - rate[1:]).tolist():
        remembered = 0.999 * remembered + fall
        total += remembered
        decay.append(total)
    return np.cumsum(rate * np.minimum(time / 0.01, 1)), np.array(decay)


def curve(schedule, count, *, spaced="evenly", noise=0.001, seed=0):
    """Tokens and losses at so many checkpoints of a run; coefficients as in arXiv:2408.11029."""
    generator = np.random.default_rng(seed)
    if spaced == "evenly":
        steps = np.arange(1, count + 1) * (STEPS // count) - 1
    elif spaced == "by a ratio":
        steps = np.unique(np.geomspace(STEPS / 50, STEPS, count).astype(int)) - 1
    else:
        inner = generator.choice(np.arange(STEPS // 50, STEPS - 1), count - 1, replace=False)
        steps = np.append(np.sort(inner), STEPS - 1)
    rate, decay = (one[steps] for one in areas(schedule))
    loss = 2.6 + 0.45 * rate**-0.55 - 0.41 * decay
    return (steps + 1) * TOKENS_PER_STEP, loss * np.exp(noise * generator.standard_normal(count))


def found(tokens, loss, *, names=None, params=1e9, teacher=np.nan):
    """How many rows of a table of one size are taken for intermediate points."""
    size = tokens.size
    left_out, _ = intermediate_points(
        np.full(size, params),
        tokens,
        loss,
        np.full(size, teacher),
        files=np.zeros(size, dtype=np.intp),
        names=names or [None] * size,
    )
    return int(left_out.sum())


def finished(generator, count, noise, teacher=None):
    """Finished runs of one size: lengths in ratios or at random, losses of the paper's law."""
    params, ratio = 10 ** generator.uniform(7.5, 10), generator.choice([8, 16, 64, 256])
    tokens = 10 * params * np.geomspace(1, ratio, count)
    if generator.random() < 0.3:
        tokens = np.sort(10 * params * 10 ** generator.uniform(0, 2, count))
    if teacher is None:
        loss = SUPERVISED.loss(params, tokens)
    else:
        loss = CORRECTED.loss(params, tokens, teacher)
    return tokens, loss * np.exp(noise * generator.standard_normal(count))


def test_a_published_cosine_run_is_recognized(tmp_path):
    path = tmp_path / "runs.csv"
    history = "".join(
        f"{SIZES[0]},{SPACING * (k + 0.5):.0f},{loss}\n" for k, loss in enumerate(COSINE_190M)
    )
    path.write_text(LADDER + history)
    runs = read_runs([str(path)])
    (notice,) = runs.notices
    assert notice.code == "histories_left_out"
    assert "11 rows are left out as intermediate points of 1 run (11 of 190M)" in notice.message
    assert len(runs) == 17
    assert runs.loss[-1] == COSINE_190M[-1]  # the end of the run, which is a finished one
    assert len(read_runs([str(path)], Reading(histories="keep"))) == 28
    tokens = SPACING * (np.arange(12) + 0.5)
    assert bends_down(tokens, np.log(COSINE_190M))  # not only for its grid


@pytest.mark.parametrize("schedule", ["cosine", "linear", "wsd", "constant"])
@pytest.mark.parametrize("count", [8, 12, 30, 150])
def test_checkpoints_on_an_even_grid_are_recognized(schedule, count):
    for seed in range(5):
        assert found(*curve(schedule, count, seed=seed)) == count - 1


@pytest.mark.parametrize(
    ("schedule", "spaced"),
    [
        ("cosine", "by a ratio"),
        ("linear", "by a ratio"),
        ("wsd", "by a ratio"),
        ("wsd", "at random"),
    ],
)
def test_a_decayed_rate_is_recognized_without_a_grid(schedule, spaced):
    some = [found(*curve(schedule, 30, spaced=spaced, seed=seed)) for seed in range(10)]
    assert some.count(29) >= 9


@pytest.mark.parametrize("noise", [0.0, 0.002, 0.005, 0.01])
def test_finished_runs_are_not_taken_for_histories(noise):
    generator = np.random.default_rng(1)
    wrong = 0
    for _ in range(150):
        count = int(generator.choice([4, 5, 6, 7, 8, 10, 12]))
        wrong += found(*finished(generator, count, noise)) > 0
        wrong += found(*finished(generator, count, noise), names=["1B"] * count) > 0
        teacher = generator.uniform(1.8, 3.0)
        wrong += found(*finished(generator, count, noise, teacher), teacher=teacher) > 0
    assert wrong == 0


def test_names_of_runs_are_evidence_either_way():
    tokens = 2e10 * np.arange(1, 10)
    loss = SUPERVISED.loss(1e9, tokens)
    assert found(tokens, loss) == 8
    assert found(tokens, loss, names=[f"run {k}" for k in range(9)]) == 0
    assert found(tokens[:5], loss[:5]) == 0
    assert found(tokens[:5], loss[:5], names=["a"] * 5) == 4
    both = np.concatenate([tokens[:5], tokens[:5]])
    twice = np.concatenate([loss[:5], 1.01 * loss[:5]])
    assert found(both, twice, names=["a"] * 5 + ["b"] * 5) == 8


def test_finished_runs_beside_a_history_are_kept():
    """Twelve checkpoints and three finished runs of one size in one file, without names."""
    tokens, loss = curve("constant", 12)
    others = np.array([4.1e9, 7.77e9, 15.3e9])
    assert found(np.append(tokens, others), np.append(loss, [2.9, 2.8, 2.7])) == 11


def test_a_missing_checkpoint_leaves_a_grid_a_grid():
    tokens = np.delete(1e9 * np.arange(1.0, 21.0), [3, 11])
    assert on_even_grid(tokens).all()
    assert on_even_grid(np.geomspace(1e9, 1e11, 12)).sum() < 8
    close = 1e9 * np.array([1.0, 1.4, 1.51, 1.8, 23.82])  # four at one place of a grid of 22
    assert on_even_grid(close).sum() < 4
    longer = np.append(1e9 * np.arange(1.0, 13.0), 1e11)  # a finished run far along the grid
    assert on_even_grid(longer).sum() == 12


def test_curves_of_two_files_are_two_runs(tmp_path):
    for name, schedule in (("a.csv", "cosine"), ("b.csv", "wsd")):
        rows = zip(*curve(schedule, 10), strict=True)
        lines = "".join(f"1B,{tokens:.0f},{loss:.6f}\n" for tokens, loss in rows)
        (tmp_path / name).write_text("params,tokens,loss\n" + lines)
    runs = read_runs([str(tmp_path / "a.csv"), str(tmp_path / "b.csv")], Reading(replicates="all"))
    assert runs.lines == ("a.csv, line 11", "b.csv, line 11")


def doubling(column, named="{size:.0f}-cosine", sizes=(6e7, 1.2e8, 2.5e8, 5e8, 1e9)):
    """Five runs of the paper's law with a checkpoint at each of six doublings of the tokens."""
    lines = [f"{column},params,tokens,loss"]
    for number, size in enumerate(sizes):
        for tokens in 5 * size * 2.0 ** np.arange(6):
            name = named.format(size=size / 1e6, number=number)
            loss = SUPERVISED.loss(size, tokens)
            lines.append(f"{name},{size:.0f},{tokens:.0f},{loss:.5f}")
    return "\n".join(lines)


@pytest.mark.parametrize("column", ["run", "Run Name", "run_id"])
def test_a_named_run_has_one_end_on_any_grid(tmp_path, column):
    path = tmp_path / "runs.csv"
    path.write_text(doubling(column))
    runs = read_runs([str(path)])
    (notice,) = runs.notices
    assert notice.code == "histories_left_out"
    assert "25 rows are left out as intermediate points of 5 runs (5 of 60.0M" in notice.message
    assert (runs.tokens / runs.params).tolist() == [160.0] * 5
    assert len(read_runs([str(path)], Reading(histories="keep"))) == 30


@pytest.mark.parametrize(
    ("column", "named"),
    [
        ("name", "{size:.0f}-cosine"),  # may name a recipe
        ("run", "{size:.0f}M"),  # a size, of finished runs
        ("run", "ladder"),  # of several sizes
        ("seed", "{number}"),
    ],
)
def test_names_that_may_be_of_several_finished_runs_say_nothing(tmp_path, column, named):
    path = tmp_path / "runs.csv"
    path.write_text(doubling(column, named))
    runs = read_runs([str(path)])
    assert (len(runs), runs.notices) == (30, ())


def test_a_name_with_one_length_twice_is_of_two_runs(tmp_path):
    path = tmp_path / "runs.csv"
    path.write_text(doubling("run") + "\n60-cosine,60M,300M,3.9\n")
    assert len(read_runs([str(path)], Reading(replicates="all"))) == 31


def test_a_name_may_return_in_another_file(tmp_path):
    one, two = doubling("run", "a", (6e7,)), doubling("run", "a", (1e9,))
    (tmp_path / "a.csv").write_text(one)
    (tmp_path / "b.csv").write_text(two)
    runs = read_runs([str(tmp_path / "a.csv"), str(tmp_path / "b.csv")])
    assert runs.params.tolist() == [6e7, 1e9]
