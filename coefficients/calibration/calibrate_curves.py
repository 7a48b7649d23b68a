"""Make ``curves.yaml``: how far above a finished run's loss a run under way lies.

    python coefficients/calibration/calibrate_curves.py LOSS_CURVES FINISHED.csv UNDER_WAY.csv

- LOSS_CURVES: the folder loss_curve_repo of github.com/thu-yao-01-luo/MultiPowerLaw at 8da9f19
  (MIT license; Luo et al. 2025, arXiv:2503.12811): models of 25M, 100M and 400M, each with a
  cosine and a constant learning rate to 24000 and 72000 steps, and with two decays over the last
  sixth of 24000 steps. A step is taken to be 2^19 tokens, which hardly matters: only the slope of
  the law is used.
- FINISHED.csv and UNDER_WAY.csv: the OLMo ladder (Bhagia et al. 2024, arXiv:2412.04403), finished
  losses of four sizes by four lengths, and validation losses of the longest run of each size.

Losses are compared to the default law. Both studies count the same. `anneal` and `bend` are means
of the runs' own estimates, with their spread; `drift` is the least with which nine in ten forecasts
of the end, from 0.3, 0.5, 0.8 and 0.9 of each run, by constants of the other runs, lie in their
90% bands.
"""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from distillplan.files.csv_reader import read_csv
from distillplan.files.entries import coefficients_dir
from distillplan.laws import law_catalog
from distillplan.laws.curves import CurvePoints, LossCurve, Schedule, forecast, points_of, undecayed
from distillplan.laws.formulas import FloatArray

TOKENS_PER_STEP: Final = 2.0**19
SIZES: Final = {"25": 25e6, "100": 100e6, "400": 400e6}
CURVES: Final = {
    "cosine_24000": 24000.0,
    "cosine_72000": 72000.0,
    "wsd_20000_24000": 24000.0,
    "wsdld_20000_24000": 24000.0,
    "constant_24000": 24000.0,
    "constant_72000": 72000.0,
}
WARMUP_STEPS: Final = 2160.0
PEAK: Final = 3e-4
LEAST: Final = 3e-5
"""Learning rates of these curves, from their files; the decays end at LEAST."""
NOISE: Final = 0.001
"""Of one validation loss; the files' neighboring points differ by less."""
FREE: Final = LossCurve(anneal=0.0, anneal_sd=0.1, bend=0.0, bend_sd=1.0, drift=0.002, noise=NOISE)
"""Nearly no belief, for a run's own estimates."""
CUTS: Final = (0.3, 0.5, 0.8, 0.9)
HALF_WIDTH: Final = 1.645


SOURCE: Final = (
    "Luo et al. 2025, arXiv:2503.12811, 18 curves of 25M, 100M and 400M (repository",
    "thu-yao-01-luo/MultiPowerLaw at 8da9f19); the OLMo ladder, Bhagia et al. 2024,",
    "arXiv:2412.04403, the longest cosine run of 190M, 371M, 758M and 1.28B; by busbridge2025.",
)
ABOUT: Final = {
    "anneal": "what a full decay of the learning rate is worth at the end of a run",
    "anneal_sd": "its spread between runs",
    "bend": "share by which losses fall faster than by the law",
    "bend_sd": "its spread between runs",
    "drift": "standard deviation of what neither explains half-way through a run",
    "noise": "standard deviation of one validation loss",
}


class KnownRun(NamedTuple):
    """A published curve whose end is known."""

    study: str
    name: str
    points: CurvePoints
    end: float
    """Log of its last loss over the law's."""
    undecayed_at_end: float

    def until(self, progress: float) -> CurvePoints:
        """Its points up to some progress."""
        here = self.points.progress <= progress + 1e-9
        return CurvePoints(*(values[here] for values in self.points))


def run_of(
    study: str,
    name: str,
    params: float,
    tokens: FloatArray,
    losses: FloatArray,
    rates: FloatArray,
    end: tuple[float, float],
    warmup: float,
) -> KnownRun:
    """A curve against the default law.

    Args:
        study: whose it is.
        name: of the run.
        params: its parameters.
        tokens: of each point, shape (points,).
        losses: shape (points,).
        rates: the learning rate as a share of its decay, shape (points,).
        end: its tokens and its loss when it has ended.
        warmup: share of the run.
    """
    law = law_catalog.law().supervised
    total, last = end
    here = law.loss(np.full_like(tokens, params), tokens)
    progress, excess = tokens / total, np.log(losses / here)
    fall = np.log(here / law.loss(params, total))
    return KnownRun(
        study=study,
        name=name,
        points=points_of(progress, excess, fall, rates, warmup=warmup),
        end=float(np.log(last / law.loss(params, total))),
        undecayed_at_end=float(rates[-1] > 0.5),
    )


def luo(folder: Path) -> Iterator[KnownRun]:
    """The curves of Luo et al. 2025."""
    for size, params in SIZES.items():
        for name, steps in CURVES.items():
            rows = read_csv(folder / f"csv_{size}" / f"{name}.csv", ("step", "lr", "loss"))
            step, rate, loss = (
                np.array([float(row.values[key]) for row in rows]) for key in ("step", "lr", "loss")
            )
            rates = np.ones_like(rate) if "constant" in name else (rate - LEAST) / (PEAK - LEAST)
            end = steps * TOKENS_PER_STEP, float(loss[-1])
            yield run_of(
                "luo2025",
                f"{size}M {name}",
                params,
                step * TOKENS_PER_STEP,
                loss,
                rates,
                end,
                WARMUP_STEPS / steps,
            )


