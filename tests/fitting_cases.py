"""Laws, designs and published runs that several tests of fitting share."""

import csv
from functools import cache
from pathlib import Path

import numpy as np

from distillplan.fitting.fitter import FitResult, fit_distillation
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
PRINTED_INTERVALS = {
    "c0": (2.425, 2.615),
    "c1": (522.6, 522.6),
    "f1": (0.088, 0.093),
    "d1": (1.302, 1.327),
    "A": (2227.0, 2255.0),
    "alpha": (0.319, 0.324),
    "beta": (0.634, 0.640),
    "gamma": (0.732, 0.788),
}

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
    return fit_distillation(published_runs(), SUPERVISED)


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


def log_loss(law: DistillationLaw | SupervisedLaw, rows: Rows) -> FloatArray:
    """What a law says about runs, without the fitter's own code."""
    if isinstance(law, DistillationLaw):
        assert rows.log_teacher_loss is not None
        return np.asarray(
            np.log(law.loss_at_logs(rows.log_params, rows.log_tokens, rows.log_teacher_loss))
        )
    return np.asarray(np.log(law.loss_at_logs(rows.log_params, rows.log_tokens)))


def relative_error(law: DistillationLaw | SupervisedLaw, rows: Rows) -> float:
    """Mean relative error."""
    return float(np.abs(np.expm1(log_loss(law, rows) - rows.log_loss)).mean())
