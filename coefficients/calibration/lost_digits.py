"""Recover the digits that Table 6 of arXiv:2502.08606 does not print.

    python coefficients/calibration/lost_digits.py distillation_points.csv

Three printed digits are too few for Equation 8: with them (and B' times 100, see the errata of the
law) the law lies 0.4% above the paper's own runs and makes distillation 0.007 nats worse in Figure
8 than the paper draws it. Here every coefficient moves only inside the rounding of its print, B'
freely, and all of them are fitted together to

- the distilled students of Figure 1, the argument: columns NS_nonembedding, DS_nominal, LT and LS
  (parameters, tokens, nats per token); groups of equal (N_S, D_S) are weighted alike;
- Figure 8: the least supervised loss and the least distilled loss with a free teacher;
- Figure 6: a gain of zero at the tokens where a teacher stops helping;
- Figure 7: the loss of the best teacher.

The read-offs are those of ``checks/busbridge2025.yaml``. Left out are the 7.75B teacher in Figure
6, whose contour contradicts the other five, its second zone, where a teacher is too strong for a
small student, and students in Figure 7 beyond the fitted 12.6B. c1 keeps its print: its rounding
is 0.01% of it, and only c1 d1^(-1/f1) matters. Figure 9, Table 3 and Appendix D.5 are not fitted;
`distillplan check` compares them.
"""

import argparse
import csv
import sys
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from scipy.optimize import least_squares

from distillplan.checks.law_checks import check_groups
from distillplan.fitting.rows import Rows, predicted_log_loss
from distillplan.laws import law_catalog
from distillplan.laws.formulas import DistillationLaw, FloatArray
from distillplan.models.architecture import FixedAspect
from joint_fit import COLUMNS, joint_law, letters_of_law

UNITS: Final = {
    # unit of the last printed digit; none where the print is not used
    "supervised.E": 1e-3,
    "supervised.A": 1.0,
    "supervised.B": 1.0,
    "supervised.alpha": 1e-3,
    "supervised.beta": 1e-3,
    "supervised.gamma": 1e-3,
    "c0": 1e-3,
    "c1": 0.1,
    "f1": 1e-3,
    "d1": 1e-3,
    "A": 1.0,
    "B": None,
    "alpha": 1e-3,
    "beta": 1e-3,
    "gamma": 1e-3,
}
HALF: Final = 0.49
"""Units within which a letter may move: half a unit, less what keeps its rounding clear."""
FACTOR: Final = 2.0
"""Factor around 100 times its print within which B' may move."""
KEPT: Final = "c1"
"""The letter that keeps its print."""

RUN, LOSS, TEACHER = 0.002, 0.004, 0.008
"""Errors of a run (relative), of a loss read off Figure 8, of a teacher's loss off Figure 7."""
TOKENS, GAIN = 0.10, 0.0015
"""Errors of Figure 6: of its tokens (relative), or of the gain there, nats, whichever is wider."""
LEAST_STUDENT, LARGEST_TEACHER, LARGEST_STUDENT = 3e8, 5e9, 1.261e10
"""Parameters beyond which rows of Figures 6 and 7 are left out."""


class Figures(NamedTuple):
    """What is read off Figures 6 to 8, shape (rows, columns) each."""

    losses: FloatArray
    """Figure 8: student's parameters, its tokens, supervised loss."""
    best: FloatArray
    """Figure 8: student's parameters, its tokens, loss with a free teacher."""
    contours: FloatArray
    """Figure 6: teacher's parameters and tokens, student's parameters and tokens."""
    teachers: FloatArray
    """Figure 7: student's parameters, its tokens, loss of its best teacher."""


def figures() -> Figures:
    """The read-offs that `distillplan check` compares."""
    tables: dict[str, list[dict[str, Any]]] = {}
    for _, group in check_groups():
        rows = [dict(zip(group.columns, row, strict=True)) for row in group.rows]
        tables.setdefault(group.kind, []).extend(rows)
    costs = FixedAspect()

    def losses(name: str) -> FloatArray:
        found = []
        for row in tables["best_loss"]:
            if row.get(name) is not None:
                params = float(row["student_params"])
                flops = 3 * float(costs.forward_flops_at_log(np.log(params)))
                found.append((params, float(row["compute"]) / flops, row[name]))
        return np.array(found, dtype=float)

    contours = [
        (row["teacher_params"], row["teacher_tokens"], row["student_params"], row["student_tokens"])
        for row in tables["crossover_tokens"]
        if row["teacher_params"] <= LARGEST_TEACHER and row["student_params"] >= LEAST_STUDENT
    ]
    teachers = [
        (row["student_params"], row["student_tokens"], row["teacher_loss"])
        for row in tables["best_teacher_loss"]
        if row["student_params"] <= LARGEST_STUDENT
    ]
    return Figures(
        losses=losses("supervised"),
        best=losses("free"),
        contours=np.array(contours, dtype=float),
        teachers=np.array(teachers, dtype=float),
    )


def distilled_rows(path: Path) -> Rows:
    """The students of Figure 1."""
    with path.open(newline="") as file:
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


