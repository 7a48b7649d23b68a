"""Laws, designs and published runs that several tests of fitting share."""

import csv
from functools import cache
from pathlib import Path

import numpy as np

from distillplan.fitting.fitter import FitResult, fit, moved
from distillplan.fitting.rows import Rows
from distillplan.laws.formulas import DistillationLaw, FloatArray, SupervisedLaw

STUDENTS = Path(__file__).parent / "data" / "distilled_students.csv"
"""The 284 distilled students of Figure 1 that were digitized."""

# Table 6 of arXiv:2502.08606
SUPERVISED = SupervisedLaw(E=1.220, A=3355, B=18186, alpha=0.408, beta=0.431, gamma=0.452)
PRINTED = DistillationLaw(
    supervised=SUPERVISED,
    c0=2.549,
    c1=522.6,
    f1=0.090,
    d1=1.315,
    A=2243,
    B=24181,
    alpha=0.321,
    beta=0.637,
    gamma=0.764,
)
CORRECTED = PRINTED._replace(B=2.4181e6)
# Besiroglu et al., arXiv:2404.10102, with standard errors
BESIROGLU = SupervisedLaw(E=1.8172, A=482.01, B=2085.43, alpha=0.3478, beta=0.3658)
BESIROGLU_ERRORS = {"E": 0.03, "A": 124.58, "B": 1293.23, "alpha": 0.02, "beta": 0.02}

# Students of Figure 1 that are not in that table. Its curves are Equation 8 with
# (c0, c1, f1) = (2.47248, 8756.485, 0.0970300) and one (W, K) each, W the reducible part and
# K = d1 Lt_S; the last number is the mean relative error of the curve on the group's runs, in
# per cent, so that curve / (1 + error) is the group's mean observed loss.
LARGE_STUDENTS = (
    # parameters, tokens, runs, W, K, error of the curve, teachers' losses of the group
    (545970432.0, 160 * 0.6047e9, 8, 2.696551, 4.124368, 0.20, (2.1, 2.75)),
    (1.821e9, 20 * 1.909e9, 56, 2.202388, 3.984300, 0.35, (1.95, 2.5)),
    (4.823e9, 20 * 4.944e9, 1, 1.716785, 3.681944, -0.06, (1.8953, 2.0)),
    (4.823e9, 128.4e9, 1, 1.695654, 3.647622, 0.10, (1.8953, 2.0)),
    (4.823e9, 514.9e9, 1, 1.625910, 3.506731, 0.54, (1.8953, 2.0)),
    (7.747e9, 128.4e9, 1, 1.540032, 3.580125, 0.37, (1.8953, 2.0)),
    (7.747e9, 20 * 7.889e9, 1, 1.524809, 3.552864, 0.44, (1.8953, 2.0)),
    (7.747e9, 514.9e9, 1, 1.468119, 3.430009, 0.65, (1.8953, 2.0)),
)


def published_runs() -> Rows:
    """The distilled students of Figure 1."""
    with STUDENTS.open(newline="") as file:
        table = list(csv.DictReader(file))
    logs = {
        name: np.log([float(row[name]) for row in table])
        for name in ("NS_nonembedding", "DS_nominal", "LT", "LS")
    }
    return Rows(
        log_params=logs["NS_nonembedding"],
        log_tokens=logs["DS_nominal"],
        log_teacher_loss=logs["LT"],
        log_loss=logs["LS"],
    )


@cache
def published_fit() -> FitResult:
    """The law of the published runs, all of which have L_S > 2.3."""
    return fit(published_runs(), CORRECTED, known=SUPERVISED)


def large_students() -> Rows:
    """Mean observed losses of the larger students, from the curves and their errors."""
    columns: list[list[float]] = [[], [], [], []]
    for params, tokens, runs, reducible, switch, error, teachers in LARGE_STUDENTS:
        for teacher in np.linspace(*teachers, max(runs, 3)):
            held_back = (1 + (teacher / switch) ** (1 / 0.09703)) ** (-8756.485 * 0.09703)
            curve = teacher + teacher**-2.47248 * held_back * reducible
            row = (params, tokens, float(teacher), curve / (1 + error / 100))
            for column, value in zip(columns, row, strict=True):
                column.append(value)
    logs = [np.log(column) for column in columns]
    return Rows(log_params=logs[0], log_tokens=logs[1], log_teacher_loss=logs[2], log_loss=logs[3])


def supervised_runs(law: SupervisedLaw, count: int, *, noise: float = 0.0, seed: int = 0) -> Rows:
    """Runs of a known law at random sizes (1e8 to 1e10) and ratios (5 to 300 tokens each)."""
    generator = np.random.default_rng(seed)
    n = generator.uniform(np.log(1e8), np.log(1e10), count)
    d = n + generator.uniform(np.log(5), np.log(300), count)
    loss = np.log(law.loss_at_logs(n, d)) + noise * generator.standard_normal(count)
    return Rows(log_params=n, log_tokens=d, log_loss=loss)