def olmo(finished: Path, under_way: Path) -> Iterator[KnownRun]:
    """The longest run of each size of the OLMo ladder."""
    done, points = (
        np.array([[float(row.values[key]) for key in ("params", "tokens", "loss")] for row in rows])
        for rows in (read_csv(finished), read_csv(under_way))
    )
    for params in np.unique(done[:, 0]):
        mine = done[done[:, 0] == params]
        _, total, last = mine[np.argmax(mine[:, 1])]
        _, tokens, losses = points[points[:, 0] == params].T
        rates = undecayed(Schedule.COSINE, tokens / total, warmup=0.01, decay=1.0)
        yield run_of(
            "olmo_ladder",
            f"{params / 1e6:.0f}M",
            params,
            tokens,
            losses,
            rates,
            (total, last),
            0.01,
        )


def own_estimates(run: KnownRun) -> tuple[float, float]:
    """Anneal and bend of one run alone, by weighted least squares on its whole curve."""
    points = run.until(1.0)
    rows = np.column_stack(
        [
            np.ones_like(points.progress),
            np.sqrt(points.progress) * points.undecayed,
            points.fall,
        ]
    )
    rows = np.vstack([rows, [1.0, run.undecayed_at_end, 0.0]])
    at = np.append(points.progress, 1.0)
    walked = 1 / at - 1
    errors = FREE.drift**2 * np.minimum(walked[:, None], walked) + FREE.noise**2 * np.eye(at.size)
    belief = np.diag([1.0, FREE.anneal_sd**-2, FREE.bend_sd**-2])
    normal = rows.T @ np.linalg.solve(errors, rows) + belief
    _, anneal, bend = np.linalg.solve(
        normal, rows.T @ np.linalg.solve(errors, np.append(points.excess, run.end))
    )
    return float(anneal), float(bend)


def constants(runs: Sequence[KnownRun], drift: float) -> LossCurve:
    """Means and spreads over runs, every study with the same weight."""
    telling = [one for one in runs if not one.undecayed_at_end]
    own = np.array([own_estimates(one) for one in telling])
    weight = np.array([1 / sum(one.study == other.study for other in telling) for one in telling])
    mean = np.average(own, axis=0, weights=weight)
    sd = np.sqrt(np.average((own - mean) ** 2, axis=0, weights=weight))
    return LossCurve(
        anneal=float(mean[0]),
        anneal_sd=float(sd[0]),
        bend=float(mean[1]),
        bend_sd=float(sd[1]),
        drift=drift,
        noise=NOISE,
    )


def misses(
    runs: Sequence[KnownRun], drift: float, cut: float
) -> list[tuple[KnownRun, float, float]]:
    """Error and standard deviation of each forecast by constants of the other runs."""
    found = []
    for run in runs:
        others = [one for one in runs if one is not run]
        points = run.until(cut)
        if points.progress.size:
            end = forecast(constants(others, drift), points, run.undecayed_at_end)
            found.append((run, end.mean - run.end, end.sd))
    return found


def held(found: Sequence[tuple[KnownRun, float, float]]) -> float:
    """Share of ends within their 90% bands."""
    return float(np.mean([abs(error) < HALF_WIDTH * sd for _, error, sd in found]))


def main() -> None:
    """Write the constants, and how well they forecast."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("curves", type=Path)
    parser.add_argument("finished", type=Path)
    parser.add_argument("under_way", type=Path)
    given = parser.parse_args()
    runs = [*luo(given.curves), *olmo(given.finished, given.under_way)]
    drift = next(
        one
        for one in np.arange(0.002, 0.02, 0.0005).round(4).tolist()
        if min(held(misses(runs, one, cut)) for cut in CUTS) >= 0.9
    )
    found = constants(runs, drift)
    lines = [
        "# How far above the loss of a finished run a run under way lies: log loss over the law's.",
        "# Made by calibration/calibrate_curves.py; distillplan.laws.curves has the equation.",
        "schema: distillplan/curves@1",
        "source: >-",
        *(f"  {line}" for line in SOURCE),
        "curve:",
        *(
            f"  {name}: {{value: {value:.3g}, about: {ABOUT[name]}}}"
            for name, value in found._asdict().items()
        ),
        "# Forecasts of the end of these runs, each by constants of the others: progress, study,",
        "# runs, share within their 90% bands, mean error and standard deviation in log loss.",
        "forecasts:",
    ]
    for cut in CUTS:
        got = misses(runs, drift, cut)
        for study in dict.fromkeys(run.study for run in runs):
            mine = [one for one in got if one[0].study == study]
            lines.append(
                f"  - {{progress: {cut}, study: {study}, runs: {len(mine)}, "
                f"held: {held(mine):.2f}, "
                f"error: {np.mean([abs(error) for _, error, _ in mine]):.4f}, "
                f"sd: {np.mean([sd for _, _, sd in mine]):.4f}}}"
            )
    (coefficients_dir() / "curves.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
