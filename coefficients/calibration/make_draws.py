"""Make ``draws/busbridge2025.csv``: joint draws of the letters of both laws of arXiv:2502.08606.

    python coefficients/calibration/make_draws.py distillation_points.csv

The argument is a table of the distilled students of Figure 1 with the columns NS_nonembedding,
DS_nominal, LT and LS (parameters, tokens, nats per token). What goes in:

- prior: Table 6, every printed 90% interval as a Gaussian in the logarithm of the letter, widened
  by the rounding of the print; the data coefficient B' of Equation 8, whose print contradicts the
  paper's own figures, is free within a factor of ten around 2.4181e6;
- the distilled students, with a smooth misfit of the law (``joint_fit.py``);
- Equation 1: the paper gives no supervised runs as numbers, but its accuracy (1%, Figure 5) and
  the design (Appendix E.2: eleven models at about 20 tokens per parameter, six at 512B tokens,
  four IsoFLOP profiles). The published law at that design with 1% as a 99% bound carries the
  correlations between the letters that the printed intervals leave out; taken as independent, those
  intervals alone would spread the supervised loss by more than the claimed accuracy. Four losses
  of teachers in Figure 1 that can be told apart without doubt are added as runs.

What comes out: 300 draws, and beside them a small file with ``sigma_run``, the standard deviation
of the log loss of one run around the drawn laws, misfit included.

Scales: run and smooth misfit are near the maximum of the evidence (0.10% and 0.35%, reaches of
1, 0.7 and 0.1 e-folds of N_S, D_S and L_T; the evidence is flat from 0.35% to 0.5%, so the
tightest is taken). ``sigma_run`` is 0.35%, with which 90% bands hold 94% of the runs of
left-out students. That is meant to be a little wide: twelve pairs are few, their residuals share
teachers, and planning asks for larger students than theirs.
"""

import argparse
import csv
from pathlib import Path

import numpy as np

from distillplan.fitting.rows import Rows
from joint_fit import (
    COLUMNS,
    JointPosterior,
    LetterPrior,
    Misfit,
    draws_log_loss,
    joint_law,
    joint_posterior,
    left_out_coverage,
)

COUNT = 300
SEED = 20250206

MISFIT = Misfit(run=0.0010, smooth=0.0035, supervised=0.01 / 2.576)
SIGMA_RUN = 0.0035

Z90 = 1.6449
TABLE_6 = {
    # letter: value, 90% interval, unit of the last printed digit
    "supervised.E": (1.220, (1.190, 1.247), 1e-3),
    "supervised.A": (3355, (3346, 3360), 1),
    "supervised.B": (18186, (18157, 18236), 1),
    "supervised.alpha": (0.408, (0.405, 0.411), 1e-3),
    "supervised.beta": (0.431, (0.428, 0.433), 1e-3),
    "supervised.gamma": (0.452, (0.442, 0.461), 1e-3),
    "c0": (2.549, (2.425, 2.615), 1e-3),
    "c1": (522.6, (522.6, 522.6), 0.1),
    "f1": (0.090, (0.088, 0.093), 1e-3),
    "d1": (1.315, (1.302, 1.327), 1e-3),
    "A": (2243, (2227, 2255), 1),
    "B": (2.4181e6, (2.4181e5, 2.4181e7), 1),  # not the print: free
    "alpha": (0.321, (0.319, 0.324), 1e-3),
    "beta": (0.637, (0.634, 0.640), 1e-3),
    "gamma": (0.764, (0.732, 0.788), 1e-3),
}

MODELS = {
    # Table 13: non-embedding and total parameters, in billions
    "103M": (0.1028, 0.1363),
    "143M": (0.1434, 0.1811),
    "198M": (0.1983, 0.2402),
    "266M": (0.2657, 0.3118),
    "340M": (0.3398, 0.3901),
    "435M": (0.4348, 0.4893),
    "546M": (0.546, 0.6047),
    "664M": (0.6636, 0.7265),
    "810M": (0.8096, 0.8767),
    "975M": (0.9755, 1.047),
    "1.15B": (1.147, 1.222),
    "1.35B": (1.355, 1.434),
    "1.59B": (1.586, 1.67),
    "1.82B": (1.821, 1.909),
    "2.1B": (2.102, 2.194),
    "2.41B": (2.41, 2.506),
    "2.72B": (2.718, 2.819),
    "3.48B": (3.478, 3.587),
    "4.82B": (4.823, 4.944),
    "5.87B": (5.873, 6.003),
    "7.75B": (7.747, 7.889),
    "12.6B": (12.61, 12.78),
}

