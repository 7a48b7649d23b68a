"""Make ``transfer.yaml``: how far a real run's gain may lie from the one that the law predicts.

    python coefficients/calibration/make_transfer.py tests/data/distilled_students.csv

The argument is the table of the distilled students of Figure 1 of arXiv:2502.08606. What goes in:

- the published comparisons of other laboratories (``transfer_cases.yaml``), as the default law and
  its joint draws predict them;
- the law's own runs, held out: Equation 8 is refitted to a part of them and predicts the rest,
  which lie beyond its range in one input (Equation 1 stays as it is). They are the only evidence
  of how the error grows upward, where no laboratory has published losses;
- wide priors (``distillplan.checks.transfer_fit.PRIOR``).

What comes out: the most probable constants with the range in which their log density is within 1.35
of its maximum (90% of a Gaussian's), the comparisons that each stands on, and the log density with
other growths of the error than the linear one.

``--release-before LAW.yaml`` computes anew what release 0.1.0 would have said of the comparisons,
from its law file and draws. Without it the stored odds are kept.
"""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from scipy.optimize import least_squares
from scipy.special import ndtr

from distillplan.checks.transfer_cases import CaseGains, MatchedCase, case_gains, shipped_cases
from distillplan.checks.transfer_fit import CONSTANTS, PRIOR, FittedError, HeldOutRuns, fitted_error
from distillplan.files.csv_reader import read_csv
from distillplan.files.entries import coefficients_dir, read_shipped
from distillplan.laws import law_catalog
from distillplan.laws.formulas import DISTILLATION_LETTERS, DistillationLaw, FloatArray
from distillplan.laws.transfer import DEGREES_OF_FREEDOM, Beyond

SPLITS: Final = (
    # input of the split, its field of Beyond, least or greatest value that is fitted
    ("params", "params_below", 1.9e8),
    ("params", "params_above", 2.5e8),
    ("tokens", "tokens_below", 1.2e10),
    ("tokens", "tokens_above", 2.5e10),
    ("teacher_loss", "teacher_loss_below", 2.0),
    ("teacher_loss", "teacher_loss_above", 2.4),
)
FREE: Final = tuple(letter for letter in DISTILLATION_LETTERS if letter != "c1")
"""Letters that are refitted; c1 and d1 describe one curve between them."""
RUN_NOISE: Final = 0.002
"""Standard deviation of the log loss of a run around the refitted law."""
HOLD: Final = 0.1
"""Pull toward the published letters per e-fold, against RUN_NOISE: keeps the fit from wandering."""
WITHIN: Final = 1.35
"""Fall of the log density at the ends of a 90% range of a Gaussian: 1.645^2 / 2."""
GROWTHS: Final = {"square_root": 0.5, "linear": 1.0, "quadratic": 2.0}

ABOUT: Final = {
    "scale": (
        "nats",
        "scale of Student's t inside the fitted range; nine tenths of gains lie within 2.9 scales",
    ),
    "params_below": ("nats per e-fold", "student smaller than any in the runs"),
    "tokens_below": ("nats per e-fold", "fewer student tokens than in any run"),
    "above": ("nats per e-fold", "student larger, or more student tokens, than in any run"),
    "teacher_loss": ("nats per nat", "teacher's loss below or above those of the runs"),
    "gain_share": (
        "share of the gain per e-fold",
        "student smaller, or fewer student tokens, than in any run; the gain itself is in doubt",
    ),
}
HEAD: Final = """\
# How far a real run's gain may lie from the one that the law predicts. Made by
# calibration/make_transfer.py from the published comparisons in transfer_cases.yaml and from runs
# of the law's own laboratory that were held out; see there for the method, and
# distillplan.laws.transfer for the formula. Few cases stand behind each number: `cases` counts the
# published comparisons, `low` and `high` are a 90% range. Tokens below the range stand on one
# laboratory, Marin, and two abstracts. `growth` has the log density with other growths of the error
# than the linear one, which is taken. `held_out` are the runs of the law's own laboratory.
# `release_before` are the odds that distilling is better as release 0.1.0 would have stated them.
schema: distillplan/transfer@1
"""