def best_log_teacher_loss(law: DistillationLaw, n: FloatArray, d: FloatArray) -> FloatArray:
    """Log of the teacher's loss that is best for students of log N_S = n on log D_S = d.

    Bisection of the slope of Equation 8 in it, to the last bits; shape of ``n`` and ``d``.
    """
    alone = law.supervised
    low = np.full(n.shape, np.log(alone.E))
    high = np.log(alone.loss_at_logs(n, d) * law.d1)
    for _ in range(52):
        middle = (low + high) / 2
        rises = law.loss_and_gradient_at_logs(n, d, middle)[3] > 0
        low, high = np.where(rises, low, middle), np.where(rises, middle, high)
    return (low + high) / 2


def residuals(letters: FloatArray, runs: Rows, drawn: Figures) -> dict[str, FloatArray]:
    """Computed less published over its error, by source."""
    found = joint_law(letters)
    alone = found.supervised
    group = runs.groups()
    weight = np.bincount(group)[group] ** -0.5
    best = np.log(drawn.best[:, :2])
    teacher = best_log_teacher_loss(found, best[:, 0], best[:, 1])
    of_teacher, at = drawn.contours[:, :2], np.log(drawn.contours[:, 2:])
    x = np.log(alone.loss(of_teacher[:, 0], of_teacher[:, 1]))
    loss, _, by_tokens, _ = found.loss_and_gradient_at_logs(at[:, 0], at[:, 1], x)
    other, _, other_by_tokens = alone.loss_and_gradient_at_logs(at[:, 0], at[:, 1])
    error = np.maximum(GAIN, TOKENS * np.abs(other_by_tokens - by_tokens))
    reds = np.log(drawn.teachers[:, :2])
    return {
        "runs": weight * np.expm1(predicted_log_loss(found, runs) - runs.log_loss) / RUN,
        "Figure 8, supervised": (
            alone.loss(drawn.losses[:, 0], drawn.losses[:, 1]) - drawn.losses[:, 2]
        )
        / LOSS,
        "Figure 8, free teacher": (
            found.loss_at_logs(best[:, 0], best[:, 1], teacher) - drawn.best[:, 2]
        )
        / LOSS,
        "Figure 6": (other - loss) / error,
        "Figure 7": (
            np.exp(best_log_teacher_loss(found, reds[:, 0], reds[:, 1])) - drawn.teachers[:, 2]
        )
        / TEACHER,
    }


def cost(parts: dict[str, FloatArray]) -> float:
    """Half the sum of squares of all residuals."""
    return float(sum((part**2).sum() for part in parts.values()) / 2)


def table_6() -> FloatArray:
    """The printed letters, B' times 100, in the order of ``COLUMNS``; shape (15,)."""
    printed = law_catalog.law("busbridge2025_table6").distillation
    if printed is None:
        raise TypeError("Table 6 has a distillation side")
    return letters_of_law(printed)


def recovered(runs: Rows, drawn: Figures) -> FloatArray:
    """Letters of least cost inside the rounding of their print, shape (15,)."""
    printed = table_6()
    moves = np.array([name != KEPT for name in COLUMNS])
    reach = np.array([HALF * (UNITS[name] or 0.0) for name in COLUMNS])
    low, high = printed - reach, printed + reach
    free = COLUMNS.index("B")
    low[free], high[free] = printed[free] / FACTOR, printed[free] * FACTOR

    def letters(where: FloatArray) -> FloatArray:
        found = printed.copy()
        found[moves] = low[moves] + where * (high - low)[moves]
        return found

    def every(where: FloatArray) -> FloatArray:
        return np.concatenate(list(residuals(letters(where), runs, drawn).values()))

    start = np.full(int(moves.sum()), 0.5)
    found = least_squares(every, start, bounds=(0, 1), xtol=1e-10, ftol=1e-10, gtol=1e-10)
    return letters(found.x)


def runs_error(letters: FloatArray, runs: Rows) -> tuple[float, float]:
    """Mean absolute and mean relative error of the runs, each run counted once."""
    error = np.expm1(predicted_log_loss(joint_law(letters), runs) - runs.log_loss)
    return float(np.abs(error).mean()), float(error.mean())


def main() -> None:
    """Print the letters, and what they cost beside the print."""
    parser = argparse.ArgumentParser(description="Recover the lost digits of Table 6.")
    parser.add_argument("table", type=Path, help="distilled students of Figure 1 (CSV)")
    runs, drawn = distilled_rows(parser.parse_args().table), figures()
    before, after = table_6(), recovered(runs, drawn)
    lines = [f"{'':24}{'Table 6':>12}{'recovered':>14}"]
    lines += [
        f"{name:24}{old:12.7g}{new:14.7g}"
        for name, old, new in zip(COLUMNS, before, after, strict=True)
    ]
    one, two = (residuals(letters, runs, drawn) for letters in (before, after))
    lines.append(f"{'cost':24}{cost(one):12.2f}{cost(two):14.2f}")
    for name in one:
        old, new = cost({name: one[name]}), cost({name: two[name]})
        lines.append(f"  {f'{name} ({one[name].size})':28}{old:6.2f}{new:14.2f}")
    gone, left = (runs_error(letters, runs) for letters in (before, after))
    lines.append(f"{'mean error of the runs':24}{gone[0]:12.2%}{left[0]:14.2%}")
    lines.append(f"{'bias of the runs':24}{gone[1]:+12.2%}{left[1]:+14.2%}")
    sys.stdout.write("\n".join([*lines, ""]))


if __name__ == "__main__":
    main()