FIXED_RATIO: tuple[str, ...] = (
    "143M",
    "198M",
    "266M",
    "546M",
    "975M",
    "1.82B",
    "2.72B",
    "4.82B",
    "5.87B",
)
FIXED_RATIO += ("7.75B", "12.6B")
LONG_RUNS = ("198M", "546M", "975M", "1.82B", "7.75B", "12.6B")
ISOFLOPS = (3e19, 1e20, 3e20, 1e21)
TEACHERS: tuple[tuple[str, float | None, float], ...] = (
    ("198M", None, 2.7545),
    ("546M", None, 2.5038),
    ("975M", None, 2.3705),
)
TEACHERS += (("12.6B", 512e9, 1.8953),)


def prior() -> LetterPrior:
    """Table 6 as Gaussians on logarithms."""
    mean, sd = [], []
    for name in COLUMNS:
        value, (low, high), digit = TABLE_6[name]
        mean.append(np.log(value))
        printed = (high - low) / (2 * Z90) / value
        rounding = digit / 12**0.5 / value  # of a number uniform within its last digit
        sd.append(np.log(10) if name == "B" else np.hypot(printed, rounding))
    return LetterPrior(mean=np.array(mean), sd=np.array(sd))


def supervised_rows() -> Rows:
    """The paper's design with the published law's losses, and four real teachers."""
    places = [(MODELS[name][0] * 1e9, 20e9 * MODELS[name][1]) for name in FIXED_RATIO]
    places += [(MODELS[name][0] * 1e9, 512e9) for name in LONG_RUNS]
    for budget in ISOFLOPS:
        for params, _ in MODELS.values():
            tokens = budget / (6e9 * params)
            if 2 < tokens / (1e9 * params) < 300:
                places.append((1e9 * params, tokens))
    law = joint_law(np.exp(prior().mean)).supervised
    losses = [law.loss(*place) for place in places]
    for name, trained, loss in TEACHERS:
        size, total = MODELS[name]
        places.append((size * 1e9, trained or 20e9 * total))
        losses.append(loss)
    table = np.log(np.array(places))
    return Rows(log_params=table[:, 0], log_tokens=table[:, 1], log_loss=np.log(losses))


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


def posterior(distilled: Rows) -> JointPosterior:
    """Of the letters, given these students."""
    return joint_posterior(distilled, supervised_rows(), prior(), MISFIT)


def main() -> None:
    """Write the draws and what belongs to them."""
    parser = argparse.ArgumentParser(description="Make the joint draws of the default law.")
    parser.add_argument("table", type=Path, help="distilled students of Figure 1 (CSV)")
    distilled = distilled_rows(parser.parse_args().table)
    found = posterior(distilled)
    draws = found.draws(COUNT, SEED)
    folder = Path(__file__).parents[1] / "draws"
    folder.mkdir(exist_ok=True)
    with (folder / "busbridge2025.csv").open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        # seven digits: rounding is far below the spread of every letter
        writer.writerows([[f"{value:.7g}" for value in row] for row in draws])
    covered = left_out_coverage(distilled, supervised_rows(), prior(), MISFIT, sigma_run=SIGMA_RUN)
    published = np.exp(prior().mean)
    center = np.exp(found.mean)
    moved = (
        draws_log_loss(np.array([center]), distilled)
        - draws_log_loss(np.array([published]), distilled)
    ).mean()
    alone = [joint_law(one).supervised for one in (center, published)]
    supervised = np.log(alone[0].loss(1e9, 20e9) / alone[1].loss(1e9, 20e9))
    largest = np.max(np.abs(found.mean - prior().mean)[prior().sd < 1] / prior().sd[prior().sd < 1])
    lines = [
        "# Made by make_draws.py; see there for the method.",
        f"draws: {COUNT}",
        f"seed: {SEED}",
        "# standard deviation of log loss of one run around the drawn laws, misfit included",
        f"sigma_run: {SIGMA_RUN}",
        "# its parts that the draws assume: noise of a run, smooth misfit of the law",
        f"sigma_parts: [{MISFIT.run}, {MISFIT.smooth}]",
        "# share of runs, and of mean losses, of left-out (N_S, D_S) pairs inside 90% bands",
        f"coverage_rows: {covered.rows:.3f}",
        f"coverage_groups: {covered.groups:.3f}",
        "# mean relative error on left-out pairs",
        f"left_out_error: {covered.error:.4f}",
        "# center of the draws against the published set (B' = 2.4181e6)",
        f"offset_log_loss_distilled: {moved:.4f}",
        f"offset_log_loss_supervised_1b_20b: {supervised:.4f}",
        f"data_coefficient: {center[COLUMNS.index('B')]:.4g}",
        f"largest_shift_in_prior_sd: {largest:.2f}",
        "",
    ]
    (folder / "busbridge2025.yaml").write_text("\n".join(lines))


if __name__ == "__main__":
    main()