class Students:
    """The distilled students of a table."""

    def __init__(self, path: Path) -> None:
        """Read parameters, tokens, and the losses of teacher and student."""
        rows = [row.values for row in read_csv(path)]
        self.params = np.array([float(row["NS_nonembedding"]) for row in rows])
        self.tokens = np.array([float(row["DS_nominal"]) for row in rows])
        self.teacher_loss = np.array([float(row["LT"]) for row in rows])
        self.loss = np.array([float(row["LS"]) for row in rows])
        pairs = list(zip(self.params.tolist(), self.tokens.tolist(), strict=True))
        self.weight = np.array([pairs.count(one) ** -0.5 for one in pairs])

    def predicted(self, law: DistillationLaw) -> FloatArray:
        """Losses under a law, shape (students,)."""
        return law.loss(self.params, self.tokens, self.teacher_loss)


def refitted(law: DistillationLaw, students: Students, fitted: FloatArray) -> DistillationLaw:
    """Equation 8 refitted to the students of a mask, shape (students,)."""
    start = np.log([getattr(law, letter) for letter in FREE])

    def at(logs: FloatArray) -> DistillationLaw:
        return law._replace(**dict(zip(FREE, np.exp(logs).tolist(), strict=True)))

    def residuals(logs: FloatArray) -> FloatArray:
        errors = np.log(students.predicted(at(logs)) / students.loss)
        weighted = (errors * students.weight / RUN_NOISE)[fitted]
        return np.concatenate([weighted, HOLD * (logs - start)])

    return at(least_squares(residuals, start).x)


def held_out(law: DistillationLaw, students: Students) -> tuple[HeldOutRuns, ...]:
    """The errors of each split."""
    found = []
    for name, side, edge in SPLITS:
        values = getattr(students, name)
        is_below = side.endswith("below")
        fitted = values >= edge if is_below else values <= edge
        end = values[fitted].min() if is_below else values[fitted].max()
        distance = np.abs(values - end if name == "teacher_loss" else np.log(values / end))
        errors = students.predicted(refitted(law, students, fitted)) - students.loss
        found.append(
            HeldOutRuns(
                split=f"{name} {'from' if is_below else 'to'} {end:.4g} fitted, the rest predicted",
                input=side if side in Beyond._fields else name,
                distance=_rms(distance[~fitted]),
                error=_rms(errors[~fitted]),
                noise=_rms(errors[fitted]),
            )
        )
    return tuple(found)


def ranges(
    cases: Sequence[MatchedCase],
    predicted: CaseGains,
    runs: Sequence[HeldOutRuns],
    best: FittedError,
) -> dict[str, tuple[float, float]]:
    """The 90% range of each constant: the others are the most probable ones at every value."""

    def lost(name: str, value: float) -> float:
        prior = {**PRIOR, name: (value, 1e-4)}  # held there
        found = fitted_error(cases, predicted, runs, prior=prior)
        center, width = PRIOR[name]
        return best.log_density - found.log_density + (np.log(value / center) / width) ** 2 / 2

    def end(name: str, value: float, factor: float) -> float:
        far = value * factor
        while lost(name, far) < WITHIN:
            far *= factor
        near = far / factor
        for _ in range(12):
            middle = (near * far) ** 0.5
            near, far = (middle, far) if lost(name, middle) < WITHIN else (near, middle)
        return (near * far) ** 0.5

    values = constants(best)
    return {name: (end(name, one, 0.5), end(name, one, 2.0)) for name, one in values.items()}


def constants(found: FittedError) -> dict[str, float]:
    """The constants by name."""
    values = {"scale": found.error.scale, **found.error.slopes._asdict()}
    return {name: values[name] for name in CONSTANTS}