def distillation_runs(
    law: DistillationLaw, *, noise: float = 0.0, misfit: float = 0.0, seed: int = 0
) -> Rows:
    """Runs of a known law: seven students, four ratios, ten teachers each."""
    generator = np.random.default_rng(seed)
    sizes = np.log([143e6, 198e6, 546e6, 975e6, 1.82e9, 4.82e9, 7.75e9])
    n = np.repeat(sizes, 40)
    d = n + np.log(np.tile(np.repeat([20.0, 40.0, 80.0, 160.0], 10), 7))
    x = np.log(generator.uniform(1.9, 2.75, n.size))
    shared = np.repeat(generator.standard_normal(28), 10)
    loss: FloatArray = np.log(law.loss_at_logs(n, d, x))
    loss = loss + noise * generator.standard_normal(n.size) + misfit * shared
    return Rows(log_params=n, log_tokens=d, log_teacher_loss=x, log_loss=loss)


def joint_runs(law: DistillationLaw, *, noise: float = 0.0, seed: int = 0) -> Rows:
    """Runs of both sides of a known law: 60 without a teacher and 280 with one."""
    plain = supervised_runs(law.supervised, 60, noise=noise, seed=seed)
    taught = distillation_runs(law, noise=noise, seed=seed)
    no_teacher = np.full(len(plain), np.nan)
    assert taught.log_teacher_loss is not None
    return Rows(
        log_params=np.concatenate([plain.log_params, taught.log_params]),
        log_tokens=np.concatenate([plain.log_tokens, taught.log_tokens]),
        log_loss=np.concatenate([plain.log_loss, taught.log_loss]),
        log_teacher_loss=np.concatenate([no_teacher, taught.log_teacher_loss]),
    )


def world_like(
    law: DistillationLaw, generator: np.random.Generator, width: float = 0.1
) -> DistillationLaw:
    """A world whose exponents and floor are some percent off those of a law, in other units.

    The terms of size and tokens are held at 1B parameters on 50B tokens, so that exponents turn
    around the middle of usual runs.
    """

    def turned(side: SupervisedLaw | DistillationLaw) -> dict[str, float]:
        alpha, beta, gamma = (
            getattr(side, name) * float(np.exp(width * generator.standard_normal()))
            for name in ("alpha", "beta", "gamma")
        )
        n, d = np.log(1e9), np.log(5e10)
        log_a = side.gamma * (np.log(side.A) - side.alpha * n) / gamma + alpha * n
        log_b = side.gamma * (np.log(side.B) - side.beta * d) / gamma + beta * d
        return {
            "alpha": alpha,
            "beta": beta,
            "gamma": gamma,
            "A": float(np.exp(log_a)),
            "B": float(np.exp(log_b)),
        }

    def off(value: float, share: float = 1.0) -> float:
        return value * float(np.exp(share * width * generator.standard_normal()))

    alone = law.supervised._replace(E=off(law.supervised.E), **turned(law.supervised))
    there = law._replace(
        supervised=alone, c0=off(law.c0), f1=off(law.f1), d1=off(law.d1, 0.3), **turned(law)
    )
    found = moved(there, float(np.log(generator.uniform(0.9, 1.3))))
    assert isinstance(found, DistillationLaw)
    return found


def world_design(law: DistillationLaw, generator: np.random.Generator) -> Rows:
    """6 to 60 runs as people make them, some of them distilled, with noise of 0.2% to 1%."""
    count, kind = int(generator.integers(6, 61)), int(generator.integers(4))
    size = np.exp(generator.uniform(np.log(1e8), np.log(2e9), count))
    ratio = np.exp(generator.uniform(np.log(10), np.log(200), count))
    if kind == 1:
        size = generator.choice([1.5e8, 3e8, 1e9], count)
        ratio = generator.choice([20.0, 60.0, 160.0], count)
    elif kind == 2:
        ratio = np.full(count, 20.0)
    elif kind == 3:
        size, ratio = generator.choice([2e8, 6e8], count), generator.choice([20.0, 80.0], count)
    n, d = np.log(size), np.log(size * ratio)
    teachers = law.supervised.loss(
        np.exp(generator.uniform(np.log(3e8), np.log(1e10), count)),
        np.exp(generator.uniform(np.log(1e10), np.log(5e11), count)),
    )
    if kind in (1, 3):
        teachers = generator.choice(teachers[:3], count)
    plain = np.arange(count) < generator.integers(1, max(2, count // 2))
    x = np.where(plain, np.nan, np.log(teachers))
    taught = law.loss_at_logs(n, d, np.log(teachers))
    noise = generator.uniform(0.002, 0.01) * generator.standard_normal(count)
    loss = np.log(np.where(plain, law.supervised.loss_at_logs(n, d), taught)) + noise
    return Rows(log_params=n, log_tokens=d, log_loss=loss, log_teacher_loss=x)


def log_loss(law: DistillationLaw | SupervisedLaw, rows: Rows) -> FloatArray:
    """What a law says about runs, without the fitter's own code."""
    if not isinstance(law, DistillationLaw):
        return np.asarray(np.log(law.loss_at_logs(rows.log_params, rows.log_tokens)))
    assert rows.log_teacher_loss is not None
    taught = law.loss_at_logs(rows.log_params, rows.log_tokens, rows.log_teacher_loss)
    alone = law.supervised.loss_at_logs(rows.log_params, rows.log_tokens)
    return np.asarray(np.log(np.where(np.isnan(rows.log_teacher_loss), alone, taught)))


def relative_error(law: DistillationLaw | SupervisedLaw, rows: Rows) -> float:
    """Mean relative error."""
    return float(np.abs(np.expm1(log_loss(law, rows) - rows.log_loss)).mean())
