"""A second implementation of law, cost and search, written from the paper and sharing no code.

Plain powers instead of logarithms, a dense grid and SciPy's Nelder-Mead instead of our minimiser.
"""

import itertools
import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize


class Letters(NamedTuple):
    """A law, by the letters of Table 6; a 2 stands for a prime."""

    E: float
    A: float
    B: float
    alpha: float
    beta: float
    gamma: float
    c0: float
    c1: float
    f1: float
    d1: float
    A2: float
    B2: float
    alpha2: float
    beta2: float
    gamma2: float


RECOVERED = Letters(
    *(1.21951, 3354.51, 18185.51, 0.40849, 0.43149, 0.45151, 2.54949, 522.6, 0.090398, 1.31549),
    *(2242.51, 2.2819e6, 0.32149, 0.63749, 0.76351),
)
"""Table 6 of arXiv:2502.08606 with its lost digits recovered (see the coefficient file)."""
TABLE_6 = Letters(
    *(1.220, 3355, 18186, 0.408, 0.431, 0.452, 2.549, 522.6, 0.090, 1.315),
    *(2243, 100 * 24181, 0.321, 0.637, 0.764),
)
"""The law as printed, with B' times 100: the default of release 0.1.0."""


def supervised_loss(N, D, law=RECOVERED):
    """Equation 1."""
    return law.E + (law.A / N**law.alpha + law.B / D**law.beta) ** law.gamma


def distilled_loss(N_S, D_S, L_T, law=RECOVERED):
    """Equation 8, as printed."""
    alone = supervised_loss(N_S, D_S, law)
    switch = (1 + (L_T / (alone * law.d1)) ** (1 / law.f1)) ** (-law.c1 * law.f1)
    of_sizes = (law.A2 / N_S**law.alpha2 + law.B2 / D_S**law.beta2) ** law.gamma2
    return L_T + L_T**-law.c0 * switch * of_sizes


def forward_flops(N):
    """Equation 69 with aspect 128, omega 12, context 4096, vocabulary 32768."""
    attention = 4096 * (1 / (128 * 12**2)) ** (1 / 3)
    vocabulary = 32768 * (128 / 12) ** (1 / 3)
    return 2 * N * (1 + attention * N ** (-1 / 3) + vocabulary * N ** (-2 / 3))


def worth(D, U):
    """Muennighoff et al. 2023, Equation 5: D tokens of a corpus of U, in unique ones."""
    repeats = np.maximum(D / U - 1, 0)
    return np.where(D > U, U + U * 15.387756 * (1 - np.exp(-repeats / 15.387756)), D)


@dataclass
class Problem:
    """One student's budget; sizes in (low, high) are free, single numbers are given."""

    budget: float
    logits: float
    training: float
    student_params: float | tuple[float, float]
    student_tokens: tuple[float, float] = (1e6, 1e17)
    teacher_params: tuple[float, float] = (1e6, 1e17)
    teacher_tokens: tuple[float, float] = (1e6, 1e17)
    law: Letters = RECOVERED
    money: float = math.inf
    """What the student may cost with the storage of what its teacher says."""
    kept: float = 0.0
    """What storing that of a token costs."""
    unique: float = math.inf
    """Tokens of the corpus, which the teacher passes over once and whose logits are stored."""

    def free(self):
        sizes = [self.teacher_params, self.teacher_tokens]
        if isinstance(self.student_params, tuple):
            sizes.append(self.student_params)
        return sizes

    def tokens(self, N_T, D_T, N_S):
        once = self.training * 3 * forward_flops(N_T) * D_T
        own, first = 3 * forward_flops(N_S), self.logits * forward_flops(N_T)

        def read(left, first):
            if self.unique == math.inf:
                return left / (own + first)
            each = left / self.unique  # for each unique token
            return np.where(
                each <= own + first, left / (own + first), (each - first) * self.unique / own
            )

        D_S = read(self.budget - once, first)
        if self.kept:
            D_S = np.minimum(D_S, read(self.money - once, first + self.kept))
        return np.minimum(D_S, self.student_tokens[1])

    def loss(self, *sizes):
        N_T, D_T = sizes[:2]
        N_S = sizes[2] if len(sizes) > 2 else self.student_params
        D_S = self.tokens(N_T, D_T, N_S)
        allowed = self.student_tokens[0] <= D_S
        if self.unique < math.inf:
            D_S, D_T = worth(D_S, self.unique), worth(D_T, self.unique)
        teacher = supervised_loss(N_T, D_T, self.law)
        found = distilled_loss(N_S, np.where(allowed, D_S, 1e6), teacher, self.law)
        return np.where(allowed, found, np.inf)