def growths(
    cases: Sequence[MatchedCase], predicted: CaseGains, runs: Sequence[HeldOutRuns]
) -> dict[str, float]:
    """The log density with each growth of the error with the distance."""
    found = {}
    for name, power in GROWTHS.items():
        beyond = {axis: one**power for axis, one in predicted.beyond._asdict().items()}
        bent = predicted._replace(beyond=Beyond(**beyond))
        parts = [one._replace(distance=one.distance**power) for one in runs]
        found[name] = fitted_error(cases, bent, parts).log_density
    return found


def odds_of_release(path: str, cases: tuple[MatchedCase, ...]) -> dict[str, dict[str, float]]:
    """What a law file with draws says with nothing but the noise of two runs, as 0.1.0 did."""
    old = law_catalog.law(path)
    draws = law_catalog.draws(old)
    if draws is None:
        raise ValueError(f"{path} has no draws")
    predicted = case_gains(old, draws, cases)
    found: dict[str, dict[str, float]] = {}
    for place, one in enumerate(cases):
        alone = draws.supervised.loss(
            np.array(one.student_params.low), np.array(one.supervised_tokens.low)
        )
        noise = draws.sigma_run * np.hypot(alone, alone - predicted.gains[place])
        chance = float(ndtr(predicted.gains[place] / noise).mean())
        found.setdefault(one.study, {})[one.name] = chance
    return found


def written(
    best: FittedError,
    spans: Mapping[str, tuple[float, float]],
    growth: Mapping[str, float],
    runs: Sequence[HeldOutRuns],
    before: Mapping[str, Mapping[str, float]],
) -> str:
    """The text of the file."""
    lines = [HEAD + "error:", f"  degrees_of_freedom: {DEGREES_OF_FREEDOM}"]
    for name, value in constants(best).items():
        unit, meaning = ABOUT[name]
        low, high = spans[name]
        lines += [
            f"  {name}:",
            f"    value: {value:.4g}",
            f"    low: {low:.2g}",
            f"    high: {high:.2g}",
            f"    unit: {unit}",
            f"    cases: {getattr(best.error.cases, name)}",
            f"    meaning: {meaning}",
        ]
    lines.append("growth:")
    lines += [f"  {name}: {one:.2f}" for name, one in growth.items()]
    lines.append("held_out:")
    lines += [
        f"  - {{split: '{one.split}', input: {one.input}, distance: {one.distance:.3f}, "
        f"error: {one.error:.4f}, noise: {one.noise:.4f}}}"
        for one in runs
    ]
    lines.append("release_before:")
    for study, odds in before.items():
        lines.append(f"  {study}:")
        lines += [f"    {name}: {chance:.3f}" for name, chance in odds.items()]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(description="Make the error of a predicted gain.")
    parser.add_argument("table", type=Path, help="distilled students of Figure 1 (CSV)")
    parser.add_argument("--release-before", metavar="LAW", help="law file of release 0.1.0")
    options = parser.parse_args()
    law = law_catalog.law()
    draws, cases = law_catalog.draws(law), shipped_cases()
    if draws is None or law.distillation is None:
        raise ValueError(f"{law.name} has no draws of a law of distillation")
    predicted = case_gains(law, draws, cases)
    runs = held_out(law.distillation, Students(options.table))
    best = fitted_error(cases, predicted, runs)
    before = (
        odds_of_release(options.release_before, cases)
        if options.release_before
        else read_shipped("transfer.yaml")["release_before"]
    )
    text = written(
        best,
        ranges(cases, predicted, runs, best),
        growths(cases, predicted, runs),
        runs,
        before,
    )
    (coefficients_dir() / "transfer.yaml").write_text(text, encoding="utf-8")


def _rms(values: FloatArray) -> float:
    return float(np.sqrt(np.mean(values**2)))


if __name__ == "__main__":
    main()