def search(problem: Problem, points: int, starts: int) -> tuple[float, np.ndarray]:
    """Least loss and its sizes: a dense log grid, then Nelder-Mead from its best points."""
    sizes = problem.free()
    axes = [np.geomspace(low, high, points) for low, high in sizes]
    grid = np.meshgrid(*axes, indexing="ij")
    with np.errstate(over="ignore"):
        values = problem.loss(*grid).ravel()
    order = np.argsort(values)[:starts]
    low = np.log([size[0] for size in sizes])
    high = np.log([size[1] for size in sizes])

    def at(logs):
        return float(problem.loss(*np.exp(np.clip(logs, low, high))))

    best, where = math.inf, None
    for start in order:
        x = np.log([axis.ravel()[start] for axis in grid])
        for _ in range(4):  # a restart frees a simplex that has gone flat
            found = minimize(
                at,
                np.clip(x, low, high),
                method="Nelder-Mead",
                options={"xatol": 1e-10, "fatol": 1e-15, "maxiter": 4000, "maxfev": 4000},
            )
            x = found.x
        if found.fun < best:
            best, where = found.fun, np.exp(np.clip(found.x, low, high))
    return best, where


def random_problems(count: int, seed: int) -> list[Problem]:
    """Problems across all accountings, families, free and given students, and tight bounds."""
    random = np.random.default_rng(seed)
    accountings = [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0), (1.0, 0.1), (0.1, 0.1)]
    problems = []
    for logits, training in itertools.islice(itertools.cycle(accountings), count):
        given = random.random() < 0.6
        params = float(10 ** random.uniform(8, 11))
        tight = random.random() < 0.3
        problems.append(
            Problem(
                budget=float(10 ** random.uniform(19, 25)),
                logits=logits,
                training=training,
                student_params=params if given else (1e7, 1e13),
                student_tokens=(1e6, float(10 ** random.uniform(10, 12)) if tight else 1e17),
                teacher_tokens=(1e6, float(10 ** random.uniform(11, 13)) if tight else 1e17),
            )
        )
    return problems


def random_stores(count: int, seed: int) -> list[Problem]:
    """Problems whose money ends before, with or after their hours, of corpora read often or not."""
    random = np.random.default_rng(seed)
    problems = []
    for row in range(count):
        given, training = row % 3 != 0, float(row % 2)
        budget = float(10 ** random.uniform(19, 24))
        params = float(10 ** random.uniform(8, 10.5))
        read = budget / (6 * (params if given else math.sqrt(budget / 120)))
        unique = read * float(10 ** random.uniform(-2, 0.5))
        problems.append(
            Problem(
                budget=budget,
                logits=1.0,
                training=training,
                student_params=params if given else (1e7, 1e13),
                teacher_params=(1e6, 1e13),
                teacher_tokens=(1e6, 1e14),
                money=budget * float(random.choice([1.0, random.uniform(1.0, 2.0)])),
                kept=budget / read * float(10 ** random.uniform(-1.5, 1.5)),
                unique=unique if random.random() < 0.7 else math.inf,
            )
        )
    return problems
